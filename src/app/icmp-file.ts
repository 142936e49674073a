/**
 * A handle of the ICMP helper API: a session with the stack that sends echo requests, and how replies and errors reach the caller's
 * buffer and variables.
 */

import {
  AF_INET,
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
  readSockaddr,
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
import { i32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp, type AfdPort, ECHO_HEAD_LEN } from '../port/index.ts';
import { type AttachOptions, attach } from './attach.ts';
import { chosenAttachment } from './process-winsock.ts';

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

/** Which call, on which handle of which family. */
export interface IcmpCall {
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

/** A handle with a session of its own. @param options where the stack is; as Winsock's own when absent */
export async function createFile(family: number, options?: AttachOptions): Promise<number> {
  const { port } = await attach(options ?? chosenAttachment());
  lastHandle += 4;
  files.set(lastHandle, new IcmpFile(family, port));
  return lastHandle;
}

/** Closes a handle and its session. @throws {IcmpError} when it is not open */
export function closeFile(name: string, handle: number): void {
  const file = fileOf(name, handle);
  files.delete(handle);
  file.close();
}

function fileOf(name: string, handle: number): IcmpFile {
  const file = files.get(handle);
  if (file === undefined) throw new IcmpError(name, ERROR_INVALID_HANDLE);
  return file;
}

/**
 * Sends a request from a handle and waits for what comes back.
 * @param address the destination's SOCKADDR, the source's behind it when that is chosen
 * @returns 1: how many replies are in the buffer @throws {IcmpError}
 */
export async function send(
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
export function told(
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

/** Both, one after the other. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
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
