/** Applications of a stack in memory that reach this machine's loopback address through the daemon's own sockets. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../src/base/index.ts';
import { sendEcho } from '../../../src/daemon/echo.ts';
import { isReachable, Share } from '../../../src/daemon/share.ts';
import { RealTime, type RunningHost } from '../../../src/engine/index.ts';
import { hostServer, hostUdpEcho, makeLiveHost, stackConnect, stackUdp } from './stack-side.ts';

let host: RunningHost;
let share: Share;
let nameServers: string[] = [];
const ending: (() => void)[] = [];

function open(loopback: boolean): void {
  host = makeLiveHost();
  share = new Share({ scheduler: new RealTime(), loopback, nameServers: () => nameServers });
  share.attach(host);
}

beforeEach(() => open(true));

afterEach(() => {
  for (const end of ending.splice(0)) end();
  share.close();
  host.close();
});

const BULK = Buffer.alloc(2_000_000, 'out and back again, ');

describe('TCP', () => {
  test('a connection to the gateway is one to the host, whole both ways, and in this machine’s name', async () => {
    const { server, port } = await hostServer((socket) => socket.pipe(socket));
    ending.push(() => server.close());
    const stream = await stackConnect(host, '10.0.2.2', port);
    const writing = stream.write(BULK).then(() => stream.end());
    expect(Buffer.compare(await stream.readAll(), BULK)).toBe(0);
    await writing;
    expect(share.tcp).toMatchObject({
      total: 1,
      failed: 0,
      bytesToHost: BULK.length,
      bytesToStack: BULK.length,
    });
  });

  test('a port that nobody has is refused', async () => {
    const { server, port } = await hostServer(() => {});
    await new Promise((resolve) => server.close(resolve));
    await expect(stackConnect(host, '10.0.2.2', port)).rejects.toThrow(/connectionRefused/);
    expect(share.tcp.lastError).toContain('connection refused');
  });

  test('many connections at once do not wait for each other', async () => {
    const { server, port } = await hostServer((socket) => socket.pipe(socket));
    ending.push(() => server.close());
    const streams = await Promise.all(Array.from({ length: 50 }, () => stackConnect(host, '10.0.2.2', port)));
    const texts = await Promise.all(
      streams.map(async (stream, i) => {
        await stream.write(Buffer.from(`number ${i}`));
        stream.end();
        return Buffer.from(await stream.readAll()).toString();
      }),
    );
    expect(texts).toEqual(streams.map((_, i) => `number ${i}`));
  });

  test('the host’s own loopback address is closed unless it is shared', async () => {
    share.close();
    host.close();
    open(false);
    const { server, port } = await hostServer((socket) => socket.pipe(socket));
    ending.push(() => server.close());
    await expect(stackConnect(host, '10.0.2.2', port)).rejects.toThrow(/connectionRefused/);
    expect(share.tcp).toMatchObject({ total: 0, failed: 1 });
    expect(share.tcp.lastError).toContain('--share-loopback');
  });
});

describe('UDP', () => {
  test('one port inside is one port outside, and answers come from whom they are of', async () => {
    const first = await hostUdpEcho();
    const second = await hostUdpEcho();
    ending.push(first.close, second.close);
    const app = stackUdp(host);
    for (const { port } of [first, second, first]) {
      app.send(Buffer.from(`to ${port}`), '10.0.2.2', port);
      const answer = await app.receive();
      expect([String(answer.source), answer.sourcePort, Buffer.from(answer.bytes).toString()]).toEqual([
        '10.0.2.2',
        port,
        `>to ${port}`,
      ]);
    }
    expect(share.udp).toMatchObject({ total: 1, active: 1, failed: 0 });
  });

  test('a name server stands at 10.0.2.3, which is the host’s', async () => {
    const server = await hostUdpEcho();
    ending.push(server.close);
    nameServers = [`127.0.0.1:${server.port}`];
    const app = stackUdp(host);
    app.send(Buffer.from('who?'), '10.0.2.3', 53);
    const answer = await app.receive();
    expect([String(answer.source), answer.sourcePort, Buffer.from(answer.bytes).toString()]).toEqual([
      '10.0.2.3',
      53,
      '>who?',
    ]);
    expect(host.stack.interfaces.flatMap(({ names }) => names).map(({ servers }) => `${servers}`)).toEqual([
      '10.0.2.3,fd10:0:2::3',
    ]);
  });
});

describe('IPv6', () => {
  test('a connection to the gateway is one to the host’s ::1, whole both ways', async () => {
    const { server, port } = await hostServer((socket) => socket.pipe(socket), '::1');
    ending.push(() => server.close());
    const stream = await stackConnect(host, 'fd10:0:2::2', port);
    const writing = stream.write(BULK).then(() => stream.end());
    expect(Buffer.compare(await stream.readAll(), BULK)).toBe(0);
    await writing;
    expect(share.tcp).toMatchObject({ total: 1, failed: 0, bytesToHost: BULK.length });
  });

  test('a port that nobody has is refused', async () => {
    const { server, port } = await hostServer(() => {}, '::1');
    await new Promise((resolve) => server.close(resolve));
    await expect(stackConnect(host, 'fd10:0:2::2', port)).rejects.toThrow(/connectionRefused/);
  });

  test('the host’s own loopback address is closed unless it is shared', async () => {
    share.close();
    host.close();
    open(false);
    await expect(stackConnect(host, 'fd10:0:2::2', 80)).rejects.toThrow(/connectionRefused/);
    expect(share.tcp.lastError).toContain('--share-loopback');
  });

  test('datagrams go out and come back, such too that leave in fragments', async () => {
    const echo = await hostUdpEcho('::1');
    ending.push(echo.close);
    const app = stackUdp(host, 0, 6);
    for (const text of ['small', 'x'.repeat(5000), 'small again']) {
      app.send(Buffer.from(text), 'fd10:0:2::2', echo.port);
      const answer = await app.receive();
      expect([String(answer.source), answer.sourcePort, Buffer.from(answer.bytes).toString()]).toEqual([
        'fd10:0:2::2',
        echo.port,
        `>${text}`,
      ]);
    }
    expect(share.udp).toMatchObject({ total: 1, active: 1, failed: 0 });
  });

  test('a name server stands at fd10:0:2::3, whatever the family of the host’s', async () => {
    const server = await hostUdpEcho();
    ending.push(server.close);
    nameServers = [`127.0.0.1:${server.port}`];
    const app = stackUdp(host, 0, 6);
    app.send(Buffer.from('who?'), 'fd10:0:2::3', 53);
    const answer = await app.receive();
    expect([String(answer.source), Buffer.from(answer.bytes).toString()]).toEqual(['fd10:0:2::3', '>who?']);
  });

  test('an echo request to another host is answered with "prohibited"', async () => {
    const asked = {
      size: 8,
      timeoutMs: 2000,
      ttl: 0,
      sequence: 1,
      dontFragment: false,
      recordRoute: 0,
      timestamps: 0,
    };
    for (const text of ['2001:db8::1', '203.0.113.7']) {
      const address = IpAddress.parse(text) ?? IpAddress.anyV6;
      const answer = await sendEcho(host.stack, new RealTime(), { ...asked, address });
      expect(answer).toMatchObject({ result: 'unreachable', message: expect.stringContaining('prohibited') });
    }
  });
});

describe('where nobody gets', () => {
  test.each([
    '0.0.0.0',
    '127.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    '::',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:127.0.0.1',
  ])('%s', (text) => expect(isReachable(IpAddress.parse(text) ?? IpAddress.anyV4)).toBe(false));

  test.each(['192.0.2.1', '10.1.2.3', '2001:db8::1', 'fd00::1'])('%s is reached', (text) =>
    expect(isReachable(IpAddress.parse(text) ?? IpAddress.anyV4)).toBe(true),
  );
});
