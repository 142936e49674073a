/** What congestion controls make of one bottleneck: how full it is, how long its queue, who gets how much. */

import { describe, expect, test } from '@jest/globals';
import { Bbr } from '../../src/stack/tcp/congestion/bbr/bbr.ts';
import { fairness, makeBottleneck } from './matrix/bottleneck.ts';

/** Of 20 Mbit/s, what is left for payload when headers of 52 bytes are taken off each packet of 1500. */
const PAYLOAD = 20 * (1448 / 1500);
/** Buffers for 1 Gbit/s and 100 ms with a queue as long. */
const LARGE = { sendBufferSize: 64 << 20, receiveBufferSize: 64 << 20 };

describe('RFC 9438 CUBIC', () => {
  test('a path of 1 Gbit/s and 100 ms is full to 95 % in steady state', () => {
    // Packets nearly as large as super-segments, so that the simulation is cheap.
    const path = { megabits: 1000, rtt: 100, buffer: 1, mtu: 32_000, tcp: LARGE };
    const [flow] = makeBottleneck(path, [{ tcp: LARGE }]).run(3000, 7000);
    expect(flow?.goodput).toBeGreaterThan(950);
    expect(flow?.retransmitted).toBeLessThan(0.05);
  });

  test('a short queue is enough for nine tenths of the path', () => {
    const [flow] = makeBottleneck({ megabits: 20, rtt: 40, buffer: 0.2 }, [{}]).run(5000, 20_000);
    expect(flow?.goodput).toBeGreaterThan(0.9 * PAYLOAD);
  });

  test('two flows share fairly, although the second comes later', () => {
    const path = { megabits: 20, rtt: 40, buffer: 1 };
    const flows = makeBottleneck(path, [{}, { start: 3000 }]).run(15_000, 45_000);
    expect(fairness(flows.map(({ goodput }) => goodput))).toBeGreaterThan(0.9);
    expect(flows.reduce((sum, { goodput }) => sum + goodput, 0)).toBeGreaterThan(0.95 * PAYLOAD);
  });

  test('§4.3 on a short path it is no worse and no more greedy than NewReno', () => {
    const path = { megabits: 10, rtt: 10, buffer: 1 };
    const newreno = { tcp: { congestionControl: 'newreno' as const } };
    const flows = makeBottleneck(path, [{}, newreno]).run(10_000, 40_000);
    expect(fairness(flows.map(({ goodput }) => goodput))).toBeGreaterThan(0.9);
  });

  test('paced, it fills the path as well', () => {
    const paced = { tcp: { pacing: true } };
    const [flow] = makeBottleneck({ megabits: 20, rtt: 40, buffer: 0.5 }, [paced]).run(5000, 20_000);
    expect(flow?.goodput).toBeGreaterThan(0.93 * PAYLOAD);
  });
});

describe('draft-ietf-ccwg-bbr BBRv3', () => {
  const bbr = { tcp: { congestionControl: 'bbr' as const } };

  test.each([0.3, 1, 4])('with a buffer of %d BDP the path is full, and the queue short', (buffer) => {
    const [flow] = makeBottleneck({ megabits: 20, rtt: 40, buffer }, [bbr]).run(5000, 20_000);
    expect(flow?.goodput).toBeGreaterThan(0.93 * PAYLOAD);
    expect(flow?.srtt).toBeLessThan(50);
    expect(flow?.retransmitted).toBeLessThan(0.01);
  });

  test.each([1, 2, 3])('a random loss of 1 % leaves four fifths of the path (seed %i)', (seed) => {
    const path = { megabits: 20, rtt: 100, buffer: 1, loss: 0.01, seed };
    const [flow] = makeBottleneck(path, [bbr]).run(5000, 15_000);
    expect(flow?.goodput).toBeGreaterThan(0.8 * PAYLOAD);
  });

  test('two flows share fairly, although the second comes later', () => {
    const path = { megabits: 20, rtt: 40, buffer: 1 };
    const flows = makeBottleneck(path, [bbr, { ...bbr, start: 3000 }]).run(15_000, 45_000);
    expect(fairness(flows.map(({ goodput }) => goodput))).toBeGreaterThan(0.9);
  });

  test('Detecting Application-Limited Phases: the bandwidth is not forgotten while the application has little to send', () => {
    const controls: Bbr[] = [];
    const congestionControl = () => {
      const control = new Bbr();
      controls.push(control);
      return control;
    };
    const path = { megabits: 20, rtt: 40, buffer: 1 };
    const flow = { trickleFrom: 5000, tcp: { congestionControl } };
    const bottleneck = makeBottleneck(path, [flow]);
    bottleneck.network.runSync(5000);
    const [control] = controls;
    const before = control?.model.maxBw ?? 0;
    expect(before * 8).toBeGreaterThan(0.9 * 1000 * PAYLOAD);
    const rates: number[] = [];
    for (let now = 6000; now <= 60_000; now += 1000) {
      bottleneck.network.runSync(now);
      rates.push((control?.model.bw ?? 0) / before);
    }
    expect(Math.min(...rates)).toBeGreaterThan(0.9);
    expect(Math.max(...rates)).toBeLessThan(1.1);
  });

  test('next to CUBIC each gets a part', () => {
    const flows = makeBottleneck({ megabits: 20, rtt: 40, buffer: 1 }, [bbr, {}]).run(10_000, 40_000);
    for (const { goodput } of flows) expect(goodput).toBeGreaterThan(0.15 * PAYLOAD);
  });
});

describe('draft-irtf-iccrg-ledbat-plus-plus LEDBAT++', () => {
  const ledbat = { tcp: { congestionControl: 'ledbat' as const } };

  test('alone it fills most of the path, with a queue of no more than its target', () => {
    const [flow] = makeBottleneck({ megabits: 10, rtt: 40, buffer: 5 }, [ledbat]).run(10_000, 50_000);
    expect(flow?.goodput).toBeGreaterThan(0.4 * PAYLOAD);
    expect(flow?.srtt).toBeLessThan(40 + 60 + 10);
    expect(flow?.retransmitted).toBe(0);
  });

  test('it gives way to CUBIC', () => {
    const path = { megabits: 10, rtt: 40, buffer: 3 };
    const flows = makeBottleneck(path, [ledbat, { start: 5000 }]).run(10_000, 50_000);
    const [background, foreground] = flows;
    expect(background?.goodput).toBeLessThan(0.05 * PAYLOAD);
    expect(foreground?.goodput).toBeGreaterThan(0.43 * PAYLOAD);
  });

  test('a late comer gets its share', () => {
    const path = { megabits: 10, rtt: 40, buffer: 5 };
    const flows = makeBottleneck(path, [ledbat, { ...ledbat, start: 10_000 }]).run(30_000, 90_000);
    expect(fairness(flows.map(({ goodput }) => goodput))).toBeGreaterThan(0.8);
  });
});
