/** What the control API tells of TCP connections: figures, and the trace as a stream. */

import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SOCKADDR_IN_LEN, writeSockaddr } from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { type Daemon, loadConfig, startDaemon } from '../../../src/daemon/index.ts';
import { type ObservedStack, TcpTraces } from '../../../src/daemon/tcp-traces.ts';
import { connectRemote } from '../../../src/ipc/index.ts';
import {
  AfdOp,
  type AfdPort,
  type AfdRequest,
  type SocketStatus,
  TCP_TRACE_EVENTS,
  type TcpConnectionStatus,
  type TcpEventStatus,
  type TcpTraceLine,
} from '../../../src/port/index.ts';
import { createStack, SeededRandom, TCP_EVENT_NAMES, TcpEvent } from '../../../src/stack/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'wsk-tcp-'));
const socket = join(directory, 'w.sock');
const control = join(directory, 'c.sock');
const PORT = 8080;
const ADDRESS = new Uint8Array(SOCKADDR_IN_LEN);
writeSockaddr(ADDRESS, 0, IpAddress.loopbackV4, PORT);

let daemon: Daemon;
beforeAll(async () => {
  const flags = { memory: true, address: ['10.77.0.2/24'], socket, control, log: join(directory, 'log') };
  daemon = await startDaemon(loadConfig({ flags }), { giveUpPrivileges: () => false });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true, force: true });
});

function open(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath: control, path }, resolve).on('error', reject).end();
  });
}

async function get<T>(path: string): Promise<T> {
  const response = await open(path);
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part as string;
  return JSON.parse(text) as T;
}

/** The lines of a trace; `next` waits for one. */
function linesOf(response: IncomingMessage): { next(): Promise<TcpTraceLine>; close(): void } {
  const lines = (async function* () {
    let rest = '';
    for await (const part of response.setEncoding('utf8')) {
      const whole = (rest + (part as string)).split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) yield JSON.parse(line) as TcpTraceLine;
    }
  })();
  return { next: async () => (await lines.next()).value as TcpTraceLine, close: () => response.destroy() };
}

/** Calls of an application, each of them waited for. */
class Application {
  readonly #port: AfdPort;
  readonly #waiting = new Map<number, (value: number) => void>();
  #id = 0;

  private constructor(port: AfdPort) {
    this.#port = port;
    port.onComplete = ({ id, error, value }) => this.#waiting.get(id)?.(error === 0 ? value : -error);
  }

  static async start(): Promise<Application> {
    return new Application(await connectRemote(socket));
  }

  call(op: AfdOp, fields: Partial<AfdRequest>): Promise<number> {
    const id = ++this.#id;
    const rest = { descriptor: 0, flags: 0, a: 0, b: 0, address: null, data: null, into: null };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#port.submit({ ...rest, ...fields, id, op });
    });
  }

  async listener(): Promise<number> {
    const descriptor = await this.call(AfdOp.socket, { a: 2, b: 1, flags: 6 });
    expect(await this.call(AfdOp.bind, { descriptor, address: ADDRESS })).toBe(0);
    expect(await this.call(AfdOp.listen, { descriptor, a: 5 })).toBe(0);
    return descriptor;
  }

  async connection(listener: number): Promise<[number, number]> {
    const descriptor = await this.call(AfdOp.socket, { a: 2, b: 1, flags: 6 });
    const accepting = this.call(AfdOp.accept, { descriptor: listener });
    expect(await this.call(AfdOp.connect, { descriptor, address: ADDRESS })).toBe(0);
    return [descriptor, await accepting];
  }

  end(): void {
    this.#port.close();
  }
}

describe('the control API on TCP connections', () => {
  test('figures of each connection in RFC 4898’s tables, and a trace of what happens, of the port that was asked for', async () => {
    const trace = linesOf(await open(`/v1/trace?port=${PORT}&events=state,rtt`));
    expect(await trace.next()).toEqual({ dropped: 0 });
    const application = await Application.start();
    const listener = await application.listener();
    const [client, server] = await application.connection(listener);
    await application.call(AfdOp.send, { descriptor: client, data: new Uint8Array(100) });
    expect(await application.call(AfdOp.recv, { descriptor: server, into: new Uint8Array(200) })).toBe(100);

    const connections = await get<TcpConnectionStatus[]>(`/v1/tcp?port=${PORT}`);
    const ours = connections.find(({ remotePort }) => remotePort === PORT);
    expect(connections).toHaveLength(2);
    expect(ours).toMatchObject({
      state: 'ESTABLISHED',
      pids: [process.pid],
      info: { bytesOut: 100, synRetrans: 0 },
      perf: { dataOctetsOut: 100, dataSegsOut: 1, timeouts: 0 },
      stack: { activeOpen: true, state: 'ESTABLISHED' },
      app: { thruOctetsReceived: 0 },
    });
    expect(await get('/v1/tcp?port=1')).toEqual([]);

    const events: TcpEventStatus[] = [];
    const isFound = () => events.filter((event) => event['to'] === 'ESTABLISHED').length === 2;
    while (!isFound()) events.push((await trace.next()) as TcpEventStatus);
    expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['state', 'rtt']));
    const first = events.find(({ endpoint }) => endpoint === ours?.id);
    expect(first).toMatchObject({
      from: 'CLOSED',
      to: 'SYN-SENT',
      text: 'CLOSED → SYN-SENT',
      remote: '127.0.0.1:8080',
    });
    expect(Math.abs((first?.time ?? 0) - Date.now())).toBeLessThan(60_000);
    trace.close();

    // What is left of a connection whose user has gone: listed, without figures.
    for (const descriptor of [client, server, listener]) await application.call(AfdOp.close, { descriptor });
    let sockets: SocketStatus[] = [];
    for (let i = 0; i < 200 && !(sockets.length === 1 && sockets[0]?.state === 'TIME-WAIT'); i++) {
      sockets = await get<SocketStatus[]>('/v1/sockets');
    }
    expect(sockets).toMatchObject([{ protocol: 'tcp', state: 'TIME-WAIT', tcp: null }]);
    expect(await get('/v1/tcp')).toEqual([]);
    application.end();
  });

  test('a trace that asks for what does not exist is refused with the field', async () => {
    expect((await open('/v1/trace?events=state,colour')).statusCode).toBe(400);
    expect((await open('/v1/tcp?port=70000')).statusCode).toBe(400);
  });
});

describe('TcpTraces', () => {
  const stack = createStack({ clock: { now: () => 5 }, random: new SeededRandom(1) });
  const endpoint = stack.openTcp();
  /** What the stack would tell. */
  let tell: (event: number) => void = () => {};
  const observed: ObservedStack = {
    now: 5,
    observeTcp: (observer) => {
      tell = observer === null ? () => {} : (event) => observer(endpoint, event, 1, 2);
    },
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('the API knows every kind of event', () => {
    expect(TCP_TRACE_EVENTS).toEqual(TCP_EVENT_NAMES);
  });

  test('a reader that is too slow is told how many events it missed, at their place', async () => {
    const traces = new TcpTraces(observed, 1000);
    const lines: TcpTraceLine[] = [];
    let isSlow = false;
    const end = traces.stream({
      write: (text) => {
        if (isSlow) return false;
        for (const line of text.trim().split('\n')) lines.push(JSON.parse(line) as TcpTraceLine);
        return true;
      },
    });
    tell(TcpEvent.rtt);
    expect(lines).toEqual([{ dropped: 0 }]);
    await turn();
    expect(lines[1]).toMatchObject({ event: 'rtt', time: 1005 });
    isSlow = true;
    for (let i = 0; i < 3; i++) tell(TcpEvent.window);
    await turn();
    isSlow = false;
    for (let i = 0; i < 20_002; i++) tell(TcpEvent.timeout);
    await turn();
    expect([lines[2], lines.at(-1)]).toEqual([{ dropped: 3 }, { dropped: 2 }]);
    expect(lines).toHaveLength(20_004);
    end();
    tell(TcpEvent.rtt);
    await turn();
    expect(lines).toHaveLength(20_004);
    expect(traces.streams).toBe(0);
  });
});
