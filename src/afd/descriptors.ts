/**
 * A session's descriptors: small integers, the lowest unused one first, never 0.
 */

import type { AfdEndpoint } from './endpoint.ts';

export class Descriptors {
  readonly #endpoints: (AfdEndpoint | null)[] = [null];
  /** No unused descriptor is below it. */
  #lowest = 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The endpoint of a descriptor, or `null` when it is not open. */
  get(descriptor: number): AfdEndpoint | null {
    return this.#endpoints[descriptor] ?? null;
  }

  add(endpoint: AfdEndpoint): number {
    let descriptor = this.#lowest;
    while (descriptor < this.#endpoints.length && this.#endpoints[descriptor] !== null) descriptor++;
    this.#endpoints[descriptor] = endpoint;
    this.#lowest = descriptor + 1;
    this.#size++;
    return descriptor;
  }

  remove(descriptor: number): void {
    this.#endpoints[descriptor] = null;
    this.#lowest = Math.min(this.#lowest, descriptor);
    this.#size--;
  }

  /** Open descriptors with their endpoints, in ascending order. */
  *entries(): Iterable<readonly [number, AfdEndpoint]> {
    for (let descriptor = 1; descriptor < this.#endpoints.length; descriptor++) {
      const endpoint = this.#endpoints[descriptor];
      if (endpoint !== null && endpoint !== undefined) yield [descriptor, endpoint];
    }
  }
}
