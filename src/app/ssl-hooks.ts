/**
 * The hooks of secure sockets across threads: the provider calls them in the chain thread, the application's functions run in the thread
 * that has set them.
 *
 * A pointer means something in its own thread only. What an application sets is therefore replaced by the pointer of a function here,
 * and put back when it asks. Certificates go over in pieces, as a callback carries few bytes; a thread that sleeps in no call is asked in
 * its next one.
 */

import {
  readSslHook,
  SO_SSL_GET_AUTH_REQUEST_HOOK,
  SO_SSL_GET_VALIDATE_CERT_HOOK,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_ERR_FAILED,
  SSL_ERR_OKAY,
  writeSslHook,
} from '../abi/index.ts';
import { EMPTY, i32le, putI32le } from '../base/index.ts';
import { type Answer, functionAt, pointerOf, type Ref } from '../spi/index.ts';
import { Callback, type CallbackMessage, UNDECIDED } from './callbacks.ts';

/** A thread of the application that can be asked to run a function. */
export interface HookThread {
  runSoon(message: CallbackMessage, take?: (reply: Uint8Array) => void): Promise<number>;
}

type AnyCall = (...args: readonly unknown[]) => Answer;
type Judge = (
  dwType: number,
  pvArg: number,
  dwChainLen: number,
  chain: readonly Uint8Array[],
  flags: number,
) => Answer;
type AskIdentity = (
  dwType: number,
  pvArg: number,
  issuers: readonly Uint8Array[],
  pdwChainLen: Ref,
  ppCertChain: Ref<readonly Uint8Array[]>,
  flags: number,
) => Answer;

/** The callbacks that {@link hookRunner} serves. */
export const SSL_CALLBACKS = [
  Callback.sslCertificates,
  Callback.sslValidate,
  Callback.sslIdentity,
  Callback.sslIdentityPart,
] as const;

/** Bytes of certificates that one callback carries: two ranges. */
const RANGE = 200;
/** Bytes of certificates that a thread keeps of a handshake, and handshakes at a time. */
const MOST_BYTES = 0x1_0000;
const MOST_HANDSHAKES = 64;
/** More certificates than a chain has, and a key. */
const MOST_BLOBS = 17;
const LENGTH_LEN = 4;

/** Functions here that stand for one in an application's thread. */
interface Stands {
  readonly judges: Map<number, number>;
  readonly identities: Map<number, number>;
}

/** Pointers here by what they stand for in the application's thread, and back. */
const here = new WeakMap<HookThread, Stands>();
const there = new Map<number, number>();
let lastHandshake = 0;

/** WSAIoctl as a thread of the application calls it: pointers to hooks are made to be this thread's. */
export function withHooks(thread: HookThread, call: AnyCall): AnyCall {
  return (...args) => {
    const [, code, input, , output] = args as [number, number, Uint8Array | null, number, Uint8Array | null];
    const adapted = [...args];
    const number = code >>> 0;
    const hook = input === null ? null : readSslHook(input);
    if (hook !== null && hook.HookFunc !== 0) {
      const stands = here.get(thread) ?? { judges: new Map(), identities: new Map() };
      here.set(thread, stands);
      const { HookFunc, pvArg } = hook;
      if (number === SO_SSL_SET_VALIDATE_CERT_HOOK) {
        adapted[2] = written(
          pvArg,
          standFor(stands.judges, HookFunc, () => judgeFor(thread, HookFunc)),
        );
      }
      if (number === SO_SSL_SET_AUTH_REQUEST_HOOK) {
        adapted[2] = written(
          pvArg,
          standFor(stands.identities, HookFunc, () => identityFor(thread, HookFunc)),
        );
      }
    }
    const answer = call(...adapted);
    if (number !== SO_SSL_GET_VALIDATE_CERT_HOOK && number !== SO_SSL_GET_AUTH_REQUEST_HOOK) return answer;
    const finish = (late: number): number => {
      const got = late < 0 || output === null ? null : readSslHook(output);
      if (got !== null && output !== null) putI32le(output, 0, there.get(got.HookFunc) ?? got.HookFunc);
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };
}

/** The application's side: gathers certificates, and runs the hook that they are for. @returns what the hook answered */
export function hookRunner(): (message: CallbackMessage, reply: (bytes: Uint8Array) => void) => number {
  const gathered = new Map<number, Uint8Array>();
  const keep = (handshake: number, bytes: Uint8Array): boolean => {
    const isNew = !gathered.has(handshake);
    if (bytes.length > MOST_BYTES || (isNew && gathered.size >= MOST_HANDSHAKES)) return false;
    gathered.set(handshake, bytes);
    return true;
  };
  return ({ kind, numbers, first, second }, reply) => {
    const [handshake = 0, pointer = 0, dwType = 0, pvArg = 0, flags = 0] = numbers;
    const before = gathered.get(handshake) ?? EMPTY;
    switch (kind) {
      case Callback.sslCertificates:
        return keep(handshake, joined([before, first, second])) ? 0 : SSL_ERR_FAILED;
      case Callback.sslValidate: {
        gathered.delete(handshake);
        const judge = functionAt(pointer) as Judge | null;
        const chain = split(before);
        const answer = judge?.(dwType, pvArg, chain.length, chain, flags);
        return typeof answer === 'number' ? answer : SSL_ERR_FAILED;
      }
      case Callback.sslIdentity: {
        const bytes = identityFrom(functionAt(pointer) as AskIdentity | null, dwType, pvArg, flags);
        return bytes !== null && keep(handshake, bytes) ? bytes.length : UNDECIDED;
      }
      default: {
        // Where from stands in the place of the pointer.
        const part = before.subarray(pointer, pointer + 2 * RANGE);
        if (pointer + part.length >= before.length) gathered.delete(handshake);
        reply(part);
        return part.length;
      }
    }
  };
}

/** Has a hook hand in certificates and key. @returns them with their lengths; `null` when it refuses */
function identityFrom(
  ask: AskIdentity | null,
  dwType: number,
  pvArg: number,
  flags: number,
): Uint8Array | null {
  const length: Ref = { value: 0 };
  const chain: Ref<readonly Uint8Array[]> = { value: [] };
  if (ask?.(dwType, pvArg, [], length, chain, flags) !== SSL_ERR_OKAY) return null;
  const blobs: readonly unknown[] = Array.isArray(chain.value) ? chain.value : [];
  const handed = blobs.slice(0, Math.max(0, Math.min(length.value, MOST_BLOBS)));
  return handed.every((blob) => blob instanceof Uint8Array) ? packed(handed as readonly Uint8Array[]) : null;
}

function standFor(known: Map<number, number>, pointer: number, make: () => AnyFunction): number {
  const made = known.get(pointer) ?? pointerOf(make());
  known.set(pointer, made);
  there.set(made, pointer);
  return made;
}

type AnyFunction = (...args: never[]) => unknown;

/** The validation hook that the provider calls. */
function judgeFor(thread: HookThread, pointer: number): Judge {
  return async (dwType, pvArg, _length, chain, flags) => {
    const handshake = ++lastHandshake;
    const bytes = packed(chain);
    for (let at = 0; at < bytes.length; at += 2 * RANGE) {
      const first = bytes.subarray(at, at + RANGE);
      const second = bytes.subarray(at + RANGE, at + 2 * RANGE);
      const kept = await thread.runSoon({
        kind: Callback.sslCertificates,
        numbers: [handshake],
        first,
        second,
      });
      if (kept !== 0) return SSL_ERR_FAILED;
    }
    return thread.runSoon(bare(Callback.sslValidate, [handshake, pointer, dwType, pvArg, flags]));
  };
}

/** The hook that hands in certificates, as the provider calls it. */
function identityFor(thread: HookThread, pointer: number): AskIdentity {
  return async (dwType, pvArg, _issuers, pdwChainLen, ppCertChain, flags) => {
    const handshake = ++lastHandshake;
    const length = await thread.runSoon(
      bare(Callback.sslIdentity, [handshake, pointer, dwType, pvArg, flags]),
    );
    if (!(length >= 0 && length <= MOST_BYTES)) return SSL_ERR_FAILED;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < length; ) {
      const message = bare(Callback.sslIdentityPart, [handshake, at]);
      const count = await thread.runSoon(message, (part) => parts.push(part));
      if (!(count > 0)) return SSL_ERR_FAILED;
      at += count;
    }
    const blobs = split(joined(parts));
    ppCertChain.value = blobs;
    pdwChainLen.value = blobs.length;
    return SSL_ERR_OKAY;
  };
}

function bare(kind: number, numbers: readonly number[]): CallbackMessage {
  return { kind, numbers, first: EMPTY, second: EMPTY };
}

function written(pvArg: number, HookFunc: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSslHook(bytes, { HookFunc, pvArg });
  return bytes;
}

/** Blobs with their lengths before them. */
function packed(blobs: readonly Uint8Array[]): Uint8Array {
  return joined(
    blobs.flatMap((der) => {
      const length = new Uint8Array(LENGTH_LEN);
      putI32le(length, 0, der.length);
      return [length, der];
    }),
  );
}

/** The same, taken apart. */
function split(bytes: Uint8Array): Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let at = 0; at + LENGTH_LEN <= bytes.length; ) {
    const length = i32le(bytes, at);
    at += LENGTH_LEN;
    if (length < 0 || at + length > bytes.length) return chain;
    chain.push(bytes.slice(at, at + length));
    at += length;
  }
  return chain;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
