/**
 * Closing a stream socket: graceful, lingering, abortive (SEM-LING-01 … SEM-LING-07).
 *
 *     l_onoff 0                   in good order, in the background
 *     l_onoff 1, l_linger 0       reset
 *     l_onoff 1, l_linger > 0     in good order; a blocking close waits until all is acknowledged, and resets at the time-out;
 *                                 one that may not wait fails while something is unacknowledged, and changes nothing
 */

import type { Cancel } from '../base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED } from '../port/index.ts';
import { CLOSE_ABORTIVE } from './endpoint.ts';
import { PEND } from './request.ts';
import { SocketState } from './socket-state.ts';
import type { StreamHost } from './stream-host.ts';

/** How long bytes that were accepted may wait for a peer that takes none, after the last descriptor is gone, ms. */
const ORPHAN_MS = 120_000;

export class StreamCloser {
  readonly #stream: StreamHost;
  /** Bytes that the send buffer has had no room for. */
  readonly #overflow: () => number;
  /** The last descriptor is gone, and bytes are on their way. */
  #isClosing = false;
  /** A close waits for them. */
  #isLingering = false;
  #timer: Cancel | null = null;

  constructor(stream: StreamHost, overflow: () => number) {
    this.#stream = stream;
    this.#overflow = overflow;
  }

  /** Whether a close would have to wait where it may not. */
  wouldBlock(flags: number): boolean {
    if (!this.#lingers(flags)) return false;
    return !this.#mayWait(flags) && this.#stream.sendQueue > 0;
  }

  /** Nothing else pends any more. @returns 0, or {@link PEND} while it lingers. */
  close(flags: number): number {
    const stream = this.#stream;
    const { lingerOn, lingerSeconds } = stream.options;
    if (this.#lingers(flags)) return this.#linger(lingerSeconds * 1000);
    const isReset = (flags & CLOSE_ABORTIVE) !== 0 || (lingerOn !== 0 && lingerSeconds === 0);
    if (isReset || this.#overflow() === 0) stream.end(isReset);
    else this.#closeLater(ORPHAN_MS);
    return 0;
  }

  /** Something happened: perhaps all is sent now. */
  happened(): void {
    const stream = this.#stream;
    if (!this.#isClosing) return;
    const isOver = stream.state !== SocketState.connected;
    const left = this.#isLingering ? stream.sendQueue : this.#overflow();
    if (isOver || left === 0) this.#finish(false);
  }

  /** The socket has ended. */
  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#isClosing = false;
    this.#isLingering = false;
  }

  #lingers(flags: number): boolean {
    const { state, options } = this.#stream;
    if ((flags & CLOSE_ABORTIVE) !== 0 || state !== SocketState.connected) return false;
    return options.lingerOn !== 0 && options.lingerSeconds > 0;
  }

  #mayWait(flags: number): boolean {
    return (flags & AFD_NO_WAIT) === 0 && ((flags & AFD_OVERLAPPED) !== 0 || !this.#stream.isNonBlocking);
  }

  #linger(timeoutMs: number): number {
    const stream = this.#stream;
    if (stream.sendQueue === 0) {
      stream.end(false);
      return 0;
    }
    if (!stream.isSendShut) {
      stream.isSendShut = true;
      stream.finishSending();
    }
    this.#isLingering = true;
    this.#closeLater(timeoutMs);
    return PEND;
  }

  #closeLater(timeoutMs: number): void {
    const stream = this.#stream;
    this.#isClosing = true;
    stream.context.orphans.add(stream);
    this.#timer = stream.context.scheduler.after(timeoutMs, () => {
      this.#timer = null;
      this.#finish(true);
      stream.settled();
    });
  }

  #finish(isAbortive: boolean): void {
    const stream = this.#stream;
    this.stop();
    stream.end(isAbortive);
    // It succeeds even when the time-out has reset the connection (SEM-LING-06).
    for (let waiting = stream.others.head; waiting !== null; waiting = stream.others.head)
      waiting.complete(0);
  }
}
