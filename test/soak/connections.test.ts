/**
 * Very many connections, one byte each way, and what is left of them: nothing.
 */

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LiveHost, OURS, until } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { measured, type Row, soak } from './report.ts';

const GROUP = 50;
/** Opened and closed before memory is looked at: pools fill, code is compiled. */
const WARM_UP = 2000;
const PEER_LIMIT_MS = 60_000 + soak.connections * 10;
/** Retained bytes a connection that would be a leak: a control block is far larger. */
const LEAK_BYTES = 50;

const heapUsed = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const openFiles = (): number => readdirSync('/proc/self/fd').length;

describePrivileged('very many connections', () => {
  let host: LiveHost;

  beforeAll(() => {
    host = new LiveHost({ tcp: { msl: 50 }, peerLimitMs: PEER_LIMIT_MS });
    // The kernel would run out of ports, and its ports out of TIME-WAIT.
    host.space.exec(
      'sysctl',
      '-qw',
      'net.ipv4.tcp_max_tw_buckets=0',
      'net.ipv4.ip_local_port_range=1024 65535',
    );
  });
  afterAll(() => host.close());

  /** Runs `connect` to warm up, then for the count, and compares what is held before and after. */
  async function counted(endpoints: number, connect: (count: number) => Promise<void>): Promise<Row> {
    const settled = async (): Promise<void> => {
      await until('connections ended', () => [...host.stack.endpoints()].length === endpoints);
      await until('no timer is left', () => host.stack.nextDeadline === Number.POSITIVE_INFINITY);
      expect(host.allocator.inUse).toBe(0);
    };
    await connect(WARM_UP);
    await settled();
    const before = { heap: heapUsed(), files: openFiles() };
    const start = performance.now();
    await connect(soak.connections);
    const rate = Math.round((soak.connections / (performance.now() - start)) * 1000);
    await settled();
    const grown = heapUsed() - before.heap;
    expect(openFiles()).toBeLessThanOrEqual(before.files);
    expect(grown).toBeLessThan(LEAK_BYTES * Math.max(soak.connections, 10_000));
    return {
      connections: soak.connections,
      rate: `${rate}/s`,
      'heap growth': `${Math.round(grown / 1024)} KiB`,
    };
  }

  test('opened and closed by the kernel', () =>
    measured({ who: 'the kernel opens and closes' }, async () => {
      const listener = host.echo(7);
      const row = await counted(1, async (count) => {
        const result = await host.kernel('connections', OURS, 7, count).result();
        expect(result).toEqual({ echoed: count });
      });
      listener.close();
      return row;
    }));

  test('opened by the kernel, closed by us', () =>
    measured({ who: 'the kernel opens, we close' }, async () => {
      const listener = host.echo(8, (endpoint) => endpoint.close());
      const row = await counted(1, async (count) => {
        const result = await host.kernel('connections', OURS, 8, count, '--last').result();
        expect(result).toEqual({ echoed: count });
      });
      listener.close();
      return row;
    }));

  test('opened and closed by us', () =>
    measured({ who: 'we open and close' }, () =>
      counted(0, async (count) => {
        const peer = await host.kernelServer('serve-echo', 6001, count);
        for (let left = count; left > 0; left -= GROUP) {
          await Promise.all(Array.from({ length: Math.min(GROUP, left) }, (_, i) => askOnce(host, i)));
        }
        expect(await peer.result()).toEqual({ ended: count });
      }),
    ));
});

/** Opens a connection, sends a byte, gets it back, closes. */
async function askOnce(host: LiveHost, byte: number): Promise<void> {
  const stream = await host.connect(6001);
  await stream.write(Uint8Array.of(byte));
  expect((await stream.readExactly(1))[0]).toBe(byte);
  stream.end();
  expect(await stream.read()).toBeNull();
  stream.close();
}
