import { describe, expect, test } from '@jest/globals';
import { NO_THRESHOLD } from '../../../../src/stack/tcp/congestion/control.ts';
import { Cubic } from '../../../../src/stack/tcp/congestion/cubic.ts';
import { FullPath, SMSS, started } from './support.ts';

/** A path on which the first slow start is `rounds` round trips of 100 ms old. */
function slowStarting(rounds: number, acks = 10): FullPath {
  const path = new FullPath(started(new Cubic()), 100, acks);
  path.rounds(rounds);
  return path;
}

/** By how much a round trip enlarges the window. */
function growth(path: FullPath): number {
  const before = path.control.cwnd;
  path.round();
  return path.control.cwnd / before;
}

describe('RFC 9406 HyStart++', () => {
  test('§4.2 with a steady round trip slow start doubles each time', () => {
    const path = slowStarting(3);
    expect(path.control.cwnd).toBe(80 * SMSS);
    expect(growth(path)).toBe(2);
  });

  test('§4.2 a delay that grew by an eighth quarters the growth; five rounds later slow start is over', () => {
    const path = slowStarting(3);
    path.rtt = 113;
    // The eighth ACK of the round says so.
    expect(growth(path)).toBeLessThan(1.9);
    for (let round = 2; round <= 5; round++) {
      expect(path.control.ssthresh).toBe(NO_THRESHOLD);
      expect(growth(path)).toBeCloseTo(1.25, 1);
    }
    path.round();
    expect(path.control.ssthresh).toBeLessThan(NO_THRESHOLD);
    expect(growth(path)).toBeLessThan(1.05);
  });

  test('§4.2 a delay that falls again resumes slow start', () => {
    const path = slowStarting(3);
    path.rtt = 113;
    path.rounds(2);
    path.rtt = 100;
    path.round();
    expect(growth(path)).toBe(2);
    expect(path.control.ssthresh).toBe(NO_THRESHOLD);
  });

  test('§4.3 less than the threshold, 4 to 16 ms, is noise', () => {
    const short = new FullPath(started(new Cubic()), 8, 10);
    short.rounds(3);
    short.rtt = 11.9;
    short.round();
    expect(growth(short)).toBe(2);
    const long = new FullPath(started(new Cubic()), 400, 10);
    long.rounds(3);
    long.rtt = 416;
    long.round();
    expect(growth(long)).toBeLessThan(1.5);
  });

  test('§4.3 fewer than eight samples in a round say nothing', () => {
    const path = slowStarting(3, 7);
    path.rtt = 200;
    path.rounds(2);
    expect(growth(path)).toBe(2);
  });

  test('§4.2 only the first slow start ends so', () => {
    const path = slowStarting(4);
    path.control.onTimeout(path.control.cwnd, true, path.now);
    path.round();
    for (const rtt of [100, 150, 200, 250]) {
      path.rtt = rtt;
      expect(growth(path)).toBe(2);
    }
  });
});
