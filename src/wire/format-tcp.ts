/** One line of text about a TCP segment, in tcpdump's shape. */

import { i32, toHex, u16 } from '../base/index.ts';
import { type AccEcnFields, readAccEcnOption, TCPOPT_ACC_ECN0, TCPOPT_ACC_ECN1 } from './acc-ecn-option.ts';
import {
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
} from './tcp.ts';
import {
  TCPOPT_END,
  TCPOPT_EXPERIMENT,
  TCPOPT_EXPERIMENT_FAST_OPEN,
  TCPOPT_FAST_OPEN,
  TCPOPT_MSS,
  TCPOPT_NOP,
  TCPOPT_SACK,
  TCPOPT_SACK_PERMITTED,
  TCPOPT_TIMESTAMPS,
  TCPOPT_WINDOW_SCALE,
} from './tcp-options.ts';

/** The letters of the control bits, in tcpdump's order. */
const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [TCP_FIN, 'F'],
  [TCP_SYN, 'S'],
  [TCP_RST, 'R'],
  [TCP_PSH, 'P'],
  [TCP_ACK, '.'],
  [TCP_URG, 'U'],
  [TCP_ECE, 'E'],
  [TCP_CWR, 'W'],
  [TCP_AE, 'e'],
];

/** Control bits as tcpdump writes them: `S.`, `P.`, `none`. */
export function formatTcpFlags(flags: number): string {
  const letters = FLAG_LETTERS.map(([bit, letter]) => ((flags & bit) === 0 ? '' : letter)).join('');
  return letters === '' ? 'none' : letters;
}

/** The segment `at … end` without addresses and ports. It need not be well-formed. */
export function formatTcp(bytes: Uint8Array, at: number, end: number): string {
  if (end - at < TCP_HEADER_LEN) return `truncated-tcp ${end - at}`;
  const headerLength = ((bytes[at + 12] as number) >> 4) << 2;
  const flags = (bytes[at + 13] as number) | (((bytes[at + 12] as number) & 1) << 8);
  const parts = [`Flags [${formatTcpFlags(flags)}]`];
  if (headerLength < TCP_HEADER_LEN || headerLength > end - at) {
    return `${parts[0]} bad hdr length ${headerLength}, length ${end - at}`;
  }
  const length = end - at - headerLength;
  const seq = i32(bytes, at + 4) >>> 0;
  if (length > 0) parts.push(`seq ${seq}:${(seq + length) >>> 0}`);
  else if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) !== 0) parts.push(`seq ${seq}`);
  if ((flags & TCP_ACK) !== 0) parts.push(`ack ${i32(bytes, at + 8) >>> 0}`);
  parts.push(`win ${u16(bytes, at + 14)}`);
  if ((flags & TCP_URG) !== 0) parts.push(`urg ${u16(bytes, at + 18)}`);
  if (headerLength > TCP_HEADER_LEN) {
    parts.push(`options [${formatTcpOptions(bytes, at + TCP_HEADER_LEN, at + headerLength)}]`);
  }
  parts.push(`length ${length}`);
  return parts.join(', ');
}

/** The options `at … end`, separated by commas; ends at what cannot be read. */
export function formatTcpOptions(bytes: Uint8Array, at: number, end: number): string {
  const texts: string[] = [];
  let next = at;
  while (next < end) {
    const kind = bytes[next] as number;
    if (kind === TCPOPT_END) {
      texts.push('eol');
      break;
    }
    if (kind === TCPOPT_NOP) {
      texts.push('nop');
      next++;
      continue;
    }
    const length = next + 1 < end ? (bytes[next + 1] as number) : 0;
    if (length < 2 || length > end - next) {
      texts.push(`[bad opt ${kind}]`);
      break;
    }
    texts.push(formatOption(bytes, next, kind, length));
    next += length;
  }
  return texts.join(',');
}

function formatOption(bytes: Uint8Array, at: number, kind: number, length: number): string {
  const data = bytes.subarray(at + 2, at + length);
  if (kind === TCPOPT_MSS && length === 4) return `mss ${u16(bytes, at + 2)}`;
  if (kind === TCPOPT_WINDOW_SCALE && length === 3) return `wscale ${data[0] as number}`;
  if (kind === TCPOPT_SACK_PERMITTED && length === 2) return 'sackOK';
  if (kind === TCPOPT_SACK && length > 2 && (length - 2) % 8 === 0) return formatSack(bytes, at, length);
  if (kind === TCPOPT_TIMESTAMPS && length === 10) {
    return `TS val ${i32(bytes, at + 2) >>> 0} ecr ${i32(bytes, at + 6) >>> 0}`;
  }
  if (kind === TCPOPT_ACC_ECN0 || kind === TCPOPT_ACC_ECN1) return formatAccEcn(bytes, at, kind, length);
  if (kind === TCPOPT_FAST_OPEN) return `tfo  ${formatCookie(data)}`;
  if (kind === TCPOPT_EXPERIMENT && length >= 4 && u16(bytes, at + 2) === TCPOPT_EXPERIMENT_FAST_OPEN) {
    return `exp-tfo ${formatCookie(data.subarray(2))}`;
  }
  return data.length === 0 ? `unknown-${kind}` : `unknown-${kind} 0x${toHex(data)}`;
}

function formatSack(bytes: Uint8Array, at: number, length: number): string {
  const count = (length - 2) >> 3;
  let text = `sack ${count} `;
  for (let block = 0; block < count; block++) {
    const left = i32(bytes, at + 2 + 8 * block) >>> 0;
    text += `{${left}:${i32(bytes, at + 6 + 8 * block) >>> 0}}`;
  }
  return text;
}

function formatAccEcn(bytes: Uint8Array, at: number, kind: number, length: number): string {
  const fields: AccEcnFields = { accEcnCount: 0, isAccEcnOrder1: false, ee0b: 0, eceb: 0, ee1b: 0 };
  readAccEcnOption(bytes, at, kind, length, fields);
  const { ee0b, eceb, ee1b } = fields;
  const names = [`e0b ${ee0b}`, `ceb ${eceb}`, `e1b ${ee1b}`];
  if (fields.isAccEcnOrder1) names.reverse();
  return ['accecn', ...names.slice(0, fields.accEcnCount)].join(' ');
}

function formatCookie(cookie: Uint8Array): string {
  return cookie.length === 0 ? 'cookiereq' : `cookie ${toHex(cookie)}`;
}
