/**
 * NAT44: packets that leave by the outside interface get its address and a port of their mapping, those that come back get the
 * inside ones (RFC 4787, RFC 5382, RFC 5508). A packet is copied before it is changed: its bytes are the link's.
 *
 *     inside 10.0.0.7:5000 → peer     leaves as   outside:5000 → peer
 *     peer → outside:5000             arrives as  peer → 10.0.0.7:5000
 *     10.0.0.8:6000 → outside:5000    arrives as  outside:6000 → 10.0.0.7:5000       (hairpin, RFC 4787 REQ-9)
 */

import { copy, IpAddress, type TimerOwner, u16 } from '../../base/index.ts';
import {
  DropReason,
  IcmpV4Type,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Ipv4Header,
  isIcmpV4Error,
  parseIpv4,
  TCP_ACK,
  TCP_HEADER_LEN,
  TCP_RST,
  TCP_SYN,
  UDP_HEADER_LEN,
} from '../../wire/index.ts';
import type { NatFiltering, NatMappingView, NatOptions, NatPortMap } from '../api.ts';
import type { Host, InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { Packet } from '../ip/packet.ts';
import { isTranslated, Quote, sealError } from './icmp-errors.ts';
import type { Mapping } from './mapping.ts';
import { type RewrittenPacket, rewriteAddress, rewriteDestination, rewriteSource } from './rewrite.ts';
import { ICMP_LIFETIME, UDP_LIFETIME } from './session.ts';
import { NatTable } from './table.ts';
import { UnsolicitedSyns } from './unsolicited-syns.ts';

const MAX_MAPPINGS = 16_384;
const MAX_PER_HOST = 2048;
/** Peers that mappings remember, of about 100 bytes each: in all, and for each host inside. */
const MAX_SESSIONS = 65_536;
const MAX_SESSIONS_PER_HOST = 8192;
/** How often mappings are looked through for those whose time is over, ms. */
const SWEEP_INTERVAL = 10_000;
/** Bytes of a transport's header without which a packet is not translated. */
const ICMP_LEAST = 8;

export class Translator implements TimerOwner {
  /** What was translated last, and its header: in a buffer of the translator's own. */
  readonly packet = new Packet();
  readonly header = new Ipv4Header();
  readonly outside: NetworkInterface;
  readonly #host: Host;
  readonly filtering: NatFiltering;
  readonly #table: NatTable;
  readonly #timer: number;
  readonly #bytes = new Uint8Array(65_536);
  readonly #work: { -readonly [K in keyof RewrittenPacket]: RewrittenPacket[K] } = {
    bytes: this.#bytes,
    headerAt: 0,
    payloadAt: 0,
    protocol: 0,
    end: 0,
    isPartial: false,
  };
  readonly #quote = new Quote();
  readonly #syns: UnsolicitedSyns;
  readonly #isOwn: (protocol: number, port: number) => boolean;

  /**
   * @param isOwn whether an endpoint of our own has a port: it is not given to others
   * @param refuse tells the sender of a packet that nobody has its port
   * @throws {RangeError} when a port map can't be read, or two are of one port
   */
  constructor(
    host: Host,
    outside: NetworkInterface,
    options: NatOptions,
    isOwn: (protocol: number, port: number) => boolean,
    refuse: (packet: InboundPacket) => void,
  ) {
    this.#host = host;
    this.outside = outside;
    this.#isOwn = isOwn;
    this.filtering = options.filtering ?? 'addressDependent';
    const mappings = options.maxMappings ?? MAX_MAPPINGS;
    const perHost = options.maxMappingsPerHost ?? MAX_PER_HOST;
    if (!(mappings >= 1 && perHost >= 1)) throw new RangeError('a translator needs room for a mapping');
    this.#table = new NatTable(
      host.random,
      { mappings, perHost, sessions: MAX_SESSIONS, sessionsPerHost: MAX_SESSIONS_PER_HOST },
      isOwn,
    );
    for (const map of options.portMaps ?? []) this.addPortMap(map);
    this.#timer = host.timers.create(this, 0);
    this.#syns = new UnsolicitedSyns(host, { isAnswered: (syn) => this.#isAnswered(syn), refuse });
  }

  get views(): NatMappingView[] {
    return [...this.#table.mappings()].map((mapping) => ({
      protocol: mapping.protocol === IPPROTO_TCP ? 'tcp' : mapping.protocol === IPPROTO_UDP ? 'udp' : 'icmp',
      insideAddress: IpAddress.v4(mapping.inside),
      insidePort: mapping.insidePort,
      outsidePort: mapping.outsidePort,
      isStatic: mapping.isStatic,
      sessions: mapping.sessionCount,
    }));
  }

  /** Maps a port outside for good. @throws {RangeError} when the map can't be read, or a side of it is mapped already */
  addPortMap({ protocol, insideAddress, insidePort, outsidePort }: NatPortMap): void {
    const inside = IpAddress.parse(insideAddress);
    const isInside = inside?.family === 4 && inside.isHost && !inside.isLoopback;
    if (!isInside || !isPort(insidePort) || !isPort(outsidePort)) {
      throw new RangeError(`no port map: ${outsidePort} to ${insideAddress}:${insidePort}`);
    }
    if (this.#isOwn(numberOf(protocol), outsidePort)) {
      throw new RangeError(`${protocol} port ${outsidePort} is in use by an application of this host`);
    }
    if (this.#table.addStatic(numberOf(protocol), inside.w3, insidePort, outsidePort) === null) {
      throw new RangeError(
        `${protocol} port ${outsidePort}, or ${insideAddress}:${insidePort}, is mapped already, or there is no room`,
      );
    }
  }

  /** Forgets a port map with all that uses it. @returns whether there was one */
  removePortMap(protocol: NatPortMap['protocol'], outsidePort: number): boolean {
    const mapping = this.#table.fromOutside(numberOf(protocol), outsidePort);
    if (mapping?.isStatic !== true) return false;
    this.#table.remove(mapping);
    return true;
  }

  close(): void {
    this.#host.timers.destroy(this.#timer);
    this.#syns.close();
  }

  timeout(_kind: number, now: number): void {
    this.#table.expire(now);
    if (this.#table.size > 0) this.#host.timers.arm(this.#timer, now + SWEEP_INTERVAL);
  }

  /** Translates a packet from inside that leaves by the outside interface. @returns `none`: see `packet` and `header` */
  outbound(packet: InboundPacket, isPartial: boolean): DropReason {
    const address = this.#address();
    if (address === 0) return DropReason.noRoute;
    const reason = this.#take(packet, isPartial);
    if (reason !== DropReason.none) return reason;
    if (isError(packet)) return this.#errorOut(packet, address);
    const work = this.#work;
    const mapping = this.#mappingFor(packet);
    if (mapping === null) return DropReason.natTableFull;
    this.#note(mapping, packet, packet.dst3, peerPort(packet), true);
    rewriteSource(work, address, mapping.outsidePort);
    return this.#finish(packet);
  }

  /**
   * Translates a packet that came to the outside address, from outside or (hairpin) from inside.
   * @returns `none`; why it is dropped; -1 when it is no packet of the translator's but our own
   */
  inbound(iface: NetworkInterface, packet: InboundPacket, isPartial: boolean): DropReason | -1 {
    const address = this.#address();
    if (address === 0 || packet.dst3 !== address) return -1;
    if (isError(packet)) return iface === this.outside ? this.#errorIn(packet, isPartial) : -1;
    if (!hasTransport(packet)) return -1;
    const isRequest =
      packet.protocol === IPPROTO_ICMP && packet.bytes[packet.payloadAt] === IcmpV4Type.echoRequest;
    // RFC 5508 REQ-1: an echo request to us is ours.
    if (isRequest) return -1;
    const mapping = this.#table.fromOutside(packet.protocol, ownPort(packet));
    const isHairpin = iface !== this.outside;
    if (mapping === null)
      return !isHairpin && this.#isUnsolicited(packet) ? this.#hold(packet, isPartial) : -1;
    const sender = isHairpin ? this.#mappingFor(packet) : null;
    if (isHairpin && sender === null) return DropReason.natTableFull;
    const remote = sender === null ? packet.src3 : address;
    const remotePort = sender === null ? remotePortOf(packet) : sender.outsidePort;
    if (!mapping.admits(this.filtering, remote, remotePort)) {
      const isHeld = !isHairpin && this.#isUnsolicited(packet);
      return isHeld ? this.#hold(packet, isPartial) : DropReason.natFiltered;
    }
    const reason = this.#take(packet, isPartial);
    if (reason !== DropReason.none) return reason;
    if (sender !== null) {
      this.#note(sender, packet, address, mapping.outsidePort, true);
      rewriteSource(this.#work, address, sender.outsidePort);
    }
    this.#note(mapping, packet, remote, remotePort, false);
    rewriteDestination(this.#work, mapping.inside, mapping.insidePort);
    return this.#finish(packet);
  }

  /** Whether the packet opens a connection to a port that no endpoint of our own has. */
  #isUnsolicited({ protocol, bytes, payloadAt }: InboundPacket): boolean {
    if (protocol !== IPPROTO_TCP) return false;
    const flags = bytes[payloadAt + 13] as number;
    const isSyn = (flags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN;
    return isSyn && !this.#isOwn(IPPROTO_TCP, u16(bytes, payloadAt + 2));
  }

  #hold(packet: InboundPacket, isPartial: boolean): DropReason {
    this.#syns.add(packet, isPartial);
    return DropReason.natUnsolicited;
  }

  /** Whether what a SYN from outside was for has come about while it waited. */
  #isAnswered(syn: InboundPacket): boolean {
    const port = ownPort(syn);
    if (this.#isOwn(IPPROTO_TCP, port)) return true;
    const mapping = this.#table.fromOutside(IPPROTO_TCP, port);
    return mapping?.session(syn.src3, remotePortOf(syn))?.isOpenedFromInside === true;
  }

  #address(): number {
    const { addresses } = this.outside;
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[i]?.address;
      if (address?.family === 4) return address.w3;
    }
    return 0;
  }

  /** Copies a packet that can be translated. */
  #take(packet: InboundPacket, isPartial: boolean): DropReason {
    if (!isError(packet) && !hasTransport(packet)) return DropReason.natMalformed;
    const length = packet.end - packet.headerAt;
    copy(packet.bytes, packet.headerAt, this.#bytes, 0, length);
    const work = this.#work;
    work.payloadAt = packet.payloadAt - packet.headerAt;
    work.protocol = packet.protocol;
    work.end = length;
    work.isPartial = isPartial;
    return DropReason.none;
  }

  #finish(original: InboundPacket): DropReason {
    const { packet, header } = this;
    const reason = parseIpv4(this.#bytes, 0, this.#work.end, header);
    if (reason !== DropReason.none) return DropReason.natMalformed;
    packet.setIpv4(this.#bytes, header, original.interfaceIndex);
    packet.gsoSize = original.gsoSize;
    return DropReason.none;
  }

  #mappingFor(packet: InboundPacket): Mapping | null {
    const port = sourcePort(packet);
    return (
      this.#table.fromInside(packet.protocol, packet.src3, port) ??
      this.#table.add(packet.protocol, packet.src3, port)
    );
  }

  /** A packet passed: how long its session and mapping are kept. */
  #note(
    mapping: Mapping,
    packet: InboundPacket,
    remote: number,
    remotePort: number,
    isOutbound: boolean,
  ): void {
    const { now, timers } = this.#host;
    mapping.usedAt = now;
    const known = mapping.session(remote, remotePort);
    const isRoom = known !== null || this.#table.makeSessionRoom(mapping);
    if (!timers.isArmed(this.#timer)) timers.arm(this.#timer, now + SWEEP_INTERVAL);
    // All there is room for are open connections: the packet passes, and nothing is remembered of it.
    if (!isRoom) return;
    const session = known ?? mapping.open(remote, remotePort);
    if (packet.protocol === IPPROTO_TCP) {
      session.segment(packet.bytes[packet.payloadAt + 13] as number, isOutbound, now);
    } else if (isOutbound || known === null) {
      // RFC 4787 REQ-6: what goes out refreshes; what comes in does not, or others would keep mappings open.
      session.expiresAt = now + (packet.protocol === IPPROTO_UDP ? UDP_LIFETIME : ICMP_LIFETIME);
    }
  }

  /** RFC 5508 REQ-4: from outside, about a packet of a mapping. It refreshes nothing. */
  #errorIn(packet: InboundPacket, isPartial: boolean): DropReason | -1 {
    this.#take(packet, isPartial);
    const quote = this.#quote;
    const work = this.#work;
    if (quote.read(this.#bytes, work.payloadAt, work.end) !== DropReason.none) return -1;
    if (quote.header.src !== packet.dst3) return -1;
    const mapping = this.#table.fromOutside(quote.protocol, portIn(quote, 0));
    if (mapping === null) return -1;
    rewriteSource(quote, mapping.inside, mapping.insidePort);
    rewriteAddress(work, false, mapping.inside);
    sealError(this.#bytes, work.payloadAt, work.end);
    return this.#finish(packet);
  }

  /** RFC 5508 REQ-5: from inside, about a packet that came in through a mapping; its sender may be a router inside. */
  #errorOut(packet: InboundPacket, address: number): DropReason {
    const quote = this.#quote;
    const work = this.#work;
    const reason = quote.read(this.#bytes, work.payloadAt, work.end);
    if (reason !== DropReason.none) return reason;
    const mapping = this.#table.fromInside(quote.protocol, quote.header.dst, portIn(quote, 2));
    if (mapping === null) return DropReason.natNoMapping;
    rewriteDestination(quote, address, mapping.outsidePort);
    rewriteAddress(work, true, address);
    sealError(this.#bytes, work.payloadAt, work.end);
    return this.#finish(packet);
  }
}

function numberOf(protocol: NatPortMap['protocol']): number {
  return protocol === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isError({ protocol, bytes, payloadAt, end }: InboundPacket): boolean {
  return protocol === IPPROTO_ICMP && payloadAt < end && isIcmpV4Error(bytes[payloadAt] as number);
}

/** Whether the header is there that is to be changed. */
function hasTransport({ protocol, bytes, payloadAt, end }: InboundPacket): boolean {
  const least =
    protocol === IPPROTO_TCP ? TCP_HEADER_LEN : protocol === IPPROTO_UDP ? UDP_HEADER_LEN : ICMP_LEAST;
  return end - payloadAt >= least && isTranslated(protocol, bytes, payloadAt);
}

/** Of the sender: a port, or an echo's identifier. */
function sourcePort({ protocol, bytes, payloadAt }: InboundPacket): number {
  return u16(bytes, protocol === IPPROTO_ICMP ? payloadAt + 4 : payloadAt);
}

/** Of the outside address, in a packet to it. */
function ownPort({ protocol, bytes, payloadAt }: InboundPacket): number {
  return u16(bytes, protocol === IPPROTO_ICMP ? payloadAt + 4 : payloadAt + 2);
}

/** Of the peer in a packet to it; an echo has none. */
function peerPort({ protocol, bytes, payloadAt }: InboundPacket): number {
  return protocol === IPPROTO_ICMP ? 0 : u16(bytes, payloadAt + 2);
}

/** Of the peer in a packet from it. */
function remotePortOf({ protocol, bytes, payloadAt }: InboundPacket): number {
  return protocol === IPPROTO_ICMP ? 0 : u16(bytes, payloadAt);
}

/** A quoted packet's port at `offset`, or its identifier. */
function portIn({ protocol, bytes, payloadAt }: Quote, offset: number): number {
  return u16(bytes, protocol === IPPROTO_ICMP ? payloadAt + 4 : payloadAt + offset);
}
