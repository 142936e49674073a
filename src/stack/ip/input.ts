/**
 * From a frame to a transport: link header, IP header, addresses, fragments, and who takes the packet (RFC 1122 §3.2).
 */

import { FRAME_CSUM_VALID, FRAME_NEEDS_CSUM, u8, u16 } from '../../base/index.ts';
import {
  DHCPV4_CLIENT_PORT,
  DropReason,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  EthernetHeader,
  IcmpV4Unreachable,
  IPPROTO_ICMP,
  IPPROTO_UDP,
  IPV4_OPTION_ROUTER_ALERT,
  IPV4_OPTION_SOURCE_ROUTE,
  Ipv4Header,
  parseEthernet,
  parseIpv4,
  UDP_HEADER_LEN,
} from '../../wire/index.ts';
import type { Transport } from '../host.ts';
import type { HostCore } from '../host-core.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Icmp6 } from '../ipv6/icmp.ts';
import { Ipv6Input } from '../ipv6/input.ts';
import type { RawTransport } from '../raw/transport.ts';
import { Forwarder } from '../route/forwarder.ts';
import { isTakenTransparently } from '../route/transparent.ts';
import type { Topology } from '../topology.ts';
import type { Icmp } from './icmp.ts';
import { Packet } from './packet.ts';
import { Reassembler } from './reassemble.ts';
import { LEAST_MTU_V6 } from './too-big.ts';

/** 224.0.0.1, to which every host belongs (RFC 1112 §4). */
const ALL_HOSTS = 0xe0000001 | 0;

export class IpInput {
  /** The packet last taken: `owner` says who got it. */
  readonly packet = new Packet();
  readonly reassembler: Reassembler;
  readonly #host: HostCore;
  readonly #topology: Topology;
  readonly #icmp: Icmp;
  readonly #raw: RawTransport;
  readonly #transports: ReadonlyMap<number, Transport>;
  /** Passes on what is for others. */
  readonly forwarder: Forwarder;
  readonly #ipv6: Ipv6Input;
  readonly #ethernet = new EthernetHeader();
  readonly #header = new Ipv4Header();
  /** The frame came to a group of stations, whatever its IP destination. */
  #isLinkGroup = false;

  constructor(
    host: HostCore,
    icmp: Icmp,
    icmp6: Icmp6,
    raw: RawTransport,
    transports: ReadonlyMap<number, Transport>,
  ) {
    this.#host = host;
    this.#topology = host.topology;
    this.#icmp = icmp;
    this.#raw = raw;
    this.#transports = transports;
    this.forwarder = new Forwarder(host, host.topology, icmp, icmp6);
    this.reassembler = new Reassembler(host.allocator, host.timers, host.counters, {
      reassemblyExpired: (packet) => (packet.family === 4 ? icmp : icmp6).reassemblyExpired(packet),
    });
    this.#ipv6 = new Ipv6Input(host, this.packet, this.reassembler, icmp6, raw, transports, this.forwarder);
  }

  /**
   * Takes the frame `at … end`, with its `FRAME_*` flags and segment size.
   * @returns `none`, or why it was not used (not counted yet)
   */
  receiveFrame(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
  ): DropReason {
    this.packet.owner = null;
    this.#isLinkGroup = false;
    if (iface.medium === 'ip') {
      if (end > at && u8(bytes, at) >> 4 === 6)
        return this.#receiveIpv6(iface, bytes, at, end, flags, gsoSize);
      return this.#receivePacket(iface, bytes, at, end, flags, gsoSize);
    }
    const ethernet = this.#ethernet;
    const reason = parseEthernet(bytes, at, end, ethernet);
    if (reason !== DropReason.none) return reason;
    this.#isLinkGroup = ethernet.isGroup;
    if (!ethernet.isGroup && !isOwnMac(iface, ethernet)) {
      if (this.#raw.taps > 0) {
        this.#raw.tapInbound(iface, bytes, ethernet.payloadAt, end, flags, gsoSize, true);
      }
      return DropReason.frameNotForUs;
    }
    if (ethernet.etherType === ETHERTYPE_IPV6)
      return this.#receiveIpv6(iface, bytes, ethernet.payloadAt, end, flags, gsoSize);
    if (ethernet.etherType === ETHERTYPE_ARP && iface.arp !== null) {
      return iface.arp.receive(bytes, ethernet.payloadAt, end);
    }
    if (ethernet.etherType !== ETHERTYPE_IPV4) return DropReason.etherTypeUnknown;
    return this.#receivePacket(iface, bytes, ethernet.payloadAt, end, flags, gsoSize);
  }

  #receiveIpv6(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
  ): DropReason {
    this.#host.counters.ipInReceives++;
    if (this.#raw.taps > 0) this.#raw.tapInbound(iface, bytes, at, end, flags, gsoSize, false);
    // A link below the least MTU does not carry IPv6 (RFC 8200 §5), nor can it be answered over it.
    if (iface.linkMtu < LEAST_MTU_V6) return DropReason.ipFamilyUnsupported;
    return this.#ipv6.receive(iface, bytes, at, end, flags, gsoSize, this.#isLinkGroup);
  }

  #receivePacket(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
  ): DropReason {
    const { counters } = this.#host;
    const header = this.#header;
    const { packet } = this;
    counters.ipInReceives++;
    if (this.#raw.taps > 0) this.#raw.tapInbound(iface, bytes, at, end, flags, gsoSize, false);
    const parsed = parseIpv4(bytes, at, end, header);
    if (parsed !== DropReason.none && parsed !== DropReason.ipOptions) return parsed;
    packet.setIpv4(bytes, header, iface.index);
    const reason = this.#checkAddresses(iface, packet);
    const isForOthers = reason === DropReason.ipNotForUs && iface.isForwarding && !this.#isLinkGroup;
    if (reason !== DropReason.none) {
      const isAlert = (header.options & IPV4_OPTION_ROUTER_ALERT) !== 0 && !header.isFragment;
      const isTaken = isAlert && this.#raw.alerted > 0 && reason === DropReason.ipNotForUs;
      if (isTaken && this.#raw.deliverAlert(packet) > 0) return DropReason.none;
      // A gateway that ends connections of others has no way on for what is none.
      const isStranded = iface.isTransparent && reason === DropReason.ipNotForUs;
      if (isStranded) this.#icmp.unreachable(packet, IcmpV4Unreachable.communicationProhibited);
      if (!isForOthers) return reason;
      if (this.#isSourceFaulty(iface, packet.src3, false)) return DropReason.ipSourceAddress;
    }
    if (parsed === DropReason.ipOptions) {
      this.#icmp.parameterProblem(packet, header.problemPointer);
      return parsed;
    }
    // RFC 7126 §4.3: packets that choose their own way are dropped, also here where it ends.
    if ((header.options & IPV4_OPTION_SOURCE_ROUTE) !== 0) return DropReason.ipSourceRoute;
    if (isForOthers) {
      packet.gsoSize = gsoSize;
      return this.forwarder.forwardV4(iface, packet, header, (flags & FRAME_NEEDS_CSUM) !== 0, gsoSize);
    }
    if (header.isFragment) return this.#receiveFragment(iface, bytes);
    packet.checksumPartial = (flags & FRAME_NEEDS_CSUM) !== 0;
    packet.checksumTrusted = (flags & (FRAME_NEEDS_CSUM | FRAME_CSUM_VALID)) !== 0;
    packet.gsoSize = gsoSize;
    return this.#deliver(packet);
  }

  #receiveFragment(iface: NetworkInterface, bytes: Uint8Array): DropReason {
    const header = this.#header;
    const { reassembler } = this;
    const reason = reassembler.addIpv4(bytes, header, iface.index, this.#host.now);
    if (reason !== DropReason.none || !reassembler.isComplete) return reason;
    const verdict = this.#receiveWhole(iface);
    reassembler.release();
    return verdict;
  }

  /** Takes what the reassembler has put together. */
  #receiveWhole(iface: NetworkInterface): DropReason {
    const header = this.#header;
    const { reassembler, packet } = this;
    const { isGroup } = packet;
    const whole = parseIpv4(reassembler.bytes, reassembler.headerAt, reassembler.end, header);
    if (whole !== DropReason.none) return whole;
    packet.setIpv4(reassembler.bytes, header, iface.index);
    packet.isGroup = isGroup;
    return this.#deliver(packet);
  }

  /** Gives a whole packet that is for us to raw endpoints and its transport. */
  #deliver(packet: Packet): DropReason {
    const host = this.#host;
    const translated = packet.isGroup ? -1 : this.forwarder.receiveTranslated(packet);
    if (translated >= 0) return translated as DropReason;
    host.counters.ipInDelivers++;
    const copies = this.#raw.size > 0 ? this.#raw.deliver(packet) : 0;
    const rawOwner = packet.owner;
    packet.owner = null;
    const { protocol } = packet;
    const transport = protocol === IPPROTO_ICMP ? this.#icmp : this.#transports.get(protocol);
    if (transport !== undefined) {
      const reason = transport.receive(packet) as DropReason;
      packet.owner ??= rawOwner;
      return reason;
    }
    packet.owner = rawOwner;
    if (copies > 0) return DropReason.none;
    this.#icmp.refuseProtocol(packet);
    return DropReason.ipProtocolUnknown;
  }

  /**
   * Whether the packet is for this host and may come from where it says; notes whether it is for a group.
   *
   * The strong host model (RFC 1122 §3.3.4.2): an address is ours on its own interface only, unless it is switched off there.
   */
  #checkAddresses(iface: NetworkInterface, packet: Packet): DropReason {
    const source = packet.src3;
    const destination = packet.dst3;
    if (iface.isLoopback) {
      // What is for a group is a copy of our own.
      return this.#topology.isLocalV4(destination) ? DropReason.none : this.#checkCopy(packet);
    }
    const isForUs =
      iface.hasV4(destination) ||
      (iface.takesAllOurs && destination >>> 24 !== 127 && this.#topology.isLocalV4(destination)) ||
      isTakenTransparently(iface, packet);
    if (!isForUs) {
      const isGroup = isGroupOf(iface, destination);
      if (!isGroup && !(iface.isConfiguring && this.#isForDhcpClient(packet))) return DropReason.ipNotForUs;
      packet.isGroup = isGroup;
    } else if (this.#isLinkGroup) {
      // RFC 1122 §3.3.6: sent to all stations, but to one host: nobody honest does that.
      return DropReason.ipNotForUs;
    }
    return this.#isSourceFaulty(iface, source, packet.isGroup) ? DropReason.ipSourceAddress : DropReason.none;
  }

  /** A copy of our own datagram to a group, for members on the interface by which the other has left (RFC 1112 §6.1). */
  #checkCopy(packet: Packet): DropReason {
    const sender = this.#topology.interfaceOfV4(packet.src3);
    if (sender === null || !isGroupOf(sender, packet.dst3)) return DropReason.ipNotForUs;
    packet.isGroup = true;
    packet.interfaceIndex = sender.index;
    return DropReason.none;
  }

  /** Whether a DHCP client may be meant that has no address yet: RFC 2131 §4.1. */
  #isForDhcpClient({ bytes, protocol, payloadAt, end }: Packet): boolean {
    if (protocol !== IPPROTO_UDP || this.#header.isFragment || end - payloadAt < UDP_HEADER_LEN) return false;
    return u16(bytes, payloadAt + 2) === DHCPV4_CLIENT_PORT;
  }

  /** RFC 1122 §3.2.1.3: a source is one host's address, and never our own. */
  #isSourceFaulty(iface: NetworkInterface, source: number, isToGroup: boolean): boolean {
    // 0.0.0.0 is who has no address yet, and calls to all (RFC 2131 §4.1).
    if (source >>> 24 === 0) return source !== 0 || !isToGroup;
    // Multicast, class E and the limited broadcast; loopback; a subnet's broadcast; ourselves.
    return (
      source >>> 29 === 7 ||
      source >>> 24 === 127 ||
      iface.isSubnetBroadcast(source) ||
      this.#topology.isLocalV4(source)
    );
  }
}

/** Whether `destination` is a group that the interface listens to, or a broadcast. */
function isGroupOf(iface: NetworkInterface, destination: number): boolean {
  if (destination >>> 28 === 0xe) return destination === ALL_HOSTS || iface.groups.hasV4(destination);
  return destination === -1 || iface.isSubnetBroadcast(destination);
}

function isOwnMac(iface: NetworkInterface, header: EthernetHeader): boolean {
  const { mac } = iface;
  if (mac === null) return false;
  return (
    header.destinationLow ===
      (((mac[2] as number) << 24) |
        ((mac[3] as number) << 16) |
        ((mac[4] as number) << 8) |
        (mac[5] as number)) && header.destinationHigh === (((mac[0] as number) << 8) | (mac[1] as number))
  );
}
