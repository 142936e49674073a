/**
 * Ports that applications keep for their sockets (IOC-SIO_PORT_RESERVATION): acquired by a socket, named by a token that any process
 * may be given, and theirs who associate a socket with it before it is bound. They end with the socket that acquired them.
 */

import { i32le, putI32le, type Random } from '../base/index.ts';
import type { PortReservation, Stack } from '../stack/index.ts';

/** Bytes of a token: a UINT64. */
export const RESERVATION_TOKEN_LEN = 8;
/** Most ports that all applications keep together: what is left to bind is more. */
const MOST_PORTS = 8192;

interface Kept {
  readonly owner: object;
  readonly protocol: 'tcp' | 'udp';
  readonly ports: PortReservation;
}

/** The result of an acquisition. */
export interface Acquired {
  readonly ports: PortReservation;
  readonly token: Uint8Array;
}

export class PortReservations {
  readonly #stack: Stack;
  readonly #random: Random;
  readonly #kept = new Map<string, Kept>();
  #ports = 0;

  /** @param random where applications distrust each other it must not be predictable */
  constructor(stack: Stack, random: Random) {
    this.#stack = stack;
    this.#random = random;
  }

  /** @returns what was acquired, a `StackError`, or `null` past the bound */
  acquire(owner: object, protocol: 'tcp' | 'udp', first: number, count: number): Acquired | number | null {
    if (this.#ports + count > MOST_PORTS) return null;
    const ports = this.#stack.reservePorts(protocol, first, count);
    if (typeof ports === 'number') return ports;
    const token = new Uint8Array(RESERVATION_TOKEN_LEN);
    do {
      putI32le(token, 0, this.#random.next());
      putI32le(token, 4, this.#random.next());
    } while (this.#kept.has(keyOf(token)));
    this.#kept.set(keyOf(token), { owner, protocol, ports });
    this.#ports += ports.count;
    return { ports, token };
  }

  /** The ports of a token, for a socket of that protocol; `null` when there are none. */
  find(token: Uint8Array, protocol: 'tcp' | 'udp'): PortReservation | null {
    const kept = this.#kept.get(keyOf(token));
    return kept?.protocol === protocol ? kept.ports : null;
  }

  /** @returns whether `owner` had acquired it */
  release(token: Uint8Array, owner: object): boolean {
    const key = keyOf(token);
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.owner !== owner) return false;
    this.#drop(key, kept);
    return true;
  }

  /** A socket is closed: what it acquired ends. */
  forget(owner: object): void {
    if (this.#kept.size === 0) return;
    for (const [key, kept] of this.#kept) if (kept.owner === owner) this.#drop(key, kept);
  }

  #drop(key: string, { ports }: Kept): void {
    this.#kept.delete(key);
    this.#ports -= ports.count;
    ports.release();
  }
}

function keyOf(token: Uint8Array): string {
  return `${i32le(token, 0)} ${i32le(token, 4)}`;
}
