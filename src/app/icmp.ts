/**
 * `winsockd/icmp`: the ICMP helper API (icmpapi.h; in Windows Mobile's iphlpapi.dll), for programs that ping.
 *
 * Functions have Microsoft's names and parameters. They promise what C returns, and reject with an {@link IcmpError} where C returns
 * FALSE, INVALID_HANDLE_VALUE or no replies: its `code` is what GetLastError answers, an IP_STATUS or a system error.
 *
 *     const file = await IcmpCreateFile();
 *     const buffer = new Uint8Array(1024);
 *     await IcmpSendEcho(file, inet_addr('10.0.0.1'), data, data.length, null, buffer, buffer.length, 1000);
 *     console.log(readICMP_ECHO_REPLY(buffer)?.RoundTripTime);
 *
 * ICMP runs beneath the provider catalog: a handle is a session of its own with the stack, no provider is loaded for it, and a layered
 * provider can neither see nor alter what it does. In C a reply buffer has pointers; here they are offsets (`abi/icmp-structures`).
 */

import {
  AF_INET,
  AF_INET6,
  ICMPV6_ECHO_REPLY_LEN,
  type IP_OPTION_INFORMATION,
  readICMP_ECHO_REPLY,
  readSockaddr,
  SOCKADDR_IN6_LEN,
  sockaddrFamily,
  sockaddrOf,
} from '../abi/index.ts';
import { IpAddress, swap32 } from '../base/index.ts';
import type { AttachOptions } from './attach.ts';
import {
  closeFile,
  createFile,
  ERROR_INVALID_PARAMETER,
  type IcmpApcRoutine,
  IcmpError,
  type IcmpEvent,
  joined,
  send,
  told,
} from './icmp-file.ts';

export * from '../abi/index.ts';
export { inet_addr } from '../winsock/index.ts';
export {
  ERROR_INSUFFICIENT_BUFFER,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_IO_PENDING,
  type IcmpApcRoutine,
  IcmpError,
  type IcmpEvent,
} from './icmp-file.ts';

/** A handle for echo requests over IPv4. @param options where the stack is; as Winsock's own when absent */
export function IcmpCreateFile(options?: AttachOptions): Promise<number> {
  return createFile(AF_INET, options);
}

/** A handle for echo requests over IPv6. */
export function Icmp6CreateFile(options?: AttachOptions): Promise<number> {
  return createFile(AF_INET6, options);
}

/** Closes a handle; its requests end. @returns 1 */
export async function IcmpCloseHandle(IcmpHandle: number): Promise<number> {
  closeFile('IcmpCloseHandle', IcmpHandle);
  return 1;
}

/**
 * Sends an echo request and waits for what comes back.
 * @param DestinationAddress as `inet_addr` gives it
 * @param Timeout ms
 * @returns how many replies are in the buffer: 1; also of an ICMP error about the request, which its `Status` says
 */
export function IcmpSendEcho(
  IcmpHandle: number,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): Promise<number> {
  const call = { name: 'IcmpSendEcho', handle: IcmpHandle, family: AF_INET };
  const to = ipv4Name(DestinationAddress);
  return send(call, to, RequestData, RequestSize, RequestOptions, ReplyBuffer, ReplySize, Timeout);
}

/**
 * As `IcmpSendEcho`; with an event or a routine it answers 0 at once (in C with ERROR_IO_PENDING), and tells them at the end.
 */
export function IcmpSendEcho2(
  IcmpHandle: number,
  Event: IcmpEvent | null,
  ApcRoutine: IcmpApcRoutine | null,
  ApcContext: unknown,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): Promise<number> {
  const call = { name: 'IcmpSendEcho2', handle: IcmpHandle, family: AF_INET };
  const to = ipv4Name(DestinationAddress);
  const done = send(call, to, RequestData, RequestSize, RequestOptions, ReplyBuffer, ReplySize, Timeout);
  return told(done, Event, ApcRoutine, ApcContext);
}

/** As `IcmpSendEcho2`, from one of this host's addresses. */
export function IcmpSendEcho2Ex(
  IcmpHandle: number,
  Event: IcmpEvent | null,
  ApcRoutine: IcmpApcRoutine | null,
  ApcContext: unknown,
  SourceAddress: number,
  DestinationAddress: number,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): Promise<number> {
  const call = { name: 'IcmpSendEcho2Ex', handle: IcmpHandle, family: AF_INET };
  const to = joined(ipv4Name(DestinationAddress), ipv4Name(SourceAddress));
  const done = send(call, to, RequestData, RequestSize, RequestOptions, ReplyBuffer, ReplySize, Timeout);
  return told(done, Event, ApcRoutine, ApcContext);
}

/** How many replies a buffer holds, after an asynchronous request: 0 or 1. */
export function IcmpParseReplies(ReplyBuffer: Uint8Array, ReplySize: number): number {
  const reply = readICMP_ECHO_REPLY(ReplyBuffer.subarray(0, ReplySize));
  return reply === null || (reply.Address.isAny && reply.Status === 0) ? 0 : 1;
}

/** Sends an echo request over IPv6. @param SourceAddress a SOCKADDR_IN6, the any-address for whichever fits */
export function Icmp6SendEcho2(
  IcmpHandle: number,
  Event: IcmpEvent | null,
  ApcRoutine: IcmpApcRoutine | null,
  ApcContext: unknown,
  SourceAddress: Uint8Array,
  DestinationAddress: Uint8Array,
  RequestData: Uint8Array,
  RequestSize: number,
  RequestOptions: IP_OPTION_INFORMATION | null,
  ReplyBuffer: Uint8Array,
  ReplySize: number,
  Timeout: number,
): Promise<number> {
  const call = { name: 'Icmp6SendEcho2', handle: IcmpHandle, family: AF_INET6 };
  const isRight = [SourceAddress, DestinationAddress].every(
    (address) => sockaddrFamily(address) === AF_INET6 && readSockaddr(address) !== null,
  );
  if (!isRight) return Promise.reject(new IcmpError(call.name, ERROR_INVALID_PARAMETER));
  const to = joined(
    DestinationAddress.subarray(0, SOCKADDR_IN6_LEN),
    SourceAddress.subarray(0, SOCKADDR_IN6_LEN),
  );
  const done = send(call, to, RequestData, RequestSize, RequestOptions, ReplyBuffer, ReplySize, Timeout);
  return told(done, Event, ApcRoutine, ApcContext);
}

/** How many replies a buffer of `Icmp6SendEcho2` holds: 0 or 1. */
export function Icmp6ParseReplies(ReplyBuffer: Uint8Array, ReplySize: number): number {
  const bytes = ReplyBuffer.subarray(0, ReplySize);
  if (bytes.length < ICMPV6_ECHO_REPLY_LEN) return 0;
  return bytes.subarray(6, 32).some((byte) => byte !== 0) ? 1 : 0;
}

/** The name of an IPAddr. */
function ipv4Name(address: number): Uint8Array {
  return sockaddrOf(IpAddress.v4(swap32(address)), 0);
}
