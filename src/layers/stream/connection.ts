/**
 * One connection whose bytes the layer keeps: opened, pumped both ways through its codec, read and written by the application.
 *
 *     application ⇄ inbound, outbound (bounded) ⇄ codec ⇄ pipe ⇄ socket below
 *
 * Readiness is that of the two queues. Both directions run by themselves: a reader that waits keeps no writer waiting.
 */

import {
  FD_READ,
  FD_WRITE,
  MSG_OOB,
  MSG_PEEK,
  MSG_WAITALL,
  POLLERR,
  POLLHUP,
  POLLRDNORM,
  POLLWRNORM,
  SD_BOTH,
  SD_SEND,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAEINVAL,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import type { Layer, WSPPROC_TABLE } from '../../spi/index.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Codec, StreamPlan } from './contract.ts';
import { EventRecords } from './event-records.ts';
import { LowerPipe } from './lower-pipe.ts';
import type { Complete } from './operations.ts';

/** Bytes that wait in each direction; a reader or writer who is late holds up the peer or the application from there on. */
export const QUEUE_LIMIT = 0x1_0000;
/** Bytes that go through the codec at a time: what a TLS record carries at most. */
const CHUNK = 0x4000;

/** Somebody who waits to receive or to send. */
interface Waiter {
  /** Does what it can. @returns whether it is done */
  run(): boolean;
  /** Ends it unfinished. */
  end(answer: number): void;
}

export type Phase = 'opening' | 'open' | 'failed';

export class Connection {
  readonly s: number;
  readonly events: EventRecords;
  phase: Phase = 'opening';
  /** Begun by a connect of the application, which is told of its end. */
  readonly isConnect: boolean;
  readonly plan: StreamPlan;
  /** Why it failed, a WSA code. */
  failure = 0;
  /** Called at every change of readiness. */
  readonly observers = new Set<() => void>();
  readonly #next: WSPPROC_TABLE;
  readonly #layer: Layer;
  #codec: Codec | null = null;
  readonly #inbound = new ByteQueue();
  readonly #outbound = new ByteQueue();
  /** Why no more comes in: 0 the peer's end, a WSA code; −1: more may come. */
  #ended = -1;
  /** Why nothing goes out any more; 0: it does. */
  #sendError = 0;
  #isSendShut = false;
  #isReceiveShut = false;
  #isClosed = false;
  #isWriting = false;
  /** Nothing will go out any more, not even the end. */
  #isSendingDone = false;
  readonly #receivers: Waiter[] = [];
  readonly #senders: Waiter[] = [];
  #onRoom: (() => void) | null = null;
  readonly #onDrained: (() => void)[] = [];

  constructor(next: WSPPROC_TABLE, layer: Layer, s: number, plan: StreamPlan, isConnect: boolean) {
    this.#next = next;
    this.#layer = layer;
    this.s = s;
    this.plan = plan;
    this.isConnect = isConnect;
    this.events = new EventRecords(layer.upcalls, s);
  }

  /** Bytes that wait to be read. */
  get available(): number {
    return this.#inbound.length;
  }

  get isReadable(): boolean {
    return this.#inbound.length > 0 || this.#ended >= 0;
  }

  get isWritable(): boolean {
    return this.phase === 'open' && (this.#outbound.length < QUEUE_LIMIT || this.#sendError !== 0);
  }

  /** POLL* bits that hold. */
  get pollBits(): number {
    if (this.phase === 'failed') return POLLERR | POLLHUP | POLLWRNORM;
    let bits = this.isWritable ? POLLWRNORM : 0;
    if (this.#inbound.length > 0) bits |= POLLRDNORM;
    if (this.#ended >= 0) bits |= POLLHUP;
    return this.#ended > 0 ? bits | POLLERR | POLLWRNORM : bits;
  }

  /** A connect has failed. */
  get isExceptional(): boolean {
    return this.phase === 'failed' && this.isConnect;
  }

  /**
   * Connects below, when there is an address, and opens the codec. Never rejects.
   * @param prepare makes the socket below ready for it
   * @returns 0, or minus a WSA code
   */
  async open(address: Uint8Array | null, prepare: () => Promise<number>): Promise<number> {
    let error = await prepare();
    if (error >= 0 && this.plan.prepare !== undefined) error = await this.plan.prepare();
    if (error >= 0 && address !== null) {
      error = await this.#next.WSPConnect(this.s, address, address.length, null, null, null, null);
      if (error < 0) return this.#fail(-error);
    }
    if (error < 0) return this.#fail(-error);
    const opened = await this.#openCodec();
    if (this.#isClosed) {
      if (typeof opened !== 'number') opened.destroy();
      return -WSA_OPERATION_ABORTED;
    }
    if (typeof opened === 'number') {
      void this.#next.WSPShutdown(this.s, SD_BOTH);
      return this.#fail(-opened);
    }
    this.#codec = opened;
    this.phase = 'open';
    void this.#pumpIn(opened);
    this.#startWriting();
    this.changed();
    return 0;
  }

  /** @param complete is told the answer, now or later; `null`: may not wait */
  receive(buffers: readonly Uint8Array[], flags: number, complete: Complete | null): number | (() => void) {
    this.events.enable(FD_READ);
    const refused = this.#whyNoReceive(flags);
    const places = buffers.filter(({ length }) => length > 0);
    const isPeek = (flags & MSG_PEEK) !== 0;
    const isWhole = !isPeek && (flags & MSG_WAITALL) !== 0;
    const room = places.reduce((sum, { length }) => sum + length, 0);
    let done = 0;
    const attempt = (): number | null => {
      if (refused !== 0) return -refused;
      done += this.#take(places, done, isPeek);
      if (done > 0 && (!isWhole || done === room)) return done;
      if (done === 0 && room === 0 && this.#inbound.length > 0) return 0;
      if (this.#ended < 0) return null;
      return done > 0 || this.#ended === 0 ? done : -this.#ended;
    };
    // Of receivers that wait, the first gets the first bytes.
    const now = this.#receivers.length === 0 || refused !== 0 ? attempt() : null;
    this.changed();
    return this.#wait(this.#receivers, now, complete, attempt);
  }

  /** As {@link receive}. A send that may not wait takes what there is room for. */
  send(buffers: readonly Uint8Array[], flags: number, complete: Complete | null): number | (() => void) {
    const total = buffers.reduce((sum, { length }) => sum + length, 0);
    let done = 0;
    const attempt = (): number | null => {
      const refused = this.#whyNoSend(flags);
      if (refused !== 0) return -refused;
      done += this.#put(buffers, done);
      return done === total ? done : null;
    };
    let now = this.#senders.length === 0 || this.#whyNoSend(flags) !== 0 ? attempt() : null;
    if (now === null && complete === null && done > 0) now = done;
    const answer = this.#wait(this.#senders, now, complete, attempt);
    if (answer === -WSAEWOULDBLOCK) this.events.enable(FD_WRITE);
    this.#startWriting();
    return answer;
  }

  /** @param how SD_* */
  shutdown(how: number): number {
    if (this.phase !== 'open') return -WSAENOTCONN;
    if (how < 0 || how > SD_BOTH) return -WSAEINVAL;
    if (how !== SD_SEND) this.#isReceiveShut = true;
    if (how > 0 && !this.#isSendShut) {
      this.#isSendShut = true;
      this.#startWriting();
    }
    this.changed();
    return 0;
  }

  /**
   * Ends it: what was sent goes out first.
   * @param limit longest time for that, ms; 0: it is thrown away
   */
  async close(limit: number): Promise<void> {
    if (this.#isClosed) return;
    if (limit > 0 && this.phase === 'open') await this.#drain(limit);
    this.#isClosed = true;
    this.#codec?.destroy();
    this.#inbound.clear();
    this.#outbound.clear();
    for (const waiter of [...this.#receivers.splice(0), ...this.#senders.splice(0)]) {
      waiter.end(-WSA_OPERATION_ABORTED);
    }
    this.#onRoom?.();
    for (const observer of [...this.observers]) observer();
  }

  /** Readiness may be another: everybody is told. */
  changed(): void {
    const hasEnded = this.#ended >= 0 && this.#inbound.length === 0 && !this.isExceptional;
    this.events.update({
      isReadable: this.#inbound.length > 0,
      isWritable: this.isWritable && this.#sendError === 0,
      closed: hasEnded ? this.#ended : -1,
      connected: this.isConnect && this.phase !== 'opening' ? this.failure : -1,
    });
    for (const observer of [...this.observers]) observer();
  }

  async #openCodec(): Promise<Codec | number> {
    const { scheduler } = this.#layer.ws2;
    const opening = this.plan.open(new LowerPipe(this.#next, this.s));
    return new Promise((resolve) => {
      let isLate = false;
      const cancel = scheduler.after(this.plan.limit, () => {
        isLate = true;
        resolve(-WSAETIMEDOUT);
      });
      opening.then(
        (opened) => {
          cancel();
          if (isLate && typeof opened !== 'number') opened.destroy();
          resolve(opened);
        },
        () => {
          cancel();
          resolve(-WSAECONNABORTED);
        },
      );
    });
  }

  #fail(code: number): number {
    this.phase = 'failed';
    this.failure = code;
    this.#ended = code;
    this.#sendError = code;
    this.#wake(this.#receivers);
    this.#wake(this.#senders);
    this.changed();
    return -code;
  }

  #whyNoReceive(flags: number): number {
    if ((flags & MSG_OOB) !== 0) return WSAEOPNOTSUPP;
    if (this.#isReceiveShut) return WSAESHUTDOWN;
    return this.isConnect && this.phase !== 'open' ? WSAENOTCONN : 0;
  }

  #whyNoSend(flags: number): number {
    if ((flags & MSG_OOB) !== 0) return WSAEOPNOTSUPP;
    if (this.isConnect && this.phase !== 'open') return WSAENOTCONN;
    if (this.#isSendShut) return WSAESHUTDOWN;
    return this.#sendError;
  }

  /** Answers now, or has the rest wait. @returns what takes a waiter out again */
  #wait(
    list: Waiter[],
    now: number | null,
    complete: Complete | null,
    attempt: () => number | null,
  ): number | (() => void) {
    if (now !== null) {
      complete?.(now);
      return now;
    }
    if (complete === null) return -WSAEWOULDBLOCK;
    const waiter: Waiter = {
      run: () => {
        const answer = attempt();
        if (answer === null) return false;
        complete(answer);
        return true;
      },
      end: complete,
    };
    list.push(waiter);
    return () => {
      const at = list.indexOf(waiter);
      if (at >= 0) list.splice(at, 1);
    };
  }

  #wake(list: Waiter[]): void {
    while (list[0]?.run() === true) list.shift();
  }

  /** Spreads what came in over the buffers, past the first `done` bytes of them. @returns how many bytes */
  #take(places: readonly Uint8Array[], done: number, isPeek: boolean): number {
    let skip = done;
    let taken = 0;
    for (const place of places) {
      if (skip >= place.length) {
        skip -= place.length;
        continue;
      }
      const part = place.subarray(skip);
      skip = 0;
      if (isPeek && taken > 0) break;
      const count = this.#inbound.copyTo(part, isPeek);
      taken += count;
      if (count < part.length) break;
    }
    if (taken > 0 && this.#inbound.length < QUEUE_LIMIT) this.#onRoom?.();
    return taken;
  }

  /** Copies what there is room for, past the first `done` bytes: in one piece, so that a gathered send is one. */
  #put(buffers: readonly Uint8Array[], done: number): number {
    const total = buffers.reduce((sum, { length }) => sum + length, 0);
    const piece = new Uint8Array(Math.max(0, Math.min(total - done, QUEUE_LIMIT - this.#outbound.length)));
    let skip = done;
    let at = 0;
    for (const buffer of buffers) {
      if (at === piece.length) break;
      const part = buffer.subarray(Math.min(skip, buffer.length)).subarray(0, piece.length - at);
      skip = Math.max(0, skip - buffer.length);
      piece.set(part, at);
      at += part.length;
    }
    this.#outbound.push(piece);
    return piece.length;
  }

  async #pumpIn(codec: Codec): Promise<void> {
    while (this.#ended < 0) {
      if (this.#inbound.length >= QUEUE_LIMIT) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        this.#onRoom = null;
      }
      const chunk = new Uint8Array(CHUNK);
      const count = await codec.read(chunk);
      if (this.#isClosed) return;
      // A few bytes do not keep a whole chunk.
      if (count > 0) this.#inbound.push(count < CHUNK / 2 ? chunk.slice(0, count) : chunk.subarray(0, count));
      else this.#ended = -count;
      if (count < 0 && this.#sendError === 0) this.#sendError = -count;
      this.#wake(this.#receivers);
      if (count < 0) this.#wake(this.#senders);
      this.changed();
    }
  }

  #startWriting(): void {
    if (this.#isWriting || this.#codec === null) return;
    this.#isWriting = true;
    void this.#pumpOut(this.#codec);
  }

  async #pumpOut(codec: Codec): Promise<void> {
    while (this.#outbound.length > 0 && this.#sendError === 0) {
      const head = this.#outbound.head(CHUNK);
      const answer = await codec.write(head);
      if (this.#isClosed) return;
      if (answer < 0) this.#sendError = -answer;
      else this.#outbound.drop(head.length);
      this.#wake(this.#senders);
      this.changed();
    }
    if (this.#sendError !== 0) this.#outbound.clear();
    else if (this.#isSendShut) await this.#endSending(codec);
    this.#isSendingDone = this.#isSendShut || this.#sendError !== 0;
    this.#isWriting = this.#isSendingDone;
    for (const tell of this.#onDrained.splice(0)) tell();
  }

  async #endSending(codec: Codec): Promise<void> {
    await codec.end();
    if (!this.#isClosed) await this.#next.WSPShutdown(this.s, SD_SEND);
  }

  /** Lets what was sent, and the end of it, go out. */
  #drain(limit: number): Promise<void> {
    const { scheduler } = this.#layer.ws2;
    return new Promise((resolve) => {
      const cancel = scheduler.after(limit, resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      if (this.#isSendingDone) {
        done();
        return;
      }
      this.#onDrained.push(done);
      this.#isSendShut = true;
      this.#startWriting();
    });
  }
}
