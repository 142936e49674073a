/**
 * A mapping: an address and port inside, and the port outside that stands for them whomever they talk to (RFC 4787 REQ-1,
 * endpoint-independent mapping).
 */

import type { NatFiltering } from '../api.ts';
import { Session } from './session.ts';

/** Most peers that a mapping remembers; past it the one that was first goes. */
const MAX_SESSIONS = 512;

export class Mapping {
  readonly protocol: number;
  readonly inside: number;
  readonly insidePort: number;
  readonly outsidePort: number;
  /** Made by hand: it stays, and lets everybody in. */
  readonly isStatic: boolean;
  usedAt = 0;
  readonly #sessions = new Map<number, Session>();

  constructor(protocol: number, inside: number, insidePort: number, outsidePort: number, isStatic: boolean) {
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
    if (this.#sessions.size >= MAX_SESSIONS) {
      const [first] = this.#sessions.keys();
      if (first !== undefined) this.#sessions.delete(first);
    }
    const session = new Session(remote, remotePort);
    this.#sessions.set(key, session);
    return session;
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
    for (const [key, { expiresAt }] of this.#sessions) if (expiresAt <= now) this.#sessions.delete(key);
    return this.isStatic || this.#sessions.size > 0;
  }
}

function keyOf(address: number, port: number): number {
  return (address >>> 0) * 0x1_0000 + port;
}
