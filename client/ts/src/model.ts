/** What decides when VeloFlux does not. */
export type OnFailure = "closed" | "open";

/** One rate limit: `limit` units may pass in `window` seconds; `remaining` now, and in `reset` seconds all again. */
export interface Rate {
  name: string;
  limit: number;
  window: number;
  remaining: number;
  reset: number;
}

/** May it pass? The figures are of the quota, in units of the meter; null without one. */
export interface Decision {
  allowed: boolean;
  /** What was counted under: the same id, checked again or sent as an event, counts once. */
  id: string;
  limit: number | null;
  used: number | null;
  remaining: number | null;
  /** End of the quota's period, epoch ms; null if it has none. */
  resetAt: number | null;
  /** What soft quotas let pass beyond themselves. */
  overage: number;
  /** What credits paid. */
  credits: number;
  /** The value of the feature that was asked for. */
  feature: boolean | number | string | null;
  rates: Rate[];
  /** Limits in shadow mode that would have refused. */
  watching: string[];
  /** The limit that refuses, as `quota:requests`; empty when it may pass. */
  refusedBy: string;
  /** Whole seconds until it lets this pass. */
  retryAfter: number;
  /** Empty when VeloFlux decided; otherwise the policy that decided instead of it, the call's or the tenant's. */
  failed: "" | OnFailure;
  /** A refusal or a failure in words. */
  reason: string;
  /** Header fields about limits, which an answer of yours may pass on. */
  fields: Record<string, string>;
}

/** An event as it is sent. */
export interface CloudEvent {
  specversion: "1.0";
  type: string;
  id: string;
  source: string;
  time: string;
  data: Record<string, unknown>;
}

/** An event that VeloFlux does not count: its place in its request, from 0, the code and the reason. */
export interface Rejected {
  event: CloudEvent;
  index: number;
  code: string;
  reason: string;
}
