/**
 * Live streams of what happens inside of TCP connections, for `winsockd trace` and whoever else asks the control API. While
 * nobody does, the stack has no observer.
 *
 * A connection at work must not wait for a reader: events are kept, up to a bound, until the turn of the event loop is over;
 * those that are too many are counted, and the reader is told.
 */

import type { TcpEventName, TcpEventStatus, TcpTraceLine } from '../port/index.ts';
import {
  type Endpoint,
  formatTcpEvent,
  type Stack,
  TCP_EVENT_NAMES,
  tcpEventRecord,
} from '../stack/index.ts';

/** Most lines that wait for the end of a turn. */
const MAX_PENDING = 20_000;

/** Which events a reader wants: all, unless said otherwise. */
export interface TcpTraceFilter {
  /** Connections with this port on one of the sides. */
  readonly port?: number | undefined;
  readonly events?: readonly TcpEventName[] | undefined;
}

/** Where the lines go. */
export interface TcpTraceReader {
  /** Takes lines of JSON. @returns false when they were not taken: the reader is too slow */
  write(lines: string): boolean;
}

/** One reader, and what waits for it. */
class TraceStream {
  readonly #reader: TcpTraceReader;
  readonly #port: number;
  /** By the number of a `TcpEvent`. */
  readonly #isWanted: readonly boolean[];
  #lines: string[] = [];
  /** Events that are missing before these lines, and after them. */
  #missedBefore = 0;
  #missedAfter = 0;

  constructor(reader: TcpTraceReader, { port = 0, events = TCP_EVENT_NAMES }: TcpTraceFilter) {
    this.#reader = reader;
    this.#port = port;
    this.#isWanted = TCP_EVENT_NAMES.map((name) => events.includes(name));
  }

  wants(endpoint: Endpoint, event: number): boolean {
    if (this.#isWanted[event] !== true) return false;
    return this.#port === 0 || endpoint.localPort === this.#port || endpoint.remotePort === this.#port;
  }

  put(line: string): void {
    if (this.#lines.length < MAX_PENDING) this.#lines.push(line);
    else this.#missedAfter++;
  }

  /** Hands over what waits, with what is missing told where it is missing. */
  flush(): void {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const text = gapLine(this.#missedBefore) + lines.join('') + gapLine(this.#missedAfter);
    if (this.#reader.write(text)) this.#missedBefore = 0;
    else this.#missedBefore += lines.length + this.#missedAfter;
    this.#missedAfter = 0;
  }
}

/** Says that events are missing here; nothing when none are. */
function gapLine(dropped: number): string {
  return dropped === 0 ? '' : lineOf({ dropped });
}

function lineOf(line: TcpTraceLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** What is asked of a stack. */
export type ObservedStack = Pick<Stack, 'now' | 'observeTcp'>;

export class TcpTraces {
  readonly #stack: ObservedStack;
  /** Wall-clock time of the stack's zero, ms since 1970. */
  readonly #epoch: number;
  readonly #streams = new Set<TraceStream>();
  #isFlushDue = false;

  constructor(stack: ObservedStack, epoch: number) {
    this.#stack = stack;
    this.#epoch = epoch;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Tells `reader` of events from now on; a first line says that it has begun. @returns what ends it */
  stream(reader: TcpTraceReader, filter: TcpTraceFilter = {}): () => void {
    const stream = new TraceStream(reader, filter);
    this.#streams.add(stream);
    reader.write(lineOf({ dropped: 0 }));
    if (this.#streams.size === 1) this.#stack.observeTcp(this.#happened);
    return () => {
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#stack.observeTcp(null);
    };
  }

  /** The stack's observer. It calls nobody: readers hear of it when the turn is over. */
  readonly #happened = (endpoint: Endpoint, event: number, a: number, b: number): void => {
    let line = '';
    for (const stream of this.#streams) {
      if (!stream.wants(endpoint, event)) continue;
      if (line === '') line = this.#lineOf(endpoint, event, a, b);
      stream.put(line);
    }
    if (line === '' || this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(this.#flush);
  };

  #lineOf(endpoint: Endpoint, event: number, a: number, b: number): string {
    const record = tcpEventRecord(this.#stack.now, endpoint, event, a, b);
    const { at, ...rest } = record;
    const status: TcpEventStatus = { time: this.#epoch + at, ...rest, text: formatTcpEvent(record) };
    return lineOf(status);
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    for (const stream of this.#streams) stream.flush();
  };
}
