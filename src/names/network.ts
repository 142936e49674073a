/**
 * What the room needs of a network: datagrams, streams, time and chance. The daemon makes it of its stack's endpoints, below
 * the provider catalog, so that no layered provider comes between; tests script it in virtual time.
 *
 * Callbacks come from outside of any call into the network. What `open…` and `listen…` answer is `null` when it can't be had:
 * no route, no address of that family, a port that is taken, a stack that has no groups.
 */

import type { IpAddress, IpFamily, Random, Scheduler } from '../base/index.ts';

/** How a datagram came. */
export interface DatagramOrigin {
  readonly address: IpAddress;
  readonly port: number;
  /** To whom it was sent. */
  readonly destination: IpAddress;
  readonly interfaceIndex: number;
  readonly ttl: number;
}

export interface DatagramListener {
  /** @param bytes valid until this returns */
  received(bytes: Uint8Array, origin: DatagramOrigin): void;
  /** ICMP said that what was sent doesn't arrive. */
  failed?(): void;
}

export interface DatagramSocket {
  /** @returns whether it could be sent */
  send(bytes: Uint8Array, address: IpAddress, port: number): boolean;
  close(): void;
}

/** A socket of a group: see {@link NameNetwork.joinGroup}. `send` to the group leaves by every interface. */
export interface GroupSocket extends DatagramSocket {
  /** Sends to the group on one interface. @returns whether it could be sent */
  sendOn(interfaceIndex: number, bytes: Uint8Array): boolean;
  /** Belongs to the group on the interfaces that came since, too. */
  refresh(): void;
}

/** An interface with a link. */
export interface NameLink {
  readonly index: number;
  /** Its addresses that may be used. */
  readonly addresses: readonly IpAddress[];
}

export interface StreamListener {
  /** It is open: `send` may be called. */
  connected?(): void;
  /** @param bytes valid until this returns */
  received(bytes: Uint8Array): void;
  /** The other side has no more to say, or it was refused, reset or never opened. Called once; not after `close`. */
  ended(): void;
}

export interface StreamSocket {
  readonly remoteAddress: IpAddress;
  /** Queues bytes. @returns whether there was room */
  send(bytes: Uint8Array): boolean;
  /** What is queued is still sent. */
  close(): void;
}

/** Something that goes on until it is closed. */
export interface Closable {
  close(): void;
}

export interface NameNetwork {
  readonly scheduler: Scheduler;
  /** Has to be beyond guessing on a real network (RFC 5452): identifiers and ports come of it. */
  readonly random: Random;

  /**
   * A datagram socket on a port of its own, chosen at random; with `peer` nobody else is heard.
   * @param options `hopLimit` of what is sent
   */
  openDatagram(
    family: IpFamily,
    listener: DatagramListener,
    options?: {
      readonly peer?: { readonly address: IpAddress; readonly port: number };
      readonly hopLimit?: number;
    },
  ): DatagramSocket | null;

  /** Opens a connection. */
  openStream(address: IpAddress, port: number, listener: StreamListener): StreamSocket | null;

  /** Hears datagrams to a port of one of our addresses, or of all. */
  listenDatagram(address: IpAddress, port: number, listener: DatagramListener): DatagramSocket | null;

  /** Takes connections. @param accept gives the listener for one, or `null` to refuse it */
  listenStream(
    address: IpAddress,
    port: number,
    accept: (stream: StreamSocket) => StreamListener | null,
  ): Closable | null;

  /** A socket on `port` that belongs to `group` on every interface, shared with others on this port; hop limit 255. */
  joinGroup(group: IpAddress, port: number, listener: DatagramListener): GroupSocket | null;

  /** Interfaces that have a link now, loopback aside. */
  links(): readonly NameLink[];

  /** Whether `address` lies on a network that an interface is on. */
  isOnLink(address: IpAddress): boolean;
}
