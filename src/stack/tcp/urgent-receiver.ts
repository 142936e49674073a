/**
 * What a connection remembers of its peer's urgent data; `urgent.ts` works on it.
 */

/** Where urgent bytes of the peer are, and those that were taken out. Made with the first URG. */
export class UrgentReceiver {
  /** Sequence numbers of urgent bytes that the reader has not passed, ascending. The last one is RCV.UP − 1. */
  readonly marks: number[] = [];
  /** The byte at each mark, or {@link NOT_HERE}, or {@link TAKEN}. */
  readonly bytes: number[] = [];
  /** Bytes that the reader has passed and nobody has taken, oldest first. */
  readonly passed: number[] = [];
}

/** The byte has not arrived. */
export const NOT_HERE = -1;
/** The user has it. */
export const TAKEN = -2;
