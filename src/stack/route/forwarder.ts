/**
 * Passing on packets that are for others (RFC 1812 §5), between interfaces where that is switched on.
 *
 *     martians → way on → TTL → redirect → options → size → [cut, complete, fragment] → queue of the outgoing interface
 *
 * A packet's bytes are borrowed and not changed: the header is written anew, its checksum brought up to date (RFC 1624), and
 * the rest copied once into the queue. A super-segment goes on whole when the outgoing link takes such; otherwise it is cut,
 * as is done with a partial checksum: completed here when the link can't.
 */

import {
  copy,
  EMPTY,
  GSO_ECN,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  isLinkLocalWord,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  putU16,
  u16,
} from '../../base/index.ts';
import {
  completeChecksum,
  DropReason,
  IcmpV4Unreachable,
  IcmpV6Unreachable,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV4_MORE_FRAGMENTS,
  IPV4_OPTION_RECORD_ROUTE,
  IPV4_OPTION_TIMESTAMP,
  IPV6_HEADER_LEN,
  type Ipv4Header,
  Ipv6Extensions,
  type Ipv6Header,
  isIpv6Extension,
  parseIpv4,
  SegmentCutter,
  sealIpv4,
  skipIpv6Extensions,
  TCP_CHECKSUM_OFFSET,
  TCP_CWR,
  TCP_HEADER_LEN,
  UDP_CHECKSUM_OFFSET,
  UDP_HEADER_LEN,
  updateChecksum,
} from '../../wire/index.ts';
import type { NatOptions } from '../api.ts';
import type { Host, InboundPacket } from '../host.ts';
import { contains, type NetworkInterface } from '../interface.ts';
import {
  copiedOptions,
  fillRoute,
  fillTimestamp,
  type IsOurAddress,
  insertOptions,
} from '../ip/ipv4-options.ts';
import { destinationOf, Packet, sourceOf } from '../ip/packet.ts';
import { Reassembler, type ReassemblyOwner } from '../ip/reassemble.ts';
import { linkLocalOf } from '../multicast/link-local.ts';
import { Translator } from '../nat/translator.ts';
import type { Topology } from '../topology.ts';
import { ForwardQueue } from './forward-queue.ts';
import { type ForwardWay, ForwardWays } from './forward-ways.ts';
import { isPassableV4, isPassableV6 } from './martians.ts';

/** Who tells senders what became of their packets; each decides by itself whether an error may be sent. */
export interface ForwardErrors {
  ttlExceeded(packet: InboundPacket): void;
  /** @param code of Destination Unreachable */
  unreachable(packet: InboundPacket, code: number): void;
  tooBig(packet: InboundPacket, mtu: number): void;
}

/** IPv4's, who redirects as well; IPv6's redirects are neighbour discovery's (RFC 4861 §8.2), which knows hardware addresses. */
export interface ForwardErrorsV4 extends ForwardErrors {
  /** @param gateway the better first hop, as a word */
  redirect(packet: InboundPacket, gateway: number): void;
}

/** Room for a head: an IP header with options. */
const HEAD_BYTES = 64;
/** Where IPv6's hop limit is. */
const HOP_LIMIT_OFFSET = 7;
/** Room for the largest packet. */
const WHOLE_BYTES = 65_536;

export class Forwarder {
  readonly #host: Host;
  readonly #errors: ForwardErrorsV4;
  readonly #errors6: ForwardErrors;
  readonly #chain = new Ipv6Extensions();
  readonly #ways: ForwardWays;
  /** By interface index. */
  readonly #queues: (ForwardQueue | undefined)[] = [];
  readonly #topology: Topology;
  /** Translates what leaves by its interface; `null`: nothing is. */
  nat: Translator | null = null;
  /** Of packets that are to be translated. */
  readonly #reassembler: Reassembler;
  readonly #fragmented = new Packet();
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #cutter = new SegmentCutter();
  readonly #isOurs: IsOurAddress;
  /** Made for the first packet that can't leave as it came: the whole packet, and one of its pieces. */
  #whole: Uint8Array | null = null;
  #piece: Uint8Array | null = null;

  /** @param errors of IPv4, `errors6` of IPv6 */
  constructor(
    host: Host,
    topology: Topology,
    errors: ForwardErrorsV4 & ReassemblyOwner,
    errors6: ForwardErrors,
  ) {
    this.#topology = topology;
    this.#reassembler = new Reassembler(host.allocator, host.timers, host.counters, errors);
    this.#host = host;
    this.#errors = errors;
    this.#errors6 = errors6;
    this.#ways = new ForwardWays(host, topology);
    this.#isOurs = (word) => topology.isLocalV4(word);
  }

  /**
   * Begins to translate, or ends it. @param isOwn whether an endpoint of our own has a port
   * @throws {RangeError} when the options can't be; then nothing changes
   */
  setNat(options: NatOptions | null, isOwn: (protocol: number, port: number) => boolean): void {
    let made: Translator | null = null;
    if (options !== null) {
      const outside = this.#topology.interface(options.interfaceIndex);
      made = new Translator(this.#host, outside, options, isOwn, (packet) =>
        this.#errors.unreachable(packet, IcmpV4Unreachable.port),
      );
    }
    this.nat?.close();
    this.nat = made;
  }

  /**
   * Passes on an IPv4 packet that came in by `iface`, whose header is right and whose source is somebody's. It was not sent to
   * all stations of its link.
   * @param isPartial the checksum of its transport is partial
   * @param gsoSize payload bytes of each packet of a super-segment, else 0
   * @param reported the packet as its sender knows it, when it was translated
   * @returns `none`, or why it was dropped (not counted yet)
   */
  forwardV4(
    iface: NetworkInterface,
    packet: Packet,
    header: Ipv4Header,
    isPartial: boolean,
    gsoSize: number,
    reported: InboundPacket = packet,
  ): DropReason {
    const { counters } = this.#host;
    counters.ipInForwDatagrams++;
    const isLater = header.fragmentOffset !== 0;
    if (!isPassableV4(packet.src3) || !isPassableV4(packet.dst3)) return DropReason.forwardProhibited;
    const way = this.#ways.of(packet);
    if (way === null) {
      // RFC 1812 §5.2.7.1: the network, for all that is known here. About a later fragment nothing is said (RFC 1122 §3.2.2).
      if (!isLater) this.#errors.unreachable(reported, IcmpV4Unreachable.net);
      return DropReason.noRoute;
    }
    if (way.isBroadcast) return DropReason.forwardBroadcast;
    if (header.ttl <= 1) {
      if (!isLater) this.#errors.ttlExceeded(reported);
      return DropReason.forwardTtlExceeded;
    }
    if (way.route.interfaceIndex === iface.index && !isLater) this.#redirect(iface, packet, way);
    const length = gsoSize === 0 ? header.totalLength : segmentLength(packet, header.headerLength, gsoSize);
    if (header.dontFragment && length > way.path.linkMtu) {
      counters.ipFragFails++;
      if (!isLater) this.#errors.tooBig(reported, way.path.linkMtu);
      return DropReason.forwardTooBig;
    }
    const { nat } = this;
    if (
      nat !== null &&
      way.route.interface === nat.outside &&
      iface !== nat.outside &&
      packet !== nat.packet
    ) {
      return this.#forwardTranslated(nat, way, packet, header, length, isPartial, gsoSize);
    }
    this.#writeHead(packet, header, way);
    return this.#add(way, packet, header.headerLength, length, isPartial, gsoSize);
  }

  /**
   * A whole packet to an address of ours, which the translator may have given to hosts inside.
   * @returns what became of it; -1 when it is our own
   */
  receiveTranslated(packet: Packet): DropReason | -1 {
    const { nat } = this;
    const iface = nat === null ? null : this.#topology.find(packet.interfaceIndex);
    if (nat === null || iface === null) return -1;
    const { checksumPartial, gsoSize } = packet;
    const reason = nat.inbound(iface, packet, checksumPartial);
    if (reason === DropReason.natTableFull) this.#refuseFull(packet);
    if (reason !== DropReason.none) return reason;
    // From the translator's buffer on; errors are about the packet as it came.
    return this.forwardV4(iface, nat.packet, nat.header, checksumPartial, gsoSize, packet);
  }

  /** RFC 5508 REQ-8: whoever can't be given a mapping is told. */
  #refuseFull(packet: InboundPacket): void {
    this.#errors.unreachable(packet, IcmpV4Unreachable.communicationProhibited);
  }

  /** RFC 4787 REQ-14: fragments are put together first, in whatever order they come: only one has the ports. */
  #forwardTranslated(
    nat: Translator,
    way: ForwardWay,
    packet: Packet,
    header: Ipv4Header,
    length: number,
    isPartial: boolean,
    gsoSize: number,
  ): DropReason {
    const reassembler = this.#reassembler;
    let taken = packet;
    let size = length;
    if (header.isFragment) {
      const reason = reassembler.addIpv4(packet.bytes, header, packet.interfaceIndex, this.#host.now);
      if (reason !== DropReason.none || !reassembler.isComplete) return reason;
      const { bytes, headerAt, end } = reassembler;
      taken = this.#fragmented;
      if (parseIpv4(bytes, headerAt, end, header) !== DropReason.none) {
        reassembler.release();
        return DropReason.natMalformed;
      }
      taken.setIpv4(bytes, header, packet.interfaceIndex);
      size = header.totalLength;
    }
    taken.gsoSize = gsoSize;
    const reason = nat.outbound(taken, isPartial);
    if (reason === DropReason.natTableFull) this.#refuseFull(taken);
    if (taken !== packet) reassembler.release();
    if (reason !== DropReason.none) return reason;
    this.#writeHead(nat.packet, nat.header, way);
    return this.#add(way, nat.packet, nat.header.headerLength, size, isPartial, gsoSize);
  }

  /**
   * As {@link forwardV4} for IPv6 (RFC 8200 §3, §5): no fragments are made here, and extension headers are not looked at but to
   * find the transport's (RFC 8200 §4.3 lets a router pass over hop-by-hop options).
   */
  forwardV6(packet: Packet, header: Ipv6Header, isPartial: boolean, gsoSize: number): DropReason {
    const { counters } = this.#host;
    counters.ipInForwDatagrams++;
    this.#findTransport(packet, header);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    if (!isPassableV6(dst0, dst1, dst2, dst3)) return DropReason.forwardProhibited;
    if (!isPassableV6(src0, src1, src2, src3)) {
      // RFC 4443 §3.1: to somewhere that its source's address means nothing to.
      if (isLinkLocalWord(src0)) this.#errors6.unreachable(packet, IcmpV6Unreachable.beyondScope);
      return DropReason.forwardProhibited;
    }
    const way = this.#ways.of(packet);
    if (way === null) {
      this.#errors6.unreachable(packet, IcmpV6Unreachable.noRoute);
      return DropReason.noRoute;
    }
    if (header.hopLimit <= 1) {
      this.#errors6.ttlExceeded(packet);
      return DropReason.forwardTtlExceeded;
    }
    if (way.route.interfaceIndex === packet.interfaceIndex) this.#redirect6(packet, way);
    const length =
      gsoSize === 0
        ? header.end - header.headerAt
        : segmentLength(packet, packet.payloadAt - header.headerAt, gsoSize);
    if (length > way.path.linkMtu) {
      counters.ipFragFails++;
      this.#errors6.tooBig(packet, way.path.linkMtu);
      return DropReason.forwardTooBig;
    }
    const head = this.#head;
    for (let i = 0; i < IPV6_HEADER_LEN; i++) head[i] = packet.bytes[header.headerAt + i] as number;
    head[HOP_LIMIT_OFFSET] = header.hopLimit - 1;
    return this.#add(way, packet, IPV6_HEADER_LEN, length, isPartial, gsoSize);
  }

  /** Sets protocol and payload of a packet behind its extension headers; a faulty chain is its destination's affair. */
  #findTransport(packet: Packet, header: Ipv6Header): void {
    if (!isIpv6Extension(header.nextHeader)) return;
    const chain = this.#chain;
    if (skipIpv6Extensions(packet.bytes, header, chain) !== DropReason.none) return;
    packet.protocol = chain.protocol;
    packet.payloadAt = chain.payloadAt;
  }

  /** Queues a packet whose head is written, whole or in pieces. @param length of it, or of each packet of a super-segment */
  #add(
    way: ForwardWay,
    packet: Packet,
    headLength: number,
    length: number,
    isPartial: boolean,
    gsoSize: number,
  ): DropReason {
    const isAdded =
      length <= way.path.linkMtu && this.#goesWhole(way, packet.protocol, isPartial, gsoSize)
        ? this.#addAsIs(way, packet, headLength, isPartial, gsoSize)
        : this.#addInPieces(way, packet, headLength, isPartial, gsoSize);
    return isAdded ? DropReason.none : DropReason.outputQueueFull;
  }

  /** RFC 1812 §5.2.7.2: a host on the link that the packet goes back to has a better first hop there. */
  #redirect(iface: NetworkInterface, packet: Packet, way: ForwardWay): void {
    if (!iface.sendsRedirects || iface.medium !== 'ethernet') return;
    const { nextHop } = way;
    for (const { address, prefixLength } of iface.addresses) {
      if (!contains(address, prefixLength, nextHop) || address.family !== packet.family) continue;
      const mask = prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
      if (((address.w3 ^ packet.src3) & mask) === 0) this.#errors.redirect(packet, nextHop.w3);
      return;
    }
  }

  /**
   * RFC 4861 §8.2: likewise, when the sender is on the link by the routes. A router is named by its link-local address, or not at
   * all: only so do hosts know it.
   */
  #redirect6(packet: Packet, { route }: ForwardWay): void {
    const { interface: iface, gateway } = route;
    const { ndp } = iface;
    if (ndp === null || !iface.sendsRedirects || (gateway !== null && !gateway.isLinkLocal)) return;
    if (!ndp.redirects.take()) return;
    const back = this.#topology.routes.lookup(sourceOf(packet), null);
    if (back === null || back.interface !== iface || back.gateway !== null) return;
    const destination = destinationOf(packet);
    const own = linkLocalOf(iface);
    if (own !== null) ndp.redirects.send(packet, own, gateway ?? destination, destination);
  }

  /** Writes the header as it is to leave: one hop less, and what options ask for. */
  #writeHead(packet: Packet, header: Ipv4Header, way: ForwardWay): void {
    const head = this.#head;
    const { bytes, headerAt } = packet;
    const { headerLength, options } = header;
    for (let i = 0; i < headerLength; i++) head[i] = bytes[headerAt + i] as number;
    const before = u16(head, 8);
    putU16(head, 8, before - 0x100);
    putU16(head, 10, updateChecksum(u16(head, 10), before, before - 0x100));
    if ((options & (IPV4_OPTION_RECORD_ROUTE | IPV4_OPTION_TIMESTAMP)) === 0) return;
    const address = way.route.interface.sourceFor(way.nextHop)?.w3 ?? 0;
    if ((options & IPV4_OPTION_RECORD_ROUTE) !== 0) {
      fillRoute(head, header.recordRouteAt - headerAt, address);
    }
    if ((options & IPV4_OPTION_TIMESTAMP) !== 0) {
      fillTimestamp(head, header.timestampAt - headerAt, address, this.#isOurs, this.#host.now);
    }
    sealIpv4(head, 0, headerLength);
  }

  /** Whether the outgoing link takes the frame with what is left to do on it. */
  #goesWhole(way: ForwardWay, protocol: number, isPartial: boolean, gsoSize: number): boolean {
    const { offload } = way.path;
    if ((isPartial || gsoSize > 0) && (offload & OFFLOAD_CSUM) === 0) return false;
    if (gsoSize === 0) return true;
    if (protocol !== IPPROTO_TCP) return (offload & OFFLOAD_USO) !== 0;
    return (offload & (way.destination.family === 4 ? OFFLOAD_TSO4 : OFFLOAD_TSO6)) !== 0;
  }

  #addAsIs(
    way: ForwardWay,
    packet: Packet,
    headLength: number,
    isPartial: boolean,
    gsoSize: number,
  ): boolean {
    const { bytes, headerAt, payloadAt, end, protocol } = packet;
    const restAt = headerAt + headLength;
    return this.#queue(way).add(
      way.path,
      this.#head,
      headLength,
      bytes,
      restAt,
      end - restAt,
      isPartial ? payloadAt - headerAt : 0,
      protocol === IPPROTO_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET,
      gsoSize === 0 ? 0 : gsoTypeOf(packet),
      gsoSize,
    );
  }

  /** Does what the outgoing link can't: cuts, completes the checksum, fragments. */
  #addInPieces(
    way: ForwardWay,
    packet: Packet,
    headLength: number,
    isPartial: boolean,
    gsoSize: number,
  ): boolean {
    this.#whole ??= new Uint8Array(WHOLE_BYTES);
    const whole = this.#whole;
    const { bytes, headerAt, payloadAt, end, protocol } = packet;
    const length = end - headerAt;
    copy(this.#head, 0, whole, 0, headLength);
    copy(bytes, headerAt + headLength, whole, headLength, length - headLength);
    if (gsoSize > 0) {
      const count = this.#cutter.begin(whole, 0, length, 0, gsoTypeOf(packet), gsoSize);
      this.#piece ??= new Uint8Array(WHOLE_BYTES);
      let isAdded = count > 0;
      for (let i = 0; i < count; i++) {
        const pieceLength = this.#cutter.write(i, this.#piece, 0);
        isAdded = this.#addPacket(way, this.#piece, headLength, pieceLength) && isAdded;
      }
      return isAdded;
    }
    if (isPartial) {
      const offset = protocol === IPPROTO_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET;
      completeChecksum(whole, 0, length, payloadAt - headerAt, offset);
    }
    return this.#addPacket(way, whole, headLength, length);
  }

  /** Queues a packet that needs nothing more, or its fragments. */
  #addPacket(way: ForwardWay, bytes: Uint8Array, headerLength: number, length: number): boolean {
    const queue = this.#queue(way);
    const { path } = way;
    if (length > path.linkMtu) return this.#addFragments(way, bytes, headerLength, length);
    return queue.add(path, bytes, headerLength, bytes, headerLength, length - headerLength, 0, 0, 0, 0);
  }

  /** RFC 791 §3.2, the example of fragmentation. What comes may be a fragment itself. */
  #addFragments(way: ForwardWay, bytes: Uint8Array, headerLength: number, length: number): boolean {
    const { counters } = this.#host;
    const { path } = way;
    const head = this.#head;
    const queue = this.#queue(way);
    const field = u16(bytes, 6);
    const most = (path.linkMtu - headerLength) & ~7;
    const rest = length - headerLength;
    let headLength = headerLength;
    const copied =
      headerLength === IPV4_HEADER_LEN ? EMPTY : copiedOptions(bytes.subarray(IPV4_HEADER_LEN, headerLength));
    copy(bytes, 0, head, 0, headerLength);
    let isAdded = true;
    for (let offset = 0; offset < rest; offset += most) {
      if (offset > 0) headLength = insertOptions(head, 0, copied);
      const size = Math.min(most, rest - offset);
      const isLast = offset + size === rest;
      putU16(head, 2, headLength + size);
      const more = isLast ? field & IPV4_MORE_FRAGMENTS : IPV4_MORE_FRAGMENTS;
      putU16(head, 6, (field & ~(IPV4_MORE_FRAGMENTS | IPV4_DONT_FRAGMENT)) + (offset >> 3) + more);
      sealIpv4(head, 0, headLength);
      const at = headerLength + offset;
      isAdded = queue.add(path, head, headLength, bytes, at, size, 0, 0, 0, 0) && isAdded;
      counters.ipFragCreates++;
    }
    if (isAdded) counters.ipFragOKs++;
    return isAdded;
  }

  #queue(way: ForwardWay): ForwardQueue {
    const index = way.route.interfaceIndex;
    const known = this.#queues[index];
    if (known !== undefined) return known;
    const queue = new ForwardQueue(this.#host, index);
    this.#queues[index] = queue;
    return queue;
  }
}

/** Length of each packet, but the last, of a super-segment. */
function segmentLength(packet: Packet, headerLength: number, gsoSize: number): number {
  const { bytes, payloadAt, end } = packet;
  if (packet.protocol !== IPPROTO_TCP) return headerLength + UDP_HEADER_LEN + gsoSize;
  const offset =
    end - payloadAt < TCP_HEADER_LEN ? TCP_HEADER_LEN : ((bytes[payloadAt + 12] as number) >> 4) << 2;
  return headerLength + offset + gsoSize;
}

/** How a device would name the super-segment (see `base/frames.ts`). */
function gsoTypeOf({ bytes, payloadAt, end, protocol, family }: Packet): number {
  if (protocol === IPPROTO_UDP) return GSO_UDP_L4;
  const hasFlags = end - payloadAt >= TCP_HEADER_LEN;
  const isReduced = hasFlags && ((bytes[payloadAt + 13] as number) & TCP_CWR) !== 0;
  return (family === 4 ? GSO_TCPV4 : GSO_TCPV6) | (isReduced ? GSO_ECN : 0);
}
