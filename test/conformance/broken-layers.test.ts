/**
 * Every call of the 30, broken in every way, in layers of both kinds and at every depth: what a layer does wrong stays its own. Each call
 * of the application ends with a number, its other sockets go on, what it closes is closed, and no exception gets out.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FD_READ, SOCK_DGRAM, SOL_SOCKET } from '../../src/abi/index.ts';
import type { LocalHost } from '../../src/app/local.ts';
import { type LayerFault, type WSAOVERLAPPED, WSP_ENTRIES, type WSPPROC_TABLE } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { BrokenLayer, WAYS, type Way } from '../support/broken-layers.ts';
import { layeredOptions, passThrough, type TestLayer } from '../support/chains.ts';
import { joinedHosts, PumpedTime } from './attachment.ts';
import { bound, name, ok, receiveText, tcp, text, udp, wsadata } from './support.ts';

type Entry = keyof WSPPROC_TABLE;

/** What layers have for a call that may not wait, ms. */
const LIMIT = 100;
/** Long enough for everything that has the limit. */
const LONG = 10 * LIMIT;

const isWhole = process.env['CONFORMANCE'] === 'whole';
const time = new PumpedTime();
let host: LocalHost;
let other: LocalHost;
const escaped: unknown[] = [];
const noteEscaped = (reason: unknown): void => void escaped.push(reason);

beforeAll(() => {
  ({ a: host, b: other } = joinedHosts(time));
  process.on('unhandledRejection', noteEscaped);
});
afterAll(() => {
  process.off('unhandledRejection', noteEscaped);
  host.close();
  other.close();
  time.stop();
});

/** A chain of a length with the broken layer at a place; those below and above are whole, and of all kinds that can stand there. */
function chainWith(broken: TestLayer, length: number, at: number): TestLayer[] {
  const others = Array.from({ length: length - 2 }, (_, i) => {
    const isAbove = i >= at;
    const isIfs = isAbove ? broken.isIfs && i % 2 === 0 && length % 2 === 0 : broken.isIfs || i % 2 === 0;
    return passThrough({ handles: isIfs ? 'system' : 'own', name: `whole ${i}` });
  });
  const below = others.slice(0, at).sort((one, two) => Number(two.isIfs) - Number(one.isIfs));
  const above = others.slice(at).sort((one, two) => Number(two.isIfs) - Number(one.isIfs));
  return [...below, broken, ...above];
}

/** Lets virtual time pass, without any layer. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => void time.after(ms, resolve));
}

/** An application whose calls can be broken, and what it has. */
class Application {
  readonly ws: Winsock;
  readonly faults: LayerFault[] = [];
  readonly #made: number[] = [];
  readonly #answers: Promise<void>[] = [];
  /** Answers that are none. */
  readonly wrong: unknown[] = [];
  waiting = 0;

  constructor(layers: readonly TestLayer[]) {
    this.ws = createWinsock({
      port: host.openSession(),
      names: host.openNames(),
      scheduler: time,
      layerLimit: LIMIT,
      observer: { fault: (fault) => void this.faults.push(fault) },
      ...layeredOptions(layers),
    });
  }

  /** Makes a call, and goes on at once. */
  make(call: () => unknown, isMaking = false): void {
    let answer: unknown;
    try {
      answer = call();
    } catch (error) {
      this.wrong.push(error);
      return;
    }
    const take = (value: unknown): void => {
      if (!Number.isInteger(value)) this.wrong.push(value);
      else if (isMaking && (value as number) > 0) this.#made.push(value as number);
    };
    if (!(answer instanceof Promise)) {
      take(answer);
      return;
    }
    this.waiting++;
    const settled = answer.then(take, (reason: unknown) => void this.wrong.push(reason));
    this.#answers.push(settled.finally(() => void this.waiting--));
  }

  /** Closes what {@link make} has made. */
  closeMade(): void {
    for (const s of new Set(this.#made.splice(0))) this.make(() => this.ws.closesocket(s));
  }
}

const record = (hEvent = 0): WSAOVERLAPPED => ({
  Internal: 0,
  InternalHigh: 0,
  Offset: 0,
  OffsetHigh: 0,
  hEvent,
});

/** Everything that an application can ask of a datagram socket, a listener and a connection. */
function askEverything(app: Application, s: number, listener: number, client: number, window: number): void {
  const { ws } = app;
  const to = name('127.0.0.1', 9);
  const bytes = (): Uint8Array => new Uint8Array(16);
  const making = (call: () => unknown): void => app.make(call, true);
  const event = ws.WSACreateEvent() as number;
  app.make(() => ws.bind(s, name('0.0.0.0', 0)));
  app.make(() => ws.WSAAddressToString(to, 16, null, { value: '' }, { value: 99 }));
  app.make(() => ws.WSAStringToAddress('1.2.3.4', 2, null, bytes(), { value: 16 }));
  app.make(() => ws.setsockopt(s, SOL_SOCKET, 4, new Uint8Array(4)));
  app.make(() => ws.getsockopt(s, SOL_SOCKET, 4, new Uint8Array(4), { value: 4 }));
  app.make(() => ws.getsockname(s, bytes(), { value: 16 }));
  app.make(() => ws.getpeername(client, bytes(), { value: 16 }));
  app.make(() => ws.WSAIoctl(s, 0x4004667f, null, 0, new Uint8Array(4), 4, { value: 0 }));
  app.make(() => ws.WSADuplicateSocket(s, process.pid, { value: null }));
  app.make(() => ws.WSAGetQOSByName(s, text('none'), null));
  app.make(() => ws.select(0, { fd_array: [s] }, { fd_array: [s] }, null, { tv_sec: 0, tv_usec: 0 }));
  app.make(() => ws.sendto(s, text('x'), 1, 0, to));
  app.make(() => ws.send(client, text('x')));
  making(() => ws.accept(listener, bytes(), { value: 16 }));
  app.make(() => ws.WSARecv(client, [bytes()], 1, null, { value: 0 }, record(event)));
  app.make(() => ws.WSARecv(client, [bytes()], 1, null, { value: 0 }, record(), () => {}));
  app.make(() => ws.WSASend(client, [text('x')], 1, null, 0, record(event)));
  app.make(() => ws.recv(client, bytes()));
  app.make(() => ws.recvfrom(s, bytes(), 16, 0, bytes(), { value: 16 }));
  const done = { ...record(), InternalHigh: 3 };
  app.make(() => ws.WSAGetOverlappedResult(client, done, { value: 0 }, false, { value: 0 }));
  app.make(() => ws.CancelIoEx(client, null));
  app.make(() => ws.WSAPoll([{ fd: s, events: 0x300, revents: 0 }], 1, 0));
  app.make(() => ws.ConnectEx(s, to, 16, null, 0, null, record(event)));
  app.make(() => ws.WSAEventSelect(s, event, FD_READ));
  const happened = { lNetworkEvents: 0, iErrorCode: [] };
  app.make(() => ws.WSAEnumNetworkEvents(s, event, happened));
  app.make(() => ws.WSAAsyncSelect(s, window, 0x401, FD_READ));
  app.make(() => ws.connect(s, to));
  app.make(() => ws.listen(listener, 3));
  app.make(() => ws.WSAJoinLeaf(s, name('239.1.2.3', 9), 16, null, null, null, null, 4));
  app.make(() => ws.WSASendDisconnect(s));
  app.make(() => ws.WSARecvDisconnect(s));
  app.make(() => ws.shutdown(client, 1));
  making(() => ws.socket(2, SOCK_DGRAM, 17));
}

/** Sends itself a datagram. */
async function echoes(ws: Winsock, s: number, port: number): Promise<void> {
  await ok(ws.sendto(s, text('alive'), 5, 0, name('127.0.0.1', port)));
  expect(await receiveText(ws, s)).toBe('alive');
}

/** What a broken call may leave behind until WSACleanup: a socket that the layer has made and never told of, or never closes. */
function mayLeave(entry: Entry, way: Way): boolean {
  const makes = ['WSPSocket', 'WSPAccept', 'WSPCleanup'].includes(entry);
  return makes || (entry === 'WSPCloseSocket' && /never answers|completes twice/.test(way.name));
}

/** Whether somebody hears of it. */
function isToldOf(entry: Entry, { name: way, isFault }: Way, above: readonly TestLayer[]): boolean {
  // A layer with its own handles answers from its own records; the entry of a duplicate is the chain's, whatever came from below.
  if (entry === 'WSPGetOverlappedResult' && above.some(({ isIfs }) => !isIfs)) return false;
  return isFault && !(entry === 'WSPDuplicateSocket' && way.startsWith('writes'));
}

async function live(entry: Entry, way: Way, nth: number): Promise<void> {
  const length = 2 + (nth % 6);
  const at = nth % (length - 1);
  const broken = new BrokenLayer(entry, way, { handles: (nth & 1) === 0 ? 'system' : 'own' });
  const chain = chainWith(broken.installed, length, at);
  const app = new Application(chain);
  const { ws, faults } = app;
  const before = host.afd.describe().length;
  await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
  const bystander = await bound(ws, udp, '127.0.0.1');
  const { s } = await bound(ws, udp, '127.0.0.1');
  const { s: listener, port } = await bound(ws, tcp, '127.0.0.1');
  await ok(ws.listen(listener, 5));
  const client = await tcp(ws);
  await ok(ws.connect(client, name('127.0.0.1', port)));
  const window = await ok(ws.CreateWindow());

  broken.isBad = true;
  askEverything(app, s, listener, client, window);
  await pass(LONG);
  app.closeMade();
  for (const each of [s, listener, client]) app.make(() => ws.closesocket(each));
  await pass(LONG);
  broken.isBad = false;

  expect(app.wrong).toEqual([]);
  await echoes(ws, bystander.s, bystander.port);
  // The numbers of closed sockets are given out again: who gets them has nothing to do with what was before.
  const fresh = [await bound(ws, udp, '127.0.0.1'), await bound(ws, udp, '127.0.0.1')];
  for (const each of fresh) await echoes(ws, each.s, each.port);
  for (const each of [bystander, ...fresh]) await ok(ws.closesocket(each.s));
  if (!mayLeave(entry, way)) expect(host.afd.describe()).toHaveLength(before);

  broken.isBad = true;
  expect(await ws.WSACleanup()).toBe(0);
  await pass(LONG);
  expect([app.wrong, app.waiting]).toEqual([[], 0]);
  expect(host.afd.describe()).toHaveLength(before);
  expect(faults.filter(({ layer }) => layer !== 'broken')).toEqual([]);
  if (isToldOf(entry, way, chain.slice(at + 1)))
    expect(faults).toContainEqual(expect.objectContaining({ layer: 'broken', call: entry }));
}

describe('a call that breaks', () => {
  test.each(WSP_ENTRIES.filter((entry) => entry !== 'WSPCancelBlockingCall'))(
    'SEM-C-02, SPI-%s, CAT-CHAIN-01 whatever it does is its layer’s, at every depth',
    async (entry) => {
      const at = WSP_ENTRIES.indexOf(entry);
      for (const [i, way] of WAYS.entries()) {
        // A sample that takes every way in several calls; all of them are a quarter of a minute.
        if (!isWhole && (at + i) % 5 !== 0) continue;
        try {
          await live(entry, way, at + i);
        } catch (error) {
          throw new Error(`${entry} that ${way.name} in chain ${at + i}: ${(error as Error).message}`);
        }
      }
      expect(escaped).toEqual([]);
    },
  );

  test('SEM-C-02, SPI-WSPCancelBlockingCall one that cannot cancel leaves the call as it was', async () => {
    const plain = new Application([]).ws;
    await ok(plain.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const sender = await udp(plain);
    for (const way of WAYS) {
      const broken = new BrokenLayer('WSPCancelBlockingCall', way);
      const app = new Application([broken.installed]);
      await ok(app.ws.WSAStartup(MAKEWORD(1, 1), wsadata()));
      const { s, port } = await bound(app.ws, udp, '127.0.0.1');
      app.make(() => app.ws.recv(s, new Uint8Array(1)));
      broken.isBad = true;
      app.make(() => app.ws.WSACancelBlockingCall());
      await pass(LONG);
      await ok(plain.sendto(sender, text('x'), 1, 0, name('127.0.0.1', port)));
      await pass(LONG);
      expect(await app.ws.WSACleanup()).toBe(0);
      expect([way.name, app.wrong, app.waiting]).toEqual([way.name, [], 0]);
      if (way.isFault && !way.name.startsWith('writes')) expect(app.faults).toHaveLength(1);
    }
    expect(escaped).toEqual([]);
    await ok(plain.WSACleanup());
  });
});
