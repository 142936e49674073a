import { expect, test } from '@jest/globals';
import { createTransmitBatch } from '../../../src/base/index.ts';
import { EgressQueue } from '../../../src/stack/egress.ts';
import type { EgressSource } from '../../../src/stack/host.ts';

/** A source that adds `frames` frames, one a turn, and asks for another turn while `isGreedy` or while it has more. */
function source(frames: number, isGreedy = false): EgressSource & { turns: number } {
  return {
    isQueued: false,
    turns: 0,
    emit(batch) {
      this.turns++;
      if (frames > 0) {
        frames--;
        batch.count++;
      }
      return isGreedy || frames > 0;
    },
  };
}

test('sources that have nothing any more do not hide those behind them', () => {
  const queue = new EgressQueue();
  const batch = createTransmitBatch(8);
  const gone = [source(0), source(0), source(0)];
  const alive = source(2);
  for (const one of [...gone, alive]) queue.add(one);
  queue.fill(batch);
  expect([batch.count, alive.turns, queue.isEmpty]).toEqual([2, 2, true]);
});

test('sources that always want another turn and add nothing end the filling', () => {
  const queue = new EgressQueue();
  const batch = createTransmitBatch(8);
  const [idle, alive] = [source(0, true), source(3)];
  queue.add(idle);
  queue.add(alive);
  queue.fill(batch);
  expect([batch.count, queue.isEmpty]).toEqual([3, false]);
});
