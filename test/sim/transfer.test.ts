import { describe, expect, test } from '@jest/globals';
import type { ImpairSettings } from '../../src/link/index.ts';
import {
  connectPair,
  makePair,
  OFFLOADS,
  type Pair,
  type PairOptions,
  SERVER,
  sha256,
  testBytes,
  transferBothWays,
} from './support.ts';
import { withCapture } from './with-capture.ts';

const LENGTH = 100_000;

/** Transfers both ways over such a path; leaves a capture when it fails. */
async function expectIntact(
  name: string,
  options: PairOptions,
  length = LENGTH,
): Promise<{ pair: Pair; ms: number }> {
  const pair = makePair(options);
  const result = await withCapture(name, pair, () => transferBothWays(pair, length));
  expect(result.intact).toBe(true);
  await pair.network.run(pair.network.now + 300_000);
  expect([...pair.client.stack.endpoints(), ...pair.server.stack.endpoints()]).toEqual([]);
  expect(pair.client.allocator.inUse + pair.server.allocator.inUse).toBe(0);
  pair.network.close();
  return { pair, ms: result.ms };
}

describe.each([4, 6] as const)('bytes arrive as they were sent, in both directions, over IPv%i', (family) => {
  const rows: { loss: number; delay: number; reorder: number; seed: number }[] = [];
  for (const loss of [0, 0.01, 0.05, 0.2]) {
    for (const delay of [0, 10, 150]) {
      for (const reorder of [0, 0.1]) rows.push({ loss, delay, reorder, seed: rows.length + 1 });
    }
  }

  test.each(rows)(
    'loss $loss, delay $delay ms, reordering $reorder (seed $seed)',
    async ({ seed, ...impair }) => {
      await expectIntact(`transfer-${family}-${seed}`, { family, seed, path: { impair } });
    },
  );

  const paths: [string, ImpairSettings][] = [
    ['every tenth packet doubled', { duplicate: 0.1, delay: 5 }],
    ['every twentieth packet damaged', { corrupt: 0.05, delay: 5 }],
    ['several bits damaged', { corrupt: 0.05, corruptBits: 4, delay: 5 }],
    ['losses in bursts', { burst: { toBad: 0.02, toGood: 0.3 }, delay: 20 }],
    ['jitter that lets packets overtake', { delay: 20, jitter: 30, jitterReorders: true }],
    ['jitter in order', { delay: 20, jitter: 30 }],
    ['1 Mbit/s with a short queue', { rateBytesPerSec: 125_000, queueBytes: 15_000, delay: 10 }],
    [
      'all of it at once',
      {
        loss: 0.03,
        delay: 15,
        jitter: 10,
        jitterReorders: true,
        reorder: 0.05,
        duplicate: 0.05,
        corrupt: 0.03,
        rateBytesPerSec: 1_000_000,
      },
    ],
  ];
  test.each(paths)('%s', async (name, impair) => {
    await expectIntact(`transfer-${family}-${name}`, { family, seed: 77, path: { impair } });
  });

  const modes = [family === 4 ? 576 : 1280, 1500, 65_535].flatMap((mtu) =>
    [0, OFFLOADS].map((offload) => ({ mtu, offload, isOffload: offload !== 0 })),
  );
  test.each(modes)('MTU $mtu, offloads $isOffload', async ({ mtu, offload }) => {
    await expectIntact(`transfer-${family}-mtu-${mtu}`, { family, mtu, offload }, 1_000_000);
  });

  test.each(modes)('MTU $mtu, offloads $isOffload, with loss and delay', async ({ mtu, offload }) => {
    await expectIntact(
      `transfer-${family}-mtu-lossy-${mtu}`,
      { family, mtu, offload, path: { impair: { loss: 0.02, delay: 10 } } },
      300_000,
    );
  });

  test('only the packets that the filter names are impaired', async () => {
    // Bytes of the client's data; its handshake, ACKs and FIN pass.
    const filter = (_bytes: Uint8Array, _at: number, length: number): boolean => length > 500;
    const { pair } = await expectIntact(`transfer-${family}-filter`, {
      family,
      path: { outbound: { loss: 0.1 }, filter },
    });
    expect(pair.server.stack.counters.tcpRetransSegs).toBe(0);
  });
});

describe('how fast bytes arrive', () => {
  test('given a rate, a transfer takes the time that it must, and little more', async () => {
    const pair = makePair({ path: { impair: { rateBytesPerSec: 1_000_000, delay: 5 } } });
    const { ms } = await transferBothWays(pair, 1_000_000);
    expect(ms).toBeGreaterThan(1000);
    expect(ms).toBeLessThan(1500);
  });

  test('given a long fat path, windows are large enough to fill it', async () => {
    const pair = makePair({ path: { impair: { delay: 50 } } });
    const [client, server] = await connectPair(pair);
    const start = pair.network.now;
    const bytes = testBytes(3_000_000, 1);
    const [received] = await pair.network.run(
      Promise.all([server.readAll(), client.write(bytes).then(() => client.end())]),
    );
    expect(sha256(received)).toBe(sha256(bytes));
    // Slow start from ten segments doubles every 100 ms: 3 MB are through after eight or nine round trips.
    expect(pair.network.now - start).toBeLessThan(1200);
  });

  test('given a reader that stops, the sender stops too, and goes on when it does', async () => {
    const pair = makePair({ tcp: { receiveBufferSize: 50_000, sendBufferSize: 50_000 } });
    const [client, server] = await connectPair(pair);
    const bytes = testBytes(400_000, 1);
    const sending = client.write(bytes).then(() => client.end());
    await pair.network.run(pair.network.now + 60_000);
    // A scaled window counts in 256 bytes, and may be rounded up so that its edge never moves back (RFC 7323 §2.4).
    expect(server.endpoint.readableBytes).toBeLessThanOrEqual(50_000 + 256);
    const [received] = await pair.network.run(Promise.all([server.readAll(), sending]));
    expect(sha256(received)).toBe(sha256(bytes));
  });

  test('given a path that breaks for 20 s, the connection survives it', async () => {
    const pair = makePair({ path: { impair: { delay: 10 } } });
    const [client, server] = await connectPair(pair);
    const link = pair.client.link();
    pair.network.time.after(100, () => link.outbound.change({ loss: 1 }));
    pair.network.time.after(20_100, () => link.outbound.change({ loss: 0 }));
    const bytes = testBytes(2_000_000, 1);
    const [received] = await pair.network.run(
      Promise.all([server.readAll(), client.write(bytes).then(() => client.end())]),
    );
    expect(sha256(received)).toBe(sha256(bytes));
    expect(pair.network.now).toBeGreaterThan(20_000);
  });

  test('given a path that stays broken, the sender gives up', async () => {
    const pair = makePair();
    const [client] = await connectPair(pair);
    pair.client.link().outbound.change({ loss: 1 });
    await client.write(testBytes(1000, 1));
    await expect(pair.network.run(client.read())).rejects.toMatchObject({ reason: 'timedOut' });
    await expect(pair.network.run(pair.client.tcp.connect(SERVER, 80))).rejects.toMatchObject({
      reason: 'timedOut',
    });
  });
});
