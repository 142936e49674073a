import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  FROM_PROTOCOL_INFO,
  INVALID_HANDLE_VALUE,
  STATUS_PENDING,
  WSA_FLAG_OVERLAPPED,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { Ref, WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { OVERLAPPED_ENTRY, Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ended, pending, record, recordWithEvent } from './overlapped-support.ts';
import { bound, connected, ok, overEveryAttachment, text, udp, wsadata } from './support.ts';

/** How an operation is to be announced. */
type Notice = 'port' | 'event' | 'routine';

/** What happens, in some order. */
type Step =
  | { readonly do: 'open'; readonly stream: boolean; readonly withPort: boolean }
  | { readonly do: 'receive'; readonly socket: number; readonly notice: Notice; readonly flags: number }
  | { readonly do: 'send'; readonly socket: number; readonly notice: Notice; readonly length: number }
  | { readonly do: 'feed'; readonly socket: number; readonly length: number }
  | { readonly do: 'cancelOne'; readonly operation: number }
  | { readonly do: 'cancelAll'; readonly socket: number }
  | { readonly do: 'close'; readonly socket: number }
  | { readonly do: 'wait' };

const index = fc.nat({ max: 5 });
const notice = fc.constantFrom<Notice>('port', 'event', 'routine');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('open' as const), stream: fc.boolean(), withPort: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('receive' as const),
      socket: index,
      notice,
      flags: fc.constantFrom(0, 2, 8),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      socket: index,
      notice,
      length: fc.constantFrom(0, 1, 100, 60_000, 900_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('feed' as const),
      socket: index,
      length: fc.constantFrom(1, 50, 3000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cancelOne' as const), operation: fc.nat({ max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelAll' as const), socket: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), socket: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

/** A socket of host a, and what feeds it on host b. */
interface Opened {
  readonly s: number;
  readonly peer: number;
  readonly peerName: Uint8Array | null;
  readonly own: Uint8Array;
  readonly withPort: boolean;
}

interface Begun {
  readonly lpOverlapped: WSAOVERLAPPED;
  readonly socket: Opened;
  readonly notice: Notice;
  readonly event: number;
  told: number;
}

/** Does the steps, closes everything, and answers for each operation that began how often somebody was told. */
async function play(a: Winsock, b: Winsock, steps: readonly Step[]): Promise<Begun[]> {
  const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
  const open: Opened[] = [];
  const begun: Begun[] = [];
  const unused: WSAOVERLAPPED[] = [];
  const begin = async (
    socket: Opened,
    kind: Notice,
    start: (record: WSAOVERLAPPED, routine: (() => void) | null) => number | Promise<number>,
  ): Promise<void> => {
    // A routine has no place where completions are queued, and a packet needs a port.
    const how = socket.withPort ? (kind === 'routine' ? 'port' : kind) : kind === 'port' ? 'event' : kind;
    const event = how === 'event' ? await ok(a.WSACreateEvent()) : 0;
    const lpOverlapped = record(how === 'event' ? event | 1 : 0);
    const operation: Begun = { lpOverlapped, socket, notice: how, event, told: 0 };
    const answer = await start(lpOverlapped, how === 'routine' ? () => operation.told++ : null);
    if (answer === 0 || answer === -WSA_IO_PENDING) begun.push(operation);
    else unused.push(lpOverlapped);
  };
  for (const each of steps) {
    const socket = 'socket' in each ? open[each.socket % Math.max(open.length, 1)] : undefined;
    switch (each.do) {
      case 'open': {
        if (open.length >= 6) break;
        const opened = each.stream
          ? await openStream(a, b, each.withPort)
          : await openDatagram(a, b, each.withPort);
        if (each.withPort) await ok(a.CreateIoCompletionPort(opened.s, port, 1));
        open.push(opened);
        break;
      }
      case 'receive':
        if (socket === undefined) break;
        await begin(socket, each.notice, (of, routine) =>
          a.WSARecv(socket.s, [new Uint8Array(700)], 1, null, { value: each.flags }, of, routine),
        );
        break;
      case 'send':
        if (socket === undefined) break;
        await begin(socket, each.notice, (of, routine) =>
          a.WSASendTo(socket.s, [new Uint8Array(each.length)], 1, null, 0, socket.peerName, 16, of, routine),
        );
        break;
      case 'feed':
        if (socket === undefined) break;
        if (socket.peerName === null) await b.send(socket.peer, new Uint8Array(each.length));
        else await b.sendto(socket.peer, new Uint8Array(each.length), each.length, 0, socket.own, 16);
        break;
      case 'cancelOne': {
        const operation = begun[each.operation % Math.max(begun.length, 1)];
        if (operation !== undefined) await a.CancelIoEx(operation.socket.s, operation.lpOverlapped);
        break;
      }
      case 'cancelAll':
        if (socket !== undefined) await a.CancelIo(socket.s);
        break;
      case 'close':
        if (socket === undefined) break;
        open.splice(open.indexOf(socket), 1);
        await ok(a.closesocket(socket.s));
        await b.closesocket(socket.peer);
        break;
      default:
        await a.SleepEx(1, true);
    }
  }
  for (const { s, peer } of open) {
    await a.closesocket(s);
    await b.closesocket(peer);
  }
  await settle(a, port, begun);
  expect(unused.filter(({ Internal }) => Internal === STATUS_PENDING)).toEqual([]);
  await ok(a.CloseHandle(port));
  return begun;
}

/** Takes every notice that there is, until everybody was told, and then looks whether there is one too many. */
async function settle(a: Winsock, port: number, begun: readonly Begun[]): Promise<void> {
  const byRecord = new Map(begun.map((operation) => [operation.lpOverlapped, operation]));
  const drain = async (): Promise<void> => {
    await a.SleepEx(1, true);
    for (;;) {
      const entries: OVERLAPPED_ENTRY[] = [];
      if ((await a.GetQueuedCompletionStatusEx(port, entries, 64, { value: 0 }, 0)) < 0) break;
      for (const { lpOverlapped } of entries) {
        const operation = lpOverlapped === null ? undefined : byRecord.get(lpOverlapped);
        expect(operation).toBeDefined();
        if (operation !== undefined) operation.told++;
      }
    }
    for (const operation of begun) {
      if (operation.notice !== 'event') continue;
      if ((await a.WSAWaitForMultipleEvents(1, [operation.event], true, 0)) === 0) {
        operation.told++;
        await ok(a.WSAResetEvent(operation.event));
      }
    }
  };
  for (let i = 0; i < 500 && begun.some(({ told }) => told === 0); i++) await drain();
  await drain();
}

async function openStream(a: Winsock, b: Winsock, withPort: boolean): Promise<Opened> {
  const { client, server, listener } = await connected({ a, b });
  await ok(b.closesocket(listener));
  return { s: client, peer: server, peerName: null, own: new Uint8Array(16), withPort };
}

async function openDatagram(a: Winsock, b: Winsock, withPort: boolean): Promise<Opened> {
  const { s } = await bound(a, udp, ADDRESS_A);
  const { s: peer } = await bound(b, udp, ADDRESS_B);
  const [own, peerName] = [new Uint8Array(16), new Uint8Array(16)];
  await ok(a.getsockname(s, own));
  await ok(b.getsockname(peer, peerName));
  return { s, peer, peerName, own, withPort };
}

overEveryAttachment('operations in any order', (pair) => {
  test('SEM-OV-05, SEM-OV-06, SEM-OV-12, SEM-OV-13 every operation that begins completes exactly once, however it is cancelled and closed', async () => {
    const { a, b } = await pair();
    let operations = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const opening: Step[] = [
          { do: 'open', stream: true, withPort: true },
          { do: 'open', stream: false, withPort: false },
        ];
        const begun = await play(a, b, [...opening, ...steps]);
        operations += begun.length;
        expect(begun.map(({ told }) => told)).toEqual(begun.map(() => 1));
        expect(begun.filter(({ lpOverlapped }) => lpOverlapped.Internal === STATUS_PENDING)).toEqual([]);
      }),
      { numRuns: 25, endOnFailure: true },
    );
    expect(operations).toBeGreaterThan(50);
  }, 60_000);
});

overEveryAttachment('operations of two processes on one socket', (pair) => {
  test('SEM-DUP-03, SEM-OV-12, SEM-OV-13 each process cancels and closes its own; the other’s go on', async () => {
    const { a, b, processOn } = await pair();
    const { client, server } = await connected({ a, b });
    const other = await processOn('a');
    await ok(other.WSAStartup(0x0202, wsadata()));
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    await ok(a.WSADuplicateSocket(client, process.pid, info));
    const any = FROM_PROTOCOL_INFO;
    const duplicate = await ok(other.WSASocket(any, any, any, info.value, 0, WSA_FLAG_OVERLAPPED));
    const [mine, theirs] = [await recordWithEvent(a), await recordWithEvent(other)];
    const [first, second] = [new Uint8Array(4), new Uint8Array(4)];
    await pending(a.WSARecv(client, [first], 1, null, { value: 0 }, mine));
    await pending(other.WSARecv(duplicate, [second], 1, null, { value: 0 }, theirs));
    expect(await other.CancelIoEx(duplicate, mine)).toBe(-1168);
    expect(await a.CancelIo(client)).toBe(1);
    expect(await ended(a, client, mine)).toEqual([WSA_OPERATION_ABORTED, 0]);
    await pending(a.WSARecv(client, [first], 1, null, { value: 0 }, mine));
    await ok(b.send(server, text('for')));
    expect(await ended(other, duplicate, theirs)).toEqual([0, 3]);
    await ok(a.closesocket(client));
    expect(await a.WSAWaitForMultipleEvents(1, [mine.hEvent], true, 5000)).toBe(0);
    await pending(other.WSARecv(duplicate, [second], 1, null, { value: 0 }, theirs));
    await ok(b.send(server, text('you')));
    expect(await ended(other, duplicate, theirs)).toEqual([0, 3]);
    // A process that gives Winsock up leaves the other's alone too.
    await pending(other.WSARecv(duplicate, [second], 1, null, { value: 0 }, theirs));
    await ok(a.WSACleanup());
    await ok(b.send(server, text('end')));
    expect(await ended(other, duplicate, theirs)).toEqual([0, 3]);
  });
});
