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
  MSG_DONTROUTE,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_PUSH_IMMEDIATE,
  MSG_WAITALL,
  POLLERR,
  POLLHUP,
  POLLRDNORM,
  POLLWRNORM,
  SD_BOTH,
  SD_SEND,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEINVAL,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import type { Answer, Layer, WSPPROC_TABLE } from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { openedBy, prepared } from './contained.ts';
import type { Codec, StreamPlan } from './contract.ts';
import { EventRecords } from './event-records.ts';
import { Inflow } from './inflow.ts';
import { LowerPipe } from './lower-pipe.ts';
import type { Complete } from './operations.ts';
import { Outflow } from './outflow.ts';

/** What a receive may ask for; a byte that is urgent has no place in a codec (SEM-IO-08). */
const RECEIVE_FLAGS = MSG_PEEK | MSG_DONTROUTE | MSG_WAITALL | MSG_PUSH_IMMEDIATE | MSG_PARTIAL;
/** What MSG_WAITALL cannot be asked with (SEM-IO-05). */
const NOT_WITH_WAITALL = MSG_PEEK | MSG_PARTIAL;

/** The arguments of WSPConnect behind the address. */
export type ConnectExtras =
  Parameters<WSPPROC_TABLE['WSPConnect']> extends [number, Uint8Array | null, number, ...infer Rest]
    ? Rest
    : never;
const NO_EXTRAS: ConnectExtras = [null, null, null, null];

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
  /** Its failure is what SO_ERROR tells: the connect did not wait for it (SEM-ERR-06). */
  isToldLater = false;
  /** What SO_ERROR told before it; only success clears that (SEM-ERR-05). */
  carriedError = 0;
  /** Its socket is being closed. */
  isClosing = false;
  /** Called at every change of readiness. */
  readonly observers = new Set<() => void>();
  readonly #next: WSPPROC_TABLE;
  readonly #layer: Layer;
  readonly #pipe: LowerPipe;
  readonly #inflow = new Inflow();
  readonly #outflow: Outflow;
  #codec: Codec | null = null;
  #isClosed = false;

  constructor(next: WSPPROC_TABLE, layer: Layer, s: number, plan: StreamPlan, isConnect: boolean) {
    this.#next = next;
    this.#layer = layer;
    this.s = s;
    this.plan = plan;
    this.isConnect = isConnect;
    this.events = new EventRecords(layer.upcalls, s);
    this.#pipe = new LowerPipe(next, s, layer.ws2.cancelOperations);
    this.#outflow = new Outflow(
      async () => next.WSPShutdown(s, SD_SEND),
      () => this.changed(),
    );
  }

  /** Bytes that wait to be read. */
  get available(): number {
    return this.#inflow.available;
  }

  get isReadable(): boolean {
    return this.#inflow.isReadable && !this.isExceptional;
  }

  get isWritable(): boolean {
    return this.phase === 'open' && this.#outflow.isReady;
  }

  /** POLL* bits that hold. */
  get pollBits(): number {
    if (this.phase === 'failed') return POLLERR | POLLHUP | POLLWRNORM;
    const { available, ended } = this.#inflow;
    let bits = this.isWritable ? POLLWRNORM : 0;
    if (available > 0) bits |= POLLRDNORM;
    if (ended >= 0) bits |= POLLHUP;
    return ended > 0 ? bits | POLLERR | POLLWRNORM : bits;
  }

  /** What SO_ERROR tells, a WSA code. */
  get socketError(): number {
    if (this.phase === 'open') return 0;
    return this.isToldLater && this.failure !== 0 ? this.failure : this.carriedError;
  }

  /** A connect has failed. */
  get isExceptional(): boolean {
    return this.phase === 'failed' && this.isConnect;
  }

  /**
   * Connects below, when there is an address, and opens the codec. Never rejects. The connect below has begun when this returns, unless
   * something before it takes time.
   * @param prepare makes the socket below ready for it
   * @param extras what else the application's connect said
   * @returns 0, or minus a WSA code
   */
  open(address: Uint8Array | null, prepare: () => Answer, extras = NO_EXTRAS): Promise<number> {
    const ready = whenAnswered(prepare(), (answer) =>
      answer < 0 || this.plan.prepare === undefined ? answer : prepared(this.plan),
    );
    const connected = whenAnswered(ready, (answer) =>
      answer < 0 || address === null
        ? answer
        : this.#next.WSPConnect(this.s, address, address.length, ...extras),
    );
    return this.#open(connected);
  }

  /**
   * @param isOverlapped the call has a record
   * @param complete is told the answer, now or later; `null`: may not wait
   */
  receive(
    buffers: readonly Uint8Array[],
    flags: number,
    isOverlapped: boolean,
    complete: Complete | null,
  ): number | (() => void) {
    this.events.enable(FD_READ);
    const refused = this.#whyNoReceive(flags, complete === null);
    const answer = this.#inflow.receive(buffers, flags, refused, isOverlapped, complete);
    this.changed();
    return answer;
  }

  /** As {@link receive}. A send that may not wait takes what there is room for. */
  send(buffers: readonly Uint8Array[], flags: number, complete: Complete | null): number | (() => void) {
    const answer = this.#outflow.send(buffers, this.#whyNoSend(flags), complete);
    if (answer === -WSAEWOULDBLOCK) this.events.enable(FD_WRITE);
    return answer;
  }

  /** @param how SD_* */
  shutdown(how: number): number {
    if (!(how >= 0 && how <= SD_BOTH)) return -WSAEINVAL;
    if (this.phase !== 'open') return -WSAENOTCONN;
    if (how !== SD_SEND) this.#inflow.isShut = true;
    if (how > 0) this.#outflow.shut();
    this.changed();
    return 0;
  }

  /** Ends both directions: what was sent goes out, what comes in is thrown away. Resolves when the end has gone out. */
  async disconnect(): Promise<void> {
    if (this.shutdown(SD_BOTH) < 0) return;
    this.#inflow.discard();
    await this.#outflow.drain(this.#layer.ws2.scheduler, Number.POSITIVE_INFINITY);
  }

  /**
   * Ends it: what was sent goes out first.
   * @param limit longest time for that, ms; 0: it is thrown away
   */
  async close(limit: number): Promise<void> {
    if (this.#isClosed) return;
    this.isClosing = true;
    if (limit > 0 && this.phase === 'open') await this.#outflow.drain(this.#layer.ws2.scheduler, limit);
    this.#isClosed = true;
    this.#codec?.destroy();
    this.#pipe.end();
    this.#inflow.close();
    this.#outflow.close();
    for (const observer of [...this.observers]) observer();
  }

  /** Readiness may be another: everybody is told. */
  changed(): void {
    const { available, ended } = this.#inflow;
    const hasEnded = ended >= 0 && !this.isExceptional;
    this.events.update({
      isReadable: available > 0,
      isWritable: this.isWritable && this.#outflow.error === 0,
      // What a receive calls a reset is an abort here (SEM-EV-06).
      closed: !hasEnded ? -1 : ended === WSAECONNRESET ? WSAECONNABORTED : ended,
      connected: this.isConnect && this.phase !== 'opening' ? this.failure : -1,
    });
    for (const observer of [...this.observers]) observer();
  }

  async #open(connected: Answer): Promise<number> {
    const error = await connected;
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
    void this.#inflow.run(opened, (count) => {
      if (count < 0) this.#outflow.fail(-count);
      if (count > 0) this.events.arrived();
      this.changed();
    });
    this.#outflow.start(opened);
    this.changed();
    return 0;
  }

  async #openCodec(): Promise<Codec | number> {
    const opening = openedBy(this.plan, this.#pipe);
    return new Promise((resolve) => {
      let isLate = false;
      const cancel = this.#layer.ws2.scheduler.after(this.plan.limit, () => {
        isLate = true;
        resolve(-WSAETIMEDOUT);
      });
      void opening.then((opened) => {
        cancel();
        if (isLate && typeof opened !== 'number') opened.destroy();
        resolve(opened);
      });
    });
  }

  #fail(code: number): number {
    this.phase = 'failed';
    this.failure = code;
    this.#pipe.end();
    this.#inflow.fail(code);
    this.#outflow.fail(code);
    this.changed();
    return -code;
  }

  #whyNoReceive(flags: number, isImpatient: boolean): number {
    const isWhole = (flags & MSG_WAITALL) !== 0 && ((flags & NOT_WITH_WAITALL) !== 0 || isImpatient);
    if (isWhole || (flags & ~RECEIVE_FLAGS) !== 0) return WSAEOPNOTSUPP;
    if (this.#inflow.isShut) return WSAESHUTDOWN;
    return this.isConnect && this.phase !== 'open' ? WSAENOTCONN : 0;
  }

  #whyNoSend(flags: number): number {
    if ((flags & ~MSG_DONTROUTE) !== 0) return WSAEOPNOTSUPP;
    if (this.isClosing) return WSA_OPERATION_ABORTED;
    if (this.isConnect && this.phase !== 'open') return WSAENOTCONN;
    return this.#outflow.isShut ? WSAESHUTDOWN : this.#outflow.error;
  }
}
