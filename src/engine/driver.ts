/**
 * The driver: lets a stack live. It carries frames between the stack and its links, wakes it at its deadlines, and gives
 * its events to the observer, in the turns that `stack/api.ts` describes.
 *
 * It knows time only as a `Scheduler`, so one driver serves the machine's event loop and virtual time: what the simulator
 * runs is what the daemon runs.
 *
 * A turn is bounded: after {@link FRAMES_PER_TURN} frames the rest waits for the event loop to serve others. A link that
 * says it is full is left alone until it has drained; the others go on.
 */

import {
  type Cancel,
  clearTransmitBatch,
  createTransmitBatch,
  type FrameBatch,
  type Scheduler,
  type TransmitBatch,
} from '../base/index.ts';
import type { Link, LinkReceiver } from '../link/index.ts';
import type { Stack } from '../stack/index.ts';
import type { FrameTap } from './tap.ts';

/** Frames in one outbound batch: what one call into a device takes. */
const BATCH_FRAMES = 64;

/** Outbound frames in one turn: some milliseconds of work, be they packets or super-segments. */
const FRAMES_PER_TURN = 4 * BATCH_FRAMES;

export interface DriverOptions {
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  /**
   * Runs a task soon, once the code that runs now is done: how a call from above becomes a turn. Default
   * `scheduler.after(0)`; in a live process `queueMicrotask` is sooner.
   */
  readonly defer?: (task: () => void) => void;
  /** A link failed; its interface was removed from the stack. */
  readonly onLinkFailed?: (link: Link, error: Error) => void;
}

/** How a link becomes an interface. */
export interface AttachOptions {
  /** `10.0.0.2/24`, … */
  readonly addresses?: readonly string[];
  /** Where packets to other networks go. */
  readonly gateway?: string;
  /** See `InterfaceOptions`. */
  readonly detectDuplicates?: boolean;
  /** And of IPv6, when there are both. */
  readonly gateway6?: string;
  /** Largest IP packet over it; the link's own when absent or larger. */
  readonly mtu?: number;
  /** See `InterfaceOptions.windowBudget`; what the link's queue takes when absent. */
  readonly windowBudget?: number;
}

export class Driver {
  readonly stack: Stack;
  /** Watches all frames; `null` for none. May be set at any time. */
  tap: FrameTap | null = null;
  readonly #scheduler: Scheduler;
  readonly #defer: (task: () => void) => void;
  readonly #onLinkFailed: ((link: Link, error: Error) => void) | null;
  readonly #attachments: Attachment[] = [];
  readonly #outbound: TransmitBatch = createTransmitBatch(BATCH_FRAMES);
  #isTurning = false;
  /** Something happened inside a turn that asks for another round. */
  #isTurnWanted = false;
  #isDeferred = false;
  #isClosed = false;
  #timer: Cancel | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #continuation: Cancel | null = null;

  constructor(options: DriverOptions) {
    this.stack = options.stack;
    this.#scheduler = options.scheduler;
    this.#defer = options.defer ?? ((task) => void options.scheduler.after(0, task));
    this.#onLinkFailed = options.onLinkFailed ?? null;
  }

  /** The links, by interface index. */
  get links(): ReadonlyMap<number, Link> {
    return new Map(this.#attachments.map(({ index, link }) => [index, link]));
  }

  /**
   * Makes `link` an interface of the stack and opens it. The driver closes the link when it is closed itself.
   * @returns the interface's index.
   */
  attach(link: Link, options: AttachOptions = {}): number {
    const index = this.stack.addInterface({
      name: link.name,
      mtu: Math.min(link.mtu, options.mtu ?? link.mtu),
      medium: link.medium,
      offload: link.offload,
      ...(link.mac === null ? {} : { mac: link.mac }),
      ...(options.addresses === undefined ? {} : { addresses: options.addresses }),
      ...(options.detectDuplicates === undefined ? {} : { detectDuplicates: options.detectDuplicates }),
      windowBudget: options.windowBudget ?? link.receiveQueue,
    });
    const attachment = new Attachment(this, link, index);
    this.#attachments.push(attachment);
    for (const gateway of [options.gateway, options.gateway6]) {
      if (gateway === undefined) continue;
      const destination = gateway.includes(':') ? '::/0' : '0.0.0.0/0';
      this.stack.addRoute({ destination, gateway, interfaceIndex: index });
    }
    link.open(attachment);
    // Its addresses may have to be asked for or announced.
    this.wake();
    return index;
  }

  /** Takes an interface away again and closes its link. Harmless when there is no such interface. */
  detach(index: number): void {
    const place = this.#attachments.findIndex((attachment) => attachment.index === index);
    if (place < 0) return;
    const [attachment] = this.#attachments.splice(place, 1);
    this.stack.removeInterface(index);
    attachment?.link.close();
    this.wake();
  }

  /** Asks for a turn soon: the stack's `wake`. Any number of calls until then are one. */
  wake(): void {
    if (this.#isTurning || this.#isDeferred || this.#isClosed) return;
    this.#isDeferred = true;
    this.#defer(this.#runDeferred);
  }

  /**
   * Resets what is connected, closes every endpoint and link, and lets go of the timers. The stack must not be used after;
   * idempotent.
   */
  close(): void {
    if (this.#isClosed) return;
    for (const endpoint of [...this.stack.endpoints()]) {
      if ('abort' in endpoint && typeof endpoint.abort === 'function') endpoint.abort();
      else endpoint.close();
    }
    // The resets of live connections leave before their links go.
    this.turn();
    this.#isClosed = true;
    this.#timer?.();
    this.#timer = null;
    this.#continuation?.();
    this.#continuation = null;
    for (const { link, index } of this.#attachments.splice(0)) {
      this.stack.removeInterface(index);
      link.close();
    }
    this.#outbound.owners.fill(null);
    this.tap = null;
  }

  /**
   * One turn now: timers, events, output, until there is no more to do or the turn's bound is reached.
   *
   * Events go before output, so that what the application answers to a segment carries its ACK, and what it reads opens the
   * window in it: an echoed byte costs one packet instead of two.
   */
  turn(): void {
    if (this.#isClosed) return;
    if (this.#isTurning) {
      this.#isTurnWanted = true;
      return;
    }
    this.#isTurning = true;
    try {
      this.stack.advance();
      let budget = FRAMES_PER_TURN;
      for (;;) {
        this.#isTurnWanted = false;
        this.stack.flushEvents();
        const frames = this.#pump(budget);
        budget -= frames;
        if (budget <= 0) {
          this.#continueLater();
          break;
        }
        if (frames === 0 && !this.#isTurnWanted) break;
      }
    } finally {
      this.#isTurning = false;
      this.#arm();
    }
  }

  /** Frames arrived on an interface. Called by its attachment. */
  received(index: number, batch: FrameBatch, hasMore: boolean): void {
    if (this.#isClosed) return;
    this.stack.input(index, batch);
    if (this.tap !== null) this.tap.received(index, batch, this.#scheduler.now());
    if (!hasMore) this.turn();
  }

  /** A link is gone. Called by its attachment. */
  failed(attachment: Attachment, error: Error): void {
    if (!this.#attachments.includes(attachment)) return;
    this.detach(attachment.index);
    this.#onLinkFailed?.(attachment.link, error);
  }

  /** Moves output to the links that take it, a batch of each in turn. @returns how many frames were sent. */
  #pump(budget: number): number {
    const batch = this.#outbound;
    let sent = 0;
    let isDone = false;
    while (!isDone && sent < budget) {
      isDone = true;
      for (let i = 0; i < this.#attachments.length; i++) {
        const attachment = this.#attachments[i] as Attachment;
        if (attachment.isHeld || this.stack.output(attachment.index, batch) === 0) continue;
        if (this.tap !== null) this.tap.sent(attachment.index, batch, this.#scheduler.now());
        sent += batch.count;
        attachment.isHeld = !attachment.link.transmit(batch);
        clearTransmitBatch(batch);
        isDone = false;
      }
    }
    return sent;
  }

  readonly #runDeferred = (): void => {
    this.#isDeferred = false;
    this.turn();
  };

  #continueLater(): void {
    this.#continuation ??= this.#scheduler.after(0, () => {
      this.#continuation = null;
      this.turn();
    });
  }

  /** Sleeps until the stack's next deadline. A timer that is armed for earlier is left: it finds nothing due, and re-arms. */
  #arm(): void {
    if (this.#isClosed) return;
    const next = this.stack.nextDeadline;
    if (this.#timer !== null) {
      if (next !== Number.POSITIVE_INFINITY && this.#timerAt <= next) return;
      this.#timer();
      this.#timer = null;
    }
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timerAt = next;
    // At least a little: 0 would mean the next turn of the loop, for ever when a deadline does not move on.
    this.#timer = this.#scheduler.after(Math.max(next - this.#scheduler.now(), MIN_SLEEP), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    this.turn();
  };
}

/** A link and the interface that it serves. */
class Attachment implements LinkReceiver {
  readonly link: Link;
  readonly index: number;
  readonly #driver: Driver;
  /** The link is full: no output until it has drained. */
  isHeld = false;

  constructor(driver: Driver, link: Link, index: number) {
    this.#driver = driver;
    this.link = link;
    this.index = index;
  }

  receive(batch: FrameBatch, hasMore = false): void {
    this.#driver.received(this.index, batch, hasMore);
  }

  drained(): void {
    this.isHeld = false;
    this.#driver.turn();
  }

  failed(error: Error): void {
    this.#driver.failed(this, error);
  }
}

/** Shortest sleep in ms. */
const MIN_SLEEP = 0.001;
