import type { Decision } from "./model.ts";

/** Anything that this package throws by itself. */
export class VeloFluxError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** VeloFlux says no to the request itself: a wrong key, an unknown meter. To repeat it is no use. */
export class RequestRefused extends VeloFluxError {
  readonly status: number;
  readonly code: string;
  readonly detail: string;

  constructor(status: number, code: string, detail: string) {
    super(`${detail} (${status} ${code})`);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** No answer in time, or one that says that there is none now; `retryAfter` in seconds, 0 if the server named none. */
export class Unavailable extends VeloFluxError {
  readonly retryAfter: number;

  constructor(reason: string, retryAfter = 0) {
    super(reason);
    this.retryAfter = retryAfter;
  }
}

/** A limit refuses, or nothing could be decided and the call is closed on failure; `decision` says which. */
export class NotAllowed extends VeloFluxError {
  readonly decision: Decision;

  constructor(decision: Decision) {
    super(decision.reason);
    this.decision = decision;
  }
}

/** The event was not taken: as many as the buffer holds wait to be delivered. */
export class BufferFull extends VeloFluxError {}

/** The time to flush was over with `pending` events left; they stay in the buffer and are tried further. */
export class NotDelivered extends VeloFluxError {
  readonly pending: number;

  constructor(pending: number) {
    super(`${pending} events are not delivered yet`);
    this.pending = pending;
  }
}
