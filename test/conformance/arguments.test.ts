/** What every call on a socket checks first: WSAStartup, then the handle, then the memory (SEM-C-*). */

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSANOTINITIALISED,
} from '../../src/abi/index.ts';
import type { Answer } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import {
  bound,
  connected,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

/** A call with nothing but missing pointers, so that whatever is checked before them shows. */
type Bare = readonly [name: string, call: (ws: Winsock, s: number) => Answer];

const CALLS: readonly Bare[] = [
  ['API-accept', (ws, s) => ws.accept(s, null, null)],
  ['API-bind', (ws, s) => ws.bind(s, null, 16)],
  ['API-closesocket', (ws, s) => ws.closesocket(s)],
  ['API-connect', (ws, s) => ws.connect(s, null, 16)],
  ['API-getpeername', (ws, s) => ws.getpeername(s, null, null)],
  ['API-getsockname', (ws, s) => ws.getsockname(s, null, null)],
  ['API-getsockopt', (ws, s) => ws.getsockopt(s, SOL_SOCKET, 0x1008, null, null)],
  ['API-setsockopt', (ws, s) => ws.setsockopt(s, SOL_SOCKET, 0x1001, null, 4)],
  ['API-ioctlsocket', (ws, s) => ws.ioctlsocket(s, 0x8004667e, null)],
  ['API-listen', (ws, s) => ws.listen(s, 1)],
  ['API-recv', (ws, s) => ws.recv(s, null, 1)],
  ['API-recvfrom', (ws, s) => ws.recvfrom(s, null, 1)],
  ['API-send', (ws, s) => ws.send(s, null, 1)],
  ['API-sendto', (ws, s) => ws.sendto(s, null, 1, 0, null, 16)],
  ['API-shutdown', (ws, s) => ws.shutdown(s, 99)],
  ['API-WSARecvEx', (ws, s) => ws.WSARecvEx(s, null, 1, null)],
  ['API-WSAAccept', (ws, s) => ws.WSAAccept(s, null, null, null)],
  ['API-WSAConnect', (ws, s) => ws.WSAConnect(s, null, 16)],
  ['API-WSAConnectByList', (ws, s) => ws.WSAConnectByList(s, null)],
  ['API-WSASend', (ws, s) => ws.WSASend(s, null, 1, null)],
  ['API-WSASendTo', (ws, s) => ws.WSASendTo(s, null, 1, null, 0, null, 16)],
  ['API-WSARecv', (ws, s) => ws.WSARecv(s, null, 1, null, null)],
  ['API-WSARecvFrom', (ws, s) => ws.WSARecvFrom(s, null, 1, null, null)],
  ['API-WSASendDisconnect', (ws, s) => ws.WSASendDisconnect(s, null)],
  ['API-WSARecvDisconnect', (ws, s) => ws.WSARecvDisconnect(s, null)],
  ['API-WSAJoinLeaf', (ws, s) => ws.WSAJoinLeaf(s, null, 0, null, null, null, null, 0)],
  ['API-WSAIoctl', (ws, s) => ws.WSAIoctl(s, 0, null, 0, null, 0, null)],
  ['API-WSADuplicateSocket', (ws, s) => ws.WSADuplicateSocket(s, 0, null)],
  ['API-WSAEventSelect', (ws, s) => ws.WSAEventSelect(s, 0, 0)],
  ['API-WSAEnumNetworkEvents', (ws, s) => ws.WSAEnumNetworkEvents(s, 0, null)],
  ['API-WSAHtonl', (ws, s) => ws.WSAHtonl(s, 0, null)],
  ['API-WSAHtons', (ws, s) => ws.WSAHtons(s, 0, null)],
  ['API-WSANtohl', (ws, s) => ws.WSANtohl(s, 0, null)],
  ['API-WSANtohs', (ws, s) => ws.WSANtohs(s, 0, null)],
  ['API-WSAGetQOSByName', (ws, s) => ws.WSAGetQOSByName(s, null, null)],
];

/** Calls without a socket. */
const OTHERS: readonly (readonly [name: string, call: (ws: Winsock) => Answer])[] = [
  ['API-socket', (ws) => ws.socket(2, 1, 6)],
  ['API-WSASocket', (ws) => ws.WSASocket(2, 1, 6)],
  ['API-select', (ws) => ws.select(0, null)],
  ['API-WSAPoll', (ws) => ws.WSAPoll([], 0, 0)],
  ['API-WSAEnumProtocols', (ws) => ws.WSAEnumProtocols(null, null, null)],
  ['API-WSACleanup', (ws) => ws.WSACleanup()],
];

overEveryAttachment('what is checked first', (pair) => {
  test.each([...CALLS, ...OTHERS])(
    'SEM-C-01, SEM-VER-17, %s before WSAStartup is WSANOTINITIALISED',
    async (_name, call) => {
      const ws = await (await pair()).processOn('a');
      expect(await call(ws, 256)).toBe(-WSANOTINITIALISED);
    },
  );

  test.each(CALLS)(
    'SEM-C-04, %s a handle that is none is WSAENOTSOCK, whatever else is wrong',
    async (_name, call) => {
      const { a } = await pair();
      const dead = await tcp(a);
      await ok(a.closesocket(dead));
      const event = await ok(a.WSACreateEvent());
      const handles = [
        0,
        1,
        3,
        255,
        dead + 1,
        event,
        dead + 4000,
        -1,
        0xffff_ffff,
        2 ** 32 + dead,
        2 ** 53,
        Number.NaN,
        0.5,
      ];
      for (const s of handles) expect(await call(a, s)).toBe(-WSAENOTSOCK);
    },
  );
});

/** Calls on a socket in the right state whose memory is wrong, each in several ways. */
const FAULTS: readonly (readonly [name: string, call: (ws: Winsock, s: number) => Answer[]])[] = [
  ['API-send', (ws, s) => [ws.send(s, null, 1), ws.send(s, text('x'), 2), ws.send(s, text('x'), -1)]],
  [
    'API-recv',
    (ws, s) => [ws.recv(s, null, 1), ws.recv(s, new Uint8Array(1), 2), ws.recv(s, new Uint8Array(1), -1)],
  ],
  ['API-sendto', (ws, s) => [ws.sendto(s, null, 1, 0, null), ws.sendto(s, text('x'), 2, 0, null)]],
  ['API-recvfrom', (ws, s) => [ws.recvfrom(s, null, 1), ws.recvfrom(s, new Uint8Array(1), 9)]],
  [
    'API-WSARecvEx',
    (ws, s) => [ws.WSARecvEx(s, null, 1, { value: 0 }), ws.WSARecvEx(s, new Uint8Array(1), 1, null)],
  ],
  [
    'API-WSASend',
    (ws, s) => [
      ws.WSASend(s, null, 1, { value: 0 }),
      ws.WSASend(s, [text('x')], 2, { value: 0 }),
      ws.WSASend(s, [text('x')], 1, null),
      ws.WSASend(s, [text('x')], -1, { value: 0 }),
    ],
  ],
  [
    'API-WSASendTo',
    (ws, s) => [
      ws.WSASendTo(s, null, 1, { value: 0 }, 0, null),
      ws.WSASendTo(s, [text('x')], 1, null, 0, null),
    ],
  ],
  [
    'API-WSARecv',
    (ws, s) => [
      ws.WSARecv(s, null, 1, { value: 0 }, { value: 0 }),
      ws.WSARecv(s, [new Uint8Array(1)], 2, { value: 0 }, { value: 0 }),
      ws.WSARecv(s, [new Uint8Array(1)], 1, null, { value: 0 }),
      ws.WSARecv(s, [new Uint8Array(1)], 1, { value: 0 }, null),
    ],
  ],
  [
    'API-WSARecvFrom',
    (ws, s) => [
      ws.WSARecvFrom(s, null, 1, { value: 0 }, { value: 0 }),
      ws.WSARecvFrom(s, [new Uint8Array(1)], 1, { value: 0 }, null),
    ],
  ],
  [
    'API-getpeername',
    (ws, s) => [
      ws.getpeername(s, null, { value: 16 }),
      ws.getpeername(s, new Uint8Array(16), null),
      ws.getpeername(s, new Uint8Array(15)),
      ws.getpeername(s, new Uint8Array(16), { value: 15 }),
      ws.getpeername(s, new Uint8Array(16), { value: 17 }),
      ws.getpeername(s, new Uint8Array(16), { value: -1 }),
    ],
  ],
  [
    'API-getsockname',
    (ws, s) => [
      ws.getsockname(s, null, { value: 16 }),
      ws.getsockname(s, new Uint8Array(15)),
      ws.getsockname(s, new Uint8Array(16), { value: 0 }),
    ],
  ],
];

overEveryAttachment('memory that is not there', (pair) => {
  test.each(FAULTS)('SEM-C-05, %s is WSAEFAULT, and the connection goes on', async (_name, calls) => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('x')));
    for (const answer of calls(b, server)) expect(await answer).toBe(-WSAEFAULT);
    await ok(b.send(server, text('y')));
    expect(await a.recv(client, new Uint8Array(1))).toBe(1);
  });

  test('API-accept too little room for the name is WSAEFAULT, and the caller still waits', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(a.connect(await tcp(a), name('10.0.0.2', port)));
    expect(await b.accept(s, new Uint8Array(16), { value: 15 })).toBe(-WSAEFAULT);
    expect(await b.accept(s, new Uint8Array(15), { value: 16 })).toBe(-WSAEFAULT);
    expect(await b.accept(s, new Uint8Array(16), null)).toBe(-WSAEFAULT);
    await ok(b.accept(s));
  });

  test('API-getpeername, API-getsockname the state comes before the memory', async () => {
    const { a } = await pair();
    expect(await a.getpeername(await tcp(a), null, null)).toBe(-WSAENOTCONN);
    expect(await a.getsockname(await tcp(a), null, null)).toBe(-WSAEINVAL);
    const { s } = await bound(a, udp);
    expect(await a.getpeername(s, null, null)).toBe(-WSAENOTCONN);
    expect(await a.getsockname(s, null, null)).toBe(-WSAEFAULT);
  });
});

/** Numbers that a program may pass where it means a length, a flag or a pointer's content. */
const wild = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    15,
    16,
    17,
    2 ** 31,
    2 ** 32,
    -(2 ** 31),
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0.5,
  ),
  fc.integer(),
);
const memory = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
const place = fc.option(
  wild.map((value) => ({ value })),
  { nil: null },
);
const list = fc.option(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 }), { nil: null });

/** Calls with arguments of the right kinds and any content; none of them waits on a non-blocking socket. */
type Wild = readonly [
  name: string,
  args: fc.Arbitrary<readonly unknown[]>,
  call: (ws: Winsock, s: number, args: readonly unknown[]) => Answer,
];

function wildly<A extends readonly unknown[]>(
  name: string,
  args: { [K in keyof A]: fc.Arbitrary<A[K]> },
  call: (ws: Winsock, s: number, ...args: A) => Answer,
): Wild {
  const all = fc.tuple(...(args as unknown as fc.Arbitrary<unknown>[]));
  return [name, all, (ws, s, given) => call(ws, s, ...(given as unknown as A))];
}

type Bytes = Uint8Array | null;
type Place = { value: number } | null;
type List = Uint8Array[] | null;

const WILD: readonly Wild[] = [
  wildly<[Bytes, number, number]>('API-send', [memory, wild, wild], (ws, s, ...a) => ws.send(s, ...a)),
  wildly<[Bytes, number, number]>('API-recv', [memory, wild, wild], (ws, s, ...a) => ws.recv(s, ...a)),
  wildly<[Bytes, number, number, Bytes, number]>(
    'API-sendto',
    [memory, wild, wild, memory, wild],
    (ws, s, ...a) => ws.sendto(s, ...a),
  ),
  wildly<[Bytes, number, number, Bytes, Place]>(
    'API-recvfrom',
    [memory, wild, wild, memory, place],
    (ws, s, ...a) => ws.recvfrom(s, ...a),
  ),
  wildly<[Bytes, number, Place]>('API-WSARecvEx', [memory, wild, place], (ws, s, ...a) =>
    ws.WSARecvEx(s, ...a),
  ),
  wildly<[List, number, Place, number]>('API-WSASend', [list, wild, place, wild], (ws, s, ...a) =>
    ws.WSASend(s, ...a),
  ),
  wildly<[List, number, Place, number, Bytes, number]>(
    'API-WSASendTo',
    [list, wild, place, wild, memory, wild],
    (ws, s, ...a) => ws.WSASendTo(s, ...a),
  ),
  wildly<[List, number, Place, Place]>('API-WSARecv', [list, wild, place, place], (ws, s, ...a) =>
    ws.WSARecv(s, ...a),
  ),
  wildly<[List, number, Place, Place, Bytes, Place]>(
    'API-WSARecvFrom',
    [list, wild, place, place, memory, place],
    (ws, s, ...a) => ws.WSARecvFrom(s, ...a),
  ),
  wildly<[Bytes, number]>('API-bind', [memory, wild], (ws, s, ...a) => ws.bind(s, ...a)),
  wildly<[number]>('API-listen', [wild], (ws, s, ...a) => ws.listen(s, ...a)),
  wildly<[Bytes, Place]>('API-accept', [memory, place], (ws, s, ...a) => ws.accept(s, ...a)),
  wildly<[Bytes, Place]>('API-getsockname', [memory, place], (ws, s, ...a) => ws.getsockname(s, ...a)),
  wildly<[Bytes, Place]>('API-getpeername', [memory, place], (ws, s, ...a) => ws.getpeername(s, ...a)),
  wildly<[number]>('API-shutdown', [wild], (ws, s, ...a) => ws.shutdown(s, ...a)),
  wildly<[number]>('API-WSADuplicateSocket', [wild], (ws, s, pid) =>
    ws.WSADuplicateSocket(s, pid, { value: null }),
  ),
  wildly<[Bytes, number, number]>('API-WSAJoinLeaf', [memory, wild, wild], (ws, s, name, length, role) =>
    ws.WSAJoinLeaf(s, name, length, null, null, null, null, role),
  ),
  wildly<[number, number, number]>('API-WSASocket', [wild, wild, wild], (ws, _s, ...a) =>
    ws.WSASocket(...a, null, 0, a[0]),
  ),
];

overEveryAttachment('arguments of any content', (pair) => {
  test.each(WILD)(
    'SEM-C-05, %s answers a number, whatever it is given, and the sockets go on',
    async (_name, args, call) => {
      const { a, b } = await pair();
      const { client, server } = await connected({ a, b });
      const sockets = [(await bound(a, udp)).s, await tcp(a), (await listening(a)).s, await udp(a)];
      for (const s of sockets) await nonBlocking(a, s);
      await fc.assert(
        fc.asyncProperty(args, fc.nat({ max: sockets.length - 1 }), async (given, which) => {
          const answer = await call(a, sockets[which] as number, given);
          expect(Number.isInteger(answer)).toBe(true);
          expect(answer).toBeGreaterThan(-20_000);
        }),
        { numRuns: 60 },
      );
      await ok(b.send(server, text('on')));
      expect(await receiveText(a, client)).toBe('on');
    },
  );
});
