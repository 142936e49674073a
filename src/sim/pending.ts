/**
 * Calls that wait: how the simulator's promises are made out of a stack that has none.
 */

/** An attempt at a call: its value, or `undefined` when it has to wait. May throw; the promise then rejects. */
export type Attempt<T> = () => T | undefined;

/** Told whenever a promise was settled: code that awaits it must run before virtual time goes on. */
export interface SettleListener {
  settled(): void;
}

interface Waiting {
  /** @returns whether it is over. */
  retry(): boolean;
  fail(error: Error): void;
}

/** Calls of one kind on one endpoint, served in the order in which they were made. */
export class PendingCalls {
  readonly #listener: SettleListener;
  #waiting: Waiting[] = [];

  constructor(listener: SettleListener) {
    this.#listener = listener;
  }

  /** Tries at once, unless others wait, and again at each {@link retry} until it succeeds or throws. */
  run<T>(attempt: Attempt<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (): boolean => {
        try {
          const value = attempt();
          if (value === undefined) return false;
          resolve(value);
        } catch (error) {
          reject(error as Error);
        }
        this.#listener.settled();
        return true;
      };
      if (this.#waiting.length === 0 && settle()) return;
      this.#waiting.push({
        retry: settle,
        fail: (error) => {
          reject(error);
          this.#listener.settled();
        },
      });
    });
  }

  /** Something changed: the first in line tries again, then the next, until one has to wait. */
  retry(): void {
    while (this.#waiting[0]?.retry() === true) this.#waiting.shift();
  }

  /** Nothing will change any more. */
  failAll(error: Error): void {
    for (const call of this.#waiting.splice(0)) call.fail(error);
  }
}
