/**
 * A UDP endpoint (RFC 768, RFC 1122 §4.1).
 */

import { IpAddress, type IpFamily } from '../../base/index.ts';
import {
  DropReason,
  IPPROTO_UDP,
  sealPartial,
  sealUdp,
  sumBytes,
  UDP_CHECKSUM_OFFSET,
  UDP_HEADER_LEN,
  writeUdp,
} from '../../wire/index.ts';
import { type BindOptions, StackError, type UdpEndpoint } from '../api.ts';
import { Cause } from '../cause.ts';
import type { ConnectionEntry, ConnectionTable, ListenerEntry, ListenerTable } from '../demux.ts';
import type { Host, InboundPacket, Path } from '../host.ts';
import { MessageQueues } from '../ip/message-endpoint.ts';
import { canCarryPartial, canCarrySegments, MAX_PACKETS } from '../ip/outbox.ts';
import { largestPacket } from '../ip/packet-size.ts';
import type { PortBinding, PortTable } from '../ports.ts';
import { ErrorQueue } from './error-queue.ts';

/** Where endpoints are found and ports are held: the transport's, shared by all of its endpoints. */
export interface UdpTables {
  /** Endpoints with a peer, and those without. */
  readonly connections: ConnectionTable<UdpSocket>;
  readonly listeners: ListenerTable<UdpSocket>;
  readonly ports: PortTable;
  /** Called by an endpoint that was bound. */
  bound(endpoint: UdpSocket): void;
  /** Called by an endpoint that was closed. */
  closed(endpoint: UdpSocket): void;
}

/** What fits into an IP packet behind both headers; IPv6 does not count its own (RFC 8200 §3). */
const MAX_PAYLOAD_V4 = 65535 - 20 - UDP_HEADER_LEN;
const MAX_PAYLOAD_V6 = 65535 - UDP_HEADER_LEN;
/** Datagrams in one super-segment: what Linux cuts, of old, in one go. */
const MAX_SEGMENTS = 64;

/** The header is built here: nothing else runs in between. */
const header = new Uint8Array(UDP_HEADER_LEN);

export class UdpSocket
  extends MessageQueues
  implements UdpEndpoint, ConnectionEntry<UdpSocket>, ListenerEntry<UdpSocket>
{
  override readonly kind = 'udp';
  v6Only = true;
  sendsZeroChecksum = false;
  takesZeroChecksum = false;
  segmentSize = 0;
  coalescedSize = 0;
  multicastOnly = false;
  readonly errors: ErrorQueue;
  nextConnection: UdpSocket | null = null;
  nextListener: UdpSocket | null = null;
  readonly #tables: UdpTables;
  #binding: PortBinding | null = null;
  /** What was asked for by `bind`: comes back when a connect is undone. */
  #boundAddress: IpAddress;
  /** Who but its peer it sent to last. */
  #elsewhere: IpAddress | null = null;
  #elsewherePort = 0;

  constructor(host: Host, tables: UdpTables, family: IpFamily) {
    super(host, family);
    this.#boundAddress = this.anyAddress;
    this.#tables = tables;
    this.errors = new ErrorQueue(host.allocator);
  }

  /** Takes and reaches IPv4 too. */
  override get isDual(): boolean {
    return this.anyAddress.family === 6 && !this.v6Only;
  }

  /** Whether it has a peer, and so is found by both addresses. */
  get isConnected(): boolean {
    return !this.remoteAddress.isAny;
  }

  override bind(address: IpAddress, port: number, options: BindOptions = {}): number {
    if (this.isClosed || this.#binding !== null) return StackError.invalid;
    const error = this.bindError(address, options.isForeign);
    if (error !== 0) return error;
    const binding = this.#tables.ports.claim(address.unmapped(), port, options, this.isDual);
    if (typeof binding === 'number') return binding;
    this.#binding = binding;
    this.#boundAddress = address;
    this.localAddress = address;
    this.localPort = binding.port;
    this.forgetPath();
    // Found by the port alone, as all members of groups are.
    if (!this.multicastOnly) this.#tables.listeners.add(this);
    this.#tables.bound(this);
    return 0;
  }

  override connect(address: IpAddress, port: number): number {
    if (this.isClosed) return StackError.invalid;
    if (address.isAny || port === 0) return this.#disconnect();
    if (address.family !== this.localAddress.family) return StackError.addressNotAvailable;
    if (address.isV4Mapped && !this.isDual) return StackError.networkUnreachable;
    const path = this.#pathToPeer(address.unmapped());
    if (path === null) return StackError.networkUnreachable;
    if (path.isBroadcast && !this.broadcast) return StackError.broadcastDenied;
    const error = this.#ensureBound();
    if (error !== 0) return error;
    this.#leaveTables();
    this.localAddress = this.anyAddress.family === 6 ? path.source.mapped() : path.source;
    this.remoteAddress = address;
    this.remotePort = port;
    this.forgetPath();
    this.#tables.connections.add(this);
    this.inbox.keepFrom(address, port);
    return 0;
  }

  override send(
    from: Uint8Array,
    at: number,
    length: number,
    address: IpAddress | null,
    port: number,
  ): number {
    const path = this.pathFor(address);
    if (typeof path === 'number') return path;
    const remotePort = address === null ? this.remotePort : port;
    if (remotePort === 0) return StackError.addressNotAvailable;
    const optionsLength = this.ipOptions.length;
    const most = path.source.family === 4 ? MAX_PAYLOAD_V4 - optionsLength : MAX_PAYLOAD_V6;
    if (length > most) return StackError.messageTooLong;
    const { segmentSize } = this;
    const isCut = segmentSize > 0 && length > segmentSize;
    const error =
      this.sizeError(path, UDP_HEADER_LEN + (isCut ? segmentSize : length)) || this.#ensureBound();
    if (error !== 0) return error;
    if (address !== null && this.isConnected) {
      this.#elsewhere = address;
      this.#elsewherePort = port;
    }
    const copy = this.copyPath(path);
    if (copy !== null) return this.#sendWithCopy(path, copy, remotePort, from, at, length);
    if (!this.leavesHost(path)) return length;
    if (isCut) return this.#sendSegments(path, remotePort, from, at, length, segmentSize);
    if (!this.outbox.hasRoom(UDP_HEADER_LEN + length)) return StackError.wouldBlock;
    return this.#queue(path, remotePort, from, at, length, 0);
  }

  override close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#leaveTables();
    if (this.#binding !== null) this.#tables.ports.release(this.#binding);
    this.#binding = null;
    this.pendingEvents = 0;
    this.memberships.leaveAll();
    this.inbox.clear();
    this.errors.clear();
    this.#tables.closed(this);
  }

  /** The way to a peer from what is bound: `::` is both families' any-address when IPv4 is spoken too. */
  #pathToPeer(peer: IpAddress): Path | null {
    const bound = this.#boundAddress.unmapped();
    const from = bound.isAny && peer.family === 4 ? IpAddress.anyV4 : bound;
    return this.host.pathOver(this.unicastInterface, from, peer);
  }

  /** Takes a datagram's payload, or that of several. @param segmentSize see `Inbox.add` */
  receiveDatagram(
    packet: InboundPacket,
    sourcePort: number,
    at: number,
    length: number,
    segmentSize: number,
  ): DropReason {
    return this.take(packet, sourcePort, packet.bytes, at, length, segmentSize, DropReason.udpQueueFull);
  }

  /**
   * Whether it takes datagrams to a group from this sender: it has no peer or that one, and is bound to the any-address or to
   * one of the interface by which the packet came. Windows gives broadcasts to the latter too.
   */
  wantsGroup(packet: InboundPacket, sourcePort: number): boolean {
    const { remoteAddress: peer } = this;
    if (this.isConnected) {
      if (sourcePort !== this.remotePort || peer.w3 !== packet.src3 || peer.w2 !== packet.src2) return false;
      if (peer.w1 !== packet.src1 || peer.w0 !== packet.src0) return false;
    }
    const bound = this.#boundAddress;
    if (bound.family !== packet.family && !(bound.isAny && this.isDual)) return false;
    return bound.isAny || this.host.interfaceOf(bound) === packet.interfaceIndex;
  }

  /** Whether it has, though it has a peer, sent last to somebody else (SEM-IO-17) the packet that an ICMP error quotes. */
  hasSentElsewhere(quoted: InboundPacket, remotePort: number): boolean {
    const { localAddress: local } = this;
    const to = this.#elsewhere;
    if (to === null || this.#elsewherePort !== remotePort) return false;
    if (to.w3 !== quoted.dst3 || to.w2 !== quoted.dst2 || to.w1 !== quoted.dst1 || to.w0 !== quoted.dst0) {
      return false;
    }
    return (
      local.w3 === quoted.src3 &&
      local.w2 === quoted.src2 &&
      local.w1 === quoted.src1 &&
      local.w0 === quoted.src0
    );
  }

  /** Sends to a group, and a copy to our own members of it: first, because they do not wait for the link. */
  #sendWithCopy(
    path: Path,
    copy: Path,
    remotePort: number,
    from: Uint8Array,
    at: number,
    length: number,
  ): number {
    const step = this.segmentSize > 0 ? this.segmentSize : Math.max(1, length);
    const packets = Math.max(1, Math.ceil(length / step));
    if (packets > MAX_PACKETS) return StackError.messageTooLong;
    // Room for one of them counts: the other may exceed the bound, or large messages would never leave.
    if (!this.outbox.hasRoom(length + packets * UDP_HEADER_LEN, packets)) return StackError.wouldBlock;
    for (const way of this.leavesHost(path) ? [copy, path] : [copy]) {
      for (let i = 0; i < packets; i++) {
        const part = Math.min(step, length - i * step);
        const error = this.#queue(way, remotePort, from, at + i * step, part, 0);
        if (error < 0) return error;
      }
    }
    // A copy is no datagram more.
    if (this.leavesHost(path)) this.host.counters.udpOutDatagrams -= packets;
    return length;
  }

  /** Sends one message as several datagrams: as super-segments where the link cuts them, else one by one. */
  #sendSegments(
    path: Path,
    remotePort: number,
    from: Uint8Array,
    at: number,
    length: number,
    segmentSize: number,
  ): number {
    const isOffloaded =
      !this.sendsZeroChecksum &&
      canCarrySegments(path, this.ipOptions.length + UDP_HEADER_LEN + segmentSize, largestPacket(this, path));
    const step = isOffloaded ? segmentSize * MAX_SEGMENTS : segmentSize;
    const packets = Math.ceil(length / step);
    if (packets > MAX_PACKETS) return StackError.messageTooLong;
    if (!this.outbox.hasRoom(length + packets * UDP_HEADER_LEN, packets)) return StackError.wouldBlock;
    for (let done = 0; done < length; done += step) {
      const part = Math.min(step, length - done);
      const error = this.#queue(
        path,
        remotePort,
        from,
        at + done,
        part,
        part > segmentSize ? segmentSize : 0,
      );
      // No memory for the rest: what has been taken is on its way.
      if (error < 0) return done > 0 ? done : error;
    }
    return length;
  }

  #queue(
    path: Path,
    remotePort: number,
    from: Uint8Array,
    at: number,
    length: number,
    segmentSize: number,
  ): number {
    const whole = UDP_HEADER_LEN + length;
    const packet = this.begin(path, IPPROTO_UDP, Cause.datagram);
    packet.inlineLength = UDP_HEADER_LEN;
    packet.segmentSize = segmentSize;
    packet.flowLabel = path.flowLabel(IPPROTO_UDP, this.localPort, remotePort);
    const pseudoSum = path.pseudoHeaderSum(IPPROTO_UDP) + whole;
    writeUdp(header, 0, this.localPort, remotePort, whole);
    if (this.sendsZeroChecksum) {
      // The field is zero already: none was computed.
    } else if (
      segmentSize > 0 ||
      canCarryPartial(path, this.ipOptions.length + whole, largestPacket(this, path))
    ) {
      sealPartial(header, UDP_CHECKSUM_OFFSET, pseudoSum);
      packet.checksumOffset = UDP_CHECKSUM_OFFSET;
    } else {
      sealUdp(header, 0, sumBytes(from, at, length, pseudoSum));
    }
    if (
      !this.outbox.append(packet, header, 0, UDP_HEADER_LEN) ||
      !this.outbox.append(packet, from, at, length)
    ) {
      return StackError.noBuffers;
    }
    this.outbox.send(packet);
    this.host.counters.udpOutDatagrams += segmentSize === 0 ? 1 : Math.ceil(length / segmentSize);
    return length;
  }

  /** A send or connect without a bind takes an unused port at the any-address. */
  #ensureBound(): number {
    return this.#binding === null ? this.bind(this.localAddress, 0) : 0;
  }

  #disconnect(): number {
    if (!this.isConnected) return 0;
    this.#leaveTables();
    this.localAddress = this.#boundAddress;
    this.remoteAddress = this.anyAddress;
    this.remotePort = 0;
    this.forgetPath();
    if (!this.multicastOnly) this.#tables.listeners.add(this);
    return 0;
  }

  #leaveTables(): void {
    if (this.#binding === null) return;
    if (this.isConnected) this.#tables.connections.remove(this);
    else if (!this.multicastOnly) this.#tables.listeners.remove(this);
  }
}
