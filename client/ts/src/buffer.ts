/**
 * The events that are not delivered yet. No I/O. Events of one route (key and tenant) are sent together and wait
 * together, so that a route that is refused for a while does not hold up the others. Times are of `performance.now()`.
 */
import { pauseMs } from "./attempts.ts";
import { RequestRefused, Unavailable } from "./errors.ts";
import type { Rejected } from "./model.ts";
import { type Answer, type Call, readRejections } from "./protocol.ts";

const BATCH = 500;
const BATCH_LENGTH = 1_000_000;
const BATCH_MS = 1_000;

interface Lane {
  apiKey: string;
  tenant: string;
  waiting: string[];
  /** When the oldest came. */
  since: number;
  /** When it may be tried again. */
  readyAt: number;
  failures: number;
  largest: number;
}

/** Events on their way. */
export interface Batch {
  lane: Lane;
  events: string[];
  call: Call;
}

export class Buffer {
  pending = 0;
  readonly #capacity: number;
  readonly #lanes = new Map<string, Lane>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Take an event, unless the buffer is full. */
  add(apiKey: string, tenant: string, event: string, now: number): boolean {
    if (this.pending >= this.#capacity) return false;
    const route = JSON.stringify([apiKey, tenant]);
    const lane = this.#lanes.get(route) ?? {
      apiKey,
      tenant,
      waiting: [],
      since: now,
      readyAt: 0,
      failures: 0,
      largest: BATCH,
    };
    this.#lanes.set(route, lane);
    lane.waiting.push(event);
    this.pending++;
    return true;
  }

  /** When the next batch is to be sent, Infinity if nothing waits; at once when it is full or somebody flushes. */
  dueAt(hurry: boolean): number {
    return Math.min(...this.#waiting().map((lane) => dueAt(lane, hurry)));
  }

  /** The batch that is due; whoever takes it must `settle` it before the next. */
  take(now: number, hurry: boolean): Batch | undefined {
    const [lane] = this.#waiting()
      .filter((each) => dueAt(each, hurry) <= now)
      .sort((one, other) => dueAt(one, hurry) - dueAt(other, hurry));
    if (lane === undefined) return undefined;
    let number = 0;
    let length = 0;
    for (const event of lane.waiting) {
      length += event.length;
      if (number === lane.largest || (number > 0 && length > BATCH_LENGTH)) break;
      number++;
    }
    const events = lane.waiting.splice(0, number);
    const query = lane.tenant && `?tenant=${encodeURIComponent(lane.tenant)}`;
    return { lane, events, call: { path: `/api/events${query}`, body: `[${events}]`, apiKey: lane.apiKey } };
  }

  /** What is delivered leaves the buffer, what is not is tried again; gives what the server rejected. */
  settle(batch: Batch, outcome: Answer | Unavailable, now: number): Rejected[] {
    let rejected: Rejected[];
    try {
      if (outcome instanceof Unavailable) throw outcome;
      rejected = readRejections(outcome, batch.events);
    } catch (error) {
      if (error instanceof Unavailable) return this.#putBack(batch, now, error);
      if (!(error instanceof RequestRefused)) throw error;
      if (error.status === 413 && batch.events.length > 1) return this.#halve(batch);
      rejected = allRejected(batch, error);
    }
    this.#leave(batch, now);
    return rejected;
  }

  #waiting(): Lane[] {
    return [...this.#lanes.values()].filter((lane) => lane.waiting.length > 0);
  }

  #putBack({ lane, events }: Batch, now: number, error: Unavailable): [] {
    lane.failures++;
    lane.readyAt = now + pauseMs(lane.failures, error.retryAfter);
    lane.waiting.unshift(...events);
    return [];
  }

  #halve({ lane, events }: Batch): [] {
    lane.largest = Math.floor(events.length / 2);
    lane.waiting.unshift(...events);
    return [];
  }

  #leave({ lane, events }: Batch, now: number): void {
    this.pending -= events.length;
    Object.assign(lane, { failures: 0, readyAt: 0, since: now });
    if (lane.waiting.length === 0) this.#lanes.delete(JSON.stringify([lane.apiKey, lane.tenant]));
  }
}

function dueAt(lane: Lane, hurry: boolean): number {
  const isFull = hurry || lane.waiting.length >= lane.largest;
  return Math.max(lane.readyAt, isFull ? lane.since : lane.since + BATCH_MS);
}

function allRejected(batch: Batch, error: RequestRefused): Rejected[] {
  const code = error.code || String(error.status);
  return batch.events.map((event, index) => ({ event: JSON.parse(event), index, code, reason: error.detail }));
}
