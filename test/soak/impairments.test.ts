/**
 * A matrix of bad paths, over and over with new seeds until the time is up: with the kernel on the machine's clock, and
 * between two of our hosts in virtual time. Whatever the path does, the bytes arrive.
 */

import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { randomBelow, SeededRandom } from '../../src/base/index.ts';
import type { ImpairSettings } from '../../src/link/index.ts';
import { createNetwork } from '../../src/sim/index.ts';
import type { ExchangeResult } from '../support/kernel-peer.ts';
import { LiveHost, OURS } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';
import { report, soak } from './report.ts';

const KB = 1 << 10;
const BYTES = 512 * KB;
const SHARE_MS = (soak.minutes * 60_000) / 2;

/** Loss × delay × reordering, each with a little of what else goes wrong. */
const MATRIX: readonly ImpairSettings[] = [0, 0.01, 0.05].flatMap((loss) =>
  [0, 5, 40].flatMap((delay) =>
    [0, 0.02].map((reorder) => ({ loss, delay, reorder, reorderBy: 4, duplicate: 0.005, corrupt: 0.002 })),
  ),
);

interface Tally {
  runs: number;
  ms: number;
  slowest: number;
  failedSeeds: number[];
}

/** Runs every cell with a seed of its own, again and again, until the time is up; the first round is always finished. */
async function sweep(
  peer: string,
  run: (path: ImpairSettings, seed: number) => Promise<number>,
): Promise<void> {
  const tallies: Tally[] = MATRIX.map(() => ({ runs: 0, ms: 0, slowest: 0, failedSeeds: [] }));
  const seeds = new SeededRandom(soak.seed);
  const end = performance.now() + SHARE_MS;
  let error: unknown = null;
  for (let i = 0; i < MATRIX.length || performance.now() < end; i++) {
    const cell = i % MATRIX.length;
    const seed = randomBelow(seeds, 1 << 30);
    const tally = tallies[cell] as Tally;
    try {
      const ms = await run(MATRIX[cell] as ImpairSettings, seed);
      tally.runs++;
      tally.ms += ms;
      tally.slowest = Math.max(tally.slowest, ms);
    } catch (cause) {
      tally.failedSeeds.push(seed);
      error ??= new Error(`${JSON.stringify(MATRIX[cell])}, seed ${seed}`, { cause });
    }
  }
  for (const [cell, { runs, ms, slowest, failedSeeds }] of tallies.entries()) {
    const { loss, delay, reorder } = MATRIX[cell] as ImpairSettings;
    const mean = runs === 0 ? '-' : (ms / runs / 1000).toFixed(2);
    report({
      ...{ peer, 'loss %': (loss ?? 0) * 100, 'delay ms': delay ?? 0, 'reorder %': (reorder ?? 0) * 100 },
      ...{ runs, 'mean s': mean, 'slowest s': (slowest / 1000).toFixed(2) },
      verdict: failedSeeds.length === 0 ? 'ok' : `FAILED with seeds ${failedSeeds.join(' ')}`,
    });
  }
  if (error !== null) throw error;
}

describePrivileged('bad paths to the kernel', () => {
  test('both directions at once arrive byte for byte', () =>
    sweep('kernel', async (path, seed) => {
      const host = new LiveHost({ offload: seed % 2 === 0, outbound: path, inbound: path, seed });
      try {
        const listener = host.listen(5001);
        const peer = host.kernel('exchange', OURS, 5001, BYTES, 'both');
        const stream = await listener.accept();
        const start = performance.now();
        const [sent, received] = await Promise.all([sendHashed(stream, BYTES), receiveHashed(stream)]);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        return performance.now() - start;
      } finally {
        host.close();
      }
    }));
});

describe('bad paths between two of our hosts', () => {
  test('both directions at once arrive byte for byte, in virtual time', () =>
    sweep('winsockd', async (path, seed) => {
      const network = createNetwork({ seed });
      const segment = network.segment({ mtu: 1500 });
      const tcp = { maxSynRetransmissions: 12, maxRetransmissions: 15 };
      const server = network.host({ name: 'server', segment, addresses: ['10.0.0.1/24'], tcp });
      const client = network.host({ name: 'client', segment, addresses: ['10.0.0.2/24'], tcp, impair: path });
      try {
        const listener = server.tcp.listen(80);
        const [near, far] = await network.run(
          Promise.all([client.tcp.connect('10.0.0.1', 80), listener.accept()]),
        );
        const start = network.now;
        const up = pattern(seed, BYTES);
        const down = pattern(seed + 1, BYTES);
        const send = async (stream: typeof near, bytes: Uint8Array): Promise<void> => {
          await stream.write(bytes);
          stream.end();
        };
        const [, , atServer, atClient] = await network.run(
          Promise.all([send(near, up), send(far, down), far.readAll(), near.readAll()]),
        );
        expect([digest(atServer), digest(atClient)]).toEqual([digest(up), digest(down)]);
        return network.now - start;
      } finally {
        network.close();
      }
    }));
});

function pattern(seed: number, length: number): Uint8Array {
  const random = new SeededRandom(seed);
  const words = Int32Array.from({ length: length >> 2 }, () => random.next());
  return new Uint8Array(words.buffer);
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}
