/**
 * Answers that wait to be told to a link: gathered, so that many questions cost one message, and none of them told twice within a
 * second (RFC 6762 §6).
 */

import type { Cancel, Scheduler } from '../../base/index.ts';
import type { OwnRecord } from './own-record.ts';

/** §6: a record is told once in a second; in defence of a name sooner. */
export const TELL_GAP_MS = 1000;
export const DEFENCE_GAP_MS = 250;
/** Records whose time is remembered: more than that only who registers and deregisters all the time has. */
const MAX_REMEMBERED = 4096;

interface Waiting {
  readonly own: OwnRecord;
  dueAt: number;
}

export class TellQueue {
  readonly #scheduler: Scheduler;
  readonly #tell: (answers: readonly OwnRecord[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** When each record was told last; the longest ago first. */
  readonly #toldAt = new Map<string, number>();
  #timer: Cancel | null = null;

  constructor(scheduler: Scheduler, tell: (answers: readonly OwnRecord[]) => void) {
    this.#scheduler = scheduler;
    this.#tell = tell;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Tells records `delay` ms from now, or as soon after that as `gap` allows. */
  add(answers: readonly OwnRecord[], delay: number, gap: number): void {
    const now = this.#scheduler.now();
    for (const own of answers) {
      const dueAt = Math.max(now + delay, (this.#toldAt.get(own.key) ?? Number.NEGATIVE_INFINITY) + gap);
      const waiting = this.#waiting.get(own.key);
      if (waiting === undefined) this.#waiting.set(own.key, { own, dueAt });
      else waiting.dueAt = Math.min(waiting.dueAt, dueAt);
    }
    this.#arm();
  }

  /** It need not be told any more (§7.4). @returns whether it waited */
  drop(key: string): boolean {
    return this.#waiting.delete(key);
  }

  /** Forgets what waits: it may not be so any more. */
  clear(): void {
    this.#waiting.clear();
    this.#timer?.();
    this.#timer = null;
  }

  /** Notes that records were told now. */
  told(records: readonly OwnRecord[]): void {
    const now = this.#scheduler.now();
    for (const { key } of records) {
      this.#toldAt.delete(key);
      this.#toldAt.set(key, now);
    }
    for (const key of this.#toldAt.keys()) {
      if (this.#toldAt.size <= MAX_REMEMBERED) break;
      this.#toldAt.delete(key);
    }
  }

  wasToldWithin({ key }: OwnRecord, ms: number): boolean {
    const at = this.#toldAt.get(key);
    return at !== undefined && this.#scheduler.now() - at < ms;
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    const next = Math.min(...[...this.#waiting.values()].map(({ dueAt }) => dueAt));
    const delay = Math.max(0, next - this.#scheduler.now());
    if (delay === 0) this.#flush();
    else this.#timer = this.#scheduler.after(delay, () => this.#flush());
  }

  #flush(): void {
    const now = this.#scheduler.now();
    const due = [...this.#waiting.values()].filter(({ dueAt }) => dueAt <= now).map(({ own }) => own);
    for (const { key } of due) this.#waiting.delete(key);
    if (due.length > 0) this.#tell(due);
    this.#arm();
  }
}
