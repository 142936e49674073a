/**
 * The chain thread's side of the blocking face: takes calls out of mailboxes, makes them, and leaves the answers there.
 */

import { WSAENETDOWN, WSANOTINITIALISED, WSASYSNOTREADY } from '../abi/index.ts';
import type { Answer, ConditionFunction } from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { ANSWERED, CALLBACK, CLOSED, IDLE, type Mailbox, NEW, POSTED, RESUMED } from './mailbox.ts';
import { callback } from './marshal.ts';
import { SIGNATURES, type Signature } from './signatures.ts';

/** A decision that nobody made (WSAEINVAL). */
const UNDECIDED = -1;

export class ChainServer {
  readonly #attach: () => Promise<Winsock>;
  readonly #boxes = new Set<Mailbox>();
  #winsock: Winsock | null = null;

  /** @param attach opens the way to the sockets; called with the first WSAStartup, and again after it failed */
  constructor(attach: () => Promise<Winsock>) {
    this.#attach = attach;
  }

  /** Serves a mailbox until its thread closes it. */
  async serve(box: Mailbox): Promise<void> {
    this.#boxes.add(box);
    if (box.state === NEW) box.setState(IDLE);
    for (;;) {
      const state = await box.changeFrom(box.state === ANSWERED ? ANSWERED : IDLE);
      if (state === CLOSED) break;
      if (state !== POSTED) continue;
      const answer = this.#call(box);
      if (typeof answer === 'number') reply(box, answer);
      else reply(box, await answer);
    }
    this.#boxes.delete(box);
  }

  /** The thread is about to end: every caller that waits learns that the network is down. */
  abandon(): void {
    for (const box of this.#boxes) {
      if (box.state === POSTED || box.state === RESUMED) reply(box, -WSAENETDOWN);
    }
  }

  #call(box: Mailbox): Answer {
    const signature = SIGNATURES[box.call];
    if (signature === undefined) return -WSAENETDOWN;
    if (signature.name === 'WSAStartup' && this.#winsock === null) return this.#open(box, signature);
    return this.#winsock === null ? -WSANOTINITIALISED : invoke(this.#winsock, box, signature);
  }

  async #open(box: Mailbox, signature: Signature): Promise<number> {
    try {
      this.#winsock = await this.#attach();
    } catch {
      return -WSASYSNOTREADY;
    }
    return invoke(this.#winsock, box, signature);
  }
}

/** Makes the call whose arguments lie in the mailbox, and writes back what it left in them. */
function invoke(winsock: Winsock, box: Mailbox, signature: Signature): Answer {
  const { slots } = signature;
  const places: number[] = [];
  const args: unknown[] = [];
  let at = 0;
  for (const slot of slots) {
    const value: unknown = slot.take(box, at);
    places.push(at);
    at += slot.size(value as never);
    args.push(slot === callback ? conditionOf(box, value === true) : value);
  }
  const call = winsock[signature.name] as unknown as (...args: readonly unknown[]) => Answer;
  const finish = (answer: number): number => {
    for (const [i, slot] of slots.entries()) {
      if (slot !== callback) slot.give?.(box, places[i] as number, args[i] as never);
    }
    if (signature.received !== null) box.received = signature.received(args, answer);
    return answer;
  };
  const answer = call(...args);
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}

/** A condition function that runs in the caller's thread, which sleeps in this call. */
function conditionOf(box: Mailbox, isGiven: boolean): ConditionFunction | null {
  if (!isGiven) return null;
  return async (callerId, _data, _sqos, _gqos, calleeId, _calleeData, _group, context) => {
    box.setCallback(callerId, calleeId, context);
    box.setState(CALLBACK);
    const state = await box.changeFrom(CALLBACK);
    return state === RESUMED ? box.callbackResult : UNDECIDED;
  };
}

function reply(box: Mailbox, answer: number): void {
  if (box.state === CLOSED) return;
  box.answer = answer;
  box.setState(ANSWERED);
}
