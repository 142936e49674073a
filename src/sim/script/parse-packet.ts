/**
 * Packets in scripts: `S. 0:0(0) ack 1 win 65535 <mss 1460>`, `udp (100)`, `icmp unreachable port_unreachable [udp (100)]`.
 */

import type {
  EcnField,
  EcnSpec,
  IcmpSpec,
  PacketAction,
  PacketSpec,
  TcpOptionSpec,
  TcpSpec,
  UdpSpec,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { ScriptError, UnsupportedError } from './script-error.ts';

const ECN_FIELDS: readonly EcnField[] = ['e0b', 'ceb', 'e1b'];
const ECN: readonly string[] = ['noecn', 'ect0', 'ect1', 'ect01', 'ce'];

/** `<` or `>`, perhaps `@flow`, and the packet. */
export function parsePacketAction(cursor: Cursor): PacketAction {
  const isInbound = cursor.next().text === '<';
  const flow = cursor.accept('@') ? cursor.integer('the number of a flow') : 0;
  return { kind: 'packet', isInbound, flow, packet: parsePacket(cursor) };
}

function parsePacket(cursor: Cursor): PacketSpec {
  if (cursor.is('udp')) return parseUdp(cursor);
  let ecn: EcnSpec | null = null;
  let quoted: IcmpSpec['quoted'] = null;
  if (cursor.accept('[')) {
    if (cursor.isKind('word') && ECN.includes(cursor.token.text)) ecn = cursor.next().text as EcnSpec;
    else quoted = parseQuoted(cursor);
    cursor.expect(']');
  }
  if (cursor.is('icmp')) return parseIcmp(cursor, quoted);
  if (quoted !== null) cursor.fail(`'icmp'`);
  return parseTcp(cursor, ecn);
}

function parseUdp(cursor: Cursor): UdpSpec {
  cursor.expect('udp');
  cursor.expect('(');
  const length = cursor.integer('a length');
  cursor.expect(')');
  return { protocol: 'udp', length };
}

function parseIcmp(cursor: Cursor, before: IcmpSpec['quoted']): IcmpSpec {
  cursor.expect('icmp');
  const type = cursor.word('the type of an ICMP message');
  let quoted = before;
  const code = cursor.isKind('word') && !cursor.is('mtu') ? cursor.next().text : null;
  const mtu = cursor.accept('mtu') ? cursor.integer('an MTU') : null;
  // The packet that it is about may stand before or after.
  if (quoted === null && cursor.accept('[')) {
    quoted = parseQuoted(cursor);
    cursor.expect(']');
  }
  return { protocol: 'icmp', type, code, mtu, quoted };
}

function parseQuoted(cursor: Cursor): IcmpSpec['quoted'] {
  if (cursor.is('udp')) return parseUdp(cursor);
  return { protocol: 'tcp', ...parseRange(cursor) };
}

function parseRange(cursor: Cursor): { seq: number; endSeq: number; length: number } {
  const { line } = cursor.token;
  const seq = cursor.integer('a sequence number');
  cursor.expect(':');
  const endSeq = cursor.integer('a sequence number');
  cursor.expect('(');
  const length = cursor.integer('a length');
  cursor.expect(')');
  if (((endSeq - seq) | 0) !== length) {
    throw new ScriptError(cursor.file, line, `${seq}:${endSeq} is not ${length} bytes long`);
  }
  return { seq, endSeq, length };
}

function parseTcp(cursor: Cursor, ecn: EcnSpec | null): TcpSpec {
  const flags = parseFlags(cursor);
  const range = parseRange(cursor);
  const ack = cursor.accept('ack') ? cursor.integer('an acknowledgement number') : null;
  const window = cursor.accept('win') ? cursor.integer('a window') : null;
  const urgent = cursor.accept('urg') ? cursor.integer('an urgent pointer') : null;
  // `<` opens a list of options only when it is no arrow of a packet, which a time stands before.
  const options = cursor.is('<') ? parseOptions(cursor) : [];
  return { protocol: 'tcp', ecn, flags, ...range, ack, window, urgent, options };
}

function parseFlags(cursor: Cursor): string {
  if (cursor.accept('-')) return '';
  let flags = cursor.isKind('word') || cursor.isKind('integer') ? cursor.next().text : '';
  if (!/^[FSRPUEWA]*[0-7]?$/.test(flags)) cursor.fail(`TCP flags out of FSRPUEWA and '.' before`);
  flags = flags.replace(/\d/, aceLetters);
  // `.5`: ACK, and the three ECN flags as the ACE field.
  if (cursor.isKind('float') && /^\.[0-7]$/.test(cursor.token.text)) {
    return `${flags}${aceLetters(cursor.next().text.slice(1))}.`;
  }
  if (cursor.accept('.')) flags += '.';
  if (flags === '') cursor.fail('TCP flags');
  return flags;
}

/** RFC 9768 §3.2.2: the ACE field is AE, CWR and ECE. */
function aceLetters(digit: string): string {
  const ace = Number(digit);
  return `${(ace & 1) === 0 ? '' : 'E'}${(ace & 2) === 0 ? '' : 'W'}${(ace & 4) === 0 ? '' : 'A'}`;
}

function parseOptions(cursor: Cursor): readonly TcpOptionSpec[] | null {
  cursor.expect('<');
  if (cursor.isKind('ellipsis')) {
    cursor.next();
    cursor.expect('>');
    return null;
  }
  const options: TcpOptionSpec[] = [];
  do options.push(parseOption(cursor));
  while (cursor.accept(','));
  cursor.expect('>');
  return options;
}

function parseOption(cursor: Cursor): TcpOptionSpec {
  const { token } = cursor;
  const kind = cursor.word('a TCP option');
  switch (kind) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind };
    case 'mss':
    case 'wscale':
      return { kind, value: cursor.integer('a number') };
    case 'TS': {
      cursor.expect('val');
      const val = cursor.integer('a timestamp');
      cursor.expect('ecr');
      return { kind, val, ecr: cursor.integer('a timestamp') };
    }
    case 'sack': {
      const blocks: [number, number][] = [];
      do {
        const left = cursor.integer('a sequence number');
        cursor.expect(':');
        blocks.push([left, cursor.integer('a sequence number')]);
      } while (cursor.isKind('integer'));
      return { kind, blocks };
    }
    case 'ECN': {
      const fields: [EcnField, number][] = [];
      while (ECN_FIELDS.some((name) => cursor.is(name))) {
        const name = cursor.next().text as EcnField;
        fields.push([name, cursor.integer('a number of bytes')]);
      }
      return { kind, fields };
    }
    case 'FO':
    case 'FOEXP':
      return { kind, cookie: parseCookie(cursor) };
    default:
      throw new UnsupportedError(cursor.file, token.line, `'${kind}' is no TCP option of this language`);
  }
}

/** Hexadecimal digits, or nothing: the words and numbers that the lexer makes of them are put together again. */
function parseCookie(cursor: Cursor): number[] {
  let digits = '';
  while (cursor.isKind('word') || cursor.isKind('integer')) digits += cursor.next().text;
  if (/[^0-9a-fA-F]/.test(digits)) {
    throw new UnsupportedError(cursor.file, cursor.token.line, `${digits} is a kernel’s own cookie`);
  }
  if (digits.length % 2 !== 0) cursor.fail('a cookie of whole bytes in hexadecimal');
  return (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
