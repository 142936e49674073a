/**
 * A raw endpoint: IP packets of one protocol, or of all (RAW-01 … RAW-13).
 */

import { EMPTY, IpAddress, type IpFamily, i32, putI32, putU16, u8, u16 } from '../../base/index.ts';
import {
  DropReason,
  fold,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HEADER_LEN,
  IPV6_HEADER_LEN,
  sealIpv4,
  sumBytes,
} from '../../wire/index.ts';
import { type BindOptions, type RawEndpoint, type RawTap, StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { Host, InboundPacket, Path } from '../host.ts';
import { MessageQueues } from '../ip/message-endpoint.ts';
import type { OutgoingPacket } from '../ip/outgoing-packet.ts';
import { isToMulticast, pseudoHeaderSumOf } from '../ip/packet.ts';

/** RAW-10; with a header of the caller's own, the whole packet. */
const MAX_PAYLOAD = 65467;
const MAX_PACKET = 65535;
/** Where ICMPv6 has its checksum (RFC 4443 §2.1). */
const ICMPV6_CHECKSUM_OFFSET = 2;
/** Protocol of an endpoint that gets every protocol's packets (IPPROTO_IP). */
const ANY_PROTOCOL = 0;

/** A caller's header is completed here: nothing else runs in between. */
const header = new Uint8Array(60);
const checksumField = new Uint8Array(2);

/** Where raw endpoints are found, and what is asked of all. */
export interface RawTables {
  /** See `StackOptions.rawRestrictions`. */
  readonly isRestricted: boolean;
  /** Called by an endpoint that begins or ends to tap its interface. */
  tapped(endpoint: RawSocket, isOn: boolean): void;
  /** Called by one that begins or ends to want router alerts. */
  wantsAlerts(isOn: boolean): void;
  /** Called by one that was closed. */
  closed(endpoint: RawSocket): void;
}

export class RawSocket extends MessageQueues implements RawEndpoint {
  override readonly kind = 'raw';
  readonly protocol: number;
  readonly family: IpFamily;
  headerIncluded = false;
  /** The interface that {@link tap} is about, 0 while it is off. */
  tapInterface = 0;
  readonly #tables: RawTables;
  #tap: RawTap = 'off';
  #absorbsRouterAlert = false;
  #checksumOffset = -1;
  #boundAddress: IpAddress;

  constructor(host: Host, tables: RawTables, protocol: number, family: IpFamily) {
    super(host, family);
    this.#tables = tables;
    this.protocol = protocol;
    this.family = family;
    this.#boundAddress = this.anyAddress;
    if (family === 6 && protocol === IPPROTO_ICMPV6) this.#checksumOffset = ICMPV6_CHECKSUM_OFFSET;
  }

  get tap(): RawTap {
    return this.#tap;
  }

  get absorbsRouterAlert(): boolean {
    return this.#absorbsRouterAlert;
  }

  set absorbsRouterAlert(isOn: boolean) {
    if (isOn !== this.#absorbsRouterAlert && !this.isClosed) this.#tables.wantsAlerts(isOn);
    this.#absorbsRouterAlert = isOn;
  }

  get checksumOffset(): number {
    return this.#checksumOffset;
  }

  /** RFC 3542 §3.1: an even offset; ICMPv6's is fixed. Odd ones turn it off. */
  set checksumOffset(offset: number) {
    if (this.family === 4 || this.protocol === IPPROTO_ICMPV6) return;
    this.#checksumOffset = offset >= 0 && offset % 2 === 0 ? offset : -1;
  }

  setTap(tap: RawTap, interfaceIndex = 0): number {
    if (this.isClosed) return StackError.invalid;
    let index = interfaceIndex;
    if (index === 0 && !this.#boundAddress.isAny) index = this.host.interfaceOf(this.#boundAddress);
    else if (!this.host.groups.hasInterface(index)) index = 0;
    // RAW-RCVALL-01, RAW-RCVALL-05
    if (tap !== 'off' && index === 0) return StackError.invalid;
    this.#tap = tap;
    this.tapInterface = tap === 'off' ? 0 : index;
    this.#tables.tapped(this, tap !== 'off');
    return 0;
  }

  override bind(address: IpAddress, _port: number, _options?: BindOptions): number {
    // RAW-RCVALL-03: another interface only after the tap is off.
    if (this.isClosed || this.#tap !== 'off') return StackError.invalid;
    if (this.#tables.isRestricted && this.protocol === IPPROTO_TCP) return StackError.accessDenied;
    const error = this.bindError(address);
    if (error !== 0) return error;
    this.localAddress = address;
    this.#boundAddress = address;
    this.forgetPath();
    return 0;
  }

  /** Only fixes the peer (RAW-11). */
  override connect(address: IpAddress, _port: number): number {
    if (this.isClosed) return StackError.invalid;
    if (address.family !== this.localAddress.family) return StackError.addressNotAvailable;
    this.forgetPath();
    this.localAddress = this.#boundAddress;
    this.remoteAddress = this.anyAddress;
    if (address.isAny) return 0;
    const path = this.pathFor(address);
    if (typeof path === 'number') return path;
    this.localAddress = path.source;
    this.remoteAddress = address;
    return 0;
  }

  override send(
    from: Uint8Array,
    at: number,
    length: number,
    address: IpAddress | null,
    _port: number,
  ): number {
    const path = this.pathFor(address);
    if (typeof path === 'number') return path;
    if (this.headerIncluded) return this.#sendWhole(path, from, at, length);
    // Whose packet would it be?
    if (this.protocol === ANY_PROTOCOL) return StackError.invalid;
    if (length > MAX_PAYLOAD) return StackError.messageTooLong;
    const refusal = this.#refusal(this.protocol);
    if (refusal !== 0) return refusal;
    const error = this.sizeError(path, length);
    if (error !== 0) return error;
    // Without room for its checksum it is no message.
    if (this.#checksumOffset >= 0 && length < this.#checksumOffset + 2) return StackError.invalid;
    const copy = this.copyPath(path);
    if (!this.outbox.hasRoom(copy === null ? length : 2 * length)) return StackError.wouldBlock;
    const isCopied = copy === null || this.#queue(copy, from, at, length);
    const isSent = isCopied && (!this.leavesHost(path) || this.#queue(path, from, at, length));
    return isSent ? length : StackError.noBuffers;
  }

  override close(): void {
    if (this.isClosed) return;
    this.absorbsRouterAlert = false;
    this.isClosed = true;
    this.pendingEvents = 0;
    this.memberships.leaveAll();
    this.inbox.clear();
    this.#tables.closed(this);
  }

  /** Whether the packet fits what this endpoint is bound and connected to (RAW-07). Who taps has seen it already. */
  wants(packet: InboundPacket): boolean {
    if (this.#tap !== 'off' || this.family !== packet.family) return false;
    const { localAddress: local, remoteAddress: remote } = this;
    const isToMe = local.isAny || isWords(local, packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    return (
      (isToMulticast(packet) ? this.#takesGroup(packet) : isToMe) &&
      (remote.isAny || isWords(remote, packet.src0, packet.src1, packet.src2, packet.src3)) &&
      isInZone(local.zone | remote.zone, packet.zone)
    );
  }

  /** Whether it could have sent the packet, which came from an address of ours. */
  mayHaveSent(quoted: InboundPacket): boolean {
    if (this.family !== quoted.family) return false;
    const { localAddress: local, remoteAddress: remote } = this;
    return (
      (local.isAny || isWords(local, quoted.src0, quoted.src1, quoted.src2, quoted.src3)) &&
      (remote.isAny || isWords(remote, quoted.dst0, quoted.dst1, quoted.dst2, quoted.dst3)) &&
      isInZone(local.zone | remote.zone, quoted.zone)
    );
  }

  /**
   * Takes a copy of a packet, which lies whole at `bytes[at … end]`: with IPv4's header (RAW-03), without IPv6's (RAW-04) unless
   * it was tapped.
   */
  receivePacket(packet: InboundPacket, bytes: Uint8Array, at: number, end: number): DropReason {
    const isPayload = this.family === 6 && this.#tap === 'off';
    const from = isPayload ? at + packet.payloadAt - packet.headerAt : at;
    if (isPayload && this.#checksumOffset >= 0) {
      const length = end - from;
      const sum = fold(sumBytes(bytes, from, length, pseudoHeaderSumOf(packet, length)));
      // RFC 3542 §3.1
      if (length < this.#checksumOffset + 2 || sum !== 0xffff) return DropReason.rawChecksum;
    }
    return this.take(packet, 0, bytes, from, end - from, 0, DropReason.rawQueueFull);
  }

  /** What client editions of Windows refuse (RAW-09): an error, or 0. */
  #refusal(protocol: number): number {
    return this.#tables.isRestricted && protocol === IPPROTO_TCP ? StackError.accessDenied : 0;
  }

  /** Appends a message whose checksum field is computed. @returns false without memory for it */
  #appendSummed(packet: OutgoingPacket, path: Path, from: Uint8Array, at: number, length: number): boolean {
    const offset = this.#checksumOffset;
    const behind = length - offset - 2;
    const before = sumBytes(from, at, offset, path.pseudoHeaderSum(this.protocol) + length);
    const sum = fold(sumBytes(from, at + offset + 2, behind, before));
    putU16(checksumField, 0, sum === 0xffff ? 0xffff : ~sum);
    return (
      this.outbox.append(packet, from, at, offset) &&
      this.outbox.append(packet, checksumField, 0, 2) &&
      this.outbox.append(packet, from, at + offset + 2, behind)
    );
  }

  /** @returns false without memory for it */
  #queue(path: Path, from: Uint8Array, at: number, length: number): boolean {
    const packet = this.begin(path, this.protocol, Cause.rawPacket);
    const isTaken =
      this.#checksumOffset < 0
        ? this.outbox.append(packet, from, at, length)
        : this.#appendSummed(packet, path, from, at, length);
    if (isTaken) this.outbox.send(packet);
    return isTaken;
  }

  /** Whether a datagram to a multicast group is for it; bound to an address, it hears that address's interface only. */
  #takesGroup(packet: InboundPacket): boolean {
    const { localAddress } = this;
    const isMine = localAddress.isAny || this.host.interfaceOf(localAddress) === packet.interfaceIndex;
    return isMine && this.takesGroup(packet);
  }

  /** A packet with a header of the caller's (IP_HDRINCL, RAW-05): lengths and checksum are ours to fill in. */
  #sendWhole(path: Path, from: Uint8Array, at: number, length: number): number {
    const headerLength =
      this.family === 4 ? ipv4HeaderLength(from, at, length) : ipv6HeaderLength(from, at, length);
    if (headerLength === 0) return StackError.invalid;
    if (length > MAX_PACKET || length > path.linkMtu) return StackError.messageTooLong;
    header.set(from.subarray(at, at + headerLength));
    const protocol = header[this.family === 4 ? 9 : 6] as number;
    const refusal = this.#refusal(protocol);
    if (refusal !== 0) return refusal;
    if (!this.outbox.hasRoom(length)) return StackError.wouldBlock;
    if (this.family === 4) completeIpv4(header, headerLength, length, path);
    else completeIpv6(header, length, path);
    if (
      this.#tables.isRestricted &&
      protocol === IPPROTO_UDP &&
      !this.host.isLocal(sourceIn(header, this.family))
    ) {
      // RAW-09: gone, and nobody is told.
      this.host.counters.drop(DropReason.rawForeignSource);
      return length;
    }
    const packet = this.begin(path, this.protocol, Cause.rawPacket);
    packet.hasOwnHeader = true;
    packet.options = EMPTY;
    packet.inlineLength = headerLength;
    if (
      !this.outbox.append(packet, header, 0, headerLength) ||
      !this.outbox.append(packet, from, at + headerLength, length - headerLength)
    ) {
      return StackError.noBuffers;
    }
    this.outbox.send(packet);
    return length;
  }
}

/** Length of the header that a packet begins with, 0 when it is none. */
function ipv4HeaderLength(bytes: Uint8Array, at: number, length: number): number {
  if (length < IPV4_HEADER_LEN || u8(bytes, at) >> 4 !== 4) return 0;
  const headerLength = (u8(bytes, at) & 0xf) << 2;
  return headerLength < IPV4_HEADER_LEN || headerLength > length ? 0 : headerLength;
}

function ipv6HeaderLength(bytes: Uint8Array, at: number, length: number): number {
  return length < IPV6_HEADER_LEN || u8(bytes, at) >> 4 !== 6 ? 0 : IPV6_HEADER_LEN;
}

function completeIpv4(into: Uint8Array, headerLength: number, length: number, path: Path): void {
  putU16(into, 2, length);
  if (u16(into, 4) === 0) putU16(into, 4, path.nextIdentification());
  if (i32(into, 12) === 0) putI32(into, 12, path.source.w3);
  sealIpv4(into, 0, headerLength);
}

function completeIpv6(into: Uint8Array, length: number, path: Path): void {
  putU16(into, 4, length - IPV6_HEADER_LEN);
  if ((i32(into, 8) | i32(into, 12) | i32(into, 16) | i32(into, 20)) !== 0) return;
  const { source } = path;
  putI32(into, 8, source.w0);
  putI32(into, 12, source.w1);
  putI32(into, 16, source.w2);
  putI32(into, 20, source.w3);
}

/** The source in a header. Allocates: for UDP with headers of the caller's own, which is rare. */
function sourceIn(bytes: Uint8Array, family: IpFamily): IpAddress {
  if (family === 4) return IpAddress.v4(i32(bytes, 12));
  return new IpAddress(6, i32(bytes, 8), i32(bytes, 12), i32(bytes, 16), i32(bytes, 20));
}

function isWords(address: IpAddress, w0: number, w1: number, w2: number, w3: number): boolean {
  return address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0;
}

/** Whether an endpoint whose addresses have this zone, or none, is meant by a packet of that one. */
function isInZone(own: number, zone: number): boolean {
  return own === 0 || own === zone;
}
