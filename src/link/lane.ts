/**
 * One direction of an impaired link: decides what happens to each packet, keeps those that are on their way, and lets them
 * out in the order of their times.
 *
 * Packets are whole here, with complete checksums: whoever feeds a lane has split super-segments before. The lane copies
 * what it takes, since frames are only borrowed.
 */

import {
  type BufferAllocator,
  type Cancel,
  copy,
  PoolAllocator,
  type Random,
  randomBelow,
  randomFraction,
  type Scheduler,
} from '../base/index.ts';
import { markCongestion } from '../wire/index.ts';
import {
  BurstState,
  type FullSettings,
  type ImpairSettings,
  isTransparent,
  NO_IMPAIRMENT,
  withChanges,
} from './impair-settings.ts';

/** What became of the packets of one direction, since the start. */
export interface ImpairCounters {
  /** Packets that came. */
  offered: number;
  /** Packets that went out, copies included. */
  passed: number;
  /** Lost by chance, alone or in a burst. */
  lost: number;
  /** Lost because too many waited for the rate, or on the way. */
  overflowed: number;
  delayed: number;
  reordered: number;
  duplicated: number;
  corrupted: number;
  /** Marked CE, by chance or by the queue. */
  marked: number;
}

/** A packet on its way. `owner` and `cause` travel along for captures. */
export interface LanePacket {
  readonly memory: Uint8Array;
  readonly length: number;
  readonly owner: object | null;
  readonly cause: number;
  readonly due: number;
}

/** Where packets leave the lane. */
export interface LaneExit {
  /** Takes one packet; its memory is borrowed until `flush` returns. */
  put(packet: LanePacket): void;
  /** Sends what was put. @returns `false` when the lane should let nothing out until `resume`. */
  flush(): boolean;
}

/** Tells which packets are impaired; the others pass untouched. The bytes are one whole frame. */
export type ImpairFilter = (bytes: Uint8Array, at: number, length: number) => boolean;

/** Most bytes on their way in one direction, whatever the settings: 2 s at 256 Mbit/s. */
const MAX_BYTES_UNDERWAY = 64 << 20;

/** Packets let out at a time: then the exit is asked whether it wants more. */
export const BATCH_PACKETS = 64;

export class ImpairLane {
  readonly counters: ImpairCounters = {
    offered: 0,
    passed: 0,
    lost: 0,
    overflowed: 0,
    delayed: 0,
    reordered: 0,
    duplicated: 0,
    corrupted: 0,
    marked: 0,
  };
  /** Which packets are meant; `null`: all. */
  filter: ImpairFilter | null = null;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #exit: LaneExit;
  readonly #linkLength: number;
  readonly #allocator: BufferAllocator = new PoolAllocator(MAX_BYTES_UNDERWAY, 4 << 20);
  readonly #burst = new BurstState();
  #settings: FullSettings = NO_IMPAIRMENT;
  /** What is on its way, soonest first. */
  #underway: LanePacket[] = [];
  readonly #leaving: LanePacket[] = [];
  /** When the last packet that had to wait for the rate has passed. */
  #busyUntil = 0;
  #lastDue = 0;
  #isQueueLong = false;
  #turn: Cancel | null = null;
  #turnAt = Number.POSITIVE_INFINITY;
  #isHeld = false;

  /** @param linkLength bytes of link header before a packet's IP header */
  constructor(scheduler: Scheduler, random: Random, exit: LaneExit, linkLength: number) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#exit = exit;
    this.#linkLength = linkLength;
  }

  get settings(): FullSettings {
    return this.#settings;
  }

  /**
   * Changes some settings from now on; packets that are on their way keep their times.
   * @throws {RangeError} for settings that make no sense; then nothing has changed.
   */
  change(changes: ImpairSettings): void {
    this.#settings = withChanges(this.#settings, changes);
    if (this.#settings.rateBytesPerSec === 0) this.#busyUntil = 0;
  }

  /** Whether frames may pass beside the lane: nothing can happen to them, and none would be overtaken. */
  get isTransparent(): boolean {
    return isTransparent(this.#settings) && this.#underway.length === 0 && !this.#isHeld;
  }

  /** Packets on their way. */
  get underway(): number {
    return this.#underway.length;
  }

  /** Takes a packet; the bytes are borrowed. Call `release` after the last of a batch. */
  offer(bytes: Uint8Array, at: number, length: number, owner: object | null, cause: number): void {
    const { counters } = this;
    counters.offered++;
    const now = this.#scheduler.now();
    if (this.filter !== null && !this.filter(bytes, at, length)) {
      this.#file(bytes, at, length, owner, cause, now, false, false);
      return;
    }
    if (this.#isLost()) {
      counters.lost++;
      return;
    }
    const due = this.#timeOf(now, length);
    if (due < 0) {
      counters.overflowed++;
      return;
    }
    const settings = this.#settings;
    const isMarked = this.#happens(settings.mark) || this.#isQueueLong;
    const isCorrupt = this.#happens(settings.corrupt);
    if (isCorrupt) counters.corrupted++;
    this.#file(bytes, at, length, owner, cause, due, isMarked, isCorrupt);
    if (this.#happens(settings.duplicate)) {
      counters.duplicated++;
      this.#file(bytes, at, length, owner, cause, due, isMarked, false);
    }
  }

  /** Lets out what is due. @returns `false` when the exit wants no more for now. */
  release(): boolean {
    const now = this.#scheduler.now();
    const leaving = this.#leaving;
    while (!this.#isHeld) {
      let count = 0;
      while (count < BATCH_PACKETS && (this.#underway[count]?.due ?? Number.POSITIVE_INFINITY) <= now)
        count++;
      if (count === 0) break;
      leaving.push(...this.#underway.splice(0, count));
      for (const packet of leaving) this.#exit.put(packet);
      this.counters.passed += count;
      this.#isHeld = !this.#exit.flush();
      for (const packet of leaving) this.#allocator.give(packet.memory);
      leaving.length = 0;
    }
    this.#arm();
    return !this.#isHeld;
  }

  /** Lets nothing out until `resume`: the exit was filled past the lane. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The exit has room again. @returns `false` when what waited has filled it once more. */
  resume(): boolean {
    this.#isHeld = false;
    return this.release();
  }

  /** Forgets what is on its way. */
  close(): void {
    this.#turn?.();
    this.#turn = null;
    this.#turnAt = Number.POSITIVE_INFINITY;
    for (const packet of this.#underway) this.#allocator.give(packet.memory);
    this.#underway = [];
  }

  #isLost(): boolean {
    const { burst, loss } = this.#settings;
    if (burst !== null && this.#burst.next(burst, this.#random)) return true;
    return this.#happens(loss);
  }

  /** When a packet that came at `now` leaves; -1 when the queue for the rate is full. Notes whether it found the queue long. */
  #timeOf(now: number, length: number): number {
    const settings = this.#settings;
    let due = now;
    this.#isQueueLong = false;
    if (settings.rateBytesPerSec > 0) {
      const perByte = 1000 / settings.rateBytesPerSec;
      const starts = Math.max(now, this.#busyUntil);
      const waiting = (starts - now) / perByte;
      if (waiting + length > settings.queueBytes) return -1;
      this.#isQueueLong = settings.markAboveBytes > 0 && waiting >= settings.markAboveBytes;
      this.#busyUntil = starts + length * perByte;
      due = this.#busyUntil;
    }
    due += settings.delay;
    if (settings.jitter > 0) due += settings.jitter * randomFraction(this.#random);
    if (!settings.jitterReorders) due = Math.max(due, this.#lastDue);
    this.#lastDue = Math.max(due, this.#lastDue);
    if (this.#happens(settings.reorder)) {
      this.counters.reordered++;
      due += settings.reorderBy;
    }
    if (due > now) this.counters.delayed++;
    return due;
  }

  #happens(chance: number): boolean {
    return chance > 0 && randomFraction(this.#random) < chance;
  }

  #file(
    bytes: Uint8Array,
    at: number,
    length: number,
    owner: object | null,
    cause: number,
    due: number,
    isMarked: boolean,
    isCorrupt: boolean,
  ): void {
    const memory = this.#allocator.take(length);
    if (memory === null) {
      this.counters.overflowed++;
      return;
    }
    copy(bytes, at, memory, 0, length);
    if (isMarked && markCongestion(memory, this.#linkLength, length)) this.counters.marked++;
    if (isCorrupt) this.#corrupt(memory, length);
    const packet: LanePacket = { memory, length, owner, cause, due };
    // Nearly always the last: only reordering and overtaking jitter look further up.
    const { length: count } = this.#underway;
    let place = count;
    while (place > 0 && (this.#underway[place - 1] as LanePacket).due > due) place--;
    if (place === count) this.#underway.push(packet);
    else this.#underway.splice(place, 0, packet);
  }

  #corrupt(memory: Uint8Array, length: number): void {
    for (let i = 0; i < this.#settings.corruptBits; i++) {
      const bit = randomBelow(this.#random, length * 8);
      memory[bit >>> 3] = (memory[bit >>> 3] as number) ^ (1 << (bit & 7));
    }
  }

  #arm(): void {
    if (this.#underway.length === 0 || this.#isHeld) return;
    const { due } = this.#underway[0] as LanePacket;
    if (this.#turn !== null && this.#turnAt <= due) return;
    this.#turn?.();
    this.#turnAt = due;
    this.#turn = this.#scheduler.after(due - this.#scheduler.now(), () => {
      this.#turn = null;
      this.release();
    });
  }
}
