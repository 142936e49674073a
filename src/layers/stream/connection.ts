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
  POLLERR,
  POLLHUP,
  POLLRDNORM,
  POLLWRNORM,
  SD_BOTH,
  SD_SEND,
  WSA_OPERATION_ABORTED,
  WSAEINVAL,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import type { Layer, WSPPROC_TABLE } from '../../spi/index.ts';
import { openedBy, prepared } from './contained.ts';
import type { Codec, StreamPlan } from './contract.ts';
import { EventRecords } from './event-records.ts';
import { Inflow } from './inflow.ts';
import { LowerPipe } from './lower-pipe.ts';
import type { Complete } from './operations.ts';
import { Outflow } from './outflow.ts';

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
    return this.#inflow.isReadable;
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
    if (error >= 0) error = await prepared(this.plan);
    if (error >= 0 && address !== null) {
      error = await this.#next.WSPConnect(this.s, address, address.length, null, null, null, null);
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
    void this.#inflow.run(opened, (failed) => {
      if (failed !== 0) this.#outflow.fail(failed);
      this.changed();
    });
    this.#outflow.start(opened);
    this.changed();
    return 0;
  }

  /** @param complete is told the answer, now or later; `null`: may not wait */
  receive(buffers: readonly Uint8Array[], flags: number, complete: Complete | null): number | (() => void) {
    this.events.enable(FD_READ);
    const answer = this.#inflow.receive(buffers, flags, this.#whyNoReceive(flags), complete);
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
    if (this.phase !== 'open') return -WSAENOTCONN;
    if (!(how >= 0 && how <= SD_BOTH)) return -WSAEINVAL;
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
    const hasEnded = ended >= 0 && available === 0 && !this.isExceptional;
    this.events.update({
      isReadable: available > 0,
      isWritable: this.isWritable && this.#outflow.error === 0,
      closed: hasEnded ? ended : -1,
      connected: this.isConnect && this.phase !== 'opening' ? this.failure : -1,
    });
    for (const observer of [...this.observers]) observer();
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

  #whyNoReceive(flags: number): number {
    if ((flags & MSG_OOB) !== 0) return WSAEOPNOTSUPP;
    if (this.#inflow.isShut) return WSAESHUTDOWN;
    return this.isConnect && this.phase !== 'open' ? WSAENOTCONN : 0;
  }

  #whyNoSend(flags: number): number {
    if ((flags & MSG_OOB) !== 0) return WSAEOPNOTSUPP;
    if (this.isConnect && this.phase !== 'open') return WSAENOTCONN;
    return this.#outflow.isShut ? WSAESHUTDOWN : this.#outflow.error;
  }
}
