/**
 * The calls of a process as they are told to who watches them: noted in the order in which they began, and taken away in batches.
 *
 * What is answered by then is one record; what is not, `begin` now and `end` when it is. So a call that hangs is seen, and those below
 * a layer's follow it although they end first. Nothing waits here without a bound: calls past it are counted, and made all the same.
 */

import { STATUS_PENDING, WSA_IO_PENDING, wsaOfNtStatus } from '../../abi/index.ts';
import type { Scheduler } from '../../base/index.ts';
import { decodeAnswer, decodeArguments, decodeResults, overlappedPlace } from '../../layers/trace/index.ts';
import type { CallEvent, CallRecord, WatchValues } from '../../port/index.ts';
import type { Answer, CallWatcher, ProviderCall, WatchedProvider, WSAOVERLAPPED } from '../../spi/index.ts';
import { socketOf } from './call-sockets.ts';

/** Most calls that are known and not yet told. */
export const LOG_CAPACITY = 4096;
/** Most calls and operations that are under way: one a socket and direction, of as many sockets as a client may have. */
const MOST_UNDER_WAY = 32_768;

/** A call on its way. */
class NotedCall {
  readonly n: number;
  readonly provider: WatchedProvider;
  readonly call: ProviderCall;
  readonly args: WatchValues;
  readonly began: number;
  s: number;
  /** Its record is filled when an overlapped operation is done. */
  lpOverlapped: WSAOVERLAPPED | null = null;
  /** Minus a WSA code, or its value; `null`: not answered yet. */
  answer: number | null = null;
  out: WatchValues = {};
  ended = 0;
  /** `begin` was told. */
  isTold = false;
  /** The arguments while they are needed: what was written is read from them. */
  raw: readonly unknown[] | null;

  constructor(
    n: number,
    provider: WatchedProvider,
    call: ProviderCall,
    raw: readonly unknown[],
    began: number,
  ) {
    this.n = n;
    this.provider = provider;
    this.call = call;
    this.raw = raw;
    this.began = began;
    this.s = socketOf(call, raw);
    this.args = decodeArguments(call, raw);
  }
}

/** What is to be told of a call. */
type Due = {
  readonly noted: NotedCall;
  readonly event: CallEvent;
  readonly answer: number;
  readonly at: number;
};

export class CallLog implements CallWatcher {
  readonly #scheduler: Scheduler;
  /** What makes the scheduler's time that since 1970, ms. */
  readonly #epoch: number;
  readonly #wake: () => void;
  /** Since the last batch, as they began. */
  #fresh: NotedCall[] = [];
  /** Ends of what began before. */
  #late: Due[] = [];
  /** Of the batch that is being taken. */
  #due: Due[] = [];
  #dueAt = 0;
  readonly #overlapped = new Map<WSAOVERLAPPED, NotedCall[]>();
  #underWay = 0;
  #calls = 0;
  #lost = 0;

  /** @param wake told when there is something to take */
  constructor(scheduler: Scheduler, epoch: number, wake: () => void) {
    this.#scheduler = scheduler;
    this.#epoch = epoch;
    this.#wake = wake;
  }

  watch(provider: WatchedProvider, call: ProviderCall, args: readonly unknown[], make: () => Answer): Answer {
    const waiting = this.#fresh.length + this.#due.length - this.#dueAt;
    if (waiting >= LOG_CAPACITY || this.#underWay >= MOST_UNDER_WAY) {
      this.#lost++;
      this.#calls++;
      this.#wake();
      return make();
    }
    const noted = new NotedCall(++this.#calls, provider, call, args, this.#scheduler.now());
    this.#fresh.push(noted);
    this.#wake();
    let answer: Answer;
    try {
      answer = make();
    } catch (error) {
      // A guard has it, and answers for the layer.
      noted.answer = 0;
      noted.raw = null;
      throw error;
    }
    if (typeof answer === 'number') {
      this.#answered(noted, answer);
      return answer;
    }
    // The list of buffers may be changed as soon as the call has returned.
    noted.raw = args.map((value) => (Array.isArray(value) ? value.slice() : value));
    this.#underWay++;
    answer.then(
      (late) => this.#answeredLate(noted, late),
      () => this.#answeredLate(noted, 0),
    );
    return answer;
  }

  ended(lpOverlapped: WSAOVERLAPPED, answer: number): void {
    const calls = this.#overlapped.get(lpOverlapped);
    if (calls === undefined) return;
    this.#overlapped.delete(lpOverlapped);
    const at = this.#scheduler.now();
    for (const noted of calls) {
      this.#underWay--;
      this.#done(noted, answer, at);
    }
  }

  /** Begins a batch with all there is; the one before was taken whole. @returns how many calls are missing before it */
  cut(): number {
    const lost = this.#lost;
    this.#lost = 0;
    const fresh = this.#fresh;
    this.#fresh = [];
    const due: Due[] = [];
    for (const noted of fresh) {
      const { answer, ended } = noted;
      if (answer === null) {
        noted.isTold = true;
        due.push({ noted, event: 'begin', answer: 0, at: noted.began });
      } else due.push({ noted, event: 'call', answer, at: ended });
    }
    due.push(...this.#late);
    this.#late = [];
    this.#due = due;
    this.#dueAt = 0;
    return lost;
  }

  /** The next record of the batch; `null`: there are no more. */
  take(): CallRecord | null {
    const due = this.#due[this.#dueAt];
    if (due === undefined) {
      this.#due = [];
      this.#dueAt = 0;
      return null;
    }
    this.#dueAt++;
    return this.#recordOf(due);
  }

  /** Whether the batch that was begun is not taken whole. */
  get hasMore(): boolean {
    return this.#dueAt < this.#due.length;
  }

  get isEmpty(): boolean {
    const waiting = this.#fresh.length + this.#late.length + this.#due.length - this.#dueAt;
    return waiting === 0 && this.#lost === 0;
  }

  #answered(noted: NotedCall, answer: number): void {
    noted.ended = this.#scheduler.now();
    noted.answer = answer;
    const { raw, call } = noted;
    const place = answer === -WSA_IO_PENDING ? overlappedPlace(call) : null;
    const record = place === null ? null : ((raw?.[place.record] ?? null) as WSAOVERLAPPED | null);
    if (record !== null && typeof record === 'object') {
      this.#pends(noted, record);
      return;
    }
    if (raw !== null) noted.out = decodeResults(call, raw, answer);
    if (answer > 0 && MAKERS.has(call)) noted.s ||= answer;
    noted.raw = null;
  }

  #answeredLate(noted: NotedCall, answer: number): void {
    this.#underWay--;
    this.#answered(noted, answer);
    if (noted.isTold) this.#late.push({ noted, event: 'end', answer, at: noted.ended });
    this.#wake();
  }

  /** An overlapped operation outlasts its call. */
  #pends(noted: NotedCall, record: WSAOVERLAPPED): void {
    const args = noted.raw ?? [];
    noted.raw = args.map((value) => (Array.isArray(value) ? value.slice() : value));
    if (record.Internal !== STATUS_PENDING) {
      const code = wsaOfNtStatus(record.Internal);
      this.#done(noted, code === 0 ? record.InternalHigh : -code, noted.ended);
      return;
    }
    this.#underWay++;
    const calls = this.#overlapped.get(record);
    if (calls === undefined) this.#overlapped.set(record, [noted]);
    else calls.push(noted);
  }

  #done(noted: NotedCall, answer: number, at: number): void {
    if (noted.raw !== null) noted.out = decodeResults(noted.call, noted.raw, answer);
    noted.raw = null;
    this.#late.push({ noted, event: 'done', answer, at });
    this.#wake();
  }

  #recordOf({ noted, event, answer, at }: Due): CallRecord {
    const { n, provider, call, s, args, out, began } = noted;
    const hasOut = event !== 'begin' && answer >= 0 && Object.keys(out).length > 0;
    const isFirst = event === 'call' || event === 'begin';
    return {
      time: this.#epoch + (isFirst ? began : at),
      n,
      event,
      depth: provider.depth,
      layer: provider.name,
      chain: provider.chain.szProtocol,
      call,
      s,
      ...(isFirst ? { args } : {}),
      ...(event === 'begin' ? {} : decodeAnswer(answer)),
      ...(hasOut ? { out } : {}),
      ...(event === 'begin' ? {} : { us: Math.max(0, Math.round((at - began) * 1000)) }),
    };
  }
}

/** Calls that answer a new socket. */
const MAKERS: ReadonlySet<ProviderCall> = new Set<ProviderCall>(['WSPSocket']);
