/**
 * Bytes that wait, first in first out, with a limit that the owner keeps.
 */

export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Where the first chunk begins. */
  #at = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes the bytes over: they must not be changed any more. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** Copies what there is, and takes it out unless `isPeek`. @returns how many bytes */
  copyTo(into: Uint8Array, isPeek = false): number {
    let done = 0;
    let chunk = 0;
    let at = this.#at;
    while (done < into.length && chunk < this.#chunks.length) {
      const bytes = this.#chunks[chunk] as Uint8Array;
      const part = Math.min(into.length - done, bytes.length - at);
      into.set(bytes.subarray(at, at + part), done);
      done += part;
      at += part;
      if (at < bytes.length) break;
      chunk++;
      at = 0;
    }
    if (!isPeek) {
      this.#chunks.splice(0, chunk);
      this.#at = at;
      this.#length -= done;
    }
    return done;
  }

  /** The next bytes in one piece, at most `most`; they stay until {@link drop}. */
  head(most: number): Uint8Array {
    const first = this.#chunks[0];
    return first === undefined ? EMPTY : first.subarray(this.#at, this.#at + most);
  }

  /** Forgets the first bytes, not more than `head` gave. */
  drop(count: number): void {
    this.#at += count;
    this.#length -= count;
    if (this.#at < (this.#chunks[0]?.length ?? 0)) return;
    this.#chunks.shift();
    this.#at = 0;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#at = 0;
    this.#length = 0;
  }
}

const EMPTY = new Uint8Array(0);
