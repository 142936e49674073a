import { expect, test } from '@jest/globals';
import { createLocalHost } from '../../../src/app/local.ts';
import type { Ref, WPUBlockingCallback } from '../../../src/spi/index.ts';
import { MAKEWORD, MessageQueue, WinsockProcess, winsockOf } from '../../../src/winsock/index.ts';
import { upcallTable } from '../../../src/winsock/upcall-table.ts';
import { wsadata } from '../../conformance/support.ts';

test('SPI-WPUQueryBlockingCallback tells a provider of the hook of the thread whose 1.1 call waits', async () => {
  const host = createLocalHost();
  const process = new WinsockProcess({ port: host.openSession() });
  const ws = winsockOf(process);
  const upcalls = upcallTable(process, () => false);
  const callback: Ref<WPUBlockingCallback | null> = { value: null };
  const context: Ref = { value: 7 };
  const ask = (): WPUBlockingCallback | null => {
    expect(upcalls.WPUQueryBlockingCallback(1001, callback, context)).toBe(0);
    return callback.value;
  };
  expect([ask(), context.value]).toEqual([null, 0]);

  await ws.WSAStartup(MAKEWORD(1, 1), wsadata());
  const s = await ws.socket(2, 2, 17);
  await ws.bind(s, new Uint8Array([2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
  let answers: boolean[] = [];
  await ws.WSASetBlockingHook(() => answers.shift() ?? false);
  expect(ask()).toBeNull();

  const receiving = ws.recv(s, new Uint8Array(1));
  const hooked = ask();
  expect(hooked).toBeInstanceOf(Function);
  answers = [true, true, false];
  expect(await hooked?.(0)).toBe(true);
  expect(answers).toEqual([]);

  // A thread of its own has its own hook and its own call.
  const main = process.thread;
  process.thread = process.threads.open(new MessageQueue());
  expect(ask()).toBeNull();
  process.thread = main;

  await ws.WSACancelBlockingCall();
  expect(await hooked?.(0)).toBe(false);
  expect(await receiving).toBe(-10004);
  await ws.WSASetBlockingHook(() => false);
  await ws.WSAUnhookBlockingHook();
  const again = ws.recv(s, new Uint8Array(1));
  expect(ask()).toBeNull();
  await ws.WSACancelBlockingCall();
  await again;
  await ws.WSACleanup();
  host.close();
});
