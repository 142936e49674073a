/**
 * ICMP for IPv4 (RFC 792, RFC 1122 §3.2.2): answers echo requests, reports on packets that can't be used, and hands reports
 * about our own packets to the transport that sent them.
 */

import { copy, EMPTY, IpAddress } from '../../base/index.ts';
import {
  DropReason,
  ICMPV4_HEADER_LEN,
  ICMPV4_REASSEMBLY_EXPIRED,
  ICMPV4_REDIRECT_HOST,
  ICMPV4_TTL_EXPIRED,
  IcmpV4Header,
  IcmpV4Type,
  IcmpV4Unreachable,
  IPPROTO_ICMP,
  IPV4_HEADER_LEN,
  Ipv4Header,
  isIcmpV4Error,
  parseIcmpV4,
  parseQuotedIpv4,
  sumBytes,
  writeIcmpV4,
} from '../../wire/index.ts';
import { StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { Host, InboundPacket, Path, Transport } from '../host.ts';
import type { EchoTable } from '../icmp/echo-table.ts';
import type { RawTransport } from '../raw/transport.ts';
import type { ForwardErrorsV4 } from '../route/forwarder.ts';
import { errorOf, isHardError } from './icmp-meaning.ts';
import { IcmpRateLimiter } from './icmp-ratelimit.ts';
import { type IsOurAddress, optionsOfReply } from './ipv4-options.ts';
import { destinationOf, Packet, sourceOf } from './packet.ts';
import { completeQuote, quotedEnd } from './quote.ts';
import type { PartialPacket, ReassemblyOwner } from './reassemble.ts';
import { pathTooBig } from './too-big.ts';

/** Bytes of the offending packet that an error quotes, so that the message is at most 576 long (RFC 1812 §4.3.2.3). */
const QUOTE_MAX = 576 - 20 - ICMPV4_HEADER_LEN;

/** Takes what a router says of a better first hop. */
export interface RedirectTaker {
  /**
   * @param quoted the packet that it is about, from an address of ours
   * @returns `none`, or `redirectRefused`
   */
  take(packet: InboundPacket, quoted: InboundPacket, gateway: number): DropReason;
}

export class Icmp implements Transport, ReassemblyOwner, ForwardErrorsV4 {
  readonly #host: Host;
  readonly #echoes: EchoTable;
  readonly #raw: RawTransport;
  /** Who gets reports about packets of its protocol. */
  readonly #transports: ReadonlyMap<number, Transport>;
  readonly #limiter: IcmpRateLimiter;
  /** Who believes redirects, or not. */
  redirects: RedirectTaker | null = null;
  readonly #isOurs: IsOurAddress;
  readonly #header = new IcmpV4Header();
  readonly #quotedHeader = new Ipv4Header();
  readonly #quoted = new Packet();
  /** This host as the sender of what it tells itself. */
  readonly #self = new Packet();

  constructor(host: Host, echoes: EchoTable, raw: RawTransport, transports: ReadonlyMap<number, Transport>) {
    this.#host = host;
    this.#echoes = echoes;
    this.#raw = raw;
    this.#transports = transports;
    this.#limiter = new IcmpRateLimiter(host.random, host.now);
    this.#isOurs = (word) => host.isLocal(IpAddress.v4(word));
  }

  receive(packet: InboundPacket): number {
    const { counters } = this.#host;
    const header = this.#header;
    counters.icmpInMsgs++;
    const reason = parseIcmpV4(packet.bytes, packet.payloadAt, packet.end, header);
    if (reason !== DropReason.none) {
      counters.icmpInErrors++;
      return reason;
    }
    if (header.isError) return this.#receiveError(packet);
    switch (header.type) {
      case IcmpV4Type.echoRequest:
        counters.icmpInEchos++;
        return this.#answerEcho(packet);
      case IcmpV4Type.echoReply:
        counters.icmpInEchoReps++;
        return this.#echoes.reply(packet, header, this.#host.now);
      default:
        // Requests that a host need not answer (RFC 6918), and answers nobody here asks for.
        return DropReason.icmpTypeUnknown;
    }
  }

  /** An error about an ICMP message of ours: only an echo request can be meant, and `receive` has told its sender. */
  icmpError(): number {
    return DropReason.none;
  }

  /** Port unreachable (RFC 1122 §4.1.3.1). */
  refusePort(packet: InboundPacket): void {
    this.#sendError(packet, IcmpV4Type.destinationUnreachable, IcmpV4Unreachable.port, 0);
  }

  /** Protocol unreachable (RFC 1122 §3.2.2.1). */
  refuseProtocol(packet: InboundPacket): void {
    this.#sendError(packet, IcmpV4Type.destinationUnreachable, IcmpV4Unreachable.protocol, 0);
  }

  /** A bad header (RFC 1122 §3.2.2.5). @param pointer the byte at fault, from the header's start */
  parameterProblem(packet: InboundPacket, pointer: number): void {
    this.#sendError(packet, IcmpV4Type.parameterProblem, 0, pointer << 24);
  }

  /** The time to live ran out here (RFC 1812 §5.3.1). */
  ttlExceeded(packet: InboundPacket): void {
    this.#sendError(packet, IcmpV4Type.timeExceeded, ICMPV4_TTL_EXPIRED, 0);
  }

  /** There is no way on (RFC 1812 §5.2.7.1). */
  unreachable(packet: InboundPacket, code: number): void {
    this.#sendError(packet, IcmpV4Type.destinationUnreachable, code, 0);
  }

  /** Too big for the next link, and not to be fragmented (RFC 1191 §4). */
  tooBig(packet: InboundPacket, mtu: number): void {
    const { fragmentationNeeded } = IcmpV4Unreachable;
    this.#sendError(packet, IcmpV4Type.destinationUnreachable, fragmentationNeeded, mtu);
  }

  /** There is a better first hop on the sender's own link (RFC 1812 §5.2.7.2): for the host, whatever the network. */
  redirect(packet: InboundPacket, gateway: number): void {
    if (this.#sendError(packet, IcmpV4Type.redirect, ICMPV4_REDIRECT_HOST, gateway)) {
      this.#host.counters.icmpOutRedirects++;
    }
  }

  /** RFC 792: reported only when the fragment with the offset zero is there to be quoted. */
  reassemblyExpired(partial: PartialPacket): void {
    if (partial.headerLength === 0) return;
    const header = this.#quotedHeader;
    const end = partial.headerAt + partial.leadingLength;
    if (parseQuotedIpv4(partial.memory, partial.headerAt, end, header) !== DropReason.none) return;
    this.#quoted.setIpv4(partial.memory, header, partial.interfaceIndex);
    this.#quoted.end = end;
    this.#sendError(this.#quoted, IcmpV4Type.timeExceeded, ICMPV4_REASSEMBLY_EXPIRED, 0);
  }

  /**
   * A packet could not be sent because its next hop is not there: who sent it hears of it as of an ICMP error, and so does the
   * sender of one that was only passing through (RFC 1812 §5.2.7.1).
   */
  undeliverable(interfaceIndex: number, bytes: Uint8Array, at: number, end: number): void {
    const header = this.#quotedHeader;
    if (parseQuotedIpv4(bytes, at, end, header) !== DropReason.none || header.fragmentOffset !== 0) return;
    const quoted = this.#quoted;
    quoted.setIpv4(bytes, header, interfaceIndex);
    const { destinationUnreachable: type } = IcmpV4Type;
    const source = sourceOf(quoted);
    if (!this.#host.isLocal(source)) {
      this.#sendError(quoted, type, IcmpV4Unreachable.host, 0);
      return;
    }
    const transport = this.#transports.get(quoted.protocol);
    if (transport !== undefined) {
      this.#setHead(source, type, IcmpV4Unreachable.host);
      transport.icmpError(quoted, StackError.hostUnreachable, false, 0);
    } else if (quoted.protocol === IPPROTO_ICMP) {
      const self = this.#self;
      self.src3 = quoted.src3;
      this.#echoes.fail(self, quoted, type, IcmpV4Unreachable.host, this.#host.now);
      self.owner = null;
    }
  }

  #answerEcho(packet: InboundPacket): number {
    // A host may ignore echo requests to groups (RFC 1122 §3.2.2.6): else one packet makes a flood.
    if (packet.isGroup) return DropReason.icmpEchoToGroup;
    const host = this.#host;
    const path = host.pathBack(packet);
    if (path === null) return DropReason.noRoute;
    const options = packet.payloadAt - packet.headerAt > IPV4_HEADER_LEN ? this.#replyOptions(packet) : EMPTY;
    if (options === null) return DropReason.ipOptions;
    const length = packet.end - packet.payloadAt;
    const reply = host.reserveControl(path, IPPROTO_ICMP, length, 0, packet.trafficClass);
    if (reply === null) return DropReason.outputQueueFull;
    reply.options = options;
    const dataAt = reply.at + ICMPV4_HEADER_LEN;
    const dataLength = length - ICMPV4_HEADER_LEN;
    copy(packet.bytes, this.#header.payloadAt, reply.bytes, dataAt, dataLength);
    const sum = sumBytes(reply.bytes, dataAt, dataLength);
    writeIcmpV4(reply.bytes, reply.at, IcmpV4Type.echoReply, 0, this.#header.rest, sum);
    host.sendControl(reply, Cause.echoReply, null);
    host.counters.icmpOutMsgs++;
    host.counters.icmpOutEchoReps++;
    return DropReason.none;
  }

  /** RFC 1122 §3.2.2.6: the request's record route and timestamp go on in the reply. `null`: the request is in error. */
  #replyOptions(packet: InboundPacket): Uint8Array | null {
    const { bytes, headerAt, payloadAt, dst3 } = packet;
    const options = optionsOfReply(bytes, headerAt, payloadAt, dst3, this.#isOurs, this.#host.now);
    if (options === null) this.parameterProblem(packet, IPV4_HEADER_LEN);
    return options;
  }

  #receiveError(packet: InboundPacket): number {
    const { type, code, payloadAt, quoteEnd } = this.#header;
    const quotedHeader = this.#quotedHeader;
    const reason = parseQuotedIpv4(packet.bytes, payloadAt, quoteEnd, quotedHeader);
    if (reason !== DropReason.none) return reason;
    const quoted = this.#quoted;
    quoted.setIpv4(packet.bytes, quotedHeader, packet.interfaceIndex);
    // The quoted packet was ours only if it came from the address that the report was sent to.
    if (quoted.src3 !== packet.dst3 || quotedHeader.fragmentOffset !== 0) return DropReason.icmpQuoteUnknown;
    if (type === IcmpV4Type.redirect) {
      this.#host.counters.icmpInRedirects++;
      return this.redirects?.take(packet, quoted, this.#header.gateway) ?? DropReason.redirectRefused;
    }
    const error = errorOf(type, code);
    const mtu = error === StackError.messageTooLong ? this.#header.mtu : 0;
    const transport = this.#transports.get(quoted.protocol);
    if (transport !== undefined) {
      if (error === 0) return DropReason.none;
      this.#setHead(sourceOf(packet), type, code);
      const verdict = transport.icmpError(quoted, error, isHardError(type, code), mtu);
      packet.owner = quoted.owner;
      return verdict;
    }
    let verdict: DropReason = DropReason.icmpQuoteUnknown;
    if (quoted.protocol === IPPROTO_ICMP) {
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

  /**
   * Sends an error about `packet`, unless RFC 1122 §3.2.2 forbids it or there have been too many.
   * @returns whether it did
   */
  #sendError(packet: InboundPacket, type: number, code: number, rest: number): boolean {
    const host = this.#host;
    if (!mayReportOn(packet) || !this.#limiter.take(host.now)) return false;
    const path = this.#pathToSender(packet);
    if (path === null) return false;
    const quoteLength = Math.min(quotedEnd(packet) - packet.headerAt, QUOTE_MAX);
    // RFC 1122 §3.2.2: errors are sent with normal type of service.
    const message = host.reserveControl(path, IPPROTO_ICMP, ICMPV4_HEADER_LEN + quoteLength, 0, 0);
    if (message === null) return false;
    const quoteAt = message.at + ICMPV4_HEADER_LEN;
    copy(packet.bytes, packet.headerAt, message.bytes, quoteAt, quoteLength);
    completeQuote(packet, message.bytes, quoteAt, quoteLength);
    const sum = sumBytes(message.bytes, quoteAt, quoteLength);
    writeIcmpV4(message.bytes, message.at, type, code, rest, sum);
    host.sendControl(message, Cause.icmpError, null);
    host.counters.icmpOutMsgs++;
    host.counters.icmpOutErrors++;
    return true;
  }

  /** From the address that the packet was sent to; when that is not ours, from one that a router chooses (RFC 1812 §4.3.2.4). */
  #pathToSender(packet: InboundPacket): Path | null {
    const host = this.#host;
    const path = host.pathBack(packet);
    if (path !== null || host.isLocal(destinationOf(packet))) return path;
    return host.pathTo(IpAddress.anyV4, sourceOf(packet));
  }
}

/**
 * RFC 1122 §3.2.2: no error about an ICMP error, a packet to a group, a fragment other than the first, or one whose source
 * is no single host. Fragments never come here before they are whole.
 */
function mayReportOn(packet: InboundPacket): boolean {
  if (packet.isGroup || packet.src3 === 0) return false;
  if (packet.protocol !== IPPROTO_ICMP) return true;
  return packet.payloadAt < packet.end && !isIcmpV4Error(packet.bytes[packet.payloadAt] as number);
}
