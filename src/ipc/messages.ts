/**
 * The heads of the messages: one writer and one reader for each. Writers fill a scratch array that the sender copies
 * from; readers check every length before they trust it, and throw a `ProtocolError` (`malformed`) otherwise.
 *
 * Readers that run for each operation fill an object that is handed in. A reader ignores bytes past the fields that it
 * knows in HELLO and WELCOME, so that both can grow; all other heads have exactly the length that their fields say.
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';
import type { AfdCompletion, AfdRequest } from '../port/index.ts';
import {
  ADDRESS_LEN_MAX,
  Capability,
  expect,
  type GoodbyeReason,
  type IpcLimits,
  MIN_MAX_MESSAGE,
} from './protocol.ts';

/** Fixed part of each head, bytes. */
export const HELLO_HEAD_LEN = 20;
export const WELCOME_HEAD_LEN = 40;
export const GOODBYE_HEAD_LEN = 4;
export const CREDIT_HEAD_LEN = 4;
export const WATCH_HEAD_LEN = 4;
export const REQUEST_HEAD_LEN = 28;
export const COMPLETION_HEAD_LEN = 20;

/** What a client says first. */
export interface Hello {
  readonly magic: number;
  readonly versionMin: number;
  readonly versionMax: number;
  readonly capabilities: number;
  /** Longest message that the client takes. */
  readonly maxMessage: number;
  /** Bytes of counted messages that it takes ahead of its credit, or `UNLIMITED`. */
  readonly window: number;
  /** The process that the session stands for, with `Capability.onBehalf`; absent or 0: the client's own. */
  readonly onBehalfOf?: number;
}

/** What a server answers. */
export interface Welcome {
  readonly magic: number;
  readonly version: number;
  /** Those of the client's capabilities that will be used. */
  readonly capabilities: number;
  readonly serverPid: number;
  /** Place in BEHAVIOR_PROFILES; one that this version does not know is possible. */
  readonly profile: number;
  readonly limits: IpcLimits;
}

/** A REQUEST's head as read. Lengths are checked against the head only; the server holds them against its limits. */
export interface RequestHead {
  op: number;
  descriptor: number;
  flags: number;
  a: number;
  b: number;
  /** A copy, or `null`. */
  address: Uint8Array | null;
  dataLength: number;
  intoLength: number;
}

/** A COMPLETION's head as read. */
export interface CompletionHead {
  error: number;
  value: number;
  flags: number;
  address: Uint8Array | null;
  dataLength: number;
}

export function writeHello(into: Uint8Array, hello: Hello): number {
  putI32le(into, 0, hello.magic);
  putU16le(into, 4, hello.versionMin);
  putU16le(into, 6, hello.versionMax);
  putI32le(into, 8, hello.capabilities);
  putI32le(into, 12, hello.maxMessage);
  putI32le(into, 16, hello.window);
  if ((hello.capabilities & Capability.onBehalf) === 0) return HELLO_HEAD_LEN;
  putI32le(into, HELLO_HEAD_LEN, hello.onBehalfOf ?? 0);
  return HELLO_HEAD_LEN + 4;
}

export function readHello(bytes: Uint8Array, at: number, length: number): Hello {
  expect(length >= HELLO_HEAD_LEN, `HELLO head of ${length} bytes is too short`);
  const capabilities = i32le(bytes, at + 8);
  const hasOther = (capabilities & Capability.onBehalf) !== 0;
  expect(!hasOther || length >= HELLO_HEAD_LEN + 4, 'HELLO names no process that it stands for');
  return {
    onBehalfOf: hasOther ? i32le(bytes, at + HELLO_HEAD_LEN) : 0,
    magic: i32le(bytes, at),
    versionMin: u16le(bytes, at + 4),
    versionMax: u16le(bytes, at + 6),
    capabilities,
    maxMessage: i32le(bytes, at + 12) >>> 0,
    window: i32le(bytes, at + 16) >>> 0,
  };
}

export function writeWelcome(into: Uint8Array, welcome: Welcome): number {
  const { limits } = welcome;
  putI32le(into, 0, welcome.magic);
  putU16le(into, 4, welcome.version);
  putU16le(into, 6, welcome.profile);
  putI32le(into, 8, welcome.capabilities);
  putI32le(into, 12, welcome.serverPid);
  putI32le(into, 16, limits.maxMessage);
  putI32le(into, 20, limits.window);
  putI32le(into, 24, limits.maxTransfer);
  putI32le(into, 28, limits.maxPending);
  putI32le(into, 32, limits.maxSockets);
  putI32le(into, 36, limits.maxQueuedBytes);
  return WELCOME_HEAD_LEN;
}

export function readWelcome(bytes: Uint8Array, at: number, length: number): Welcome {
  expect(length >= WELCOME_HEAD_LEN, `WELCOME head of ${length} bytes is too short`);
  const field = (offset: number): number => i32le(bytes, at + offset) >>> 0;
  const limits: IpcLimits = {
    maxMessage: field(16),
    window: field(20),
    maxTransfer: field(24),
    maxPending: field(28),
    maxSockets: field(32),
    maxQueuedBytes: field(36),
  };
  expectFlow(limits.maxMessage, limits.window);
  expect(limits.maxTransfer > 0, 'WELCOME allows no transfer');
  return {
    magic: i32le(bytes, at),
    version: u16le(bytes, at + 4),
    capabilities: i32le(bytes, at + 8),
    serverPid: i32le(bytes, at + 12),
    profile: u16le(bytes, at + 6),
    limits,
  };
}

/** Both sides' bounds on a receiver's figures: a window takes at least the longest message. */
export function expectFlow(maxMessage: number, window: number): void {
  expect(maxMessage >= MIN_MAX_MESSAGE, `maxMessage ${maxMessage} is below ${MIN_MAX_MESSAGE}`);
  expect(window >= maxMessage, `window ${window} is smaller than maxMessage ${maxMessage}`);
}

export function writeGoodbye(into: Uint8Array, reason: GoodbyeReason): number {
  putI32le(into, 0, reason);
  return GOODBYE_HEAD_LEN;
}

/** @returns the reason; one that this version does not know is possible. */
export function readGoodbye(bytes: Uint8Array, at: number, length: number): number {
  expect(length === GOODBYE_HEAD_LEN, `GOODBYE head of ${length} bytes`);
  return i32le(bytes, at) >>> 0;
}

export function writeCredit(into: Uint8Array, granted: number): number {
  putI32le(into, 0, granted);
  return CREDIT_HEAD_LEN;
}

export function readCredit(bytes: Uint8Array, at: number, length: number): number {
  expect(length === CREDIT_HEAD_LEN, `CREDIT head of ${length} bytes`);
  return i32le(bytes, at) >>> 0;
}

/** @param what bits of `Watch` */
export function writeWatch(into: Uint8Array, what: number): number {
  putI32le(into, 0, what);
  return WATCH_HEAD_LEN;
}

/** @returns bits of `Watch`; others that this version does not know are possible. */
export function readWatch(bytes: Uint8Array, at: number, length: number): number {
  expect(length === WATCH_HEAD_LEN, `WATCH head of ${length} bytes`);
  return i32le(bytes, at) >>> 0;
}

/** `dataLength` and `intoLength` stand apart from the record because a piece of a larger transfer may be sent. */
export function writeRequest(
  into: Uint8Array,
  request: AfdRequest,
  dataLength: number,
  intoLength: number,
): number {
  const addressLength = request.address === null ? 0 : request.address.length;
  putU16le(into, 0, request.op);
  putU16le(into, 2, addressLength);
  putI32le(into, 4, request.descriptor);
  putI32le(into, 8, request.flags);
  putI32le(into, 12, request.a);
  putI32le(into, 16, request.b);
  putI32le(into, 20, dataLength);
  putI32le(into, 24, intoLength);
  if (request.address !== null) into.set(request.address, REQUEST_HEAD_LEN);
  return REQUEST_HEAD_LEN + addressLength;
}

export function readRequest(bytes: Uint8Array, at: number, length: number, out: RequestHead): void {
  expect(length >= REQUEST_HEAD_LEN, `REQUEST head of ${length} bytes is too short`);
  const addressLength = u16le(bytes, at + 2);
  out.op = u16le(bytes, at);
  out.descriptor = i32le(bytes, at + 4);
  out.flags = i32le(bytes, at + 8);
  out.a = i32le(bytes, at + 12);
  out.b = i32le(bytes, at + 16);
  out.dataLength = i32le(bytes, at + 20) >>> 0;
  out.intoLength = i32le(bytes, at + 24) >>> 0;
  out.address = readAddress(bytes, at + REQUEST_HEAD_LEN, length - REQUEST_HEAD_LEN, addressLength);
}

export function writeCompletion(into: Uint8Array, completion: AfdCompletion, dataLength: number): number {
  const addressLength = completion.address === null ? 0 : completion.address.length;
  putI32le(into, 0, completion.error);
  putI32le(into, 4, completion.value);
  putI32le(into, 8, completion.flags);
  putU16le(into, 12, addressLength);
  putU16le(into, 14, 0);
  putI32le(into, 16, dataLength);
  if (completion.address !== null) into.set(completion.address, COMPLETION_HEAD_LEN);
  return COMPLETION_HEAD_LEN + addressLength;
}

export function readCompletion(bytes: Uint8Array, at: number, length: number, out: CompletionHead): void {
  expect(length >= COMPLETION_HEAD_LEN, `COMPLETION head of ${length} bytes is too short`);
  const addressLength = u16le(bytes, at + 12);
  out.error = i32le(bytes, at);
  out.value = i32le(bytes, at + 4);
  out.flags = i32le(bytes, at + 8);
  out.dataLength = i32le(bytes, at + 16) >>> 0;
  out.address = readAddress(bytes, at + COMPLETION_HEAD_LEN, length - COMPLETION_HEAD_LEN, addressLength);
}

function readAddress(bytes: Uint8Array, at: number, room: number, length: number): Uint8Array | null {
  expect(length <= ADDRESS_LEN_MAX, `address of ${length} bytes exceeds ${ADDRESS_LEN_MAX}`);
  expect(length === room, `address of ${length} bytes in ${room} bytes of head`);
  // A plain array of its own: the head's bytes are borrowed.
  return length === 0 ? null : Uint8Array.prototype.slice.call(bytes, at, at + length);
}
