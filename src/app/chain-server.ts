/**
 * The chain thread's side of the blocking face: takes calls out of mailboxes, makes them, and leaves the answers there.
 */

import { WSAENETDOWN, WSANOTINITIALISED, WSASYSNOTREADY } from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { Answer, ConditionFunction } from '../spi/index.ts';
import {
  type BlockingHook,
  Windows,
  type Winsock,
  type WinsockProcess,
  windowCalls,
} from '../winsock/index.ts';
import { needsStartup } from './argument-kinds.ts';
import { Callback } from './callbacks.ts';
import { invokeOperation, invokeRequest, OPERATION, readBegun, SharedMemories } from './chain-operations.ts';
import { ChainRio } from './chain-rio.ts';
import { ChainSpaces } from './chain-spaces.ts';
import { ClientThread, type ServedMailbox } from './client-thread.ts';
import type { IcmpCalls } from './icmp-calls.ts';
import { ANSWERED, CLOSED, IDLE, type Mailbox, NEW, POSTED, RESUMED } from './mailbox.ts';
import { callback, hook } from './marshal.ts';
import { overlapped, routine } from './marshal-overlapped.ts';
import { forgetGone } from './rio-tickets.ts';
import { SIGNATURES, type Signature } from './signatures.ts';
import { type CallShape, ICMP_CALLS, shapeOf } from './signatures-icmp.ts';
import { withHooks } from './ssl-hooks.ts';

/** Winsock as the chain thread runs it. */
export interface HostedWinsock {
  readonly winsock: Winsock;
  readonly process: WinsockProcess;
  /** False once the daemon is gone. */
  isOpen(): boolean;
}

type AnyCall = (...args: readonly unknown[]) => Answer;

export class ChainServer {
  readonly #attach: (windows: Windows) => Promise<HostedWinsock>;
  readonly #icmp: IcmpCalls;
  readonly #threads = new Map<number, ClientThread>();
  readonly #windows = new Windows();
  /** What the application's threads share with this one for their operations. */
  readonly memories = new SharedMemories();
  readonly #rio = new ChainRio(this.memories);
  readonly #spaces = new ChainSpaces(this.memories);
  readonly #windowCalls: ReadonlyMap<string, AnyCall>;
  /** Whose window call begins. */
  #caller: ClientThread = new ClientThread(0);
  #hosted: HostedWinsock | null = null;
  #opening: Promise<HostedWinsock> | null = null;

  /**
   * @param attach opens the way to the sockets; called with the first WSAStartup, and again after it failed
   * @param icmp makes the calls of the ICMP helper API
   */
  constructor(attach: (windows: Windows) => Promise<HostedWinsock>, icmp: IcmpCalls) {
    this.#attach = attach;
    this.#icmp = icmp;
    const calls = windowCalls(this.#windows, () => this.#caller.messages);
    this.#windowCalls = new Map(Object.entries(calls) as [string, AnyCall][]);
  }

  /** Serves a mailbox until its thread closes it. */
  async serve(box: Mailbox): Promise<void> {
    const thread = this.#threadOf(box.thread);
    const served = thread.add(box);
    if (box.state === NEW) box.setState(IDLE);
    for (;;) {
      const state = await box.changeFrom(box.state === ANSWERED ? ANSWERED : IDLE);
      if (state === CLOSED) break;
      if (state !== POSTED) continue;
      thread.begin(served);
      let answer = this.#call(thread, served);
      if (typeof answer !== 'number') answer = await answer;
      // What the caller runs for this call comes to its end first.
      while (served.turn !== null) await served.turn;
      thread.end(served);
      reply(box, answer);
    }
    thread.remove(served);
    if (thread.isGone) this.#forget(thread);
  }

  /** The thread is about to end: every caller that sleeps learns that the network is down. */
  abandon(): void {
    for (const thread of this.#threads.values()) {
      for (const { box } of thread.boxes) {
        if (box.state === POSTED || box.state === RESUMED) reply(box, -WSAENETDOWN);
      }
    }
  }

  #threadOf(id: number): ClientThread {
    let thread = this.#threads.get(id);
    if (thread === undefined) {
      thread = new ClientThread(id);
      this.#threads.set(id, thread);
    }
    return thread;
  }

  #forget(thread: ClientThread): void {
    this.#threads.delete(thread.id);
    this.#windows.destroyAll(thread.messages);
    this.memories.forget(thread.id);
    forgetGone(thread.id);
    this.#spaces.forget(thread, this.#hosted?.winsock ?? null);
    if (thread.winsock !== null) this.#hosted?.process.threads.close(thread.winsock);
  }

  #call(thread: ClientThread, served: ServedMailbox): Answer {
    if (served.box.call === OPERATION) return this.#begin(thread, served);
    const index = served.box.call;
    if (index >= ICMP_CALLS) return this.#callIcmp(index, thread, served);
    const signature = SIGNATURES[index];
    if (signature === undefined) return -WSAENETDOWN;
    // Message loops need no Winsock.
    const windowCall = this.#windowCalls.get(signature.name);
    if (windowCall !== undefined) {
      this.#caller = thread;
      return invoke(windowCall, null, thread, served, signature);
    }
    if (signature.name === 'WSAStartup') this.#letGoOfGone();
    if (this.#hosted !== null) return this.#make(this.#hosted, thread, served, signature);
    return needsStartup(signature.name) ? -WSANOTINITIALISED : this.#open(thread, served, signature);
  }

  /** A process that has given Winsock up finds the daemon that came after the one it knew. */
  #letGoOfGone(): void {
    if (this.#hosted === null || this.#hosted.isOpen() || this.#hosted.process.startups > 0) return;
    this.#hosted = null;
    for (const thread of this.#threads.values()) thread.winsock = null;
  }

  /** The ICMP helper API needs no Winsock either. */
  #callIcmp(index: number, thread: ClientThread, served: ServedMailbox): Answer {
    const shape = shapeOf(index);
    if (shape === undefined) return -WSAENETDOWN;
    return invoke((...args) => this.#icmp.make(index, args), null, thread, served, shape);
  }

  /** A call with an overlapped record, or a request's buffer: its message lies elsewhere. */
  #begin(thread: ClientThread, served: ServedMailbox): Answer {
    const begun = readBegun(served.box, this.memories);
    if (begun === null) return -WSAENETDOWN;
    const hosted = this.#hosted;
    if (hosted === null) return -WSANOTINITIALISED;
    thread.winsock ??= hosted.process.threads.open(thread.messages);
    hosted.process.thread = thread.winsock;
    const call = this.#callOf(begun.signature.name, hosted.winsock, thread);
    if (begun.signature.slots.includes(overlapped)) {
      return invokeOperation(call, thread, begun, this.memories);
    }
    const { watchers } = hosted.process.naming;
    return invokeRequest(call, begun, this.memories, (buffer, onOver) => watchers.set(buffer, onOver));
  }

  #make(hosted: HostedWinsock, thread: ClientThread, served: ServedMailbox, signature: Signature): Answer {
    thread.winsock ??= hosted.process.threads.open(thread.messages);
    hosted.process.thread = thread.winsock;
    const { winsock } = hosted;
    const call = this.#callOf(signature.name, winsock, thread);
    const made = signature.name === 'WSAIoctl' ? withHooks(thread, call) : call;
    return invoke(made, hosted, thread, served, signature);
  }

  /** A call as the message of a thread carries its arguments. */
  #callOf(name: Signature['name'], winsock: Winsock, thread: ClientThread): AnyCall {
    const own = this.#rio.callOf(name, winsock, thread.id) ?? this.#spaces.callOf(name, winsock, thread);
    return own ?? (winsock[name] as AnyCall);
  }

  async #open(thread: ClientThread, served: ServedMailbox, signature: Signature): Promise<number> {
    // Threads that start at the same time share one way to the sockets.
    this.#opening ??= this.#attach(this.#windows);
    try {
      this.#hosted = await this.#opening;
    } catch {
      return -WSASYSNOTREADY;
    } finally {
      this.#opening = null;
    }
    return this.#make(this.#hosted, thread, served, signature);
  }
}

/** Makes the call whose arguments lie in the mailbox, and writes back what it left in them. */
function invoke(
  call: AnyCall,
  hosted: HostedWinsock | null,
  thread: ClientThread,
  served: ServedMailbox,
  signature: CallShape,
): Answer {
  const { box } = served;
  const { slots } = signature;
  const places: number[] = [];
  const args: unknown[] = [];
  let at = 0;
  for (const slot of slots) {
    const value: unknown = slot.take(box, at);
    places.push(at);
    at += slot.size(value as never);
    // No operation, no end to tell of.
    if (slot === routine) args.push(value === true ? notRun : null);
    else if (slot === callback) args.push(conditionOf(thread, served, value === true));
    else args.push(slot === hook ? hookOf(hosted, thread, value === true) : value);
  }
  const finish = (answer: number): number => {
    for (const [i, slot] of slots.entries()) {
      if (slot !== callback && slot !== hook) slot.give?.(box, places[i] as number, args[i] as never);
    }
    if (signature.received !== null) box.received = signature.received(args, answer);
    return answer;
  };
  const answer = call(...args);
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}

function notRun(): void {}

/** A condition function that runs in the caller's thread, which sleeps in this call. */
function conditionOf(
  thread: ClientThread,
  served: ServedMailbox,
  isGiven: boolean,
): ConditionFunction | null {
  if (!isGiven) return null;
  return (first, _data, _sqos, _gqos, second, _calleeData, _group, context) =>
    thread.run({ kind: Callback.condition, numbers: [context], first, second }, served);
}

/** A blocking hook that runs in the thread that has set it, whichever call that sleeps in. One that throws ends the call. */
function hookOf(hosted: HostedWinsock | null, thread: ClientThread, isGiven: boolean): BlockingHook | null {
  if (!isGiven || hosted === null) return null;
  const { winsock, process } = hosted;
  return async () => {
    const result = await thread.run({
      kind: Callback.blockingHook,
      numbers: [],
      first: EMPTY,
      second: EMPTY,
    });
    if (result < 0 && thread.winsock !== null) {
      process.thread = thread.winsock;
      void winsock.WSACancelBlockingCall();
    }
    return result > 0;
  };
}

function reply(box: Mailbox, answer: number): void {
  if (box.state === CLOSED) return;
  box.answer = answer;
  box.setState(ANSWERED);
}
