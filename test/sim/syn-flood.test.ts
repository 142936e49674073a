/** A flood of forged SYNs against a listener, and real clients that want in meanwhile. */

import { describe, expect, test } from '@jest/globals';
import { createNetwork, type SimHost } from '../../src/sim/index.ts';
import type { SynCookieMode, TcpEndpoint } from '../../src/stack/index.ts';
import { tcpOptions, tcpPacket } from '../support/segment.ts';
import { exchange, SERVER, sha256, testBytes } from './support.ts';

const CLIENTS = 50;
const SLICE_MS = 10;
const OPTIONS = tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 0], windowShift: 7 });

/** Records of half-open connections that a host keeps. */
function halfOpen(host: SimHost): number {
  let count = 0;
  for (const endpoint of host.stack.endpoints()) {
    if ((endpoint as TcpEndpoint).state === 'SYN-RECEIVED') count++;
  }
  return count;
}

/** Floods a server with `total` SYNs from as many hosts, `perSlice` every 10 ms, while clients connect and transfer. */
async function flood(total: number, perSlice: number, synCookies: SynCookieMode, maxHalfOpen: number) {
  const network = createNetwork({ seed: 5 });
  const segment = network.segment();
  const tcp = { synCookies, maxHalfOpen };
  const server = network.host({ name: 'server', segment, addresses: [`${SERVER}/8`], tcp });
  const client = network.host({ name: 'client', segment, addresses: ['10.0.0.1/8'], impair: { delay: 10 } });
  const index = server.stack.interfaces.find((one) => !one.isLoopback)?.index ?? 0;
  const listener = server.tcp.listen(80, { backlog: 64 });
  const slices = total / perSlice;
  const transfers: Promise<boolean>[] = [];
  let most = 0;
  const serve = async (): Promise<void> => {
    for (;;) {
      const stream = await listener.accept();
      void exchange(stream, testBytes(2000, 1)).then(() => stream.close());
    }
  };
  void serve().catch(() => {});
  const transfer = async (salt: number): Promise<boolean> => {
    const stream = await client.tcp.connect(SERVER, 80);
    const received = await exchange(stream, testBytes(20_000, salt));
    stream.close();
    return sha256(received) === sha256(testBytes(2000, 1));
  };
  for (let slice = 0; slice < slices; slice++) {
    for (let i = 0; i < perSlice; i++) {
      const n = slice * perSlice + i;
      const src = `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
      server.stack.inputPacket(
        index,
        tcpPacket({
          src,
          dst: SERVER,
          sourcePort: 1024 + (n % 60_000),
          destinationPort: 80,
          flags: 'S',
          seq: n,
          options: OPTIONS,
        }),
      );
    }
    server.driver.wake();
    if (slice % Math.floor(slices / CLIENTS) === 0 && transfers.length < CLIENTS)
      transfers.push(transfer(slice));
    await network.run(network.now + SLICE_MS);
    most = Math.max(most, halfOpen(server));
  }
  const results = await network.run(Promise.all(transfers));
  const { counters } = server.stack;
  listener.close();
  await network.run(network.now + 300_000);
  const left = { endpoints: [...server.stack.endpoints()].length, bytes: server.allocator.inUse };
  network.close();
  return { most, good: results.filter((isRight) => isRight).length, counters, left };
}

describe('RFC 4987 §3 a flood of SYNs', () => {
  test('RFC 4987 §3.6 a hundred thousand forged SYNs keep 1024 records busy, and every real client gets in', async () => {
    const { most, good, counters, left } = await flood(100_000, 100, 'pressure', 1024);
    expect(most).toBeLessThanOrEqual(1024);
    expect(good).toBe(CLIENTS);
    expect(counters.tcpSynCookiesSent).toBeGreaterThan(95_000);
    expect(counters.tcpSynCookiesRecv).toBeGreaterThanOrEqual(CLIENTS - 6);
    expect(left).toEqual({ endpoints: 0, bytes: 0 });
  }, 120_000);

  test('RFC 4987 §3.2 without cookies the youngest records are kept, and real clients get in while theirs are young', async () => {
    const { most, good, left } = await flood(20_000, 100, 'off', 1024);
    expect(most).toBeLessThanOrEqual(1024);
    expect(good).toBe(CLIENTS);
    expect(left).toEqual({ endpoints: 0, bytes: 0 });
  }, 120_000);

  test('RFC 4987 §3.6 with cookies for all, nothing at all is remembered of forged SYNs', async () => {
    const { most, good, left } = await flood(20_000, 100, 'always', 1024);
    expect(most).toBe(0);
    expect(good).toBe(CLIENTS);
    expect(left).toEqual({ endpoints: 0, bytes: 0 });
  }, 120_000);
});
