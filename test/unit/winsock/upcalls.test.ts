import { expect, test } from '@jest/globals';
import type { WSATHREADID } from '../../../src/spi/index.ts';
import { HandleTable } from '../../../src/winsock/handles.ts';
import { type UpcallHost, upcallTable } from '../../../src/winsock/upcall-table.ts';

const host = { handles: new HandleTable(), thread: { ThreadHandle: 3 } } as unknown as UpcallHost;
const table = upcallTable(host, () => false);

test('STR-WSPUPCALLTABLE has its 15 entries', () => {
  expect(Object.keys(table).sort()).toEqual(
    [
      'WPUCloseEvent',
      'WPUCloseSocketHandle',
      'WPUCreateEvent',
      'WPUCreateSocketHandle',
      'WPUFDIsSet',
      'WPUGetProviderPath',
      'WPUModifyIFSHandle',
      'WPUPostMessage',
      'WPUQueryBlockingCallback',
      'WPUQuerySocketHandleContext',
      'WPUQueueApc',
      'WPUResetEvent',
      'WPUSetEvent',
      'WPUOpenCurrentThread',
      'WPUCloseThread',
    ].sort(),
  );
});

test('STR-WSATHREADID names the thread that asks', () => {
  const thread: WSATHREADID = { ThreadHandle: 0 };
  expect(table.WPUOpenCurrentThread(thread)).toBe(0);
  expect(thread.ThreadHandle).toBeGreaterThan(0);
  expect(table.WPUCloseThread(thread)).toBe(0);
});
