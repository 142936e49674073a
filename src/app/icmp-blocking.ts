/**
 * `winsockd/icmp/blocking`: the ICMP helper API with calls that block the thread as C's do; see `winsockd/icmp`, whose functions promise.
 *
 *     const file = IcmpCreateFile();
 *     const reply = new Uint8Array(1024);
 *     const replies = IcmpSendEcho(file, inet_addr('10.0.0.1'), data, data.length, null, reply, reply.length, 1000);
 *     if (replies === 0) console.error(GetLastError());
 *
 * A call returns what C returns; after INVALID_HANDLE_VALUE, FALSE or no replies `GetLastError` says why, for this thread alone: an
 * IP_STATUS or a system error. Requests with an event or a routine are the promising face's.
 */

import {
  AF_INET,
  AF_INET6,
  INVALID_HANDLE_VALUE,
  type IP_OPTION_INFORMATION,
  sockaddrOf,
} from '../abi/index.ts';
import { EMPTY, IpAddress, swap32 } from '../base/index.ts';
import { callAndKeepError, WSASetLastError } from './blocking-call.ts';
import { OPTIONS_HEAD_LEN } from './icmp-calls.ts';
import { ICMP_CLOSE, ICMP_CREATE, ICMP_SEND } from './signatures-icmp.ts';

export * from '../abi/index.ts';
export { inet_addr } from '../winsock/index.ts';
export { attachTo, type BlockingAttachOptions, WSAGetLastError as GetLastError } from './blocking-call.ts';
export {
  ERROR_INSUFFICIENT_BUFFER,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  Icmp6ParseReplies,
  IcmpParseReplies,
} from './icmp.ts';

const INVALID_PARAMETER = 87;

/** A handle for echo requests over IPv4. @returns INVALID_HANDLE_VALUE when it failed */
export function IcmpCreateFile(): number {
  return handleOr(callAndKeepError(ICMP_CREATE, [AF_INET]));
}

/** A handle for echo requests over IPv6. @returns INVALID_HANDLE_VALUE when it failed */
export function Icmp6CreateFile(): number {
  return handleOr(callAndKeepError(ICMP_CREATE, [AF_INET6]));
}

/** Closes a handle; its requests end. @returns 1, or 0 when it is none */
export function IcmpCloseHandle(IcmpHandle: number): number {
  return Math.max(0, callAndKeepError(ICMP_CLOSE, [IcmpHandle]));
}

/** Sends an echo request and waits for what comes back. @returns how many replies are in the buffer: 1, or 0 when it failed */
export function IcmpSendEcho(
  IcmpHandle: number,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): number {
  const to = ipv4Name(DestinationAddress);
  return send(
    IcmpHandle,
    null,
    to,
    RequestData,
    RequestSize,
    RequestOptions,
    ReplyBuffer,
    ReplySize,
    Timeout,
  );
}

/** As `IcmpSendEcho`, from one of this host's addresses. */
export function IcmpSendEcho2Ex(
  IcmpHandle: number,
  Event: null,
  ApcRoutine: null,
  _ApcContext: unknown,
  SourceAddress: number,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): number {
  if (Event !== null || ApcRoutine !== null) return failed(INVALID_PARAMETER);
  const [from, to] = [ipv4Name(SourceAddress), ipv4Name(DestinationAddress)];
  return send(
    IcmpHandle,
    from,
    to,
    RequestData,
    RequestSize,
    RequestOptions,
    ReplyBuffer,
    ReplySize,
    Timeout,
  );
}

/** As `IcmpSendEcho`. */
export function IcmpSendEcho2(
  IcmpHandle: number,
  Event: null,
  ApcRoutine: null,
  _ApcContext: unknown,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): number {
  if (Event !== null || ApcRoutine !== null) return failed(INVALID_PARAMETER);
  const to = ipv4Name(DestinationAddress);
  return send(
    IcmpHandle,
    null,
    to,
    RequestData,
    RequestSize,
    RequestOptions,
    ReplyBuffer,
    ReplySize,
    Timeout,
  );
}

/** Sends an echo request over IPv6. @param SourceAddress a SOCKADDR_IN6, the any-address for whichever fits */
export function Icmp6SendEcho2(
  IcmpHandle: number,
  Event: null,
  ApcRoutine: null,
  _ApcContext: unknown,
  SourceAddress: Uint8Array,
  DestinationAddress: Uint8Array,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): number {
  if (Event !== null || ApcRoutine !== null) return failed(INVALID_PARAMETER);
  const [from, to] = [SourceAddress, DestinationAddress];
  return send(
    IcmpHandle,
    from,
    to,
    RequestData,
    RequestSize,
    RequestOptions,
    ReplyBuffer,
    ReplySize,
    Timeout,
  );
}

function send(
  handle: number,
  source: Uint8Array | null,
  destination: Uint8Array,
  data: Uint8Array,
  size: number,
  options: IP_OPTION_INFORMATION | null,
  buffer: Uint8Array,
  bufferSize: number,
  timeout: number,
): number {
  const isWithin = size >= 0 && size <= data.length && bufferSize >= 0 && bufferSize <= buffer.length;
  if (!isWithin) return failed(INVALID_PARAMETER);
  const reply = buffer.subarray(0, bufferSize);
  const args = [handle, source, destination, data.subarray(0, size), optionBytes(options), reply, timeout];
  return Math.max(0, callAndKeepError(ICMP_SEND, args));
}

function failed(code: number): number {
  WSASetLastError(code);
  return 0;
}

function handleOr(answer: number): number {
  return answer < 0 ? INVALID_HANDLE_VALUE : answer;
}

function ipv4Name(address: number): Uint8Array {
  return sockaddrOf(IpAddress.v4(swap32(address)), 0);
}

function optionBytes(options: IP_OPTION_INFORMATION | null): Uint8Array | null {
  if (options === null) return null;
  const data = options.OptionsData ?? EMPTY;
  const bytes = new Uint8Array(OPTIONS_HEAD_LEN + data.length);
  bytes.set([options.Ttl, options.Tos, options.Flags]);
  bytes.set(data, OPTIONS_HEAD_LEN);
  return bytes;
}
