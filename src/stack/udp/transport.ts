/**
 * UDP (RFC 768, RFC 1122 §4.1): finds the endpoint of a datagram, and of what ICMP says about one.
 */

import { type IpFamily, u16 } from '../../base/index.ts';
import { DropReason, isUdpChecksumRight, parseUdp, UdpHeader } from '../../wire/index.ts';
import { StackError } from '../api.ts';
import { ConnectionTable, ListenerTable } from '../demux.ts';
import type { Host, InboundPacket, Transport } from '../host.ts';
import { isToMulticast, pseudoHeaderSumOf } from '../ip/packet.ts';
import { pathTooBig } from '../ip/too-big.ts';
import { PortTable } from '../ports.ts';
import { UdpSocket, type UdpTables } from './endpoint.ts';

/** Who takes datagrams before endpoints are looked for: the host's own services, which have no socket. */
export interface DatagramTaker {
  /** @returns 0 or the `DropReason` when the payload `at … end` is its own; -1: it is not */
  take(packet: InboundPacket, destinationPort: number, at: number, end: number): number;
}

export class UdpTransport implements Transport, UdpTables {
  readonly connections: ConnectionTable<UdpSocket>;
  readonly listeners = new ListenerTable<UdpSocket>();
  readonly ports: PortTable;
  /** `null`: nobody. */
  taker: DatagramTaker | null = null;
  readonly #host: Host;
  readonly #header = new UdpHeader();
  readonly #open = new Set<UdpSocket>();
  /** All that are bound, by port: those with a peer too. */
  readonly #byPort = new Map<number, UdpSocket[]>();

  constructor(host: Host) {
    this.#host = host;
    this.connections = new ConnectionTable(host.secret);
    this.ports = new PortTable(host.random, host.secret);
  }

  open(family: IpFamily): UdpSocket {
    const endpoint = new UdpSocket(this.#host, this, family);
    this.#open.add(endpoint);
    return endpoint;
  }

  endpoints(): Iterable<UdpSocket> {
    return this.#open;
  }

  bound(endpoint: UdpSocket): void {
    const others = this.#byPort.get(endpoint.localPort);
    if (others === undefined) this.#byPort.set(endpoint.localPort, [endpoint]);
    else others.push(endpoint);
  }

  closed(endpoint: UdpSocket): void {
    this.#open.delete(endpoint);
    const others = this.#byPort.get(endpoint.localPort);
    const at = others?.indexOf(endpoint) ?? -1;
    if (others === undefined || at < 0) return;
    others.splice(at, 1);
    if (others.length === 0) this.#byPort.delete(endpoint.localPort);
  }

  receive(packet: InboundPacket): number {
    const header = this.#header;
    const { bytes, payloadAt, end } = packet;
    const reason = this.#check(packet, parseUdp(bytes, payloadAt, end, header));
    if (reason !== DropReason.none) {
      this.#host.counters.udpInErrors++;
      return reason;
    }
    if (this.taker !== null) {
      const verdict = this.taker.take(packet, header.destinationPort, header.payloadAt, header.end);
      if (verdict >= 0) return verdict;
    }
    if (packet.isGroup) return this.#receiveGroup(packet);
    const { sourcePort, destinationPort } = header;
    const endpoint =
      this.connections.find(packet, destinationPort, sourcePort) ??
      this.listeners.find(packet, destinationPort);
    if (endpoint === null) return this.#refuse(packet, destinationPort);
    if (header.checksum === 0 && packet.family === 6 && !endpoint.takesZeroChecksum)
      return this.#noChecksum();
    return this.#deliver(packet, endpoint);
  }

  icmpError(quoted: InboundPacket, error: number, _isHard: boolean, mtu: number): number {
    const localPort = u16(quoted.bytes, quoted.payloadAt);
    const remotePort = u16(quoted.bytes, quoted.payloadAt + 2);
    const endpoint =
      this.connections.findSender(quoted, localPort, remotePort) ??
      this.listeners.findSender(quoted, localPort) ??
      this.#senderElsewhere(quoted, localPort, remotePort);
    if (endpoint === null) return DropReason.icmpQuoteUnknown;
    quoted.owner = endpoint;
    if (error === StackError.messageTooLong) {
      const verdict = pathTooBig(this.#host, quoted, mtu);
      if (verdict !== DropReason.none) return verdict;
    }
    this.#queueError(endpoint, quoted, mtu);
    // Of packets that were too big it tells nothing: what is too long from now on, `send` says (RFC 1191 §6.2).
    endpoint.report(error);
    return DropReason.none;
  }

  /** Keeps the error for who asked for all of them (OPT-IP_RECVERR). */
  #queueError(endpoint: UdpSocket, quoted: InboundPacket, mtu: number): void {
    const { errors } = endpoint;
    if (!errors.wants(quoted.family) || errors.add(quoted, this.#host.icmpErrorHead, mtu)) return;
    this.#host.counters.drop(DropReason.icmpErrorQueueFull);
  }

  #check(packet: InboundPacket, parsed: DropReason): DropReason {
    if (parsed !== DropReason.none || packet.checksumTrusted) return parsed;
    const { payloadAt } = packet;
    const sum = pseudoHeaderSumOf(packet, this.#header.end - payloadAt);
    const isRight = isUdpChecksumRight(packet.bytes, payloadAt, this.#header, sum);
    return isRight ? DropReason.none : DropReason.udpChecksum;
  }

  #deliver(packet: InboundPacket, endpoint: UdpSocket): DropReason {
    const { sourcePort, payloadAt, end } = this.#header;
    const length = end - payloadAt;
    if (packet.gsoSize === 0 || length <= packet.gsoSize) {
      return this.#count(endpoint.receiveDatagram(packet, sourcePort, payloadAt, length, 0), 1);
    }
    // Datagrams that the device merged come out one by one, or as many together as the endpoint asks for.
    const { gsoSize } = packet;
    const together = Math.max(1, Math.floor(endpoint.coalescedSize / gsoSize));
    let reason: DropReason = DropReason.none;
    for (let at = payloadAt; at < end && reason === DropReason.none; at += together * gsoSize) {
      const part = Math.min(together * gsoSize, end - at);
      const size = part > gsoSize ? gsoSize : 0;
      reason = this.#count(
        endpoint.receiveDatagram(packet, sourcePort, at, part, size),
        Math.ceil(part / gsoSize),
      );
    }
    return reason;
  }

  #count(reason: DropReason, datagrams: number): DropReason {
    if (reason === DropReason.none) this.#host.counters.udpInDatagrams += datagrams;
    else this.#host.counters.udpInErrors += datagrams;
    return reason;
  }

  /** RFC 6935 §5: over IPv6 only who says so takes datagrams without a checksum; RFC 6936 §5: they are dropped, and counted. */
  #noChecksum(): DropReason {
    this.#host.counters.udpInErrors++;
    return DropReason.udpNoChecksum;
  }

  /** Who sent a packet that came back though it is connected to somebody else. */
  #senderElsewhere(quoted: InboundPacket, localPort: number, remotePort: number): UdpSocket | null {
    const bound = this.#byPort.get(localPort);
    if (bound === undefined) return null;
    for (let i = 0; i < bound.length; i++) {
      const endpoint = bound[i] as UdpSocket;
      if (endpoint.hasSentElsewhere(quoted, remotePort)) return endpoint;
    }
    return null;
  }

  /**
   * Every endpoint that is bound to the port and wants it gets a copy (RFC 1122 §4.1.3.5, SEM-BIND-23): of multicasts, who has
   * joined the group there.
   */
  #receiveGroup(packet: InboundPacket): DropReason {
    const { sourcePort, destinationPort, checksum } = this.#header;
    let verdict: DropReason = DropReason.udpNoListener;
    const bound = this.#byPort.get(destinationPort);
    const isBroadcast = !isToMulticast(packet);
    for (let i = 0; bound !== undefined && i < bound.length; i++) {
      const endpoint = bound[i] as UdpSocket;
      if (!endpoint.wantsGroup(packet, sourcePort)) continue;
      if (isBroadcast ? !endpoint.receivesBroadcast || endpoint.multicastOnly : !endpoint.takesGroup(packet))
        continue;
      if (checksum === 0 && packet.family === 6 && !endpoint.takesZeroChecksum) continue;
      const reason = this.#deliver(packet, endpoint);
      if (verdict !== DropReason.none) verdict = reason;
    }
    if (verdict === DropReason.udpNoListener) this.#host.counters.udpNoPorts++;
    return verdict;
  }

  #refuse(packet: InboundPacket, port: number): DropReason {
    this.#host.counters.udpNoPorts++;
    this.#host.refusePort(packet);
    return this.ports.isBound(port) ? DropReason.udpWrongPeer : DropReason.udpNoListener;
  }
}
