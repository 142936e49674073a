/**
 * The watchdog of the chain thread. A layer that loops there never comes back: nobody is answered, and no timer of that thread runs.
 * So the chain thread notes in shared memory which layer's code runs, and that its event loop turns; the thread that has started it looks.
 *
 *     word 0   changes whenever a layer's code is entered or left
 *     word 1   the layer whose code runs, from 1; 0: none
 *     word 2   its call, by its place in the table
 *     word 3   changes while the event loop turns
 *     word 4   how many layers there are
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
const TURNS = 3;
const LAYERS = 4;
const WORDS = 5;
const NAMES_AT = 4 * WORDS;
const NAME_LEN = 64;
/** Layers that have a name; the others are nameless. */
const NAMED = 63;
const WATCH_LEN = NAMES_AT + NAMED * NAME_LEN;

/** Most of the time since the last look that counts, ms: a process that was stopped for a while has none that loops. */
const LONGEST_LOOK = 1000;

/** Memory that both threads share. */
export function watchMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(WATCH_LEN);
}

/** Notes that the event loop turns; to be called a few times within the limit. */
export function noteTurn(memory: SharedArrayBuffer): void {
  Atomics.add(wordsOf(memory), TURNS, 1);
}

/** The chain thread's side: notes where its layers are. */
export function layerClock(
  memory: SharedArrayBuffer,
): Required<Pick<ChainObserver, 'started' | 'enter' | 'leave'>> {
  const words = wordsOf(memory);
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
      Atomics.store(words, LAYERS, count);
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

/** Whose code runs. */
export interface RunningLayer {
  readonly layer: string;
  readonly call: string;
}

/** What is said of code that does not come back. @param running `null`: none of a call runs, but what one has left behind */
export function loopText(running: RunningLayer | null): string {
  return running === null
    ? 'code of a provider, outside of its calls, does not come back'
    : `the layered provider ${running.layer} does not come back from ${running.call}`;
}

/** The other side: looks whether a layer's code has run for too long. */
export class LayerWatch {
  readonly #memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #limit: number;
  #changes = -1;
  /** When the word was seen to change, ms. */
  #since = 0;
  #turns = -1;
  /** For how long the event loop was not seen to turn, ms, and when it was looked last. */
  #still = 0;
  #looked = Number.POSITIVE_INFINITY;

  constructor(memory: SharedArrayBuffer, limit = LOOP_LIMIT) {
    this.#memory = memory;
    this.#words = wordsOf(memory);
    this.#limit = limit;
  }

  /** @param now ms. @returns what loops, in words; `null`: nothing does */
  look(now: number): string | null {
    const isStill = this.#hasStopped(now);
    const changes = Atomics.load(this.#words, CHANGES);
    const layer = Atomics.load(this.#words, LAYER);
    if (changes !== this.#changes || layer === 0) {
      this.#changes = changes;
      this.#since = now;
      return isStill && layer === 0 ? loopText(null) : null;
    }
    return now - this.#since < this.#limit ? null : loopText(this.running());
  }

  /** Whether the event loop has not turned for the limit. Without layers nothing but our own code runs. */
  #hasStopped(now: number): boolean {
    const { turns } = this;
    const isSame = turns === this.#turns && Atomics.load(this.#words, LAYERS) > 0;
    this.#still = isSame ? this.#still + Math.min(Math.max(now - this.#looked, 0), LONGEST_LOOK) : 0;
    this.#turns = turns;
    this.#looked = now;
    return isSame && this.#still >= this.#limit;
  }

  /** Changes while the event loop turns. */
  get turns(): number {
    return Atomics.load(this.#words, TURNS);
  }

  /** The layer whose code runs at this moment; `null`: none's does. */
  running(): RunningLayer | null {
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

function wordsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, WORDS);
}
