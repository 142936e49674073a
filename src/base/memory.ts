/**
 * Where buffer memory comes from: handed in, so that an embedder can bound it, pool it, or put memory that is shared with
 * an application in its place.
 */

/** Gives out memory in pieces whose sizes are powers of two. */
export interface BufferAllocator {
  /** At least `bytes` bytes of any content, or `null` when the bound is reached. */
  take(bytes: number): Uint8Array | null;
  /** Gives back what `take` answered. The caller keeps no reference. */
  give(memory: Uint8Array): void;
  /** Bytes taken and not given back. */
  readonly inUse: number;
  /** Lets go of memory that is kept for the next taker, if any is. */
  trim?(): void;
}

/** The smallest piece: below it, bookkeeping costs more than the memory. */
const MIN_SHIFT = 11;

/** Bytes of the piece that `take(bytes)` gives: the next power of two. */
export function pieceSize(bytes: number): number {
  return 2 ** shiftFor(bytes);
}

function shiftFor(bytes: number): number {
  return Math.max(MIN_SHIFT, 32 - Math.clz32(Math.max(0, bytes - 1)));
}

/**
 * Keeps freed pieces for the next taker, one stack a size: steady traffic allocates nothing.
 *
 * `limit` bounds what is in use; what is kept idle besides is at most `idleLimit`.
 */
export class PoolAllocator implements BufferAllocator {
  readonly #free: Uint8Array[][] = [];
  readonly #limit: number;
  readonly #idleLimit: number;
  #inUse = 0;
  #idle = 0;

  constructor(limit = 1 << 30, idleLimit = 64 << 20) {
    this.#limit = limit;
    this.#idleLimit = idleLimit;
  }

  get inUse(): number {
    return this.#inUse;
  }

  take(bytes: number): Uint8Array | null {
    const shift = shiftFor(bytes);
    const size = 2 ** shift;
    if (this.#inUse + size > this.#limit) return null;
    this.#inUse += size;
    const kept = this.#free[shift]?.pop();
    if (kept === undefined) return new Uint8Array(size);
    this.#idle -= size;
    return kept;
  }

  give(memory: Uint8Array): void {
    const size = memory.length;
    this.#inUse -= size;
    if (this.#idle + size > this.#idleLimit) return;
    const shift = 31 - Math.clz32(size);
    let stack = this.#free[shift];
    if (stack === undefined) {
      stack = [];
      this.#free[shift] = stack;
    }
    stack.push(memory);
    this.#idle += size;
  }

  trim(): void {
    this.#free.length = 0;
    this.#idle = 0;
  }
}
