/**
 * Those who wait to receive, or to send: served in their order.
 */

import { WSAEWOULDBLOCK } from '../../abi/index.ts';
import type { Complete } from './operations.ts';

interface Waiter {
  /** Does what it can. @returns whether it is done */
  run(): boolean;
  /** Ends it unfinished. */
  end(answer: number): void;
}

export class Waiters {
  #list: Waiter[] = [];

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /**
   * Answers now, or has the rest wait.
   * @param now the answer; `null`: there is none yet
   * @param complete is told the answer, now or later; `null`: may not wait
   * @param partial what a waiter has got that is sent away: its answer, instead of why; 0: nothing
   * @returns the answer, or what takes the waiter out again
   */
  wait(
    now: number | null,
    complete: Complete | null,
    attempt: () => number | null,
    partial: () => number = nothing,
  ): number | (() => void) {
    if (now !== null) {
      complete?.(now);
      return now;
    }
    if (complete === null) return -WSAEWOULDBLOCK;
    const waiter: Waiter = {
      run: () => {
        const answer = attempt();
        if (answer === null) return false;
        complete(answer);
        return true;
      },
      end: (answer) => complete(partial() || answer),
    };
    this.#list.push(waiter);
    return () => {
      this.#list = this.#list.filter((each) => each !== waiter);
      if (partial() > 0) complete(partial());
    };
  }

  /** Something has changed: the first go on as far as they can. */
  wake(): void {
    while (this.#list[0]?.run() === true) this.#list.shift();
  }

  /** Everybody is sent away. */
  end(answer: number): void {
    const all = this.#list;
    this.#list = [];
    for (const waiter of all) waiter.end(answer);
  }
}

function nothing(): number {
  return 0;
}
