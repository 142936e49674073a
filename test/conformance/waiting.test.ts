import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  WSA_INFINITE,
  WSA_IO_PENDING,
  WSA_WAIT_IO_COMPLETION,
  WSAEFAULT,
  WSAEINVAL,
  WSAETIMEDOUT,
  type WSAPROTOCOL_INFO,
  XP1_IFS_HANDLES,
} from '../../src/abi/index.ts';
import { createLocalHost } from '../../src/app/local.ts';
import type { BehaviorProfile } from '../../src/port/index.ts';
import { baseEntries, Catalog, type WSAOVERLAPPED, type WSPPROC_TABLE } from '../../src/spi/index.ts';
import { __WSAFDIsSet, MAKEWORD, type Winsock, WinsockProcess, winsockOf } from '../../src/winsock/index.ts';
import {
  bound,
  connected,
  int,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  type Pair,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

const AT_ONCE = { tv_sec: 0, tv_usec: 0 };

const record = (): WSAOVERLAPPED => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 });

/** Whether a call waits still, after one more way to the sockets and back. */
async function waits(ws: Winsock, call: number | Promise<number>): Promise<boolean> {
  const other = await udp(ws);
  await ok(ws.closesocket(other));
  return (await Promise.race([call, Promise.resolve('waits')])) === 'waits';
}

/** Calls that wait on a blocking socket: how to begin one, and the socket that they wait on. */
const BLOCKING: readonly [string, (pair: Pair) => Promise<{ s: number; call: number | Promise<number> }>][] =
  [
    ['accept', async ({ a }) => listening(a).then(({ s }) => ({ s, call: a.accept(s) }))],
    ['WSAAccept', async ({ a }) => listening(a).then(({ s }) => ({ s, call: a.WSAAccept(s) }))],
    [
      'connect',
      async ({ a }) => {
        const s = await tcp(a);
        return { s, call: a.connect(s, name('10.0.0.77', 9)) };
      },
    ],
    [
      'WSAConnect',
      async ({ a }) => {
        const s = await tcp(a);
        return { s, call: a.WSAConnect(s, name('10.0.0.77', 9)) };
      },
    ],
    ['recv', async ({ a }) => bound(a, udp).then(({ s }) => ({ s, call: a.recv(s, new Uint8Array(1)) }))],
    [
      'recvfrom',
      async ({ a }) => bound(a, udp).then(({ s }) => ({ s, call: a.recvfrom(s, new Uint8Array(1)) })),
    ],
    [
      'WSARecv',
      async ({ a }) =>
        bound(a, udp).then(({ s }) => ({
          s,
          call: a.WSARecv(s, [new Uint8Array(1)], 1, { value: 0 }, { value: 0 }),
        })),
    ],
    [
      'WSARecvFrom',
      async ({ a }) =>
        bound(a, udp).then(({ s }) => ({
          s,
          call: a.WSARecvFrom(s, [new Uint8Array(1)], 1, { value: 0 }, { value: 0 }),
        })),
    ],
    [
      'send',
      async (pair) => {
        const { client } = await connected(pair);
        return { s: client, call: pair.a.send(client, new Uint8Array(32 << 20)) };
      },
    ],
    [
      'WSASend',
      async (pair) => {
        const { client } = await connected(pair);
        return { s: client, call: pair.a.WSASend(client, [new Uint8Array(32 << 20)], 1, { value: 0 }) };
      },
    ],
    ['select', async ({ a }) => bound(a, udp).then(({ s }) => ({ s, call: a.select(0, { fd_array: [s] }) }))],
    [
      'WSAPoll',
      async ({ a }) =>
        bound(a, udp).then(({ s }) => ({
          s,
          call: a.WSAPoll([{ fd: s, events: 0x100, revents: 0 }], 1, -1),
        })),
    ],
  ];

const NEVER_BLOCKING: readonly [string, (ws: Winsock, s: number) => number | Promise<number>][] = [
  ['bind', (ws, s) => ws.bind(s, name('0.0.0.0', 0))],
  ['listen', (ws, s) => ws.listen(s, 1)],
  ['getsockname', (ws, s) => ws.getsockname(s, new Uint8Array(16))],
  ['getpeername', (ws, s) => ws.getpeername(s, new Uint8Array(16))],
  ['getsockopt', (ws, s) => ws.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(4))],
  ['setsockopt', (ws, s) => ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, int(5))],
  ['shutdown', (ws, s) => ws.shutdown(s, 1)],
];

overEveryAttachment('blocking calls', (pair) => {
  test.each(BLOCKING)(
    'SEM-BLK-01, SEM-BLK-02, SEM-BLK-08 %s waits on a blocking socket, until that is closed',
    async (_name, begin) => {
      const hosts = await pair();
      const { s, call } = await begin(hosts);
      expect(await waits(hosts.a, call)).toBe(true);
      await hosts.a.closesocket(s);
      expect(typeof (await call)).toBe('number');
    },
  );

  test('SEM-BLK-02 closesocket waits for as long as SO_LINGER says', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await nonBlocking(a, client);
    while ((await a.send(client, new Uint8Array(65536))) > 0) {}
    await ok(a.ioctlsocket(client, 0x8004667e, { value: 0 }));
    await ok(a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 60, 0)));
    const closing = a.closesocket(client);
    expect(await waits(a, closing)).toBe(true);
    const bytes = new Uint8Array(65536);
    while ((await ok(b.recv(server, bytes))) > 0) {}
    await ok(b.closesocket(server));
    expect(await closing).toBe(0);
  });

  test.each(NEVER_BLOCKING)('SEM-BLK-02 %s answers at once', async (_name, call) => {
    const { a } = await pair();
    expect(typeof (await call(a, await tcp(a)))).toBe('number');
  });

  test('SEM-BLK-07 SO_RCVTIMEO ends receives, SO_SNDTIMEO sends, and neither an overlapped one', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, int(30)));
    await ok(a.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, int(30)));
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAETIMEDOUT);
    expect(await a.WSARecv(client, [new Uint8Array(1)], 1, null, { value: 0 }, record())).toBe(
      -WSA_IO_PENDING,
    );
    const sent = await a.send(client, new Uint8Array(32 << 20));
    // What was taken before the end counts (SEM-OV-13).
    expect(sent === -WSAETIMEDOUT || (sent > 0 && sent < 32 << 20)).toBe(true);
    expect(await a.WSASend(client, [new Uint8Array(32 << 20)], 1, null, 0, record())).toBe(-WSA_IO_PENDING);
  });

  test('SEM-BLK-03 a completion routine runs in a blocking call, which goes on', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { s, port } = await bound(a, udp);
    const seen: number[] = [];
    const routine = (_error: number, bytes: number): void => void seen.push(bytes);
    expect(await a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, record(), routine)).toBe(
      -WSA_IO_PENDING,
    );
    const receiving = a.recv(s, new Uint8Array(9));
    await ok(b.send(server, text('abc')));
    await ok(a.WSAPoll([{ fd: s, events: 0x10, revents: 0 }], 1, 0));
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([3]);
    expect(await waits(a, receiving)).toBe(true);
    await ok(b.sendto(await udp(b), text('xy'), 2, 0, name('10.0.0.1', port)));
    expect(await receiving).toBe(2);
  });

  test('SEM-BLK-03 routines that wait run when a blocking call begins to wait; a non-blocking one leaves them', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { s } = await bound(a, udp);
    const seen: number[] = [];
    await ok(b.send(server, text('abc')));
    await ok(a.select(0, { fd_array: [client] }));
    const routine = (_error: number, bytes: number): void => void seen.push(bytes);
    await a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, record(), routine);
    await nonBlocking(a, s);
    await a.recv(s, new Uint8Array(1));
    expect(seen).toEqual([]);
    expect(await a.select(0, { fd_array: [s] }, null, null, { tv_sec: 0, tv_usec: 1000 })).toBe(0);
    expect(seen).toEqual([3]);
  });

  test('API-WSAWaitForMultipleEvents: what is signaled wins over routines that wait', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const event = await ok(a.WSACreateEvent());
    const seen: number[] = [];
    const routine = (_error: number, bytes: number): void => void seen.push(bytes);
    await ok(b.send(server, text('ab')));
    await ok(a.select(0, { fd_array: [client] }));
    await a.WSARecv(client, [new Uint8Array(1)], 1, null, { value: 0 }, record(), routine);
    await a.WSARecv(client, [new Uint8Array(1)], 1, null, { value: 0 }, record(), routine);
    await ok(a.WSASetEvent(event));
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, WSA_INFINITE, true)).toBe(0);
    expect(seen).toEqual([]);
    await ok(a.WSAResetEvent(event));
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, WSA_INFINITE, true)).toBe(
      WSA_WAIT_IO_COMPLETION,
    );
    expect(seen).toEqual([1, 1]);
  });

  const WITHOUT_MEMORY: readonly [string, (ws: Winsock, s: number) => number | Promise<number>][] = [
    ['bind without a name', (ws, s) => ws.bind(s, null)],
    ['bind with a name that is too short', (ws, s) => ws.bind(s, new Uint8Array([2, 0, 0]), 3)],
    ['connect without a name', (ws, s) => ws.connect(s, null)],
    ['recv without a buffer', (ws, s) => ws.recv(s, null)],
    ['recv past its buffer', (ws, s) => ws.recv(s, new Uint8Array(1), 2)],
    ['send without a buffer', (ws, s) => ws.send(s, null)],
    ['WSARecv without a list', (ws, s) => ws.WSARecv(s, null, 1, { value: 0 }, { value: 0 })],
    ['WSARecv without flags', (ws, s) => ws.WSARecv(s, [new Uint8Array(1)], 1, { value: 0 }, null)],
    ['getsockopt without a value', (ws, s) => ws.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, null, { value: 4 })],
    [
      'setsockopt with a value that is too short',
      (ws, s) => ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(1)),
    ],
    ['ioctlsocket without an argument', (ws, s) => ws.ioctlsocket(s, 0x8004667e, null)],
    ['WSAEnumNetworkEvents without a place', (ws, s) => ws.WSAEnumNetworkEvents(s, 0, null)],
    ['WSAPoll without entries', (ws) => ws.WSAPoll(null, 1, 0)],
  ];
  test.each(WITHOUT_MEMORY)('SEM-C-05 %s is WSAEFAULT', async (_title, call) => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await call(a, _title.startsWith('bind') ? await udp(a) : s)).toBe(-WSAEFAULT);
  });
});

overEveryAttachment('select at large', (pair) => {
  test.each([-1, 0, 1, 0x7fff_ffff])('SEM-SEL-01, API-select does not look at nfds: %d', async (nfds) => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.select(nfds, null, { fd_array: [s] }, null, AT_ONCE)).toBe(1);
  });

  test('API-__WSAFDIsSet, API-select: who is left in a set', async () => {
    const { a } = await pair();
    const [one, two] = [(await bound(a, udp)).s, await tcp(a)];
    const writes = { fd_array: [one, two] };
    expect([__WSAFDIsSet(one, writes), __WSAFDIsSet(two, writes), __WSAFDIsSet(4, writes)]).toEqual([
      1, 1, 0,
    ]);
    expect(await a.select(0, null, writes, null, AT_ONCE)).toBe(1);
    expect([__WSAFDIsSet(one, writes), __WSAFDIsSet(two, writes)]).toEqual([1, 0]);
  });

  test('SEM-SEL-04 the one of 1,000 sockets that gets a datagram is found, in every set that it stands in', async () => {
    const { a, b } = await pair();
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => bound(a, udp, '10.0.0.1')));
    const all = sockets.map(({ s }) => s);
    const chosen = sockets[700] as { s: number; port: number };
    const [reads, others] = [{ fd_array: [...all] }, { fd_array: [...all] }];
    const selecting = a.select(0, reads, null, others, null);
    await ok(b.sendto(await udp(b), text('x'), 1, 0, name('10.0.0.1', chosen.port)));
    expect(await selecting).toBe(1);
    expect([reads.fd_array, others.fd_array]).toEqual([[chosen.s], []]);
    const [readable, writable] = [{ fd_array: [...all, ...all] }, { fd_array: [...all].reverse() }];
    expect(await a.select(0, readable, writable, null, null)).toBe(1001);
    expect([readable.fd_array, writable.fd_array]).toEqual([[chosen.s], [...all].reverse()]);
  });

  test('SEM-SEL-14 a completion routine runs while select waits, and does not end it', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { s: waited, port } = await bound(a, udp);
    const seen: number[] = [];
    const routine = (_error: number, bytes: number): void => void seen.push(bytes);
    await a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, record(), routine);
    const reads = { fd_array: [waited] };
    const selecting = a.select(0, reads, null, null, { tv_sec: 100, tv_usec: 0 });
    await ok(b.send(server, text('abc')));
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([3]);
    expect(await waits(a, selecting)).toBe(true);
    await ok(b.sendto(await udp(b), text('x'), 1, 0, name('10.0.0.1', port)));
    expect(await selecting).toBe(1);
  });

  test('SEM-SEL-06 a timeout that is no number is WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.select(0, { fd_array: [s] }, null, null, { tv_sec: Number.NaN, tv_usec: 0 })).toBe(
      -WSAEINVAL,
    );
  });
});

describe('select over several providers', () => {
  const LAYER = '11111111-2222-3333-4444-555555555555';

  /** A process whose UDP sockets belong to a layer that hands everything on; its TCP sockets to the base provider. */
  function layered(isIfs: boolean, profile: BehaviorProfile = 'windows') {
    const host = createLocalHost();
    const base = baseEntries(profile);
    const [tcpEntry, udpEntry] = base as [WSAPROTOCOL_INFO, WSAPROTOCOL_INFO];
    const chain = (entry: WSAPROTOCOL_INFO, id: number): WSAPROTOCOL_INFO => ({
      ...entry,
      ProviderId: LAYER,
      dwCatalogEntryId: id,
      ChainLen: 2,
      ChainEntries: [3000, entry.dwCatalogEntryId],
      dwServiceFlags1: isIfs ? entry.dwServiceFlags1 : entry.dwServiceFlags1 & ~XP1_IFS_HANDLES,
    });
    const catalog = new Catalog(
      [chain(udpEntry, 2001), ...base, chain(tcpEntry, 2002)],
      new Map([[LAYER, '/layer']]),
    );
    const process: WinsockProcess = new WinsockProcess({
      port: host.openSession(),
      catalog,
      profile,
      loadProvider: () => (version, data, info, upcalls, table) => {
        const next: Partial<WSPPROC_TABLE> = {};
        const error: number = process.base.WSPStartup(version, data, info, upcalls, next);
        Object.assign(table, next);
        return error;
      },
    });
    return { host, ws: winsockOf(process), chainOfTcp: chain(tcpEntry, 2002) };
  }

  async function started(isIfs: boolean, profile?: BehaviorProfile) {
    const { host, ws, chainOfTcp } = layered(isIfs, profile);
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const inLayer = await ok(ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    const inBase = await ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    const alsoInLayer = await ok(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, chainOfTcp));
    return { host, ws, inLayer, inBase, alsoInLayer };
  }

  test('SEM-SEL-07 sockets of the base provider and of a chain with real handles mix', async () => {
    const { host, ws, inLayer, inBase } = await started(true);
    expect(await ws.select(0, null, { fd_array: [inLayer, inBase] }, null, AT_ONCE)).toBe(1);
    expect(await ws.select(0, { fd_array: [inBase] }, { fd_array: [inLayer] }, null, AT_ONCE)).toBe(1);
    host.close();
  });

  test('SEM-SEL-07 those of a layer without do not, unless all are its own', async () => {
    const { host, ws, inLayer, inBase, alsoInLayer } = await started(false);
    expect(await ws.select(0, null, { fd_array: [inLayer, inBase] }, null, AT_ONCE)).toBe(-WSAEINVAL);
    expect(await ws.select(0, { fd_array: [inBase] }, { fd_array: [inLayer] }, null, AT_ONCE)).toBe(
      -WSAEINVAL,
    );
    expect(await ws.select(0, null, { fd_array: [inLayer, alsoInLayer] }, null, AT_ONCE)).toBe(1);
    host.close();
  });

  test('WM-05, WM-06 on Windows Mobile chains do not mix, the protocols of one provider do', async () => {
    const { host, ws, inLayer, inBase, alsoInLayer } = await started(true, 'windows-mobile');
    expect(await ws.select(0, null, { fd_array: [inLayer, inBase] }, null, AT_ONCE)).toBe(-WSAEINVAL);
    expect(await ws.select(0, null, { fd_array: [alsoInLayer, inLayer] }, null, AT_ONCE)).toBe(1);
    const six = await ok(ws.socket(23, SOCK_DGRAM, IPPROTO_UDP));
    expect(await ws.select(0, null, { fd_array: [inBase, six] }, null, AT_ONCE)).toBe(1);
    host.close();
  });
});
