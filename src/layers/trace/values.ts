/**
 * Single values of calls as a trace shows them. Nothing here believes a length or a pointer.
 */

import {
  type fd_set,
  formatSockaddr,
  guidAt,
  optionLayout,
  readLINGER,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  type TIMEVAL,
  type WSANETWORKEVENTS,
  type WSAPROTOCOL_INFO,
  wsaErrorName,
} from '../../abi/index.ts';
import { i32le } from '../../base/index.ts';
import type { Ref, WSAOVERLAPPED } from '../../spi/index.ts';
import { extensionName, flagText, NETWORK_EVENTS } from './names.ts';
import type { TraceValue } from './trace-record.ts';

/** Buffers of one list that are shown. */
const MOST_BUFFERS = 16;
/** Sockets of one set that are shown. */
const MOST_SOCKETS = 64;
/** What text may hold: printable ASCII, tab, line ends. */
const PRINTABLE = /^[\t\n\r -~]*$/;

/** A sockaddr, `10.0.0.1:80`; @param length what the caller says it has */
export function sockaddrValue(bytes: unknown, length: unknown): TraceValue {
  if (!(bytes instanceof Uint8Array)) return null;
  return formatSockaddr(bytes.subarray(0, lengthIn(length, bytes)));
}

/** The beginning of some bytes: `{ len, text }` when it is text, else `{ len, hex }`. @param shown most bytes of it */
export function bytesValue(bytes: unknown, length: unknown, shown: number): TraceValue {
  if (!(bytes instanceof Uint8Array)) return null;
  const len = lengthIn(length, bytes);
  if (shown === 0 || len === 0) return { len };
  const head = bytes.subarray(0, Math.min(len, shown));
  const text = String.fromCharCode(...head);
  return PRINTABLE.test(text) ? { len, text } : { len, hex: hexOf(head) };
}

/** A scatter or gather list. @param total bytes of it that count, over all buffers; −1: all */
export function buffersValue(buffers: unknown, count: unknown, total: number, shown: number): TraceValue {
  if (!Array.isArray(buffers)) return null;
  const listed = buffers.slice(0, typeof count === 'number' && count >= 0 ? count : 0);
  let left = total < 0 ? Number.POSITIVE_INFINITY : total;
  const values: TraceValue[] = [];
  for (const buffer of listed.slice(0, MOST_BUFFERS)) {
    const room = buffer instanceof Uint8Array ? buffer.length : 0;
    if (left <= 0) break;
    values.push(bytesValue(buffer, Math.min(room, left), shown));
    left -= room;
  }
  if (listed.length > MOST_BUFFERS) values.push(`… ${listed.length - MOST_BUFFERS} more`);
  return values;
}

/** Room that a call may fill: lengths only. */
export function roomValue(buffers: unknown, count: unknown): TraceValue {
  return buffersValue(buffers, count, -1, 0);
}

export function refValue(ref: unknown): TraceValue {
  const value = (ref as Ref<unknown> | null)?.value;
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}

/** A set of sockets. */
export function setValue(set: unknown): TraceValue {
  const sockets = (set as fd_set | null)?.fd_array;
  if (!Array.isArray(sockets)) return null;
  const shown: TraceValue[] = sockets.slice(0, MOST_SOCKETS);
  return sockets.length > MOST_SOCKETS ? [...shown, `… ${sockets.length - MOST_SOCKETS} more`] : shown;
}

/** How long a select waits; `null`: for ever. */
export function timevalValue(timeout: unknown): TraceValue {
  if (timeout === null || typeof timeout !== 'object') return null;
  const { tv_sec, tv_usec } = timeout as TIMEVAL;
  return { tv_sec, tv_usec };
}

export function infoValue(info: unknown): TraceValue {
  if (info === null || typeof info !== 'object') return null;
  const { dwCatalogEntryId, szProtocol } = info as WSAPROTOCOL_INFO;
  return { dwCatalogEntryId, szProtocol };
}

/** Which events there are, and the errors of those that failed. */
export function networkEventsValue(events: unknown): TraceValue {
  if (events === null || typeof events !== 'object') return null;
  const { lNetworkEvents, iErrorCode } = events as WSANETWORKEVENTS;
  const errors: { [name: string]: TraceValue } = {};
  for (const [i, [bit, name]] of NETWORK_EVENTS.entries()) {
    const code = iErrorCode[i] ?? 0;
    if ((lNetworkEvents & bit) !== 0 && code !== 0) errors[name] = wsaErrorName(code);
  }
  const lNetworkEventsText = flagText(NETWORK_EVENTS, lNetworkEvents);
  return Object.keys(errors).length === 0
    ? { lNetworkEvents: lNetworkEventsText }
    : { lNetworkEvents: lNetworkEventsText, iErrorCode: errors };
}

/** An option's value by its layout. */
export function optionValue(
  level: number,
  option: number,
  value: unknown,
  length: unknown,
  shown: number,
): TraceValue {
  if (!(value instanceof Uint8Array)) return null;
  const len = lengthIn(length, value);
  switch (optionLayout(level, option)?.type) {
    case 'boolean':
      return len === 0
        ? bytesValue(value, len, shown)
        : value.subarray(0, Math.min(len, 4)).some((byte) => byte !== 0);
    case 'int':
    case 'handle':
      return len < 4 ? bytesValue(value, len, shown) : i32le(value, 0);
    case 'dword':
      return len < 4 ? bytesValue(value, len, shown) : i32le(value, 0) >>> 0;
    case 'linger': {
      const linger = readLINGER(value.subarray(0, len));
      return linger === null ? bytesValue(value, len, shown) : { ...linger };
    }
    default:
      return bytesValue(value, len, shown);
  }
}

/** An ioctl's parameter: a GUID where that asks for a function, a number of four bytes, else bytes. */
export function ioctlInput(code: number, bytes: unknown, length: unknown, shown: number): TraceValue {
  if (!(bytes instanceof Uint8Array)) return null;
  const len = lengthIn(length, bytes);
  if (code >>> 0 === SIO_GET_EXTENSION_FUNCTION_POINTER) {
    const guid = guidAt(bytes.subarray(0, len));
    if (guid !== null) return extensionName(guid);
  }
  return len === 4 ? i32le(bytes, 0) : bytesValue(bytes, len, shown);
}

/** What an ioctl has answered. */
export function ioctlOutput(bytes: unknown, length: number, shown: number): TraceValue {
  if (!(bytes instanceof Uint8Array)) return null;
  return length === 4 && bytes.length >= 4 ? i32le(bytes, 0) : bytesValue(bytes, length, shown);
}

/** An overlapped record: its event. */
export function overlappedValue(lpOverlapped: unknown): TraceValue {
  if (lpOverlapped === null || typeof lpOverlapped !== 'object') return null;
  return { hEvent: (lpOverlapped as WSAOVERLAPPED).hEvent };
}

/** A function only shows that it is there. */
export function functionValue(code: unknown): TraceValue {
  return typeof code === 'function' ? 'function' : null;
}

/** How many bytes a caller can have meant: never more than there are. */
function lengthIn(length: unknown, bytes: Uint8Array): number {
  if (typeof length !== 'number' || !(length >= 0)) return 0;
  return Math.min(Math.trunc(length), bytes.length);
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
