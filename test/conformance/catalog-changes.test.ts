/** WSAProviderConfigChange, and the configuration of name spaces. */

import { expect, test } from '@jest/globals';
import {
  NS_DNS,
  STATUS_PENDING,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  type WSANAMESPACE_INFO,
  type WSANAMESPACE_INFOEX,
  WSANOTINITIALISED,
} from '../../src/abi/index.ts';
import type { WSAOVERLAPPED } from '../../src/spi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ok, overEveryAttachment, type Pair, wsadata } from './support.ts';

const guid = (n: number): string => `0000000${n}-5555-6666-7777-888888888888`;
const WHO = { uid: 0, pid: 0, program: 'test' };

const record = (hEvent = 0): WSAOVERLAPPED => ({
  Internal: 0,
  InternalHigh: 0,
  Offset: 0,
  OffsetHigh: 0,
  hEvent,
});

const spaces = async (ws: Winsock): Promise<WSANAMESPACE_INFO[]> => {
  const list: WSANAMESPACE_INFO[] = [];
  await ok(ws.WSCEnumNameSpaceProviders({ value: 1e5 }, list));
  return list;
};

overEveryAttachment('changes of the catalog', (open) => {
  async function fresh(): Promise<Pair> {
    const pair = await open();
    pair.attachment.hosts.a.catalog.apply({ kind: 'reset', what: 'all' }, WHO);
    return pair;
  }
  const change = (ws: Winsock): Promise<number> =>
    ok(ws.WSCEnableNSProvider('22059D40-7E9E-11CF-AE5A-00AA00A7112B', false));

  test('API-WSAProviderConfigChange, CFG-FAIL-11 registers at once, then waits for the next change, whoever makes it', async () => {
    const { a, processOn } = await fresh();
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    expect(handle.value).not.toBe(0);
    let isDone = false;
    const waiting = Promise.resolve(a.WSAProviderConfigChange(handle)).then((answer) => {
      isDone = true;
      return answer;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    await change(await processOn('a'));
    expect(await waiting).toBe(0);
  });

  test('API-WSAProviderConfigChange without a catalog that could change it is WSAEOPNOTSUPP', async () => {
    const { processOn } = await fresh();
    const ws = await processOn('a', 0, undefined, { catalogPort: undefined });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await ws.WSAProviderConfigChange({ value: 0 })).toBe(-WSAEOPNOTSUPP);
  });

  test('API-WSAProviderConfigChange what happens between two calls is not lost', async () => {
    const { a } = await fresh();
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    await change(a);
    expect(await a.WSAProviderConfigChange(handle)).toBe(0);
  });

  test('API-WSAProviderConfigChange overlapped: the event of the record', async () => {
    const { a } = await fresh();
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    const hEvent = await ok(a.WSACreateEvent());
    const overlapped = record(hEvent);
    expect(await a.WSAProviderConfigChange(handle, overlapped)).toBe(-WSA_IO_PENDING);
    expect(overlapped.Internal).toBe(STATUS_PENDING);
    await change(a);
    expect(await a.WSAWaitForMultipleEvents(1, [hEvent], true, 10_000, false)).toBe(0);
    expect(overlapped.Internal).toBe(0);
  });

  test('API-WSAProviderConfigChange overlapped: a completion routine', async () => {
    const { a } = await fresh();
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    const overlapped = record();
    const told: unknown[] = [];
    const routine = (error: number, bytes: number, which: WSAOVERLAPPED): void => {
      told.push(error, bytes, which);
    };
    expect(await a.WSAProviderConfigChange(handle, overlapped, routine)).toBe(-WSA_IO_PENDING);
    await change(a);
    while (told.length === 0) await a.SleepEx(10, true);
    expect(told).toEqual([0, 0, overlapped]);
  });

  test('API-WSAProviderConfigChange refuses what is no handle, and ends with the last WSACleanup', async () => {
    const { a } = await fresh();
    expect(await a.WSAProviderConfigChange(null)).toBe(-WSAEFAULT);
    expect(await a.WSAProviderConfigChange({ value: 12 })).toBe(-WSA_INVALID_HANDLE);
    const event = await ok(a.WSACreateEvent());
    expect(await a.WSAProviderConfigChange({ value: event })).toBe(-WSA_INVALID_HANDLE);
    const handle = { value: 0 };
    await ok(a.WSAProviderConfigChange(handle));
    expect(await a.WSAProviderConfigChange(handle, record(4444))).toBe(-WSA_INVALID_HANDLE);
    const waiting = a.WSAProviderConfigChange(handle);
    await ok(a.WSACleanup());
    expect(await waiting).toBe(-WSAEINTR);
    expect(await a.WSAProviderConfigChange(handle)).toBe(-WSANOTINITIALISED);
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await a.WSAProviderConfigChange(handle)).toBe(-WSA_INVALID_HANDLE);
    const closed = { value: 0 };
    await ok(a.WSAProviderConfigChange(closed));
    await ok(a.WSACloseEvent(closed.value));
    expect(await a.WSAProviderConfigChange(closed)).toBe(-WSA_INVALID_HANDLE);
  });

  test('CFG-WSCInstallNameSpace, CFG-WSCInstallNameSpaceEx, CFG-WSCEnumNameSpaceProviders at the end, active', async () => {
    const { a } = await fresh();
    for (const [n, install] of [a.WSCInstallNameSpace, a.WSCInstallNameSpace32].entries()) {
      await ok(install(`n${n}`, '/n.mjs', NS_DNS, 1, guid(n)));
      expect((await spaces(a)).at(-1)).toMatchObject({
        lpszIdentifier: `n${n}`,
        fActive: true,
        dwVersion: 1,
      });
      expect(await install(`n${n}`, '/n.mjs', NS_DNS, 1, guid(n))).toBe(-WSAEINVAL);
      expect(await install(null, '/n.mjs', NS_DNS, 1, guid(9))).toBe(-WSAEFAULT);
      expect(await install('n', '/n.mjs', NS_DNS, 1, 'x')).toBe(-WSAEINVAL);
    }
    for (const [n, install] of [a.WSCInstallNameSpaceEx, a.WSCInstallNameSpaceEx32].entries()) {
      await ok(install('ex', '/n.mjs', NS_DNS, 2, guid(n + 2), Uint8Array.of(1, 2)));
    }
    for (const list of [a.WSCEnumNameSpaceProvidersEx, a.WSCEnumNameSpaceProvidersEx32]) {
      const found: WSANAMESPACE_INFOEX[] = [];
      expect(await list({ value: 4 }, found)).toBe(-WSAEFAULT);
      await ok(list({ value: 1e5 }, found));
      expect(found.at(-1)?.ProviderSpecific).toEqual(Uint8Array.of(1, 2));
    }
    const plain: WSANAMESPACE_INFO[] = [];
    await ok(a.WSCEnumNameSpaceProviders32({ value: 1e5 }, plain));
    expect(plain).toEqual(await spaces(a));
  });

  test('CFG-WSCUnInstallNameSpace, CFG-WSCEnableNSProvider, CFG-WSCWriteNameSpaceOrder', async () => {
    const { a } = await fresh();
    await ok(a.WSCInstallNameSpace('n', '/n.mjs', NS_DNS, 1, guid(1)));
    for (const enable of [a.WSCEnableNSProvider, a.WSCEnableNSProvider32]) {
      await ok(enable(guid(1), false));
      expect((await spaces(a)).at(-1)?.fActive).toBe(false);
      await ok(enable(guid(1), true));
      expect(await enable(guid(2), true)).toBe(-WSAEINVAL);
      expect(await enable(null, true)).toBe(-WSAEFAULT);
    }
    const ids = (await spaces(a)).map(({ NSProviderId }) => NSProviderId);
    for (const order of [a.WSCWriteNameSpaceOrder, a.WSCWriteNameSpaceOrder32]) {
      ids.reverse();
      expect(await order(ids)).toBe(0);
      expect((await spaces(a)).map(({ NSProviderId }) => NSProviderId)).toEqual(ids);
      expect(await order(ids.slice(1))).toBe(WSAEINVAL);
      expect(await order(null, 1)).toBe(WSAEINVAL);
    }
    await ok(a.WSCUnInstallNameSpace(guid(1)));
    expect(await a.WSCUnInstallNameSpace32(guid(1))).toBe(-WSAEINVAL);
    expect(await a.WSCUnInstallNameSpace(null)).toBe(-WSAEFAULT);
  });
});
