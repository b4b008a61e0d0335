import { NotAllowed } from "./errors.ts";
import type { Decision } from "./model.ts";
import { type Answer, asked, asking, readDecision, readDone, type Send } from "./protocol.ts";

/** With which key, for which tenant (a service key names it), and for how long at most it is asked. */
export interface Whose {
  apiKey: string;
  tenant?: string | undefined;
  timeoutMs: number;
}

/** Units that are held until `until` (epoch ms) at the longest. `await using` releases what was not committed. */
export class Reservation implements AsyncDisposable {
  readonly id: string;
  readonly until: number;
  readonly decision: Decision;
  readonly #act: (verb: "commit" | "release", members: Record<string, unknown>) => Promise<void>;
  #isSettled = false;

  constructor(send: Send, { apiKey, tenant, timeoutMs }: Whose, answer: Answer, decision: Decision) {
    if (!decision.allowed) throw new NotAllowed(decision);
    this.id = answer.members.id;
    this.until = answer.members.until;
    this.decision = decision;
    this.#act = (verb, members) =>
      asked(send, asking(`/api/reservations/${this.id}/${verb}`, apiKey, { ...members, tenant }), timeoutMs, readDone);
  }

  /** What it was in the end, less or more than reserved. If it throws `Unavailable`, it may or may not be counted. */
  async commit(cost: number): Promise<void> {
    this.#isSettled = true;
    await this.#act("commit", { cost });
  }

  /** Give all of it back. If VeloFlux does not answer, the lease does it. */
  async release(): Promise<void> {
    this.#isSettled = true;
    await this.#act("release", {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isSettled) return;
    await this.release().catch((error) =>
      console.error(`veloflux-client: reservation ${this.id} is not released; its lease ends it: ${error}`),
    );
  }
}

/** How the answer to the request for a reservation is read. */
export function reading(send: Send, whose: Whose, id: string): (answer: Answer) => Reservation {
  return (answer) => new Reservation(send, whose, answer, readDecision(answer, id));
}
