/**
 * Who waits to send on an interface: a queue of sources, served in turn, each for one helping (RFC 970's fairness by
 * rotation). Nothing is queued here as bytes: a source makes its packets when the link has room for them.
 */

import type { TransmitBatch } from '../base/index.ts';
import type { EgressSource, TransmitListener } from './host.ts';

export class EgressQueue {
  #ring: (EgressSource | null)[] = new Array<EgressSource | null>(16).fill(null);
  #head = 0;
  #count = 0;
  #listeners: TransmitListener[] = [];
  #told: TransmitListener[] = [];

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Puts `source` at the end, unless it waits already. @returns whether it was put in. */
  add(source: EgressSource): boolean {
    if (source.isQueued) return false;
    source.isQueued = true;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count++) & (this.#ring.length - 1)] = source;
    return true;
  }

  /** Puts `source` before all others, unless it waits already. */
  addFirst(source: EgressSource): void {
    if (source.isQueued) return;
    source.isQueued = true;
    if (this.#count === this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    this.#head = (this.#head + mask) & mask;
    this.#ring[this.#head] = source;
    this.#count++;
  }

  /** Asks for `listener` to be called when the batch now being filled has left. */
  afterTransmit(listener: TransmitListener): void {
    this.#listeners.push(listener);
  }

  /** Serves sources until the batch is full or nobody wants another turn. */
  fill(batch: TransmitBatch): void {
    // A source that asks for another turn but adds nothing ends the filling when it comes round again.
    let idleTurns = 0;
    while (batch.count < batch.capacity && this.#count > 0 && idleTurns <= this.#count) {
      const mask = this.#ring.length - 1;
      const source = this.#ring[this.#head] as EgressSource;
      this.#ring[this.#head] = null;
      this.#head = (this.#head + 1) & mask;
      this.#count--;
      source.isQueued = false;
      const before = batch.count;
      const wantsMore = source.emit(batch);
      if (wantsMore) this.add(source);
      // One that has nothing and leaves (a connection that was closed meanwhile) keeps nobody from their turn.
      if (batch.count > before) idleTurns = 0;
      else if (wantsMore) idleTurns++;
    }
  }

  /** Whether anybody asked to be told when the batch has left. */
  get hasListeners(): boolean {
    return this.#listeners.length > 0;
  }

  /** Tells those who asked that the last batch has left. */
  transmitted(): void {
    if (this.#listeners.length === 0) return;
    const batch = this.#listeners;
    this.#listeners = this.#told;
    this.#told = batch;
    for (const listener of batch) listener.transmitted();
    batch.length = 0;
  }

  #grow(): void {
    const old = this.#ring;
    const ring = new Array<EgressSource | null>(old.length * 2).fill(null);
    for (let i = 0; i < this.#count; i++) {
      ring[i] = old[(this.#head + i) & (old.length - 1)] as EgressSource;
    }
    this.#ring = ring;
    this.#head = 0;
  }
}
