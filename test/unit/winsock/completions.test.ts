import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  ERROR_NETNAME_DELETED,
  INVALID_HANDLE_VALUE,
  IPPROTO_TCP,
  SOCK_STREAM,
  STATUS_CONNECTION_RESET,
  STATUS_PENDING,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSAECONNRESET,
  WSAEINVAL,
  WSANOTINITIALISED,
  XP1_IFS_HANDLES,
} from '../../../src/abi/index.ts';
import {
  Catalog,
  createBaseProvider,
  DEFAULT_CATALOG,
  functionAt,
  pointerOf,
  type Ref,
  readPointer,
  type WSAOVERLAPPED,
  type WSPPROC_TABLE,
  type WSPStartup,
  writePointer,
} from '../../../src/spi/index.ts';
import { createWinsock, type Winsock } from '../../../src/winsock/index.ts';
import { FakePort } from '../spi/fake-port.ts';

const LAYER = '11111111-2222-3333-4444-555555555555';

/** A Winsock over a provider whose sockets are no handles of the system: its receives pend until the test completes them. */
function overNonIfs(): { ws: Winsock; received: WSAOVERLAPPED[] } {
  const tcp = DEFAULT_CATALOG.find((entry) => entry.iProtocol === IPPROTO_TCP);
  if (tcp === undefined) throw new Error('no TCP in the catalog');
  const entry = { ...tcp, ProviderId: LAYER, dwServiceFlags1: tcp.dwServiceFlags1 & ~XP1_IFS_HANDLES };
  const received: WSAOVERLAPPED[] = [];
  const startup: WSPStartup = (version, data, info, upcalls, table) => {
    const base: Partial<WSPPROC_TABLE> = {};
    createBaseProvider(new FakePort()).WSPStartup(version, data, info, upcalls, base);
    Object.assign(table, base, {
      WSPSocket: () => upcalls.WPUCreateSocketHandle(info.dwCatalogEntryId, 99),
      WSPRecv: (...args: Parameters<WSPPROC_TABLE['WSPRecv']>) => {
        const lpOverlapped = args[4];
        if (lpOverlapped === null) return -WSAEINVAL;
        lpOverlapped.Internal = STATUS_PENDING;
        received.push(lpOverlapped);
        return -WSA_IO_PENDING;
      },
    });
    return 0;
  };
  const ws = createWinsock({
    port: new FakePort(),
    catalog: new Catalog([entry], new Map([[LAYER, 'layer']])),
    loadProvider: () => startup,
  });
  return { ws, received };
}

const record = (hEvent = 0): WSAOVERLAPPED => ({
  Internal: 0,
  InternalHigh: 0,
  Offset: 0,
  OffsetHigh: 0,
  hEvent,
});
const data = {
  wVersion: 0,
  wHighVersion: 0,
  iMaxSockets: 0,
  iMaxUdpDg: 0,
  szDescription: '',
  szSystemStatus: '',
};

describe('a provider whose sockets are no handles of the system', () => {
  test('SPI-WPUCompleteOverlappedRequest, SPI-GEN-08, SPI-GEN-09 completes by a packet of the port that ws2_32 knows', async () => {
    const { ws, received } = overNonIfs();
    ws.WSAStartup(0x0202, data);
    const s = (await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as number;
    const port = (await ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE)) as number;
    expect(await ws.CreateIoCompletionPort(s, port, 3)).toBe(port);
    const overlapped = record();
    expect(await ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped)).toBe(-WSA_IO_PENDING);
    expect(received).toEqual([overlapped]);
    expect(ws.WPUCompleteOverlappedRequest(s, overlapped, 0, 4)).toBe(0);
    const [bytes, key] = [{ value: 0 }, { value: 0 }];
    const of: Ref<WSAOVERLAPPED | null> = { value: null };
    expect(await ws.GetQueuedCompletionStatus(port, bytes, key, of, 0)).toBe(1);
    expect([bytes.value, key.value, of.value, overlapped.InternalHigh]).toEqual([4, 3, overlapped, 4]);
    ws.WPUCompleteOverlappedRequest(s, overlapped, WSAECONNRESET, 0);
    expect(overlapped.Internal).toBe(STATUS_CONNECTION_RESET);
    expect(await ws.GetQueuedCompletionStatus(port, bytes, key, of, 0)).toBe(-ERROR_NETNAME_DELETED);
  });

  test('SPI-WPUCompleteOverlappedRequest, SPI-GEN-08 sets the event of a record; wrong handles are errors', async () => {
    const { ws } = overNonIfs();
    expect(ws.WPUCompleteOverlappedRequest(8, record(), 0, 0)).toBe(-WSANOTINITIALISED);
    ws.WSAStartup(0x0202, data);
    const s = (await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as number;
    const event = (await ws.WSACreateEvent()) as number;
    const overlapped = record(event);
    await ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped);
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(258);
    expect(ws.WPUCompleteOverlappedRequest(s, overlapped, 0, 1)).toBe(0);
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(0);
    expect(ws.WPUCompleteOverlappedRequest(s, record(0xfff0), 0, 0)).toBe(-WSA_INVALID_HANDLE);
    expect(ws.WPUCompleteOverlappedRequest(s, null, 0, 0)).toBe(-WSAEINVAL);
    expect(ws.WPUCompleteOverlappedRequest(event, record(), 0, 0)).toBe(-WSAEINVAL);
    // A socket that is a handle of the system is not completed this way.
    const plain = createWinsock({ port: new FakePort() });
    plain.WSAStartup(0x0202, data);
    const own = (await plain.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as number;
    expect(plain.WPUCompleteOverlappedRequest(own, record(), 0, 0)).toBe(-WSAEINVAL);
  });
});

describe('function pointers', () => {
  test('IOC-SIO_GET_EXTENSION_FUNCTION_POINTER a function has one pointer, and a pointer one function', () => {
    const [f, g] = [() => 1, () => 2];
    expect(pointerOf(f)).toBe(pointerOf(f));
    expect(pointerOf(f)).not.toBe(pointerOf(g));
    expect(functionAt(pointerOf(g))).toBe(g);
    const bytes = new Uint8Array(12);
    writePointer(bytes, 4, f);
    expect(functionAt(readPointer(bytes, 4))).toBe(f);
    for (const wrong of [0, -1, 1, pointerOf(f) + 4, 2 ** 40, Number.NaN])
      expect(functionAt(wrong)).toBe(null);
  });
});
