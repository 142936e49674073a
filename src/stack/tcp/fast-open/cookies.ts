/**
 * A server's Fast Open cookies (RFC 7413 §4.1.2): SipHash of the client's address and ours, which only we can make and which is
 * no secret between the two. The key changes once a day, and the one before is still good: a client that comes back within a
 * day or two is known, and one that does not comes by the long way once.
 */

import { type IpAddress, i32, i32le, putI32 } from '../../../base/index.ts';
import type { Host, Path } from '../../host.ts';
import { deriveKey, sipBlock, sipFinish, sipResult, sipStart } from '../siphash.ts';

/** Bytes of a cookie. */
export const COOKIE_BYTES = 8;
/** How long a key is in use, ms. */
export const KEY_LIFETIME = 24 * 3600 * 1000;

/** What a cookie that came back is worth. */
export const CookieVerdict = {
  bad: 0,
  good: 1,
  /** Good, but of the key before: the client gets a new one with the SYN-ACK. */
  old: 2,
} as const;

export class FastOpenCookies {
  readonly #host: Host;
  /** The keys of this period and the one before, made when first needed. */
  #period = -1;
  #current: Uint8Array = new Uint8Array(16);
  #previous: Uint8Array = new Uint8Array(16);
  readonly #cookie = new Uint8Array(COOKIE_BYTES);

  constructor(host: Host) {
    this.#host = host;
  }

  /** The cookie for the client at the other end of `path`. The bytes are good until the next call. */
  make(path: Path): Uint8Array {
    this.#rotate();
    hash(this.#current, path.source, path.destination);
    putI32(this.#cookie, 0, sipResult.high);
    putI32(this.#cookie, 4, sipResult.low);
    return this.#cookie;
  }

  /** Judges the cookie of `length` bytes at `at` that a client has sent. @returns a `CookieVerdict` */
  judge(path: Path, bytes: Uint8Array, at: number, length: number): number {
    if (length !== COOKIE_BYTES) return CookieVerdict.bad;
    this.#rotate();
    if (isMadeBy(this.#current, path, bytes, at)) return CookieVerdict.good;
    return isMadeBy(this.#previous, path, bytes, at) ? CookieVerdict.old : CookieVerdict.bad;
  }

  #rotate(): void {
    const period = Math.floor(this.#host.now / KEY_LIFETIME);
    if (period === this.#period) return;
    this.#period = period;
    this.#current = deriveKey(this.#host.secret, `Fast Open ${period}`);
    this.#previous = deriveKey(this.#host.secret, `Fast Open ${period - 1}`);
  }
}

function isMadeBy(key: Uint8Array, path: Path, bytes: Uint8Array, at: number): boolean {
  hash(key, path.source, path.destination);
  return i32(bytes, at) === sipResult.high && i32(bytes, at + 4) === sipResult.low;
}

function hash(key: Uint8Array, local: IpAddress, remote: IpAddress): void {
  sipStart(i32le(key, 0), i32le(key, 4), i32le(key, 8), i32le(key, 12));
  sipBlock(local.w1, local.w0);
  sipBlock(local.w3, local.w2);
  sipBlock(remote.w1, remote.w0);
  sipBlock(remote.w3, remote.w2);
  // The last block carries the message's length, 32, in its top byte.
  sipBlock(32 << 24, 0);
  sipFinish();
}
