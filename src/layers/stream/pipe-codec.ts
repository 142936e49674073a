/**
 * The codec that changes nothing: the bytes of the socket below, after those that the handshake has read too many.
 */

import type { Codec, Pipe } from './contract.ts';

export class PipeCodec implements Codec {
  readonly #pipe: Pipe;
  /** Read already, and the application's. */
  #early: Uint8Array;

  constructor(pipe: Pipe, early: Uint8Array = new Uint8Array(0)) {
    this.#pipe = pipe;
    this.#early = early;
  }

  read(into: Uint8Array): Promise<number> {
    if (this.#early.length === 0) return this.#pipe.read(into);
    const part = this.#early.subarray(0, into.length);
    this.#early = this.#early.subarray(part.length);
    into.set(part);
    return Promise.resolve(part.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#pipe.write(bytes);
  }

  end(): Promise<number> {
    return Promise.resolve(0);
  }

  destroy(): void {
    this.#early = new Uint8Array(0);
  }
}
