/**
 * DHCPv4 messages (RFC 2131 §2) and their options (RFC 2132), with options that lie in the `file` and `sname` fields too
 * (option 52) and options that are longer than 255 bytes and so come in parts (RFC 3396).
 *
 *     0     1       2      3      4     8      10      12       16       20       24       28       44      108    236     240
 *     | op | htype | hlen | hops | xid | secs | flags | ciaddr | yiaddr | siaddr | giaddr | chaddr | sname | file | cookie | options …
 *
 * Messages are rare, so that a parsed one owns copies of its options: it may outlive the packet.
 */

import { EMPTY, i32, putI32, putU16, u8, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';

export const DHCPV4_SERVER_PORT = 67;
export const DHCPV4_CLIENT_PORT = 68;

/** Values of `op`. */
export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;

/** Message types: option 53 (RFC 2132 §9.6). */
export const DhcpV4Type = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

/** Option codes that this project knows. */
export const DhcpV4Option = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  dnsServer: 6,
  hostName: 12,
  domainName: 15,
  interfaceMtu: 26,
  broadcastAddress: 28,
  ntpServer: 42,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientIdentifier: 61,
  /** RFC 2563. */
  autoConfigure: 116,
  /** RFC 3397. */
  domainSearch: 119,
  /** RFC 3442. */
  classlessRoutes: 121,
  end: 255,
} as const;

/** Where the options start. */
const OPTIONS_AT = 240;
const COOKIE_AT = 236;
const MAGIC_COOKIE = 0x63825363;
const CHADDR_AT = 28;
const CHADDR_LEN = 16;
const SNAME_AT = 44;
const SNAME_LEN = 64;
const FILE_AT = 108;
const FILE_LEN = 128;
const BROADCAST_FLAG = 0x8000;
/** Bits of option 52 (RFC 2132 §9.3). */
const OVERLOADS_FILE = 1;
const OVERLOADS_SNAME = 2;
/** The least that a BOOTP message has (RFC 1542 §2.1): some relay agents drop shorter ones. */
const LEAST_LENGTH = 300;
const LONGEST_PART = 255;

/** The fixed fields; addresses are words. */
export interface DhcpV4Fields {
  op: number;
  htype: number;
  xid: number;
  secs: number;
  isBroadcast: boolean;
  ciaddr: number;
  yiaddr: number;
  siaddr: number;
  giaddr: number;
  /** The client's hardware address, `hlen` bytes of it: 0 … 16. */
  chaddr: Uint8Array;
}

/** A message in numbers. */
export class DhcpV4Message implements DhcpV4Fields {
  op = 0;
  htype = 0;
  xid = 0;
  secs = 0;
  isBroadcast = false;
  ciaddr = 0;
  yiaddr = 0;
  siaddr = 0;
  giaddr = 0;
  chaddr: Uint8Array = EMPTY;
  /** A `DhcpV4Type`; 0 when the message has none: BOOTP. */
  type = 0;
  /** All of it, as it came. */
  bytes: Uint8Array = EMPTY;
  /** By code, parts of the same code joined in their order. The option's bytes are the message's own. */
  readonly options = new Map<number, Uint8Array>();
}

/**
 * Reads the message in `at … end`.
 *
 * An option that comes twice is one option in two parts (RFC 3396 §7): one of a fixed size then has a length that it can't
 * have, which is for whoever uses it to see.
 * @returns `none`, or `dhcpMalformed`: too short, no cookie, or an option that ends past its field
 */
export function parseDhcpV4(bytes: Uint8Array, at: number, end: number, into: DhcpV4Message): DropReason {
  into.options.clear();
  into.type = 0;
  into.bytes = bytes.slice(at, end);
  if (end - at < OPTIONS_AT || i32(bytes, at + COOKIE_AT) !== MAGIC_COOKIE) return DropReason.dhcpMalformed;
  const hlen = u8(bytes, at + 2);
  if (hlen > CHADDR_LEN) return DropReason.dhcpMalformed;
  into.op = u8(bytes, at);
  into.htype = u8(bytes, at + 1);
  into.xid = i32(bytes, at + 4);
  into.secs = u16(bytes, at + 8);
  into.isBroadcast = (u16(bytes, at + 10) & BROADCAST_FLAG) !== 0;
  into.ciaddr = i32(bytes, at + 12);
  into.yiaddr = i32(bytes, at + 16);
  into.siaddr = i32(bytes, at + 20);
  into.giaddr = i32(bytes, at + 24);
  into.chaddr = bytes.slice(at + CHADDR_AT, at + CHADDR_AT + hlen);
  const fields = optionFields(bytes, at, end);
  if (fields === null) return DropReason.dhcpMalformed;
  collect(bytes, fields, into.options);
  const type = into.options.get(DhcpV4Option.messageType);
  into.type = type?.length === 1 ? u8(type, 0) : 0;
  return DropReason.none;
}

/**
 * A whole message, as long as relay agents want it at least. Options go in the order given; one of more than 255 bytes in
 * parts (RFC 3396 §5).
 */
export function encodeDhcpV4(
  fields: DhcpV4Fields,
  options: Iterable<readonly [code: number, value: Uint8Array]>,
): Uint8Array {
  const parts: number[] = [];
  for (const [code, value] of options) {
    let from = 0;
    do {
      const part = value.subarray(from, from + LONGEST_PART);
      parts.push(code, part.length, ...part);
      from += LONGEST_PART;
    } while (from < value.length);
  }
  parts.push(DhcpV4Option.end);
  const message = new Uint8Array(Math.max(LEAST_LENGTH, OPTIONS_AT + parts.length));
  message[0] = fields.op;
  message[1] = fields.htype;
  message[2] = fields.chaddr.length;
  putI32(message, 4, fields.xid);
  putU16(message, 8, fields.secs);
  putU16(message, 10, fields.isBroadcast ? BROADCAST_FLAG : 0);
  putI32(message, 12, fields.ciaddr);
  putI32(message, 16, fields.yiaddr);
  putI32(message, 20, fields.siaddr);
  putI32(message, 24, fields.giaddr);
  message.set(fields.chaddr.subarray(0, CHADDR_LEN), CHADDR_AT);
  putI32(message, COOKIE_AT, MAGIC_COOKIE);
  message.set(parts, OPTIONS_AT);
  return message;
}

/** A field that holds options. */
interface OptionField {
  readonly at: number;
  readonly end: number;
}

/** The fields that hold options, in the order in which they count (RFC 2131 §4.1); `null` when one is malformed. */
function optionFields(bytes: Uint8Array, at: number, end: number): OptionField[] | null {
  const options = { at: at + OPTIONS_AT, end };
  const overload = walk(bytes, options, overloadOf, 0);
  if (overload < 0) return null;
  const fields: OptionField[] = [options];
  if ((overload & OVERLOADS_FILE) !== 0) fields.push({ at: at + FILE_AT, end: at + FILE_AT + FILE_LEN });
  if ((overload & OVERLOADS_SNAME) !== 0) fields.push({ at: at + SNAME_AT, end: at + SNAME_AT + SNAME_LEN });
  return fields.every((field) => walk(bytes, field, asItWas, 0) >= 0) ? fields : null;
}

const asItWas = (_bytes: Uint8Array, _code: number, _at: number, _length: number, sum: number): number => sum;

function overloadOf(bytes: Uint8Array, code: number, at: number, length: number, sum: number): number {
  return code === DhcpV4Option.overload && length === 1 ? u8(bytes, at) & 3 : sum;
}

/** Goes through a field's options; `step` answers the new value. @returns the last one, -1 when an option ends past the field */
function walk(
  bytes: Uint8Array,
  field: OptionField,
  step: (bytes: Uint8Array, code: number, at: number, length: number, value: number) => number,
  first: number,
): number {
  let value = first;
  let at = field.at;
  // Without an end option the field ends the list: servers that forget it are read all the same.
  while (at < field.end) {
    const code = u8(bytes, at++);
    if (code === DhcpV4Option.end) break;
    if (code === DhcpV4Option.pad) continue;
    if (at >= field.end) return -1;
    const length = u8(bytes, at++);
    if (at + length > field.end) return -1;
    value = step(bytes, code, at, length, value);
    at += length;
  }
  return value;
}

/** Copies the options of well-formed fields, each into one array of the length of all its parts. */
function collect(bytes: Uint8Array, fields: readonly OptionField[], into: Map<number, Uint8Array>): void {
  const lengths = new Int32Array(256).fill(-1);
  const measure = (_bytes: Uint8Array, code: number, _at: number, length: number, value: number): number => {
    lengths[code] = Math.max(0, lengths[code] as number) + length;
    return value;
  };
  for (const field of fields) walk(bytes, field, measure, 0);
  const filled = new Int32Array(256);
  const take = (from: Uint8Array, code: number, at: number, length: number, value: number): number => {
    const whole = into.get(code) ?? new Uint8Array(lengths[code] as number);
    into.set(code, whole);
    whole.set(from.subarray(at, at + length), filled[code]);
    filled[code] = (filled[code] as number) + length;
    return value;
  };
  for (const field of fields) walk(bytes, field, take, 0);
}
