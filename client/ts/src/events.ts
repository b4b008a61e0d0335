import { Buffer } from "./buffer.ts";
import { BufferFull, NotDelivered, Unavailable, VeloFluxError } from "./errors.ts";
import { newId } from "./ids.ts";
import type { CloudEvent, Rejected } from "./model.ts";
import type { Answer, Call, Send } from "./protocol.ts";

const SEND_MS = 10_000;
const CLOSE_MS = 10_000;

/** `id` is made if none is given, `time` is now, `tenant` is needed with a service key. */
export interface EventOptions {
  data?: Record<string, unknown>;
  id?: string;
  time?: Date;
  source?: string;
  tenant?: string;
  apiKey?: string;
}

interface Host {
  on?(event: "beforeExit", call: () => void): void;
  off?(event: "beforeExit", call: () => void): void;
}

/**
 * Records usage. `record` only puts it into a buffer; it is sent by 500 events or once a second, and again with the
 * same ids until VeloFlux has said what became of it.
 */
export class Events {
  readonly #send: Send;
  readonly #apiKey: string;
  readonly #source: string;
  readonly #onRejected: (rejected: Rejected) => void;
  readonly #buffer: Buffer;
  readonly #host = (globalThis as { process?: Host }).process;
  readonly #atExit = (): void => void this.close();
  #flushing: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSending = false;
  #isClosed = false;

  constructor(
    send: Send,
    apiKey: string,
    source: string,
    capacity: number,
    onRejected: (rejected: Rejected) => void = log,
  ) {
    this.#send = send;
    this.#apiKey = apiKey;
    this.#source = source;
    this.#onRejected = onRejected;
    this.#buffer = new Buffer(capacity);
    this.#host?.on?.("beforeExit", this.#atExit);
  }

  /** Take an event; gives its id. Throws `BufferFull` if there is no room: the event is not taken. */
  record(type: string, options: EventOptions = {}): string {
    if (this.#isClosed) throw new VeloFluxError("The client is closed");
    const { data = {}, id = newId(), time = new Date(), source = this.#source, tenant = "" } = options;
    const event: CloudEvent = { specversion: "1.0", type, id, source, time: time.toISOString(), data };
    const key = options.apiKey ?? this.#apiKey;
    if (!this.#buffer.add(key, tenant, JSON.stringify(event), performance.now())) {
      throw new BufferFull(`${this.pending} events wait to be delivered; this one was not taken`);
    }
    this.#schedule();
    return id;
  }

  /** How many events are not delivered yet. */
  get pending(): number {
    return this.#buffer.pending;
  }

  /** Send what is there; resolves when it is delivered, rejects with `NotDelivered` if the time is over before. */
  async flush(timeoutMs: number = CLOSE_MS): Promise<void> {
    if (this.pending === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let done = (): void => {};
    const delivered = new Promise<true>((resolve) => (done = () => resolve(true)));
    const over = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
    this.#flushing.push(done);
    this.#schedule();
    const isDelivered = await Promise.race([delivered, over]);
    clearTimeout(timer);
    this.#flushing = this.#flushing.filter((each) => each !== done);
    if (!isDelivered) throw new NotDelivered(this.pending);
  }

  /** Flush and end. What is not delivered then is lost, and said on the console. The end of a Node process does it. */
  async close(timeoutMs: number = CLOSE_MS): Promise<void> {
    this.#host?.off?.("beforeExit", this.#atExit);
    try {
      await this.flush(timeoutMs);
    } catch (error) {
      console.error(`veloflux-client: ${error}, and the client ends: they are lost`);
    }
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Arrange for the next batch. The timer alone does not keep a process alive, unless somebody flushes. */
  #schedule(): void {
    if (this.#isSending || this.#isClosed) return;
    clearTimeout(this.#timer);
    const hurry = this.#flushing.length > 0;
    const dueAt = this.#buffer.dueAt(hurry);
    if (dueAt === Infinity) return;
    this.#timer = setTimeout(() => void this.#deliver(), Math.max(0, dueAt - performance.now()));
    if (!hurry) (this.#timer as { unref?(): void }).unref?.();
  }

  async #deliver(): Promise<void> {
    const batch = this.#buffer.take(performance.now(), this.#flushing.length > 0);
    if (batch !== undefined) {
      this.#isSending = true;
      const outcome = await this.#outcome(batch.call);
      this.#buffer.settle(batch, outcome, performance.now()).forEach((each) => this.#report(each));
      this.#isSending = false;
      if (this.pending === 0) this.#flushing.forEach((done) => done());
    }
    this.#schedule();
  }

  async #outcome(call: Call): Promise<Answer | Unavailable> {
    try {
      return await this.#send(call, SEND_MS);
    } catch (error) {
      return error instanceof Unavailable ? error : new Unavailable(String(error));
    }
  }

  /** Whoever is told cannot stop the delivery of the others. */
  #report(rejected: Rejected): void {
    try {
      this.#onRejected(rejected);
    } catch (error) {
      console.error(`veloflux-client: onRejected failed for event ${rejected.event.id}`, error);
    }
  }
}

function log({ event, code, reason }: Rejected): void {
  console.error(`veloflux-client: event ${event.id} is not counted: ${reason} (${code})`);
}
