/**
 * Containment of layers: every call of a layer goes through here, wherever in a chain the layer stands.
 *
 * A layer that throws, answers what no provider may answer, or keeps a call waiting that may not wait, is named with the call, and
 * the socket fails: WSAENETDOWN, "the network subsystem has failed", which every call may answer (SEM-C-02). The base provider's own
 * calls are not looked at, so that a socket without layers pays nothing, nor does a call that a layer leaves to it.
 */

import { WSAEINVALIDPROCTABLE, WSAENETDOWN, WSAEPROVIDERFAILEDINIT } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { CallTap } from './call-tap.ts';
import type { ChainObserver, LayerFault, LayerRecord } from './chain-observer.ts';
import { isNonsense, mayWait, SOCKET_CALLS } from './guard-rules.ts';
import { isCompleteTable, WSP_ENTRIES, type WSPPROC_TABLE, type WSPStartup } from './provider.ts';
import type { Answer, Ref } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** Longest time that a call which may not wait can take, ms; more than a daemon that is hard at work needs. */
export const LAYER_LIMIT = 10_000;

/** What guards need of the process. */
export interface GuardHost {
  readonly scheduler: Scheduler;
  readonly observer: ChainObserver;
  /** Where calls can be watched. */
  readonly tap: CallTap;
  /** The one table that providers are handed. */
  readonly upcalls: WSPUPCALLTABLE;
  readonly limit: number;
  /** Whether a socket was made non-blocking by its application. */
  isNonBlocking(s: number): boolean;
  /** A layer has failed with that socket. */
  failed(fault: LayerFault): void;
  /** A layer could not close a socket: it is closed below it. */
  closeBelow(s: number): void;
}

type AnyCall = (...args: readonly unknown[]) => Answer;
type CallName = keyof WSPPROC_TABLE;

/** Calls that need no guard: the base provider's, and those that have one. */
const trusted = new WeakSet<AnyCall>();

/** For the base provider: its calls are not looked at. */
export function trust(table: Partial<WSPPROC_TABLE>): void {
  for (const call of Object.values(table)) trusted.add(call as AnyCall);
}

/** The WSPStartup of a layer as others call it. @param path where it was loaded from */
export function guardStartup(host: GuardHost, path: string, startup: WSPStartup): WSPStartup {
  return (requested, data, info, upcalls, table) => {
    const fault = (kind: LayerFault['kind'], detail: string): void =>
      host.failed({ layer: data?.szDescription || path, path, call: 'WSPStartup', s: 0, kind, detail });
    if (upcalls !== host.upcalls) {
      fault('nonsense', 'it was handed an upcall table that is not the one of ws2_32');
      return WSAEINVALIDPROCTABLE;
    }
    const own: Partial<WSPPROC_TABLE> = {};
    const { tap } = host;
    const depth = tap.starting++;
    let error: number;
    try {
      error = startup(requested, data, info, upcalls, own);
    } catch (thrown) {
      fault('threw', describe(thrown));
      return WSAEPROVIDERFAILEDINIT;
    } finally {
      tap.starting--;
    }
    if (typeof error !== 'number' || !Number.isInteger(error) || error < 0) {
      fault('nonsense', `it answered ${String(error)}`);
      return WSAEPROVIDERFAILEDINIT;
    }
    if (error !== 0) return error;
    if (!isCompleteTable(own)) {
      const missing = WSP_ENTRIES.filter((name) => typeof own[name] !== 'function');
      fault('nonsense', `its table has no ${missing.join(', ')}`);
      void own.WSPCleanup?.();
      return WSAEINVALIDPROCTABLE;
    }
    const name = data.szDescription || path;
    const record: LayerRecord = { name, path, chain: info, depth, sockets: new Map() };
    tap.started.push(record);
    host.observer.started?.(record);
    Object.assign(table, new Guard(host, record, own).table());
    return 0;
  };
}

/** One layer in one chain. */
class Guard {
  readonly #host: GuardHost;
  readonly #record: LayerRecord;
  readonly #own: WSPPROC_TABLE;
  /** Sockets that it has failed with; only their end is left. */
  readonly #failed = new Set<number>();
  readonly #context: Ref = { value: 0 };

  constructor(host: GuardHost, record: LayerRecord, own: WSPPROC_TABLE) {
    this.#host = host;
    this.#record = record;
    this.#own = own;
  }

  table(): WSPPROC_TABLE {
    const table: Record<string, AnyCall> = {};
    for (const name of WSP_ENTRIES) {
      const call = this.#own[name] as AnyCall;
      table[name] = trusted.has(call) ? call : this.#guarded(name, call);
    }
    return table as unknown as WSPPROC_TABLE;
  }

  #guarded(name: CallName, call: AnyCall): AnyCall {
    const { scheduler, observer, tap } = this.#host;
    const own = this.#own;
    const isAboutSocket = SOCKET_CALLS.has(name);
    const make = (args: readonly unknown[]): Answer => {
      const s = isAboutSocket ? (args[0] as number) : 0;
      if (this.#failed.size > 0 && this.#failed.has(s) && name !== 'WSPCloseSocket') return -WSAENETDOWN;
      const record = this.#record;
      observer.enter?.(record, name);
      const began = scheduler.now();
      let answer: Answer;
      try {
        answer = call.apply(own, args as unknown[]);
      } catch (thrown) {
        return this.#fail(name, s, 'threw', describe(thrown));
      } finally {
        observer.leave?.(record, name);
      }
      if (typeof answer === 'number') {
        const checked = this.#check(name, s, args, answer);
        this.#note(name, s, args, checked, scheduler.now() - began);
        return checked;
      }
      if (!isPromise(answer)) return this.#fail(name, s, 'nonsense', `it answered ${String(answer)}`);
      return this.#later(name, s, args, answer, scheduler.now() - began);
    };
    const guarded: AnyCall = (...args) => {
      const { watcher } = tap;
      return watcher === null ? make(args) : watcher.watch(this.#record, name, args, () => make(args));
    };
    trusted.add(guarded);
    return guarded;
  }

  /** The answer of a call that waits. @param spent ms that it took until it waited */
  #later(
    name: CallName,
    s: number,
    args: readonly unknown[],
    answer: Promise<number>,
    spent: number,
  ): Promise<number> {
    const host = this.#host;
    // The list of buffers may be changed as soon as the call has returned.
    const kept = args.map((value) => (Array.isArray(value) ? value.slice() : value));
    const isBounded = !mayWait(name, args) || (s !== 0 && host.isNonBlocking(s));
    return new Promise((resolve) => {
      let isDone = false;
      const cancel = isBounded
        ? host.scheduler.after(host.limit, () => {
            isDone = true;
            resolve(this.#fail(name, s, 'silent', `no answer within ${host.limit} ms`));
          })
        : (): void => {};
      const end = (late: number): void => {
        if (isDone) {
          // Nobody waits for that socket any more.
          if (name === 'WSPSocket' && late > 0) void this.#own.WSPCloseSocket(late);
          return;
        }
        isDone = true;
        cancel();
        this.#note(name, s, kept, late, spent);
        resolve(late);
      };
      answer.then(
        (late) => end(this.#check(name, s, kept, late)),
        (thrown: unknown) => end(this.#fail(name, s, 'threw', describe(thrown))),
      );
    });
  }

  #check(name: CallName, s: number, args: readonly unknown[], answer: number): number {
    const isKnown = (handle: number): boolean =>
      this.#host.upcalls.WPUQuerySocketHandleContext(handle, this.#context) >= 0;
    if (!isNonsense(name, args, answer, isKnown)) return answer;
    return this.#fail(name, s, 'nonsense', `it answered ${String(answer)}`);
  }

  #fail(name: CallName, s: number, kind: LayerFault['kind'], detail: string): number {
    const { name: layer, path } = this.#record;
    if (s !== 0) this.#failed.add(s);
    if (name === 'WSPCloseSocket') {
      this.#failed.delete(s);
      this.#record.sockets.delete(s);
      this.#host.closeBelow(s);
    }
    this.#host.failed({ layer, path, call: name, s, kind, detail });
    return -WSAENETDOWN;
  }

  #note(name: CallName, s: number, args: readonly unknown[], answer: number, ms: number): void {
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
      if (name === 'WSPCloseSocket' && answer === 0) {
        sockets.delete(s);
        this.#failed.delete(s);
      }
    }
    if (name === 'WSPCleanup') sockets.clear();
    this.#host.observer.called?.(this.#record, name, args, answer, ms);
  }
}

function isPromise(answer: unknown): answer is Promise<number> {
  return (
    typeof answer === 'object' && answer !== null && typeof (answer as Promise<number>).then === 'function'
  );
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
