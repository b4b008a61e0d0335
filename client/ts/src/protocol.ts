/** Requests to VeloFlux and what its answers mean. No I/O but `send`. */
import { pauseMs, sleep } from "./attempts.ts";
import { RequestRefused, Unavailable } from "./errors.ts";
import type { CloudEvent, Decision, OnFailure, Rejected } from "./model.ts";

const AGAIN = new Set([408, 425, 429]);
const FAILED_OPEN = "VeloFlux could not decide; the tenant's setting lets pass, uncounted";
const NOT_OURS = "The answer is none of VeloFlux: is the URL right?";
const FIELDS = ["RateLimit-Policy", "RateLimit", "Retry-After"];

type Members = Record<string, any>;

/** A POST; `body` is JSON. */
export interface Call {
  path: string;
  body: string;
  apiKey: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  members: Members;
}

export type Send = (call: Call, timeoutMs: number) => Promise<Answer>;

/** A call whose body leaves out what is empty, so that an older server understands what it can. */
export function asking(path: string, apiKey: string, members: Members): Call {
  const told = Object.entries(members).filter(([, value]) => value !== undefined && value !== "" && value !== false);
  return { path, body: JSON.stringify(Object.fromEntries(told)), apiKey };
}

/** How calls reach the server at `url`. */
export function sender(url: string, fetching: typeof fetch): Send {
  const base = url.replace(/\/+$/, "");
  return async ({ path, body, apiKey }, timeoutMs) => {
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    try {
      const answer = await fetching(base + path, { method: "POST", body, headers, signal, redirect: "manual" });
      return { status: answer.status, headers: answer.headers, members: parsed(await answer.text()) };
    } catch (error) {
      throw new Unavailable(`VeloFlux does not answer: ${error}`);
    }
  };
}

/** Ask again until there is an answer that `read` takes, or the time is over. */
export async function asked<T>(send: Send, call: Call, timeoutMs: number, read: (answer: Answer) => T): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (let failures = 1; ; failures++) {
    try {
      return read(await send(call, end - performance.now()));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const pause = pauseMs(failures, error.retryAfter);
      if (performance.now() + pause >= end) throw error;
      await sleep(pause);
    }
  }
}

/** What was decided; throws `RequestRefused` for a wrong question and `Unavailable` if nothing was. */
export function readDecision(answer: Answer, id: string): Decision {
  const told = { ...answer.members };
  if (answer.status === 403 && told.code === "feature_missing") {
    told.allowed = false;
    told.refused_by ??= "feature";
  }
  if (!isDone(answer) && told.allowed !== false) throw refused(answer);
  if (!("allowed" in told)) throw new Unavailable(NOT_OURS);
  return {
    allowed: told.allowed === true,
    id,
    limit: figure(told.limit),
    used: figure(told.used),
    remaining: figure(told.remaining),
    resetAt: told.reset_at ?? null,
    overage: figure(told.overage) ?? 0,
    credits: figure(told.credits) ?? 0,
    feature: told.feature ?? null,
    rates: told.rates ?? [],
    watching: told.watching ?? [],
    refusedBy: told.refused_by ?? "",
    retryAfter: told.retry_after ?? 0,
    failed: told.failed_open === true ? "open" : "",
    reason: told.detail ?? (told.failed_open === true ? FAILED_OPEN : ""),
    fields: passedOn(answer),
  };
}

/** The decision of the call's own policy, where VeloFlux made none. */
export function failure(policy: OnFailure, id: string, error: Unavailable): Decision {
  return {
    allowed: policy === "open",
    id,
    limit: null,
    used: null,
    remaining: null,
    resetAt: null,
    overage: 0,
    credits: 0,
    feature: null,
    rates: [],
    watching: [],
    refusedBy: "",
    retryAfter: 1,
    failed: policy,
    reason: `${error.message}; ${policy} on failure`,
    fields: {},
  };
}

/** The events of a request that are not counted; the others are. Throws as `readDecision`. */
export function readRejections(answer: Answer, events: string[]): Rejected[] {
  if (!isDone(answer)) throw refused(answer);
  if (!Array.isArray(answer.members.rejected)) throw new Unavailable(NOT_OURS);
  return answer.members.rejected.map(({ index, code, reason }) => {
    const event = events[index];
    if (event === undefined) throw new Unavailable(NOT_OURS);
    return { event: JSON.parse(event) as CloudEvent, index, code, reason };
  });
}

/** Nothing but that it was done. Throws as `readDecision`. */
export function readDone(answer: Answer): void {
  if (!isDone(answer)) throw refused(answer);
}

function isDone({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function refused({ status, headers, members }: Answer): RequestRefused | Unavailable {
  const detail = members.detail ?? `The server answers ${status}`;
  if (status < 500 && !AGAIN.has(status)) return new RequestRefused(status, members.code ?? "", detail);
  return new Unavailable(`${detail} (${status})`, Number(headers.get("retry-after")) || 0);
}

function parsed(body: string): Members {
  try {
    const told: unknown = JSON.parse(body);
    return typeof told === "object" && told !== null ? told : {};
  } catch {
    return {};
  }
}

/** A number, or text where an amount has places. */
function figure(told: number | string | null | undefined): number | null {
  return told === null || told === undefined ? null : Number(told);
}

function passedOn(answer: Answer): Record<string, string> {
  const found = FIELDS.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}
