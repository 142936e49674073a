/** What NewReno and CUBIC share, seen at NewReno. */

import { describe, expect, test } from '@jest/globals';
import { AckSample } from '../../../../src/stack/tcp/congestion/ack-sample.ts';
import { initialWindow } from '../../../../src/stack/tcp/congestion/control.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { WindowValidation } from '../../../../src/stack/tcp/congestion/window-validation.ts';
import { ack, FullPath, SMSS, started } from './support.ts';

/** A control in congestion avoidance with a window of `segments`. */
function avoiding(segments: number): NewReno {
  const control = started(new NewReno());
  control.cwnd = segments * SMSS;
  control.ssthresh = control.cwnd;
  return control;
}

describe('RFC 6928 §2 initial window', () => {
  test.each([
    [536, 5360],
    [1460, 14_600],
    [2190, 14_600],
    [8960, 17_920],
  ])('for an MSS of %i it is %i', (mss, window) => {
    expect(initialWindow(mss)).toBe(window);
  });
});

describe('RFC 5681 congestion control', () => {
  test('§3.1 a lost SYN leaves one segment', () => {
    expect(started(new NewReno(), true).cwnd).toBe(SMSS);
  });

  test('§3.1 slow start grows by what is acknowledged, up to the threshold', () => {
    const control = started(new NewReno());
    ack(control, { acked: 10_000 });
    expect(control.cwnd).toBe(20_000);
    control.ssthresh = 25_000;
    ack(control, { acked: 10_000 });
    expect(control.cwnd).toBe(25_000);
  });

  test('§3.1 equation (4): half of what is in flight, at least two segments', () => {
    const control = started(new NewReno());
    control.onCongestion('loss', 9000);
    expect([control.ssthresh, control.cwnd]).toEqual([4500, 4500]);
    control.onCongestion('loss', 1500);
    expect(control.ssthresh).toBe(2000);
  });

  test('§3.1 a timeout leaves one segment; a second of the same segment keeps the threshold', () => {
    const control = started(new NewReno());
    control.onTimeout(20_000, true);
    expect([control.cwnd, control.ssthresh]).toEqual([1000, 10_000]);
    control.onTimeout(1000, false);
    expect([control.cwnd, control.ssthresh]).toEqual([1000, 10_000]);
  });

  test('§3.2 an echo of CE never enlarges a window', () => {
    const control = started(new NewReno());
    control.onTimeout(20_000, true);
    control.onCongestion('ecn', 3000);
    expect(control.cwnd).toBe(SMSS);
  });

  test('§4.1 after an idle time an unpaced connection starts again with the initial window', () => {
    const control = started(new NewReno());
    ack(control, { acked: 90_000 });
    control.onRestart(5000, 1000, 5000);
    expect(control.cwnd).toBe(10_000);
    ack(control, { acked: 10_000 });
    expect(control.cwnd).toBe(20_000);
  });
});

describe('RFC 3465 appropriate byte counting', () => {
  test('§2.1 congestion avoidance grows by a segment each window, however it is acknowledged', () => {
    for (const acks of [1, 7, 40]) {
      const control = avoiding(40);
      new FullPath(control, 100, acks).round();
      expect(control.cwnd).toBe(41 * SMSS);
    }
  });

  test('§2.3 an ACK counts for at most eight segments after a timeout', () => {
    const control = started(new NewReno());
    control.onTimeout(100_000, true);
    ack(control, { acked: 40_000 });
    expect(control.cwnd).toBe(9 * SMSS);
  });

  test('§2.2 division of ACKs gains nothing', () => {
    const whole = started(new NewReno());
    const divided = started(new NewReno());
    ack(whole, { acked: 10_000 });
    for (let i = 0; i < 1000; i++) ack(divided, { acked: 10 });
    expect(divided.cwnd).toBe(whole.cwnd);
  });
});

describe('RFC 6582 §3.2 the end of recovery', () => {
  test('step 3: no burst of more than an initial window when little is in flight', () => {
    const control = started(new NewReno());
    control.cwnd = 60_000;
    control.onCongestion('loss', 60_000);
    control.onRecovered(3000);
    expect(control.cwnd).toBe(13_000);
    control.onRecovered(100_000);
    expect(control.cwnd).toBe(30_000);
  });

  test('the ACK that ends recovery opens no window', () => {
    const control = avoiding(60);
    control.onCongestion('loss', 60_000);
    control.onRecovered(30_000);
    ack(control, { acked: 60_000 });
    expect(control.cwnd).toBe(30_000);
    ack(control, { acked: 30_000 });
    expect(control.cwnd).toBe(31_000);
  });

  test('in recovery the window is not the control’s', () => {
    const control = avoiding(20);
    ack(control, { acked: 50_000, isInRecovery: true });
    expect(control.cwnd).toBe(20 * SMSS);
  });
});

describe('RFC 4015 §3.3 response to a spurious loss', () => {
  test('the window and the threshold come back, the window without a burst', () => {
    const control = avoiding(60);
    control.onCongestion('loss', 60_000);
    control.onSpurious(55_000);
    expect([control.cwnd, control.ssthresh]).toEqual([60_000, 60_000]);
    control.onTimeout(60_000, true);
    control.onSpurious(5000);
    expect([control.cwnd, control.ssthresh]).toEqual([15_000, 60_000]);
    ack(control, { acked: 15_000 });
    expect(control.cwnd).toBe(30_000);
  });

  test('a reduction is undone once', () => {
    const control = avoiding(60);
    control.onCongestion('loss', 60_000);
    control.onSpurious(55_000);
    control.cwnd = 20_000;
    control.onSpurious(55_000);
    expect(control.cwnd).toBe(20_000);
  });

  test('an echo of CE is not undone', () => {
    const control = avoiding(60);
    control.onCongestion('loss', 60_000);
    control.onCongestion('ecn', 30_000);
    control.onSpurious(15_000);
    expect(control.cwnd).toBe(15_000);
  });
});

describe('RFC 7661 window validation', () => {
  /** What was acknowledged, every `step` ms from `now` on, over round trips of 100 ms. @returns when it ended */
  function feed(validation: WindowValidation, now: number, step: number, acked: readonly number[]): number {
    let at = now;
    for (const bytes of acked) {
      const sample = Object.assign(new AckSample(), {
        now: at,
        acked: bytes,
        srtt: 100,
        isCwndLimited: false,
      });
      validation.onAck(sample, 100_000);
      at += step;
    }
    return at;
  }

  test('§4.2 pipeACK is the most that was acknowledged within a round trip, and undefined before the first', () => {
    const validation = new WindowValidation();
    // Four ACKs a round trip.
    const now = feed(validation, 1000, 25, [1000, 1000, 1000, 1000]);
    expect(validation.pipeAck).toBe(-1);
    expect(validation.isValidated).toBe(true);
    const end = feed(validation, now, 25, [5000, 5000, 5000, 5000, 10, 10, 10, 10, 10]);
    expect(validation.pipeAck).toBe(20_000);
    expect(validation.isValidated).toBe(false);
    validation.reset();
    expect(validation.pipeAck).toBe(-1);
    feed(validation, end, 25, [10]);
    expect(validation.pipeAck).toBe(-1);
  });

  test('§4.2 it looks back over a second on a short path, and no longer', () => {
    const validation = new WindowValidation();
    let now = feed(validation, 1000, 100, [20_000, 10, 10]);
    expect(validation.pipeAck).toBe(20_000);
    now = feed(validation, now, 100, new Array<number>(5).fill(10));
    expect(validation.pipeAck).toBe(20_000);
    feed(validation, now, 100, new Array<number>(10).fill(10));
    expect(validation.pipeAck).toBe(10);
  });

  test('§4.3 a window that does not hold the sender back does not grow', () => {
    const control = started(new NewReno());
    ack(control, { acked: 10_000, isCwndLimited: false });
    expect(control.cwnd).toBe(10_000);
  });

  /** Uses a tenth of its window for a while. */
  function nonValidated(): { control: NewReno; path: FullPath } {
    const control = avoiding(100);
    const path = new FullPath(control, 100);
    for (let i = 0; i < 100; i++) {
      path.now += 50;
      ack(control, { now: path.now, acked: 5000, srtt: 100, isCwndLimited: false });
    }
    return { control, path };
  }

  test('§4.4.1 a loss in the non-validated phase is answered from what was used', () => {
    const { control } = nonValidated();
    control.onCongestion('loss', 2000);
    // pipeACK is two ACKs a round trip.
    expect(control.cwnd).toBe(5000);
  });

  test('§4.4.1 and at the end of recovery less what was lost', () => {
    const { control } = nonValidated();
    control.onCongestion('loss', 2000);
    ack(control, { lost: 4000, isInRecovery: true });
    control.onRecovered(5000);
    expect(control.ssthresh).toBe(3000);
  });

  test('§4.3 a loss in the validated phase is answered from what is in flight', () => {
    const control = avoiding(100);
    new FullPath(control, 100).rounds(20);
    control.onCongestion('loss', 50_000);
    expect(control.cwnd).toBe(25_000);
  });

  test('§4.4.3 after five minutes the window is halved, and no sooner', () => {
    const { control, path } = nonValidated();
    const cwnd = control.cwnd;
    while (path.now < 290_000) {
      path.now += 1000;
      ack(control, { now: path.now, acked: 5000, srtt: 100, isCwndLimited: false });
    }
    expect(control.cwnd).toBe(cwnd);
    ack(control, { now: 310_000, acked: 5000, srtt: 100, isCwndLimited: false });
    expect([control.cwnd, control.ssthresh]).toEqual([cwnd / 2, Math.max(100_000, (cwnd * 3) / 4)]);
  });

  test('§4.4 a paced connection keeps its window over an idle time, and half of it for each five minutes', () => {
    const control = avoiding(100);
    control.isPaced = true;
    control.onRestart(10_000, 1000, 10_000);
    expect(control.cwnd).toBe(100_000);
    control.onRestart(610_000, 1000, 620_000);
    expect(control.cwnd).toBe(25_000);
  });
});
