import { describe, expect, test } from '@jest/globals';
import { BaseDelay } from '../../../../src/stack/tcp/congestion/base-delay.ts';
import { NO_THRESHOLD } from '../../../../src/stack/tcp/congestion/control.ts';
import { LedbatPlusPlus } from '../../../../src/stack/tcp/congestion/ledbat.ts';
import { FullPath, SMSS, started } from './support.ts';

/** A path that was once without a queue. */
function onPath(rtt: number): FullPath {
  const path = new FullPath(started(new LedbatPlusPlus()), rtt);
  path.round();
  return path;
}

/** In congestion avoidance with a window of `segments`, before its first slowdown, the queue being `queueing` ms. */
function avoiding(rtt: number, segments: number, queueing: number): FullPath {
  const path = onPath(rtt);
  path.rtt = rtt + queueing;
  path.rounds(1, { isCwndLimited: false });
  path.control.cwnd = segments * SMSS;
  path.control.ssthresh = path.control.cwnd;
  return path;
}

/** Segments by which a round trip changes the window. */
function growth(path: FullPath): number {
  const before = path.control.cwnd;
  path.round();
  return (path.control.cwnd - before) / SMSS;
}

describe('RFC 6817 §4.2 delays', () => {
  test('the base is the least of the last ten minutes, the queue the least of the last four samples above it', () => {
    const delay = new BaseDelay();
    expect(delay.queueing).toBe(0);
    delay.update(50, 0);
    for (const rtt of [90, 80, 120, 100]) delay.update(rtt, 1000);
    expect([delay.base, delay.queueing]).toEqual([50, 30]);
    for (let minute = 1; minute <= 9; minute++) delay.update(70, minute * 60_000);
    expect(delay.base).toBe(50);
    delay.update(70, 11 * 60_000);
    expect(delay.base).toBe(70);
  });
});

describe('draft-irtf-iccrg-ledbat-plus-plus', () => {
  test.each([
    [200, 1],
    [60, 1 / 2],
    [25, 1 / 5],
    [2, 1 / 16],
  ])('§4.2 on a path of %i ms the gain is %d, in slow start and after', (rtt, gain) => {
    const path = onPath(rtt);
    expect(growth(path) / (path.control.cwnd / SMSS)).toBeCloseTo(gain / (1 + gain), 1);
    expect(growth(avoiding(rtt, 50, 0))).toBeCloseTo(gain, 1);
  });

  test('§4.3 slow start ends at three quarters of the target', () => {
    const path = onPath(200);
    path.rtt = 244;
    path.rounds(2);
    expect(path.control.ssthresh).toBe(NO_THRESHOLD);
    path.rtt = 246;
    path.rounds(2);
    expect(path.control.ssthresh).toBeLessThan(NO_THRESHOLD);
  });

  test('§4.2 above the target the window shrinks in proportion, by half at most', () => {
    // A tenth above it, once in a round trip: 100 segments less 10, plus one.
    const gentle = growth(avoiding(200, 100, 66));
    expect(gentle).toBeGreaterThan(-10);
    expect(gentle).toBeLessThan(-7);
    const steep = growth(avoiding(200, 100, 600));
    expect(steep).toBeGreaterThan(-50.5);
    expect(steep).toBeLessThan(-38);
  });

  test('§4.2 it never shrinks below two segments', () => {
    const path = avoiding(200, 4, 600);
    path.rounds(3);
    expect(path.control.cwnd).toBe(2 * SMSS);
  });

  test('§4.4 two round trips after slow start it slows down for two, comes back, and does so nine times as long after', () => {
    const path = avoiding(100, 40, 0);
    const windows: number[] = [];
    for (let i = 0; i < 100; i++) {
      path.round();
      windows.push(path.control.cwnd / SMSS);
    }
    const isHeld = windows.map((segments) => segments === 2);
    const first = isHeld.indexOf(true);
    expect(first).toBeGreaterThanOrEqual(1);
    expect(first).toBeLessThanOrEqual(3);
    const after = isHeld.indexOf(false, first);
    expect(after - first).toBeGreaterThanOrEqual(2);
    expect(after - first).toBeLessThanOrEqual(4);
    const back = windows.findIndex((segments, i) => i > after && segments >= 40);
    const next = isHeld.indexOf(true, back);
    expect(next - back).toBeGreaterThan(8 * (back - first));
    expect(next - back).toBeLessThan(10.5 * (back - first));
  });

  test('§4.5 a loss halves the window', () => {
    const path = avoiding(200, 100, 0);
    path.control.onCongestion('loss', 100 * SMSS, path.now);
    expect(path.control.cwnd).toBe(50 * SMSS);
  });
});
