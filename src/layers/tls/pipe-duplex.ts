/**
 * The socket below as a Duplex, which is what `node:tls` runs over. Both directions hold back: no read is begun before one is asked for,
 * and a write is done when the socket below has taken its bytes.
 */

import { Duplex } from 'node:stream';
import { WSAECONNABORTED } from '../../abi/index.ts';
import type { Pipe } from '../stream/index.ts';

/** More than a TLS record. */
const CHUNK = 0x5000;

export class PipeDuplex extends Duplex {
  /** What the socket below has failed with, a WSA code. */
  failure = 0;
  /** Told before the end of what comes in is passed on. */
  onEnd: () => void = () => {};
  readonly #pipe: Pipe;
  #isReading = false;

  constructor(pipe: Pipe) {
    super({ allowHalfOpen: true, readableHighWaterMark: CHUNK, writableHighWaterMark: CHUNK });
    this.#pipe = pipe;
    // Whoever runs over it hears of the failure by its own error.
    this.on('error', () => {});
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    void this.#pipe.read(chunk).then((count) => {
      this.#isReading = false;
      if (this.destroyed) return;
      if (count > 0) this.push(chunk.subarray(0, count));
      else if (count === 0) this.#end();
      else this.destroy(this.#failed(-count));
    });
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#pipe.write(bytes).then((answer) => done(answer < 0 ? this.#failed(-answer) : null));
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  /** What has come in before is read first: a close_notify that came with the end is seen before it. */
  #end(): void {
    setImmediate(() => {
      this.onEnd();
      if (!this.destroyed) this.push(null);
    });
  }

  #failed(code: number): Error {
    this.failure = code || WSAECONNABORTED;
    return new Error(`the socket below failed with ${code}`);
  }
}
