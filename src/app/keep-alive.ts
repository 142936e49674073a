/**
 * What `ref` and `unref` of Node-shaped sockets mean here. A process is kept alive by the operations that wait in the daemon; those of
 * a socket that was let go are told to the port as not counting.
 */

import type { Winsock } from '../winsock/index.ts';
import { setBackground } from './process-winsock.ts';

/** The waiting operations of one socket, and whether they hold the process. */
export class KeepAlive {
  #isHeld = true;
  #waiting = 0;
  #winsock: Winsock | null = null;

  /** An operation waits from now on. */
  began(winsock: Winsock): void {
    this.#winsock = winsock;
    this.#waiting++;
    if (!this.#isHeld) setBackground(winsock, 1);
  }

  /** One that had begun is done. */
  ended(): void {
    this.#waiting--;
    if (!this.#isHeld) setBackground(this.#winsock, -1);
  }

  /** Its operations hold the process. */
  ref(): void {
    if (!this.#isHeld) setBackground(this.#winsock, -this.#waiting);
    this.#isHeld = true;
  }

  /** They do not. */
  unref(): void {
    if (this.#isHeld) setBackground(this.#winsock, this.#waiting);
    this.#isHeld = false;
  }
}
