/**
 * What a client remembers of servers for Fast Open (RFC 7413 §4.1.3): the cookie, the MSS, and where it does not work
 * (§4.1.3.1), since some boxes on the way drop a SYN with text or with an option that they don't know.
 *
 * A failure keeps the server off Fast Open for an hour, each further one for twice as long. After three servers in a row have
 * failed it is our own end that drops them, and nobody is asked for as long.
 */

import type { IpAddress } from '../../../base/index.ts';
import type { Host } from '../../host.ts';

/** Most servers that are remembered: the one that was not used for longest makes room. */
export const MAX_SERVERS = 1024;
const BLOCK_MS = 3_600_000;
const MAX_DOUBLINGS = 6;
/** Failures in a row, at different servers, that mean that it is not the servers. */
const BLACK_HOLE_FAILURES = 3;

/** One server. */
export interface FastOpenServer {
  /** `null`: none yet. */
  cookie: Uint8Array | null;
  /** The MSS that it announced. */
  mss: number;
  failures: number;
  blockedUntil: number;
}

export class FastOpenCache {
  readonly #host: Host;
  /** By address as text, the one used last at the end. */
  readonly #servers = new Map<string, FastOpenServer>();
  #failuresInRow = 0;
  #lastFailed = '';
  #blackHoles = 0;
  #blockedUntil = Number.NEGATIVE_INFINITY;

  constructor(host: Host) {
    this.#host = host;
  }

  get size(): number {
    return this.#servers.size;
  }

  /** Whether a SYN to `address` should have no Fast Open option now. */
  isBlocked(address: IpAddress): boolean {
    const { now } = this.#host;
    return now < this.#blockedUntil || now < (this.#servers.get(address.toString())?.blockedUntil ?? now);
  }

  /** What is known of `address`; `null` without a cookie of it. */
  find(address: IpAddress): FastOpenServer | null {
    const server = this.#servers.get(address.toString());
    if (server === undefined || server.cookie === null) return null;
    this.#touch(address.toString(), server);
    return server;
  }

  /** `address` gave a cookie, whose bytes are copied. */
  store(address: IpAddress, cookie: Uint8Array, mss: number): void {
    const server = this.#entry(address.toString());
    server.cookie = cookie.slice();
    server.mss = mss;
  }

  /** It has taken the text of a SYN. */
  succeeded(address: IpAddress): void {
    this.#failuresInRow = 0;
    this.#blackHoles = 0;
    this.#entry(address.toString()).failures = 0;
  }

  /** A SYN with text went unanswered there, or its text was not taken although the cookie was good. */
  failed(address: IpAddress): void {
    const key = address.toString();
    const { now, counters } = this.#host;
    const server = this.#entry(key);
    server.cookie = null;
    server.blockedUntil = now + blockTime(server.failures++);
    if (key !== this.#lastFailed) this.#failuresInRow++;
    this.#lastFailed = key;
    if (this.#failuresInRow < BLACK_HOLE_FAILURES) return;
    this.#failuresInRow = 0;
    this.#blockedUntil = now + blockTime(this.#blackHoles++);
    counters.tcpFastOpenBlackholes++;
  }

  #entry(key: string): FastOpenServer {
    let server = this.#servers.get(key);
    if (server === undefined) {
      if (this.#servers.size >= MAX_SERVERS) this.#forgetOldest();
      server = { cookie: null, mss: 0, failures: 0, blockedUntil: Number.NEGATIVE_INFINITY };
    }
    this.#touch(key, server);
    return server;
  }

  #touch(key: string, server: FastOpenServer): void {
    this.#servers.delete(key);
    this.#servers.set(key, server);
  }

  #forgetOldest(): void {
    for (const key of this.#servers.keys()) {
      this.#servers.delete(key);
      return;
    }
  }
}

function blockTime(failures: number): number {
  return BLOCK_MS * 2 ** Math.min(failures, MAX_DOUBLINGS);
}
