/**
 * ICMPv6 (RFC 4443): answers echo requests, reports on packets that can't be used, and hands reports about our own packets to
 * the transport that sent them. Neighbour discovery and multicast listener discovery take their messages by
 * {@link Icmp6.handle}.
 */

import { copy, IpAddress } from '../../base/index.ts';
import {
  DropReason,
  ICMPV6_HEADER_LEN,
  ICMPV6_HOP_LIMIT_EXCEEDED,
  ICMPV6_REASSEMBLY_EXPIRED,
  IcmpV6Header,
  IcmpV6Problem,
  IcmpV6Type,
  IcmpV6Unreachable,
  IPPROTO_ICMPV6,
  Ipv6Extensions,
  Ipv6Header,
  isIcmpV6Error,
  parseIcmpV6,
  parseQuotedIpv6,
  skipIpv6Extensions,
  sumBytes,
  writeIcmpV6,
} from '../../wire/index.ts';
import { StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { Host, InboundPacket, Path, Transport } from '../host.ts';
import type { EchoTable } from '../icmp/echo-table.ts';
import { IcmpRateLimiter } from '../ip/icmp-ratelimit.ts';
import { destinationOf, Packet, pseudoHeaderSumOf, sourceOf } from '../ip/packet.ts';
import { completeQuote, quotedEnd } from '../ip/quote.ts';
import type { PartialPacket, ReassemblyOwner } from '../ip/reassemble.ts';
import { LEAST_MTU_V6, pathTooBig } from '../ip/too-big.ts';
import type { RawTransport } from '../raw/transport.ts';
import type { ForwardErrors } from '../route/forwarder.ts';
import { errorOf, isHardError } from './icmp-meaning.ts';

/** RFC 4443 §2.4(c): as much of the packet as fits the least MTU. */
const QUOTE_MAX = LEAST_MTU_V6 - 40 - ICMPV6_HEADER_LEN;
/** Bytes of the upper layer's header that a quote needs: both ports, or an echo's identifier. */
const QUOTED_MIN = 8;
const TYPES = 256;

/** Takes messages of one type, whose checksum is right. @returns 0 or the `DropReason` */
export type IcmpV6Handler = (packet: InboundPacket, header: IcmpV6Header) => number;

export class Icmp6 implements Transport, ReassemblyOwner, ForwardErrors {
  readonly #host: Host;
  readonly #echoes: EchoTable;
  readonly #raw: RawTransport;
  /** Who gets reports about packets of its protocol. */
  readonly #transports: ReadonlyMap<number, Transport>;
  readonly #handlers = new Array<IcmpV6Handler | null>(TYPES).fill(null);
  readonly #limiter: IcmpRateLimiter;
  readonly #header = new IcmpV6Header();
  readonly #quotedHeader = new Ipv6Header();
  readonly #quotedChain = new Ipv6Extensions();
  readonly #quoted = new Packet();
  /** Who reports on a packet that did not leave. */
  readonly #self = new Packet();

  constructor(host: Host, echoes: EchoTable, raw: RawTransport, transports: ReadonlyMap<number, Transport>) {
    this.#host = host;
    this.#echoes = echoes;
    this.#raw = raw;
    this.#transports = transports;
    this.#limiter = new IcmpRateLimiter(host.random, host.now);
  }

  /** Has `handler` take messages of `type`, an informational one. */
  handle(type: number, handler: IcmpV6Handler): void {
    this.#handlers[type] = handler;
  }

  receive(packet: InboundPacket): number {
    const { counters } = this.#host;
    const header = this.#header;
    counters.icmpInMsgs++;
    const { payloadAt, end } = packet;
    const pseudoSum = pseudoHeaderSumOf(packet, end - payloadAt);
    const reason = parseIcmpV6(packet.bytes, payloadAt, end, pseudoSum, header);
    if (reason !== DropReason.none) {
      counters.icmpInErrors++;
      return reason;
    }
    if (header.isError) return this.#receiveError(packet);
    switch (header.type) {
      case IcmpV6Type.echoRequest:
        counters.icmpInEchos++;
        return this.#answerEcho(packet);
      case IcmpV6Type.echoReply:
        counters.icmpInEchoReps++;
        return this.#echoes.reply(packet, header, this.#host.now);
      default: {
        const handler = this.#handlers[header.type] as IcmpV6Handler | null;
        // RFC 4443 §2.4(b): unknown informational messages are discarded silently.
        return handler === null ? DropReason.icmpTypeUnknown : handler(packet, header);
      }
    }
  }

  /** An error about an ICMPv6 message of ours: only an echo request can be meant, and `receive` has told its sender. */
  icmpError(): number {
    return DropReason.none;
  }

  /** Port unreachable (RFC 4443 §3.1). */
  refusePort(packet: InboundPacket): void {
    this.#report(packet, IcmpV6Type.destinationUnreachable, IcmpV6Unreachable.port, 0);
  }

  /** Unknown next header (RFC 4443 §3.4, RFC 8200 §4). @param pointer where its number is in the packet's bytes */
  refuseProtocol(packet: InboundPacket, pointer: number): void {
    const offset = pointer - packet.headerAt;
    this.#report(packet, IcmpV6Type.parameterProblem, IcmpV6Problem.nextHeader, offset);
  }

  /** What a walk of the extension headers found wrong. */
  parameterProblem(
    packet: InboundPacket,
    { problemCode, problemPointer, isProblemForGroups }: Ipv6Extensions,
  ): void {
    if (problemCode < 0) return;
    const offset = problemPointer - packet.headerAt;
    if (!isProblemForGroups) this.#report(packet, IcmpV6Type.parameterProblem, problemCode, offset);
    else this.#sendError(packet, IcmpV6Type.parameterProblem, problemCode, offset);
  }

  /** The hop limit ran out here (RFC 4443 §3.3). */
  ttlExceeded(packet: InboundPacket): void {
    this.#report(packet, IcmpV6Type.timeExceeded, ICMPV6_HOP_LIMIT_EXCEEDED, 0);
  }

  /** There is no way on (RFC 4443 §3.1). */
  unreachable(packet: InboundPacket, code: number): void {
    this.#report(packet, IcmpV6Type.destinationUnreachable, code, 0);
  }

  /** Too big for the next link (RFC 4443 §3.2). */
  tooBig(packet: InboundPacket, mtu: number): void {
    this.#report(packet, IcmpV6Type.packetTooBig, 0, mtu);
  }

  /** A parameter problem about one field. @param offset of it in the packet */
  fieldProblem(packet: InboundPacket, offset: number): void {
    this.#report(packet, IcmpV6Type.parameterProblem, IcmpV6Problem.headerField, offset);
  }

  /** RFC 8200 §4.5: reported only when the first fragment is there to be quoted. */
  reassemblyExpired(partial: PartialPacket): void {
    if (partial.headerLength === 0) return;
    const header = this.#quotedHeader;
    const { memory, headerAt, leadingLength } = partial;
    if (parseQuotedIpv6(memory, headerAt, headerAt + leadingLength, header) !== DropReason.none) return;
    // RFC 7112: it has all headers.
    if (skipIpv6Extensions(memory, header, this.#quotedChain) !== DropReason.none) return;
    const { protocol, payloadAt } = this.#quotedChain;
    const quoted = this.#quoted;
    quoted.setIpv6(memory, header, protocol, payloadAt, partial.interfaceIndex);
    quoted.isGroup = header.dst0 >>> 24 === 0xff;
    this.#report(quoted, IcmpV6Type.timeExceeded, ICMPV6_REASSEMBLY_EXPIRED, 0);
  }

  /**
   * A packet could not be sent because its next hop is not there (RFC 4861 §7.2.2): who sent it hears of it as of an error, and
   * so does the sender of one that was only passing through.
   */
  undeliverable(interfaceIndex: number, bytes: Uint8Array, at: number, end: number): void {
    const header = this.#quotedHeader;
    const chain = this.#quotedChain;
    if (parseQuotedIpv6(bytes, at, end, header) !== DropReason.none) return;
    if (skipIpv6Extensions(bytes, header, chain) !== DropReason.none) return;
    if (header.end - chain.payloadAt < QUOTED_MIN) return;
    const quoted = this.#quoted;
    quoted.setIpv6(bytes, header, chain.protocol, chain.payloadAt, interfaceIndex);
    const { destinationUnreachable: type } = IcmpV6Type;
    const source = sourceOf(quoted);
    if (!this.#host.isLocal(source)) {
      this.#report(quoted, type, IcmpV6Unreachable.address, 0);
      return;
    }
    const transport = this.#transports.get(quoted.protocol);
    if (transport !== undefined) {
      this.#setHead(source, type, IcmpV6Unreachable.address);
      transport.icmpError(quoted, StackError.hostUnreachable, false, 0);
    } else if (quoted.protocol === IPPROTO_ICMPV6) {
      const self = this.#self;
      self.setIpv6(bytes, header, IPPROTO_ICMPV6, chain.payloadAt, interfaceIndex);
      this.#echoes.fail(self, quoted, type, IcmpV6Unreachable.address, this.#host.now);
      self.owner = null;
    }
  }

  #answerEcho(packet: InboundPacket): number {
    const host = this.#host;
    const path = this.#pathBack(packet);
    if (path === null) return DropReason.noRoute;
    const length = packet.end - packet.payloadAt;
    const reply = host.reserveControl(path, IPPROTO_ICMPV6, length, 0, packet.trafficClass);
    if (reply === null) return DropReason.outputQueueFull;
    const dataAt = reply.at + ICMPV6_HEADER_LEN;
    const dataLength = length - ICMPV6_HEADER_LEN;
    copy(packet.bytes, this.#header.payloadAt, reply.bytes, dataAt, dataLength);
    const pseudo = path.pseudoHeaderSum(IPPROTO_ICMPV6) + length;
    const sum = sumBytes(reply.bytes, dataAt, dataLength, pseudo);
    writeIcmpV6(reply.bytes, reply.at, IcmpV6Type.echoReply, 0, this.#header.rest, sum);
    host.sendControl(reply, Cause.echoReply, null);
    host.counters.icmpOutMsgs++;
    host.counters.icmpOutEchoReps++;
    return DropReason.none;
  }

  #receiveError(packet: InboundPacket): number {
    const { type, code, rest } = this.#header;
    const reason = this.#readQuote(packet);
    if (reason !== DropReason.none) return reason;
    const quoted = this.#quoted;
    const error = errorOf(type, code);
    const mtu = error === StackError.messageTooLong ? mtuOf(rest) : 0;
    const transport = this.#transports.get(quoted.protocol);
    if (transport !== undefined) {
      if (error === 0) return DropReason.none;
      this.#setHead(sourceOf(packet), type, code);
      const verdict = transport.icmpError(quoted, error, isHardError(type, code), mtu);
      packet.owner = quoted.owner;
      return verdict;
    }
    let verdict: DropReason = DropReason.icmpQuoteUnknown;
    if (quoted.protocol === IPPROTO_ICMPV6) {
      verdict = this.#echoes.fail(packet, quoted, type, code, this.#host.now);
    }
    if (error !== StackError.messageTooLong) return verdict;
    const isOurs = verdict === DropReason.none || this.#raw.isSender(quoted);
    return isOurs ? pathTooBig(this.#host, quoted, mtu) : verdict;
  }

  /** Says what the transports are about to be told of. */
  #setHead(source: IpAddress, type: number, code: number): void {
    const head = this.#host.icmpErrorHead;
    head.source = source;
    head.type = type;
    head.code = code;
  }

  /** Reads the packet that an error quotes. @returns why it can't be one of ours, or `none` */
  #readQuote(packet: InboundPacket): DropReason {
    const { payloadAt, quoteEnd } = this.#header;
    const header = this.#quotedHeader;
    const chain = this.#quotedChain;
    const reason = parseQuotedIpv6(packet.bytes, payloadAt, quoteEnd, header);
    if (reason !== DropReason.none) return reason;
    const skipped = skipIpv6Extensions(packet.bytes, header, chain);
    if (skipped !== DropReason.none) return skipped;
    if (header.end - chain.payloadAt < QUOTED_MIN) return DropReason.icmpTruncated;
    const quoted = this.#quoted;
    quoted.setIpv6(packet.bytes, header, chain.protocol, chain.payloadAt, packet.interfaceIndex);
    // The quoted packet was ours only if it came from the address that the report was sent to.
    const { dst0, dst1, dst2, dst3 } = packet;
    const isOurs =
      quoted.src3 === dst3 && quoted.src2 === dst2 && quoted.src1 === dst1 && quoted.src0 === dst0;
    return isOurs ? DropReason.none : DropReason.icmpQuoteUnknown;
  }

  /** Sends an error about a packet to one host. */
  #report(packet: InboundPacket, type: number, code: number, rest: number): void {
    if (!packet.isGroup) this.#sendError(packet, type, code, rest);
  }

  /** Sends an error, unless RFC 4443 §2.4(e) forbids it or there have been too many. */
  #sendError(packet: InboundPacket, type: number, code: number, rest: number): void {
    const host = this.#host;
    if (!mayReportOn(packet) || !this.#limiter.take(host.now)) return;
    const path = this.#pathBack(packet);
    if (path === null) return;
    const quoteLength = Math.min(quotedEnd(packet) - packet.headerAt, QUOTE_MAX);
    const length = ICMPV6_HEADER_LEN + quoteLength;
    const message = host.reserveControl(path, IPPROTO_ICMPV6, length, 0, 0);
    if (message === null) return;
    const quoteAt = message.at + ICMPV6_HEADER_LEN;
    copy(packet.bytes, packet.headerAt, message.bytes, quoteAt, quoteLength);
    completeQuote(packet, message.bytes, quoteAt, quoteLength);
    const pseudo = path.pseudoHeaderSum(IPPROTO_ICMPV6) + length;
    const sum = sumBytes(message.bytes, quoteAt, quoteLength, pseudo);
    writeIcmpV6(message.bytes, message.at, type, code, rest, sum);
    host.sendControl(message, Cause.icmpError, null);
    host.counters.icmpOutMsgs++;
    host.counters.icmpOutErrors++;
  }

  /** What was sent to a group is answered from an address of the interface (RFC 4443 §2.2(c), §4.2). */
  #pathBack(packet: InboundPacket): Path | null {
    if (!packet.isGroup) {
      const path = this.#host.pathBack(packet);
      if (path !== null || this.#host.isLocal(destinationOf(packet))) return path;
      // It was passing through: from an address that a router chooses (RFC 4443 §2.2(d)).
      return this.#host.pathTo(IpAddress.anyV6, sourceOf(packet));
    }
    const { src0, src1, src2, src3 } = packet;
    if ((src0 | src1 | src2 | src3) === 0) return null;
    return this.#host.pathTo(IpAddress.anyV6, sourceOf(packet));
  }
}

/** RFC 4443 §2.4(e): not about an ICMPv6 error or a redirect, nor to who is no single host. */
function mayReportOn(packet: InboundPacket): boolean {
  const { src0, src1, src2, src3 } = packet;
  if ((src0 | src1 | src2 | src3) === 0) return false;
  if (packet.protocol !== IPPROTO_ICMPV6) return true;
  if (packet.payloadAt >= packet.end) return false;
  const type = packet.bytes[packet.payloadAt] as number;
  return !isIcmpV6Error(type) && type !== IcmpV6Type.redirect;
}

/** The MTU field has 32 bits; a value past any packet's size says nothing, and 0 is not believed. */
function mtuOf(rest: number): number {
  return rest < 0 || rest > 0xffff ? 0 : rest;
}
