/** Whole transfers between two stacks in virtual time. */

import { describe, expect, test } from '@jest/globals';
import type { TcpEndpoint, TcpOptions } from '../../../src/stack/index.ts';
import { has, Pair, type PathOptions, pattern, Transfer } from './support.ts';

/** Sends both ways at once and compares. @returns the endpoints and the virtual time it took */
function bothWays(pair: Pair, upBytes: number, downBytes: number): [TcpEndpoint, TcpEndpoint, number] {
  const [client, server] = pair.connect();
  const up = new Transfer(client, server, pattern(upBytes));
  const down = new Transfer(server, client, pattern(downBytes, 5));
  const start = pair.now;
  const isOver = pair.run(() => {
    const isUp = up.step();
    return down.step() && isUp;
  }, 3_600_000);
  expect({ isOver, up: up.received, down: down.received }).toEqual({
    isOver: true,
    up: upBytes,
    down: downBytes,
  });
  expect([up.isRight, down.isRight]).toEqual([true, true]);
  return [client, server, pair.now - start];
}

/** Nothing is held any more: no memory, no endpoint. */
function expectNothingLeft(pair: Pair, ...sockets: TcpEndpoint[]): void {
  for (const socket of sockets) socket.close();
  pair.pass(400_000);
  expect([...pair.stacks[0].endpoints(), ...pair.stacks[1].endpoints()]).toEqual([]);
  expect(pair.allocators.map((allocator) => allocator.inUse)).toEqual([0, 0]);
}

describe('a transfer over a perfect path', () => {
  test('bytes and FIN go both ways, nothing is sent twice, and nothing is left behind', () => {
    const pair = new Pair(1);
    const [client, server] = bothWays(pair, 300_000, 200_000);
    pair.pass(1000);
    expect(has(pair.events.get(client), 'closed')).toBe(true);
    expect(has(pair.events.get(server), 'closed')).toBe(true);
    expect(client.info().retransSegs + server.info().retransSegs).toBe(0);
    expectNothingLeft(pair, client, server);
  });

  test('a path of 100 ms is filled: 8 MB take little more than slow start needs', () => {
    const pair = new Pair(1, { delay: 50 });
    const [client, , took] = bothWays(pair, 8 << 20, 1);
    expect(took).toBeLessThan(2500);
    expect(client.info().retransSegs).toBe(0);
  });

  test.each([68 + 12, 296, 576, 9000, 65_535])('an MTU of %i bytes carries it', (mtu) => {
    const pair = new Pair(1, {}, {}, mtu);
    const [client, server] = bothWays(pair, 100_000, 30_000);
    expectNothingLeft(pair, client, server);
  });
});

const PATHS: Readonly<Record<string, PathOptions>> = {
  'loss of 1 %': { delay: 10, loss: 0.01 },
  'loss of 10 %': { delay: 10, loss: 0.1 },
  'loss of 30 %': { delay: 2, loss: 0.3 },
  'reordering within 20 ms': { delay: 5, jitter: 20 },
  'duplicates of 20 %': { delay: 5, duplicate: 0.2 },
  'loss, reordering and duplicates': { delay: 5, jitter: 10, loss: 0.05, duplicate: 0.05 },
};
const VARIANTS: Readonly<Record<string, TcpOptions>> = {
  'all options': {},
  'no SACK': { sack: false },
  'no options': { sack: false, timestamps: false, windowScaling: false },
  'small buffers': { sendBufferSize: 9000, receiveBufferSize: 7000 },
};

describe.each(Object.entries(PATHS))('a transfer over a path with %s', (_name, path) => {
  test.each(Object.entries(VARIANTS))('arrives byte by byte both ways with %s', (_variant, options) => {
    for (let seed = 1; seed <= 3; seed++) {
      const pair = new Pair(seed, path, { maxSynRetransmissions: 12, ...options });
      const [client, server] = bothWays(pair, 150_000, 60_000);
      expectNothingLeft(pair, client, server);
    }
  });
});
