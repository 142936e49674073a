/**
 * trace: a layer that tells every call, with arguments by name, results, error names and microseconds.
 *
 * The lesson: a layer that only looks. It passes the base provider's handles on, hands every argument down as it came, and still
 * sees promises to their end, overlapped operations by `completions`, and extension functions by `extension-pointers`.
 *
 *     export const WSPStartup = trace({ sink: fileSink('/tmp/calls.jsonl') });
 *
 * Installed as `winsockd/layers/trace` it takes its settings from the environment of the application:
 *
 * | variable | value |
 * |---|---|
 * | `WINSOCKD_TRACE` | `stderr` (the default), a file's path (`%p` is the process id), or `tcp://127.0.0.1:9000` |
 * | `WINSOCKD_TRACE_FORMAT` | `text` (the default of stderr) or `json` |
 * | `WINSOCKD_TRACE_BYTES` | most bytes of a buffer that are shown, 0 to 4096; 32 |
 *
 * The decoder stands by itself: {@link decodeArguments}, {@link decodeResults}. Calls of registered I/O go past every layer, and are
 * not seen.
 */

import { env } from 'node:process';
import { defineLayer, type WSPStartup as Startup } from '../../spi/index.ts';
import { SHOWN_BYTES } from './decode.ts';
import { sinkOf } from './sinks.ts';
import type { TraceSink } from './trace-record.ts';
import { Tracer } from './tracer.ts';

export { decodeAnswer, decodeArguments, decodeResults, SHOWN_BYTES } from './decode.ts';
export { callText, jsonLine, textLine } from './format.ts';
export { type CallName, overlappedPlace } from './parameters.ts';
export { fileSink, portSink, stderrSink, type TraceFormat } from './sinks.ts';
export type { TraceEvent, TraceRecord, TraceSink, TraceValue, TraceValues } from './trace-record.ts';

export interface TraceOptions {
  /** Where records go; stderr, as text, when absent. */
  readonly sink?: TraceSink;
  /** What the layer calls itself in them. */
  readonly name?: string;
  /** Most bytes of a buffer that are shown; 0: lengths only. */
  readonly bytes?: number;
}

/** Most bytes of a buffer that the environment can ask for. */
const MOST_BYTES = 4096;

/** Makes the layer. All its chains in a process tell one sink. */
export function trace(options: TraceOptions = {}): Startup {
  const { name = 'trace', bytes = SHOWN_BYTES } = options;
  let tracer: Tracer | null = null;
  return defineLayer(
    (next, layer) => {
      tracer ??= new Tracer(options.sink ?? sinkOf(env), name, bytes);
      return tracer.table(next, layer);
    },
    { name },
  );
}

/** The layer as it is installed. */
export const WSPStartup: Startup = trace({ bytes: bytesIn(env['WINSOCKD_TRACE_BYTES']) });

function bytesIn(text: string | undefined): number {
  const bytes = Number(text ?? SHOWN_BYTES);
  return Number.isInteger(bytes) && bytes >= 0 ? Math.min(bytes, MOST_BYTES) : SHOWN_BYTES;
}
