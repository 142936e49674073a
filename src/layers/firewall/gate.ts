/**
 * What a firewall decides about the calls of one chain, and what it keeps of sockets.
 */

import {
  SD_BOTH,
  SO_LINGER,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  sockaddrOf,
  WSAEACCES,
  WSAECONNRESET,
  writeLINGER,
} from '../../abi/index.ts';
import { copyOf, putI32le } from '../../base/index.ts';
import type { Answer, Layer, WSPPROC_TABLE } from '../../spi/index.ts';
import { type Place, placeIn } from '../places.ts';
import type { Direction, Protocol, Verdict } from './rules.ts';

/** Decides, and tells the log. */
export type Judge = (
  direction: Direction,
  protocol: Protocol,
  remote: Place | null,
  local: Place | null,
) => Verdict;

/** A call with the address that it goes to. */
type AddressedCall = (name: Uint8Array | null, namelen: number) => Answer;

/** Which chain a socket is of: all chains of the layer in a process. */
export class Gates {
  readonly #bySocket = new Map<number, Gate>();
  /** Of a socket that the layer has not made. */
  readonly #unknown: Gate;

  constructor(unknown: Gate) {
    this.#unknown = unknown;
  }

  of(s: number): Gate {
    return this.#bySocket.get(s) ?? this.#unknown;
  }

  /** @param s a new socket, or minus a WSA code. @returns the same */
  add(s: number, gate: Gate): number {
    if (s >= 0) this.#bySocket.set(s, gate);
    return s;
  }

  /** A socket is closed. */
  forget(s: number): void {
    this.#bySocket.get(s)?.forget(s);
    this.#bySocket.delete(s);
  }
}

export class Gate {
  readonly next: WSPPROC_TABLE;
  readonly isStream: boolean;
  readonly #protocol: Protocol;
  readonly #judge: Judge;
  /** What getpeername tells of sockets whose connect was redirected: the destination that was asked for. */
  readonly #asked = new Map<number, Uint8Array>();
  /** Sockets whose peer was refused after they had got it. */
  readonly #refused = new Set<number>();

  constructor(next: WSPPROC_TABLE, { chain }: Layer, judge: Judge) {
    const { iSocketType } = chain;
    this.next = next;
    this.isStream = iSocketType === SOCK_STREAM;
    this.#protocol = this.isStream ? 'tcp' : iSocketType === SOCK_DGRAM ? 'udp' : 'raw';
    this.#judge = judge;
  }

  /** A call that gives a socket its peer. */
  connecting(s: number, name: Uint8Array | null, namelen: number, call: AddressedCall): Answer {
    const way = this.#way(name, namelen, this.isStream ? 'connect' : 'send');
    if (typeof way === 'number') return way;
    if (name === null || way === null || way === name) {
      this.#asked.delete(s);
      return call(name, namelen);
    }
    // Before the call: it may be under way when its answer comes.
    this.#asked.set(s, copyOf(name, 0, namelen));
    return call(way, way.length);
  }

  /** A call that sends one message. */
  sending(s: number, to: Uint8Array | null, tolen: number, call: AddressedCall): Answer {
    // A stream knows its peer, whatever the call says; so does a datagram socket when the call says nothing.
    const way = this.isStream ? null : this.#way(to, tolen, 'send');
    if (typeof way === 'number') return way;
    return this.moving(s, () => (way === null || way === to ? call(to, tolen) : call(way, way.length)));
  }

  /** A call that moves data. */
  moving(s: number, call: () => Answer): Answer {
    return this.#refused.size > 0 && this.#refused.has(s) ? -WSAECONNRESET : call();
  }

  /** @returns 0 or minus WSAEACCES */
  listening(local: Place | null): number {
    return this.#judge('listen', this.#protocol, null, local).action === 'allow' ? 0 : -WSAEACCES;
  }

  isWelcome(remote: Place | null, local: Place | null): boolean {
    return this.#judge('accept', this.#protocol, remote, local).action === 'allow';
  }

  /** The destination that a redirected socket's application asked for. */
  askedPeer(s: number): Uint8Array | null {
    return this.#asked.get(s) ?? null;
  }

  /** Resets the peer of a socket that AcceptEx has given one; the socket is the application's to close. */
  refuse(listener: number, s: number): void {
    this.#refused.add(s);
    const context = new Uint8Array(4);
    putI32le(context, 0, listener);
    const linger = new Uint8Array(4);
    writeLINGER(linger, 0, { l_onoff: 1, l_linger: 0 });
    void this.next.WSPSetSockOpt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, context, context.length);
    void this.next.WSPSetSockOpt(s, SOL_SOCKET, SO_LINGER, linger, linger.length);
    void this.next.WSPShutdown(s, SD_BOTH);
  }

  /** A socket is closed. */
  forget(s: number): void {
    this.#asked.delete(s);
    this.#refused.delete(s);
  }

  clear(): void {
    this.#asked.clear();
    this.#refused.clear();
  }

  /** @returns where to, or minus WSAEACCES; `null` for a name that the provider below has to judge */
  #way(name: Uint8Array | null, namelen: number, direction: Direction): Uint8Array | number | null {
    const place = placeIn(name, namelen);
    if (name === null || place === null) return null;
    const { action, rule } = this.#judge(direction, this.#protocol, place, null);
    if (action === 'allow') return name;
    const to = rule?.to ?? null;
    if (action === 'deny' || to === null) return -WSAEACCES;
    const address = place.address.family === 6 ? to.address.mapped() : to.address;
    // A socket of IPv4 has no way to IPv6.
    if (address.family !== place.address.family) return -WSAEACCES;
    return sockaddrOf(address, to.port === 0 ? place.port : to.port);
  }
}
