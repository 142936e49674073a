/**
 * What the builders and readers of test packets of both families have in common: a transport's message in a packet, and back. What an
 * IP header is stands in `segment.ts` and `segment6.ts`.
 */

import { type DropReason, IPPROTO_TCP, IPPROTO_UDP, icmpEchoWord, sumBytes } from '../../src/wire/index.ts';
import {
  must,
  type PayloadLike,
  payloadBytes,
  type ReadTransport,
  readTcp,
  readUdp,
  type TcpSegmentFields,
  tcpSegment,
  type UdpDatagramFields,
  udpDatagram,
} from './transport-bytes.ts';

/** What an ICMP message of either family says. */
export interface IcmpMessageFields {
  readonly type?: number;
  readonly code?: number;
  /** The type's own word; or `echoId` and `sequence`. */
  readonly rest?: number;
  readonly echoId?: number;
  readonly sequence?: number;
  readonly payload?: PayloadLike;
}

/** A family's ICMP. */
interface IcmpCodec {
  readonly protocol: number;
  readonly echoRequest: number;
  /** Writes the eight bytes before the payload, whose sum is given, the pseudo-header's included where there is one. */
  write(into: Uint8Array, at: number, type: number, code: number, rest: number, sum: number): unknown;
  /** The header of a message; a verdict where it is malformed. */
  parse(
    bytes: Uint8Array,
    pseudo: number,
  ): { readonly verdict: DropReason; readonly type: number; readonly code: number; readonly rest: number };
  /** Whether the pseudo-header counts. */
  readonly hasPseudoHeader: boolean;
}

/** What differs between the families; `F`: the fields of their headers. */
export interface PacketFamily<F extends object> {
  /** An IP packet around a transport's bytes. */
  packet(protocol: number, body: Uint8Array, fields: F): Uint8Array;
  /** The sum of the pseudo-header, of the addresses that `fields` has or leaves out. */
  pseudoSum(fields: F, protocol: number, length: number): number;
  readonly icmp: IcmpCodec;
  /** Whether a datagram without a checksum is malformed. */
  readonly needsUdpChecksum: boolean;
}

/** Builders with defaults for everything. */
export function packetBuilders<F extends object>(family: PacketFamily<F>) {
  const sum = (fields: F, protocol: number) => (length: number) => family.pseudoSum(fields, protocol, length);
  /** A UDP datagram alone, its checksum that of the packet's addresses. */
  const udpAlone = (fields: F & UdpDatagramFields): Uint8Array =>
    udpDatagram(fields, sum(fields, IPPROTO_UDP));
  return {
    udpAlone,
    /** A TCP segment in a packet; without `flags`, one with ACK. */
    tcp: (fields: F & TcpSegmentFields): Uint8Array =>
      family.packet(IPPROTO_TCP, tcpSegment(fields, sum(fields, IPPROTO_TCP)), fields),
    /** A UDP datagram in a packet. */
    udp: (fields: F & UdpDatagramFields): Uint8Array => family.packet(IPPROTO_UDP, udpAlone(fields), fields),
    /** An ICMP message in a packet; without `type`, an echo request. */
    icmp: (fields: F & IcmpMessageFields): Uint8Array => {
      const { protocol, echoRequest, hasPseudoHeader, write } = family.icmp;
      const { type = echoRequest, code = 0, echoId = 1, sequence = 1 } = fields;
      const payload = payloadBytes(fields.payload);
      const message = new Uint8Array(ICMP_HEADER_LEN + payload.length);
      const pseudo = hasPseudoHeader ? family.pseudoSum(fields, protocol, message.length) : 0;
      const dataSum = sumBytes(payload, 0, payload.length, pseudo);
      write(message, 0, type, code, fields.rest ?? icmpEchoWord(echoId, sequence), dataSum);
      message.set(payload, ICMP_HEADER_LEN);
      return family.packet(protocol, message, fields);
    },
  };
}

/**
 * Reads what a packet carries, checksums verified; of other protocols the bytes.
 * @throws {Error} that names the drop reason
 */
export function readTransport<F extends object>(
  { icmp, needsUdpChecksum }: PacketFamily<F>,
  protocol: number,
  bytes: Uint8Array,
  pseudo: number,
): ReadTransport {
  if (protocol === IPPROTO_TCP) return readTcp(bytes, pseudo);
  if (protocol === IPPROTO_UDP) return readUdp(bytes, pseudo, needsUdpChecksum);
  if (protocol !== icmp.protocol) return { payload: bytes };
  const { verdict, type, code, rest } = icmp.parse(bytes, pseudo);
  must(verdict);
  return { type, code, rest: rest >>> 0, payload: bytes.slice(ICMP_HEADER_LEN) };
}

const ICMP_HEADER_LEN = 8;
