/**
 * The validation hook of secure sockets across threads: the provider calls it in the chain thread, the application's function runs in the
 * thread that has set it.
 *
 * A pointer means something in its own thread only. What an application sets is therefore replaced by the pointer of a function here,
 * and put back when it asks. The certificates go over in pieces, as a callback carries few bytes; a thread that sleeps in no call is asked
 * in its next one. The hook that hands in certificates cannot cross: a server's come from the configuration.
 */

import {
  readSslHook,
  SO_SSL_GET_AUTH_REQUEST_HOOK,
  SO_SSL_GET_VALIDATE_CERT_HOOK,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_ERR_FAILED,
  writeSslHook,
} from '../abi/index.ts';
import { EMPTY, i32le, putI32le } from '../base/index.ts';
import { type Answer, functionAt, pointerOf } from '../spi/index.ts';
import { Callback, type CallbackMessage } from './callbacks.ts';

/** A thread of the application that can be asked to run a function. */
export interface HookThread {
  runSoon(message: CallbackMessage): Promise<number>;
}

type AnyCall = (...args: readonly unknown[]) => Answer;
type Judge = (
  dwType: number,
  pvArg: number,
  dwChainLen: number,
  chain: readonly Uint8Array[],
  flags: number,
) => Answer;

/** Bytes of certificates that one callback carries: two ranges. */
const RANGE = 200;
/** No function has it. */
const NOWHERE = 0xffff_fff0;
/** Bytes of certificates that a thread keeps of a handshake, and handshakes at a time. */
const MOST_BYTES = 0x1_0000;
const MOST_HANDSHAKES = 64;
const LENGTH_LEN = 4;

/** Pointers here by what they stand for in the application's thread, and back. */
const here = new WeakMap<HookThread, Map<number, number>>();
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
      if (number === SO_SSL_SET_VALIDATE_CERT_HOOK)
        adapted[2] = written(hook.pvArg, pointerFor(thread, hook.HookFunc));
      if (number === SO_SSL_SET_AUTH_REQUEST_HOOK) adapted[2] = written(hook.pvArg, NOWHERE);
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
export function hookRunner(): (message: CallbackMessage) => number {
  const gathered = new Map<number, Uint8Array>();
  return ({ kind, numbers, first, second }) => {
    const [handshake = 0, pointer = 0, dwType = 0, pvArg = 0, flags = 0] = numbers;
    const before = gathered.get(handshake) ?? EMPTY;
    if (kind === Callback.sslCertificates) {
      if (before.length + first.length + second.length > MOST_BYTES) return SSL_ERR_FAILED;
      if (before.length === 0 && gathered.size >= MOST_HANDSHAKES) return SSL_ERR_FAILED;
      gathered.set(handshake, joined([before, first, second]));
      return 0;
    }
    gathered.delete(handshake);
    const judge = functionAt(pointer) as Judge | null;
    const chain = split(before);
    const answer = judge?.(dwType, pvArg, chain.length, chain, flags);
    return typeof answer === 'number' ? answer : SSL_ERR_FAILED;
  };
}

function pointerFor(thread: HookThread, pointer: number): number {
  const known = here.get(thread) ?? new Map<number, number>();
  here.set(thread, known);
  const made = known.get(pointer) ?? pointerOf(judgeFor(thread, pointer));
  known.set(pointer, made);
  there.set(made, pointer);
  return made;
}

/** The function that the provider calls. */
function judgeFor(thread: HookThread, pointer: number): Judge {
  return async (dwType, pvArg, _length, chain, flags) => {
    const handshake = ++lastHandshake;
    const bytes = joined(chain.flatMap((der) => [lengthOf(der), der]));
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
    const numbers = [handshake, pointer, dwType, pvArg, flags];
    return thread.runSoon({ kind: Callback.sslValidate, numbers, first: EMPTY, second: EMPTY });
  };
}

function written(pvArg: number, HookFunc: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSslHook(bytes, { HookFunc, pvArg });
  return bytes;
}

function lengthOf(der: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_LEN);
  putI32le(bytes, 0, der.length);
  return bytes;
}

/** Certificates with their lengths before them. */
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
