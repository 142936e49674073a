/**
 * The host's DHCP clients: who has one, and which datagrams are theirs.
 *
 * They run beneath sockets by construction: a message leaves as a packet of the host that belongs to no endpoint, and
 * arrives before endpoints are looked for. So there is nothing of theirs that a layered provider could be put into, or that
 * an application could bind over, close or list; and while a client runs on an interface, its port is no application's there.
 */

import { EMPTY, type IpAddress, type IpFamily } from '../../base/index.ts';
import {
  DHCPV4_CLIENT_PORT,
  DHCPV6_CLIENT_PORT,
  DhcpV4Message,
  DhcpV6Message,
  DropReason,
  parseDhcpV4,
  parseDhcpV6,
} from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { sourceOf } from '../ip/packet.ts';
import { clientIdOfDuid, duidOfLinkLayer, duidOfUuid, iaidOf, isDuid, uuidOfSecret } from './duid.ts';
import type { DhcpMemory, DhcpMode, DhcpOptions, DhcpStatus } from './status.ts';
import type { DhcpSurroundings } from './surroundings.ts';
import { DhcpV4Client, type V4ClientOptions } from './v4/client.ts';
import type { ExchangeOptions } from './v4/exchange.ts';
import { DhcpV4Informer } from './v4/inform.ts';
import { DhcpV6Client } from './v6/client.ts';

/** Hardware types (RFC 1700, and RFC 3456 for links without hardware addresses). */
const HTYPE_ETHERNET = 1;
const HTYPE_TUNNEL = 31;
/** Every client takes that much (RFC 2131 §2), and more brings nothing. */
const LEAST_MESSAGE = 576;
const MOST_MESSAGE = 1500;
const HOST_NAME = /^[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?$/i;
const LONGEST_CLIENT_ID = 255;

export class DhcpService {
  readonly #around: DhcpSurroundings;
  readonly #v4 = new Map<number, DhcpV4Client | DhcpV4Informer>();
  readonly #v6 = new Map<number, DhcpV6Client>();
  /** What clients that are started next were granted before, by interface. */
  readonly #recalled4 = new Map<number, DhcpMemory>();
  readonly #recalled6 = new Map<number, DhcpMemory>();
  readonly #message4 = new DhcpV4Message();
  readonly #message6 = new DhcpV6Message();

  constructor(around: DhcpSurroundings) {
    this.#around = around;
  }

  /**
   * Starts a client; one that runs is ended first. @throws {RangeError} when an option can't be, there is no such interface,
   * or it is the loopback one
   */
  start(interfaceIndex: number, options: DhcpOptions = {}): void {
    const iface = this.#interface(interfaceIndex);
    if (options.family === 6) this.#startV6(iface, options, options.mode ?? 'stateful');
    else this.#startV4(iface, options);
  }

  /** What a router's advertisement says of DHCPv6, when it has changed (RFC 4861 §4.2). A client that runs is not ended by it. */
  flags(interfaceIndex: number, isManaged: boolean, hasOtherConfig: boolean): void {
    if (isManaged) this.startStateful(interfaceIndex);
    else if (hasOtherConfig) this.startStateless(interfaceIndex);
  }

  /** A router says that addresses are to be had (RFC 4861 §4.2, M). A client that runs goes on. */
  startStateful(interfaceIndex: number): void {
    this.#ask(interfaceIndex, 'stateful');
  }

  /** A router says that there is more to know (RFC 4861 §4.2, O). A client that asks for addresses learns it besides. */
  startStateless(interfaceIndex: number): void {
    if (this.#v6.get(interfaceIndex)?.status.mode !== 'stateful') this.#ask(interfaceIndex, 'stateless');
  }

  /** Ends the clients of an interface. With `isReleased` servers are told. Harmless when there are none. */
  stop(interfaceIndex: number, isReleased: boolean): void {
    this.#v4.get(interfaceIndex)?.stop(isReleased);
    this.#v6.get(interfaceIndex)?.stop(isReleased);
  }

  /** See `Stack.recallDhcp`. */
  recall(interfaceIndex: number, family: IpFamily, memory: DhcpMemory): void {
    const { obtainedAt } = memory;
    if (!Number.isFinite(obtainedAt)) throw new RangeError(`a lease was not obtained at ${obtainedAt}`);
    const iface = this.#interface(interfaceIndex);
    const recalled = { ...memory, obtainedAt: Math.min(obtainedAt, this.#around.host.now) };
    (family === 4 ? this.#recalled4 : this.#recalled6).set(iface.index, recalled);
  }

  /** @param family absent: both. @returns whether there is a client to renew */
  renew(interfaceIndex: number, family?: IpFamily): boolean {
    const clients = this.#clients(interfaceIndex, family);
    for (const client of clients) client.renew();
    return clients.length > 0;
  }

  /** @returns whether there is a client whose addresses can be given back */
  release(interfaceIndex: number, family?: IpFamily): boolean {
    const active = this.#clients(interfaceIndex, family).filter(({ isActive }) => isActive);
    for (const client of active) client.release();
    return active.length > 0;
  }

  /** The link is there again, perhaps another one: what was granted on it is asked about (RFC 2131 §3.7, RFC 8415 §18.2.12). */
  linkUp(interfaceIndex: number): void {
    for (const client of this.#clients(interfaceIndex)) client.linkUp();
  }

  /** Addresses have come, gone or changed their states. */
  addressesChanged(): void {
    for (const client of this.#v4.values()) client.addressesChanged();
  }

  status(interfaceIndex: number): DhcpStatus {
    return {
      v4: this.#v4.get(interfaceIndex)?.status ?? null,
      v6: this.#v6.get(interfaceIndex)?.status ?? null,
    };
  }

  /** Somebody else turned out to have an address of ours. */
  addressConflict(interfaceIndex: number, address: IpAddress): void {
    if (address.family === 4) this.#v4.get(interfaceIndex)?.conflict(address);
    else this.#v6.get(interfaceIndex)?.conflict(address);
  }

  /** The interface is gone, and what was configured on it. */
  removeInterface(interfaceIndex: number): void {
    this.#v4.get(interfaceIndex)?.close();
    this.#v4.delete(interfaceIndex);
    this.#v6.get(interfaceIndex)?.close();
    this.#v6.delete(interfaceIndex);
    this.#recalled4.delete(interfaceIndex);
    this.#recalled6.delete(interfaceIndex);
  }

  /**
   * Takes a datagram when it is for a client: the payload `at … end` of a packet whose checksum is right.
   * @returns 0 or the `DropReason`; -1 when it is not a client's
   */
  take(packet: InboundPacket, destinationPort: number, at: number, end: number): number {
    if (packet.family === 6)
      return destinationPort === DHCPV6_CLIENT_PORT ? this.#takeV6(packet, at, end) : -1;
    if (destinationPort !== DHCPV4_CLIENT_PORT) return -1;
    const client = this.#v4.get(packet.interfaceIndex);
    if (client?.isActive !== true) return -1;
    const parsed = parseDhcpV4(packet.bytes, at, end, this.#message4);
    return parsed === DropReason.none ? client.receive(this.#message4) : parsed;
  }

  #clients(index: number, family?: IpFamily): (DhcpV4Client | DhcpV4Informer | DhcpV6Client)[] {
    const found = [
      family === 6 ? undefined : this.#v4.get(index),
      family === 4 ? undefined : this.#v6.get(index),
    ];
    return found.filter((client) => client !== undefined);
  }

  #takeV6(packet: InboundPacket, at: number, end: number): number {
    const client = this.#v6.get(packet.interfaceIndex);
    if (client?.isActive !== true) return -1;
    const parsed = parseDhcpV6(packet.bytes, at, end, this.#message6);
    // RFC 8415 §16: what is sent to all is no answer.
    if (parsed === DropReason.none && packet.isGroup) return DropReason.dhcpUnexpected;
    return parsed === DropReason.none ? client.receive(this.#message6, sourceOf(packet)) : parsed;
  }

  #ask(interfaceIndex: number, mode: DhcpMode): void {
    const client = this.#v6.get(interfaceIndex);
    if (client === undefined) this.#startV6(this.#interface(interfaceIndex), {}, mode);
    // Given back, or stopped, by the user: it stays so.
    else if (client.isActive) client.start(mode);
  }

  #startV6(iface: NetworkInterface, options: DhcpOptions, mode: DhcpMode): void {
    const client = new DhcpV6Client(this.#around, {
      interfaceIndex: iface.index,
      duid: this.#duid(iface, options),
      iaid: iaidOf(iface.mac, iface.index),
      rapidCommit: options.rapidCommit ?? true,
    });
    this.#v6.get(iface.index)?.close();
    this.#v6.set(iface.index, client);
    const memory = this.#recalled6.get(iface.index);
    this.#recalled6.delete(iface.index);
    if (memory !== undefined) {
      const { message, server, obtainedAt } = memory;
      const parsed = parseDhcpV6(message, 0, message.length, this.#message6);
      if (parsed === DropReason.none) client.recall(this.#message6, server, obtainedAt);
    }
    client.start(mode);
  }

  #interface(index: number): NetworkInterface {
    const iface = this.#around.topology.interface(index);
    if (iface.isLoopback) throw new RangeError('the loopback interface needs no DHCP');
    return iface;
  }

  #startV4(iface: NetworkInterface, options: DhcpOptions): void {
    if (options.mode === 'stateless') {
      const informer = new DhcpV4Informer(this.#around, this.#exchangeOptions(iface, options));
      this.#v4.get(iface.index)?.close();
      this.#v4.set(iface.index, informer);
      informer.start();
      return;
    }
    const requested = requestedAddress(options);
    const client = new DhcpV4Client(this.#around, this.#v4Options(iface, options));
    this.#v4.get(iface.index)?.close();
    this.#v4.set(iface.index, client);
    const memory = this.#recalled4.get(iface.index);
    this.#recalled4.delete(iface.index);
    if (memory !== undefined) {
      const { message, obtainedAt } = memory;
      const parsed = parseDhcpV4(message, 0, message.length, this.#message4);
      if (parsed === DropReason.none) client.recall(this.#message4, obtainedAt);
    }
    client.start(requested);
  }

  #v4Options(iface: NetworkInterface, options: DhcpOptions): V4ClientOptions {
    return {
      ...this.#exchangeOptions(iface, options),
      linkLocalFallback: options.linkLocalFallback ?? true,
      checksConflicts: iface.detectsDuplicates,
    };
  }

  #exchangeOptions(iface: NetworkInterface, options: DhcpOptions): ExchangeOptions {
    const { mac } = iface;
    const hostName = options.hostName ?? '';
    if (hostName !== '' && !HOST_NAME.test(hostName)) throw new RangeError(`not a host name: ${hostName}`);
    return {
      interfaceIndex: iface.index,
      identity: {
        htype: mac === null ? HTYPE_TUNNEL : HTYPE_ETHERNET,
        chaddr: mac ?? EMPTY,
        clientId: this.#clientId(iface, options),
        hostName,
        maxMessageSize: Math.max(LEAST_MESSAGE, Math.min(MOST_MESSAGE, iface.linkMtu)),
      },
      isBroadcast: options.broadcast ?? mac === null,
    };
  }

  /** Option 61: RFC 2132 §9.14, RFC 4361 §6.1. */
  #clientId(iface: NetworkInterface, options: DhcpOptions): Uint8Array {
    const { clientId = 'hardware' } = options;
    const { mac } = iface;
    if (typeof clientId !== 'string') {
      if (clientId.length < 2 || clientId.length > LONGEST_CLIENT_ID)
        throw new RangeError(`a client identifier has 2 to ${LONGEST_CLIENT_ID} bytes`);
      return clientId.slice();
    }
    if (clientId === 'hardware' && mac !== null) return Uint8Array.of(HTYPE_ETHERNET, ...mac);
    return clientIdOfDuid(iaidOf(mac, iface.index), this.#duid(iface, options));
  }

  #duid({ mac }: NetworkInterface, { duid }: DhcpOptions): Uint8Array {
    if (duid !== undefined) {
      if (!isDuid(duid)) throw new RangeError('a DUID has 3 to 130 bytes');
      return duid.slice();
    }
    return mac === null ? duidOfUuid(uuidOfSecret(this.#around.host.identity)) : duidOfLinkLayer(mac);
  }
}

function requestedAddress({ requestedAddress: address }: DhcpOptions): IpAddress | null {
  if (address !== undefined && address.family !== 4)
    throw new RangeError(`${address} is no IPv4 address to be asked for`);
  return address ?? null;
}
