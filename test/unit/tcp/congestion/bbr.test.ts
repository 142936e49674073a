import { describe, expect, test } from '@jest/globals';
import type { AckSample } from '../../../../src/stack/tcp/congestion/ack-sample.ts';
import { Bbr } from '../../../../src/stack/tcp/congestion/bbr/bbr.ts';
import { Phase } from '../../../../src/stack/tcp/congestion/bbr/probe-bw.ts';
import { ack, SMSS, started } from './support.ts';

/** Bytes per ms, and ms: the path holds 100 segments. */
const BW = 1000;
const RTT = 100;
const BDP = BW * RTT;
const ACKS = 10;

/** A path without a queue that is worth mentioning, seen from the sender. */
class Path {
  readonly bbr = started(new Bbr());
  now = 0;
  bw = BW;
  rtt = RTT;
  #delivered = 0;
  #lost = 0;
  /** C.delivered a round trip ago: what the packets say that are delivered now. */
  #before: number[] = new Array(ACKS).fill(0);

  /** One of ten ACKs of a round trip. @param fields what it says besides */
  ack(fields: Partial<AckSample> = {}): void {
    const { bbr } = this;
    const rate = Math.min(this.bw, bbr.pacingRate, bbr.cwnd / this.rtt);
    const delivered = Math.floor((rate * this.rtt) / ACKS);
    const inFlight = Math.min(bbr.cwnd, bbr.pacingRate * this.rtt);
    this.now += this.rtt / ACKS;
    this.#delivered += delivered;
    const priorDelivered = this.#before.shift() as number;
    this.#before.push(this.#delivered);
    ack(bbr, {
      now: this.now,
      acked: delivered,
      delivered,
      rtt: this.rtt,
      srtt: this.rtt,
      minRtt: this.rtt,
      priorInFlight: inFlight,
      inFlight,
      txInFlight: inFlight,
      priorDelivered,
      totalDelivered: this.#delivered,
      totalLost: this.#lost,
      rateDelivered: rate * this.rtt,
      rateInterval: this.rtt,
      ...fields,
    });
    this.#lost += fields.lost ?? 0;
  }

  rounds(count: number, fields?: Partial<AckSample>): void {
    for (let i = 0; i < count * ACKS; i++) this.ack(fields);
  }

  /** Until it is in `phase`. @returns how many ms that took */
  until(phase: number, fields?: Partial<AckSample>): number {
    const start = this.now;
    for (let i = 0; i < 2000 && this.bbr.phase !== phase; i++) this.ack(fields);
    expect(this.bbr.phase).toBe(phase);
    return this.now - start;
  }
}

/** A path on which BBR has found the bandwidth, and drained. */
function steady(): Path {
  const path = new Path();
  path.until(Phase.cruise);
  return path;
}

describe('draft-ietf-ccwg-bbr Startup and Drain', () => {
  test('the rate more than doubles each round trip until three bring little more: then the bandwidth is known', () => {
    const path = new Path();
    // 2.77 · 10 segments a round trip, before anything is known.
    expect(path.bbr.pacingRate).toBeCloseTo(2.77 * 100, 0);
    path.until(Phase.drain);
    expect(path.bbr.model.isFullBwReached).toBe(true);
    expect(path.bbr.model.maxBw / BW).toBeCloseTo(1, 1);
    expect(path.bbr.model.rounds.count).toBeLessThan(12);
    expect(path.bbr.pacingRate / BW).toBeCloseTo(0.5, 1);
  });

  test('given samples that the application limits, Startup goes on', () => {
    const path = new Path();
    path.rounds(40, { isAppLimited: true });
    expect(path.bbr.phase).toBe(Phase.startup);
  });

  test('a round of recovery with more loss than 2 %, in six ACKs, ends Startup', () => {
    const path = new Path();
    path.rounds(3);
    path.bbr.onCongestion('loss', path.bbr.cwnd, path.now);
    path.rounds(2, { lost: SMSS, lostSince: 10 * SMSS, isInRecovery: true, isAppLimited: true });
    expect(path.bbr.phase).not.toBe(Phase.startup);
    expect(path.bbr.model.isFullBwReached).toBe(true);
    expect(path.bbr.model.inflightLongterm).toBeLessThanOrEqual(BDP);
  });

  test('less loss, or in fewer ACKs, does not', () => {
    const path = new Path();
    path.rounds(3);
    path.bbr.onCongestion('loss', path.bbr.cwnd, path.now);
    path.rounds(2, { lost: 10, lostSince: 10, isAppLimited: true });
    expect(path.bbr.phase).toBe(Phase.startup);
    path.ack({ lost: 5 * SMSS, lostSince: 5 * SMSS });
    path.rounds(1);
    expect(path.bbr.phase).toBe(Phase.startup);
  });

  test('Drain ends when the queue has gone, at the latest after three round trips', () => {
    const path = new Path();
    path.until(Phase.drain);
    // Past down, for which there is nothing left.
    expect(path.until(Phase.cruise)).toBeLessThan(1.5 * RTT);
    const slow = new Path();
    slow.until(Phase.drain);
    const took = slow.until(Phase.down, { inFlight: 10 * BDP });
    expect(took).toBeGreaterThan(2 * RTT);
    expect(took).toBeLessThan(5 * RTT);
  });
});

describe('draft-ietf-ccwg-bbr ProbeBW', () => {
  test('cruises at the bandwidth less 1 %, with twice the product of bandwidth and delay as window', () => {
    const path = steady();
    path.rounds(3);
    expect(path.bbr.pacingRate / BW).toBeCloseTo(0.99, 1);
    expect(path.bbr.cwnd / BDP).toBeGreaterThan(1.8);
    expect(path.bbr.cwnd / BDP).toBeLessThan(2.5);
  });

  test('probes after 2 to 3 s: refill for a round trip, then up by a quarter until there is no more, then down', () => {
    const path = steady();
    const waited = path.until(Phase.refill);
    expect(waited).toBeGreaterThan(1500);
    expect(waited).toBeLessThan(3000);
    expect(path.until(Phase.up)).toBeLessThan(1.5 * RTT);
    path.ack();
    expect(path.bbr.pacingRate / path.bbr.model.bw).toBeCloseTo(1.25 * 0.99, 2);
    expect(path.until(Phase.down)).toBeGreaterThan(2 * RTT);
    path.ack({ inFlight: 2 * BDP });
    expect(path.bbr.pacingRate / path.bbr.model.bw).toBeCloseTo(0.9 * 0.99, 2);
  });

  test('finds bandwidth that has become free', () => {
    const path = steady();
    path.bw = 2 * BW;
    path.until(Phase.up);
    path.rounds(6);
    expect(path.bbr.model.maxBw / BW).toBeGreaterThan(1.7);
  });

  test('forgets bandwidth that is no more after two cycles', () => {
    const path = steady();
    path.bw = BW / 2;
    for (let cycle = 0; cycle < 3; cycle++) {
      path.until(Phase.up);
      path.until(Phase.down);
    }
    path.rounds(2);
    expect(path.bbr.model.maxBw / BW).toBeCloseTo(0.5, 1);
  });

  test('too much loss while probing ends the probe and bounds what may be in flight, but by no more than 0.7', () => {
    const path = steady();
    path.until(Phase.up);
    path.ack({ lost: 20 * SMSS, lostSince: 0, txInFlight: 110 * SMSS });
    expect(path.bbr.phase).toBe(Phase.down);
    const { inflightLongterm } = path.bbr.model;
    // Of 110 segments 20 were lost: the threshold was passed when 90 and 2 % of them were in flight.
    expect(inflightLongterm / SMSS).toBeGreaterThan(89);
    expect(inflightLongterm / SMSS).toBeLessThan(93);
    path.until(Phase.cruise);
    path.ack();
    expect(path.bbr.cwnd).toBeLessThanOrEqual(0.86 * inflightLongterm);
  });

  test('loss that a timer finds counts at once, and is judged with the next ACK', () => {
    const path = steady();
    path.until(Phase.up);
    path.ack({ delivered: 0, acked: 0, lost: 20 * SMSS, txInFlight: 0, priorDelivered: -1, rateInterval: 0 });
    expect(path.bbr.model.isLossInRound).toBe(true);
    expect(path.bbr.phase).toBe(Phase.up);
    path.ack({ lostSince: 20 * SMSS, txInFlight: 110 * SMSS });
    expect(path.bbr.phase).toBe(Phase.down);
    expect(path.bbr.model.inflightLongterm / SMSS).toBeGreaterThan(89);
    expect(path.bbr.model.inflightLongterm / SMSS).toBeLessThan(93);
  });

  test('loss below 2 % while probing is none', () => {
    const path = steady();
    path.until(Phase.up);
    path.ack({ lost: SMSS, lostSince: 0, txInFlight: 110 * SMSS });
    expect(path.bbr.phase).toBe(Phase.up);
    expect(path.bbr.model.inflightLongterm).toBe(Number.POSITIVE_INFINITY);
  });

  test('a round with loss while cruising leaves what it delivered, at least 0.7; the next probe forgets that', () => {
    const path = steady();
    path.bw = 0.6 * BW;
    path.rounds(1);
    path.ack({ lost: SMSS });
    path.rounds(1.1);
    expect(path.bbr.model.bwShortterm / BW).toBeCloseTo(0.7, 1);
    expect(path.bbr.model.bw).toBe(path.bbr.model.bwShortterm);
    path.until(Phase.refill);
    expect(path.bbr.model.bwShortterm).toBe(Number.POSITIVE_INFINITY);
  });

  test('RFC 8311 §4.1 an echo of CE counts as a round with loss, and ends a probe', () => {
    const path = steady();
    path.bw = 0.6 * BW;
    path.rounds(1);
    path.bbr.onCongestion('ecn', BDP, path.now);
    path.rounds(1.2);
    expect(path.bbr.model.bwShortterm / BW).toBeCloseTo(0.7, 1);
    path.until(Phase.up);
    path.bbr.onCongestion('ecn', BDP, path.now);
    expect(path.bbr.phase).toBe(Phase.down);
    expect(path.bbr.model.inflightLongterm).toBeLessThan(2 * BDP);
  });
});

describe('draft-ietf-ccwg-bbr ProbeRTT', () => {
  test('after 5 s without a lower round trip half the product is in flight, for 200 ms and a round trip', () => {
    const path = steady();
    // Round trips have grown since.
    path.rtt = 110;
    path.until(Phase.probeRtt);
    expect(path.now).toBeGreaterThan(5000);
    path.ack();
    expect(path.bbr.cwnd / BDP).toBeCloseTo(0.5, 1);
    const took = path.until(Phase.cruise, { inFlight: 40 * SMSS });
    expect(took).toBeGreaterThanOrEqual(200);
    expect(took).toBeLessThan(600);
    expect(path.bbr.cwnd / BDP).toBeGreaterThan(1.5);
  });

  test('an idle time makes it needless', () => {
    const path = steady();
    path.rtt = 110;
    path.now += 6000;
    path.bbr.onRestart(6000, 300, path.now);
    path.rounds(2);
    expect(path.bbr.phase).not.toBe(Phase.probeRtt);
    expect(path.bbr.cwnd / BDP).toBeGreaterThan(1.5);
  });
});

describe('draft-ietf-ccwg-bbr window in loss recovery', () => {
  test('a timeout leaves a segment; when what was in flight is repaired the window is back', () => {
    const path = steady();
    path.rounds(3);
    const { cwnd } = path.bbr;
    path.bbr.onTimeout(BDP, true);
    expect(path.bbr.cwnd).toBe(SMSS);
    path.ack({ delivered: 2 * SMSS, acked: 2 * SMSS });
    expect(path.bbr.cwnd).toBeLessThan(0.1 * cwnd);
    path.bbr.onRecovered();
    path.ack();
    expect(path.bbr.cwnd).toBeGreaterThan(0.9 * cwnd);
  });

  test('a spurious loss gives the bounds back, and the probe that it ended', () => {
    const path = steady();
    path.until(Phase.up);
    path.bbr.onCongestion('loss', BDP, path.now);
    path.ack({ lost: 20 * SMSS, lostSince: 0, txInFlight: 110 * SMSS });
    expect(path.bbr.phase).toBe(Phase.down);
    path.bbr.onSpurious();
    expect(path.bbr.phase).toBe(Phase.refill);
    expect(path.bbr.model.inflightLongterm).toBe(Number.POSITIVE_INFINITY);
  });

  test('acknowledgements that come in bunches make the window larger by as much', () => {
    const path = steady();
    path.rounds(2);
    const { extraAcked } = path.bbr.model.aggregation;
    for (let i = 0; i < 40; i++) {
      path.now += RTT / 2;
      path.ack({ delivered: 60 * SMSS, acked: 60 * SMSS });
    }
    expect(path.bbr.model.aggregation.extraAcked).toBeGreaterThan(extraAcked + 30 * SMSS);
    expect(path.bbr.cwnd).toBeGreaterThan(2.3 * BDP);
  });
});
