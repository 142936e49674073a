/**
 * DHCPv6 messages between client and server (RFC 8415 §8) and the options that a client needs (§21, RFC 3646).
 *
 *     0          1                4
 *     | msg-type | transaction-id | options: code 16, length 16, value …
 *
 * Messages are rare, so that a parsed one owns copies of its options: it may outlive the packet.
 */

import { EMPTY, IpAddress, i32, putI32, putU16, u8, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';

export const DHCPV6_CLIENT_PORT = 546;
export const DHCPV6_SERVER_PORT = 547;

/** Message types (RFC 8415 §7.3). */
export const DhcpV6Type = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  reconfigure: 10,
  informationRequest: 11,
} as const;

/** Option codes that this project knows. */
export const DhcpV6Option = {
  clientId: 1,
  serverId: 2,
  iaNa: 3,
  iaAddress: 5,
  optionRequest: 6,
  preference: 7,
  elapsedTime: 8,
  statusCode: 13,
  rapidCommit: 14,
  /** RFC 3646. */
  dnsServers: 23,
  domainSearch: 24,
  informationRefreshTime: 32,
  solMaxRt: 82,
  infMaxRt: 83,
} as const;

/** Status codes (RFC 8415 §21.13). */
export const DhcpV6Status = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  useMulticast: 5,
} as const;

const HEADER_LEN = 4;
const OPTION_HEADER_LEN = 4;
/** Most options in one place: a message is no larger than 64 KiB, but a list of empty options would be long. */
const MOST_OPTIONS = 256;
const IA_NA_HEADER_LEN = 12;
const IA_ADDRESS_HEADER_LEN = 24;
const ADDRESS_LEN = 16;

/** An option: its value is a view into the message. */
export interface DhcpV6OptionValue {
  readonly code: number;
  readonly value: Uint8Array;
}

/** A message in numbers. */
export class DhcpV6Message {
  type = 0;
  /** 24 bits. */
  transactionId = 0;
  options: readonly DhcpV6OptionValue[] = [];
  /** All of it, as it came. */
  bytes: Uint8Array = EMPTY;
}

/** An address of an identity association (RFC 8415 §21.6). Lifetimes in seconds, 0xffffffff is for ever. */
export interface DhcpV6Address {
  readonly address: IpAddress;
  readonly preferredSec: number;
  readonly validSec: number;
  readonly status: number;
}

/** An identity association for non-temporary addresses (RFC 8415 §21.4). */
export interface DhcpV6Association {
  /** `| 0` */
  readonly iaid: number;
  /** Seconds. 0: the client decides. */
  readonly t1Sec: number;
  readonly t2Sec: number;
  readonly addresses: readonly DhcpV6Address[];
  readonly status: number;
}

/**
 * Reads the message in `at … end`.
 * @returns `none`, or `dhcpMalformed`: too short, an option that ends past the message, or too many
 */
export function parseDhcpV6(bytes: Uint8Array, at: number, end: number, into: DhcpV6Message): DropReason {
  into.options = [];
  if (end - at < HEADER_LEN) return DropReason.dhcpMalformed;
  into.type = u8(bytes, at);
  into.transactionId = (u8(bytes, at + 1) << 16) | u16(bytes, at + 2);
  into.bytes = bytes.slice(at, end);
  const options = parseDhcpV6Options(into.bytes.subarray(HEADER_LEN));
  if (options === null) return DropReason.dhcpMalformed;
  into.options = options;
  return DropReason.none;
}

/** The options that fill `bytes`; `null` when they don't. */
export function parseDhcpV6Options(bytes: Uint8Array): DhcpV6OptionValue[] | null {
  const options: DhcpV6OptionValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + OPTION_HEADER_LEN > bytes.length || options.length === MOST_OPTIONS) return null;
    const valueAt = at + OPTION_HEADER_LEN;
    const end = valueAt + u16(bytes, at + 2);
    if (end > bytes.length) return null;
    options.push({ code: u16(bytes, at), value: bytes.subarray(valueAt, end) });
    at = end;
  }
  return options;
}

/**
 * The value of an option that may come once.
 * @returns `undefined` when it is not there, `null` when it is there twice
 */
export function singleOption(
  options: readonly DhcpV6OptionValue[],
  code: number,
): Uint8Array | undefined | null {
  let found: Uint8Array | undefined;
  for (const option of options) {
    if (option.code !== code) continue;
    if (found !== undefined) return null;
    found = option.value;
  }
  return found;
}

/** The status code among options: success when there is none; `unspecFail` when it can't be read. */
export function statusOf(options: readonly DhcpV6OptionValue[]): number {
  const value = singleOption(options, DhcpV6Option.statusCode);
  if (value === undefined) return DhcpV6Status.success;
  return value === null || value.length < 2 ? DhcpV6Status.unspecFail : u16(value, 0);
}

/** Reads an IA_NA option's value; `null` when it is malformed. */
export function parseAssociation(value: Uint8Array): DhcpV6Association | null {
  if (value.length < IA_NA_HEADER_LEN) return null;
  const options = parseDhcpV6Options(value.subarray(IA_NA_HEADER_LEN));
  if (options === null) return null;
  const addresses: DhcpV6Address[] = [];
  for (const option of options) {
    if (option.code !== DhcpV6Option.iaAddress) continue;
    const address = parseIaAddress(option.value);
    if (address === null) return null;
    addresses.push(address);
  }
  return {
    iaid: i32(value, 0),
    t1Sec: i32(value, 4) >>> 0,
    t2Sec: i32(value, 8) >>> 0,
    addresses,
    status: statusOf(options),
  };
}

function parseIaAddress(value: Uint8Array): DhcpV6Address | null {
  if (value.length < IA_ADDRESS_HEADER_LEN) return null;
  const options = parseDhcpV6Options(value.subarray(IA_ADDRESS_HEADER_LEN));
  if (options === null) return null;
  return {
    address: addressAt(value, 0),
    preferredSec: i32(value, ADDRESS_LEN) >>> 0,
    validSec: i32(value, ADDRESS_LEN + 4) >>> 0,
    status: statusOf(options),
  };
}

/** The addresses that fill an option's value; `null` when they don't, or there is none. */
export function parseV6Addresses(value: Uint8Array): IpAddress[] | null {
  if (value.length === 0 || value.length % ADDRESS_LEN !== 0) return null;
  const addresses: IpAddress[] = [];
  for (let at = 0; at < value.length; at += ADDRESS_LEN) addresses.push(addressAt(value, at));
  return addresses;
}

/** A whole message. */
export function encodeDhcpV6(
  type: number,
  transactionId: number,
  options: readonly DhcpV6OptionValue[],
): Uint8Array {
  const body = encodeDhcpV6Options(options);
  const message = new Uint8Array(HEADER_LEN + body.length);
  putI32(message, 0, (type << 24) | (transactionId & 0xffffff));
  message.set(body, HEADER_LEN);
  return message;
}

export function encodeDhcpV6Options(options: readonly DhcpV6OptionValue[]): Uint8Array {
  const length = options.reduce((sum, { value }) => sum + OPTION_HEADER_LEN + value.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const { code, value } of options) {
    putU16(bytes, at, code);
    putU16(bytes, at + 2, value.length);
    bytes.set(value, at + OPTION_HEADER_LEN);
    at += OPTION_HEADER_LEN + value.length;
  }
  return bytes;
}

/** The value of an IA_NA option. */
export function encodeAssociation(
  iaid: number,
  t1Sec: number,
  t2Sec: number,
  options: readonly DhcpV6OptionValue[],
): Uint8Array {
  const body = encodeDhcpV6Options(options);
  const value = new Uint8Array(IA_NA_HEADER_LEN + body.length);
  putI32(value, 0, iaid);
  putI32(value, 4, t1Sec | 0);
  putI32(value, 8, t2Sec | 0);
  value.set(body, IA_NA_HEADER_LEN);
  return value;
}

/** The value of an IA Address option. */
export function encodeIaAddress(address: IpAddress, preferredSec: number, validSec: number): Uint8Array {
  const value = new Uint8Array(IA_ADDRESS_HEADER_LEN);
  putI32(value, 0, address.w0);
  putI32(value, 4, address.w1);
  putI32(value, 8, address.w2);
  putI32(value, 12, address.w3);
  putI32(value, ADDRESS_LEN, preferredSec | 0);
  putI32(value, ADDRESS_LEN + 4, validSec | 0);
  return value;
}

function addressAt(bytes: Uint8Array, at: number): IpAddress {
  return new IpAddress(6, i32(bytes, at), i32(bytes, at + 4), i32(bytes, at + 8), i32(bytes, at + 12));
}
