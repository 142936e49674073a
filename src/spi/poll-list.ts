/**
 * The sockets of one select or WSAPoll: each once, with all that is asked of it. Written as the entries of an AFD poll, and read back
 * from its answer, which keeps their order.
 */

import { i32le, putI32le } from '../base/index.ts';
import { AfdPollEvent } from '../port/index.ts';
import type { BaseSocket, BaseSockets } from './base-sockets.ts';

/** Bytes of an entry asked, {descriptor, events}, and of one answered, {descriptor, events, error}. */
const ASKED_LEN = 8;
const ANSWERED_LEN = 12;

/** Number of the newest list: a socket that bears it is in that list already. */
let round = 0;

export class PollList {
  readonly #sockets: BaseSocket[] = [];
  readonly #masks: number[] = [];
  readonly #round = ++round;

  /** How many sockets are in it. */
  get size(): number {
    return this.#sockets.length;
  }

  /** Asks `events` of a socket, too. @returns its place; −1 − place when it was there already */
  add(socket: BaseSocket, events: number): number {
    if (socket.pollRound === this.#round) {
      const place = socket.pollPlace;
      this.#masks[place] = (this.#masks[place] as number) | events;
      return -1 - place;
    }
    const place = this.#sockets.length;
    socket.pollRound = this.#round;
    socket.pollPlace = place;
    this.#sockets.push(socket);
    this.#masks.push(events);
    return place;
  }

  /** The entries of the request. */
  write(): Uint8Array {
    const data = new Uint8Array(this.#sockets.length * ASKED_LEN);
    let at = 0;
    for (let i = 0; i < this.#sockets.length; i++) {
      putI32le(data, at, (this.#sockets[i] as BaseSocket).descriptor);
      putI32le(data, at + 4, this.#masks[i] as number);
      at += ASKED_LEN;
    }
    return data;
  }

  /** Room for the answer. */
  room(): Uint8Array {
    return new Uint8Array(this.#sockets.length * ANSWERED_LEN);
  }

  /** What happened, by place. A socket that was closed here meanwhile has `localClose`. */
  read(answered: Uint8Array, count: number, sockets: BaseSockets): Int32Array {
    const happened = new Int32Array(this.#sockets.length);
    let next = 0;
    for (let i = 0; i < this.#sockets.length; i++) {
      const socket = this.#sockets[i] as BaseSocket;
      if (next < count && i32le(answered, next * ANSWERED_LEN) === socket.descriptor) {
        happened[i] = i32le(answered, next * ANSWERED_LEN + 4);
        next++;
      }
      if (sockets.get(socket.handle) !== socket)
        happened[i] = (happened[i] as number) | AfdPollEvent.localClose;
    }
    return happened;
  }
}
