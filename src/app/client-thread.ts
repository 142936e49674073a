/**
 * A thread of the application as the chain thread knows it: its mailboxes, the calls that it sleeps in, and a way to have it run a
 * function meanwhile.
 */

import { MessageQueue, type WinsockThread } from '../winsock/index.ts';
import { type CallbackMessage, UNDECIDED } from './callbacks.ts';
import { CALLBACK, type Mailbox, POSTED, RESUMED } from './mailbox.ts';

/** Is handed bytes that a function of the application answered. */
export type TakeReply = (bytes: Uint8Array) => void;

/** A mailbox that is served. */
export interface ServedMailbox {
  readonly box: Mailbox;
  /** Settles when the functions that the caller was asked to run for this call have run; `null` when none does. */
  turn: Promise<void> | null;
}

export class ClientThread {
  /** Node's number of it. */
  readonly id: number;
  readonly boxes = new Set<ServedMailbox>();
  /** Messages to its windows. */
  readonly messages = new MessageQueue();
  /** What Winsock keeps for it, from its first call on. */
  winsock: WinsockThread | null = null;
  /** The calls that it sleeps in, outermost first. */
  readonly #calls: ServedMailbox[] = [];
  /** What it is to run in its next call. */
  #waiting: (() => void)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /** It makes no more calls. */
  get isGone(): boolean {
    return this.boxes.size === 0;
  }

  add(box: Mailbox): ServedMailbox {
    const served: ServedMailbox = { box, turn: null };
    this.boxes.add(served);
    return served;
  }

  remove(served: ServedMailbox): void {
    this.boxes.delete(served);
  }

  /** A call of it begins. */
  begin(served: ServedMailbox): void {
    this.#calls.push(served);
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  /** It is answered. */
  end(served: ServedMailbox): void {
    this.#calls.splice(this.#calls.indexOf(served), 1);
  }

  /**
   * Has the thread run a function, after those that it was asked to run before.
   * @param served the call that it is for; without one the innermost
   * @param take is handed the bytes that the function answered besides
   * @returns what the function answered; −1 when the thread sleeps in no call any more
   */
  run(
    message: CallbackMessage,
    served = this.#calls[this.#calls.length - 1],
    take: TakeReply | null = null,
  ): Promise<number> {
    if (served === undefined) return Promise.resolve(UNDECIDED);
    const running = runIn(served.box, message, served.turn, take);
    const turn: Promise<void> = running.then(() => {
      if (served.turn === turn) served.turn = null;
    });
    served.turn = turn;
    return running;
  }

  /** The same; a thread that sleeps in no call runs it in its next one, before that is answered. */
  runSoon(message: CallbackMessage, take: TakeReply | null = null): Promise<number> {
    if (this.#calls.length > 0) return this.run(message, undefined, take);
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.run(message, undefined, take))));
  }
}

async function runIn(
  box: Mailbox,
  message: CallbackMessage,
  before: Promise<void> | null,
  take: TakeReply | null,
): Promise<number> {
  if (before !== null) await before;
  if (box.state !== POSTED && box.state !== RESUMED) return UNDECIDED;
  box.setCallback(message);
  box.setState(CALLBACK);
  const state = await box.changeFrom(CALLBACK);
  if (state !== RESUMED) return UNDECIDED;
  take?.(box.reply());
  return box.callbackResult;
}
