import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { VirtualTime } from '../../../src/sim/index.ts';

describe('VirtualTime', () => {
  test('given tasks at several times, they run in order of time, then of scheduling, and the clock jumps to each', () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${time.now()}`);
    time.after(20, note('c'));
    time.after(10, note('a'));
    time.after(20, note('d'));
    time.after(10, note('b'));
    while (time.step());
    expect(seen).toEqual(['a@10', 'b@10', 'c@20', 'd@20']);
  });

  test('given a delay of 0 or less, the task runs at the same time, never before the caller returns', () => {
    const time = new VirtualTime();
    let hasRun = false;
    time.after(-5, () => {
      hasRun = true;
    });
    expect(hasRun).toBe(false);
    expect([time.step(), hasRun, time.now()]).toEqual([true, true, 0]);
  });

  test('given a limit, later tasks stay; skipTo moves the clock up to the next of them and no further', () => {
    const time = new VirtualTime();
    time.after(100, () => {});
    expect(time.step(99)).toBe(false);
    time.skipTo(60);
    expect(time.now()).toBe(60);
    time.skipTo(500);
    expect(time.now()).toBe(100);
    time.skipTo(10);
    expect(time.now()).toBe(100);
    expect(time.step()).toBe(true);
    expect(time.step()).toBe(false);
  });

  test('given cancelled tasks, they do not run, are not waited for, and may be cancelled again', () => {
    const time = new VirtualTime();
    const cancel = time.after(5, () => {
      throw new Error('was cancelled');
    });
    const done = time.after(1, () => {});
    cancel();
    cancel();
    expect([time.pending, time.next]).toEqual([1, 1]);
    expect(time.step()).toBe(true);
    done();
    expect([time.pending, time.next]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(time.step()).toBe(false);
  });

  test('given a task that schedules and cancels others, they are seen to', () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    const doomed = time.after(10, () => seen.push(-1));
    time.after(5, () => {
      doomed();
      time.after(0, () => seen.push(time.now()));
      time.after(3, () => seen.push(time.now()));
    });
    while (time.step());
    expect(seen).toEqual([5, 8]);
  });

  test('given any tasks and cancellations, exactly the others run, in order', () => {
    const plans = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.boolean()), { maxLength: 400 });
    fc.assert(
      fc.property(plans, (plan) => {
        const time = new VirtualTime();
        const seen: number[] = [];
        const cancels = plan.map(([delay], i) => time.after(delay, () => seen.push(i)));
        for (const [i, [, isCancelled]] of plan.entries()) if (isCancelled) cancels[i]?.();
        const expected = plan
          .map(([delay, isCancelled], i) => ({ delay, isCancelled, i }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.delay - b.delay || a.i - b.i)
          .map(({ i }) => i);
        expect(time.pending).toBe(expected.length);
        while (time.step());
        expect(seen).toEqual(expected);
      }),
    );
  });
});
