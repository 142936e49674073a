/**
 * The registered buffers of a thread that are not shared memory, and the copies that are registered for them: see `blocking-rio`.
 */

import type { RIO_BUF } from '../spi/index.ts';

/** Memory that is registered, as the chain thread finds it. */
export interface RioPlace {
  readonly memory: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
}

interface Copy {
  readonly own: Uint8Array;
  readonly shared: Uint8Array;
}

export class RioCopies {
  /** By BufferId; `null`: the buffer is shared itself. */
  readonly #copies = new Map<number, Copy | null>();

  /** Where a buffer can be reached by all threads: itself, or a copy. @returns `null` when there is no memory for one */
  static placeOf(bytes: Uint8Array): RioPlace | null {
    const { buffer, byteOffset: at, length } = bytes;
    if (buffer instanceof SharedArrayBuffer) return { memory: buffer, at, length };
    try {
      const memory = new SharedArrayBuffer(length);
      new Uint8Array(memory).set(bytes);
      return { memory, at: 0, length };
    } catch {
      return null;
    }
  }

  add(id: number, own: Uint8Array, { memory, at, length }: RioPlace): void {
    const isShared = own.buffer === (memory as ArrayBufferLike);
    this.#copies.set(id, isShared ? null : { own, shared: new Uint8Array(memory, at, length) });
  }

  delete(id: number): void {
    this.#copies.delete(id);
  }

  clear(): void {
    this.#copies.clear();
  }

  /** Whether this thread knows that nothing of the buffer is ever copied. */
  isShared(id: number): boolean {
    return this.#copies.get(id) === null;
  }

  /** Brings the bytes of a part to where requests find them. */
  copyIn(part: RIO_BUF | null): void {
    const copy = this.#find(part);
    if (part === null || copy === null) return;
    const { Offset, Length } = part;
    copy.shared.set(copy.own.subarray(Offset, Offset + Length), Offset);
  }

  /** Brings what a request has left in a part to the application: `length` bytes of it. */
  copyOut(part: RIO_BUF | null, length = part?.Length ?? 0): void {
    const copy = this.#find(part);
    if (part === null || copy === null) return;
    const { Offset, Length } = part;
    copy.own.set(copy.shared.subarray(Offset, Offset + Math.min(length, Length)), Offset);
  }

  /** The copy that a part lies in; `null`: none, or there is no such part, which the call says itself. */
  #find(part: RIO_BUF | null): Copy | null {
    const copy = part === null ? null : (this.#copies.get(part.BufferId) ?? null);
    if (part === null || copy === null) return null;
    const { Offset, Length } = part;
    const isInside = Number.isInteger(Offset) && Number.isInteger(Length) && Offset >= 0 && Length > 0;
    // The application may have given its memory away meanwhile; then it has no bytes.
    return isInside && Offset + Length <= Math.min(copy.own.length, copy.shared.length) ? copy : null;
  }
}
