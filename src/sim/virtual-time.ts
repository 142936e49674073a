/**
 * Virtual time: a clock that stands still until it is told to go on, and then jumps from one scheduled task to the next.
 *
 * Tasks run in the order of their times; those of one time in the order in which they were scheduled. So a run depends on
 * nothing but what was scheduled: the same program gives the same run.
 */

import type { Cancel, Scheduler } from '../base/index.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

export class VirtualTime implements Scheduler {
  #now = 0;
  #order = 0;
  /** A binary heap by time, then order. */
  readonly #heap: Task[] = [];
  #cancelled = 0;

  /** Milliseconds since the start of the simulation. */
  now(): number {
    return this.#now;
  }

  after(delay: number, run: () => void): Cancel {
    const task: Task = { at: this.#now + Math.max(0, delay), order: this.#order++, run };
    this.#push(task);
    return () => {
      if (task.run === null) return;
      task.run = null;
      // Cancelled tasks stay filed until their time comes; a heap full of them is swept.
      if (++this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
    };
  }

  /** When the next task is due; `Infinity` when none is. */
  get next(): number {
    this.#dropCancelled();
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : (this.#heap[0] as Task).at;
  }

  /** Tasks that are waiting. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Jumps to the next task and runs it, unless it is due after `limit`. @returns whether one ran. */
  step(limit = Number.POSITIVE_INFINITY): boolean {
    if (this.next > limit) return false;
    const task = this.#pop();
    if (task === undefined) return false;
    this.#now = Math.max(this.#now, task.at);
    const { run } = task;
    task.run = null;
    run?.();
    return true;
  }

  /** Moves the clock on to `time` without running anything; nothing may be due before. */
  skipTo(time: number): void {
    this.#now = Math.max(this.#now, Math.min(time, this.next));
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && (this.#heap[0] as Task).run === null) {
      this.#pop();
      this.#cancelled--;
    }
  }

  #sweep(): void {
    const alive = this.#heap.filter((task) => task.run !== null);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const task of alive) this.#push(task);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(task);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Task;
      if (!isBefore(task, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = task;
  }

  #pop(): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[place] = heap[child] as Task;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
