/** The validation hook across threads: what crosses is copied, as it is between two threads. */

import { expect, test } from '@jest/globals';
import {
  readSslHook,
  SO_SSL_GET_VALIDATE_CERT_HOOK,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_ERR_CERT_UNKNOWN,
  SSL_ERR_FAILED,
  SSL_ERR_OKAY,
  writeSslHook,
} from '../../../src/abi/index.ts';
import { Mailbox } from '../../../src/app/mailbox.ts';
import { type HookThread, hookRunner, withHooks } from '../../../src/app/ssl-hooks.ts';
import { functionAt, pointerOf, type Ref } from '../../../src/spi/index.ts';

type Hook = (
  type: number,
  argument: number,
  length: number,
  chain: readonly Uint8Array[],
  flags: number,
) => number;

type AuthHook = (
  type: number,
  argument: number,
  issuers: readonly Uint8Array[],
  length: Ref,
  chain: Ref<readonly Uint8Array[]>,
  flags: number,
) => number;

/** A thread that runs what a mailbox carries to it. */
function threadOf(): HookThread {
  const run = hookRunner();
  const box = Mailbox.create(1);
  return {
    async runSoon(message, take) {
      box.setCallback(message);
      const answer = run(box.callback(), (bytes) => box.setReply(bytes));
      take?.(box.reply());
      return answer;
    },
  };
}

function bytesOf(hook: Hook | AuthHook, pvArg = 0): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSslHook(bytes, { HookFunc: pointerOf(hook), pvArg });
  return bytes;
}

/** Sets a hook as an application does. @returns the function that the provider gets */
function provided(hook: Hook, thread = threadOf(), code = SO_SSL_SET_VALIDATE_CERT_HOOK) {
  let pointer = 0;
  const ioctl = withHooks(thread, (...args) => {
    pointer = readSslHook(args[2] as Uint8Array)?.HookFunc ?? 0;
    return 0;
  });
  const bytes = bytesOf(hook);
  expect(ioctl(1, code, bytes, 8, null, 0, { value: 0 }, null, null)).toBe(0);
  expect(bytes).toEqual(bytesOf(hook)); // the application's own bytes stay
  return { pointer, call: functionAt(pointer) as ((...args: Parameters<Hook>) => Promise<number>) | null };
}

test('SSL-VALIDATE_CERT_HOOK a chain of any length crosses whole; the answer comes back', async () => {
  const calls: unknown[][] = [];
  const { call, pointer } = provided((...args) => {
    calls.push(args);
    return SSL_ERR_CERT_UNKNOWN;
  });
  expect(pointer).not.toBe(0);
  const chain = [1500, 1, 0, 199, 4000].map((length, i) => new Uint8Array(length).fill(i + 1));
  expect(await call?.(1, 77, chain.length, chain, 1)).toBe(SSL_ERR_CERT_UNKNOWN);
  expect(await call?.(1, 78, 0, [], 0)).toBe(SSL_ERR_CERT_UNKNOWN);
  expect(calls).toEqual([
    [1, 77, 5, chain, 1],
    [1, 78, 0, [], 0],
  ]);
});

test('SSL-VALIDATE_CERT_HOOK two handshakes at once keep their certificates apart', async () => {
  const seen: number[][] = [];
  const { call } = provided((_type, argument, _length, chain) => {
    seen.push([argument, ...new Set(chain[0])]);
    return SSL_ERR_OKAY;
  });
  const one = call?.(1, 1, 1, [new Uint8Array(3000).fill(1)], 0);
  const two = call?.(1, 2, 1, [new Uint8Array(2000).fill(2)], 0);
  expect(await Promise.all([one, two])).toEqual([SSL_ERR_OKAY, SSL_ERR_OKAY]);
  expect(seen.sort()).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test('SSL-VALIDATE_CERT_HOOK more certificates than are kept, a promise, or a pointer to nothing are refusals', async () => {
  const { call } = provided(() => SSL_ERR_OKAY);
  expect(await call?.(1, 0, 1, [new Uint8Array(0x1_0001)], 0)).toBe(SSL_ERR_FAILED);
  const late = provided((async () => SSL_ERR_OKAY) as never);
  expect(await late.call?.(1, 0, 0, [], 0)).toBe(SSL_ERR_FAILED);
});

test('SSL-VALIDATE_CERT_HOOK is got as the application has set it, from its own pointer', () => {
  const thread = threadOf();
  const hook: Hook = () => SSL_ERR_OKAY;
  const { pointer } = provided(hook, thread);
  expect(provided(hook, thread).pointer).toBe(pointer);
  const output = new Uint8Array(8);
  const ioctl = withHooks(thread, () => {
    writeSslHook(output, { HookFunc: pointer, pvArg: 5 });
    return 8;
  });
  expect(ioctl(1, SO_SSL_GET_VALIDATE_CERT_HOOK, null, 0, output, 8, { value: 0 }, null, null)).toBe(8);
  expect(readSslHook(output)).toEqual({ HookFunc: pointerOf(hook), pvArg: 5 });
});

/** The same for the hook that hands in certificates. */
function handedIn(hook: AuthHook, thread = threadOf()) {
  let pointer = 0;
  const ioctl = withHooks(thread, (...args) => {
    pointer = readSslHook(args[2] as Uint8Array)?.HookFunc ?? 0;
    return 0;
  });
  expect(ioctl(1, SO_SSL_SET_AUTH_REQUEST_HOOK, bytesOf(hook), 8, null, 0, { value: 0 }, null, null)).toBe(0);
  const call = functionAt(pointer) as unknown as (...args: Parameters<AuthHook>) => Promise<number>;
  return async (pvArg: number): Promise<unknown[]> => {
    const length: Ref = { value: 0 };
    const chain: Ref<readonly Uint8Array[]> = { value: [] };
    return [await call(1, pvArg, [], length, chain, 0), length.value, chain.value];
  };
}

test('SSL-AUTH_REQUEST_HOOK certificates and a key of any length come back whole', async () => {
  const seen: number[] = [];
  const blobs = [1500, 1, 399, 4000].map((length, i) => new Uint8Array(length).fill(i + 1));
  const ask = handedIn((type, argument, _issuers, length, chain) => {
    seen.push(type, argument);
    chain.value = [...blobs, new Uint8Array(9)];
    length.value = blobs.length;
    return SSL_ERR_OKAY;
  });
  expect(await ask(77)).toEqual([SSL_ERR_OKAY, 4, blobs]);
  expect(await Promise.all([ask(1), ask(2)])).toEqual([
    [SSL_ERR_OKAY, 4, blobs],
    [SSL_ERR_OKAY, 4, blobs],
  ]);
  expect(seen).toEqual([1, 77, 1, 1, 1, 2]);
});

test('SSL-AUTH_REQUEST_HOOK a refusal, a promise, too much, and what are no bytes are failures', async () => {
  const nothing = [SSL_ERR_FAILED, 0, []];
  expect(await handedIn(() => SSL_ERR_CERT_UNKNOWN)(0)).toEqual(nothing);
  expect(await handedIn((async () => SSL_ERR_OKAY) as never)(0)).toEqual(nothing);
  const handing = (value: unknown, count: number): Promise<unknown[]> =>
    handedIn((_type, _argument, _issuers, length, chain) => {
      chain.value = value as never;
      length.value = count;
      return SSL_ERR_OKAY;
    })(0);
  expect(await handing([new Uint8Array(0x1_0000)], 1)).toEqual(nothing);
  expect(await handing(['text', 5], 2)).toEqual(nothing);
  expect(await handing('text', 2)).toEqual([SSL_ERR_OKAY, 0, []]);
  expect(await handing([new Uint8Array(3)], -5)).toEqual([SSL_ERR_OKAY, 0, []]);
});
