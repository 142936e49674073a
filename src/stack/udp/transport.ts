/**
 * UDP (RFC 768, RFC 1122 §4.1): finds the endpoint of a datagram, and of what ICMP says about one.
 */

import { u16 } from '../../base/index.ts';
import { DropReason, isUdpChecksumRight, parseUdp, UdpHeader } from '../../wire/index.ts';
import { StackError } from '../api.ts';
import { ConnectionTable, ListenerTable } from '../demux.ts';
import type { Host, InboundPacket, Transport } from '../host.ts';
import { pseudoHeaderSumOf } from '../ip/packet.ts';
import { pathTooBig } from '../ip/too-big.ts';
import { PortTable } from '../ports.ts';
import { UdpSocket, type UdpTables } from './endpoint.ts';

export class UdpTransport implements Transport, UdpTables {
  readonly connections: ConnectionTable<UdpSocket>;
  readonly listeners = new ListenerTable<UdpSocket>();
  readonly ports: PortTable;
  readonly #host: Host;
  readonly #header = new UdpHeader();
  readonly #open = new Set<UdpSocket>();

  constructor(host: Host) {
    this.#host = host;
    this.connections = new ConnectionTable(host.secret);
    this.ports = new PortTable(host.random, host.secret);
  }

  open(): UdpSocket {
    const endpoint = new UdpSocket(this.#host, this);
    this.#open.add(endpoint);
    return endpoint;
  }

  endpoints(): Iterable<UdpSocket> {
    return this.#open;
  }

  closed(endpoint: UdpSocket): void {
    this.#open.delete(endpoint);
  }

  receive(packet: InboundPacket): number {
    const header = this.#header;
    const { bytes, payloadAt, end } = packet;
    const reason = this.#check(packet, parseUdp(bytes, payloadAt, end, header));
    if (reason !== DropReason.none) {
      this.#host.counters.udpInErrors++;
      return reason;
    }
    if (packet.isGroup) return this.#receiveGroup(packet);
    const { sourcePort, destinationPort } = header;
    const endpoint =
      this.connections.find(packet, destinationPort, sourcePort) ??
      this.listeners.find(packet, destinationPort);
    if (endpoint === null) return this.#refuse(packet, destinationPort);
    return this.#deliver(packet, endpoint);
  }

  icmpError(quoted: InboundPacket, error: number, _isHard: boolean, mtu: number): number {
    const localPort = u16(quoted.bytes, quoted.payloadAt);
    const remotePort = u16(quoted.bytes, quoted.payloadAt + 2);
    const endpoint =
      this.connections.findSender(quoted, localPort, remotePort) ??
      this.listeners.findSender(quoted, localPort);
    if (endpoint === null) return DropReason.icmpQuoteUnknown;
    quoted.owner = endpoint;
    // Nothing to tell the user: what is too long from now on, `send` says (RFC 1191 §6.2).
    if (error === StackError.messageTooLong) return pathTooBig(this.#host, quoted, mtu);
    endpoint.report(error);
    return DropReason.none;
  }

  #check(packet: InboundPacket, parsed: DropReason): DropReason {
    if (parsed !== DropReason.none || packet.checksumTrusted) return parsed;
    const { payloadAt } = packet;
    // Over IPv6 there must be a checksum (RFC 8200 §8.1).
    if (packet.family === 6 && this.#header.checksum === 0) return DropReason.udpChecksum;
    const sum = pseudoHeaderSumOf(packet, this.#header.end - payloadAt);
    const isRight = isUdpChecksumRight(packet.bytes, payloadAt, this.#header, sum);
    return isRight ? DropReason.none : DropReason.udpChecksum;
  }

  #deliver(packet: InboundPacket, endpoint: UdpSocket): DropReason {
    const { sourcePort, payloadAt, end } = this.#header;
    const length = end - payloadAt;
    if (packet.gsoSize === 0 || length <= packet.gsoSize) {
      return this.#count(endpoint.receiveDatagram(packet, sourcePort, payloadAt, length));
    }
    // Datagrams that the device merged come out one by one.
    let reason: DropReason = DropReason.none;
    for (let at = payloadAt; at < end && reason === DropReason.none; at += packet.gsoSize) {
      const part = Math.min(packet.gsoSize, end - at);
      reason = this.#count(endpoint.receiveDatagram(packet, sourcePort, at, part));
    }
    return reason;
  }

  #count(reason: DropReason): DropReason {
    if (reason === DropReason.none) this.#host.counters.udpInDatagrams++;
    else this.#host.counters.udpInErrors++;
    return reason;
  }

  /**
   * Every endpoint that is bound to the port gets a copy (RFC 1122 §4.1.3.5, SEM-BIND-23), if it is bound to the any-address
   * or to one of the interface by which the datagram came: Windows gives broadcasts to the latter too.
   */
  #receiveGroup(packet: InboundPacket): DropReason {
    const { destinationPort } = this.#header;
    let verdict: DropReason = DropReason.udpNoListener;
    let endpoint = this.listeners.first(destinationPort);
    while (endpoint !== null) {
      const { localAddress } = endpoint;
      if (localAddress.isAny || this.#host.interfaceOf(localAddress) === packet.interfaceIndex) {
        const reason = this.#deliver(packet, endpoint);
        if (verdict !== DropReason.none) verdict = reason;
      }
      endpoint = endpoint.nextListener;
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
