/**
 * The largest value of late, in two slots of time: the present one and the one before. Who uses it says when a slot is over.
 */

export class TwoSlotMax {
  #current = 0;
  #previous = 0;

  get value(): number {
    return Math.max(this.#current, this.#previous);
  }

  update(value: number): void {
    if (value > this.#current) this.#current = value;
  }

  /** A slot begins. One in which nothing was measured makes nothing forgotten. */
  advance(): void {
    if (this.#current === 0) return;
    this.#previous = this.#current;
    this.#current = 0;
  }
}
