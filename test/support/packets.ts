/**
 * Packets for tests that run on both families: one set of builders and readers a family, with the same fields for what both have.
 *
 * @example
 * describe.each(FAMILY_PACKETS)('IPv$family', ({ family, udp, read, host }) => {
 *   test('…', () => {
 *     const { stack, index } = makeHost({ addresses: [host.prefix] });
 *     stack.inputPacket(index, udp({ destinationPort: 53, payload: 'hello' }));
 */

import type { IpFamily } from '../../src/base/index.ts';
import { HOST, icmpPacket, PEER, readPacket, tcpPacket, udpPacket } from './segment.ts';
import { HOST6, icmp6Packet, PEER6, readPacket6, tcp6Packet, udp6Packet } from './segment6.ts';
import type { PayloadLike, ReadTransport, TcpSegmentFields, UdpDatagramFields } from './transport-bytes.ts';

/** What a header says in either family. */
export interface EitherFields {
  readonly src?: string;
  readonly dst?: string;
  /** IPv4's time to live. */
  readonly hops?: number;
  readonly trafficClass?: number;
}

export interface EitherMessage extends EitherFields {
  readonly type?: number;
  readonly code?: number;
  readonly rest?: number;
  readonly payload?: PayloadLike;
}

/** What is read of a packet in either family. */
export interface EitherPacket extends ReadTransport {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly hops: number;
  readonly trafficClass: number;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
}

/** What an ICMP error says, whichever family's. */
export type IcmpErrorKind = 'tooBig' | 'noNetwork' | 'noHost' | 'noPort' | 'prohibited';

export interface FamilyPackets {
  readonly family: IpFamily;
  /** Who sends unless said otherwise, and who is addressed; the latter with its subnet's prefix length. */
  readonly peer: string;
  readonly host: string;
  readonly prefix: string;
  /** Of an address of the subnet by its number, 1 … 254. */
  neighbor(number: number): string;
  readonly any: string;
  readonly headerLength: number;
  tcp(fields?: EitherFields & TcpSegmentFields): Uint8Array;
  udp(fields?: EitherFields & UdpDatagramFields): Uint8Array;
  icmp(fields?: EitherMessage): Uint8Array;
  /** An ICMP error about `packet`, which it quotes as far as all routers do. @param mtu of one that was too big */
  error(kind: IcmpErrorKind, packet: Uint8Array, mtu?: number, fields?: EitherFields): Uint8Array;
  read(packet: Uint8Array | null): EitherPacket;
}

const V4: FamilyPackets = {
  family: 4,
  peer: PEER,
  host: HOST,
  prefix: `${HOST}/24`,
  neighbor: (number) => `10.0.0.${number}`,
  any: '0.0.0.0',
  headerLength: 20,
  tcp: ({ hops = 64, ...fields } = {}) => tcpPacket({ ...fields, ttl: hops }),
  udp: ({ hops = 64, ...fields } = {}) => udpPacket({ ...fields, ttl: hops }),
  icmp: ({ hops = 64, ...fields } = {}) => icmpPacket({ ...fields, ttl: hops }),
  error: (kind, packet, rest = 0, fields = {}) => {
    const code = { tooBig: 4, noNetwork: 0, noHost: 1, noPort: 3, prohibited: 13 }[kind];
    return icmpPacket({ ...fields, type: 3, code, rest, payload: packet.slice(0, 28) });
  },
  read: (packet) => {
    const { ttl, ...fields } = readPacket(packet);
    return { ...fields, hops: ttl };
  },
};

/** RFC 4443 §3.1, §3.2. */
const ERRORS6 = {
  tooBig: [2, 0],
  noNetwork: [1, 0],
  noHost: [1, 3],
  noPort: [1, 4],
  prohibited: [1, 1],
} as const;

const V6: FamilyPackets = {
  family: 6,
  peer: PEER6,
  host: HOST6,
  prefix: `${HOST6}/64`,
  neighbor: (number) => `fd00::${number.toString(16)}`,
  any: '::',
  headerLength: 40,
  tcp: tcp6Packet,
  udp: udp6Packet,
  icmp: icmp6Packet,
  error: (kind, packet, rest = 0, fields = {}) => {
    const [type, code] = ERRORS6[kind];
    return icmp6Packet({ ...fields, type, code, rest, payload: packet.slice(0, 1232) });
  },
  read: readPacket6,
};

/** For `describe.each`. */
export const FAMILY_PACKETS: readonly FamilyPackets[] = [V4, V6];

export const packetsOf = (family: IpFamily): FamilyPackets => (family === 4 ? V4 : V6);
