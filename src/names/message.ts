/**
 * A DNS message as the rest of the room sees it: checked, bounded, with addresses as values. Made by `codec.ts`.
 *
 * Names are text without the trailing dot, the root is `''`. Letters keep their case; comparing goes through `name.ts`.
 */

import type { ResourceRecord } from '../port/index.ts';

/** Types of records that are read; others are carried as bytes (RFC 3597). */
export const RecordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  ANY: 255,
} as const;

/** `A` of 1; `TYPE65` of what has no name here (RFC 3597 §5). */
export function recordTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** The number of `A`, `aaaa`, `TYPE65`. @returns `null` when `text` names no type */
export function parseRecordType(text: string): number | null {
  const upper = text.toUpperCase();
  for (const [number, name] of TYPE_NAMES) if (name === upper) return number;
  const digits = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
  return digits !== undefined && Number(digits) <= 0xffff ? Number(digits) : null;
}

/** RFC 1035 §4.1.1, RFC 6891 §9. */
export const Rcode = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  /** The server knows EDNS, but not this version. */
  badVers: 16,
  /** The server's part of the cookie is not what it should be: RFC 7873 §8. */
  badCookie: 23,
} as const;

/** The only class there is: the Internet. */
export const CLASS_IN = 1;

export interface Question {
  readonly name: string;
  readonly type: number;
  /** mDNS: the answer may come by unicast (RFC 6762 §5.4). */
  readonly wantsUnicast?: boolean;
}

/** A record, with what only messages say of it. */
export type DnsRecord = ResourceRecord & {
  /** mDNS: what was known before is outdated (RFC 6762 §10.2). */
  readonly flush?: boolean;
};

/** The OPT record (RFC 6891 §6.1); of its options only the cookie is looked at. */
export interface Edns {
  readonly udpPayloadSize: number;
  readonly version: number;
  /** The client's eight bytes, and the server's behind them where they are known (RFC 7873 §4). */
  readonly cookie?: Uint8Array;
}

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  /** With the upper bits of the OPT record. */
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly questions: readonly Question[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  readonly edns: Edns | null;
}

/** What a message is made of; what is left out is 0, false or empty. */
export type MessageParts = Partial<Omit<DnsMessage, 'questions'>> & Pick<DnsMessage, 'questions'>;

/** The data of a record as zone files write it: `10 mail.example.com`. */
export function recordText(record: ResourceRecord): string {
  switch (record.kind) {
    case 'address':
      return record.address.toString();
    case 'name':
      return record.target;
    case 'service':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'mail':
      return `${record.preference} ${record.exchange}`;
    case 'text':
      return record.texts.map(quoted).join(' ');
    case 'authority': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.soa;
      return `${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'other':
      return `\\# ${record.data.length} ${hex(record.data)}`.trimEnd();
  }
}

/** A TXT string with everything escaped that a zone file, or a terminal, would take for something else. */
function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return `${text}"`;
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(RecordType).map(([name, type]): [number, string] => [type, name]),
  [13, 'HINFO'],
  [35, 'NAPTR'],
  [43, 'DS'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [257, 'CAA'],
]);
