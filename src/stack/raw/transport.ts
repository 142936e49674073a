/**
 * Raw endpoints: copies of what arrives, besides its normal processing (RAW-07), and of all that crosses an interface for
 * those that tap it (SIO_RCVALL).
 */

import { FRAME_NEEDS_CSUM, type IpFamily, type TransmitBatch, u8 } from '../../base/index.ts';
import {
  DropReason,
  FramePackets,
  Ipv4Header,
  Ipv6Extensions,
  Ipv6Header,
  linkHeaderLength,
  parseIpv4,
  parseIpv6,
  skipIpv6Extensions,
} from '../../wire/index.ts';
import type { RawTap } from '../api.ts';
import type { Host, InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { Packet } from '../ip/packet.ts';
import { RawSocket, type RawTables } from './endpoint.ts';
import { WholePackets } from './whole-packets.ts';

/** The protocol of endpoints that get every one's packets (IPPROTO_IP). */
const ANY_PROTOCOL = 0;
const IPPROTO_IGMP = 2;

export class RawTransport implements RawTables {
  readonly isRestricted: boolean;
  readonly #host: Host;
  readonly #byProtocol = new Map<number, RawSocket[]>();
  readonly #tapped: RawSocket[] = [];
  readonly #whole = new WholePackets();
  /** For taps: what crosses an interface is not for us, mostly. */
  readonly #header = new Ipv4Header();
  readonly #header6 = new Ipv6Header();
  readonly #chain = new Ipv6Extensions();
  readonly #packet = new Packet();
  readonly #outbound = new FramePackets();
  #alerted = 0;
  #size = 0;

  /** @param isRestricted see `StackOptions.rawRestrictions` */
  constructor(host: Host, isRestricted: boolean) {
    this.#host = host;
    this.isRestricted = isRestricted;
  }

  /** How many endpoints there are: with none, no packet need be looked at. */
  get size(): number {
    return this.#size;
  }

  /** How many of them tap an interface, and how many want packets with a router alert. */
  get taps(): number {
    return this.#tapped.length;
  }

  get alerted(): number {
    return this.#alerted;
  }

  open(protocol: number, family: IpFamily = 4): RawSocket {
    const endpoint = new RawSocket(this.#host, this, protocol, family);
    const list = this.#byProtocol.get(protocol);
    if (list === undefined) this.#byProtocol.set(protocol, [endpoint]);
    else list.push(endpoint);
    this.#size++;
    return endpoint;
  }

  *endpoints(): IterableIterator<RawSocket> {
    for (const list of this.#byProtocol.values()) yield* list;
  }

  /**
   * Gives every endpoint that wants the packet a copy; one whose queue is full misses it, counted.
   * @returns how many of its very protocol wanted it: one that gets every protocol's does not speak any
   */
  deliver(packet: InboundPacket): number {
    const { protocol } = packet;
    if (protocol !== ANY_PROTOCOL) this.#copyTo(this.#byProtocol.get(ANY_PROTOCOL), packet);
    return this.#copyTo(this.#byProtocol.get(protocol), packet);
  }

  /** Gives a packet with a router alert that is not for us to those who want such ones (SIO_ABSORB_RTRALERT, RFC 2113). */
  deliverAlert(packet: InboundPacket): number {
    const list = this.#byProtocol.get(packet.protocol);
    let wanted = 0;
    for (let i = 0; list !== undefined && i < list.length; i++) {
      const endpoint = list[i] as RawSocket;
      if (!endpoint.absorbsRouterAlert || endpoint.family !== packet.family) continue;
      wanted++;
      this.#copy(endpoint, packet);
    }
    return wanted;
  }

  /** Whether an endpoint may have sent a packet that an ICMP error quotes. */
  isSender(quoted: InboundPacket): boolean {
    const list = this.#byProtocol.get(quoted.protocol) ?? [];
    return list.some((endpoint) => endpoint.mayHaveSent(quoted));
  }

  /**
   * Shows a packet that arrived to those who tap the interface, whoever it is for.
   * @param isForOthers its frame is addressed to another station: only who is promiscuous sees it
   */
  tapInbound(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
    isForOthers: boolean,
  ): void {
    if (!this.#read(iface, bytes, at, end)) return;
    this.#packet.checksumPartial = (flags & FRAME_NEEDS_CSUM) !== 0;
    this.#packet.gsoSize = gsoSize;
    this.#show(isForOthers);
  }

  /** Shows the frames from `first` on, which are about to leave, to those who tap the interface. */
  tapOutbound(iface: NetworkInterface, batch: TransmitBatch, first: number): void {
    const linkLength = linkHeaderLength(iface.medium);
    const frames = this.#outbound;
    for (let i = first; i < batch.count; i++) {
      frames.beginOutbound(batch, i, linkLength);
      while (frames.next()) {
        const { bytes, at, length } = frames;
        if (this.#read(iface, bytes, at + linkLength, at + length)) this.#show(false);
      }
    }
  }

  tapped(endpoint: RawSocket, isOn: boolean): void {
    const at = this.#tapped.indexOf(endpoint);
    if (isOn && at < 0) this.#tapped.push(endpoint);
    else if (!isOn && at >= 0) this.#tapped.splice(at, 1);
  }

  wantsAlerts(isOn: boolean): void {
    this.#alerted += isOn ? 1 : -1;
  }

  closed(endpoint: RawSocket): void {
    this.tapped(endpoint, false);
    const list = this.#byProtocol.get(endpoint.protocol);
    const at = list?.indexOf(endpoint) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#byProtocol.delete(endpoint.protocol);
    this.#size--;
  }

  #copyTo(list: readonly RawSocket[] | undefined, packet: InboundPacket): number {
    let wanted = 0;
    for (let i = 0; list !== undefined && i < list.length; i++) {
      const endpoint = list[i] as RawSocket;
      if (!endpoint.wants(packet)) continue;
      wanted++;
      this.#copy(endpoint, packet);
    }
    return wanted;
  }

  /** A copy is what a wire would have carried: one packet, its checksum whole. */
  #copy(endpoint: RawSocket, packet: InboundPacket): void {
    if (packet.gsoSize === 0 && !packet.checksumPartial) {
      this.#count(endpoint.receivePacket(packet, packet.bytes, packet.headerAt, packet.end));
      return;
    }
    const whole = this.#whole;
    whole.begin(packet);
    while (whole.next()) this.#count(endpoint.receivePacket(packet, whole.bytes, whole.at, whole.end));
  }

  #count(reason: DropReason): void {
    if (reason !== DropReason.none) this.#host.counters.drop(reason);
  }

  /** Reads a packet for those who tap; what has no right header is shown to nobody. */
  #read(iface: NetworkInterface, bytes: Uint8Array, at: number, end: number): boolean {
    if (end > at && u8(bytes, at) >> 4 === 6) return this.#readIpv6(iface, bytes, at, end);
    if (end <= at || u8(bytes, at) >> 4 !== 4) return false;
    const reason = parseIpv4(bytes, at, end, this.#header);
    if (reason !== DropReason.none && reason !== DropReason.ipOptions) return false;
    this.#packet.setIpv4(bytes, this.#header, iface.index);
    return true;
  }

  #readIpv6(iface: NetworkInterface, bytes: Uint8Array, at: number, end: number): boolean {
    const header = this.#header6;
    if (parseIpv6(bytes, at, end, header) !== DropReason.none) return false;
    // A later fragment is shown too: as one of the protocol that its chain gets to.
    skipIpv6Extensions(bytes, header, this.#chain);
    const { protocol, payloadAt } = this.#chain;
    this.#packet.setIpv6(bytes, header, protocol, payloadAt, iface.index);
    return true;
  }

  #show(isForOthers: boolean): void {
    const packet = this.#packet;
    for (let i = 0; i < this.#tapped.length; i++) {
      const endpoint = this.#tapped[i] as RawSocket;
      if (endpoint.tapInterface !== packet.interfaceIndex || endpoint.family !== packet.family) continue;
      if (showsTo(endpoint.tap, packet, isForOthers)) this.#copy(endpoint, packet);
    }
  }
}

function showsTo(tap: RawTap, packet: InboundPacket, isForOthers: boolean): boolean {
  switch (tap) {
    case 'promiscuous':
      return true;
    case 'received':
      return !isForOthers;
    case 'multicast':
      return isMulticast(packet);
    case 'groupReports':
      return packet.protocol === IPPROTO_IGMP && isMulticast(packet);
    default:
      return false;
  }
}

function isMulticast(packet: InboundPacket): boolean {
  return packet.family === 4 ? packet.dst3 >>> 28 === 0xe : packet.dst0 >>> 24 === 0xff;
}
