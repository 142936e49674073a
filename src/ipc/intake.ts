/**
 * A receiver's side of the flow control: how much the peer may still send, and when to grant it more.
 */

import { GoodbyeReason, ProtocolError, UNLIMITED } from './protocol.ts';

export class Intake {
  readonly #window: number;
  /** Bytes that the peer may send without another grant. */
  #allowance: number;
  /** Bytes taken in and not yet granted again. */
  #consumed = 0;

  /** @param window what was announced in the handshake; `UNLIMITED` makes every answer trivial. */
  constructor(window: number) {
    this.#window = window;
    this.#allowance = window;
  }

  /** Counts a message. @throws {ProtocolError} `creditExceeded`. */
  take(length: number): void {
    if (this.#window === UNLIMITED) return;
    this.#allowance -= length;
    this.#consumed += length;
    if (this.#allowance < 0) {
      throw new ProtocolError(
        GoodbyeReason.creditExceeded,
        `${-this.#allowance} bytes more than were granted were sent`,
      );
    }
  }

  /** What to grant now, 0 while it is less than a quarter of the window: one CREDIT serves many messages. */
  due(): number {
    if (this.#consumed * 4 < this.#window) return 0;
    const granted = this.#consumed;
    this.#consumed = 0;
    this.#allowance += granted;
    return granted;
  }
}
