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
  ICMP_ECHO_REPLY_LEN,
  ICMP_ERROR_ROOM,
  ICMPV6_ECHO_REPLY_LEN,
  IP_BAD_DESTINATION,
  IP_BAD_OPTION,
  IP_BUF_TOO_SMALL,
  IP_DEST_HOST_UNREACHABLE,
  IP_GENERAL_FAILURE,
  IP_NO_RESOURCES,
  type IP_OPTION_INFORMATION,
  IP_OPTION_TOO_BIG,
  IP_PACKET_TOO_BIG,
  IP_REQ_TIMED_OUT,
  MAX_OPT_SIZE,
  readICMP_ECHO_REPLY,
  readSockaddr,
  SOCKADDR_IN6_LEN,
  sockaddrFamily,
  sockaddrOf,
  WSAEADDRNOTAVAIL,
  WSAEHOSTUNREACH,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENETUNREACH,
  WSAENOBUFS,
  WSAETIMEDOUT,
  writeICMP_ECHO_REPLY,
  writeICMPV6_ECHO_REPLY,
} from '../abi/index.ts';
import { IpAddress, i32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp, type AfdPort, ECHO_HEAD_LEN } from '../port/index.ts';
import { type AttachOptions, attach } from './attach.ts';
import { chosenAttachment } from './process-winsock.ts';

export * from '../abi/index.ts';
export { inet_addr } from '../winsock/index.ts';

/** System errors of the API. */
export const ERROR_INVALID_HANDLE = 6;
export const ERROR_INVALID_PARAMETER = 87;
export const ERROR_INSUFFICIENT_BUFFER = 122;
export const ERROR_IO_PENDING = 997;

/** Most bytes of a request's data. */
const MAX_REQUEST = 65_500;

/** Why a call failed: an IP_STATUS, or a system error. */
export class IcmpError extends Error {
  override readonly name = 'IcmpError';
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: ${TEXTS.get(code) ?? `status ${code}`}`);
    this.code = code;
  }
}

/** Called when an asynchronous request has ended: the error, 0 with a reply in the buffer. */
export type IcmpApcRoutine = (ApcContext: unknown, error: number) => void;

/** What is set when an asynchronous request has ended. */
export interface IcmpEvent {
  set(): void;
}

const files = new Map<number, IcmpFile>();
let lastHandle = 0;

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
  const file = fileOf('IcmpCloseHandle', IcmpHandle);
  files.delete(IcmpHandle);
  file.close();
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
  const to = sockaddrOf(ipv4Of(DestinationAddress), 0);
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
  const to = sockaddrOf(ipv4Of(DestinationAddress), 0);
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
  const to = joined(sockaddrOf(ipv4Of(DestinationAddress), 0), sockaddrOf(ipv4Of(SourceAddress), 0));
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

/** Which call, on which handle of which family. */
interface IcmpCall {
  readonly name: string;
  readonly handle: number;
  readonly family: number;
}

/** A handle's session. */
class IcmpFile {
  readonly family: number;
  readonly #port: AfdPort;
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  #lastId = 0;

  constructor(family: number, port: AfdPort) {
    this.family = family;
    this.#port = port;
    port.onComplete = (completion) => {
      const settle = this.#waiting.get(completion.id);
      this.#waiting.delete(completion.id);
      settle?.(completion);
    };
  }

  /** Asks the stack. What the completion refers to is handed on at once, before it is reused. */
  echo<T>(
    address: Uint8Array,
    options: IP_OPTION_INFORMATION | null,
    data: Uint8Array,
    into: Uint8Array,
    timeout: number,
    finish: (completion: AfdCompletion) => T,
  ): Promise<T> {
    this.#lastId = (this.#lastId % 0x7fff_ffff) + 1;
    const id = this.#lastId;
    const optionsData = options?.OptionsData ?? new Uint8Array(0);
    const b = options === null ? 0 : options.Ttl | (options.Tos << 8) | (options.Flags << 16);
    return new Promise((resolve) => {
      const done = this.#port.submit({
        id,
        op: AfdOp.echo,
        descriptor: 0,
        flags: optionsData.length,
        a: timeout,
        b,
        address,
        data: joined(optionsData, data),
        into,
      });
      if (done === null) this.#waiting.set(id, (completion) => resolve(finish(completion)));
      else resolve(finish(done));
    });
  }

  close(): void {
    this.#port.close();
  }
}

async function createFile(family: number, options?: AttachOptions): Promise<number> {
  const { port } = await attach(options ?? chosenAttachment());
  lastHandle += 4;
  files.set(lastHandle, new IcmpFile(family, port));
  return lastHandle;
}

function fileOf(name: string, handle: number): IcmpFile {
  const file = files.get(handle);
  if (file === undefined) throw new IcmpError(name, ERROR_INVALID_HANDLE);
  return file;
}

async function send(
  { name, handle, family }: IcmpCall,
  address: Uint8Array,
  data: Uint8Array,
  size: number,
  options: IP_OPTION_INFORMATION | null,
  buffer: Uint8Array,
  bufferSize: number,
  timeout: number,
): Promise<number> {
  const file = fileOf(name, handle);
  if (file.family !== family) throw new IcmpError(name, ERROR_INVALID_PARAMETER);
  if (size < 0 || size > data.length || bufferSize < 0 || bufferSize > buffer.length) {
    throw new IcmpError(name, ERROR_INVALID_PARAMETER);
  }
  const head = family === AF_INET ? ICMP_ECHO_REPLY_LEN : ICMPV6_ECHO_REPLY_LEN;
  if (bufferSize < head + ICMP_ERROR_ROOM) throw new IcmpError(name, ERROR_INSUFFICIENT_BUFFER);
  if (size > MAX_REQUEST) throw new IcmpError(name, IP_PACKET_TOO_BIG);
  if ((options?.OptionsData?.length ?? 0) > MAX_OPT_SIZE) throw new IcmpError(name, IP_OPTION_TOO_BIG);
  const into = new Uint8Array(ECHO_HEAD_LEN + MAX_OPT_SIZE + size);
  const reply = buffer.subarray(0, bufferSize);
  const code = await file.echo(address, options, data.subarray(0, size), into, timeout, (completion) =>
    finish(completion, into, reply, family),
  );
  if (code !== 0) throw new IcmpError(name, code);
  return 1;
}

/** Lays a completion out in the caller's buffer. @returns 0, or the call's error */
function finish(completion: AfdCompletion, into: Uint8Array, reply: Uint8Array, family: number): number {
  if (completion.error !== 0) return errorOf(completion.error);
  const source = completion.address === null ? null : readSockaddr(completion.address);
  if (source === null) return IP_GENERAL_FAILURE;
  const optionsEnd = ECHO_HEAD_LEN + (into[11] as number);
  const common = {
    Address: source.address,
    Status: i32le(into, 0),
    RoundTripTime: i32le(into, 4),
    Data: into.subarray(optionsEnd, optionsEnd + i32le(into, 12)),
  };
  const OptionsData = optionsEnd > ECHO_HEAD_LEN ? into.subarray(ECHO_HEAD_LEN, optionsEnd) : null;
  const Options = { Ttl: into[8] as number, Tos: 0, Flags: 0, OptionsData };
  const end =
    family === AF_INET
      ? writeICMP_ECHO_REPLY(reply, { ...common, Options })
      : writeICMPV6_ECHO_REPLY(reply, common);
  return end < 0 ? IP_BUF_TOO_SMALL : 0;
}

/** What the API calls the reason for which a request was not sent or not answered. */
function errorOf(code: number): number {
  switch (code) {
    case WSAETIMEDOUT:
      return IP_REQ_TIMED_OUT;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
      return IP_DEST_HOST_UNREACHABLE;
    case WSAEMSGSIZE:
      return IP_PACKET_TOO_BIG;
    case WSAENOBUFS:
      return IP_NO_RESOURCES;
    case WSAEADDRNOTAVAIL:
      return IP_BAD_DESTINATION;
    case WSAEINVAL:
      return IP_BAD_OPTION;
    default:
      return IP_GENERAL_FAILURE;
  }
}

/** The synchronous answer, or 0 now and word to those who asked for it later. */
function told(
  done: Promise<number>,
  event: IcmpEvent | null,
  routine: IcmpApcRoutine | null,
  context: unknown,
): Promise<number> {
  if (event === null && routine === null) return done;
  const tell = (error: number): void => {
    event?.set();
    routine?.(context, error);
  };
  done.then(
    () => tell(0),
    (error: unknown) => tell(error instanceof IcmpError ? error.code : IP_GENERAL_FAILURE),
  );
  return Promise.resolve(0);
}

/** An IPAddr, whose bytes are in network order in a little-endian number. */
function ipv4Of(address: number): IpAddress {
  const word =
    ((address & 0xff) << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24);
  return IpAddress.v4(word);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

const TEXTS = new Map<number, string>([
  [ERROR_INVALID_HANDLE, 'the handle is not open'],
  [ERROR_INVALID_PARAMETER, 'a parameter is not valid'],
  [ERROR_INSUFFICIENT_BUFFER, 'the reply buffer has no room for one reply'],
  [IP_BUF_TOO_SMALL, 'the reply does not fit the buffer'],
  [IP_DEST_HOST_UNREACHABLE, 'there is no way to the destination'],
  [IP_NO_RESOURCES, 'no memory, or too many requests'],
  [IP_BAD_OPTION, 'an option is not valid, or is a source route'],
  [IP_PACKET_TOO_BIG, 'the packet is too big'],
  [IP_REQ_TIMED_OUT, 'nothing came back in time'],
  [IP_OPTION_TOO_BIG, `options have more than ${MAX_OPT_SIZE} bytes`],
  [IP_BAD_DESTINATION, 'an address is not valid'],
  [IP_GENERAL_FAILURE, 'general failure'],
]);
