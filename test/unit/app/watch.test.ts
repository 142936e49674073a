/** Watching a process's calls, in memory: a Winsock with layers, what it notes of its calls, and what the daemon's side makes of it. */

import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
  WSA_IO_PENDING,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
} from '../../../src/abi/index.ts';
import { ChainPort } from '../../../src/app/hosted/chain-port.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { LOG_CAPACITY } from '../../../src/app/watch/call-log.ts';
import { letWatch } from '../../../src/app/watch/let-watch.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { Watches } from '../../../src/daemon/watches.ts';
import {
  type AfdCompletion,
  AfdOp,
  type AfdRequest,
  type CallRecord,
  type WatchPort,
  type WatchSession,
} from '../../../src/port/index.ts';
import type { WSAOVERLAPPED } from '../../../src/spi/index.ts';
import { MAKEWORD, type Winsock, WinsockProcess, winsockOf } from '../../../src/winsock/index.ts';
import { PumpedTime } from '../../conformance/attachment.ts';
import { layeredOptions, passThrough, type TestLayer } from '../../support/chains.ts';

const PID = 4711;

/** A process whose reports go straight to the daemon's side. */
class Rig implements WatchPort {
  readonly time = new PumpedTime();
  readonly host: LocalHost;
  readonly process: WinsockProcess;
  readonly ws: Winsock;
  readonly watches = new Watches(this.time);
  readonly session: WatchSession;
  readonly records: CallRecord[] = [];
  lost = 0;
  isGone = false;
  reports = 0;
  /** Holds reports back, as a reader that is slow does. */
  hold: Promise<void> | null = null;
  onWanted: ((what: number) => void) | null = null;

  constructor(...layers: TestLayer[]) {
    this.host = createLocalHost({ scheduler: this.time });
    const layered = layers.length === 0 ? {} : layeredOptions(layers);
    this.process = new WinsockProcess({ port: this.host.openSession(), scheduler: this.time, ...layered });
    this.ws = winsockOf(this.process);
    this.ws.WSAStartup(MAKEWORD(2, 2), NO_DATA());
    letWatch(this.process, this, this.time);
    const identity = { pid: PID, uid: 7, gid: 7 };
    this.session = this.watches.open({ identity, name: 'test', want: (what) => this.onWanted?.(what) });
  }

  async report(bytes: Uint8Array): Promise<boolean> {
    this.reports++;
    return (await this.session.report(bytes)) === 0;
  }

  /** Watches from now on. @returns what ends it */
  async trace(): Promise<() => void> {
    const end = this.watches.watch(PID, {
      calls: (_client, lost, calls) => {
        this.lost += lost;
        this.records.push(...calls);
      },
      whenReady: () => this.hold,
      gone: () => {
        this.isGone = true;
      },
    });
    await turns(() => this.process.tap.watcher !== null);
    return end;
  }

  /** A UDP socket that has its own address as its peer's. */
  async loop(port: number): Promise<number> {
    const { ws } = this;
    const s = await ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    const name = sockaddrOf(LOOPBACK, port);
    expect([await ws.bind(s, name, 16), await ws.connect(s, name, 16)]).toEqual([0, 0]);
    return s;
  }

  /** What was told so far, as `n event call`, in the order in which it was. */
  async told(count: number): Promise<string[]> {
    await turns(() => this.records.length >= count);
    return this.records.map(({ event, depth, call }) => `${depth} ${call} ${event}`);
  }
}

let rig: Rig;
afterEach(() => {
  rig.host.close();
  rig.time.stop();
});

describe('the calls of a process', () => {
  test('of an application without layers are told with arguments, results and times', async () => {
    rig = new Rig();
    const end = await rig.trace();
    const s = await rig.loop(5000);
    rig.ws.send(s, Buffer.from('hello'), 5, 0);
    expect(await rig.told(4)).toEqual([
      '0 WSPSocket call',
      '0 WSPBind call',
      '0 WSPConnect call',
      '0 WSPSend call',
    ]);
    const [socket, , connect, send] = rig.records;
    expect(socket).toMatchObject({ s, result: s, args: { af: 'AF_INET', type: 'SOCK_DGRAM' } });
    expect(connect).toMatchObject({ s, result: 0, args: { name: '127.0.0.1:5000' } });
    expect(send).toMatchObject({
      s,
      result: 5,
      layer: 'MSAFD base provider',
      args: { lpBuffers: [{ len: 5, text: 'hello' }], dwFlags: '0' },
    });
    expect(send?.us).toBeGreaterThanOrEqual(0);
    expect(Math.abs((send?.time ?? 0) - Date.now())).toBeLessThan(60_000);
    end();
  });

  test('in layers follow each other as deep as they are, and failures have names', async () => {
    rig = new Rig(passThrough({ name: 'lower' }), passThrough({ name: 'upper' }));
    const s = await rig.loop(5000);
    const end = await rig.trace();
    rig.ws.ioctlsocket(s, 0x8004667e | 0, { value: 1 });
    expect(rig.ws.recv(s, new Uint8Array(8), 8, 0)).toBe(-WSAEWOULDBLOCK);
    expect((await rig.told(6)).slice(3)).toEqual(['0 WSPRecv call', '1 WSPRecv call', '2 WSPRecv call']);
    expect(rig.records.slice(3).map(({ layer }) => layer)).toEqual(['upper', 'lower', 'MSAFD base provider']);
    expect(rig.records.slice(3).map(({ error }) => error)).toEqual(Array(3).fill('WSAEWOULDBLOCK'));
    expect(rig.records[0]?.args).toMatchObject({ dwIoControlCode: 'FIONBIO' });
    end();
  });

  test('that wait are told when they begin, and when they end', async () => {
    rig = new Rig(passThrough({ name: 'only' }));
    const s = await rig.loop(5000);
    const end = await rig.trace();
    const into = new Uint8Array(8);
    const receiving = rig.ws.recv(s, into, 8, 0);
    expect(await rig.told(2)).toEqual(['0 WSPRecv begin', '1 WSPRecv begin']);
    expect(rig.records[0]).not.toHaveProperty('us');
    rig.ws.send(s, Buffer.from('late'), 4, 0);
    expect(await receiving).toBe(4);
    expect((await rig.told(6)).slice(2)).toEqual([
      '0 WSPSend call',
      '1 WSPSend call',
      '1 WSPRecv end',
      '0 WSPRecv end',
    ]);
    const [began, , , , , ended] = rig.records;
    expect(ended?.n).toBe(began?.n);
    expect(ended).toMatchObject({ result: 4, out: { lpBuffers: [{ len: 4, text: 'late' }] } });
    end();
  });

  test('an overlapped operation is told when it is done', async () => {
    rig = new Rig(passThrough({ name: 'only' }));
    const s = await rig.loop(5000);
    const end = await rig.trace();
    const into = new Uint8Array(8);
    const record: WSAOVERLAPPED = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    expect(rig.ws.WSARecv(s, [into], 1, null, { value: 0 }, record, null)).toBe(-WSA_IO_PENDING);
    rig.ws.send(s, Buffer.from('over'), 4, 0);
    await rig.told(6);
    const done = rig.records.filter(({ event }) => event === 'done');
    expect(done.map(({ call, depth, result }) => [call, depth, result])).toEqual([
      ['WSPRecv', 1, 4],
      ['WSPRecv', 0, 4],
    ]);
    expect(done[0]?.out).toMatchObject({ lpBuffers: [{ len: 4, text: 'over' }] });
    end();
  });

  test('cost nothing and are told to nobody once the trace has ended, and can be traced again', async () => {
    rig = new Rig();
    const s = await rig.loop(5000);
    (await rig.trace())();
    expect(rig.process.tap.watcher).toBeNull();
    rig.ws.send(s, Buffer.from('x'), 1, 0);
    const again = await rig.trace();
    rig.ws.shutdown(s, 1);
    expect(await rig.told(1)).toEqual(['0 WSPShutdown call']);
    again();
  });

  test('are counted rather than kept while a reader is slow', async () => {
    rig = new Rig();
    const s = await rig.loop(5000);
    const end = await rig.trace();
    let go = (): void => {};
    rig.hold = new Promise((resolve) => {
      go = resolve;
    });
    rig.ws.getsockname(s, new Uint8Array(16), { value: 16 });
    await rig.told(1);
    for (let i = 0; i < LOG_CAPACITY + 50; i++) rig.ws.getsockname(s, new Uint8Array(16), { value: 16 });
    expect(rig.reports).toBe(1);
    rig.hold = null;
    go();
    await rig.told(1 + LOG_CAPACITY);
    expect(rig.records).toHaveLength(1 + LOG_CAPACITY);
    expect(rig.lost).toBe(50);
    expect(rig.records.map(({ n }) => n)).toEqual(rig.records.map((_, i) => i + 1));
    end();
  });

  test('two readers hear the same; a reader hears that the process has gone', async () => {
    rig = new Rig();
    const other: CallRecord[] = [];
    const end = await rig.trace();
    rig.watches.watch(PID, {
      calls: (_client, _lost, calls) => other.push(...calls),
      whenReady: () => null,
      gone: () => {},
    });
    const s = await rig.loop(5000);
    await rig.told(3);
    expect(other).toEqual(rig.records);
    expect(rig.watches.processes).toEqual([
      { pid: PID, uid: 7, name: 'test', connections: 1, isWatched: true },
    ]);
    rig.session.close();
    expect(rig.isGone).toBe(true);
    expect(rig.watches.processes).toEqual([]);
    end();
    expect(s).toBeGreaterThan(0);
  });

  test('a report that is none is refused', async () => {
    rig = new Rig();
    expect(await rig.session.report(Uint8Array.of(1, 2, 3))).toBe(10022);
  });
});

test('operations of a provider host’s application are told, with layers and without', async () => {
  rig = new Rig();
  const isDirect = ({ iProtocol }: WSAPROTOCOL_INFO): boolean => iProtocol === IPPROTO_TCP;
  const port = new ChainPort({
    port: rig.host.openSession(),
    pid: PID,
    scheduler: rig.time,
    isDirect,
    ...layeredOptions([passThrough({ name: 'only' })]),
  });
  port.letWatch(rig, rig.time);
  const completions = new Map<number, AfdCompletion>();
  port.onComplete = (completion) => completions.set(completion.id, { ...completion });
  let id = 0;
  const ask = async (op: AfdOp, more: Partial<AfdRequest>): Promise<AfdCompletion> => {
    const request = { ...REQUEST, id: ++id, op, ...more };
    const done = port.submit(request);
    if (done !== null) return done;
    await turns(() => completions.has(request.id));
    return completions.get(request.id) as AfdCompletion;
  };
  const end = rig.watches.watch(PID, {
    calls: (_client, _lost, calls) => rig.records.push(...calls),
    whenReady: () => null,
    gone: () => {},
  });
  // What looks at the calls is loaded first.
  while (rig.records.length === 0) {
    await ask(AfdOp.socket, { a: AF_INET, b: SOCK_STREAM, flags: IPPROTO_TCP });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  rig.records.length = 0;
  const tcp = await ask(AfdOp.socket, { a: AF_INET, b: SOCK_STREAM, flags: IPPROTO_TCP });
  const udp = await ask(AfdOp.socket, { a: AF_INET, b: SOCK_DGRAM, flags: IPPROTO_UDP });
  await ask(AfdOp.bind, { descriptor: tcp.value, address: sockaddrOf('127.0.0.1', 5000) });
  await ask(AfdOp.getSockName, { descriptor: tcp.value });
  await ask(AfdOp.recv, { descriptor: tcp.value, into: new Uint8Array(4) });
  await ask(AfdOp.bind, { descriptor: udp.value, address: sockaddrOf('127.0.0.1', 5000) });
  await rig.told(8);
  const told = rig.records.filter(({ call }) => call !== 'WSPIoctl');
  expect(told.map(({ depth, layer, chain, call }) => [depth, layer, chain.slice(0, 14), call])).toEqual([
    [0, 'MSAFD base provider', 'without layers', 'WSPSocket'],
    [0, 'only', 'layer 0 over [', 'WSPSocket'],
    [1, 'MSAFD base provider', 'MSAFD Tcpip [U', 'WSPSocket'],
    [0, 'MSAFD base provider', 'without layers', 'WSPBind'],
    [0, 'MSAFD base provider', 'without layers', 'WSPGetSockName'],
    [0, 'MSAFD base provider', 'without layers', 'WSPRecvFrom'],
    [0, 'only', 'layer 0 over [', 'WSPBind'],
    [1, 'MSAFD base provider', 'MSAFD Tcpip [U', 'WSPBind'],
  ]);
  expect(told[3]).toMatchObject({ s: tcp.value, result: 0, args: { name: '127.0.0.1:5000' } });
  expect(told[4]?.out).toEqual({ name: '127.0.0.1:5000', namelen: 16 });
  expect(told[5]).toMatchObject({ error: 'WSAENOTCONN' });
  end();
  port.close();
});

describe('the figures of chains', () => {
  test('are those of each layer, by socket, for as long as they are asked for', async () => {
    rig = new Rig(passThrough({ name: 'only' }));
    const quiet = await rig.loop(5001);
    const s = await rig.loop(5000);
    let enough = (): void => {};
    const ended = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const asked = rig.watches.figures(PID, ended);
    await turns(() => rig.process.tap.watcher !== null);
    rig.ws.send(s, Buffer.from('hello'), 5, 0);
    const into = new Uint8Array(8);
    expect(await rig.ws.recv(s, into, 8, 0)).toBe(5);
    rig.ws.ioctlsocket(s, 0x8004667e | 0, { value: 1 });
    expect(rig.ws.recv(s, into, 8, 0)).toBe(-WSAEWOULDBLOCK);
    enough();
    const { rows, omitted } = await asked;
    expect(rig.process.tap.watcher).toBeNull();
    expect(omitted).toBe(0);
    const figures = { calls: 4, errors: 1, bytesSent: 5, bytesReceived: 5 };
    const none = { calls: 0, errors: 0, bytesSent: 0, bytesReceived: 0 };
    expect(rows.map((row) => [row.s, row.layer, row.depth])).toEqual([
      [quiet, 'only', 0],
      [quiet, 'MSAFD base provider', 1],
      [s, 'only', 0],
      [s, 'MSAFD base provider', 1],
    ]);
    expect(rows[0]).toMatchObject(none);
    expect(rows[2]).toMatchObject(figures);
    expect(rows[3]).toMatchObject(figures);
    expect(rows[2]?.protocol).toContain('UDP/IP');
  });

  test('count the bytes of overlapped operations when they are done', async () => {
    rig = new Rig();
    const s = await rig.loop(5000);
    let enough = (): void => {};
    const asked = rig.watches.figures(PID, new Promise((resolve) => (enough = resolve)));
    await turns(() => rig.process.tap.watcher !== null);
    const record: WSAOVERLAPPED = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    rig.ws.WSARecv(s, [new Uint8Array(8)], 1, null, { value: 0 }, record, null);
    rig.ws.send(s, Buffer.from('over'), 4, 0);
    await turns(() => record.InternalHigh === 4);
    enough();
    expect((await asked).rows).toMatchObject([{ calls: 2, errors: 0, bytesSent: 4, bytesReceived: 4 }]);
  });
});

async function turns(isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn++) {
    if (turn > 5000) throw new Error('nothing happens any more');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const REQUEST: AfdRequest = {
  id: 0,
  op: AfdOp.socket,
  descriptor: 0,
  flags: 0,
  a: 0,
  b: 0,
  address: null,
  data: null,
  into: null,
};
const LOOPBACK = IpAddress.parse('127.0.0.1') ?? IpAddress.anyV4;
const NO_DATA = () => ({
  wVersion: 0,
  wHighVersion: 0,
  iMaxSockets: 0,
  iMaxUdpDg: 0,
  szDescription: '',
  szSystemStatus: '',
});
