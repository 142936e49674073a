/**
 * The calls of one layer in one chain, contained: see `guard`.
 *
 * Handles are given out again. What fails is what a handle stands for while its call is made, never who has the number afterwards.
 */

import { WSAEFAULT, WSAENETDOWN } from '../abi/index.ts';
import { describeValue } from '../base/index.ts';
import type { ProviderCall } from './call-tap.ts';
import type { LayerFault, LayerRecord } from './chain-observer.ts';
import type { ContainedExtensions } from './guard-extensions.ts';
import type { GuardHost, WaitingCall } from './guard-host.ts';
import { Places } from './guard-places.ts';
import { isNonsense, MAKING_CALLS, patienceFor, SOCKET_CALLS } from './guard-rules.ts';
import { promiseOf, WaitingCalls } from './guard-waits.ts';
import { WSP_ENTRIES, type WSPPROC_TABLE } from './provider.ts';
import type { Answer, Ref } from './types.ts';

type AnyCall = (...args: readonly unknown[]) => Answer;

/** Calls that need no guard: the base provider's, and those that have one. */
export const trusted = new WeakSet<object>();

/** For the base provider: its calls are not looked at. */
export function trust(calls: object): void {
  for (const call of Object.values(calls)) trusted.add(call);
}

/** One layer in one chain. */
export class Guard {
  readonly #host: GuardHost;
  readonly #record: LayerRecord;
  readonly #own: Partial<WSPPROC_TABLE>;
  readonly #extensions: ContainedExtensions;
  readonly #waiting: WaitingCalls;
  /** What it has failed with; only its end is left. */
  readonly #failed = new WeakSet<object>();
  #hasFailed = false;
  /** Sockets that its calls have answered. */
  readonly #made = new WeakSet<object>();
  readonly #context: Ref = { value: 0 };

  constructor(
    host: GuardHost,
    record: LayerRecord,
    own: Partial<WSPPROC_TABLE>,
    extensions: ContainedExtensions,
  ) {
    this.#host = host;
    this.#record = record;
    this.#own = own;
    this.#extensions = extensions;
    this.#waiting = new WaitingCalls(host.scheduler, host.limit);
  }

  table(): WSPPROC_TABLE {
    const table: Record<string, AnyCall> = {};
    for (const name of WSP_ENTRIES) {
      const call = this.#own[name] as AnyCall;
      if (!trusted.has(call)) table[name] = this.guarded(name, call);
      else table[name] = name === 'WSPCloseSocket' ? this.#closing(call) : call;
    }
    return table as unknown as WSPPROC_TABLE;
  }

  /** WSPCleanup of a table that has it and little else. */
  cleanUp(): Answer {
    return this.guarded('WSPCleanup', this.#own.WSPCleanup as AnyCall)();
  }

  /** A call of the layer's as others make it. */
  guarded(name: ProviderCall, call: AnyCall): AnyCall {
    const host = this.#host;
    const { scheduler, observer, tap } = host;
    const own = this.#own;
    const record = this.#record;
    const isAboutSocket = SOCKET_CALLS.has(name);
    // Functions that pointers stand for are watched as the call that gave them out.
    const watched = isTableCall(name) ? name : 'WSPIoctl';
    const places = new Places(name);
    const make = (args: readonly unknown[]): Answer => {
      const s = isAboutSocket ? (args[0] as number) : 0;
      if (this.#hasFailed && name !== 'WSPCloseSocket' && this.#isFailed(s)) return -WSAENETDOWN;
      // Whoever is above has left something there that is none: nobody below is to see it, nor to blame for it.
      if (!places.areRight(args)) return -WSAEFAULT;
      const outer = host.running;
      host.running = record;
      host.waiting = null;
      observer.enter?.(record, watched);
      const began = scheduler.now();
      let answer: unknown;
      try {
        answer = call.apply(own, args as unknown[]);
      } catch (thrown) {
        return this.#fail(name, s, undefined, 'threw', describeValue(thrown));
      } finally {
        host.running = outer;
        observer.leave?.(record, watched);
      }
      const promise = typeof answer === 'number' ? null : promiseOf(answer);
      if (promise !== null) return this.#later(name, s, args, promise, scheduler.now() - began, places);
      host.waiting = null;
      const checked = this.#check(name, s, undefined, args, answer, places);
      this.#note(name, s, args, checked, scheduler.now() - began);
      return checked;
    };
    const guarded: AnyCall = (...args) => {
      const { watcher } = tap;
      return watcher === null ? make(args) : watcher.watch(record, name, args, () => make(args));
    };
    trusted.add(guarded);
    return guarded;
  }

  /** The close of a layer that leaves it to the provider below: what the layer still has under way on the socket is to end. */
  #closing(call: AnyCall): AnyCall {
    const closing: AnyCall = (...args) => {
      const s = args[0] as number;
      const finish = (answer: number): number => {
        if (answer >= 0) this.#forget(s);
        return answer;
      };
      const answer = call(...args);
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    };
    trusted.add(closing);
    return closing;
  }

  /** The answer of a call that waits. @param spent ms that it took until it waited */
  #later(
    name: ProviderCall,
    s: number,
    args: readonly unknown[],
    answer: Promise<unknown>,
    spent: number,
    places: Places,
  ): Promise<number> {
    const host = this.#host;
    // The list of buffers may be changed as soon as the call has returned.
    const kept = args.map((value) => (Array.isArray(value) ? value.slice() : value));
    const subject = host.identify(s);
    const patience = isTableCall(name) ? patienceFor(name, args, s, host) : Number.POSITIVE_INFINITY;
    const waiting: WaitingCall = { layer: this.#record, call: name, below: host.waiting, isAnswered: false };
    host.waiting = waiting;
    return this.#waiting.wait(s, patience, answer, {
      answered: (late) => {
        waiting.isAnswered = true;
        const checked = this.#check(name, s, subject, kept, late, places);
        this.#note(name, s, kept, checked, spent);
        return checked;
      },
      threw: (reason) => {
        waiting.isAnswered = true;
        return this.#fail(name, s, subject, 'threw', describeValue(reason));
      },
      silent: () =>
        this.#fail(name, s, subject, 'silent', `no answer within ${host.limit} ms`, silentOne(waiting)),
      givenUp: () => -WSAENETDOWN,
      tooLate: (late) => {
        // Nobody waits for that socket any more.
        if (name === 'WSPSocket' && typeof late === 'number' && late > 0)
          void this.#own.WSPCloseSocket?.(late);
      },
    });
  }

  /** @param subject what the socket was when a call that waited was made; absent: what it is now */
  #check(
    name: ProviderCall,
    s: number,
    subject: object | null | undefined,
    args: readonly unknown[],
    answer: unknown,
    places: Places,
  ): number {
    const isKnown = (handle: number): boolean =>
      this.#host.upcalls.WPUQuerySocketHandleContext(handle, this.#context) >= 0;
    if (isNonsense(name, args, answer, isKnown)) {
      return this.#fail(name, s, subject, 'nonsense', `it answered ${describeValue(answer)}`);
    }
    if (!places.areRight(args)) {
      places.mend(args);
      return this.#fail(name, s, subject, 'nonsense', 'it wrote what cannot be there');
    }
    const right = answer as number;
    if (right > 0 && right !== s && MAKING_CALLS.has(name) && !this.#isNew(right)) {
      return this.#fail(name, s, subject, 'nonsense', `it answered socket ${right} a second time`);
    }
    if (name === 'WSPIoctl' && right >= 0) {
      this.#extensions.handOut(args, (extension, call) => this.guarded(extension, call));
    }
    return right;
  }

  #isNew(s: number): boolean {
    const made = this.#host.identify(s);
    if (made === null || this.#made.has(made)) return false;
    this.#made.add(made);
    return true;
  }

  #isFailed(s: number): boolean {
    const subject = this.#host.identify(s);
    return subject !== null && this.#failed.has(subject);
  }

  /** @param subject as in {@link #check}, @param by whose fault it is; this layer's, when absent */
  #fail(
    name: ProviderCall,
    s: number,
    subject: object | null | undefined,
    kind: LayerFault['kind'],
    detail: string,
    { layer, call }: Pick<WaitingCall, 'layer' | 'call'> = { layer: this.#record, call: name },
  ): number {
    const now = this.#host.identify(s);
    const isStill = now !== null && (subject === undefined || subject === now);
    if (isStill) {
      this.#failed.add(now);
      this.#hasFailed = true;
    }
    if (name === 'WSPCloseSocket') {
      this.#waiting.giveUp(s);
      this.#forget(s);
      if (isStill) this.#host.closeBelow(s);
    }
    this.#host.failed({ layer: layer.name, path: layer.path, call, s: isStill ? s : 0, kind, detail });
    return -WSAENETDOWN;
  }

  /** A socket is closed. */
  #forget(s: number): void {
    this.#record.sockets.delete(s);
    this.#waiting.hurry(s);
  }

  #note(name: ProviderCall, s: number, args: readonly unknown[], answer: number, ms: number): void {
    if (!isTableCall(name)) return;
    const { sockets } = this.#record;
    if (s !== 0) {
      let socket = sockets.get(s);
      if (socket === undefined) {
        socket = { calls: 0, bytesSent: 0, bytesReceived: 0, ms: 0 };
        sockets.set(s, socket);
      }
      socket.calls++;
      socket.ms += ms;
      if (answer > 0) {
        if (name === 'WSPSend' || name === 'WSPSendTo') socket.bytesSent += answer;
        else if (name === 'WSPRecv' || name === 'WSPRecvFrom') socket.bytesReceived += answer;
      }
      if (name === 'WSPCloseSocket' && answer === 0) this.#forget(s);
    }
    if (name === 'WSPCleanup') {
      sockets.clear();
      this.#waiting.hurryAll();
    }
    this.#host.observer.called?.(this.#record, name, args, answer, ms);
  }
}

/** Who keeps a call waiting: the lowest layer that has it. */
function silentOne(waiting: WaitingCall): WaitingCall {
  let lowest = waiting;
  while (lowest.below?.isAnswered === false) lowest = lowest.below;
  return lowest;
}

const TABLE_CALLS: ReadonlySet<string> = new Set(WSP_ENTRIES);

function isTableCall(name: ProviderCall): name is keyof WSPPROC_TABLE {
  return TABLE_CALLS.has(name);
}
