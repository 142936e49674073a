import { expect, test } from '@jest/globals';
import {
  AF_INET,
  COMP_EQUAL,
  COMP_NOTLESS,
  type CSADDR_INFO,
  IPPROTO_TCP,
  IPPROTO_UDP,
  LUP_CONTAINERS,
  LUP_RETURN_ALL,
  NS_ALL,
  NS_DNS,
  NS_EMAIL,
  NS_TCPIP_LOCAL,
  NSP_NOTIFY_APC,
  NSP_NOTIFY_EVENT,
  NSP_NOTIFY_HWND,
  NSP_NOTIFY_IMMEDIATELY,
  NSP_NOTIFY_PORT,
  packWSASERVICECLASSINFO,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_DEREGISTER,
  RNRSERVICE_REGISTER,
  readSockaddr,
  SERVICE_MULTIPLE,
  SERVICE_TYPE_VALUE_TCPPORT,
  SIO_NSP_NOTIFY_CHANGE,
  SOCK_STREAM,
  SVCID_HOSTNAME,
  WSA_E_CANCELLED,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_WAIT_EVENT_0,
  WSA_WAIT_IO_COMPLETION,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  WSANO_DATA,
  WSANOTINITIALISED,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
  type WSASERVICECLASSINFO,
  WSATYPE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import { LOCAL_NAME_SPACE_ID, type Ref, type WSACOMPLETION } from '../../../src/spi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { name, ok, overEveryAttachment } from '../support.ts';

const SHOP = '5F7E1A11-0000-4000-8000-000000000001';

function end(address: string, port: number, iProtocol: number = IPPROTO_TCP): CSADDR_INFO {
  return { LocalAddr: name(address, port), RemoteAddr: null, iSocketType: SOCK_STREAM, iProtocol };
}

/** A service's entry. */
function shop(lpszServiceInstanceName: string | null, ...ends: CSADDR_INFO[]): WSAQUERYSET {
  return querySet({
    lpszServiceInstanceName,
    lpServiceClassId: SHOP,
    dwNumberOfCsAddrs: ends.length,
    lpcsaBuffer: ends,
  });
}

async function beginShop(ws: Winsock, members: Partial<WSAQUERYSET> = {}, flags = 0): Promise<number> {
  const handle: Ref = { value: 0 };
  const set = querySet({ lpServiceClassId: SHOP, ...members });
  const answer = await ws.WSALookupServiceBegin(set, LUP_RETURN_ALL | flags, handle);
  return answer < 0 ? answer : handle.value;
}

/** What lookups find: `shop 10.0.0.1:80`; minus a WSA code. */
async function found(ws: Winsock, members: Partial<WSAQUERYSET> = {}, flags = 0): Promise<string[] | number> {
  const handle = await beginShop(ws, members, flags);
  if (handle < 0) return handle;
  const all: string[] = [];
  for (;;) {
    const result = querySet();
    const answer = await ws.WSALookupServiceNext(handle, 0, { value: 65_536 }, result);
    if (answer < 0) {
      await ok(ws.WSALookupServiceEnd(handle));
      return all.length === 0 ? answer : all;
    }
    const ends = (result.lpcsaBuffer ?? []).map(({ RemoteAddr, LocalAddr }) => {
      expect(LocalAddr).toBeNull();
      const read = readSockaddr(RemoteAddr ?? new Uint8Array(0));
      return `${read?.address}:${read?.port}`;
    });
    all.push([result.lpszServiceInstanceName, ...ends].join(' '));
  }
}

overEveryAttachment('WSASetService', (pair) => {
  test('NSP-REG-01, NSP-REG-02 register, overwrite, add', async () => {
    const { a: ws } = await pair();
    const set = (flags: number, ...ends: CSADDR_INFO[]) =>
      ws.WSASetService(shop('Corner', ...ends), RNRSERVICE_REGISTER, flags);
    expect(await set(0, end('10.0.0.1', 80))).toBe(0);
    expect(await found(ws)).toEqual(['Corner 10.0.0.1:80']);
    expect(await set(0, end('10.0.0.1', 81))).toBe(0);
    expect(await found(ws)).toEqual(['Corner 10.0.0.1:81']);
    expect(await set(SERVICE_MULTIPLE, end('10.0.0.1', 82), end('10.0.0.1', 81))).toBe(0);
    expect(await found(ws)).toEqual(['Corner 10.0.0.1:81 10.0.0.1:82']);
    expect(await set(SERVICE_MULTIPLE, end('::1', 83))).toBe(0);
    expect(await found(ws)).toEqual(['Corner 10.0.0.1:81 10.0.0.1:82 ::1:83']);
  });

  test('NSP-REG-01, NSP-REG-03 deregister some addresses, or all: the object stays; delete', async () => {
    const { a: ws } = await pair();
    const ends = [end('10.0.0.1', 80), end('10.0.0.1', 81), end('10.0.0.1', 82)] as const;
    const set = (operation: number, flags: number, ...some: CSADDR_INFO[]) =>
      ws.WSASetService(shop('corner', ...some), operation, flags);
    expect(await set(RNRSERVICE_DEREGISTER, 0)).toBe(-WSASERVICE_NOT_FOUND);
    expect(await set(RNRSERVICE_DELETE, 0)).toBe(-WSASERVICE_NOT_FOUND);
    expect(await set(RNRSERVICE_REGISTER, 0, ...ends)).toBe(0);
    expect(await set(RNRSERVICE_DEREGISTER, SERVICE_MULTIPLE, ends[1])).toBe(0);
    expect(await found(ws)).toEqual(['corner 10.0.0.1:80 10.0.0.1:82']);
    expect(await set(RNRSERVICE_DEREGISTER, 0)).toBe(0);
    expect(await found(ws)).toEqual(['corner']);
    expect(await set(RNRSERVICE_DELETE, 0)).toBe(0);
    expect(await found(ws)).toBe(-WSASERVICE_NOT_FOUND);
  });

  test('NSP-REG-04 class and name are required', async () => {
    const { a: ws, processOn } = await pair();
    const set = (info: WSAQUERYSET | null, operation = RNRSERVICE_REGISTER, flags = 0) =>
      ws.WSASetService(info, operation, flags);
    const good = shop('Corner', end('10.0.0.1', 80));
    expect(await (await processOn('a')).WSASetService(good, 0, 0)).toBe(-WSANOTINITIALISED);
    expect(await set(null)).toBe(-WSAEFAULT);
    expect(await set({ ...good, dwSize: 4 })).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpServiceClassId: null })).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpServiceClassId: 'shop' })).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpszServiceInstanceName: null })).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpszServiceInstanceName: '' })).toBe(-WSAEINVAL);
    expect(await set(good, 3)).toBe(-WSAEINVAL);
    expect(await set(good, RNRSERVICE_REGISTER, 2)).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpNSProviderId: 'x' })).toBe(-WSAEINVAL);
    expect(await set({ ...good, lpBlob: new Uint8Array(40_000) })).toBeLessThan(0);
  });

  test('NSP-REG-05 a static name space refuses; one that takes it is enough', async () => {
    const { a: ws } = await pair();
    const set = (dwNameSpace: number) =>
      ws.WSASetService({ ...shop('Corner', end('10.0.0.1', 80)), dwNameSpace }, RNRSERVICE_REGISTER, 0);
    expect(await set(NS_DNS)).toBe(-WSAEOPNOTSUPP);
    expect(await set(NS_EMAIL)).toBe(-WSANO_DATA);
    expect(await found(ws)).toBe(-WSASERVICE_NOT_FOUND);
    expect(await set(NS_ALL)).toBe(0);
    expect(await found(ws)).toEqual(['Corner 10.0.0.1:80']);
  });

  test('NSP-RULE-01, STR-WSAVERSION, STR-AFPROTOCOLS lookups by name, version and protocol', async () => {
    const { a: ws } = await pair();
    const entry = (lpszServiceInstanceName: string, dwVersion: number, ...ends: CSADDR_INFO[]) =>
      ws.WSASetService(
        { ...shop(lpszServiceInstanceName, ...ends), lpVersion: { dwVersion, ecHow: COMP_EQUAL } },
        RNRSERVICE_REGISTER,
        0,
      );
    await entry('One', 1, end('10.0.0.1', 80));
    await entry('Two', 2, end('10.0.0.1', 81, IPPROTO_UDP), end('::1', 81));
    expect(await found(ws)).toEqual(['One 10.0.0.1:80', 'Two 10.0.0.1:81 ::1:81']);
    expect(await found(ws, { lpszServiceInstanceName: 'two' })).toEqual(['Two 10.0.0.1:81 ::1:81']);
    expect(await found(ws, { lpVersion: { dwVersion: 1, ecHow: COMP_EQUAL } })).toEqual(['One 10.0.0.1:80']);
    expect(await found(ws, { lpVersion: { dwVersion: 1, ecHow: COMP_NOTLESS } })).toHaveLength(2);
    expect(await found(ws, { lpVersion: { dwVersion: 3, ecHow: COMP_NOTLESS } })).toBe(-WSASERVICE_NOT_FOUND);
    const udp4 = [{ iAddressFamily: AF_INET, iProtocol: IPPROTO_UDP }];
    expect(await found(ws, { dwNumberOfProtocols: 1, lpafpProtocols: udp4 })).toEqual(['Two 10.0.0.1:81']);
  });

  test('NSP-RULE-03 contexts: the default one and the top; there are no containers', async () => {
    const { a: ws } = await pair();
    await ok(ws.WSASetService(shop('Corner'), RNRSERVICE_REGISTER, 0));
    for (const lpszContext of [null, '', '\\']) expect(await found(ws, { lpszContext })).toEqual(['Corner']);
    expect(await found(ws, { lpszContext: '\\Town', dwNameSpace: NS_TCPIP_LOCAL })).toBe(-WSAEINVAL);
    expect(await found(ws, {}, LUP_CONTAINERS)).toBeLessThan(0);
  });
});

overEveryAttachment('WSANSPIoctl', (pair) => {
  const change = (ws: Winsock) => ws.WSASetService(shop('Corner'), RNRSERVICE_REGISTER, 0);
  const listen = (
    ws: Winsock,
    handle: number,
    completion: WSACOMPLETION | null,
    code = SIO_NSP_NOTIFY_CHANGE,
  ) => ws.WSANSPIoctl(handle, code, null, 0, null, 0, { value: 0 }, completion);
  const record = (hEvent = 0) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent });

  test('API-WSANSPIoctl, NSP-Ioctl waits for a change', async () => {
    const { a: ws } = await pair();
    const waiting = listen(ws, await beginShop(ws), null);
    expect(await change(ws)).toBe(0);
    expect(await waiting).toBe(0);
  });

  test('API-WSANSPIoctl, STR-WSACOMPLETION asks without waiting', async () => {
    const { a: ws } = await pair();
    const handle = await beginShop(ws);
    const now: WSACOMPLETION = { Type: NSP_NOTIFY_IMMEDIATELY };
    expect(await listen(ws, handle, now)).toBe(-WSAEWOULDBLOCK);
    await change(ws);
    expect(await listen(ws, handle, now)).toBe(0);
    expect(await listen(ws, handle, now)).toBe(-WSAEWOULDBLOCK);
  });

  test('API-WSANSPIoctl, STR-WSACOMPLETION tells by an event, or by a routine', async () => {
    const { a: ws } = await pair();
    const hEvent = await ok(ws.WSACreateEvent());
    const lpOverlapped = record(hEvent);
    const handle = await beginShop(ws);
    expect(await listen(ws, handle, { Type: NSP_NOTIFY_EVENT, lpOverlapped })).toBe(-WSA_IO_PENDING);
    const told: number[] = [];
    const routine = (error: number): void => void told.push(error);
    expect(
      await listen(ws, handle, {
        Type: NSP_NOTIFY_APC,
        lpOverlapped: record(),
        lpfnCompletionProc: routine,
      }),
    ).toBe(-WSA_IO_PENDING);
    await change(ws);
    expect(await ws.WSAWaitForMultipleEvents(1, [hEvent], false, 60_000)).toBe(WSA_WAIT_EVENT_0);
    expect(lpOverlapped.Internal).toBe(0);
    await ok(ws.WSAResetEvent(hEvent));
    expect(await ws.WSAWaitForMultipleEvents(1, [hEvent], false, 60_000, true)).toBe(WSA_WAIT_IO_COMPLETION);
    expect(told).toEqual([0]);
  });

  test('API-WSANSPIoctl a lookup that ends ends the wait', async () => {
    const { a: ws } = await pair();
    const handle = await beginShop(ws);
    const waiting = listen(ws, handle, null);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
  });

  test('API-WSANSPIoctl its arguments, and name spaces that know nothing of it', async () => {
    const { a: ws, processOn } = await pair();
    const handle = await beginShop(ws);
    expect(await listen(await processOn('a'), handle, null)).toBe(-WSANOTINITIALISED);
    expect(await listen(ws, handle + 400, null)).toBe(-WSA_INVALID_HANDLE);
    expect(await ws.WSANSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, null, 0, null, 0, null)).toBe(-WSAEFAULT);
    expect(await ws.WSANSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, null, 4, null, 0, { value: 0 })).toBe(
      -WSAEFAULT,
    );
    expect(await listen(ws, handle, null, 0x1234)).toBe(-WSAEOPNOTSUPP);
    const port: WSACOMPLETION = { Type: NSP_NOTIFY_PORT, lpOverlapped: record(), hPort: 4, Key: 0 };
    expect(await listen(ws, handle, port)).toBe(-WSA_INVALID_HANDLE);
    expect(await listen(ws, handle, { Type: 9 } as never)).toBe(-WSAEOPNOTSUPP);
    const dns: Ref = { value: 0 };
    await ok(ws.WSALookupServiceBegin(querySet({ lpServiceClassId: SVCID_HOSTNAME }), 0x10, dns));
    expect(await listen(ws, dns.value, null)).toBe(-WSAEOPNOTSUPP);
    expect(await listen(ws, dns.value, { Type: NSP_NOTIFY_HWND, hWnd: 1, uMsg: 2, context: 3 })).toBe(
      -WSAEOPNOTSUPP,
    );
  });
});

overEveryAttachment('service classes', (pair) => {
  const info = (): WSASERVICECLASSINFO => ({
    lpServiceClassId: SHOP,
    lpszServiceClassName: 'Shops',
    lpClassInfos: [
      {
        lpszName: SERVICE_TYPE_VALUE_TCPPORT,
        dwNameSpace: NS_TCPIP_LOCAL,
        dwValueType: 4,
        lpValue: Uint8Array.of(80, 0, 0, 0),
      },
    ],
  });
  const empty = (): WSASERVICECLASSINFO => ({
    lpServiceClassId: SHOP,
    lpszServiceClassName: null,
    lpClassInfos: [],
  });

  test('API-WSAInstallServiceClass, API-WSARemoveServiceClass, NSP-InstallServiceClass, NSP-RemoveServiceClass', async () => {
    const { a: ws, processOn } = await pair();
    expect(await (await processOn('a')).WSAInstallServiceClass(info())).toBe(-WSANOTINITIALISED);
    expect(await ws.WSAInstallServiceClass(null)).toBe(-WSAEFAULT);
    expect(await ws.WSAInstallServiceClass({ ...info(), lpServiceClassId: 'x' })).toBe(-WSAEINVAL);
    expect(await ws.WSAInstallServiceClass({ ...info(), lpszServiceClassName: null })).toBe(-WSAEINVAL);
    expect(await ws.WSAInstallServiceClass(info())).toBe(0);
    expect(await ws.WSAInstallServiceClass(info())).toBe(-WSAEALREADY);
    expect(await ws.WSARemoveServiceClass(null)).toBe(-WSAEFAULT);
    expect(await ws.WSARemoveServiceClass('x')).toBe(-WSAEINVAL);
    expect(await ws.WSARemoveServiceClass(SHOP)).toBe(0);
    expect(await ws.WSARemoveServiceClass(SHOP)).toBe(-WSATYPE_NOT_FOUND);
  });

  test('API-WSAGetServiceClassInfo, NSP-GetServiceClassInfo, STR-WSASERVICECLASSINFO, STR-WSANSCLASSINFO', async () => {
    const { a: ws } = await pair();
    const length: Ref = { value: 0 };
    const into = empty();
    const get = (form: 'W' | 'A', id: string | null = SHOP) =>
      (form === 'W' ? ws.WSAGetServiceClassInfo : ws.WSAGetServiceClassInfoA)(
        LOCAL_NAME_SPACE_ID,
        id,
        length,
        into,
      );
    expect(await get('W')).toBe(-WSATYPE_NOT_FOUND);
    await ok(ws.WSAInstallServiceClass(info()));
    for (const form of ['W', 'A'] as const) {
      length.value = 0;
      expect(await get(form)).toBe(-WSAEFAULT);
      expect(length.value).toBe(packWSASERVICECLASSINFO(info(), form).length);
      expect(await get(form)).toBe(0);
      expect(into).toEqual(info());
    }
    expect(await get('W', null)).toBe(-WSAEINVAL);
    expect(await ws.WSAGetServiceClassInfo(null, SHOP, length, into)).toBe(-WSAEINVAL);
    expect(await ws.WSAGetServiceClassInfo(LOCAL_NAME_SPACE_ID, SHOP, null, into)).toBe(-WSAEFAULT);
    expect(await ws.WSAGetServiceClassInfo(LOCAL_NAME_SPACE_ID, SHOP, length, null)).toBe(-WSAEFAULT);
  });

  test('API-WSAGetServiceClassNameByClassId', async () => {
    const { a: ws } = await pair();
    const text: Ref<string> = { value: '' };
    const length: Ref = { value: 0 };
    const get = (id: string | null = SHOP) => ws.WSAGetServiceClassNameByClassId(id, text, length);
    expect(await get()).toBe(-WSATYPE_NOT_FOUND);
    await ok(ws.WSAInstallServiceClass(info()));
    expect(await get()).toBe(-WSAEFAULT);
    expect(length.value).toBe(6);
    expect(await get()).toBe(0);
    expect(text.value).toBe('Shops');
    expect(await get(null)).toBe(-WSAEINVAL);
    expect(await ws.WSAGetServiceClassNameByClassId(SHOP, text, null)).toBe(-WSAEFAULT);
  });
});
