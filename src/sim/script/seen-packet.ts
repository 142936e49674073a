/**
 * The host's packets: from bytes to what a script can say about them.
 */

import { type IpFamily, i32, u16 } from '../../base/index.ts';
import {
  DropReason,
  dropReasonInfo,
  IcmpV4Header,
  IcmpV6Header,
  IPPROTO_TCP,
  IPPROTO_UDP,
  isTcpChecksumRight,
  isUdpChecksumRight,
  parseIcmpV4,
  parseIcmpV6,
  parseTcp,
  parseUdp,
  TCP_HEADER_LEN,
  TcpHeader,
  UdpHeader,
} from '../../wire/index.ts';
import { FLAG_BITS } from './build-packet.ts';
import type { Flow } from './flow.ts';
import { formatCookie } from './format-spec.ts';
import { icmpNames } from './icmp-names.ts';
import { icmpProtocolOf, readIp, readQuoted, type SeenIp } from './ip-family.ts';
import type { SentPacket } from './machine.ts';

/** A packet of the host, parsed. Numbers are the wire's. */
export type SeenPacket = SeenTcp | SeenUdp | SeenIcmp | SeenOther;

export interface SeenTcp {
  readonly protocol: 'tcp';
  readonly at: number;
  readonly ecn: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Letters in the order of `FLAG_BITS`. */
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly SeenOption[];
  readonly payload: Uint8Array;
}

/** An option with its numbers as on the wire. */
export interface SeenOption {
  readonly kind: string;
  readonly numbers: readonly number[];
}

export interface SeenUdp {
  readonly protocol: 'udp';
  readonly at: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

export interface SeenIcmp {
  readonly protocol: 'icmp';
  readonly at: number;
  readonly family: IpFamily;
  readonly type: number;
  readonly code: number;
  readonly mtu: number;
  /** Protocol and payload length of the quoted packet, 0 and 0 when there is none. */
  readonly quotedProtocol: number;
  readonly quotedLength: number;
}

/** A packet that no script describes, or a malformed one: then `text` says why. */
export interface SeenOther {
  readonly protocol: 'other';
  readonly at: number;
  readonly text: string;
}

/** Parses what the host sent. Checksums are verified: a wrong one makes the packet an `other`. */
export function readSent({ bytes, at }: SentPacket): SeenPacket {
  const ip = readIp(bytes);
  if (typeof ip === 'number') return malformed(at, ip);
  if (ip.isFragment) return { protocol: 'other', at, text: 'fragment' };
  if (ip.protocol === IPPROTO_TCP) return readTcp(bytes, ip, at);
  if (ip.protocol === IPPROTO_UDP) return readUdp(bytes, ip, at);
  if (ip.protocol === icmpProtocolOf(ip.family)) return readIcmp(bytes, ip, at);
  return { protocol: 'other', at, text: `protocol ${ip.protocol}` };
}

function malformed(at: number, reason: number): SeenOther {
  return { protocol: 'other', at, text: `malformed: ${dropReasonInfo(reason)?.text ?? reason}` };
}

function readTcp(bytes: Uint8Array, ip: SeenIp, at: number): SeenPacket {
  const tcp = new TcpHeader();
  const reason = parseTcp(bytes, ip.payloadAt, ip.end, tcp);
  if (reason !== DropReason.none) return malformed(at, reason);
  if (!isTcpChecksumRight(bytes, ip.payloadAt, ip.end, ip.pseudo))
    return malformed(at, DropReason.tcpChecksum);
  return {
    protocol: 'tcp',
    at,
    ecn: ip.trafficClass & 3,
    sourcePort: tcp.sourcePort,
    destinationPort: tcp.destinationPort,
    flags: FLAG_BITS.filter(([, bit]) => (tcp.flags & bit) !== 0)
      .map(([letter]) => letter)
      .join(''),
    seq: tcp.seq,
    ack: tcp.ack,
    window: tcp.window,
    urgent: tcp.urgentPointer,
    options: readOptions(bytes, ip.payloadAt + TCP_HEADER_LEN, tcp.payloadAt),
    payload: bytes.slice(tcp.payloadAt, tcp.payloadAt + tcp.payloadLength),
  };
}

/** All options in their order, paddings included: scripts name them. The parser has checked the lengths. */
function readOptions(bytes: Uint8Array, from: number, end: number): SeenOption[] {
  const options: SeenOption[] = [];
  for (let at = from; at < end; ) {
    const kind = bytes[at] as number;
    if (kind === 0) {
      options.push({ kind: 'eol', numbers: [] });
      break;
    }
    if (kind === 1) {
      options.push({ kind: 'nop', numbers: [] });
      at++;
      continue;
    }
    const length = bytes[at + 1] as number;
    options.push(readOption(bytes, at, kind, length));
    at += length;
  }
  return options;
}

function readOption(bytes: Uint8Array, at: number, kind: number, length: number): SeenOption {
  const words: number[] = [];
  for (let i = at + 2; i + 4 <= at + length; i += 4) words.push(i32(bytes, i));
  switch (kind) {
    case 2:
      return { kind: 'mss', numbers: [u16(bytes, at + 2)] };
    case 3:
      return { kind: 'wscale', numbers: [bytes[at + 2] as number] };
    case 4:
      return { kind: 'sackOK', numbers: [] };
    case 5:
      return { kind: 'sack', numbers: words };
    case 8:
      return { kind: 'TS', numbers: words };
    case 172:
    case 174:
      return { kind: 'ECN', numbers: [kind, ...readTriples(bytes, at + 2, at + length)] };
    case 34:
      return { kind: 'FO', numbers: [...bytes.subarray(at + 2, at + length)] };
    case 254:
      if (length >= 4 && u16(bytes, at + 2) === 0xf989) {
        return { kind: 'FOEXP', numbers: [...bytes.subarray(at + 4, at + length)] };
      }
      return { kind: 'option-254', numbers: [...bytes.subarray(at + 2, at + length)] };
    default:
      return { kind: `option-${kind}`, numbers: [...bytes.subarray(at + 2, at + length)] };
  }
}

function readTriples(bytes: Uint8Array, from: number, end: number): number[] {
  const numbers: number[] = [];
  for (let at = from; at + 3 <= end; at += 3)
    numbers.push(((bytes[at] as number) << 16) | u16(bytes, at + 1));
  return numbers;
}

function readUdp(bytes: Uint8Array, ip: SeenIp, at: number): SeenPacket {
  const udp = new UdpHeader();
  const reason = parseUdp(bytes, ip.payloadAt, ip.end, udp);
  if (reason !== DropReason.none) return malformed(at, reason);
  if (!isUdpChecksumRight(bytes, ip.payloadAt, udp, ip.pseudo)) return malformed(at, DropReason.udpChecksum);
  return {
    protocol: 'udp',
    at,
    sourcePort: udp.sourcePort,
    destinationPort: udp.destinationPort,
    payload: bytes.slice(ip.payloadAt + 8, ip.end),
  };
}

function readIcmp(bytes: Uint8Array, ip: SeenIp, at: number): SeenPacket {
  const { family, payloadAt, end } = ip;
  const icmp = family === 4 ? new IcmpV4Header() : new IcmpV6Header();
  const reason =
    icmp instanceof IcmpV4Header
      ? parseIcmpV4(bytes, payloadAt, end, icmp)
      : parseIcmpV6(bytes, payloadAt, end, ip.pseudo, icmp);
  if (reason !== DropReason.none) return malformed(at, reason);
  const { type, code } = icmp;
  const quotedAt = payloadAt + 8;
  const isError = family === 4 ? type !== 0 && type !== 8 : type < 128;
  const hasQuote = isError && end - quotedAt >= (family === 4 ? 20 : 40);
  const [quotedProtocol, quotedLength] = hasQuote ? readQuoted(bytes, quotedAt, family) : [0, 0];
  return {
    protocol: 'icmp',
    at,
    family,
    type,
    code,
    mtu: u16(bytes, payloadAt + 6),
    quotedProtocol,
    quotedLength,
  };
}

/** By the codepoint; Not-ECT goes without saying. */
const ECN_NAMES: readonly string[] = ['', '[ect1] ', '[ect0] ', '[ce] '];

/** A packet of the host in the script's own syntax. */
export function formatSeen(packet: SeenPacket, flow: Flow): string {
  switch (packet.protocol) {
    case 'tcp':
      return formatTcp(packet, flow);
    case 'udp':
      return `udp (${packet.payload.length})`;
    case 'icmp':
      return `icmp ${icmpNames(packet.type, packet.code, packet.family)}${packet.mtu === 0 ? '' : ` mtu ${packet.mtu}`}`;
    case 'other':
      return packet.text;
  }
}

function formatTcp(packet: SeenTcp, flow: Flow): string {
  const seq = flow.fromWireLocal(packet.seq);
  const { length } = packet.payload;
  let text = ECN_NAMES[packet.ecn] ?? '';
  text += `${packet.flags === '' ? '-' : packet.flags} ${seq}:${seq + length}(${length})`;
  if (packet.flags.includes('.')) text += ` ack ${flow.fromWireRemote(packet.ack)}`;
  text += ` win ${packet.window}`;
  if (packet.urgent !== 0) text += ` urg ${packet.urgent}`;
  if (packet.options.length > 0) text += ` <${packet.options.map((o) => formatOption(o, flow)).join(',')}>`;
  return text;
}

function formatOption(option: SeenOption, flow: Flow): string {
  const { kind, numbers } = option;
  if (kind === 'TS') {
    const [val = 0, ecr = 0] = numbers;
    return `TS val ${(val - (flow.timestampOffset ?? val)) >>> 0} ecr ${ecr >>> 0}`;
  }
  if (kind === 'ECN') {
    const [order = 172, ...values] = numbers;
    const names = order === 174 ? ['e1b', 'ceb', 'e0b'] : ['e0b', 'ceb', 'e1b'];
    return ['ECN', ...values.map((value, i) => `${names[i] ?? ''} ${value}`)].join(' ');
  }
  if (kind === 'sack') {
    const edges = numbers.map((edge) => flow.fromWireRemote(edge));
    const blocks: string[] = [];
    for (let i = 0; i + 1 < edges.length; i += 2) blocks.push(`${edges[i]}:${edges[i + 1]}`);
    return `sack ${blocks.join(' ')}`;
  }
  if (kind === 'FO' || kind === 'FOEXP') return `${kind} ${formatCookie(numbers)}`.trimEnd();
  return [kind, ...numbers].join(' ');
}
