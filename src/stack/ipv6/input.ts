/**
 * From an IPv6 packet to a transport: header, addresses, extension headers, and who takes it (RFC 8200, RFC 4291 §2).
 */

import { FRAME_CSUM_VALID, FRAME_NEEDS_CSUM } from '../../base/index.ts';
import {
  DropReason,
  IcmpV6Unreachable,
  IPPROTO_ICMPV6,
  IPV6_NO_NEXT_HEADER,
  Ipv6Extensions,
  Ipv6Header,
  isIpv6Extension,
  parseIpv6,
  skipIpv6Extensions,
  walkIpv6Extensions,
} from '../../wire/index.ts';
import type { Transport } from '../host.ts';
import type { HostCore } from '../host-core.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Packet } from '../ip/packet.ts';
import type { Reassembler } from '../ip/reassemble.ts';
import type { RawTransport } from '../raw/transport.ts';
import type { Forwarder } from '../route/forwarder.ts';
import { isPassableV6 } from '../route/martians.ts';
import { isTakenTransparently } from '../route/transparent.ts';
import type { Topology } from '../topology.ts';
import type { Icmp6 } from './icmp.ts';

/** ff01::1 and ff02::1, and ff02::1:ff00:0/104, in words (RFC 4291 §2.7.1). */
const INTERFACE_LOCAL = 0xff010000 | 0;
const LINK_LOCAL = 0xff020000 | 0;
const SOLICITED_NODE = 0xff;
/** Where the fields are that a fragment may have wrong: in the header, and in the fragment header. */
const PAYLOAD_LENGTH_OFFSET = 4;
const FRAGMENT_OFFSET_OFFSET = 2;
/** The third word of a v4-mapped address. */
const MAPPED_WORD = 0xffff;

export class Ipv6Input {
  readonly #host: HostCore;
  readonly #topology: Topology;
  readonly #packet: Packet;
  readonly #reassembler: Reassembler;
  readonly #icmp: Icmp6;
  readonly #raw: RawTransport;
  readonly #transports: ReadonlyMap<number, Transport>;
  readonly #forwarder: Forwarder;
  readonly #header = new Ipv6Header();
  readonly #chain = new Ipv6Extensions();
  readonly #restOfChain = new Ipv6Extensions();

  /** @param packet filled in for each packet */
  constructor(
    host: HostCore,
    packet: Packet,
    reassembler: Reassembler,
    icmp: Icmp6,
    raw: RawTransport,
    transports: ReadonlyMap<number, Transport>,
    forwarder: Forwarder,
  ) {
    this.#forwarder = forwarder;
    this.#host = host;
    this.#topology = host.topology;
    this.#packet = packet;
    this.#reassembler = reassembler;
    this.#icmp = icmp;
    this.#raw = raw;
    this.#transports = transports;
  }

  /**
   * Takes the packet `at … end`, with its frame's `FRAME_*` flags and segment size.
   * @param isLinkGroup the frame came to a group of stations
   * @returns `none`, or why it was not used (not counted yet)
   */
  receive(
    iface: NetworkInterface,
    bytes: Uint8Array,
    at: number,
    end: number,
    flags: number,
    gsoSize: number,
    isLinkGroup: boolean,
  ): DropReason {
    const header = this.#header;
    const packet = this.#packet;
    const parsed = parseIpv6(bytes, at, end, header);
    if (parsed !== DropReason.none) return parsed;
    packet.setIpv6(bytes, header, header.nextHeader, header.payloadAt, iface.index);
    const reason = this.#checkAddresses(iface, packet, isLinkGroup);
    if (reason !== DropReason.none) {
      const isForOthers = reason === DropReason.ipNotForUs && !packet.isGroup && !isLinkGroup;
      if (!isForOthers) return reason;
      return this.#receiveForOthers(iface, packet, (flags & FRAME_NEEDS_CSUM) !== 0, gsoSize);
    }
    packet.checksumPartial = (flags & FRAME_NEEDS_CSUM) !== 0;
    packet.checksumTrusted = (flags & (FRAME_NEEDS_CSUM | FRAME_CSUM_VALID)) !== 0;
    packet.gsoSize = gsoSize;
    const chain = this.#chain;
    if (isIpv6Extension(header.nextHeader)) {
      const walked = walkIpv6Extensions(bytes, header, chain);
      if (walked !== DropReason.none) {
        this.#reportProblem(packet);
        return walked;
      }
      packet.protocol = chain.protocol;
      packet.payloadAt = chain.payloadAt;
      packet.isFragmented = chain.hasFragmentHeader;
      if (chain.isFragment) return this.#receiveFragment(iface, bytes);
    } else {
      chain.reset(header);
    }
    return this.#deliver(packet);
  }

  #receiveFragment(iface: NetworkInterface, bytes: Uint8Array): DropReason {
    const reassembler = this.#reassembler;
    const packet = this.#packet;
    const reason = reassembler.addIpv6(
      bytes,
      this.#header,
      this.#chain,
      packet.interfaceIndex,
      this.#host.now,
    );
    // RFC 8200 §4.5: a length that is no multiple of 8, and an end past 65,535, are told to the sender.
    if (reason === DropReason.fragmentMisaligned) this.#icmp.fieldProblem(packet, PAYLOAD_LENGTH_OFFSET);
    else if (reason === DropReason.fragmentTooBig) {
      this.#icmp.fieldProblem(packet, this.#chain.fragmentAt + FRAGMENT_OFFSET_OFFSET - packet.headerAt);
    }
    if (reason !== DropReason.none || !reassembler.isComplete) return reason;
    const verdict = this.#receiveWhole(iface);
    reassembler.release();
    return verdict;
  }

  /** Takes what the reassembler has put together: what its fragments carried is walked now. */
  #receiveWhole(iface: NetworkInterface): DropReason {
    const { bytes, headerAt, end } = this.#reassembler;
    const header = this.#header;
    const chain = this.#chain;
    const packet = this.#packet;
    const { isGroup, interfaceIndex, zone } = packet;
    const parsed = parseIpv6(bytes, headerAt, end, header);
    if (parsed !== DropReason.none) return parsed;
    packet.setIpv6(bytes, header, header.nextHeader, header.payloadAt, iface.index);
    packet.isFragmented = true;
    packet.isGroup = isGroup;
    packet.interfaceIndex = interfaceIndex;
    packet.zone = zone;
    const walked = walkIpv6Extensions(bytes, header, chain);
    if (walked !== DropReason.none) {
      this.#reportProblem(packet);
      return walked;
    }
    // A packet is a fragment once.
    if (chain.isFragment) return DropReason.ipv6ExtensionOrder;
    packet.protocol = chain.protocol;
    packet.payloadAt = chain.payloadAt;
    return this.#deliver(packet);
  }

  /** What is for another host: it is passed on where that is switched on. */
  #receiveForOthers(
    iface: NetworkInterface,
    packet: Packet,
    isPartial: boolean,
    gsoSize: number,
  ): DropReason {
    if (iface.isTransparent) this.#icmp.unreachable(packet, IcmpV6Unreachable.prohibited);
    if (!iface.isForwarding) return DropReason.ipNotForUs;
    if (this.#isSourceFaulty(iface, packet)) return DropReason.ipSourceAddress;
    packet.gsoSize = gsoSize;
    return this.#forwarder.forwardV6(packet, this.#header, isPartial, gsoSize);
  }

  /** Has the sender told what was wrong with the chain, unless the packet is an error itself. */
  #reportProblem(packet: Packet): void {
    const rest = this.#restOfChain;
    if (skipIpv6Extensions(packet.bytes, this.#header, rest) === DropReason.none) {
      packet.protocol = rest.protocol;
      packet.payloadAt = rest.payloadAt;
    }
    this.#icmp.parameterProblem(packet, this.#chain);
  }

  /** Gives a whole packet that is for us to raw endpoints and its transport. */
  #deliver(packet: Packet): DropReason {
    const { protocol } = packet;
    if (protocol === IPV6_NO_NEXT_HEADER) return DropReason.ipv6NoNextHeader;
    this.#host.counters.ipInDelivers++;
    const copies = this.#raw.size > 0 ? this.#raw.deliver(packet) : 0;
    const rawOwner = packet.owner;
    packet.owner = null;
    const transport = protocol === IPPROTO_ICMPV6 ? this.#icmp : this.#transports.get(protocol);
    if (transport !== undefined) {
      const reason = transport.receive(packet) as DropReason;
      packet.owner ??= rawOwner;
      return reason;
    }
    packet.owner = rawOwner;
    if (copies > 0) return DropReason.none;
    this.#icmp.refuseProtocol(packet, this.#chain.protocolAt);
    return DropReason.ipProtocolUnknown;
  }

  /**
   * Whether the packet is for this host and may come from where it says; notes whether it is for a group.
   *
   * The strong host model (RFC 1122 §3.3.4.2): an address is ours on its own interface only.
   */
  #checkAddresses(iface: NetworkInterface, packet: Packet, isLinkGroup: boolean): DropReason {
    const { dst0, dst1, dst2, dst3, src0, src1, src2 } = packet;
    // RFC 4942 §2.2: as IPv4 connections hold them, from a link they would forge one.
    if (isMapped(src0, src1, src2) || isMapped(dst0, dst1, dst2)) return DropReason.ipSourceAddress;
    const isGroup = dst0 >>> 24 === 0xff;
    packet.isGroup = isGroup;
    if (src0 >>> 24 === 0xff) return DropReason.ipSourceAddress;
    if (iface.isLoopback) return this.#checkLoopback(packet);
    if (isGroup) {
      if (!isGroupOf(iface, dst0, dst1, dst2, dst3)) return DropReason.ipNotForUs;
    } else if (isLinkGroup || !this.#isTaken(iface, packet)) {
      // RFC 1122 §3.3.6 of both families: sent to all stations, but to one host: nobody honest does that.
      return DropReason.ipNotForUs;
    }
    return this.#isSourceFaulty(iface, packet) ? DropReason.ipSourceAddress : DropReason.none;
  }

  /** Whether the destination is ours, or taken as if it were. */
  #isTaken(iface: NetworkInterface, packet: Packet): boolean {
    const { dst0, dst1, dst2, dst3 } = packet;
    if (iface.hasV6(dst0, dst1, dst2, dst3) || isTakenTransparently(iface, packet)) return true;
    // What is of another link's scope only is not ours here, whatever the model.
    return (
      iface.takesAllOurs &&
      isPassableV6(dst0, dst1, dst2, dst3) &&
      this.#ownerOf(dst0, dst1, dst2, dst3) !== null
    );
  }

  /** RFC 4291 §2.5.2, §2.5.3: a source is one host's address, and never our own; `::` only calls to groups. */
  #isSourceFaulty(iface: NetworkInterface, packet: Packet): boolean {
    const { src0, src1, src2, src3 } = packet;
    if ((src0 | src1 | src2) === 0) return src3 === 1 || (src3 === 0 && !packet.isGroup);
    return iface.hasV6(src0, src1, src2, src3);
  }

  /** What we sent to ourselves: a scoped address belongs to the interface that has it. */
  #checkLoopback(packet: Packet): DropReason {
    const { dst0, dst1, dst2, dst3 } = packet;
    if (packet.isGroup) return this.#checkCopy(packet);
    const owner = this.#ownerOf(dst0, dst1, dst2, dst3);
    if (owner === null) return DropReason.ipNotForUs;
    if (packet.zone !== 0) {
      packet.zone = owner.index;
      packet.interfaceIndex = owner.index;
    }
    return DropReason.none;
  }

  /** A copy of our own datagram to a group, for members on the interface by which the other has left. */
  #checkCopy(packet: Packet): DropReason {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const sender = this.#ownerOf(src0, src1, src2, src3);
    if (sender === null || !isGroupOf(sender, dst0, dst1, dst2, dst3)) return DropReason.ipNotForUs;
    if (packet.zone !== 0) packet.zone = sender.index;
    packet.interfaceIndex = sender.index;
    return DropReason.none;
  }

  /** The interface that has an address. */
  #ownerOf(w0: number, w1: number, w2: number, w3: number): NetworkInterface | null {
    const { interfaces } = this.#topology;
    for (let i = 0; i < interfaces.length; i++) {
      const iface = interfaces[i] as NetworkInterface;
      if (iface.hasV6(w0, w1, w2, w3)) return iface;
    }
    return null;
  }
}

/** Whether an interface listens to a group: joined, or one that every host is in (RFC 4291 §2.8). */
function isGroupOf(iface: NetworkInterface, w0: number, w1: number, w2: number, w3: number): boolean {
  if (iface.groups.size > 0 && iface.groups.find(w0, w1, w2, w3) !== null) return true;
  if (w1 !== 0) return false;
  if (w2 === 0 && w3 === 1) return w0 === LINK_LOCAL || w0 === INTERFACE_LOCAL;
  if (w0 !== LINK_LOCAL || w2 !== 1 || w3 >>> 24 !== SOLICITED_NODE) return false;
  return iface.hasSolicitedNode(w3 & 0xffffff);
}

function isMapped(w0: number, w1: number, w2: number): boolean {
  return w2 === MAPPED_WORD && w1 === 0 && w0 === 0;
}
