import { describe, expect, test } from '@jest/globals';
import { Cubic } from '../../../../src/stack/tcp/congestion/cubic.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { ack, FullPath, SMSS, started } from './support.ts';

/** In congestion avoidance after a loss at a window of `segments`, on a path of `rtt` ms. */
function afterLossAt(segments: number, rtt: number): { control: Cubic; path: FullPath } {
  const control = started(new Cubic());
  control.cwnd = segments * SMSS;
  const path = new FullPath(control, rtt, 50);
  path.lose();
  return { control, path };
}

/** Segments of the window `seconds` after. */
function windowAfter(path: FullPath, seconds: number): number {
  path.rounds(Math.round((seconds * 1000) / path.rtt));
  return path.control.cwnd / SMSS;
}

describe('RFC 9438 CUBIC', () => {
  test('§4.2 the window follows W_cubic: the plateau after K, concave before, convex after', () => {
    const { control, path } = afterLossAt(1000, 100);
    expect(control.cwnd).toBe(700 * SMSS);
    // K = ∛((1000 − 700) / 0.4) = 9.09 s
    const k = Math.cbrt(300 / 0.4);
    const seen: number[] = [];
    for (let i = 0; i < 18; i++) seen.push(windowAfter(path, 1));
    for (const [i, segments] of seen.entries()) {
      const expected = 0.4 * (i + 1 - k) ** 3 + 1000;
      expect(Math.abs(segments - expected)).toBeLessThan(0.03 * expected);
    }
    const steps = seen.map((segments, i) => segments - (seen[i - 1] ?? 700));
    for (let i = 1; i < 8; i++) expect(steps[i]).toBeLessThan(steps[i - 1] as number);
    for (let i = 11; i < 18; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1] as number);
  });

  test('§4.3 where NewReno is faster the window grows as NewReno’s on average', () => {
    const { path } = afterLossAt(20, 10);
    // α = 9/17 of a segment each round trip: 14 + 6 within 11.3 round trips, far from the K of 2.5 s.
    const segments = windowAfter(path, 0.1);
    expect(segments).toBeGreaterThan(18.5);
    expect(segments).toBeLessThan(20);
    // Once it is where the loss was, a segment each.
    const later = windowAfter(path, 0.5);
    const soonAfter = windowAfter(path, 0.1);
    expect(soonAfter - later).toBeCloseTo(10, 0);
  });

  test('§4.3 it is never below NewReno that lost at the same window', () => {
    for (const [segments, rtt] of [
      [30, 5],
      [100, 20],
      [300, 200],
    ] as const) {
      const { path } = afterLossAt(segments, rtt);
      const reno = started(new NewReno());
      reno.cwnd = segments * SMSS;
      const renoPath = new FullPath(reno, rtt, 50);
      renoPath.lose();
      let sum = 0;
      let renoSum = 0;
      // One sawtooth of NewReno.
      for (let i = 0; i < segments / 2; i++) {
        path.round();
        renoPath.round();
        sum += path.control.cwnd;
        renoSum += reno.cwnd;
      }
      expect(sum).toBeGreaterThanOrEqual(0.99 * renoSum);
    }
  });

  test('§4.2 the window grows by at most a half in a round trip', () => {
    const { control, path } = afterLossAt(10, 100);
    // The time for which W_cubic grows is long, because ACKs come but once a minute.
    path.round();
    path.now += 60_000;
    const before = control.cwnd;
    path.round();
    expect(control.cwnd).toBeLessThanOrEqual(1.7 * before);
    expect(control.cwnd).toBeGreaterThan(1.4 * before);
  });

  test('§4.6 a loss leaves 0.7 of what is in flight, at least two segments', () => {
    const control = started(new Cubic());
    control.onCongestion('loss', 10_000);
    expect([control.cwnd, control.ssthresh]).toEqual([7000, 7000]);
    control.onCongestion('ecn', 1000);
    expect(control.ssthresh).toBe(2000);
  });

  test('§4.7 fast convergence: a second loss below the plateau sets the new one lower still', () => {
    const { control, path } = afterLossAt(1000, 100);
    path.rounds(10);
    const cwnd = control.cwnd / SMSS;
    expect(cwnd).toBeLessThan(1000);
    path.lose();
    // The plateau is at 0.85 of the window: K = ∛((0.85 − 0.7) · cwnd / 0.4)
    const k = Math.cbrt((0.15 * cwnd) / 0.4);
    expect(Math.abs(windowAfter(path, k) - 0.85 * cwnd)).toBeLessThan(0.02 * cwnd);
  });

  test('§4.8 after a timeout congestion avoidance starts convex where slow start ended', () => {
    const { control, path } = afterLossAt(1000, 100);
    control.onTimeout(control.cwnd, true);
    expect(control.cwnd).toBe(SMSS);
    while (control.cwnd < control.ssthresh) path.round();
    const end = control.cwnd / SMSS;
    expect(end).toBeCloseTo(490, 0);
    const seen = [1, 2, 3, 4, 5].map(() => windowAfter(path, 1) - end);
    // NewReno's segment a round trip, until C·t³ is more.
    expect(seen[0]).toBeLessThan(12);
    expect(windowAfter(path, 5) - end).toBeGreaterThan(0.4 * 9 ** 3);
  });

  test('§4.9 a spurious timeout leaves the curve as it was', () => {
    const { control, path } = afterLossAt(1000, 100);
    path.rounds(40);
    const twin = afterLossAt(1000, 100);
    twin.path.rounds(40);
    const before = control.cwnd;
    control.onTimeout(before, true);
    control.onSpurious(before);
    expect(control.cwnd).toBe(before);
    path.rounds(30);
    twin.path.rounds(30);
    expect(control.cwnd).toBe(twin.control.cwnd);
  });

  test('§5.8 time in which the application sends too little does not count', () => {
    const { control, path } = afterLossAt(1000, 100);
    path.rounds(20);
    const twin = afterLossAt(1000, 100);
    twin.path.rounds(20);
    path.rounds(100, { isCwndLimited: false });
    expect(control.cwnd).toBe(twin.control.cwnd);
    path.rounds(20);
    twin.path.rounds(20);
    expect(Math.abs(control.cwnd - twin.control.cwnd)).toBeLessThan(0.01 * control.cwnd);
  });

  test('§4.10 without a loss it starts flat where HyStart++ left slow start', () => {
    const control = started(new Cubic());
    control.cwnd = 500 * SMSS;
    control.ssthresh = control.cwnd;
    const path = new FullPath(control, 100, 50);
    const seen = windowAfter(path, 1);
    expect(seen).toBeGreaterThan(500);
    expect(seen).toBeLessThan(512);
  });

  test('an ACK of everything at once is taken as well', () => {
    const { control } = afterLossAt(1000, 100);
    for (let i = 1; i <= 100; i++) {
      ack(control, { acked: control.cwnd * 2, now: i * 100, srtt: 100 });
      expect(Number.isInteger(control.cwnd)).toBe(true);
    }
    expect(control.cwnd).toBeGreaterThan(1000 * SMSS);
  });
});
