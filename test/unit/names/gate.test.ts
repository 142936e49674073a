import { describe, expect, test } from '@jest/globals';
import { Gate } from '../../../src/names/gate.ts';

describe('a gate', () => {
  test('lets so many in; the others wait, first come, first served', async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    const enter = async (n: number): Promise<void> => {
      if (await gate.enter()) order.push(n);
    };
    const all = [1, 2, 3, 4].map(enter);
    await Promise.all(all.slice(0, 2));
    expect([order, gate.inside, gate.waiting]).toEqual([[1, 2], 2, 2]);
    gate.leave();
    await all[2];
    expect([order, gate.inside]).toEqual([[1, 2, 3], 2]);
    gate.leave();
    await all[3];
    gate.leave();
    gate.leave();
    expect([order, gate.inside, gate.waiting]).toEqual([[1, 2, 3, 4], 0, 0]);
  });

  test('who gives up leaves the queue, and takes no turn', async () => {
    const gate = new Gate(1);
    await gate.enter();
    const abort = new AbortController();
    const impatient = gate.enter(abort.signal);
    const patient = gate.enter();
    abort.abort();
    expect(await impatient).toBe(false);
    expect(await gate.enter(abort.signal)).toBe(false);
    gate.leave();
    expect(await patient).toBe(true);
    // Too late: it is inside.
    expect(gate.inside).toBe(1);
    gate.leave();
    expect([gate.inside, gate.waiting]).toEqual([0, 0]);
  });
});
