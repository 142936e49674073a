/**
 * A UDP endpoint (RFC 768, RFC 1122 §4.1).
 */

import { IpAddress } from '../../base/index.ts';
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
import { canCarryPartial } from '../ip/outbox.ts';
import { largestPacket } from '../ip/packet-size.ts';
import type { PortBinding, PortTable } from '../ports.ts';

/** Where endpoints are found and ports are held: the transport's, shared by all of its endpoints. */
export interface UdpTables {
  /** Endpoints with a peer, and those without. */
  readonly connections: ConnectionTable<UdpSocket>;
  readonly listeners: ListenerTable<UdpSocket>;
  readonly ports: PortTable;
  /** Called by an endpoint that was closed. */
  closed(endpoint: UdpSocket): void;
}

/** What fits into an IP packet behind both headers. */
const MAX_PAYLOAD = 65535 - 20 - UDP_HEADER_LEN;

/** The header is built here: nothing else runs in between. */
const header = new Uint8Array(UDP_HEADER_LEN);

export class UdpSocket
  extends MessageQueues
  implements UdpEndpoint, ConnectionEntry<UdpSocket>, ListenerEntry<UdpSocket>
{
  override readonly kind = 'udp';
  nextConnection: UdpSocket | null = null;
  nextListener: UdpSocket | null = null;
  readonly #tables: UdpTables;
  #binding: PortBinding | null = null;
  /** What was asked for by `bind`: comes back when a connect is undone. */
  #boundAddress: IpAddress = IpAddress.anyV4;

  constructor(host: Host, tables: UdpTables) {
    super(host);
    this.#tables = tables;
  }

  /** Whether it has a peer, and so is found by both addresses. */
  get isConnected(): boolean {
    return !this.remoteAddress.isAny;
  }

  override bind(address: IpAddress, port: number, options: BindOptions = {}): number {
    if (this.isClosed || this.#binding !== null) return StackError.invalid;
    const error = this.bindError(address);
    if (error !== 0) return error;
    const binding = this.#tables.ports.bind(address, port, options.sharing, options.owner);
    if (typeof binding === 'number') return binding;
    this.#binding = binding;
    this.#boundAddress = address;
    this.localAddress = address;
    this.localPort = binding.port;
    this.forgetPath();
    this.#tables.listeners.add(this);
    return 0;
  }

  override connect(address: IpAddress, port: number): number {
    if (this.isClosed) return StackError.invalid;
    if (address.isAny || port === 0) return this.#disconnect();
    if (address.family !== this.localAddress.family) return StackError.addressNotAvailable;
    const path = this.host.pathTo(this.#boundAddress, address);
    if (path === null) return StackError.networkUnreachable;
    if (path.isBroadcast && !this.broadcast) return StackError.broadcastDenied;
    const error = this.#ensureBound();
    if (error !== 0) return error;
    this.#leaveTables();
    this.localAddress = path.source;
    this.remoteAddress = address;
    this.remotePort = port;
    this.forgetPath();
    this.#tables.connections.add(this);
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
    if (length > MAX_PAYLOAD) return StackError.messageTooLong;
    const whole = UDP_HEADER_LEN + length;
    const error = this.sizeError(path, whole) || this.#ensureBound();
    if (error !== 0) return error;
    if (!this.outbox.hasRoom(whole)) return StackError.wouldBlock;
    return this.#queue(path, remotePort, from, at, length);
  }

  override close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#leaveTables();
    if (this.#binding !== null) this.#tables.ports.release(this.#binding);
    this.#binding = null;
    this.pendingEvents = 0;
    this.inbox.clear();
    this.#tables.closed(this);
  }

  /** Takes a datagram's payload. */
  receiveDatagram(packet: InboundPacket, sourcePort: number, at: number, length: number): DropReason {
    return this.take(packet, sourcePort, at, length, DropReason.udpQueueFull);
  }

  #queue(path: Path, remotePort: number, from: Uint8Array, at: number, length: number): number {
    const whole = UDP_HEADER_LEN + length;
    const packet = this.begin(path, IPPROTO_UDP, Cause.datagram);
    packet.inlineLength = UDP_HEADER_LEN;
    const pseudoSum = path.pseudoHeaderSum(IPPROTO_UDP) + whole;
    writeUdp(header, 0, this.localPort, remotePort, whole);
    if (canCarryPartial(path, whole, largestPacket(this, path))) {
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
    this.host.counters.udpOutDatagrams++;
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
    this.remoteAddress = IpAddress.anyV4;
    this.remotePort = 0;
    this.forgetPath();
    this.#tables.listeners.add(this);
    return 0;
  }

  #leaveTables(): void {
    if (this.#binding === null) return;
    if (this.isConnected) this.#tables.connections.remove(this);
    else this.#tables.listeners.remove(this);
  }
}
