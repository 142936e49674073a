/**
 * Things of an interface by their group's address: found by the words of a packet, without making a key.
 */

import type { IpAddress } from '../../base/index.ts';

/** The third word of an IPv4 address in four words (see `IpAddress`). */
const MAPPED_WORD = 0xffff;

export class GroupMap<T extends { readonly address: IpAddress }> {
  readonly #chains = new Map<number, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What has the address with these words; `null` when nothing has. */
  find(w0: number, w1: number, w2: number, w3: number): T | null {
    const chain = this.#chains.get(w3);
    if (chain === undefined) return null;
    for (let i = 0; i < chain.length; i++) {
      const held = chain[i] as T;
      const { address } = held;
      if (address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0) return held;
    }
    return null;
  }

  /** Whether the IPv4 address in `word` is in. */
  hasV4(word: number): boolean {
    return this.#size > 0 && this.find(0, 0, MAPPED_WORD, word) !== null;
  }

  /** Puts `added` in, in place of what has its address. */
  set(added: T): void {
    const { w0, w1, w2, w3 } = added.address;
    const before = this.find(w0, w1, w2, w3);
    if (before !== null) this.delete(before);
    const chain = this.#chains.get(w3);
    if (chain === undefined) this.#chains.set(w3, [added]);
    else chain.push(added);
    this.#size++;
  }

  /** Takes out what has the address of `removed`. */
  delete({ address: { w0, w1, w2, w3 } }: { readonly address: IpAddress }): void {
    const held = this.find(w0, w1, w2, w3);
    if (held === null) return;
    const kept = (this.#chains.get(w3) ?? []).filter((other) => other !== held);
    if (kept.length === 0) this.#chains.delete(w3);
    else this.#chains.set(w3, kept);
    this.#size--;
  }

  clear(): void {
    this.#chains.clear();
    this.#size = 0;
  }

  /** All of them; one that is taken out meanwhile does no harm. */
  *values(): IterableIterator<T> {
    for (const chain of this.#chains.values()) yield* chain;
  }
}
