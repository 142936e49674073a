/** MLD for tests: queries and reports as bytes, and what was sent as one line of text a record. */

import { IpAddress, i32, putI32, putU16, toHex } from '../../src/base/index.ts';
import {
  DropReason,
  IPV6_HEADER_LEN,
  MldHeader,
  MldRecord,
  MldType,
  parseMld,
  readMldRecord,
} from '../../src/wire/index.ts';
import { hopByHop, icmp6Packet, type Packet6Fields, readPacket6, v6 } from './segment6.ts';

/** A router's link-local address. */
export const ROUTER6 = 'fe80::1';
const ROUTER_ALERT = hopByHop(5, 2, 0, 0);

export interface MldQueryFields extends Packet6Fields {
  /** Default 2. */
  readonly version?: 1 | 2;
  /** Default: a general query. */
  readonly group?: string;
  readonly sources?: readonly string[];
  /** ms, up to 32,767; default 10,000. */
  readonly maxResponse?: number;
  readonly robustness?: number;
  readonly interval?: number;
}

/** A query from fe80::1, as a good router sends it. */
export function mldQuery(fields: MldQueryFields = {}): Uint8Array {
  const { version = 2, group, sources = [], maxResponse = 10_000 } = fields;
  const payload = new Uint8Array(version === 1 ? 16 : 20 + 16 * sources.length);
  if (group !== undefined) putAddress(payload, 0, v6(group));
  if (version === 2) {
    payload[16] = fields.robustness ?? 2;
    payload[17] = fields.interval ?? 125;
    putU16(payload, 18, sources.length);
    for (const [i, source] of sources.entries()) putAddress(payload, 20 + 16 * i, v6(source));
  }
  return message(MldType.query, maxResponse << 16, payload, { dst: group ?? 'ff02::1', ...fields });
}

/** Another host's report of version 1. */
export function mldReport(group: string, fields: Packet6Fields = {}): Uint8Array {
  const payload = new Uint8Array(16);
  putAddress(payload, 0, v6(group));
  return message(MldType.reportV1, 0, payload, { src: 'fe80::77', dst: group, ...fields });
}

function message(type: number, rest: number, payload: Uint8Array, fields: Packet6Fields): Uint8Array {
  return icmp6Packet({ src: ROUTER6, hops: 1, extensions: [ROUTER_ALERT], type, rest, payload, ...fields });
}

const RECORDS = ['', 'IS_IN', 'IS_EX', 'TO_IN', 'TO_EX', 'ALLOW', 'BLOCK'] as const;

/**
 * A report of ours in words: `TO_EX ff05::1:3 {fd00::9}` for each record of version 2, `v1 report ff05::1:3`,
 * `done ff05::1:3`. @throws {Error} when it is not as every message must be (RFC 3810 §5)
 */
export function readMldReport(packet: Uint8Array): string[] {
  const read = readPacket6(packet);
  const isAlert = toHex(packet.subarray(IPV6_HEADER_LEN, IPV6_HEADER_LEN + 8)) === '3a00050200000100';
  must(read.hops === 1 && isAlert, 'hop limit or alert');
  must(read.src === '::' || read.src.startsWith('fe80::'), read.src);
  const header = new MldHeader();
  const at = IPV6_HEADER_LEN + 8;
  must(parseMld(packet, at, packet.length, header) === DropReason.none, 'MLD');
  if (header.type === MldType.reportV2) {
    must(read.dst === 'ff02::16', read.dst);
    return readRecords(packet, header);
  }
  const group = addressText(packet, header.groupAt);
  must(read.dst === (header.type === MldType.done ? 'ff02::2' : group), read.dst);
  return [`${header.type === MldType.done ? 'done' : 'v1 report'} ${group}`];
}

/** Whether a packet is one of MLD's. */
export function isMld(packet: Uint8Array): boolean {
  return packet[0] === 0x60 && packet[6] === 0;
}

function readRecords(packet: Uint8Array, header: MldHeader): string[] {
  const record = new MldRecord();
  const lines: string[] = [];
  let at = header.listAt;
  for (let i = 0; i < header.count; i++) {
    at = readMldRecord(packet, at, header.end, record);
    const sources = Array.from({ length: record.sourceCount }, (_, n) =>
      addressText(packet, record.sourcesAt + 16 * n),
    );
    lines.push(
      `${RECORDS[record.type] ?? '?'} ${addressText(packet, record.groupAt)} {${sources.join(' ')}}`,
    );
  }
  must(at === header.end, 'bytes behind the records');
  return lines;
}

function addressText(bytes: Uint8Array, at: number): string {
  return new IpAddress(
    6,
    i32(bytes, at),
    i32(bytes, at + 4),
    i32(bytes, at + 8),
    i32(bytes, at + 12),
  ).toString();
}

function putAddress(into: Uint8Array, at: number, { w0, w1, w2, w3 }: IpAddress): void {
  for (const [i, word] of [w0, w1, w2, w3].entries()) putI32(into, at + 4 * i, word);
}

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not a message as it must be: ${what}`);
}
