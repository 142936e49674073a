/**
 * How a call of Winsock becomes a function that blocks: made by the chain thread while this one sleeps, with the thread's last error.
 */

import { isPlace } from '../base/index.ts';
import type { BehaviorProfile } from '../port/index.ts';
import type { Ref } from '../spi/index.ts';
import type { Winsock, WinsockCall } from '../winsock/index.ts';
import { argumentKinds } from './argument-kinds.ts';
import { AlreadyAttachedError } from './attach.ts';
import { ChainClient } from './chain-client.ts';
import { isChainStarted } from './chain-control.ts';
import { admitted, numberKind } from './kinds.ts';
import type { StructureCalls } from './promised.ts';
import { SIGNATURES } from './signatures.ts';

/** A call that blocks and returns what C returns. */
export type BlockingCall<K extends WinsockCall> = (...args: Parameters<Winsock[K]>) => number;

/** Where the sockets of this process live: in the daemon, or where a module of the application's own says. */
export interface BlockingAttachOptions {
  /** The daemon's Unix socket. */
  readonly socketPath?: string;
  /** URL of a module that the chain thread loads; its `sockets()` answers a stack's `createAfd`, perhaps later. */
  readonly module?: string | URL;
  /** Whose behaviour is shown where versions of Windows differ; absent: what the daemon says, or Windows 10/11. */
  readonly profile?: BehaviorProfile;
}

let options: BlockingAttachOptions = {};
let client: ChainClient | null = null;
/** The thread's last error: each thread has a module of its own. */
let lastError = 0;

/**
 * Says where the sockets of this process live; before the first call. Without it they live in the daemon.
 * @throws {AlreadyAttachedError} once a call was made
 */
export function attachTo(choice: BlockingAttachOptions): void {
  if (isChainStarted()) throw new AlreadyAttachedError('what the first call chose');
  options = choice;
}

/** Why the last failed call of this thread failed: a WSA code, 0 after one that succeeded. */
export function WSAGetLastError(): number {
  return lastError;
}

/** Sets what {@link WSAGetLastError} returns. */
export function WSASetLastError(iError: number): void {
  lastError = Number(numberKind(iError)) | 0;
}

/** The thread's way to the chain thread. */
export function chainClient(): ChainClient {
  client ??= new ChainClient({
    socketPath: options.socketPath,
    module: options.module === undefined ? undefined : String(options.module),
    profile: options.profile,
  });
  return client;
}

/** Where a call stands in the table of signatures. */
export function callIndex(name: WinsockCall): number {
  return SIGNATURES.findIndex((signature) => signature.name === name);
}

/** Makes a call by its place in the table. @returns its answer: 0 or more, or minus a WSA code */
export function call(index: number, args: readonly unknown[]): number {
  return chainClient().call(index, args);
}

/** The same, and keeps the last error. */
export function callAndKeepError(index: number, args: readonly unknown[]): number {
  const answer = call(index, args);
  lastError = answer < 0 ? -answer : 0;
  return answer;
}

/** A call whose arguments are looked at before anything is made of them. @param failure what C returns for one that can't be read */
export function admitting<K extends WinsockCall>(
  name: K,
  failure: number,
  make: BlockingCall<K>,
): BlockingCall<K> {
  const [index, kinds] = [callIndex(name), argumentKinds(name)];
  return (...given) => {
    const args = admitted(kinds, given);
    if (args !== null) return make(...(args as Parameters<Winsock[K]>));
    lastError = -chainClient().unreadable(index, given[0]);
    return failure;
  };
}

/** Makes the blocking form of a call. */
export function blocking<K extends WinsockCall>(name: K): BlockingCall<K> {
  const index = callIndex(name);
  const failure = SIGNATURES[index]?.failure ?? -1;
  return (...args) => {
    const answer = callAndKeepError(index, args);
    return answer < 0 ? failure : answer;
  };
}

/** The same of a call whose result is the error itself (SEM-GAI-10). */
export function reporting<K extends WinsockCall>(name: K): BlockingCall<K> {
  const index = callIndex(name);
  return (...args) => {
    const answer = callAndKeepError(index, args);
    return answer < 0 ? -answer : answer;
  };
}

/** The same of a call that is told the room for its result in the argument at `place`: no more than `room` is true here. */
export function bounded<K extends WinsockCall>(name: K, place: number, room: number): BlockingCall<K> {
  const plain = blocking(name);
  return (...args) => {
    const length: unknown = args[place];
    if (isTooLong(length, room)) length.value = room;
    return plain(...args);
  };
}

/** What is no length stays what it is: the call refuses it. */
function isTooLong(length: unknown, room: number): length is Ref {
  return isPlace(length) && typeof length.value === 'number' && length.value > room;
}

/** The same of a call that answers a structure: always `own`, filled anew, or `null`. */
export function structured<K extends keyof StructureCalls, T extends object>(
  name: K,
  own: T,
): (...args: Parameters<StructureCalls[K]>) => T | null {
  const index = callIndex(name);
  const count = (SIGNATURES[index]?.slots.length ?? 1) - 1;
  return (...args) => {
    const result: Ref<T | null> = { value: null };
    const given = Array.from({ length: count }, (_, i) => args[i] ?? null);
    const answer = callAndKeepError(index, [...given, result]);
    return answer < 0 || result.value === null ? null : Object.assign(own, result.value);
  };
}
