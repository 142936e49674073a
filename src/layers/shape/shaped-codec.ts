/**
 * A stream over a shaped path: bytes are under way for a while in both directions, and the connection may break.
 */

import { WSAECONNABORTED, WSAECONNRESET } from '../../abi/index.ts';
import { copyOf, type Random, randomFraction, type Scheduler } from '../../base/index.ts';
import type { Codec, Pipe } from '../stream/index.ts';
import { Lane } from './lane.ts';
import type { Shape } from './shapes.ts';

/** Bytes that may be under way in a direction. */
const UNDER_WAY = 1 << 20;
const CHUNK = 0x4000;

/** Bytes that have arrived below, or the answer that came in their place. */
interface Piece {
  readonly bytes: Uint8Array;
  /** 0: the end, minus a WSA code; 1: there are bytes. */
  readonly answer: number;
  readonly due: number;
}

export class ShapedCodec implements Codec {
  readonly #pipe: Pipe;
  readonly #shape: Shape;
  readonly #random: Random;
  readonly #out: Lane;
  readonly #in: Lane;
  /** Makes closing the socket below a reset. */
  readonly #breakBelow: () => void;
  #moved = 0;
  /** Why nothing goes any more, a WSA code; 0: it does. */
  #failure = 0;
  #delivered: Promise<void> = Promise.resolve();
  #outgoing = 0;
  #incoming = 0;
  readonly #pieces: Piece[] = [];
  #isFetching = false;
  /** Of the first piece, what was read already. */
  #taken = 0;
  #onChange: (() => void)[] = [];

  constructor(pipe: Pipe, shape: Shape, random: Random, scheduler: Scheduler, breakBelow: () => void) {
    this.#pipe = pipe;
    this.#shape = shape;
    this.#random = random;
    this.#out = new Lane(shape, random, scheduler);
    this.#in = new Lane(shape, random, scheduler);
    this.#breakBelow = breakBelow;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#breaks(bytes.length)) return -this.#failure;
    const copy = copyOf(bytes);
    const { sentAt, due } = this.#out.enter(copy.length, true);
    this.#outgoing += copy.length;
    this.#delivered = this.#delivered.then(() => this.#deliver(copy, due));
    await this.#out.until(sentAt);
    while (this.#outgoing > UNDER_WAY && this.#failure === 0) await this.#change();
    return -this.#failure;
  }

  async read(into: Uint8Array): Promise<number> {
    if (!this.#isFetching) {
      this.#isFetching = true;
      void this.#fetch();
    }
    for (;;) {
      if (this.#failure !== 0) return -this.#failure;
      const [piece] = this.#pieces;
      if (piece === undefined) {
        await this.#change();
        continue;
      }
      await this.#in.until(piece.due);
      if (piece.answer <= 0) return piece.answer;
      const part = piece.bytes.subarray(this.#taken, this.#taken + into.length);
      if (this.#breaks(part.length)) continue;
      into.set(part);
      this.#taken += part.length;
      if (this.#taken === piece.bytes.length) {
        this.#taken = 0;
        this.#pieces.shift();
      }
      this.#incoming -= part.length;
      this.#changed();
      return part.length;
    }
  }

  /** The end comes behind all that is under way. */
  async end(): Promise<number> {
    await this.#delivered;
    return -this.#failure;
  }

  destroy(): void {
    if (this.#failure === 0) this.#failure = WSAECONNABORTED;
    this.#pieces.length = 0;
    this.#changed();
  }

  async #deliver(bytes: Uint8Array, due: number): Promise<void> {
    await this.#out.until(due);
    const answer = this.#failure === 0 ? await this.#pipe.write(bytes) : 0;
    if (answer < 0 && this.#failure === 0) this.#failure = -answer;
    this.#outgoing -= bytes.length;
    this.#changed();
  }

  /** Takes what arrives below, ahead of who reads. */
  async #fetch(): Promise<void> {
    while (this.#failure === 0) {
      if (this.#incoming >= UNDER_WAY) {
        await this.#change();
        continue;
      }
      const room = new Uint8Array(CHUNK);
      const answer = await this.#pipe.read(room);
      const { due } = this.#in.enter(Math.max(answer, 0), true);
      this.#incoming += Math.max(answer, 0);
      this.#pieces.push({ bytes: room.slice(0, Math.max(answer, 0)), answer: Math.min(answer, 1), due });
      this.#changed();
      if (answer <= 0) return;
    }
  }

  /** Whether the connection breaks with these bytes, or has. */
  #breaks(bytes: number): boolean {
    if (this.#failure !== 0) return true;
    const { reset, resetAfterBytes } = this.#shape;
    this.#moved += bytes;
    const isOver = resetAfterBytes > 0 && this.#moved > resetAfterBytes;
    if (!isOver && (reset === 0 || randomFraction(this.#random) >= reset)) return false;
    this.#failure = WSAECONNRESET;
    this.#breakBelow();
    this.#changed();
    return true;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#onChange.push(resolve));
  }

  #changed(): void {
    const waiting = this.#onChange;
    this.#onChange = [];
    for (const tell of waiting) tell();
  }
}
