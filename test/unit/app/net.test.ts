import { createHash, randomBytes } from 'node:crypto';
import { get, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import {
  createConnection,
  createHttpServer,
  createServer,
  HttpAgent,
  type Socket,
} from '../../../src/app/net.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';

let hosts: LocalHost[];
let a: Winsock;
let b: Winsock;

beforeAll(() => {
  const scheduler = new RealTime();
  const wire = new MemorySegment({ scheduler });
  hosts = ['10.0.0.1/24', '10.0.0.2/24'].map((address) =>
    createLocalHost({ scheduler, links: [{ link: wire.port(), addresses: [address] }] }),
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
