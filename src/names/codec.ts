/**
 * DNS messages to bytes and back. The only place that touches `dns-packet`.
 *
 * What arrives was looked over by `wire-scan.ts` first; should the decoder throw all the same, the message is malformed and
 * counted as such by whoever asked. What leaves was checked here: the encoder believes what it is given.
 *
 * It takes every dot for one between labels. A dot in a label is shown to it as a byte that no name has, and put right in the message.
 */

import { Buffer } from 'node:buffer';
import dnsPacket from 'dns-packet';
import { IpAddress } from '../base/index.ts';
import {
  CLASS_IN,
  type DnsMessage,
  type DnsRecord,
  type Edns,
  type MessageParts,
  type Question,
  RecordType,
} from './message.ts';
import { fitsWire } from './name.ts';
import { type ScannedRecord, scanMessage } from './wire-scan.ts';

/** Longest message over TCP (RFC 1035 §4.2.2). */
export const MAX_MESSAGE = 65_535;
/** What a host that says nothing of EDNS takes by UDP (RFC 1035 §2.3.4). */
export const PLAIN_UDP_SIZE = 512;
/** What we say that we take by UDP: it fits into an IPv6 packet of minimum size (RFC 9715). */
export const EDNS_UDP_SIZE = 1232;

/** What a dot in a label is for the encoder and the decoder. */
const INNER_DOT = '\u0001';
const HEADER_LEN = 12;
const OPT = 41;
/** The COOKIE option (RFC 7873 §4). */
const COOKIE = 10;
const TOP_BIT = 0x8000;
const MAX_TTL = 0x7fff_ffff;

/** The identifier of a message; -1 when it is too short to have one. */
export function messageId(bytes: Uint8Array): number {
  return bytes.length < 2 ? -1 : ((bytes[0] as number) << 8) | (bytes[1] as number);
}

/**
 * Reads a message. Records of other classes than IN, and those whose names can't be told as text, are left out.
 * @returns `null` when it is malformed; what is returned shares no memory with `bytes`
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage | null {
  const scan = scanMessage(bytes);
  if (scan === null) return null;
  // The decoder gives slices of what it reads.
  const own = Buffer.from(bytes);
  for (const at of scan.marks) own[at] = INNER_DOT.charCodeAt(0);
  let packet: Decoded;
  try {
    packet = dnsPacket.decode(own) as unknown as Decoded;
  } catch {
    return null;
  }
  const flags = ((own[2] as number) << 8) | (own[3] as number);
  const edns = ednsOf(packet.additionals, scan.records[2]);
  // Two OPT records, or one elsewhere, is FORMERR by RFC 6891 §6.1.1.
  if (edns === undefined || [...scan.records[0], ...scan.records[1]].some(({ type }) => type === OPT))
    return null;
  const section = (answers: readonly DecodedAnswer[], scanned: readonly ScannedRecord[]): DnsRecord[] =>
    answers.flatMap((answer, i) => toRecord(answer, scanned[i] as ScannedRecord, bytes) ?? []);
  return {
    id: packet.id,
    isResponse: (flags & TOP_BIT) !== 0,
    opcode: (flags >>> 11) & 15,
    rcode: (flags & 15) | ((edns?.extendedRcode ?? 0) << 4),
    isAuthoritative: (flags & dnsPacket.AUTHORITATIVE_ANSWER) !== 0,
    isTruncated: (flags & dnsPacket.TRUNCATED_RESPONSE) !== 0,
    recursionDesired: (flags & dnsPacket.RECURSION_DESIRED) !== 0,
    recursionAvailable: (flags & dnsPacket.RECURSION_AVAILABLE) !== 0,
    questions: packet.questions.flatMap((question, i) => {
      const scanned = scan.questions[i];
      if (scanned === undefined || !scanned.isPlain || (scanned.class & ~TOP_BIT) !== CLASS_IN) return [];
      const wantsUnicast = (scanned.class & TOP_BIT) !== 0;
      return {
        name: fromWire(question.name),
        type: scanned.type,
        ...(wantsUnicast ? { wantsUnicast } : {}),
      };
    }),
    answers: section(packet.answers, scan.records[0]),
    authorities: section(packet.authorities, scan.records[1]),
    additionals: section(packet.additionals, scan.records[2]),
    edns,
  };
}

/**
 * Writes a message.
 * @throws {RangeError} for a name or text that no message can carry: names are checked where they come in
 */
export function encodeMessage(parts: MessageParts): Uint8Array {
  const rcode = parts.rcode ?? 0;
  const additionals = (parts.additionals ?? []).map(fromRecord);
  if (parts.edns !== undefined && parts.edns !== null) additionals.push(optRecord(parts.edns, rcode >>> 4));
  const packet = {
    type: parts.isResponse === true ? 'response' : 'query',
    id: parts.id ?? 0,
    flags:
      ((parts.opcode ?? 0) << 11) |
      (parts.isAuthoritative === true ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
      (parts.isTruncated === true ? dnsPacket.TRUNCATED_RESPONSE : 0) |
      (parts.recursionDesired === true ? dnsPacket.RECURSION_DESIRED : 0) |
      (parts.recursionAvailable === true ? dnsPacket.RECURSION_AVAILABLE : 0) |
      (rcode & 15),
    questions: parts.questions.map(({ name, type }) => ({
      name: toWire(name),
      type: typeText(type),
      class: 'IN',
    })),
    answers: (parts.answers ?? []).map(fromRecord),
    authorities: (parts.authorities ?? []).map(fromRecord),
    additionals,
  };
  const bytes = dnsPacket.encode(packet as unknown as dnsPacket.Packet);
  if (bytes.length > MAX_MESSAGE) throw new RangeError(`a DNS message of ${bytes.length} bytes`);
  putInnerDots(bytes);
  markUnicastQuestions(bytes, parts.questions);
  // Not a Buffer: its `slice` would share memory where others copy.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The data of a record as it is on the wire, its names whole: what records are ordered by (RFC 6762 §8.2). */
export function encodeRecordData(record: DnsRecord): Uint8Array {
  const bytes = encodeMessage({ questions: [], answers: [{ ...record, name: '' }] });
  // Header, root, type, class, TTL, length.
  return bytes.subarray(HEADER_LEN + 11);
}

/** A message in front of which its length stands, as TCP wants it (RFC 1035 §4.2.2). */
export function frameForStream(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2);
  framed[0] = message.length >>> 8;
  framed[1] = message.length;
  framed.set(message, 2);
  return framed;
}

/** Cuts a stream into messages again. Holds at most one message. */
export class StreamReader {
  #bytes = new Uint8Array(0);

  /** Takes what has arrived. @returns the messages that are whole now */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    const messages: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      if (all.length - at < 2) break;
      const length = ((all[at] as number) << 8) | (all[at + 1] as number);
      if (all.length - at - 2 < length) break;
      messages.push(all.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.#bytes = all.slice(at);
    return messages;
  }
}

/** The decoder's own shapes, of what is used here. */
interface DecodedAnswer {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly flush?: boolean;
  readonly data?: unknown;
  readonly udpPayloadSize?: number;
  readonly extendedRcode?: number;
  readonly ednsVersion?: number;
  readonly options?: readonly { readonly code: number; readonly data?: Uint8Array }[];
}

interface Decoded {
  readonly id: number;
  readonly questions: readonly { readonly name: string }[];
  readonly answers: readonly DecodedAnswer[];
  readonly authorities: readonly DecodedAnswer[];
  readonly additionals: readonly DecodedAnswer[];
}

/** The OPT record of a message; `null` without one, `undefined` when there are two. */
function ednsOf(
  additionals: readonly DecodedAnswer[],
  scanned: readonly ScannedRecord[],
): (Edns & { readonly extendedRcode: number }) | null | undefined {
  const found = additionals.filter((_, i) => scanned[i]?.type === OPT);
  const [opt] = found;
  if (found.length > 1) return undefined;
  if (opt === undefined) return null;
  const { udpPayloadSize = 0, ednsVersion = 0, extendedRcode = 0 } = opt;
  const cookie = opt.options?.find(({ code }) => code === COOKIE)?.data;
  return {
    udpPayloadSize: Math.max(udpPayloadSize, PLAIN_UDP_SIZE),
    version: ednsVersion,
    extendedRcode,
    ...(cookie === undefined ? {} : { cookie: Uint8Array.from(cookie) }),
  };
}

function toRecord(answer: DecodedAnswer, scanned: ScannedRecord, bytes: Uint8Array): DnsRecord | null {
  const { type, isPlain, dataAt, dataLength } = scanned;
  if (!isPlain || (scanned.class & ~TOP_BIT) !== CLASS_IN || type === OPT) return null;
  const ttl = answer.ttl ?? 0;
  const head = {
    name: fromWire(answer.name),
    type,
    ttl: ttl > MAX_TTL ? 0 : ttl,
    ...(answer.flush === true ? { flush: true } : {}),
  };
  const { data } = answer;
  switch (type) {
    case RecordType.A:
    case RecordType.AAAA: {
      const address = IpAddress.parse(data as string);
      return address === null ? null : { ...head, kind: 'address', address };
    }
    case RecordType.CNAME:
    case RecordType.PTR:
    case RecordType.NS:
    case RecordType.DNAME:
      return { ...head, kind: 'name', target: fromWire(data as string) };
    case RecordType.SRV: {
      const { priority, weight, port, target } = data as Record<'priority' | 'weight' | 'port', number> & {
        target: string;
      };
      return { ...head, kind: 'service', priority, weight, port, target: fromWire(target) };
    }
    case RecordType.MX: {
      const { preference, exchange } = data as { preference: number; exchange: string };
      return { ...head, kind: 'mail', preference, exchange: fromWire(exchange) };
    }
    case RecordType.TXT:
      // Copies: a slice would keep the whole message.
      return { ...head, kind: 'text', texts: (data as Uint8Array[]).map((text) => Uint8Array.from(text)) };
    case RecordType.SOA: {
      const soa = data as DnsSoa;
      return {
        ...head,
        kind: 'authority',
        soa: { ...soa, mname: fromWire(soa.mname), rname: fromWire(soa.rname) },
      };
    }
    default:
      return { ...head, kind: 'other', data: Uint8Array.from(bytes.subarray(dataAt, dataAt + dataLength)) };
  }
}

type DnsSoa = Extract<DnsRecord, { readonly kind: 'authority' }>['soa'];

function fromRecord(record: DnsRecord): object {
  const { name, type, ttl, flush = false } = record;
  return { name: toWire(name), type: typeText(type), class: 'IN', ttl, flush, data: dataOf(record) };
}

function dataOf(record: DnsRecord): unknown {
  switch (record.kind) {
    case 'address':
      // The zone is ours alone.
      return record.address.toString().replace(/%.*$/, '');
    case 'name':
      return toWire(record.target);
    case 'service': {
      const { priority, weight, port, target } = record;
      return { priority, weight, port, target: toWire(target) };
    }
    case 'mail':
      return { preference: record.preference, exchange: toWire(record.exchange) };
    case 'text':
      if (record.texts.some(({ length }) => length > 255))
        throw new RangeError('a text of more than 255 bytes');
      return record.texts.map((text) => Buffer.from(text));
    case 'authority':
      return { ...record.soa, mname: toWire(record.soa.mname), rname: mailboxToWire(record.soa.rname) };
    case 'other':
      return Buffer.from(record.data);
  }
}

function optRecord({ udpPayloadSize, version, cookie }: Edns, extendedRcode: number): object {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize,
    extendedRcode,
    ednsVersion: version,
    flags: 0,
    options: cookie === undefined ? [] : [{ code: COOKIE, data: Buffer.from(cookie) }],
  };
}

/** The encoder knows no class with the top bit: it is set in the bytes. Questions come first and have no pointers. */
function markUnicastQuestions(bytes: Buffer, questions: readonly Question[]): void {
  let at = HEADER_LEN;
  for (const { wantsUnicast = false } of questions) {
    while (bytes[at] !== 0) at += (bytes[at] as number) + 1;
    if (wantsUnicast) bytes[at + 3] = (bytes[at + 3] as number) | 0x80;
    at += 5;
  }
}

/** Puts dots into labels where the encoder was shown something else. */
function putInnerDots(bytes: Buffer): void {
  const shown = INNER_DOT.charCodeAt(0);
  if (!bytes.includes(shown, HEADER_LEN)) return;
  for (const at of scanMessage(bytes, shown)?.marks ?? []) bytes[at] = 0x2e;
}

function fromWire(name: string): string {
  return name === '.' ? '' : name.replaceAll(INNER_DOT, '\\.');
}

function toWire(name: string): string {
  if (!fitsWire(name)) throw new RangeError(`no name for a message: ${JSON.stringify(name)}`);
  return name === '' ? '.' : name.replaceAll('\\.', INNER_DOT);
}

/** Dots of its first label are escaped, as the decoder gives them. */
function mailboxToWire(name: string): string {
  if (name !== '' && Buffer.byteLength(name) > 253) throw new RangeError('a mailbox that is too long');
  if (name.split(/(?<!\\)\./).some((label) => Buffer.byteLength(label.replaceAll('\\', '')) > 63))
    throw new RangeError('a mailbox with a label that is too long');
  return name === '' ? '.' : name;
}

/** Types that this room does not read are told by number, so that the encoder takes their bytes as they are. */
function typeText(type: number): string {
  return KNOWN_TYPES.get(type) ?? `UNKNOWN_${type}`;
}

const KNOWN_TYPES: ReadonlyMap<number, string> = new Map(
  Object.entries(RecordType).map(([name, type]) => [type, name]),
);
