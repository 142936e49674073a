/**
 * A raw endpoint: IP packets of one protocol (RAW-01 … RAW-13).
 */

import { IpAddress, i32, putI32, putU16, u8, u16 } from '../../base/index.ts';
import { DropReason, IPV4_HEADER_LEN, sealIpv4 } from '../../wire/index.ts';
import { type BindOptions, type RawEndpoint, StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { Host, InboundPacket, Path } from '../host.ts';
import { MessageQueues } from '../ip/message-endpoint.ts';

/** RAW-10; with a header of the caller's own, the whole packet. */
const MAX_PAYLOAD = 65467;
const MAX_PACKET = 65535;

/** A caller's header is completed here: nothing else runs in between. */
const header = new Uint8Array(60);

export class RawSocket extends MessageQueues implements RawEndpoint {
  override readonly kind = 'raw';
  readonly protocol: number;
  headerIncluded = false;
  readonly #onClose: (endpoint: RawSocket) => void;
  #boundAddress: IpAddress = IpAddress.anyV4;

  constructor(host: Host, protocol: number, onClose: (endpoint: RawSocket) => void) {
    super(host);
    this.#onClose = onClose;
    this.protocol = protocol;
  }

  override bind(address: IpAddress, _port: number, _options?: BindOptions): number {
    if (this.isClosed) return StackError.invalid;
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
    this.remoteAddress = IpAddress.anyV4;
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
    if (length > MAX_PAYLOAD) return StackError.messageTooLong;
    const error = this.sizeError(path, length);
    if (error !== 0) return error;
    if (!this.outbox.hasRoom(length)) return StackError.wouldBlock;
    const packet = this.begin(path, this.protocol, Cause.rawPacket);
    if (!this.outbox.append(packet, from, at, length)) return StackError.noBuffers;
    this.outbox.send(packet);
    return length;
  }

  override close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.pendingEvents = 0;
    this.inbox.clear();
    this.#onClose(this);
  }

  /** Whether the packet fits what this endpoint is bound and connected to (RAW-07). */
  wants(packet: InboundPacket): boolean {
    const { localAddress: local, remoteAddress: remote } = this;
    return (
      (local.isAny || (local.w3 === packet.dst3 && local.family === packet.family)) &&
      (remote.isAny || (remote.w3 === packet.src3 && remote.family === packet.family))
    );
  }

  /** Whether it could have sent the packet, which came from an address of ours. */
  mayHaveSent(quoted: InboundPacket): boolean {
    const { localAddress: local, remoteAddress: remote } = this;
    return (
      (local.isAny || (local.w3 === quoted.src3 && local.family === quoted.family)) &&
      (remote.isAny || (remote.w3 === quoted.dst3 && remote.family === quoted.family))
    );
  }

  /** Takes a copy of a packet, IPv4 header included (RAW-03). */
  receivePacket(packet: InboundPacket): DropReason {
    const { headerAt, end } = packet;
    return this.take(packet, 0, packet.bytes, headerAt, end - headerAt, 0, DropReason.rawQueueFull);
  }

  /** A packet with a header of the caller's (IP_HDRINCL, RAW-05): lengths and checksum are ours to fill in. */
  #sendWhole(path: Path, from: Uint8Array, at: number, length: number): number {
    const headerLength = length < IPV4_HEADER_LEN ? 0 : (u8(from, at) & 0xf) << 2;
    if (headerLength < IPV4_HEADER_LEN || headerLength > length || u8(from, at) >> 4 !== 4) {
      return StackError.invalid;
    }
    if (length > MAX_PACKET || length > path.linkMtu) return StackError.messageTooLong;
    if (!this.outbox.hasRoom(length)) return StackError.wouldBlock;
    header.set(from.subarray(at, at + headerLength));
    putU16(header, 2, length);
    if (u16(header, 4) === 0) putU16(header, 4, path.nextIdentification());
    if (i32(header, 12) === 0) putI32(header, 12, path.source.w3);
    sealIpv4(header, 0, headerLength);
    const packet = this.begin(path, this.protocol, Cause.rawPacket);
    packet.hasOwnHeader = true;
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
