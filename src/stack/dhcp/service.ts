/**
 * The host's DHCP clients: who has one, and which datagrams are theirs.
 *
 * They run beneath sockets by construction: a message leaves as a packet of the host that belongs to no endpoint, and
 * arrives before endpoints are looked for. So there is nothing of theirs that a layered provider could be put into, or that
 * an application could bind over, close or list; and while a client runs on an interface, its port is no application's there.
 */

import { EMPTY, type IpAddress } from '../../base/index.ts';
import { DHCPV4_CLIENT_PORT, DhcpV4Message, DropReason, parseDhcpV4 } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { clientIdOfDuid, duidOfLinkLayer, duidOfUuid, iaidOf, isDuid, uuidOfSecret } from './duid.ts';
import type { DhcpOptions, DhcpStatus } from './status.ts';
import type { DhcpSurroundings } from './surroundings.ts';
import { DhcpV4Client, type V4ClientOptions } from './v4/client.ts';

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
  readonly #v4 = new Map<number, DhcpV4Client>();
  readonly #message4 = new DhcpV4Message();

  constructor(around: DhcpSurroundings) {
    this.#around = around;
  }

  /**
   * Starts a client; one that runs is ended first. @throws {RangeError} when an option can't be, there is no such interface,
   * or it is the loopback one
   */
  start(interfaceIndex: number, options: DhcpOptions = {}): void {
    const iface = this.#interface(interfaceIndex);
    this.#startV4(iface, options);
  }

  /** Ends the clients of an interface. With `isReleased` servers are told. Harmless when there are none. */
  stop(interfaceIndex: number, isReleased: boolean): void {
    this.#v4.get(interfaceIndex)?.stop(isReleased);
  }

  /** @returns whether there is a client to renew */
  renew(interfaceIndex: number): boolean {
    const client = this.#v4.get(interfaceIndex);
    client?.renew();
    return client !== undefined;
  }

  /** @returns whether there is a client whose addresses can be given back */
  release(interfaceIndex: number): boolean {
    const client = this.#v4.get(interfaceIndex);
    if (client?.isActive !== true) return false;
    client.release();
    return true;
  }

  status(interfaceIndex: number): DhcpStatus {
    return { v4: this.#v4.get(interfaceIndex)?.status ?? null, v6: null };
  }

  /** Somebody else turned out to have an address of ours. */
  addressConflict(interfaceIndex: number, address: IpAddress): void {
    this.#v4.get(interfaceIndex)?.conflict(address);
  }

  /** The interface is gone, and what was configured on it. */
  removeInterface(interfaceIndex: number): void {
    this.#v4.get(interfaceIndex)?.close();
    this.#v4.delete(interfaceIndex);
  }

  /**
   * Takes a datagram when it is for a client: the payload `at … end` of a packet whose checksum is right.
   * @returns 0 or the `DropReason`; -1 when it is not a client's
   */
  take(packet: InboundPacket, destinationPort: number, at: number, end: number): number {
    if (destinationPort !== DHCPV4_CLIENT_PORT || packet.family !== 4) return -1;
    const client = this.#v4.get(packet.interfaceIndex);
    if (client?.isActive !== true) return -1;
    const parsed = parseDhcpV4(packet.bytes, at, end, this.#message4);
    return parsed === DropReason.none ? client.receive(this.#message4) : parsed;
  }

  #interface(index: number): NetworkInterface {
    const iface = this.#around.topology.interface(index);
    if (iface.isLoopback) throw new RangeError('the loopback interface needs no DHCP');
    return iface;
  }

  #startV4(iface: NetworkInterface, options: DhcpOptions): void {
    const requested = requestedAddress(options);
    const client = new DhcpV4Client(this.#around, this.#v4Options(iface, options));
    this.#v4.get(iface.index)?.close();
    this.#v4.set(iface.index, client);
    client.start(requested);
  }

  #v4Options(iface: NetworkInterface, options: DhcpOptions): V4ClientOptions {
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
      linkLocalFallback: options.linkLocalFallback ?? true,
      checksConflicts: mac !== null,
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
    return mac === null ? duidOfUuid(uuidOfSecret(this.#around.host.secret)) : duidOfLinkLayer(mac);
  }
}

function requestedAddress({ requestedAddress: address }: DhcpOptions): IpAddress | null {
  if (address !== undefined && address.family !== 4)
    throw new RangeError(`${address} is no IPv4 address to be asked for`);
  return address ?? null;
}
