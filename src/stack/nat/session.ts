/**
 * One peer outside that a mapping talks to: what filtering asks about, and how long it lasts (RFC 4787 §4.3, RFC 5382 §5,
 * RFC 5508 §3.1).
 */

import { TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/index.ts';

/** RFC 4787 REQ-5: two minutes at least, five recommended. ms */
export const UDP_LIFETIME = 300_000;
/** RFC 5382 REQ-5: established 2 h 4 min at least, all else 4 minutes. */
export const TCP_ESTABLISHED_LIFETIME = 7_440_000;
export const TCP_TRANSITORY_LIFETIME = 240_000;
/** RFC 5508 REQ-2: 60 s at least. */
export const ICMP_LIFETIME = 60_000;

export class Session {
  readonly remote: number;
  readonly remotePort: number;
  expiresAt = 0;
  /** What has been seen of a TCP connection, from inside and from outside. */
  #synOut = false;
  #synIn = false;
  #finOut = false;
  #finIn = false;
  #isReset = false;

  constructor(remote: number, remotePort: number) {
    this.remote = remote;
    this.remotePort = remotePort;
  }

  /** Whether both sides have opened it and neither has ended it: such a one is not given up for another. */
  get isEstablished(): boolean {
    return this.#synOut && this.#synIn && !this.#isReset && !(this.#finOut && this.#finIn);
  }

  /** Whether a SYN has gone out. */
  get isOpenedFromInside(): boolean {
    return this.#synOut;
  }

  /** A TCP segment passed. */
  segment(flags: number, isOutbound: boolean, now: number): void {
    const isSyn = (flags & TCP_SYN) !== 0;
    const isFin = (flags & TCP_FIN) !== 0;
    if (isSyn && (this.#isReset || (this.#finOut && this.#finIn))) this.#reopen();
    if (isOutbound) {
      this.#synOut ||= isSyn;
      this.#finOut ||= isFin;
    } else {
      this.#synIn ||= isSyn;
      this.#finIn ||= isFin;
    }
    // A reset may be forged: it shortens the time, and traffic after it goes on (RFC 5382 REQ-5's security note).
    this.#isReset = (flags & TCP_RST) !== 0;
    this.expiresAt = now + (this.isEstablished ? TCP_ESTABLISHED_LIFETIME : TCP_TRANSITORY_LIFETIME);
  }

  #reopen(): void {
    this.#synOut = false;
    this.#synIn = false;
    this.#finOut = false;
    this.#finIn = false;
  }
}
