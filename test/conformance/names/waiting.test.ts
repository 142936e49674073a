import { expect, test } from '@jest/globals';
import {
  AI_ADDRCONFIG,
  AI_CANONNAME,
  AI_V4MAPPED,
  EAI_BADFLAGS,
  NS_DNS,
  WSAEINPROGRESS,
  WSAEINTR,
  WSAEOPNOTSUPP,
  type WSANAMESPACE_INFO,
} from '../../../src/abi/index.ts';
import { MAKEWORD } from '../../../src/winsock/index.ts';
import { name, ok, overEveryAttachment, text, udp, wsadata } from '../support.ts';
import { addressesOf, nameServer } from './support.ts';

overEveryAttachment('lookups that wait', (pair) => {
  test('SEM-BLK-02, SEM-BLK-03 completion routines run while a name is looked up', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, () => null);
    const s = await udp(ws);
    await ok(ws.bind(s, name('127.0.0.1', 5001)));
    const overlapped = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    const ran = new Promise((resolve) => {
      void ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped, () => resolve('ran'));
    });
    const looking = ws.GetAddrInfoEx(
      'never.test',
      null,
      0,
      null,
      null,
      { value: null },
      { tv_sec: 9, tv_usec: 0 },
    );
    await ok(ws.sendto(s, text('x'), 1, 0, name('127.0.0.1', 5001)));
    // The lookup has nothing to say for nine seconds: only its wait lets the routine run.
    expect(await Promise.race([ran, Promise.resolve(looking)])).toBe('ran');
  });

  test('SEM-W11-01, SEM-W11-04, SEM-C-03, SEM-C-06 in a process of 1.1 a lookup can be cancelled', async () => {
    const { b, processOn } = await pair();
    await nameServer(b, () => null);
    const ws = await processOn('a');
    await ws.WSAStartup(MAKEWORD(1, 1), wsadata());
    const waiting = ws.gethostbyname('never.test', { value: null });
    expect(await ws.WSAIsBlocking()).toBe(1);
    expect(await ws.gethostbyname('other.test', { value: null })).toBe(-WSAEINPROGRESS);
    expect(await ws.WSACancelBlockingCall()).toBe(0);
    expect(await waiting).toBe(-WSAEINTR);
    expect(await ws.WSAIsBlocking()).toBe(0);
  });
});

overEveryAttachment('names of Windows Mobile', (pair) => {
  test('WM-01, WM-09 DNS is the only name space, and what ws2.dll does not export is WSAEOPNOTSUPP', async () => {
    const { attachment } = await pair();
    const ws = await attachment.processOn('a', 0, 'windows-mobile');
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    const infos: WSANAMESPACE_INFO[] = [];
    expect(await ws.WSAEnumNameSpaceProviders({ value: 4096 }, infos)).toBe(1);
    expect(infos[0]?.dwNameSpace).toBe(NS_DNS);
    const buffer = new Uint8Array(64);
    for (const answer of [
      ws.WSANSPIoctl(4, 0, null, 0, null, 0, { value: 0 }),
      ws.WSAInstallServiceClass(null),
      ws.WSARemoveServiceClass(null),
      ws.WSAGetServiceClassNameByClassId(null, null, null),
      ws.WSAAsyncGetServByName(1, 2, 'http', null, buffer, 64),
      ws.WSAAsyncGetProtoByNumber(1, 2, 6, buffer, 64),
      ws.GetAddrInfoEx('x', null, 0, null, null, { value: null }),
      ws.GetHostNameW({ value: '' }, 64),
    ])
      expect(await answer).toBe(-WSAEOPNOTSUPP);
    // What is exported works.
    expect(await addressesOf(ws, 'only4', null, { ai_flags: AI_CANONNAME })).toEqual(['192.0.2.9']);
    expect(await ws.WSAAsyncGetHostByName(1, 2, 'only4', buffer, 64)).toBeGreaterThan(0);
    // RFC 2553 knows three flags.
    for (const ai_flags of [AI_ADDRCONFIG, AI_V4MAPPED]) {
      expect(await addressesOf(ws, 'only4', null, { ai_flags })).toBe(-EAI_BADFLAGS);
    }
    await ws.WSACleanup();
  });
});
