import { expect, test } from '@jest/globals';
import {
  AF_INET,
  FROM_PROTOCOL_INFO,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_PROTOCOL_INFOA,
  SO_PROTOCOL_INFOW,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import {
  bound,
  connected,
  getInt,
  localName,
  name,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

async function protocols(ws: Winsock): Promise<WSAPROTOCOL_INFO[]> {
  const entries: WSAPROTOCOL_INFO[] = [];
  await ok(ws.WSAEnumProtocols(null, entries, { value: 10_000 }));
  return entries;
}

overEveryAttachment('socket and WSASocket', (pair) => {
  test.each([
    ['SEM-SOCK-10', 99, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT],
    ['SEM-SOCK-11', AF_INET, 99, IPPROTO_TCP, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-12', AF_INET, SOCK_STREAM, 999, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13', AF_INET, SOCK_STREAM, IPPROTO_UDP, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-13', AF_INET, SOCK_DGRAM, IPPROTO_TCP, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-15', AF_INET, 99, 0, WSAESOCKTNOSUPPORT],
    ['SEM-SOCK-18', AF_INET, 0, 999, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-19', 0, SOCK_STREAM, 0, WSAEINVAL],
    ['SEM-SOCK-21', 0, SOCK_STREAM, 999, WSAEPROTONOSUPPORT],
    ['SEM-SOCK-22', 0, 99, IPPROTO_UDP, WSAESOCKTNOSUPPORT],
  ])('%s socket(%d, %d, %d) fails', async (_id, af, type, protocol, code) => {
    const { a } = await pair();
    expect(await a.socket(af, type, protocol)).toBe(-code);
  });

  test.each([
    ['SEM-SOCK-14', AF_INET, SOCK_STREAM, 0, SOCK_STREAM],
    ['SEM-SOCK-14', AF_INET, SOCK_DGRAM, 0, SOCK_DGRAM],
    ['SEM-SOCK-16', AF_INET, 0, IPPROTO_TCP, SOCK_STREAM],
    ['SEM-SOCK-16', AF_INET, 0, IPPROTO_UDP, SOCK_DGRAM],
    ['SEM-SOCK-17', AF_INET, 0, 0, SOCK_STREAM],
    ['SEM-SOCK-20', 0, SOCK_STREAM, IPPROTO_TCP, SOCK_STREAM],
    ['RAW-14', AF_INET, SOCK_RAW, IPPROTO_ICMP, SOCK_RAW],
  ])('%s socket(%d, %d, %d) has SO_TYPE %d', async (_id, af, type, protocol, expected) => {
    const { a } = await pair();
    const s = await ok(a.socket(af, type, protocol));
    expect(await getInt(a, s, SOL_SOCKET, SO_TYPE)).toBe(expected);
  });

  test('handles are multiples of 4, and the one closed last is given out next', async () => {
    const { a } = await pair();
    const [first, second] = [await tcp(a), await tcp(a)];
    expect([first % 4, second % 4]).toEqual([0, 0]);
    await ok(a.closesocket(first));
    expect(await tcp(a)).toBe(first);
  });

  test('SEM-SOCK-05 a protocol info alone makes its socket', async () => {
    const { a } = await pair();
    const [, udpInfo] = (await protocols(a)) as [WSAPROTOCOL_INFO, WSAPROTOCOL_INFO];
    const all = FROM_PROTOCOL_INFO;
    const s = await ok(a.WSASocket(all, all, all, udpInfo));
    expect(await getInt(a, s, SOL_SOCKET, SO_TYPE)).toBe(SOCK_DGRAM);
  });

  test('SEM-SOCK-06 explicit values win over the protocol info', async () => {
    const { a } = await pair();
    const [, udpInfo] = (await protocols(a)) as [WSAPROTOCOL_INFO, WSAPROTOCOL_INFO];
    const s = await ok(a.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, udpInfo));
    expect(await getInt(a, s, SOL_SOCKET, SO_TYPE)).toBe(SOCK_STREAM);
  });

  test('SEM-SOCK-07 a protocol info that says nothing is WSAEAFNOSUPPORT', async () => {
    const { a } = await pair();
    const [info] = (await protocols(a)) as [WSAPROTOCOL_INFO];
    const empty = { ...info, iAddressFamily: 0, iSocketType: 0, iProtocol: 0 };
    expect(await a.WSASocket(0, 0, 0, empty)).toBe(-WSAEAFNOSUPPORT);
  });

  test('API-WSAEnumProtocols tells the room it needs with WSAENOBUFS', async () => {
    const { a, attachment } = await pair();
    // TCP and UDP of either family, and a chain over each.
    const count = 4 * (1 + attachment.layers);
    const length: Ref = { value: 1 };
    expect(await a.WSAEnumProtocols(null, [], length)).toBe(-WSAENOBUFS);
    expect(length.value).toBe(count * 628);
    expect(await a.WSAEnumProtocols(null, null, length)).toBe(-WSAENOBUFS);
    expect(await a.WSAEnumProtocols(null, [], length)).toBe(count);
  });

  test('API-WSAEnumProtocols narrows to the protocols named before the 0', async () => {
    const { a, attachment } = await pair();
    const entries: WSAPROTOCOL_INFO[] = [];
    const count = 2 * (1 + attachment.layers);
    expect(await a.WSAEnumProtocols([IPPROTO_UDP, 0, IPPROTO_TCP], entries, { value: 5000 })).toBe(count);
    expect(entries.slice(-2).map((entry) => entry.szProtocol)).toEqual([
      'MSAFD Tcpip [UDP/IP]',
      'MSAFD Tcpip [UDP/IPv6]',
    ]);
  });

  test.each([
    ['SO_PROTOCOL_INFOW', SO_PROTOCOL_INFOW, 628],
    ['SO_PROTOCOL_INFOA', SO_PROTOCOL_INFOA, 372],
  ])('SEM-OPT-10 %s needs its whole structure and says so', async (_name, option, size) => {
    const { a } = await pair();
    const s = await tcp(a);
    const length: Ref = { value: 10 };
    expect(await a.getsockopt(s, SOL_SOCKET, option, new Uint8Array(10), length)).toBe(-WSAEFAULT);
    expect(length.value).toBe(size);
    expect(await a.getsockopt(s, SOL_SOCKET, option, new Uint8Array(size), length)).toBe(0);
  });
});

overEveryAttachment('dead handles', (pair) => {
  test.each([0, 4, 255, 0xffffffff, -1, 2 ** 33])(
    'SEM-C-04 the handle %d is WSAENOTSOCK before its pointers are looked at',
    async (handle) => {
      const { a } = await pair();
      await tcp(a);
      expect(await a.getpeername(handle, null, null)).toBe(-WSAENOTSOCK);
      expect(await a.recv(handle, null)).toBe(-WSAENOTSOCK);
      expect(await a.closesocket(handle)).toBe(-WSAENOTSOCK);
    },
  );

  test('a closed socket is WSAENOTSOCK, and so is an event object', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const event = await ok(a.WSACreateEvent());
    await ok(a.closesocket(s));
    expect(await a.closesocket(s)).toBe(-WSAENOTSOCK);
    expect(await a.closesocket(event)).toBe(-WSAENOTSOCK);
  });
});

overEveryAttachment('WSADuplicateSocket', (pair) => {
  test('SEM-DUP-01 the process’s own id gives a second descriptor of the same socket', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    await ok(a.WSADuplicateSocket(client, process.pid, info));
    const all = FROM_PROTOCOL_INFO;
    const second = await ok(a.WSASocket(all, all, all, info.value));
    expect(second).not.toBe(client);
    expect(await localName(a, second)).toEqual(await localName(a, client));
    await ok(a.send(second, text('hi')));
    expect(await receiveText(b, server)).toBe('hi');
  });

  test('SEM-DUP-01 the info opens it once only', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    await ok(a.WSADuplicateSocket(s, process.pid, info));
    await ok(a.WSASocket(0, 0, 0, info.value));
    expect(await a.WSASocket(0, 0, 0, info.value)).toBeLessThan(0);
  });

  test('SEM-DUP-03 the socket lives until its last descriptor is closed', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    await ok(a.WSADuplicateSocket(client, process.pid, info));
    const second = await ok(a.WSASocket(0, 0, 0, info.value));
    await ok(a.closesocket(client));
    await ok(a.send(second, text('alive')));
    expect(await receiveText(b, server)).toBe('alive');
    await ok(a.closesocket(second));
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('API-WSADuplicateSocket an unknown process is WSAEINVAL before the missing pointer', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.WSADuplicateSocket(s, 0, null)).toBe(-WSAEINVAL);
    expect(await a.WSADuplicateSocket(s, process.pid, null)).toBe(-WSAEFAULT);
    expect(await a.bind(s, name('0.0.0.0', 0))).toBe(0);
  });
});
