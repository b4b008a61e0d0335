import { type Asked, recordBeside, type VeloFlux } from "./client.ts";
import { RequestRefused } from "./errors.ts";
import type { Decision } from "./model.ts";

const QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/** What one request costs, and whom: by the `apiKey` that came with it, or by `tenant` if the client has a service key. */
export type Ask = Asked;

/** A handler in the style of fetch: Cloudflare Workers, Deno, Bun, Hono, Next.js. */
export type Handler<A extends unknown[]> = (request: Request, ...rest: A) => Response | Promise<Response>;

/**
 * A handler that asks VeloFlux before yours: `ask` says what, undefined lets a request pass unasked. What may not pass
 * is answered here: 429 with Retry-After and the RateLimit fields, 403 for a feature, 503 where nothing was decided and
 * `onFailure` is closed, 401 for a wrong `apiKey` of the request. Your answer gets the RateLimit fields.
 */
export function limit<A extends unknown[]>(
  client: VeloFlux,
  ask: (request: Request, ...rest: A) => Ask | undefined | Promise<Ask | undefined>,
  handler: Handler<A>,
): (request: Request, ...rest: A) => Promise<Response> {
  return async (request, ...rest) => {
    const told = await ask(request, ...rest);
    if (told === undefined) return handler(request, ...rest);
    const decision = await decided(client, told);
    if (decision instanceof Response) return decision;
    recordBeside(client, told, decision);
    return withFields(await handler(request, ...rest), decision);
  };
}

async function decided(client: VeloFlux, ask: Ask): Promise<Decision | Response> {
  try {
    const decision = await client.check(ask.meter ?? "", ask.cost, ask);
    return decision.allowed ? decision : refusal(decision);
  } catch (error) {
    const isKeys = error instanceof RequestRefused && (error.status === 401 || error.status === 403);
    if (!isKeys || !ask.apiKey) throw error;
    const headers: Record<string, string> = error.status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
    return problem(error.status, headers, { code: error.code, detail: error.detail });
  }
}

function refusal(decision: Decision): Response {
  const headers = { ...decision.fields };
  const detail = decision.reason;
  if (!decision.failed && decision.refusedBy.startsWith("feature")) {
    return problem(403, headers, { code: "feature_missing", title: "Forbidden", detail });
  }
  headers["Retry-After"] ??= String(Math.max(1, decision.retryAfter));
  if (decision.failed) return problem(503, headers, { code: "unavailable", title: "Service Unavailable", detail });
  const { limit, used, remaining, resetAt: reset_at, refusedBy: refused_by, retryAfter: retry_after } = decision;
  const figures = { allowed: false, limit, used, remaining, reset_at, refused_by, retry_after };
  const told = { type: QUOTA_EXCEEDED, code: "quota_exceeded", title: "Too Many Requests", detail, ...figures };
  return problem(429, headers, told);
}

function problem(status: number, headers: Record<string, string>, members: Record<string, unknown>): Response {
  const body = JSON.stringify({ ...members, status });
  return new Response(body, { status, headers: { ...headers, "Content-Type": "application/problem+json" } });
}

/** The headers of an answer that was fetched cannot be changed; those of a copy can. */
function withFields(response: Response, { fields }: Decision): Response {
  const answer = response.type === "default" ? response : new Response(response.body, response);
  for (const [name, value] of Object.entries(fields)) answer.headers.set(name, value);
  return answer;
}
