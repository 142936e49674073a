/**
 * How the base provider asks the sockets for something: calls over an `AfdPort` that answer a number when they end at once
 * and a promise when they pend.
 *
 * A {@link Call} is a request with the places that its results go to. There is one in hand that is filled anew for each
 * operation; only one that pends leaves the hand, and comes back to a pool when it is done. So an operation that ends at
 * once allocates nothing.
 */

import { WSA_OPERATION_ABORTED, WSAEINTR, type WSANETWORKEVENTS } from '../abi/index.ts';
import { type AfdCompletion, AfdOp, type AfdPort, type AfdRequest } from '../port/index.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { Answer, Ref, WSABUF } from './types.ts';

/** Turns a completion into the call's answer, and writes what the call has places for. */
export type Finish = (call: Call, completion: AfdCompletion) => number;

/** One operation: what is asked, where its results go, who waits for it. */
export class Call {
  readonly request: AfdRequest = {
    id: 0,
    op: AfdOp.socket,
    descriptor: 0,
    flags: 0,
    a: 0,
    b: 0,
    address: null,
    data: null,
    into: null,
  };
  finish: Finish = finishValue;
  /** Takes the answer of a call that pended. */
  settle: (answer: number) => void = ignore;
  /** The socket that the call is about. */
  socket: BaseSocket | null = null;
  /** Where a sockaddr or an option's value goes, and its length. */
  name: Uint8Array | null = null;
  nameLength: Ref | null = null;
  flags: Ref | null = null;
  /** Buffers of a scattered receive. */
  buffers: readonly WSABUF[] | null = null;
  networkEvents: WSANETWORKEVENTS | null = null;
  /** Thread that waits for it in a blocking call, by its handle; 0: none does. */
  thread = 0;
  /** Its blocking wait was ended by WSPCancelBlockingCall, or by the thread's hook. */
  isInterrupted = false;
  /** Bytes that were moved by a call that failed: a message that was cut. */
  transferred = 0;
  /** Told once that the call pends, where the port does not know that at once. */
  onPend: (() => void) | null = null;
}

/** The calls of one session. */
export class Calls {
  /** Told of each call that may block and pends, with its answer; what it answers is what the caller gets. */
  onBlocking: (call: Call, answer: Promise<number>) => Promise<number> = (_call, answer) => answer;
  readonly #port: AfdPort;
  readonly #pending = new Map<number, Call>();
  readonly #pool: Call[] = [];
  #inHand = new Call();
  #lastId = 0;

  /** Takes the port's completions from now on. */
  constructor(port: AfdPort) {
    this.#port = port;
    port.onComplete = (completion) => this.#complete(completion);
    port.onPend = (id) => this.#pends(id);
  }

  /** Whether a call that was not answered at once may still be about to be: see `AfdPort`. */
  get announcesPending(): boolean {
    return this.#port.announcesPending === true;
  }

  /** How many calls wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** The call in hand, emptied and ready to be filled; used before the next `prepare` or not at all. */
  prepare(op: AfdOp, socket: BaseSocket | null, finish: Finish = finishValue): Call {
    const call = this.#inHand;
    const request = call.request;
    request.op = op;
    request.descriptor = socket === null ? 0 : socket.descriptor;
    request.flags = 0;
    request.a = 0;
    request.b = 0;
    request.address = null;
    request.data = null;
    request.into = null;
    call.finish = finish;
    call.socket = socket;
    call.name = null;
    call.nameLength = null;
    call.flags = null;
    call.buffers = null;
    call.networkEvents = null;
    call.transferred = 0;
    call.onPend = null;
    return call;
  }

  /** Starts the call in hand. */
  submit(call: Call): Answer {
    const done = this.#start(call);
    if (done !== null) return call.finish(call, done);
    const answer = new Promise<number>((resolve) => {
      call.settle = resolve;
    });
    return mayBlock(call.request.op) ? this.onBlocking(call, answer) : answer;
  }

  /**
   * Starts the call in hand for somebody who is told rather than waits.
   * @param settle takes the answer when the call pends
   * @returns the answer when it ended at once, else `null`
   */
  begin(call: Call, settle: (answer: number) => void): number | null {
    const done = this.#start(call);
    if (done !== null) return call.finish(call, done);
    call.settle = settle;
    return null;
  }

  /** Ends a call that pends, by its request's id; it then answers WSA_OPERATION_ABORTED unless it was done already. */
  cancel(id: number): void {
    this.#port.cancel(id);
  }

  /** Ends the blocking calls of a thread, which answer WSAEINTR. @returns how many there were */
  interruptThread(thread: number): number {
    let count = 0;
    for (const [id, call] of [...this.#pending]) {
      if (call.thread !== thread) continue;
      count++;
      this.interrupt(id);
    }
    return count;
  }

  /** Ends a blocking call, by its request's id; it answers WSAEINTR unless it was done already. */
  interrupt(id: number): void {
    const call = this.#pending.get(id);
    if (call === undefined) return;
    call.isInterrupted = true;
    this.#port.cancel(id);
  }

  /** Ends every call that pends: the process has given Winsock up. Each answers WSAEINTR. */
  cancelAll(): void {
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of calls) {
      this.#port.cancel(call.request.id);
      call.settle(-WSAEINTR);
    }
  }

  #start(call: Call): AfdCompletion | null {
    this.#lastId = this.#lastId === 0x7fff_ffff ? 1 : this.#lastId + 1;
    call.request.id = this.#lastId;
    // What is completed meanwhile may start calls of its own.
    this.#inHand = this.#pool.pop() ?? new Call();
    const done = this.#port.submit(call.request);
    if (done === null) {
      this.#pending.set(call.request.id, call);
    } else {
      this.#pool.push(this.#inHand);
      this.#inHand = call;
    }
    return done;
  }

  #pends(id: number): void {
    const call = this.#pending.get(id);
    const onPend = call?.onPend ?? null;
    if (call !== undefined) call.onPend = null;
    onPend?.();
  }

  #complete(completion: AfdCompletion): void {
    const call = this.#pending.get(completion.id);
    if (call === undefined) return;
    this.#pending.delete(completion.id);
    let answer = call.finish(call, completion);
    if (call.isInterrupted && answer === -WSA_OPERATION_ABORTED) answer = -WSAEINTR;
    call.thread = 0;
    call.isInterrupted = false;
    const settle = call.settle;
    call.settle = ignore;
    // What it refers to is the caller's again.
    call.request.data = null;
    call.request.into = null;
    call.name = null;
    call.buffers = null;
    if (this.#pool.length < POOLED) this.#pool.push(call);
    settle(answer);
  }
}

/** The plainest finish: the error, or the value. */
export function finishValue(_call: Call, completion: AfdCompletion): number {
  return completion.error === 0 ? completion.value : -completion.error;
}

/** The operations that block a thread for as long as the network pleases (SEM-BLK-02). */
function mayBlock(op: AfdOp): boolean {
  return (
    op === AfdOp.recv ||
    op === AfdOp.send ||
    op === AfdOp.accept ||
    op === AfdOp.acceptRequest ||
    op === AfdOp.connect ||
    op === AfdOp.poll ||
    op === AfdOp.close ||
    op === AfdOp.ioctl
  );
}

function ignore(): void {}

/** Calls kept for reuse; more than ever pend at once in most programs. */
const POOLED = 64;
