/**
 * Reads what a proxy says before the application's bytes: so many bytes, or up to a mark. What was read too much is the application's.
 */

import { WSAECONNABORTED, WSAECONNRESET } from '../../abi/index.ts';
import type { Pipe } from '../stream/index.ts';

const CHUNK = 2048;

export class Reader {
  readonly #pipe: Pipe;
  #bytes = new Uint8Array(0);

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** What was read and not taken. */
  get rest(): Uint8Array {
    return this.#bytes;
  }

  /** The next `count` bytes, or minus a WSA code. */
  async exactly(count: number): Promise<Uint8Array | number> {
    while (this.#bytes.length < count) {
      const error = await this.#more();
      if (error < 0) return error;
    }
    return this.#take(count);
  }

  /** The bytes up to a mark, with it, or minus a WSA code; WSAECONNABORTED when it does not come within `most` bytes. */
  async upTo(mark: string, most: number): Promise<Uint8Array | number> {
    for (;;) {
      const at = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length).indexOf(mark);
      if (at >= 0) return this.#take(at + mark.length);
      if (this.#bytes.length >= most) return -WSAECONNABORTED;
      const error = await this.#more();
      if (error < 0) return error;
    }
  }

  #take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async #more(): Promise<number> {
    const chunk = new Uint8Array(CHUNK);
    const count = await this.#pipe.read(chunk);
    if (count <= 0) return count === 0 ? -WSAECONNRESET : count;
    const all = new Uint8Array(this.#bytes.length + count);
    all.set(this.#bytes);
    all.set(chunk.subarray(0, count), this.#bytes.length);
    this.#bytes = all;
    return 0;
  }
}
