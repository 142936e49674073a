/**
 * The watchdog of the chain thread. A layer that loops there never comes back: nobody is answered, and no timer of that thread runs.
 * So the chain thread notes in shared memory which layer's code runs, and the thread that has started it looks.
 *
 *     word 0   changes whenever a layer's code is entered or left
 *     word 1   the layer whose code runs, from 1; 0: none
 *     word 2   its call, by its place in the table
 *     then the layers' names, 64 bytes each with a zero behind
 */

import { env } from 'node:process';
import { type ChainObserver, type LayerRecord, WSP_ENTRIES, type WSPPROC_TABLE } from '../spi/index.ts';

/** Longest time that a layer's code may run before it comes back, ms: it waits by promises, never so. */
export const LOOP_LIMIT = 5000;

/** Timers take no longer times; who wants one has a debugger at work. */
const LONGEST = 1_000_000_000;

/** The same as the environment has it: WINSOCKD_LOOP_LIMIT. */
export function loopLimit(): number {
  const limit = Number(env['WINSOCKD_LOOP_LIMIT'] ?? LOOP_LIMIT);
  return limit > 0 ? Math.min(limit, LONGEST) : LOOP_LIMIT;
}

const CHANGES = 0;
const LAYER = 1;
const CALL = 2;
const NAMES_AT = 12;
const NAME_LEN = 64;
/** Layers that have a name; the others are nameless. */
const NAMED = 63;
const WATCH_LEN = NAMES_AT + NAMED * NAME_LEN;

/** Memory that both threads share. */
export function watchMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(WATCH_LEN);
}

/** The chain thread's side: notes where its layers are. */
export function layerClock(
  memory: SharedArrayBuffer,
): Required<Pick<ChainObserver, 'started' | 'enter' | 'leave'>> {
  const words = new Int32Array(memory, 0, 3);
  const numbers = new WeakMap<LayerRecord, number>();
  let count = 0;
  /** Layer and call of those that called the one which runs. */
  const outer: number[] = [];
  const calls = new Map<keyof WSPPROC_TABLE, number>(WSP_ENTRIES.map((name, i) => [name, i]));

  const note = (layer: number, call: number): void => {
    Atomics.store(words, LAYER, layer);
    Atomics.store(words, CALL, call);
    Atomics.add(words, CHANGES, 1);
  };
  return {
    started(layer) {
      numbers.set(layer, ++count);
      if (count > NAMED) return;
      const bytes = new TextEncoder().encode(layer.name).subarray(0, NAME_LEN - 1);
      new Uint8Array(memory, NAMES_AT + (count - 1) * NAME_LEN, NAME_LEN).set(bytes);
    },
    enter(layer, call) {
      outer.push(Atomics.load(words, LAYER), Atomics.load(words, CALL));
      note(numbers.get(layer) ?? 0, calls.get(call) ?? 0);
    },
    leave() {
      const call = outer.pop() ?? 0;
      note(outer.pop() ?? 0, call);
    },
  };
}

/** A layer that does not come back. */
export interface LoopingLayer {
  readonly layer: string;
  readonly call: string;
}

/** The other side: looks whether a layer's code has run for too long. */
export class LayerWatch {
  readonly #memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #limit: number;
  #changes = -1;
  /** When the word was seen to change, ms. */
  #since = 0;

  constructor(memory: SharedArrayBuffer, limit = LOOP_LIMIT) {
    this.#memory = memory;
    this.#words = new Int32Array(memory, 0, 3);
    this.#limit = limit;
  }

  /** @param now ms. @returns the layer that loops; `null`: none does */
  look(now: number): LoopingLayer | null {
    const changes = Atomics.load(this.#words, CHANGES);
    const layer = Atomics.load(this.#words, LAYER);
    if (changes !== this.#changes || layer === 0) {
      this.#changes = changes;
      this.#since = now;
      return null;
    }
    return now - this.#since < this.#limit ? null : this.running();
  }

  /** The layer whose code runs at this moment; `null`: none's does. */
  running(): LoopingLayer | null {
    const layer = Atomics.load(this.#words, LAYER);
    if (layer === 0) return null;
    const call = WSP_ENTRIES[Atomics.load(this.#words, CALL)] ?? 'a call';
    return { layer: this.#nameOf(layer), call };
  }

  #nameOf(layer: number): string {
    if (layer > NAMED) return `layer ${layer}`;
    const bytes = new Uint8Array(NAME_LEN);
    bytes.set(new Uint8Array(this.#memory, NAMES_AT + (layer - 1) * NAME_LEN, NAME_LEN));
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? NAME_LEN : end));
  }
}
