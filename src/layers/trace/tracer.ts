/**
 * The layer itself: every call goes down as it came, and is told before and after.
 */

import { WSA_IO_PENDING } from '../../abi/index.ts';
import {
  type Answer,
  type ExtensionFunctions,
  type Layer,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
} from '../../spi/index.ts';
import { Completions } from '../completions.ts';
import { type ExtensionWrappers, wrapExtensions } from '../extension-pointers.ts';
import { decodeAnswer, decodeArguments, decodeResults } from './decode.ts';
import { type CallName, type OverlappedPlace, overlappedPlace } from './parameters.ts';
import type { TraceEvent, TraceRecord, TraceSink, TraceValues } from './trace-record.ts';

/** A call of which only the number of its arguments is open here; each is passed on as it came. */
type AnyCall = (...args: readonly unknown[]) => Answer;

/** Where the count of an extension function goes, whose answer is only TRUE. */
const COUNT_AT: { readonly [name: string]: number } = { AcceptEx: 6, WSARecvMsg: 2 };

export class Tracer {
  readonly #sink: TraceSink;
  readonly #name: string;
  readonly #bytes: number;
  readonly #wrappers: ExtensionWrappers = new WeakMap();
  #calls = 0;

  constructor(sink: TraceSink, name: string, bytes: number) {
    this.#sink = sink;
    this.#name = name;
    this.#bytes = bytes;
  }

  /** The calls of one chain. */
  table(next: WSPPROC_TABLE, layer: Layer): Partial<WSPPROC_TABLE> {
    const completions = new Completions(layer);
    const below: WSPPROC_TABLE = {
      ...next,
      WSPIoctl: wrapExtensions(next, layer, this.#wrappers, (name, code) =>
        name === 'GetAcceptExSockaddrs' ? null : this.#extension(layer, completions, name, code),
      ),
      WSPGetOverlappedResult: (s, lpOverlapped, ...rest) =>
        completions.asApplication(lpOverlapped, () => next.WSPGetOverlappedResult(s, lpOverlapped, ...rest)),
      WSPCleanup() {
        completions.end();
        return next.WSPCleanup();
      },
    };
    const table: { [name: string]: AnyCall } = {};
    for (const name of WSP_ENTRIES) {
      table[name] = this.#traced(layer, completions, name, below[name] as AnyCall);
    }
    return table as Partial<WSPPROC_TABLE>;
  }

  #extension<K extends keyof ExtensionFunctions>(
    layer: Layer,
    completions: Completions,
    name: K,
    code: ExtensionFunctions[K],
  ): ExtensionFunctions[K] {
    return this.#traced(layer, completions, name, code as AnyCall) as ExtensionFunctions[K];
  }

  #traced(layer: Layer, completions: Completions, name: CallName, call: AnyCall): AnyCall {
    const place = overlappedPlace(name);
    return (...args) => {
      const one = new TracedCall(this.#sink, {
        n: ++this.#calls,
        layer: this.#name,
        chain: layer.chain.szProtocol,
        call: name,
        clock: layer.ws2.scheduler,
        args,
        bytes: this.#bytes,
      });
      const lpOverlapped = place === null ? null : ((args[place.record] ?? null) as WSAOVERLAPPED | null);
      const answer =
        place === null || lpOverlapped === null || typeof lpOverlapped !== 'object'
          ? call(...args)
          : watched(completions, place, lpOverlapped, args, call, one);
      if (typeof answer === 'number') {
        one.answered('call', answer);
        return answer;
      }
      one.begins();
      return answer.then((late) => {
        one.answered('end', late);
        return late;
      });
    };
  }
}

/** A call with a record: its end is told, if that is not when it answers. */
function watched(
  completions: Completions,
  { record, routine }: OverlappedPlace,
  lpOverlapped: WSAOVERLAPPED,
  args: readonly unknown[],
  call: AnyCall,
  one: TracedCall,
): Answer {
  const own = (args[routine] ?? null) as WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  return completions.watch(
    lpOverlapped,
    own,
    (routineBelow) => {
      const below = [...args];
      below[record] = lpOverlapped;
      if (routine >= 0) below[routine] = routineBelow;
      return call(...below);
    },
    (answer) => one.done(answer),
  );
}

interface CallFacts {
  readonly n: number;
  readonly layer: string;
  readonly chain: string;
  readonly call: CallName;
  readonly clock: { now(): number };
  readonly args: readonly unknown[];
  readonly bytes: number;
}

/** One call on its way. */
class TracedCall {
  readonly #sink: TraceSink;
  readonly #facts: CallFacts;
  /** Decoded before the call: it may write where it was read from. */
  readonly #args: TraceValues;
  readonly #began: number;
  #isPending = false;
  /** How the operation ended, when that was before the call had answered. */
  #early: number | null = null;
  #hasAnswered = false;

  constructor(sink: TraceSink, facts: CallFacts) {
    this.#sink = sink;
    this.#facts = facts;
    this.#args = decodeArguments(facts.call, facts.args, facts.bytes);
    this.#began = facts.clock.now();
  }

  begins(): void {
    const now = this.#facts.clock.now();
    this.#tell({ ...this.#head('begin', now), args: this.#args });
  }

  /** @param event `call`, or `end` when the beginning was told */
  answered(event: TraceEvent, answer: number): void {
    const { call, args, bytes } = this.#facts;
    const now = this.#facts.clock.now();
    const out = decodeResults(call, args, countOf(call, args, answer), bytes);
    this.#hasAnswered = true;
    this.#isPending = answer === -WSA_IO_PENDING;
    this.#tell({
      ...this.#head(event, now),
      ...(event === 'call' ? { args: this.#args } : {}),
      ...decodeAnswer(answer),
      ...(Object.keys(out).length === 0 ? {} : { out }),
      us: this.#micros(now),
    });
    if (this.#early !== null) this.done(this.#early);
  }

  /** The overlapped operation has ended; said only of one that has outlasted its call. */
  done(answer: number): void {
    if (!this.#hasAnswered) {
      this.#early = answer;
      return;
    }
    if (!this.#isPending) return;
    this.#isPending = false;
    const { call, args, bytes } = this.#facts;
    const now = this.#facts.clock.now();
    const out = decodeResults(call, args, answer, bytes);
    this.#tell({
      ...this.#head('done', now),
      ...decodeAnswer(answer),
      ...(Object.keys(out).length === 0 ? {} : { out }),
      us: this.#micros(now),
    });
  }

  #head(event: TraceEvent, now: number): Pick<TraceRecord, 't' | 'n' | 'event' | 'layer' | 'chain' | 'call'> {
    const { n, layer, chain, call } = this.#facts;
    return { t: Math.round(now * 1000) / 1000, n, event, layer, chain, call };
  }

  #micros(now: number): number {
    return Math.round((now - this.#began) * 1000);
  }

  #tell(record: TraceRecord): void {
    this.#sink(record);
  }
}

/** The bytes of a call that has succeeded at once. */
function countOf(call: CallName, args: readonly unknown[], answer: number): number {
  const at = COUNT_AT[call];
  const count = at === undefined || answer < 0 ? null : (args[at] as { value?: unknown } | null)?.value;
  return typeof count === 'number' ? count : answer;
}
