import { describe, expect, test } from '@jest/globals';
import {
  CF_ACCEPT,
  CF_DEFER,
  FD_ACCEPT,
  FD_ALL_EVENTS,
  FD_CLOSE,
  FD_CONNECT,
  FD_MAX_EVENTS,
  FD_OOB,
  FD_READ,
  FD_WRITE,
  type MSG,
  MSG_OOB,
  MSG_PEEK,
  SD_SEND,
  SO_LINGER,
  SO_OOBINLINE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  WM_USER,
  WSA_INFINITE,
  WSA_IO_PENDING,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEWOULDBLOCK,
  WSAGETSELECTERROR,
  WSAGETSELECTEVENT,
  type WSANETWORKEVENTS,
  WSATRY_AGAIN,
} from '../../src/abi/index.ts';
import type { WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  datagramPair,
  int,
  listening,
  name,
  ok,
  overEveryAttachment,
  type Pair,
  ready,
  tcp,
  text,
  udp,
} from './support.ts';

/**
 * The record of network events and its re-enabling (SEM-EV-*), the same steps by event object and by message. A row's
 * story answers, step by step, what was reported since the step before: names of events in the order of their bits, an error code
 * behind the colon.
 */

type Mode = 'event' | 'message';

const NAMES = [
  'READ',
  'WRITE',
  'OOB',
  'ACCEPT',
  'CONNECT',
  'CLOSE',
  'QOS',
  'GROUP_QOS',
  'ROUTING',
  'ADDRESSES',
];

/** A registration of one socket. */
interface Watch {
  /** What was reported and not taken yet. */
  take(): Promise<string>;
  /** The same, after waiting for something to be reported. */
  next(): Promise<string>;
  /** Registers anew in the same way. */
  again(mask: number): Promise<void>;
}

interface Story {
  readonly pair: Pair;
  readonly mode: Mode;
  watch(ws: Winsock, s: number, mask: number, mode?: Mode): Promise<Watch>;
}

function written(events: readonly (readonly [bit: number, error: number])[]): string {
  const inOrder = [...events].sort(([one], [other]) => one - other);
  return inOrder.map(([bit, error]) => NAMES[bit] + (error === 0 ? '' : `:${error}`)).join(' ');
}

/** One more way to the sockets and back: what was reported before has arrived then. */
async function settle(ws: Winsock, s: number): Promise<void> {
  await ws.getsockopt(s, SOL_SOCKET, 0x1008, new Uint8Array(4), { value: 4 });
}

async function byEvent(ws: Winsock, s: number, mask: number): Promise<Watch> {
  const event = await ok(ws.WSACreateEvent());
  await ok(ws.WSAEventSelect(s, event, mask));
  const fetch = async (): Promise<string> => {
    const found: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(ws.WSAEnumNetworkEvents(s, event, found));
    const events: [number, number][] = [];
    for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
      if ((found.lNetworkEvents & (1 << bit)) !== 0) events.push([bit, found.iErrorCode[bit] ?? 0]);
    }
    return written(events);
  };
  return {
    async take() {
      await settle(ws, s);
      const isSignaled = (await ws.WSAWaitForMultipleEvents(1, [event], false, 0)) === 0;
      const found = await fetch();
      // Nothing is recorded that the event object has not told of.
      expect(found !== '' && !isSignaled).toBe(false);
      return found;
    },
    async next() {
      expect(await ws.WSAWaitForMultipleEvents(1, [event], false, WSA_INFINITE)).toBe(0);
      return fetch();
    },
    again: async (newMask) => void (await ok(ws.WSAEventSelect(s, event, newMask))),
  };
}

async function byMessage(ws: Winsock, s: number, mask: number): Promise<Watch> {
  const hWnd = await ok(ws.CreateWindow());
  await ok(ws.WSAAsyncSelect(s, hWnd, WM_USER, mask));
  const all = async (events: [number, number][]): Promise<string> => {
    const msg = {} as MSG;
    while ((await ws.PeekMessage(msg, hWnd)) === 1) events.push(eventIn(msg, s));
    return written(events);
  };
  return {
    async take() {
      await settle(ws, s);
      return all([]);
    },
    async next() {
      const msg = {} as MSG;
      expect(await ws.GetMessage(msg, hWnd)).toBe(1);
      return all([eventIn(msg, s)]);
    },
    again: async (newMask) => void (await ok(ws.WSAAsyncSelect(s, hWnd, WM_USER, newMask))),
  };
}

function eventIn({ wParam, lParam }: MSG, s: number): [number, number] {
  expect(wParam).toBe(s);
  return [Math.log2(WSAGETSELECTEVENT(lParam)), WSAGETSELECTERROR(lParam)];
}

/** Sends until there is no room, on a socket that is registered and so non-blocking. */
async function fill(ws: Winsock, s: number): Promise<number> {
  let total = 0;
  for (;;) {
    const sent = await ws.send(s, new Uint8Array(65536));
    if (sent === -WSAEWOULDBLOCK) return total;
    total += await ok(sent);
  }
}

async function drain(ws: Winsock, s: number, total: number): Promise<void> {
  const bytes = new Uint8Array(65536);
  for (let left = total; left > 0; ) left -= await ok(ws.recv(s, bytes));
}

async function reset(ws: Winsock, s: number): Promise<void> {
  await ok(ws.setsockopt(s, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
  await ok(ws.closesocket(s));
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);

interface Row {
  readonly title: string;
  readonly story: (story: Story) => Promise<string[]>;
  /** What both ways report, or each of them. */
  readonly reported:
    | readonly string[]
    | { readonly event: readonly string[]; readonly message: readonly string[] };
}

const ROWS: readonly Row[] = [
  {
    title: 'SEM-EV-01 data at the registration, data that is left by recv, data after that',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      await ok(pair.b.send(server, text('abc')));
      await ready(pair.a, client);
      const events = await watch(pair.a, client, FD_READ);
      const steps = [await events.next(), await events.take()];
      await ok(pair.a.recv(client, bytes(1)));
      steps.push(await events.next());
      await ok(pair.a.recv(client, bytes(9)));
      steps.push(await events.take());
      await ok(pair.b.send(server, text('d')));
      steps.push(await events.next());
      return steps;
    },
    reported: ['READ', '', 'READ', '', 'READ'],
  },
  {
    title: 'SEM-EV-01 recvfrom, WSARecv and WSARecvFrom re-enable FD_READ, each datagram by itself',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { s, peer, peerPort } = await datagramPair(pair);
      const events = await watch(b, peer, FD_READ);
      for (let i = 0; i < 4; i++) await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
      const steps = [await events.next()];
      await ok(b.recvfrom(peer, bytes(9)));
      steps.push(await events.next());
      await ok(b.WSARecv(peer, [bytes(9)], 1, { value: 0 }, { value: 0 }));
      steps.push(await events.next());
      await ok(b.WSARecvFrom(peer, [bytes(9)], 1, { value: 0 }, { value: 0 }));
      steps.push(await events.next());
      await ok(b.recv(peer, bytes(9)));
      steps.push(await events.take());
      return steps;
    },
    reported: ['READ', 'READ', 'READ', 'READ', ''],
  },
  {
    title: 'SEM-EV-01, SEM-EV-11 a peek, and a recv that fails, re-enable FD_READ as well',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_READ);
      expect(await pair.a.recv(client, bytes(9))).toBe(-WSAEWOULDBLOCK);
      const steps = [await events.take()];
      await ok(pair.b.send(server, text('ab')));
      steps.push(await events.next());
      await ok(pair.a.recv(client, bytes(9), 9, MSG_PEEK));
      steps.push(await events.next());
      expect(await pair.a.recv(client, bytes(9), 9, 0x4000)).toBeLessThan(0);
      steps.push(await events.next());
      return steps;
    },
    reported: ['', 'READ', 'READ', 'READ'],
  },
  {
    title:
      'SEM-EV-02, SEM-EV-16 FD_WRITE at the registration, not after a send that fits, again after WSAEWOULDBLOCK and room',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      await ok(pair.a.setsockopt(client, SOL_SOCKET, SO_SNDBUF, int(65536)));
      await ok(pair.b.setsockopt(server, SOL_SOCKET, SO_RCVBUF, int(65536)));
      const events = await watch(pair.a, client, FD_WRITE);
      const steps = [await events.next()];
      await ok(pair.a.send(client, text('x')));
      steps.push(await events.take());
      const total = 1 + (await fill(pair.a, client));
      steps.push(await events.take());
      await drain(pair.b, server, total);
      steps.push(await events.next());
      return steps;
    },
    reported: ['WRITE', '', '', 'WRITE'],
  },
  {
    title: 'SEM-EV-16 a send that succeeds does not take back FD_WRITE that waits to be fetched',
    async story({ pair, watch }) {
      const { client } = await connected(pair);
      const events = await watch(pair.a, client, FD_WRITE);
      await ok(pair.a.send(client, text('x')));
      return [await events.next()];
    },
    reported: ['WRITE'],
  },
  {
    title: 'SEM-EV-03 an urgent byte, and the next after the first was read',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_OOB | FD_READ);
      await ok(pair.b.send(server, text('!'), 1, MSG_OOB));
      const steps = [await events.next()];
      await ok(pair.a.recv(client, bytes(1), 1, MSG_OOB));
      steps.push(await events.take());
      await ok(pair.b.send(server, text('?'), 1, MSG_OOB));
      steps.push(await events.next());
      return steps;
    },
    reported: ['OOB', '', 'OOB'],
  },
  {
    title: 'SEM-EV-03 inline an urgent byte is FD_READ and no FD_OOB',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      await ok(pair.a.setsockopt(client, SOL_SOCKET, SO_OOBINLINE, int(1)));
      const events = await watch(pair.a, client, FD_OOB | FD_READ);
      await ok(pair.b.send(server, text('!'), 1, MSG_OOB));
      return [await events.next(), await events.take()];
    },
    reported: ['READ', ''],
  },
  {
    title: 'SEM-EV-04 a connection, the next that waits after accept, and none after the last',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { s, port } = await listening(b);
      for (let i = 0; i < 2; i++) await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      await ready(b, s);
      const events = await watch(b, s, FD_ACCEPT);
      const steps = [await events.next(), await events.take()];
      await ok(b.accept(s));
      steps.push(await events.next());
      await ok(b.WSAAccept(s));
      steps.push(await events.take());
      expect(await b.accept(s)).toBe(-WSAEWOULDBLOCK);
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      steps.push(await events.next());
      return steps;
    },
    reported: ['ACCEPT', '', 'ACCEPT', '', 'ACCEPT'],
  },
  {
    title: 'SEM-EV-04, SEM-COND-02 WSAAccept that defers does not re-enable FD_ACCEPT, the decision does',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { s, port } = await listening(b);
      const events = await watch(b, s, FD_ACCEPT);
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      const steps = [await events.next()];
      expect(await b.WSAAccept(s, null, null, () => CF_DEFER)).toBe(-WSATRY_AGAIN);
      steps.push(await events.take());
      await ok(b.WSAAccept(s, null, null, () => CF_ACCEPT));
      steps.push(await events.take());
      return steps;
    },
    reported: ['ACCEPT', '', ''],
  },
  {
    title: 'SEM-EV-05, SEM-EV-02, SEM-CONN-17 a connect that succeeds is FD_CONNECT with FD_WRITE, once',
    async story({ pair, watch }) {
      const { port } = await listening(pair.b);
      const s = await tcp(pair.a);
      const events = await watch(pair.a, s, FD_CONNECT | FD_WRITE | FD_READ);
      expect(await pair.a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      return [await events.next(), await events.take()];
    },
    reported: ['WRITE CONNECT', ''],
  },
  {
    title: 'SEM-EV-05, SEM-EV-25 a connect that fails is FD_CONNECT with its code alone, and so is the next',
    async story({ pair, watch }) {
      const s = await tcp(pair.a);
      const events = await watch(pair.a, s, FD_ALL_EVENTS);
      const steps: string[] = [];
      for (let i = 0; i < 2; i++) {
        expect(await pair.a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEWOULDBLOCK);
        steps.push(await events.next(), await events.take());
      }
      return steps;
    },
    reported: [`CONNECT:${WSAECONNREFUSED}`, '', `CONNECT:${WSAECONNREFUSED}`, ''],
  },
  {
    title: 'SEM-EV-06, SEM-EV-19 the peer’s FIN is FD_CLOSE with 0, once, and a reset after it is none',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.b, server, FD_CLOSE | FD_READ);
      await ok(pair.a.shutdown(client, SD_SEND));
      const steps = [await events.next()];
      expect(await pair.b.recv(server, bytes(1))).toBe(0);
      steps.push(await events.take());
      await reset(pair.a, client);
      await ready(pair.b, server);
      steps.push(await events.take());
      return steps;
    },
    reported: ['CLOSE', '', ''],
  },
  {
    title: 'SEM-EV-06, SEM-EV-19, SEM-EV-25 a reset is FD_CLOSE with WSAECONNABORTED',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.b, server, FD_CLOSE | FD_READ);
      await reset(pair.a, client);
      return [await events.next(), await events.take()];
    },
    reported: [`CLOSE:${WSAECONNABORTED}`, ''],
  },
  {
    title: 'SEM-EV-20 FD_CLOSE comes before all is read, and no FD_READ for the close itself',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      await ok(pair.a.send(client, text('ab')));
      await ok(pair.a.shutdown(client, SD_SEND));
      await ready(pair.b, server);
      // Data and FIN may come apart: both are there once the end was peeked behind the data.
      const found = [{ fd: server, events: 0, revents: 0 }];
      await ok(pair.b.WSAPoll(found, 1, -1));
      const events = await watch(pair.b, server, FD_CLOSE | FD_READ);
      const steps = [await events.next()];
      await ok(pair.b.recv(server, bytes(1)));
      steps.push(await events.next());
      await ok(pair.b.recv(server, bytes(9)));
      steps.push(await events.take());
      expect(await pair.b.recv(server, bytes(9))).toBe(0);
      steps.push(await events.take());
      return steps;
    },
    reported: ['READ CLOSE', 'READ', '', ''],
  },
  {
    title:
      'SEM-EV-07, SEM-EV-08, SEM-EV-09, SEM-EV-10 without their ioctls the other events are accepted and never come',
    async story({ pair, watch }) {
      const { s } = await bound(pair.a, udp);
      const events = await watch(pair.a, s, 0x3c0);
      return [await events.take()];
    },
    reported: [''],
  },
  {
    title: 'SEM-EV-13 a mask of 0 ends the registration; a later one finds what is true',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_READ);
      await events.again(0);
      await ok(pair.b.send(server, text('x')));
      await ready(pair.a, client);
      const steps = [await events.take()];
      await events.again(FD_READ);
      steps.push(await events.next());
      return steps;
    },
    reported: ['', 'READ'],
  },
  {
    title: 'SEM-EV-14 registering again: messages repeat what is true, an event object not what was fetched',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      await ok(pair.b.send(server, text('ab')));
      await ok(pair.b.send(server, text('!'), 1, MSG_OOB));
      await ok(pair.b.shutdown(server, SD_SEND));
      await ready(pair.a, client, 'except');
      await ok(pair.a.WSAPoll([{ fd: client, events: 0, revents: 0 }], 1, -1));
      const mask = FD_READ | FD_WRITE | FD_OOB | FD_CLOSE;
      const events = await watch(pair.a, client, mask);
      const steps = [await events.next(), await events.take()];
      await events.again(mask);
      steps.push(await events.take());
      await ok(pair.a.recv(client, bytes(1)));
      steps.push(await events.next());
      await events.again(FD_READ);
      steps.push(await events.take());
      return steps;
    },
    reported: {
      event: ['READ WRITE OOB CLOSE', '', '', 'READ OOB', ''],
      message: ['READ WRITE OOB CLOSE', '', 'READ WRITE OOB CLOSE', 'READ OOB', 'READ'],
    },
  },
  {
    title: 'SEM-EV-14 registering a listener again',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { s, port } = await listening(b);
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      await ready(b, s);
      const events = await watch(b, s, FD_ACCEPT);
      const steps = [await events.next()];
      await events.again(FD_ACCEPT);
      steps.push(await events.take());
      return steps;
    },
    reported: { event: ['ACCEPT', ''], message: ['ACCEPT', 'ACCEPT'] },
  },
  {
    title: 'SEM-EV-15 new data without a receive between signals an event object, and posts nothing',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_READ);
      await ok(pair.b.send(server, text('x')));
      const steps = [await events.next()];
      await ok(pair.b.send(server, text('y')));
      // Both bytes are there, and so is what was reported of the second.
      for (let have = 0; have < 2; ) {
        const count = { value: 0 };
        await new Promise((resolve) => setImmediate(resolve));
        await ok(pair.a.ioctlsocket(client, 0x4004667f, count));
        have = count.value;
      }
      steps.push(await events.take());
      await ok(pair.a.recv(client, bytes(1)));
      steps.push(await events.next());
      return steps;
    },
    reported: { event: ['READ', 'READ', 'READ'], message: ['READ', '', 'READ'] },
  },
  {
    title:
      'SEM-EV-15 a further connection without an accept between signals an event object, and posts nothing',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { s, port } = await listening(b);
      const events = await watch(b, s, FD_ACCEPT);
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      const steps = [await events.next()];
      const second = await tcp(a);
      await ok(a.connect(second, name(ADDRESS_B, port)));
      // A third that is refused shows that the second has been through the listener.
      await a.connect(await tcp(a), name(ADDRESS_B, 9));
      steps.push(await events.take());
      await ok(b.accept(s));
      steps.push(await events.next());
      return steps;
    },
    reported: { event: ['ACCEPT', 'ACCEPT', 'ACCEPT'], message: ['ACCEPT', '', 'ACCEPT'] },
  },
  {
    title:
      'SEM-EV-17 a connected socket reports FD_CONNECT to an event object, and FD_WRITE only to a window',
    async story({ pair, watch }) {
      const { client } = await connected(pair);
      const events = await watch(pair.a, client, FD_CONNECT | FD_WRITE);
      return [await events.next(), await events.take()];
    },
    reported: { event: ['WRITE CONNECT', ''], message: ['WRITE', ''] },
  },
  {
    title: 'SEM-EV-18 a datagram socket is writable at once; its connect is FD_CONNECT and FD_WRITE',
    async story({ pair, watch }) {
      const { s } = await bound(pair.a, udp);
      const events = await watch(pair.a, s, FD_CONNECT | FD_WRITE);
      const steps = [await events.next()];
      await ok(pair.a.connect(s, name(ADDRESS_B, 9)));
      steps.push(await events.take());
      return steps;
    },
    reported: { event: ['WRITE', 'WRITE CONNECT'], message: ['WRITE', 'CONNECT'] },
  },
  {
    title: 'SEM-EV-22 what a pending receive takes is no FD_READ',
    async story({ pair, watch }) {
      const { a, b } = pair;
      const { client, server } = await connected(pair);
      const events = await watch(a, client, FD_READ);
      const record: WSAOVERLAPPED = {
        Internal: 0,
        InternalHigh: 0,
        Offset: 0,
        OffsetHigh: 0,
        hEvent: await ok(a.WSACreateEvent()),
      };
      expect(await a.WSARecv(client, [bytes(9)], 1, null, { value: 0 }, record)).toBe(-WSA_IO_PENDING);
      await ok(b.send(server, text('abc')));
      expect(await a.WSAWaitForMultipleEvents(1, [record.hEvent], true, WSA_INFINITE)).toBe(0);
      const steps = [await events.take()];
      await ok(b.send(server, text('d')));
      steps.push(await events.next());
      return steps;
    },
    reported: ['', 'READ'],
  },
  {
    title: 'SEM-EV-23 events that are not selected stay recorded for a later registration',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_CLOSE);
      await ok(pair.b.send(server, text('x')));
      await ready(pair.a, client);
      const steps = [await events.take()];
      await events.again(FD_READ);
      steps.push(await events.next());
      return steps;
    },
    reported: ['', 'READ'],
  },
  {
    title: 'SEM-EV-26 an event may be stale: the data is gone before its recv',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_READ);
      await ok(pair.b.send(server, text('x')));
      const steps = [await events.next()];
      await ok(pair.a.recv(client, bytes(9)));
      expect(await pair.a.recv(client, bytes(9))).toBe(-WSAEWOULDBLOCK);
      steps.push(await events.take());
      return steps;
    },
    reported: ['READ', ''],
  },
  {
    title: 'SEM-SEL-13 select takes nothing from the record and re-enables nothing',
    async story({ pair, watch }) {
      const { client, server } = await connected(pair);
      const events = await watch(pair.a, client, FD_READ);
      await ok(pair.b.send(server, text('x')));
      await ready(pair.a, client);
      const steps = [await events.next()];
      await ready(pair.a, client);
      steps.push(await events.take());
      return steps;
    },
    reported: ['READ', ''],
  },
  {
    title: 'SEM-EV-12 the other kind of registration takes the place of this one, and finds its own',
    async story({ pair, watch, mode }) {
      const { client, server } = await connected(pair);
      await ok(pair.b.send(server, text('x')));
      await ready(pair.a, client);
      const first = await watch(pair.a, client, FD_READ | FD_CONNECT | FD_WRITE);
      const steps = [await first.next()];
      const other = mode === 'event' ? 'message' : 'event';
      const second = await watch(pair.a, client, FD_READ | FD_CONNECT | FD_WRITE, other);
      steps.push(await second.next());
      await ok(pair.a.recv(client, bytes(9)));
      await ok(pair.b.send(server, text('y')));
      steps.push(await second.next());
      if (mode === 'message') steps.push(await first.take());
      return steps;
    },
    reported: {
      event: ['READ WRITE CONNECT', 'READ WRITE', 'READ'],
      message: ['READ WRITE', 'READ WRITE CONNECT', 'READ', ''],
    },
  },
];

overEveryAttachment('network events', (pair) => {
  describe.each(['event', 'message'] as const)('by %s', (mode) => {
    test.each(ROWS)('$title', async ({ story, reported }) => {
      const watch: Story['watch'] = (ws, s, mask, how = mode) =>
        how === 'event' ? byEvent(ws, s, mask) : byMessage(ws, s, mask);
      const steps = await story({ pair: await pair(), mode, watch });
      expect(steps).toEqual('event' in reported ? reported[mode] : reported);
    });
  });
});
