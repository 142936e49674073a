/** `network.trace`: the event streams of simulated hosts. */

import { describe, expect, test } from '@jest/globals';
import type { SimTcpTrace } from '../../src/sim/index.ts';
import { makePair, type Pair, transferBothWays } from './support.ts';

/** A transfer over a path that loses packets. */
async function lossyRun(): Promise<{ pair: Pair; trace: SimTcpTrace }> {
  const pair = makePair({ seed: 5, path: { impair: { loss: 0.03, delay: 20 } } });
  const trace = pair.network.trace();
  expect((await transferBothWays(pair, 200_000)).intact).toBe(true);
  await pair.network.run(pair.network.now + 300_000);
  return { pair, trace };
}

describe('network.trace', () => {
  test('events come in the order of virtual time, from all hosts', async () => {
    const { pair, trace } = await lossyRun();
    const times = trace.events.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(trace.events.map(({ host }) => host))).toEqual(new Set(['client', 'server']));
    expect(trace.of('state', pair.client).map(({ to }) => to)).toEqual(
      expect.arrayContaining(['SYN-SENT', 'ESTABLISHED', 'CLOSED']),
    );
    const samples = trace.of('rtt', pair.client).map(({ sample }) => sample);
    expect(Math.min(...samples)).toBeGreaterThanOrEqual(40);
    expect(trace.of('window').length).toBeGreaterThan(10);
    expect(trace.missed).toBe(0);
  });

  test('the same seed gives the same text, and nothing comes after close', async () => {
    const first = await lossyRun();
    const second = await lossyRun();
    expect(second.trace.text()).toBe(first.trace.text());
    expect(first.trace.text()).toMatch(
      /^\d+\.\d{3} client 10\.0\.0\.1:\d+ ↔ 10\.0\.0\.2:80: CLOSED → SYN-SENT$/m,
    );
    const { length } = first.trace.events;
    first.trace.close();
    await transferBothWays(first.pair, 1000);
    expect(first.trace.events).toHaveLength(length);
  });

  test('watching changes nothing of what happens', async () => {
    const run = async (isTraced: boolean): Promise<number> => {
      const pair = makePair({ seed: 5, path: { impair: { loss: 0.03, delay: 20 } } });
      if (isTraced) pair.network.trace();
      return (await transferBothWays(pair, 200_000)).ms;
    };
    expect(await run(true)).toBe(await run(false));
  });
});
