/**
 * The wall around one name-space provider. A call that throws, rejects or answers nonsense is WSASYSCALLFAILURE; one that gives no
 * answer within the limit is WSAETIMEDOUT, and as long as it gives none the provider is not called again: that bounds what a provider
 * that hangs costs, in time and in memory.
 *
 * A provider that never returns from a plain call holds the thread, as one that spins does on Windows. Nothing here can end it.
 */

import {
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROVIDERFAILEDINIT,
  WSAETIMEDOUT,
  WSASYSCALLFAILURE,
} from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import { checkedAnswer } from './name-space-check.ts';
import type { Answer } from './types.ts';

export class ProviderGuard {
  readonly #scheduler: Scheduler;
  /** ms; `null`: the provider is this project's own, which keeps its own time. */
  readonly #limit: number | null;
  /** Calls that are past the limit, and have not ended. */
  #overdue = 0;
  /** What the limit does to the calls that wait. */
  readonly #waiting = new Set<() => void>();

  constructor(scheduler: Scheduler, limit: number | null) {
    this.#scheduler = scheduler;
    this.#limit = limit;
  }

  /** Makes a call. @param isEnd it ends something, and is made even where a call is overdue */
  call(call: () => unknown, isEnd = false): Promise<number> {
    if (this.#overdue > 0 && !isEnd) return Promise.resolve(-WSAETIMEDOUT);
    const answer = this.callWithoutLimit(call);
    if (typeof answer === 'number') return Promise.resolve(answer);
    return this.#limit === null ? answer : this.#within(this.#limit, answer);
  }

  /** A call that may wait for as long as it likes: for a change. */
  callWithoutLimit(call: () => unknown): Answer {
    try {
      const answer = call();
      return typeof answer === 'number' ? checkedAnswer(answer) : settled(answer);
    } catch {
      return -WSASYSCALLFAILURE;
    }
  }

  /** Nobody waits for the calls that are under way any more. */
  giveUp(): void {
    for (const expire of [...this.#waiting]) expire();
  }

  #within(limit: number, answer: Promise<number>): Promise<number> {
    return new Promise((resolve) => {
      const expire = (): void => {
        end();
        this.#overdue++;
        resolve(-WSAETIMEDOUT);
      };
      const cancel = this.#scheduler.after(limit, expire);
      const end = (): void => {
        cancel();
        this.#waiting.delete(expire);
      };
      this.#waiting.add(expire);
      void answer.then((value) => {
        if (this.#waiting.has(expire)) end();
        else this.#overdue--;
        resolve(value);
      });
    });
  }
}

async function settled(answer: unknown): Promise<number> {
  try {
    return checkedAnswer(await answer);
  } catch {
    return -WSASYSCALLFAILURE;
  }
}

/** What says that a provider is broken, rather than what it knows. */
const FAULTS: readonly number[] = [
  WSASYSCALLFAILURE,
  WSAETIMEDOUT,
  WSAEPROVIDERFAILEDINIT,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
];

/** Whether a code says that a provider is broken. */
export function isFault(answer: number): boolean {
  return FAULTS.includes(-answer);
}

/** The error of many providers: the first one's that is no fault of a provider, else the first. @param error 0: none so far */
export function firstError(error: number, next: number): number {
  if (error === 0) return next;
  return isFault(error) && !isFault(next) ? next : error;
}
