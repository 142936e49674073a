/** Ports of this machine's loopback address that lead to a stack in memory, and back. */

import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Forwards } from '../../../src/daemon/forwards.ts';
import { FlowTable } from '../../../src/daemon/relay/flow-table.ts';
import { RealTime } from '../../../src/engine/clock.ts';
import type { RunningHost } from '../../../src/engine/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import {
  hostConnect,
  hostServer,
  hostUdpEcho,
  makeLiveHost,
  readToEnd,
  stackConnect,
  stackListen,
  stackUdp,
} from './stack-side.ts';

let host: RunningHost;
let forwards: Forwards;
const ending: (() => void)[] = [];

beforeEach(() => {
  host = makeLiveHost();
  forwards = new Forwards(host.stack, new RealTime({ keepsAlive: false }));
});

afterEach(() => {
  for (const end of ending.splice(0)) end();
  forwards.close();
  host.close();
});

const BULK = Buffer.alloc(3_000_000, 'winsockd forwards what it is given, ');

describe('from the host to the stack, TCP', () => {
  const add = (port: number) =>
    forwards.add({
      protocol: 'tcp',
      listen: { side: 'host', port: 0 },
      target: { side: 'stack', address: '127.0.0.1', port },
    });

  test('bytes go both ways whole, and each end is handed on by itself', async () => {
    const server = stackListen(host, 80);
    const { listen } = await add(80);
    expect(listen).toMatchObject({ side: 'host', address: '127.0.0.1' });
    expect(listen.port).toBeGreaterThan(0);
    const socket = await hostConnect(listen.port);
    const stream = await server.accept();
    const answer = readToEnd(socket);
    socket.end(BULK);
    expect(Buffer.compare(await stream.readAll(), BULK)).toBe(0);
    // The host has ended its half; the other still works.
    await stream.write(BULK.subarray(0, 200_000));
    stream.end();
    expect(Buffer.compare(await answer, BULK.subarray(0, 200_000))).toBe(0);
    socket.destroy();
    expect(forwards.list).toMatchObject([
      { total: 1, failed: 0, bytesToStack: BULK.length, bytesToHost: 200_000 },
    ]);
  });

  test('a reader that stands still holds the writer back: little is kept in between', async () => {
    const server = stackListen(host, 80);
    const { listen } = await add(80);
    const socket = await hostConnect(listen.port);
    const stream = await server.accept();
    const all = Buffer.alloc(64 << 20);
    socket.write(all);
    let before = -1;
    // Until nothing moves any more.
    for (let moved = 0; moved !== before; ) {
      before = moved;
      await new Promise((resolve) => setTimeout(resolve, 100));
      moved = forwards.list[0]?.bytesToStack ?? 0;
    }
    expect(before).toBeLessThan(40 << 20);
    let got = 0;
    while (got < all.length) got += (await stream.read())?.length ?? all.length;
    expect(got).toBe(all.length);
    socket.destroy();
  });

  test('a port that nobody listens at is a reset to who connects, and the reason is kept', async () => {
    const { listen } = await add(81);
    const ended = hostConnect(listen.port).then(readToEnd);
    await expect(ended).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(forwards.list).toMatchObject([
      { failed: 1, active: 0, lastError: expect.stringContaining('connection refused') },
    ]);
  });

  test('a reset on one side is one on the other, both ways', async () => {
    const server = stackListen(host, 80);
    const { listen } = await add(80);
    const first = await hostConnect(listen.port);
    (await server.accept()).abort();
    await expect(readToEnd(first)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const second = await hostConnect(listen.port);
    const stream = await server.accept();
    second.resetAndDestroy();
    await expect(stream.readAll()).rejects.toThrow(/connectionReset/);
  });

  test('removing it resets what it carries, and the port is free again', async () => {
    const server = stackListen(host, 80);
    const { id, listen } = await add(80);
    const socket = await hostConnect(listen.port);
    await server.accept();
    const end = readToEnd(socket);
    expect(forwards.remove(id)).toMatchObject({ id });
    await expect(end).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(forwards.list).toEqual([]);
    expect(forwards.remove(id)).toBeNull();
    await expect(hostConnect(listen.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('from the stack to the host, TCP', () => {
  const add = (port: number) =>
    forwards.add({ protocol: 'tcp', listen: { side: 'stack', port: 0 }, target: { side: 'host', port } });

  test('bytes go both ways whole', async () => {
    const { server, port } = await hostServer((socket) => socket.pipe(socket));
    ending.push(() => server.close());
    const { listen } = await add(port);
    const stream = await stackConnect(host, '127.0.0.1', listen.port);
    const writing = stream.write(BULK).then(() => stream.end());
    expect(Buffer.compare(await stream.readAll(), BULK)).toBe(0);
    await writing;
  });

  test('a host that refuses is a refusal: the SYN is answered only when the host has connected', async () => {
    const { server, port } = await hostServer(() => {});
    await new Promise((resolve) => server.close(resolve));
    const { listen } = await add(port);
    await expect(stackConnect(host, '127.0.0.1', listen.port)).rejects.toThrow(/connectionRefused/);
    const [status] = forwards.list;
    expect(status?.lastError).toContain('connection refused');
    expect(status).toMatchObject({ active: 0 });
  });
});

describe('UDP', () => {
  test('from the host: each peer has its own way there and back', async () => {
    const app = stackUdp(host, 53);
    const { listen } = await forwards.add({
      protocol: 'udp',
      listen: { side: 'host', port: 0 },
      target: { side: 'stack', address: '127.0.0.1', port: 53 },
    });
    const peers = [createSocket('udp4'), createSocket('udp4')];
    ending.push(() => peers.forEach((peer) => void peer.close()));
    const answers = peers.map(
      (peer) => new Promise((resolve) => peer.once('message', (bytes) => resolve(String(bytes)))),
    );
    for (const [i, peer] of peers.entries()) {
      peer.send(`question ${i}`, listen.port, '127.0.0.1');
      const asked = await app.receive();
      app.send(Buffer.from(`answer to ${Buffer.from(asked.bytes)}`), asked.source, asked.sourcePort);
    }
    expect(await Promise.all(answers)).toEqual(['answer to question 0', 'answer to question 1']);
    expect(forwards.list).toMatchObject([{ total: 2, active: 2, failed: 0 }]);
  });

  test('from the stack', async () => {
    const echo = await hostUdpEcho();
    ending.push(() => echo.close());
    const { listen } = await forwards.add({
      protocol: 'udp',
      listen: { side: 'stack', port: 5353 },
      target: { side: 'host', port: echo.port },
    });
    expect(listen).toEqual({ side: 'stack', address: '0.0.0.0', port: 5353 });
    const app = stackUdp(host);
    app.send(Buffer.from('hello'), '127.0.0.1', 5353);
    expect(Buffer.from((await app.receive()).bytes).toString()).toBe('>hello');
  });

  test('RFC 4787 REQ-5 a flow is kept for five minutes after its last use; past the bound the one used least lately goes', () => {
    const time = new VirtualTime();
    const closed: string[] = [];
    const flows = new FlowTable<{ usedAt: number; close(): void }>(time, 2);
    const flow = (name: string) => ({ usedAt: 0, close: () => void closed.push(name) });
    const pass = (until: number): void => {
      while (time.step(until)) {
        // Timers of the table.
      }
      time.skipTo(until);
    };
    flows.add('a', flow('a'));
    flows.add('b', flow('b'));
    pass(200_000);
    expect(flows.use('a')).not.toBeNull();
    flows.add('c', flow('c'));
    expect(closed).toEqual(['b']);
    pass(490_000);
    expect(closed).toEqual(['b']);
    pass(520_000);
    expect(closed).toEqual(['b', 'a', 'c']);
    expect(flows.size).toBe(0);
  });
});

test('without an address the target is the stack’s first that others reach: of IPv4, or of IPv6 where it has no other', async () => {
  const add = async () =>
    (
      await forwards.add({
        protocol: 'tcp',
        listen: { side: 'host', port: 0 },
        target: { side: 'stack', port: 80 },
      })
    ).target.address;
  expect(await add()).toBe('127.0.0.1');
  const index = host.stack.addInterface({ name: 'a', mtu: 1500, addresses: ['fe80::2/64', 'fd00::2/64'] });
  expect(await add()).toBe('fd00::2');
  host.stack.addAddress(index, '10.0.0.2/24');
  expect(await add()).toBe('10.0.0.2');
});

describe('what can not be', () => {
  test.each([
    ['both ends on one side', { side: 'host', port: 0 }, { side: 'host', port: 80 }, 'badRequest'],
    ['a target without a port', { side: 'host', port: 0 }, { side: 'stack', port: 0 }, 'badRequest'],
    [
      'an address that is none',
      { side: 'host', address: 'here', port: 0 },
      { side: 'stack', port: 1 },
      'badRequest',
    ],
    [
      'an address the host has not',
      { side: 'host', address: '192.0.2.1', port: 0 },
      { side: 'stack', port: 1 },
      'badRequest',
    ],
    [
      'an address the stack has not',
      { side: 'stack', address: '192.0.2.1', port: 0 },
      { side: 'host', port: 1 },
      'badRequest',
    ],
  ] as const)('%s', async (_name, listen, target, code) => {
    await expect(forwards.add({ protocol: 'tcp', listen, target })).rejects.toMatchObject({
      code,
      statusCode: 400,
    });
    expect(forwards.list).toEqual([]);
  });

  test.each(['tcp', 'udp'] as const)('a port that is taken, on either side (%s)', async (protocol) => {
    const first = await forwards.add({
      protocol,
      listen: { side: 'host', port: 0 },
      target: { side: 'stack', port: 1 },
    });
    const again = {
      protocol,
      listen: { side: 'host', port: first.listen.port },
      target: { side: 'stack', port: 1 },
    } as const;
    await expect(forwards.add(again)).rejects.toMatchObject({ statusCode: 409, code: 'addressInUse' });
    const inside = {
      protocol,
      listen: { side: 'stack', port: 700 },
      target: { side: 'host', port: 1 },
    } as const;
    await forwards.add(inside);
    await expect(forwards.add(inside)).rejects.toMatchObject({ statusCode: 409, code: 'addressInUse' });
  });
});
