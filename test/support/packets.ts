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
  read: (packet) => {
    const { ttl, ...fields } = readPacket(packet);
    return { ...fields, hops: ttl };
  },
};

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
  read: readPacket6,
};

/** For `describe.each`. */
export const FAMILY_PACKETS: readonly FamilyPackets[] = [V4, V6];

export const packetsOf = (family: IpFamily): FamilyPackets => (family === 4 ? V4 : V6);
