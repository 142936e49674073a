import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type TimerOwner, TimerQueue } from '../../../src/base/index.ts';

/** Notes what was due. */
class Log implements TimerOwner {
  readonly fired: [kind: number, now: number][] = [];
  timeout(kind: number, now: number): void {
    this.fired.push([kind, now]);
  }
}

describe('TimerQueue', () => {
  test('a timer runs once, at its deadline or later, never before', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const timer = queue.create(log, 3);
    queue.arm(timer, 100);
    queue.run(99.9);
    expect(log.fired).toEqual([]);
    queue.run(100);
    queue.run(1000);
    expect(log.fired).toEqual([[3, 100]]);
    expect(queue.isArmed(timer)).toBe(false);
  });

  test('timers run in the order of their deadlines, however they were armed', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const deadlines = [50, 10, 40, 20, 30, 60, 5];
    for (const deadline of deadlines) queue.arm(queue.create(log, deadline), deadline);
    queue.run(45);
    expect(log.fired.map(([kind]) => kind)).toEqual([5, 10, 20, 30, 40]);
    queue.run(100);
    expect(log.fired.map(([kind]) => kind)).toEqual([5, 10, 20, 30, 40, 50, 60]);
  });

  test('arming later only writes the deadline: the queue looks once at the old time and waits on', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const timer = queue.create(log, 1);
    queue.arm(timer, 10);
    queue.arm(timer, 500);
    expect([queue.next, queue.deadlineOf(timer)]).toEqual([10, 500]);
    queue.run(10);
    expect([log.fired.length, queue.next]).toEqual([0, 500]);
    queue.run(500);
    expect(log.fired).toEqual([[1, 500]]);
  });

  test('a timer that moved later runs behind those that are due before its new deadline', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const moved = queue.create(log, 50);
    queue.arm(moved, 10);
    queue.arm(moved, 50);
    for (const deadline of [60, 30, 40]) queue.arm(queue.create(log, deadline), deadline);
    queue.run(100);
    expect(log.fired.map(([kind]) => kind)).toEqual([30, 40, 50, 60]);
  });

  test('arming earlier moves it at once', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const timer = queue.create(log, 1);
    queue.arm(timer, 500);
    queue.arm(timer, 10);
    expect(queue.next).toBe(10);
    queue.run(10);
    expect(log.fired).toHaveLength(1);
  });

  test('a disarmed timer does not run, and can be armed again', () => {
    const queue = new TimerQueue();
    const log = new Log();
    const timer = queue.create(log, 1);
    queue.arm(timer, 10);
    queue.disarm(timer);
    expect([queue.isArmed(timer), queue.deadlineOf(timer)]).toEqual([false, Number.POSITIVE_INFINITY]);
    queue.run(20);
    expect([log.fired.length, queue.next]).toEqual([0, Number.POSITIVE_INFINITY]);
    queue.arm(timer, 30);
    queue.run(30);
    expect(log.fired).toHaveLength(1);
  });

  test('a timer may arm itself and others from its owner, and what is due then runs in the same turn', () => {
    const queue = new TimerQueue();
    const fired: number[] = [];
    const owner: TimerOwner = {
      timeout(kind, now) {
        fired.push(kind);
        if (kind === 0 && fired.length < 5) queue.arm(periodic, now + 10);
        if (fired.length === 1) queue.arm(other, now);
      },
    };
    const periodic = queue.create(owner, 0);
    const other = queue.create(owner, 1);
    queue.arm(periodic, 10);
    for (let now = 0; now <= 100; now += 10) queue.run(now);
    expect(fired).toEqual([0, 1, 0, 0, 0]);
  });

  test('a timer destroyed by another that is due at the same time does not run', () => {
    const queue = new TimerQueue();
    const fired: number[] = [];
    const timers: number[] = [];
    const owner: TimerOwner = {
      timeout(kind) {
        fired.push(kind);
        queue.destroy(timers[1 - kind] as number);
      },
    };
    timers.push(queue.create(owner, 0), queue.create(owner, 1));
    for (const timer of timers) queue.arm(timer, 10);
    queue.run(10);
    expect(fired).toHaveLength(1);
    expect(queue.next).toBe(Number.POSITIVE_INFINITY);
  });

  test('the handle of a destroyed timer serves a new one, not armed', () => {
    const queue = new TimerQueue();
    const [first, second] = [new Log(), new Log()];
    const timer = queue.create(first, 1);
    queue.arm(timer, 10);
    queue.destroy(timer);
    const again = queue.create(second, 2);
    expect([again, queue.isArmed(again)]).toEqual([timer, false]);
    queue.run(100);
    queue.arm(again, 200);
    queue.run(200);
    expect([first.fired, second.fired]).toEqual([[], [[2, 200]]]);
  });

  test('an empty queue never has anything to do', () => {
    const queue = new TimerQueue();
    expect(queue.next).toBe(Number.POSITIVE_INFINITY);
    queue.run(1e9);
  });

  test('a thousand timers, more than there is room for at first, all run in order', () => {
    const queue = new TimerQueue();
    const log = new Log();
    for (let i = 0; i < 1000; i++) queue.arm(queue.create(log, (i * 7919) % 1000), (i * 7919) % 1000);
    queue.run(1000);
    expect(log.fired.map(([kind]) => kind)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test('any operations run what a plain list of deadlines runs, and next is never late', () => {
    const timer = fc.nat(9);
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('arm' as const),
          timer,
          by: fc.integer({ min: -20, max: 200 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('disarm' as const), timer, by: fc.constant(0) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), timer, by: fc.constant(0) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), timer, by: fc.nat(150) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new TimerQueue();
        const log = new Log();
        const handles = Array.from({ length: 10 }, (_, kind) => queue.create(log, kind));
        const model = new Array<number>(10).fill(Number.POSITIVE_INFINITY);
        let now = 0;
        for (const { kind, timer, by } of steps) {
          const handle = handles[timer] as number;
          if (kind === 'arm') {
            queue.arm(handle, now + by);
            model[timer] = now + by;
          } else if (kind === 'disarm') {
            queue.disarm(handle);
            model[timer] = Number.POSITIVE_INFINITY;
          } else if (kind === 'renew') {
            queue.destroy(handle);
            handles[timer] = queue.create(log, timer);
            model[timer] = Number.POSITIVE_INFINITY;
          } else {
            now += by;
            log.fired.length = 0;
            queue.run(now);
            const due = [...model.entries()].filter(([, deadline]) => deadline <= now);
            expect(new Set(log.fired.map(([fired]) => fired))).toEqual(new Set(due.map(([index]) => index)));
            const order = log.fired.map(([fired]) => model[fired] as number);
            expect(order).toEqual([...order].sort((a, b) => a - b));
            expect(log.fired).toHaveLength(due.length);
            for (const [index] of due) model[index] = Number.POSITIVE_INFINITY;
          }
          expect(queue.next).toBeLessThanOrEqual(Math.min(...model));
          for (const [index, deadline] of model.entries()) {
            expect(queue.deadlineOf(handles[index] as number)).toBe(deadline);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
