/** How large buffers become, over paths where it matters (docs/decisions/005-buffers-that-follow-the-path.md). */

import { describe, expect, jest, test } from '@jest/globals';
import type { SimStream } from '../../src/sim/index.ts';
import type { TcpOptions } from '../../src/stack/index.ts';
import { connectPair, makePair, testBytes } from './support.ts';

// Tens of megabytes, on a machine that is busy with other tests.
jest.setTimeout(30_000);

/** 100 Mbit/s each way, 200 ms there and back: 2.5 MB are in flight when it is full. The queue takes more than any window: no loss. */
const RATE = 12_500_000;
const FAR = { rateBytesPerSec: RATE, delay: 100, queueBytes: 20_000_000 };
const SMALL = { sendBufferSize: 65_536, receiveBufferSize: 65_536 };
const GROWING = { ...SMALL, sendBufferMax: 16 << 20, receiveBufferMax: 16 << 20 };

/** Writes for as long as the connection lives. */
async function fill(stream: SimStream): Promise<void> {
  const chunk = testBytes(65_536, 1);
  for (;;) await stream.write(chunk);
}

/** Reads all there is, and counts it. */
function drain(stream: SimStream): { bytes: number } {
  const count = { bytes: 0 };
  const read = async (): Promise<void> => {
    for (let part = await stream.read(1 << 20); part !== null; part = await stream.read(1 << 20)) {
      count.bytes += part.length;
    }
  };
  read().catch(() => {});
  return count;
}

/** A transfer from client to server over {@link FAR}. @returns the share of the rate that it has after 2.6 s */
async function shareOfRate(tcp: TcpOptions, tune: (server: SimStream) => void = () => {}): Promise<number> {
  const pair = makePair({ tcp, path: { impair: FAR } });
  const [client, server] = await connectPair(pair);
  tune(server);
  const received = drain(server);
  fill(client).catch(() => {});
  const start = pair.network.now;
  await pair.network.run(start + 2600);
  const before = received.bytes;
  await pair.network.run(start + 3200);
  const share = (received.bytes - before) / (0.6 * RATE);
  client.abort();
  server.abort();
  pair.network.close();
  return share;
}

describe('RFC 7323 §2 windows that follow the path', () => {
  // Of 1500 bytes, 1448 are text.
  test('from 64 KB, 100 Mbit/s × 200 ms is filled', async () => {
    expect(await shareOfRate(GROWING)).toBeGreaterThan(0.95 * (1448 / 1500));
  });

  test('without timestamps, the time of a window stands for the round trip', async () => {
    expect(await shareOfRate({ ...GROWING, timestamps: false })).toBeGreaterThan(0.95 * (1460 / 1500));
  });

  test('a size that the stack states without a maximum is kept: a window a round trip', async () => {
    const share = await shareOfRate({ ...GROWING, receiveBufferMax: 65_536 });
    expect((share * RATE) / 5).toBeLessThanOrEqual(65_536 + 256);
  });

  test('a size that the user sets is kept', async () => {
    const share = await shareOfRate(GROWING, ({ endpoint }) => {
      endpoint.receiveBufferSize = 131_072;
    });
    expect((share * RATE) / 5).toBeLessThanOrEqual(131_072 + 256);
    expect((share * RATE) / 5).toBeGreaterThan(110_000);
  });
});

describe('RFC 9293 §3.8.6 buffers that do not grow without use', () => {
  test('a reader slower than the path gets no larger buffer', async () => {
    const pair = makePair({ tcp: GROWING, path: { impair: FAR } });
    const [client, server] = await connectPair(pair);
    fill(client).catch(() => {});
    const into = new Uint8Array(5000);
    for (let i = 0; i < 100; i++) {
      await pair.network.run(pair.network.now + 100);
      server.endpoint.read(into, 0, into.length);
    }
    expect(server.endpoint.receiveBufferSize).toBe(65_536);
    expect(server.endpoint.readableBytes).toBeGreaterThan(40_000);
    client.abort();
    server.abort();
    pair.network.close();
  });

  test('a writer who has little to say keeps a small send buffer and a small ideal backlog', async () => {
    const pair = makePair({ tcp: GROWING, path: { impair: FAR } });
    const [client, server] = await connectPair(pair);
    const received = drain(server);
    for (let i = 0; i < 50; i++) {
      await client.write(testBytes(1000, i));
      await pair.network.run(pair.network.now + 100);
    }
    expect(received.bytes).toBeGreaterThan(40_000);
    expect(client.endpoint.sendBufferSize).toBe(65_536);
    expect(client.endpoint.idealSendBacklog).toBe(65_536);
    pair.network.close();
  });

  test('IOC-SIO_IDEAL_SEND_BACKLOG_QUERY the ideal backlog covers the path, and falls when the window does', async () => {
    const pair = makePair({ tcp: GROWING, path: { impair: FAR } });
    const [client, server] = await connectPair(pair);
    drain(server);
    fill(client).catch(() => {});
    expect(client.endpoint.idealSendBacklog).toBe(65_536);
    await pair.network.run(pair.network.now + 2500);
    const { idealSendBacklog } = client.endpoint;
    expect(idealSendBacklog).toBeGreaterThanOrEqual(2 * 2_500_000);
    expect(client.endpoint.sendBufferSize).toBe(idealSendBacklog);
    pair.client.link().outbound.change({ loss: 1 });
    await pair.network.run(pair.network.now + 5000);
    pair.client.link().outbound.change({ loss: 0 });
    for (let i = 0; i < 200 && client.endpoint.idealSendBacklog === idealSendBacklog; i++) {
      await pair.network.run(pair.network.now + 100);
    }
    expect(client.endpoint.idealSendBacklog).toBe(65_536);
    client.abort();
    server.abort();
    pair.network.close();
  });
});
