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
import type { CallbackMessage } from '../../../src/app/callbacks.ts';
import { Mailbox } from '../../../src/app/mailbox.ts';
import { hookRunner, withHooks } from '../../../src/app/ssl-hooks.ts';
import { functionAt, pointerOf } from '../../../src/spi/index.ts';

type Hook = (
  type: number,
  argument: number,
  length: number,
  chain: readonly Uint8Array[],
  flags: number,
) => number;

/** A thread that runs what a mailbox carries to it. */
function threadOf(): { runSoon(message: CallbackMessage): Promise<number> } {
  const run = hookRunner();
  const box = Mailbox.create(1);
  return {
    async runSoon(message) {
      box.setCallback(message);
      return run(box.callback());
    },
  };
}

function bytesOf(hook: Hook, pvArg = 0): Uint8Array {
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

test('SSL-AUTH_REQUEST_HOOK cannot cross: the provider gets a pointer to nothing', () => {
  const { call } = provided(() => SSL_ERR_OKAY, threadOf(), SO_SSL_SET_AUTH_REQUEST_HOOK);
  expect(call).toBeNull();
});
