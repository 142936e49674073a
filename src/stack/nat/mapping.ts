/**
 * A mapping: an address and port inside, and the port outside that stands for them whomever they talk to (RFC 4787 REQ-1,
 * endpoint-independent mapping).
 */

import { IPPROTO_TCP } from '../../wire/index.ts';
import type { NatFiltering } from '../api.ts';
import { Session } from './session.ts';

/** Most peers that a mapping remembers; past it the one that was first goes, open connections last. */
const MAX_SESSIONS = 512;

/** How many sessions there are: of a host's mappings, and with them of all. */
export class Tally {
  count = 0;
  readonly #whole: Tally | null;

  constructor(whole: Tally | null = null) {
    this.#whole = whole;
  }

  add(more: number): void {
    this.count += more;
    this.#whole?.add(more);
  }
}

export class Mapping {
  readonly protocol: number;
  readonly inside: number;
  readonly insidePort: number;
  readonly outsidePort: number;
  /** Made by hand: it stays, and lets everybody in. */
  readonly isStatic: boolean;
  usedAt = 0;
  readonly #sessions = new Map<number, Session>();
  readonly #tally: Tally;

  constructor(
    protocol: number,
    inside: number,
    insidePort: number,
    outsidePort: number,
    isStatic: boolean,
    tally: Tally,
  ) {
    this.#tally = tally;
    this.protocol = protocol;
    this.inside = inside;
    this.insidePort = insidePort;
    this.outsidePort = outsidePort;
    this.isStatic = isStatic;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get isEstablished(): boolean {
    if (this.protocol !== IPPROTO_TCP) return false;
    for (const session of this.#sessions.values()) if (session.isEstablished) return true;
    return false;
  }

  session(remote: number, remotePort: number): Session | null {
    return this.#sessions.get(keyOf(remote, remotePort)) ?? null;
  }

  open(remote: number, remotePort: number): Session {
    const key = keyOf(remote, remotePort);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    if (this.#sessions.size >= MAX_SESSIONS && !this.dropSession()) {
      const [first] = this.#sessions.keys();
      if (first !== undefined) this.#drop(first);
    }
    const session = new Session(remote, remotePort);
    this.#sessions.set(key, session);
    this.#tally.add(1);
    return session;
  }

  /** Forgets the peer that was first, but no open connection. @returns whether there was one */
  dropSession(): boolean {
    for (const [key, { isEstablished }] of this.#sessions) {
      if (isEstablished) continue;
      this.#drop(key);
      return true;
    }
    return false;
  }

  /** The mapping is gone, and all its peers. */
  release(): void {
    this.#tally.add(-this.#sessions.size);
    this.#sessions.clear();
  }

  #drop(key: number): void {
    if (this.#sessions.delete(key)) this.#tally.add(-1);
  }

  /** RFC 4787 §5: whether a packet from there may come in. */
  admits(filtering: NatFiltering, remote: number, remotePort: number): boolean {
    if (this.isStatic || filtering === 'endpointIndependent') return true;
    if (filtering === 'addressAndPortDependent') return this.session(remote, remotePort) !== null;
    for (const session of this.#sessions.values()) if (session.remote === remote) return true;
    return false;
  }

  /** Forgets peers whose time is over. @returns whether the mapping may stay */
  expire(now: number): boolean {
    for (const [key, { expiresAt }] of this.#sessions) if (expiresAt <= now) this.#drop(key);
    return this.isStatic || this.#sessions.size > 0;
  }
}

function keyOf(address: number, port: number): number {
  return (address >>> 0) * 0x1_0000 + port;
}
