/**
 * What a trace consists of. Types only.
 */

/** A decoded argument: names for numbers, text for addresses, the beginning of buffers. */
export type TraceValue =
  | null
  | number
  | string
  | boolean
  | readonly TraceValue[]
  | { readonly [name: string]: TraceValue };

/** Arguments by Microsoft's names, in their order. */
export interface TraceValues {
  readonly [name: string]: TraceValue;
}

/**
 * - `call`: made and answered at once;
 * - `begin`, `end`: made, and answered later, because a Windows thread would have waited;
 * - `done`: an overlapped operation that was under way has ended.
 */
export type TraceEvent = 'call' | 'begin' | 'end' | 'done';

/** One line of a trace. */
export interface TraceRecord {
  /** When it happened, ms on the process's clock. */
  readonly t: number;
  /** Which call: `begin`, `end` and `done` of one call have the same. */
  readonly n: number;
  readonly event: TraceEvent;
  /** The layer's name, and the chain that it was called in. */
  readonly layer: string;
  readonly chain: string;
  readonly call: string;
  /** As they were when the call was made; absent of `end` and `done`. */
  readonly args?: TraceValues;
  /** What the call answered, unless it failed; absent of `begin`. */
  readonly result?: number;
  /** The name of the error that it answered. */
  readonly error?: string;
  /** What the call has written through its arguments. */
  readonly out?: TraceValues;
  /** Microseconds from the call to this; absent of `begin`. */
  readonly us?: number;
}

/** Where records go; it may neither throw nor call Winsock. */
export type TraceSink = (record: TraceRecord) => void;
