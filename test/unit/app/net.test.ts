import { createHash, randomBytes } from 'node:crypto';
import { get, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import {
  type ConnectOptions,
  createConnection,
  createHttpServer,
  createServer,
  HttpAgent,
  type ServerOptions,
  type Socket,
} from '../../../src/app/net.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import { HostTable } from '../../../src/names/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';

/** Two addresses of one name, of which only the second is there; and of another, where nobody listens at either. */
const NAMES = HostTable.parse(`
  10.0.0.2   b.example
  2001:db8::2 b.example
  10.0.0.99  two.example
  10.0.0.2   two.example
  10.0.0.2   none.example
  127.0.0.1  none.example
`);

let hosts: LocalHost[];
let a: Winsock;
let b: Winsock;

beforeAll(() => {
  const scheduler = new RealTime();
  const wire = new MemorySegment({ scheduler });
  hosts = ['10.0.0.1/24', '10.0.0.2/24'].map((address) =>
    createLocalHost({
      scheduler,
      links: [{ link: wire.port(), addresses: [address] }],
      names: { hosts: NAMES },
    }),
  );
  [a, b] = hosts.map((host) => host.winsock()) as [Winsock, Winsock];
});

afterAll(() => {
  for (const host of hosts) host.close();
});

function once(
  emitter: { once(event: string, listener: (...args: unknown[]) => void): unknown },
  event: string,
) {
  return new Promise<unknown[]>((resolve) => emitter.once(event, (...args) => resolve(args)));
}

describe('net', () => {
  test('a server and a client exchange bytes, and both see the end', async () => {
    const server = createServer({ winsock: b }, (socket) => socket.pipe(socket));
    server.listen(0, '10.0.0.2');
    await once(server, 'listening');
    const port = server.address()?.port ?? 0;
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    await once(client, 'connect');
    expect([client.remoteAddress, client.remotePort, client.localAddress]).toEqual([
      '10.0.0.2',
      port,
      '10.0.0.1',
    ]);
    client.end('hello');
    let received = '';
    client.on('data', (chunk) => {
      received += String(chunk);
    });
    const [hadError] = await once(client, 'close');
    expect([received, hadError, client.bytesRead, client.bytesWritten]).toEqual(['hello', false, 5, 5]);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  test('a refused connection is an error with Node’s code', async () => {
    const client = createConnection({ host: '10.0.0.2', port: 9, winsock: a });
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '10.0.0.2',
      port: 9,
      wsaCode: 10061,
      message: 'connect ECONNREFUSED 10.0.0.2:9',
    });
  });

  test('ten megabytes arrive whole through a reader that pauses', async () => {
    const bytes = randomBytes(10 << 20);
    const server = createServer({ winsock: b }, (socket) => socket.end(bytes));
    server.listen(0);
    await once(server, 'listening');
    const client = createConnection({ host: '10.0.0.2', port: server.address()?.port ?? 0, winsock: a });
    const hash = createHash('sha256');
    let pauses = 0;
    client.on('data', (chunk) => {
      hash.update(chunk);
      if (client.bytesRead > (1 << 20) * (pauses + 1)) {
        pauses++;
        client.pause();
        setImmediate(() => client.resume());
      }
    });
    await once(client, 'end');
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

/** A listening server on host b and its port. */
async function listening(options: ServerOptions, onConnection?: (socket: Socket) => void) {
  const server = createServer({ winsock: b, ...options }, onConnection);
  // A test that failed leaves its server to the end of the hosts.
  server.on('error', () => {});
  server.listen(0);
  await once(server, 'listening');
  return { server, port: server.address()?.port ?? 0 };
}

function closed(server: { close(callback: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

describe('net.Socket', () => {
  test('what is written before the connection is there is sent when it is', async () => {
    const { server, port } = await listening({}, (socket) => socket.pipe(socket));
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    client.write('early ');
    client.end('bird');
    let received = '';
    for await (const chunk of client) received += String(chunk);
    expect(received).toBe('early bird');
    await closed(server);
  });

  test('allowHalfOpen: the side that was ended to still writes', async () => {
    const { server, port } = await listening({ allowHalfOpen: true }, (socket) => {
      socket.resume();
      socket.on('end', () => setImmediate(() => socket.end('afterwards')));
    });
    const client = createConnection({ host: '10.0.0.2', port, winsock: a, allowHalfOpen: true });
    client.end('question');
    let received = '';
    for await (const chunk of client) received += String(chunk);
    expect(received).toBe('afterwards');
    await closed(server);
  });

  test('without allowHalfOpen the peer’s end ends ours', async () => {
    const { server, port } = await listening({}, (socket) => socket.end());
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    client.resume();
    await once(client, 'close');
    expect([client.writableEnded, client.readyState, client.destroyed]).toEqual([true, 'closed', true]);
    await closed(server);
  });

  test('resetAndDestroy is ECONNRESET at the peer, and close with an error', async () => {
    const accepting: { socket?: Socket } = {};
    const { server, port } = await listening({}, (socket) => {
      accepting.socket = socket;
    });
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    await Promise.all([once(client, 'connect'), once(server, 'connection')]);
    const peer = accepting.socket as Socket;
    const [failing, closing] = [once(peer.resume(), 'error'), once(peer, 'close')];
    client.resetAndDestroy();
    expect(await failing).toEqual([expect.objectContaining({ code: 'ECONNRESET', syscall: 'read' })]);
    expect(await closing).toEqual([true]);
    await closed(server);
  });

  test('a write into a connection that was reset fails', async () => {
    const { server, port } = await listening({}, (socket) => socket.resetAndDestroy());
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    const failure = await new Promise<Error | null | undefined>((resolve) => client.write('late', resolve));
    expect(failure).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    await closed(server);
  });

  test('destroy while connecting emits close and no connect', async () => {
    const client = createConnection({ host: '10.0.0.99', port: 1, winsock: a });
    let connected = false;
    client.on('connect', () => {
      connected = true;
    });
    setImmediate(() => client.destroy());
    const [hadError] = await once(client, 'close');
    expect([hadError, connected, client.connecting]).toEqual([false, false, false]);
  });

  test('an idle connection emits timeout and stays open', async () => {
    const { server, port } = await listening({}, (socket) => socket.pipe(socket));
    const client = createConnection({ host: '10.0.0.2', port, winsock: a, timeout: 20 });
    await once(client, 'timeout');
    expect(client.readyState).toBe('open');
    client.setTimeout(0).end();
    await once(client.resume(), 'close');
    await closed(server);
  });

  test('a local address and port are used', async () => {
    const { server, port } = await listening({}, (socket) => socket.end(String(socket.remotePort)));
    const client = createConnection({
      host: '10.0.0.2',
      port,
      winsock: a,
      localAddress: '10.0.0.1',
      localPort: 40_001,
    });
    let received = '';
    for await (const chunk of client) received += String(chunk);
    expect([received, client.localPort]).toEqual(['40001', 40_001]);
    await closed(server);
  });

  test('names are found in the stack, and a lookup of the caller’s wins', async () => {
    const { server, port } = await listening({}, (socket) => socket.end());
    const found = createConnection({ host: 'b.example', port, winsock: a });
    const looked: unknown[] = [];
    found.on('lookup', (...args) => looked.push(args));
    await once(found, 'connect');
    expect(found.remoteAddress).toBe('10.0.0.2');
    // The host has no IPv6 address: the name's is left out.
    expect(looked).toEqual([[null, '10.0.0.2', 4, 'b.example']]);
    await once(found.resume(), 'close');
    const asked: unknown[] = [];
    const own = createConnection({
      host: 'b.example',
      port,
      winsock: a,
      lookup: (name, options, callback) => {
        asked.push([name, options]);
        callback(null, [{ address: '10.0.0.2', family: 4 }]);
      },
    });
    await once(own.resume(), 'close');
    expect([own.bytesRead, asked]).toEqual([0, [['b.example', { family: 0, all: true }]]]);
    const single = createConnection({
      host: 'anything',
      port,
      winsock: a,
      lookup: (_name, _options, callback) => callback(null, '10.0.0.2', 4),
    });
    await once(single, 'connect');
    await once(single.resume(), 'close');
    await closed(server);
  });

  test('names that are not there are errors with Node’s codes', async () => {
    const failed = async (options: Partial<ConnectOptions>) =>
      (await once(createConnection({ port: 1, winsock: a, ...options }), 'error'))[0];
    expect(await failed({ host: 'nothing.invalid' })).toMatchObject({
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: 'nothing.invalid',
      wsaCode: 11_001,
    });
    // No name server is known.
    expect(await failed({ host: 'elsewhere.example' })).toMatchObject({ code: 'EAI_AGAIN' });
    expect(await failed({ host: 'not a name' })).toMatchObject({ code: 'EAI_FAIL' });
    expect(await failed({ host: 'x', lookup: (_n, _o, callback) => callback(null, []) })).toMatchObject({
      code: 'ENOTFOUND',
    });
  });

  test('the addresses of a name are tried one after the other', async () => {
    const { server, port } = await listening({}, (socket) => socket.end());
    const client = createConnection({
      host: 'two.example',
      port,
      winsock: a,
      autoSelectFamilyAttemptTimeout: 20,
    });
    await once(client, 'connect');
    expect(client.remoteAddress).toBe('10.0.0.2');
    await once(client.resume(), 'close');
    await closed(server);
    const refused = createConnection({
      host: 'none.example',
      port: 9,
      winsock: a,
      autoSelectFamilyAttemptTimeout: 30_000,
    });
    const [error] = await once(refused, 'error');
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect((error as AggregateError).errors).toMatchObject([
      { address: '127.0.0.1' },
      { address: '10.0.0.2' },
    ]);
  });

  test('write tells to wait once its buffer is full, and drain follows', async () => {
    const { server, port } = await listening({}, (socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    });
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    await once(client, 'connect');
    const chunk = Buffer.alloc(1 << 20);
    let writes = 1;
    while (client.write(chunk)) writes++;
    await once(client, 'drain');
    expect(writes).toBeGreaterThanOrEqual(1);
    client.end();
    await once(client.resume(), 'close');
    expect(client.bytesWritten).toBe(writes * chunk.length);
    await closed(server);
  });

  test.each([-1, 65_536, 1.5])('port %d throws with Node’s code', (port) => {
    expect(() => createConnection({ host: '10.0.0.2', port, winsock: a })).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }),
    );
  });
});

describe('net.Server', () => {
  test('an address that is taken is EADDRINUSE, listening twice an exception', async () => {
    const { server, port } = await listening({});
    const second = createServer({ winsock: b });
    second.listen(port);
    expect((await once(second, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', port });
    expect(() => server.listen(0)).toThrow('ERR_SERVER_ALREADY_LISTEN');
    await closed(server);
  });

  test('close waits for the last connection; the listener is gone at once', async () => {
    const accepted: Socket[] = [];
    const { server, port } = await listening({}, (socket) => accepted.push(socket));
    const client = createConnection({ host: '10.0.0.2', port, winsock: a });
    await once(client, 'connect');
    while (accepted.length === 0) await once(server, 'connection');
    const order: string[] = [];
    const ended = closed(server).then(() => order.push('closed'));
    const refused = createConnection({ host: '10.0.0.2', port, winsock: a });
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    order.push('refused');
    client.end();
    client.resume();
    accepted[0]?.resume();
    await ended;
    expect([order, server.address(), server.listening]).toEqual([['refused', 'closed'], null, false]);
  });

  test('connections past maxConnections are dropped', async () => {
    const { server, port } = await listening({}, () => {});
    server.maxConnections = 1;
    const first = createConnection({ host: '10.0.0.2', port, winsock: a });
    await once(first, 'connect');
    const dropped = once(server, 'drop');
    const second = createConnection({ host: '10.0.0.2', port, winsock: a });
    second.on('error', () => {});
    expect((await dropped)[0]).toMatchObject({ remoteAddress: '10.0.0.1' });
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(1);
    first.destroy();
    second.destroy();
    await closed(server);
  });

  test('close of a server that does not run is ERR_SERVER_NOT_RUNNING', async () => {
    const error = await new Promise((resolve) => createServer({ winsock: b }).close(resolve));
    expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  test('a thousand connections one after the other leave nothing behind', async () => {
    const { server, port } = await listening({}, (socket) => socket.end('x'));
    for (let i = 0; i < 1000; i++) {
      const client = createConnection({ host: '10.0.0.2', port, winsock: a });
      await once(client.resume(), 'close');
    }
    await closed(server);
    expect(hosts.map((host) => host.afd.sessions.map((session) => session.sockets))).toEqual([[0], [0]]);
  });
});

describe('http', () => {
  test('Node’s server and client run over it, with kept connections', async () => {
    const sockets = new Set<Socket>();
    const server = createHttpServer(
      (incoming, response) => {
        sockets.add(incoming.socket as unknown as Socket);
        let body = '';
        incoming.on('data', (chunk) => {
          body += String(chunk);
        });
        incoming.on('end', () => response.end(`${incoming.method} ${incoming.url} ${body}`));
      },
      { winsock: b },
    );
    server.listen({ port: 0 });
    await once(server.net, 'listening');
    const agent = new HttpAgent({ keepAlive: true, winsock: a });
    const port = server.address()?.port ?? 0;
    const fetchText = (method: string, path: string, body: string) =>
      new Promise<string>((resolve, reject) => {
        const outgoing = request({ host: '10.0.0.2', port, path, method, agent }, (response) => {
          let received = '';
          response.on('data', (chunk) => {
            received += String(chunk);
          });
          response.on('end', () => resolve(received));
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    expect(await fetchText('GET', '/one', '')).toBe('GET /one ');
    expect(await fetchText('POST', '/two', 'x'.repeat(100_000))).toBe(`POST /two ${'x'.repeat(100_000)}`);
    expect(sockets.size).toBe(1);
    agent.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  test('a request to a closed port fails as with node:net', async () => {
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      get({ host: '10.0.0.2', port: 9, agent: new HttpAgent({ winsock: a }) }).on('error', resolve);
    });
    expect(error.code).toBe('ECONNREFUSED');
  });
});
