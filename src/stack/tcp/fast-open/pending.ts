/**
 * The connections of a listener that were opened by a SYN with text and whose handshake is not complete (RFC 7413 §5.1). Each has
 * taken memory and perhaps work before its peer has shown that it is where it says: so there may only be so many.
 *
 * One that its peer resets goes on counting for as long as it could have waited: else an attacker who sends SYNs in the name of
 * others, whose hosts answer with RST, would have no limit.
 */

import { StackError } from '../../api.ts';
import type { Host } from '../../host.ts';
import type { OpeningWatcher, Tcb } from '../tcb.ts';

/** How long one that was reset still counts, ms: about as long as SYN-ACKs are sent again. */
const RESET_MS = 60_000;

export class PendingFastOpens implements OpeningWatcher {
  readonly #host: Host;
  readonly #most: number;
  #waiting = 0;
  /** When each that was reset stops counting, oldest first. */
  readonly #resets: number[] = [];

  constructor(host: Host, most: number) {
    this.#host = host;
    this.#most = most;
  }

  /** How many count now. */
  get size(): number {
    const { now } = this.#host;
    while (this.#resets.length > 0 && (this.#resets[0] as number) <= now) this.#resets.shift();
    return this.#waiting + this.#resets.length;
  }

  get hasRoom(): boolean {
    return this.size < this.#most;
  }

  add(tcb: Tcb): void {
    this.#waiting++;
    tcb.opening = this;
  }

  established(): void {
    this.#waiting--;
    this.#host.counters.tcpFastOpenPassive++;
  }

  failed(tcb: Tcb): void {
    this.#waiting--;
    this.#host.counters.tcpFastOpenPassiveFail++;
    const isReset = tcb.error === StackError.connectionReset || tcb.error === StackError.connectionRefused;
    if (isReset) this.#resets.push(this.#host.now + RESET_MS);
  }
}
