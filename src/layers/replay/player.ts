/**
 * Plays the peer of a recorded connection over a socket of its own.
 *
 * What the peer sent is sent when the application has sent as much as it had at that moment of the recording, and no sooner than it
 * was: an answer never comes before its question. Bytes that the application sends otherwise than recorded are told, and count all
 * the same.
 */

import { SD_SEND, SO_LINGER, SOL_SOCKET, writeLINGER } from '../../abi/index.ts';
import type { Scheduler } from '../../base/index.ts';
import type { WSPPROC_TABLE } from '../../spi/index.ts';
import type { Recording } from '../record/index.ts';

export interface PlayerOptions {
  /** How many times as fast as it was; 0: as fast as can be. */
  readonly speed: number;
  readonly scheduler: Scheduler;
  /** Is told, once a connection, at which byte the application left the recording. */
  readonly departed: (recording: Recording, at: number) => void;
}

const ROOM = 0x1_0000;

export class Player {
  readonly #next: WSPPROC_TABLE;
  readonly #s: number;
  readonly #recording: Recording;
  readonly #options: PlayerOptions;
  /** What the application sent when it was recorded. */
  readonly #expected: Buffer;
  /** What it has sent now, and whether that has ended. */
  #came = 0;
  #hasEnded = false;
  #hasDeparted = false;
  #onCame: () => void = () => {};

  constructor(next: WSPPROC_TABLE, s: number, recording: Recording, options: PlayerOptions) {
    this.#next = next;
    this.#s = s;
    this.#recording = recording;
    this.#options = options;
    this.#expected = Buffer.concat(
      recording.events.flatMap(({ way, bytes }) => (way === 'out' && bytes !== undefined ? [bytes] : [])),
    );
  }

  /** Plays it to its end, and closes the socket. Never rejects. */
  async play(): Promise<void> {
    const listening = this.#listen();
    const isReset = await this.#speak();
    if (isReset) {
      const linger = new Uint8Array(4);
      writeLINGER(linger, 0, { l_onoff: 1, l_linger: 0 });
      await this.#next.WSPSetSockOpt(this.#s, SOL_SOCKET, SO_LINGER, linger, linger.length);
    } else {
      await listening;
    }
    await this.#next.WSPCloseSocket(this.#s);
  }

  /** Sends what the peer sent. @returns whether the connection ends with a reset */
  async #speak(): Promise<boolean> {
    const { scheduler, speed } = this.#options;
    const began = scheduler.now();
    let needed = 0;
    let needsEnd = false;
    for (const { t, way, bytes, isEnd, error } of this.#recording.events) {
      if (way === 'out') {
        needed += bytes?.length ?? 0;
        needsEnd ||= isEnd === true;
        continue;
      }
      await this.#until(needed, needsEnd);
      if (speed > 0) await this.#sleep(began + t / speed - scheduler.now());
      if (error !== undefined) return true;
      if (isEnd === true) await this.#next.WSPShutdown(this.#s, SD_SEND);
      else if (bytes !== undefined && !(await this.#send(bytes))) return false;
    }
    // A recording that was cut says nothing about the end: the peer stays, and is silent.
    if (!this.#recording.isCut) await this.#next.WSPShutdown(this.#s, SD_SEND);
    return false;
  }

  async #send(bytes: Uint8Array): Promise<boolean> {
    let at = 0;
    while (at < bytes.length) {
      const sent = await this.#next.WSPSend(this.#s, [bytes.subarray(at)], 1, 0, null, null, null);
      if (sent <= 0) return false;
      at += sent;
    }
    return true;
  }

  /** Takes what the application sends, to its end. */
  async #listen(): Promise<void> {
    const room = Buffer.alloc(ROOM);
    for (;;) {
      const count = await this.#next.WSPRecv(this.#s, [room], 1, { value: 0 }, null, null, null);
      if (count > 0) this.#compare(room.subarray(0, count));
      else this.#hasEnded = true;
      this.#onCame();
      if (count <= 0) return;
    }
  }

  #compare(bytes: Buffer): void {
    const expected = this.#expected.subarray(this.#came, this.#came + bytes.length);
    if (!this.#hasDeparted && !bytes.equals(expected)) {
      this.#hasDeparted = true;
      let same = 0;
      while (same < expected.length && expected[same] === bytes[same]) same++;
      this.#options.departed(this.#recording, this.#came + same);
    }
    this.#came += bytes.length;
  }

  /** Waits until the application has sent so much, or will send no more. */
  async #until(bytes: number, needsEnd: boolean): Promise<void> {
    while (!this.#hasEnded && (this.#came < bytes || needsEnd)) {
      await new Promise<void>((resolve) => {
        this.#onCame = resolve;
      });
    }
  }

  #sleep(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => void this.#options.scheduler.after(ms, resolve));
  }
}
