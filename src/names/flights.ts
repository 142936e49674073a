/**
 * Questions that are under way, one for all who ask the same. Who gives up leaves alone; when nobody waits any more it ends.
 */

/** Starts what is asked. `signal` is aborted when nobody wants the answer any more. */
export type Start<T> = (signal: AbortSignal) => Promise<T>;

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #cancelled: (key: string) => T;

  /** @param cancelled what one gets who has given up */
  constructor(cancelled: (key: string) => T) {
    this.#cancelled = cancelled;
  }

  /** How many are under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins what is under way for `key`, or starts it. */
  join(key: string, signal: AbortSignal | undefined, start: Start<T>): Promise<T> {
    if (signal?.aborted === true) return Promise.resolve(this.#cancelled(key));
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    flight.waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        flight.waiting--;
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        leave();
        if (flight.waiting === 0) {
          this.#forget(key, flight);
          flight.abort.abort();
        }
        resolve(this.#cancelled(key));
      };
      signal?.addEventListener('abort', onAbort);
      flight.result.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }

  /** Forgets what is under way: who asks from now on starts anew. Those who wait still get their answer. */
  clear(): void {
    this.#flights.clear();
  }

  /** Ends all. */
  abort(): void {
    for (const flight of this.#flights.values()) flight.abort.abort();
    this.#flights.clear();
  }

  #begin(key: string, start: Start<T>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { result: start(abort.signal), abort, waiting: 0 };
    this.#flights.set(key, flight);
    const forget = (): void => this.#forget(key, flight);
    flight.result.then(forget, forget);
    return flight;
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
