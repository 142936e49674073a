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
import { gathered, lengthOf, spread } from './buffers.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Codec, StreamPlan } from './contract.ts';
import { EventRecords } from './event-records.ts';
import { LowerPipe } from './lower-pipe.ts';
import type { Complete } from './operations.ts';
import { Waiters } from './waiters.ts';

/** Bytes that wait in each direction; a reader or writer who is late holds up the peer or the application from there on. */
export const QUEUE_LIMIT = 0x1_0000;
/** Bytes that go through the codec at a time: what a TLS record carries at most. */
const CHUNK = 0x4000;

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
  readonly #receivers = new Waiters();
  readonly #senders = new Waiters();
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
    const room = lengthOf(places);
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
    const now = this.#receivers.isEmpty || refused !== 0 ? attempt() : null;
    this.changed();
    return this.#receivers.wait(now, complete, attempt);
  }

  /** As {@link receive}. A send that may not wait takes what there is room for. */
  send(buffers: readonly Uint8Array[], flags: number, complete: Complete | null): number | (() => void) {
    const total = lengthOf(buffers);
    let done = 0;
    const attempt = (): number | null => {
      const refused = this.#whyNoSend(flags);
      if (refused !== 0) return -refused;
      done += this.#put(buffers, done);
      return done === total ? done : null;
    };
    let now = this.#senders.isEmpty || this.#whyNoSend(flags) !== 0 ? attempt() : null;
    if (now === null && complete === null && done > 0) now = done;
    const answer = this.#senders.wait(now, complete, attempt);
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
    this.#receivers.end(-WSA_OPERATION_ABORTED);
    this.#senders.end(-WSA_OPERATION_ABORTED);
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
    this.#receivers.wake();
    this.#senders.wake();
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

  #take(places: readonly Uint8Array[], done: number, isPeek: boolean): number {
    const taken = spread(this.#inbound, places, done, isPeek);
    if (taken > 0 && this.#inbound.length < QUEUE_LIMIT) this.#onRoom?.();
    return taken;
  }

  #put(buffers: readonly Uint8Array[], done: number): number {
    const piece = gathered(buffers, done, QUEUE_LIMIT - this.#outbound.length);
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
      this.#receivers.wake();
      if (count < 0) this.#senders.wake();
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
      this.#senders.wake();
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
