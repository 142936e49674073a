/**
 * Calls of a layer that have promised their answer: how long that may take.
 *
 * A call that may not wait has the limit. One that may waits for as long as the network pleases, until its socket is closed or the layer
 * is cleaned up: then nobody needs what it waits for, and it has the limit, too.
 */

import type { Scheduler } from '../base/index.ts';

/** What becomes of a call that waits; each answers what its caller gets. */
export interface Endings {
  answered(late: unknown): number;
  threw(reason: unknown): number;
  silent(): number;
  /** Its socket has failed otherwise. */
  givenUp(): number;
  /** It answers all the same, when its caller has been told something else. */
  tooLate(late: unknown): void;
}

/** A call that waits for as long as the network pleases. */
interface Unlimited {
  readonly limit: () => void;
  readonly giveUp: () => void;
}

export class WaitingCalls {
  readonly #scheduler: Scheduler;
  readonly #limit: number;
  /** The calls of a socket that have no limit yet, by its handle; 0: calls about none. */
  readonly #unlimited = new Map<number, Set<Unlimited>>();

  /** @param limit ms */
  constructor(scheduler: Scheduler, limit: number) {
    this.#scheduler = scheduler;
    this.#limit = limit;
  }

  /**
   * @param patience ms that the call may take beyond the limit; infinite for one that may wait
   * @returns what the caller gets; never rejects
   */
  wait(s: number, patience: number, answer: Promise<unknown>, endings: Endings): Promise<number> {
    return new Promise((resolve) => {
      let isDone = false;
      let cancel = (): void => {};
      const end = (told: number): void => {
        isDone = true;
        cancel();
        this.#forget(s, call);
        resolve(told);
      };
      const limit = (): void => {
        const time = Number.isFinite(patience) ? patience + this.#limit : this.#limit;
        cancel = this.#scheduler.after(time, () => end(endings.silent()));
      };
      const call: Unlimited = { limit, giveUp: () => end(endings.givenUp()) };
      if (Number.isFinite(patience)) limit();
      else this.#keep(s, call);
      answer.then(
        (late) => {
          if (isDone) endings.tooLate(late);
          else end(endings.answered(late));
        },
        (reason: unknown) => {
          if (!isDone) end(endings.threw(reason));
        },
      );
    });
  }

  /** A socket is closed: what waits for it has the limit from now on. */
  hurry(s: number): void {
    const calls = this.#unlimited.get(s);
    this.#unlimited.delete(s);
    for (const { limit } of calls ?? []) limit();
  }

  /** A socket cannot be closed: nobody waits for what waits for it. */
  giveUp(s: number): void {
    for (const { giveUp } of [...(this.#unlimited.get(s) ?? [])]) giveUp();
  }

  /** The layer is cleaned up. */
  hurryAll(): void {
    for (const s of [...this.#unlimited.keys()]) this.hurry(s);
  }

  #keep(s: number, call: Unlimited): void {
    const calls = this.#unlimited.get(s);
    if (calls === undefined) this.#unlimited.set(s, new Set([call]));
    else calls.add(call);
  }

  #forget(s: number, call: Unlimited): void {
    const calls = this.#unlimited.get(s);
    if (calls?.delete(call) === true && calls.size === 0) this.#unlimited.delete(s);
  }
}

/** What an answer that is no number promises; `null`: nothing. */
export function promiseOf(answer: unknown): Promise<unknown> | null {
  try {
    const isPromise =
      typeof answer === 'object' &&
      answer !== null &&
      typeof (answer as { then?: unknown }).then === 'function';
    // Whatever has a `then` is asked by the rules of promises, which contain what that throws.
    return isPromise ? Promise.resolve(answer) : null;
  } catch {
    return null;
  }
}
