/**
 * ntdll's address text (mstcpip.h): RtlIpv4AddressToString and its family, functions of their arguments alone. They answer NTSTATUS
 * codes. Where C gets a pointer to where the text ended, these give an index.
 */

import { STATUS_INVALID_PARAMETER, STATUS_SUCCESS } from '../abi/index.ts';
import { asNumber, IpAddress, i32, isBytes, isPlace, putI32 } from '../base/index.ts';
import { parseHistoricalIpv4, type Ref } from '../spi/index.ts';
import { ntohs } from './byte-order.ts';

const IN_ADDR_LEN = 4;
const IN6_ADDR_LEN = 16;

/** Writes dotted decimal. @returns where it ends: its length */
export function RtlIpv4AddressToString(Addr: Uint8Array, S: Ref<string>): number {
  if (!isBytes(Addr, IN_ADDR_LEN) || !isPlace(S)) return 0;
  S.value = IpAddress.v4(i32(Addr, 0)).toString();
  return S.value.length;
}

/** Writes an IPv6 address, without a scope. @returns where it ends */
export function RtlIpv6AddressToString(Addr: Uint8Array, S: Ref<string>): number {
  if (!isBytes(Addr, IN6_ADDR_LEN) || !isPlace(S)) return 0;
  S.value = addressV6(Addr, 0).toString();
  return S.value.length;
}

/**
 * Writes an address with its port unless that is 0.
 * @param Port in network order
 * @param AddressStringLength characters of room; characters used or needed, with the closing zero
 */
export function RtlIpv4AddressToStringEx(
  Address: Uint8Array | null,
  Port: number,
  AddressString: Ref<string> | null,
  AddressStringLength: Ref | null,
): number {
  if (!isBytes(Address, IN_ADDR_LEN)) return STATUS_INVALID_PARAMETER;
  const text = IpAddress.v4(i32(Address, 0)).toString();
  return written(asNumber(Port) === 0 ? text : `${text}:${ntohs(Port)}`, AddressString, AddressStringLength);
}

/** The same of an IPv6 address with its scope, `[address%scope]:port`. */
export function RtlIpv6AddressToStringEx(
  Address: Uint8Array | null,
  ScopeId: number,
  Port: number,
  AddressString: Ref<string> | null,
  AddressStringLength: Ref | null,
): number {
  if (!isBytes(Address, IN6_ADDR_LEN)) return STATUS_INVALID_PARAMETER;
  const text = addressV6(Address, asNumber(ScopeId) | 0).toString();
  return written(
    asNumber(Port) === 0 ? text : `[${text}]:${ntohs(Port)}`,
    AddressString,
    AddressStringLength,
  );
}

function written(text: string, into: Ref<string> | null, length: Ref | null): number {
  if (!isPlace(into) || !isPlace(length)) return STATUS_INVALID_PARAMETER;
  const room = asNumber(length.value);
  length.value = text.length + 1;
  if (!(room >= text.length + 1)) return STATUS_INVALID_PARAMETER;
  into.value = text;
  return STATUS_SUCCESS;
}

/**
 * Reads as much of a text as is an IPv4 address.
 * @param Strict four decimal numbers; else any historical form
 * @param Terminator gets where reading stopped
 */
export function RtlIpv4StringToAddress(
  S: string,
  Strict: boolean,
  Terminator: Ref | null,
  Addr: Uint8Array | null,
): number {
  return readLongest(S, Terminator, (text) => putV4(text, Strict, Addr));
}

/** Reads as much of a text as is an IPv6 address, without a scope. */
export function RtlIpv6StringToAddress(S: string, Terminator: Ref | null, Addr: Uint8Array | null): number {
  return readLongest(S, Terminator, (text) => putV6(text, Addr) !== null);
}

/** Reads `address` or `address:port`, all of the text. @param Port gets the port in network order, 0 without one */
export function RtlIpv4StringToAddressEx(
  AddressString: string | null,
  Strict: boolean,
  Address: Uint8Array | null,
  Port: Ref | null,
): number {
  if (typeof AddressString !== 'string' || !isPlace(Port)) return STATUS_INVALID_PARAMETER;
  const [, text = '', portText] = /^([^:]*)(?::(.*))?$/s.exec(AddressString) ?? [];
  const port = portOf(portText);
  if (port < 0 || !putV4(text, Strict, Address)) return STATUS_INVALID_PARAMETER;
  Port.value = port;
  return STATUS_SUCCESS;
}

/** Reads `address%scope` or `[address%scope]:port`, all of the text. */
export function RtlIpv6StringToAddressEx(
  AddressString: string | null,
  Address: Uint8Array | null,
  ScopeId: Ref | null,
  Port: Ref | null,
): number {
  if (typeof AddressString !== 'string' || !isPlace(ScopeId) || !isPlace(Port))
    return STATUS_INVALID_PARAMETER;
  const match = /^(?:\[([^\]]*)\](?::(.*))?|([^[\]]*))$/s.exec(AddressString);
  if (match === null) return STATUS_INVALID_PARAMETER;
  const port = portOf(match[2]);
  const address = port < 0 ? null : putV6(match[1] ?? match[3] ?? '', Address, true);
  if (address === null) return STATUS_INVALID_PARAMETER;
  ScopeId.value = address.zone;
  Port.value = port;
  return STATUS_SUCCESS;
}

/** The longest beginning of a text that `read` takes. */
function readLongest(text: string, terminator: Ref | null, read: (text: string) => boolean): number {
  if (!isPlace(terminator) || typeof text !== 'string') return STATUS_INVALID_PARAMETER;
  for (let end = Math.min(text.length, TEXT_MAX); end > 0; end--) {
    if (!read(text.slice(0, end))) continue;
    terminator.value = end;
    return STATUS_SUCCESS;
  }
  terminator.value = 0;
  return STATUS_INVALID_PARAMETER;
}

/** No address is longer. */
const TEXT_MAX = 128;

function putV4(text: string, isStrict: boolean, into: Uint8Array | null): boolean {
  const strict = text.includes(':') ? null : IpAddress.parse(text);
  const word = isStrict ? (strict === null ? -1 : strict.w3) : parseHistoricalIpv4(text);
  if ((isStrict && strict === null) || (!isStrict && word < 0)) return false;
  if (!isBytes(into, IN_ADDR_LEN)) return false;
  putI32(into, 0, word | 0);
  return true;
}

function putV6(text: string, into: Uint8Array | null, hasScope = false): IpAddress | null {
  const address = hasScope || !text.includes('%') ? IpAddress.parse(text) : null;
  if (address?.family !== 6 || !isBytes(into, IN6_ADDR_LEN)) return null;
  for (const [i, word] of [address.w0, address.w1, address.w2, address.w3].entries())
    putI32(into, 4 * i, word);
  return address;
}

/** A port in decimal, octal or hex, in network order; 0 for none, −1 for what is no port. */
function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const value = text.includes('.') ? -1 : parseHistoricalIpv4(text);
  return value < 0 || value > 0xffff ? -1 : ntohs(value);
}

function addressV6(bytes: Uint8Array, zone: number): IpAddress {
  return new IpAddress(6, i32(bytes, 0), i32(bytes, 4), i32(bytes, 8), i32(bytes, 12), zone);
}
