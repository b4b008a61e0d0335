import { NotAllowed, Unavailable } from "./errors.ts";
import { Events } from "./events.ts";
import { newId } from "./ids.ts";
import type { Decision, OnFailure, Rejected } from "./model.ts";
import { asked, asking, failure, readDecision, type Send, sender } from "./protocol.ts";
import { reading, type Reservation } from "./reservation.ts";

/** `source` is where ids are unique, `capacity` how many events the buffer holds. */
export interface Options {
  url: string;
  /** Of a tenant; or the operators' service key, with which each call names its `tenant`. */
  apiKey: string;
  source?: string;
  capacity?: number;
  /** Told of each event that VeloFlux does not count; without it they are said on the console. */
  onRejected?: (rejected: Rejected) => void;
  fetch?: typeof fetch;
}

export interface CheckOptions {
  /** Counts once; one is made if none is given, so each check is repeated safely. */
  id?: string;
  feature?: string;
  route?: string;
  address?: string;
  dryRun?: boolean;
  tenant?: string;
  apiKey?: string;
  /** What decides if VeloFlux does not within `timeoutMs` (1,000): closed, the default, refuses. */
  onFailure?: OnFailure;
  timeoutMs?: number;
}

export interface ReserveOptions {
  leaseS?: number;
  id?: string;
  tenant?: string;
  apiKey?: string;
  timeoutMs?: number;
}

/** What is asked before a call; `event` is the type of an event to record with `data`, under the id of the check. */
export interface Asked extends CheckOptions {
  meter?: string;
  cost?: number;
  event?: string;
  data?: Record<string, unknown>;
}

/** A connection to VeloFlux; one for the whole process. */
export class VeloFlux {
  readonly events: Events;
  readonly #send: Send;
  readonly #apiKey: string;
  readonly #source: string;

  constructor({ url, apiKey, source = "api", capacity = 10_000, onRejected, fetch: fetching = fetch }: Options) {
    this.#send = sender(url, fetching);
    this.#apiKey = apiKey;
    this.#source = source;
    this.events = new Events(this.#send, apiKey, source, capacity, onRejected);
  }

  /**
   * May it pass? If so, it is counted, once for its id. A refusal does not throw; a wrong question throws
   * `RequestRefused`.
   */
  async check(meter: string, cost: number = 1, options: CheckOptions = {}): Promise<Decision> {
    const { id = newId(), apiKey = this.#apiKey, onFailure = "closed", timeoutMs = 1_000 } = options;
    const { feature, route, address, tenant, dryRun: dry_run } = options;
    const members = { meter, cost, id, source: this.#source, feature, route, address, dry_run, tenant };
    try {
      const call = asking("/api/check", apiKey, members);
      return await asked(this.#send, call, timeoutMs, (answer) => readDecision(answer, id));
    } catch (error) {
      if (error instanceof Unavailable) return failure(onFailure, id, error);
      throw error;
    }
  }

  /** As `check`, but throws `NotAllowed` for what may not pass. */
  async checkOrThrow(meter: string, cost: number = 1, options: CheckOptions = {}): Promise<Decision> {
    const decision = await this.check(meter, cost, options);
    if (!decision.allowed) throw new NotAllowed(decision);
    return decision;
  }

  /**
   * Hold `cost` units for `leaseS` (60) seconds, for work whose size is known only afterwards; `commit` says it. Throws
   * `NotAllowed` if there are not so many, `Unavailable` if VeloFlux does not answer.
   */
  async reserve(meter: string, cost: number, options: ReserveOptions = {}): Promise<Reservation> {
    const { id = newId(), apiKey = this.#apiKey, leaseS: lease_s = 60, timeoutMs = 1_000, tenant } = options;
    const call = asking("/api/reservations", apiKey, { meter, cost, lease_s, id, source: this.#source, tenant });
    return asked(this.#send, call, timeoutMs, reading(this.#send, { apiKey, tenant, timeoutMs }, id));
  }

  /**
   * A function that checks before each call, throws `NotAllowed` instead of calling, and records the event, which
   * counts only if the check did not. `ask` may depend on the arguments.
   */
  limited<A extends unknown[], R>(
    ask: Asked | ((...args: A) => Asked),
    call: (...args: A) => R | Promise<R>,
  ): (...args: A) => Promise<R> {
    return async (...args) => {
      const told = typeof ask === "function" ? ask(...args) : ask;
      const decision = await this.checkOrThrow(told.meter ?? "", told.cost, told);
      recordBeside(this, told, decision);
      return call(...args);
    };
  }

  /** Flush for up to 10 seconds, then end; what is left then is said on the console. */
  async close(): Promise<void> {
    await this.events.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Record the event of a call that passes, whether there is room for it or not. */
export function recordBeside(client: VeloFlux, { event, data, tenant, apiKey }: Asked, { id }: Decision): void {
  if (!event) return;
  try {
    client.events.record(event, { id, data, tenant, apiKey });
  } catch (error) {
    console.error(`veloflux-client: ${error}; its call passes`);
  }
}
