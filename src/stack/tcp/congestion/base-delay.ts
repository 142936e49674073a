/**
 * The delay of a path without a queue, and the queue (RFC 6817 §4.2): the least round trip of the last minutes, and how much
 * longer the latest are.
 */

/** RFC 6817 §2.5: BASE_HISTORY minutes, each remembered by its least. */
const BASE_HISTORY = 10;
const MINUTE = 60_000;
/** CURRENT_FILTER: the least of so many samples is the present delay. */
const CURRENT_FILTER = 4;

const UNKNOWN = Number.POSITIVE_INFINITY;

export class BaseDelay {
  /** ms; `Infinity` before the first sample. */
  base = UNKNOWN;
  /** Made with the first sample: the connection may never have one. */
  #minutes: number[] | null = null;
  #minute = 0;
  #minuteStart = 0;
  readonly #current: number[] = new Array<number>(CURRENT_FILTER).fill(UNKNOWN);
  #next = 0;

  /** How long the queue is, ms; 0 before the first sample. */
  get queueing(): number {
    let current = UNKNOWN;
    for (let i = 0; i < CURRENT_FILTER; i++) current = Math.min(current, this.#current[i] as number);
    return current === UNKNOWN ? 0 : current - this.base;
  }

  /** Takes a sample of `rtt` ms. */
  update(rtt: number, now: number): void {
    this.#current[this.#next] = rtt;
    this.#next = (this.#next + 1) % CURRENT_FILTER;
    if (this.#minutes === null) {
      this.#minutes = new Array<number>(BASE_HISTORY).fill(UNKNOWN);
      this.#minuteStart = now;
    } else if (now - this.#minuteStart >= MINUTE) this.#roll(this.#minutes, now);
    const minutes = this.#minutes;
    if (rtt < (minutes[this.#minute] as number)) minutes[this.#minute] = rtt;
    if (rtt < this.base) this.base = rtt;
  }

  /** A minute is over: the oldest is forgotten. */
  #roll(minutes: number[], now: number): void {
    this.#minuteStart = now;
    this.#minute = (this.#minute + 1) % BASE_HISTORY;
    minutes[this.#minute] = UNKNOWN;
    this.base = UNKNOWN;
    for (let i = 0; i < BASE_HISTORY; i++) this.base = Math.min(this.base, minutes[i] as number);
  }
}
