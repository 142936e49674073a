import { expect, test } from '@jest/globals';
import {
  type ADDRINFOEX,
  AI_CANONNAME,
  EAI_NONAME,
  NS_ALL,
  NS_DNS,
  NS_EMAIL,
  NS_NLA,
  NS_TCPIP_LOCAL,
  querySet,
  SVCID_TCP,
  WSA_E_CANCELLED,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_WAIT_EVENT_0,
  WSA_WAIT_TIMEOUT,
  WSAEFAULT,
  WSAEINPROGRESS,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAETIMEDOUT,
  WSANO_DATA,
  WSANOTINITIALISED,
} from '../../../src/abi/index.ts';
import {
  LOCAL_NAME_SPACE_ID,
  type Ref,
  TCPIP_NAME_SPACE_ID,
  type WSAOVERLAPPED,
} from '../../../src/spi/index.ts';
import { FreeAddrInfoEx, type Winsock } from '../../../src/winsock/index.ts';
import { name, ok, overEveryAttachment } from '../support.ts';
import { a, addressesIn, hintsEx, nameServer, zoneOf } from './support.ts';

type Result = Ref<ADDRINFOEX | null>;

function record(hEvent = 0): WSAOVERLAPPED {
  return { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
}

/** Waits for an event, in virtual time as long as it takes. */
async function signaled(ws: Winsock, hEvent: number): Promise<void> {
  expect(await ws.WSAWaitForMultipleEvents(1, [hEvent], false, 60_000)).toBe(WSA_WAIT_EVENT_0);
}

overEveryAttachment('GetAddrInfoEx', (pair) => {
  test('API-GetAddrInfoEx at once, with the name space that it is from', async () => {
    const { a: ws } = await pair();
    const result: Result = { value: null };
    const wanted = hintsEx({ ai_flags: AI_CANONNAME });
    expect(await ws.GetAddrInfoEx('printer', 'http', NS_ALL, null, wanted, result)).toBe(0);
    expect(result.value).toMatchObject({
      ai_canonname: 'printer.example.test',
      ai_provider: TCPIP_NAME_SPACE_ID,
      ai_blob: null,
      ai_bloblen: 0,
    });
    expect(addressesIn(result.value).toSorted()).toEqual(['10.0.0.7:80', '2001:db8::7:80']);
    expect(await ws.GetAddrInfoEx('printer', null, NS_DNS, null, null, result)).toBe(0);
    expect(await ws.GetAddrInfoEx('printer', null, NS_EMAIL, TCPIP_NAME_SPACE_ID, null, result)).toBe(0);
  });

  test('API-GetAddrInfoEx a name space that nobody provides is WSANO_DATA', async () => {
    const { a: ws } = await pair();
    expect(await ws.GetAddrInfoEx('printer', null, NS_EMAIL, null, null, { value: null })).toBe(-WSANO_DATA);
    expect(await ws.GetAddrInfoEx('printer', null, NS_NLA, null, null, { value: null })).toBe(-EAI_NONAME);
  });

  test('API-GetAddrInfoEx, API-FreeAddrInfoEx, API-FreeAddrInfoExW its arguments', async () => {
    const { a: ws, processOn } = await pair();
    const result: Result = { value: null };
    const idle = await processOn('a');
    expect(await idle.GetAddrInfoEx('printer', null, 0, null, null, result)).toBe(-WSANOTINITIALISED);
    expect(await ws.GetAddrInfoEx('printer', null, 0, null, null, null)).toBe(-WSAEFAULT);
    expect(await ws.GetAddrInfoEx(null, null, 0, null, null, result)).toBe(-EAI_NONAME);
    expect(await ws.GetAddrInfoEx('printer', null, 0, 'no guid', null, result)).toBe(-WSAEINVAL);
    const withBlob = hintsEx({ ai_blob: new Uint8Array(1) });
    expect(await ws.GetAddrInfoEx('printer', null, 0, null, withBlob, result)).toBeLessThan(0);
    const bad = { tv_sec: -1, tv_usec: 0 };
    expect(await ws.GetAddrInfoEx('printer', null, 0, null, null, result, bad)).toBe(-WSAEINVAL);
    expect(FreeAddrInfoEx(result.value)).toBeUndefined();
  });

  test('API-GetAddrInfoEx what an overlapped request needs', async () => {
    const { a: ws } = await pair();
    const ask = (...more: unknown[]) =>
      ws.GetAddrInfoEx('x.test', null, 0, null, null, { value: null }, null, ...(more as []));
    expect(await ask(null, () => {})).toBe(-WSAEINVAL);
    expect(await ask(null, null, { value: 0 })).toBe(-WSAEINVAL);
    // An event and a routine: only one can tell.
    const hEvent = await ok(ws.WSACreateEvent());
    expect(await ask(record(hEvent), () => {})).toBe(-WSAEINVAL);
  });

  test('API-GetAddrInfoEx the A form takes nothing of that', async () => {
    const { a: ws } = await pair();
    const result: Result = { value: null };
    const ask = (...more: unknown[]) =>
      ws.GetAddrInfoExA('printer', null, 0, null, null, result, ...(more as []));
    expect(await ask()).toBe(0);
    expect(addressesIn(result.value)).toContain('10.0.0.7');
    expect(await ask({ tv_sec: 1, tv_usec: 0 })).toBe(-WSAEINVAL);
    expect(await ask(null, record())).toBe(-WSAEINVAL);
    expect(await ask(null, null, () => {})).toBe(-WSAEINVAL);
    expect(await ask(null, null, null, { value: 0 })).toBe(-WSAEINVAL);
  });

  test('API-GetAddrInfoEx, API-GetAddrInfoExOverlappedResult overlapped, told of by an event', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf(a('later.test', '10.0.0.60')));
    const result: Result = { value: null };
    const overlapped = record(await ok(ws.WSACreateEvent()));
    await ok(ws.WSASetEvent(overlapped.hEvent));
    const answer = await ws.GetAddrInfoEx('later.test', '80', 0, null, null, result, null, overlapped);
    expect(answer).toBe(-WSA_IO_PENDING);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(-WSAEINPROGRESS);
    expect(await ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], false, 0)).toBe(WSA_WAIT_TIMEOUT);
    await signaled(ws, overlapped.hEvent);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(0);
    expect(addressesIn(result.value)).toEqual(['10.0.0.60:80']);
  });

  test('API-GetAddrInfoEx what needs nobody is said at once, and no routine runs', async () => {
    const { a: ws } = await pair();
    const result: Result = { value: null };
    const told: number[] = [];
    const overlapped = record();
    const routine = (error: number): number => told.push(error);
    const answer = ws.GetAddrInfoEx('10.1', null, 0, null, null, result, null, overlapped, routine);
    expect(await answer).toBe(0);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(0);
    expect(addressesIn(result.value)).toEqual(['10.0.0.1']);
    expect(await ws.SleepEx(10, true)).toBe(0);
    expect(told).toEqual([]);
  });

  test('API-GetAddrInfoEx a completion routine is told the error', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf([]));
    const overlapped = record();
    const error = await new Promise((resolve) => {
      void ws.GetAddrInfoEx('none.test', null, 0, null, null, { value: null }, null, overlapped, resolve);
    });
    expect(error).toBe(EAI_NONAME);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(-EAI_NONAME);
    expect(await ws.GetAddrInfoExOverlappedResult(null)).toBe(-WSAEINVAL);
  });

  test('API-GetAddrInfoExCancel, ERR-WSA_E_CANCELLED a request that waits ends early', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, () => null);
    const overlapped = record(await ok(ws.WSACreateEvent()));
    const handle: Ref = { value: 0 };
    const result: Result = { value: null };
    const answer = await ws.GetAddrInfoEx(
      'never.test',
      null,
      0,
      null,
      null,
      result,
      null,
      overlapped,
      null,
      handle,
    );
    expect(answer).toBe(-WSA_IO_PENDING);
    expect(handle.value).not.toBe(0);
    expect(await ws.GetAddrInfoExCancel(handle)).toBe(0);
    await signaled(ws, overlapped.hEvent);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(-WSA_E_CANCELLED);
    expect(result.value).toBeNull();
    // It is over.
    expect(await ws.GetAddrInfoExCancel(handle)).toBe(-WSA_INVALID_HANDLE);
    expect(await ws.GetAddrInfoExCancel(null)).toBe(-WSA_INVALID_HANDLE);
    expect(await ws.GetAddrInfoExCancel({ value: 4711 })).toBe(-WSA_INVALID_HANDLE);
  });

  test('API-GetAddrInfoEx, ERR-WSAETIMEDOUT a time limit, waiting or overlapped', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, () => null);
    const limit = { tv_sec: 0, tv_usec: 50_000 };
    expect(await ws.GetAddrInfoEx('slow.test', null, 0, null, null, { value: null }, limit)).toBe(
      -WSAETIMEDOUT,
    );
    const overlapped = record(await ok(ws.WSACreateEvent()));
    expect(
      await ws.GetAddrInfoEx('slow2.test', null, 0, null, null, { value: null }, limit, overlapped),
    ).toBe(-WSA_IO_PENDING);
    await signaled(ws, overlapped.hEvent);
    expect(await ws.GetAddrInfoExOverlappedResult(overlapped)).toBe(-WSAETIMEDOUT);
  });

  test('SEM-VER-15 the last WSACleanup ends an overlapped request without a word', async () => {
    const { b, processOn } = await pair();
    await nameServer(b, () => null);
    const ws = await processOn('a');
    await ws.WSAStartup(0x0202, {} as never);
    const told: number[] = [];
    const overlapped = record();
    await ws.GetAddrInfoEx('never.test', null, 0, null, null, { value: null }, null, overlapped, (error) =>
      told.push(error),
    );
    expect(await ws.WSACleanup()).toBe(0);
    await ws.WSAStartup(0x0202, {} as never);
    // The lookup is over by the time that another one has been made.
    await ws.GetAddrInfoEx('never2.test', null, 0, null, null, { value: null }, { tv_sec: 0, tv_usec: 1000 });
    expect(told).toEqual([]);
  });
});

overEveryAttachment('SetAddrInfoEx', (pair) => {
  test('API-SetAddrInfoEx registers a name, adds addresses and takes it back', async () => {
    const { a: ws } = await pair();
    const [one, two] = [name('10.0.0.1', 8080), name('10.0.0.1', 8081)];
    const set = (addresses: Uint8Array[], flags = 0) =>
      ws.SetAddrInfoEx('shop', '8080', addresses, addresses.length, null, flags, NS_TCPIP_LOCAL, null);
    const found = async () => {
      const handle: Ref = { value: 0 };
      await ok(
        ws.WSALookupServiceBegin(
          querySet({ lpServiceClassId: SVCID_TCP(8080), dwNameSpace: NS_TCPIP_LOCAL }),
          0x110,
          handle,
        ),
      );
      const result = querySet();
      const answer = await ws.WSALookupServiceNext(handle.value, 0, { value: 4096 }, result);
      await ok(ws.WSALookupServiceEnd(handle.value));
      return answer < 0 ? answer : (result.lpcsaBuffer ?? []).map(({ RemoteAddr }) => RemoteAddr);
    };
    expect(await set([one])).toBe(0);
    expect(await found()).toEqual([one]);
    expect(await set([two], 1)).toBe(0);
    expect(await found()).toEqual([one, two]);
    expect(await set([])).toBe(0);
    expect(await found()).toBeLessThan(0);
  });

  test('API-SetAddrInfoEx, NSP-REG-05 what is refused', async () => {
    const { a: ws } = await pair();
    const addresses = [name('10.0.0.1', 80)];
    const set = (pName: string | null, space: number, id: string | null = null, count = 1) =>
      ws.SetAddrInfoEx(pName, null, addresses, count, null, 0, space, id);
    expect(await set(null, NS_TCPIP_LOCAL)).toBe(-WSAEINVAL);
    expect(await set('shop', NS_ALL)).toBe(-WSAEINVAL);
    expect(await set('shop', NS_ALL, LOCAL_NAME_SPACE_ID)).toBe(0);
    expect(await set('shop', NS_DNS)).toBe(-WSAEOPNOTSUPP);
    expect(await set('shop', NS_EMAIL)).toBe(-WSANO_DATA);
    expect(await set('shop', NS_TCPIP_LOCAL, null, 2)).toBe(-WSAEFAULT);
    expect(
      await ws.SetAddrInfoEx('shop', null, addresses, 1, null, 0, NS_TCPIP_LOCAL, null, { tv_sec: 1 }),
    ).toBe(-WSAEINVAL);
  });
});
