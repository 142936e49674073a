/**
 * Hostile frames by the million, half of them for a host and half for a router that translates, of each half on a link of packets
 * and half on an Ethernet: the stack throws nothing, knows and counts every verdict, holds bounded memory, and in the end nothing.
 */

import { describe, test } from '@jest/globals';
import { dropReasonInfo } from '../../src/wire/index.ts';
import { HostileHost } from '../support/hostile-host.ts';
import { HostileRouter } from '../support/hostile-router.ts';
import { measured, type Row, soak } from './report.ts';

/** Frames between two looks at the process's memory. */
const SLICE = 50_000;
/** Verdicts in the table, the most frequent ones. */
const SHOWN_VERDICTS = 8;

describe(`hostile frames (seed ${soak.seed})`, () => {
  test.each([
    ['packets', false, Math.ceil(soak.frames / 4)],
    ['Ethernet frames', true, Math.floor(soak.frames / 4)],
  ])('%s', (link, isEthernet, frames) =>
    measured({ link, seed: soak.seed, frames }, async () => {
      const host = new HostileHost(soak.seed, isEthernet);
      const { figures } = host;
      const start = performance.now();
      let peakRss = 0;
      while (figures.frames < frames) {
        host.run(Math.min(SLICE, frames - figures.frames));
        peakRss = Math.max(peakRss, process.memoryUsage.rss());
      }
      const seconds = (performance.now() - start) / 1000;
      host.end();
      return {
        'frames/s': Math.round(frames / seconds),
        sent: figures.sent,
        'stack MB': (figures.peakMemory / 2 ** 20).toFixed(1),
        'process MB': Math.round(peakRss / 2 ** 20),
        neighbours: figures.peakNeighbors,
        routes: figures.peakRoutes,
        addresses: figures.peakAddresses,
        ...verdictRow(figures.verdicts),
      } satisfies Row;
    }),
  );

  test.each([
    ['packets, routed', false, Math.ceil(soak.frames / 4)],
    ['Ethernet frames, routed', true, Math.floor(soak.frames / 4)],
  ])('%s', (link, isEthernet, frames) =>
    measured({ link, seed: soak.seed, frames }, async () => {
      const router = new HostileRouter(soak.seed, isEthernet);
      const { figures } = router;
      const start = performance.now();
      let peakRss = 0;
      while (figures.frames < frames) {
        router.run(Math.min(SLICE, frames - figures.frames));
        peakRss = Math.max(peakRss, process.memoryUsage.rss());
      }
      const seconds = (performance.now() - start) / 1000;
      router.end();
      return {
        'frames/s': Math.round(frames / seconds),
        sent: figures.sent,
        'stack MB': (figures.peakMemory / 2 ** 20).toFixed(1),
        'process MB': Math.round(peakRss / 2 ** 20),
        mappings: figures.peakMappings,
        ...verdictRow(figures.verdicts),
      } satisfies Row;
    }),
  );
});

/** How many verdicts there were, and the most frequent ones by name. */
function verdictRow(verdicts: ReadonlyMap<number, number>): Row {
  const frequent = [...verdicts].sort(([, a], [, b]) => b - a).slice(0, SHOWN_VERDICTS);
  const name = (verdict: number): string => dropReasonInfo(verdict)?.name ?? `${verdict}`;
  return {
    used: verdicts.get(0) ?? 0,
    kinds: verdicts.size,
    verdicts: frequent.map(([verdict, count]) => `${name(verdict)}=${count}`).join(' '),
  };
}
