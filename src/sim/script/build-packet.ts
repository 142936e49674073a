/**
 * The peer's packets: from their description in a script to bytes.
 */

import type { IpAddress } from '../../base/index.ts';
import {
  IPPROTO_TCP,
  IPPROTO_UDP,
  sealTcp,
  sealUdp,
  sumBytes,
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_HEADER_LEN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  UDP_HEADER_LEN,
  writeIcmpV4,
  writeIcmpV6,
  writeTcp,
  writeUdp,
} from '../../wire/index.ts';
import type { EcnSpec, IcmpSpec, TcpOptionSpec, TcpSpec } from './ast.ts';
import { type Flow, pattern } from './flow.ts';
import { icmpNumbers } from './icmp-names.ts';
import { headerLengthOf, icmpProtocolOf, pseudoSum, writeIpHeader } from './ip-family.ts';

/** The letters of a script's flags and their bits. */
export const FLAG_BITS: readonly (readonly [string, number])[] = [
  ['F', TCP_FIN],
  ['S', TCP_SYN],
  ['R', TCP_RST],
  ['P', TCP_PSH],
  ['U', TCP_URG],
  ['E', TCP_ECE],
  ['W', TCP_CWR],
  ['A', TCP_AE],
  ['.', TCP_ACK],
];

/** The bits of `flags`. */
export function flagBits(flags: string): number {
  let bits = 0;
  for (const [letter, bit] of FLAG_BITS) if (flags.includes(letter)) bits |= bit;
  return bits;
}

/** A segment from the peer. */
export function buildTcp(spec: TcpSpec, flow: Flow, from: IpAddress, to: IpAddress): Uint8Array {
  const options = buildOptions(spec.options ?? [], flow);
  const segmentLength = TCP_HEADER_LEN + options.length + spec.length;
  const packet = new Uint8Array(headerLengthOf(from.family) + segmentLength);
  const at = writeIpHeader(packet, ECN_BITS[spec.ecn ?? 'noecn'], IPPROTO_TCP, from, to, packet.length);
  writeTcp(
    packet,
    at,
    flow.remotePort,
    flow.localPort,
    flow.toWireRemote(spec.seq),
    // Without a number, an ACK is for none of the host's bytes.
    spec.ack === null && !spec.flags.includes('.') ? 0 : flow.toWireLocal(spec.ack ?? 0),
    flagBits(spec.flags),
    spec.window ?? 0,
    spec.urgent ?? 0,
    options.length,
  );
  packet.set(options, at + TCP_HEADER_LEN);
  const payloadAt = at + TCP_HEADER_LEN + options.length;
  // The first byte of the stream has number 1: the SYN has 0.
  const offset = spec.flags.includes('S') ? spec.seq : spec.seq - 1;
  packet.set(pattern(offset, spec.length), payloadAt);
  const pseudo = pseudoSum(from, to, IPPROTO_TCP, segmentLength);
  sealTcp(packet, at, TCP_HEADER_LEN + options.length, sumBytes(packet, payloadAt, spec.length, pseudo));
  return packet;
}

/** A datagram from the peer. */
export function buildUdp(length: number, flow: Flow, from: IpAddress, to: IpAddress): Uint8Array {
  const packet = new Uint8Array(headerLengthOf(from.family) + UDP_HEADER_LEN + length);
  const at = writeIpHeader(packet, 0, IPPROTO_UDP, from, to, packet.length);
  writeUdp(packet, at, flow.remotePort, flow.localPort, UDP_HEADER_LEN + length);
  packet.set(pattern(0, length), at + UDP_HEADER_LEN);
  const pseudo = pseudoSum(from, to, IPPROTO_UDP, UDP_HEADER_LEN + length);
  sealUdp(packet, at, sumBytes(packet, at + UDP_HEADER_LEN, length, pseudo));
  return packet;
}

/**
 * An ICMP error of the peer about a packet that the host has sent; `null` when its name is not known.
 * What is quoted is the IP header and the first 20 bytes behind it.
 */
export function buildIcmp(
  spec: IcmpSpec,
  flow: Flow,
  from: IpAddress,
  to: IpAddress,
  mtuShift: number,
): Uint8Array | null {
  const { family } = from;
  const numbers = icmpNumbers(spec.type, spec.code, family);
  if (numbers === null) return null;
  const quoted = buildQuoted(spec, flow, to, from);
  const packet = new Uint8Array(headerLengthOf(family) + 8 + quoted.length);
  const protocol = icmpProtocolOf(family);
  const at = writeIpHeader(packet, 0, protocol, from, to, packet.length);
  packet.set(quoted, at + 8);
  const sum = sumBytes(quoted, 0, quoted.length);
  const [type, code] = numbers;
  const mtu = spec.mtu === null ? 0 : spec.mtu + mtuShift;
  if (family === 4) writeIcmpV4(packet, at, type, code, mtu, sum);
  else writeIcmpV6(packet, at, type, code, mtu, sum + pseudoSum(from, to, protocol, 8 + quoted.length));
  return packet;
}

function buildQuoted(spec: IcmpSpec, flow: Flow, from: IpAddress, to: IpAddress): Uint8Array {
  const { quoted } = spec;
  const isUdp = quoted?.protocol === 'udp';
  const headerLength = isUdp ? UDP_HEADER_LEN : TCP_HEADER_LEN;
  const ipLength = headerLengthOf(from.family);
  const bytes = new Uint8Array(ipLength + headerLength);
  const length = headerLength + (quoted?.length ?? 0);
  const at = writeIpHeader(bytes, 0, isUdp ? IPPROTO_UDP : IPPROTO_TCP, from, to, ipLength + length);
  if (isUdp) {
    writeUdp(bytes, at, flow.localPort, flow.remotePort, length);
  } else {
    const seq = flow.toWireLocal(quoted?.protocol === 'tcp' ? quoted.seq : 0);
    writeTcp(bytes, at, flow.localPort, flow.remotePort, seq, 0, TCP_ACK, 0, 0, 0);
  }
  return bytes;
}

/** Option bytes exactly as the script lists them, then zeros up to a multiple of 4. */
function buildOptions(options: readonly TcpOptionSpec[], flow: Flow): Uint8Array {
  const bytes: number[] = [];
  for (const option of options) {
    switch (option.kind) {
      case 'eol':
        bytes.push(0);
        break;
      case 'nop':
        bytes.push(1);
        break;
      case 'mss':
        bytes.push(2, 4, (option.value >>> 8) & 0xff, option.value & 0xff);
        break;
      case 'wscale':
        bytes.push(3, 3, option.value);
        break;
      case 'sackOK':
        bytes.push(4, 2);
        break;
      case 'sack':
        bytes.push(5, 2 + 8 * option.blocks.length);
        for (const edge of option.blocks.flat()) pushWord(bytes, flow.toWireLocal(edge));
        break;
      case 'ECN':
        // Which field comes first tells the kind (RFC 9768 §3.2.3).
        bytes.push(option.fields[0]?.[0] === 'e1b' ? 174 : 172, 2 + 3 * option.fields.length);
        for (const [, value] of option.fields)
          bytes.push((value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
        break;
      case 'FO':
        bytes.push(34, 2 + option.cookie.length, ...option.cookie);
        break;
      case 'FOEXP':
        // RFC 6994: the experiment's number stands before the cookie.
        bytes.push(254, 4 + option.cookie.length, 0xf9, 0x89, ...option.cookie);
        break;
      case 'TS':
        bytes.push(8, 10);
        pushWord(bytes, option.val);
        // An echo of 0 means that there is nothing to echo.
        pushWord(bytes, option.ecr === 0 ? 0 : option.ecr + (flow.timestampOffset ?? 0));
        break;
    }
  }
  while (bytes.length % 4 !== 0) bytes.push(0);
  return Uint8Array.from(bytes);
}

function pushWord(bytes: number[], word: number): void {
  bytes.push((word >>> 24) & 0xff, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff);
}

const ECN_BITS: Readonly<Record<EcnSpec, number>> = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 };
