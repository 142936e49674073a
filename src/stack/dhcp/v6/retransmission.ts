/**
 * When a DHCPv6 client sends a message again, and when it gives up: RFC 8415 §15, with the parameters of §7.6.
 */

import { type Random, randomFraction } from '../../../base/index.ts';

/** Times in ms; 0: no such limit. */
export interface RetransmissionParameters {
  /** Initial retransmission time. */
  readonly irt: number;
  /** Maximum retransmission time. */
  readonly mrt: number;
  /** Maximum retransmission count: messages, the first one included. */
  readonly mrc: number;
  /** Maximum retransmission duration, from the first message on. */
  readonly mrd: number;
}

const SEC = 1000;
/** RFC 8415 §7.6. The maximum of SOLICIT and INFORMATION-REQUEST may be set by a server (§21.24, §21.25). */
export const SOL_MAX_DELAY = SEC;
export const SOL_MAX_RT = 3600 * SEC;
export const CNF_MAX_DELAY = SEC;
export const INF_MAX_DELAY = SEC;
export const INF_MAX_RT = 3600 * SEC;
export const SOLICIT = { irt: SEC, mrt: SOL_MAX_RT, mrc: 0, mrd: 0 };
export const REQUEST = { irt: SEC, mrt: 30 * SEC, mrc: 10, mrd: 0 };
export const CONFIRM = { irt: SEC, mrt: 4 * SEC, mrc: 0, mrd: 10 * SEC };
export const RENEW = { irt: 10 * SEC, mrt: 600 * SEC, mrc: 0, mrd: 0 };
export const REBIND = { irt: 10 * SEC, mrt: 600 * SEC, mrc: 0, mrd: 0 };
export const INFORMATION = { irt: SEC, mrt: INF_MAX_RT, mrc: 0, mrd: 0 };
export const RELEASE = { irt: SEC, mrt: 0, mrc: 4, mrd: 0 };
export const DECLINE = { irt: SEC, mrt: 0, mrc: 4, mrd: 0 };

/** A tenth more or less. */
const FUZZ = 0.1;

/** The sending of one message. */
export class Retransmission {
  /** Messages sent. */
  count = 0;
  #parameters: RetransmissionParameters = SOLICIT;
  #rt = 0;
  #beganAt = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A new message, which is sent now. */
  begin(parameters: RetransmissionParameters, now: number): void {
    this.#parameters = parameters;
    this.#beganAt = now;
    this.#rt = 0;
    this.count = 0;
  }

  /** A server has said what the longest wait is: it counts from the next one on. */
  limit(mrt: number): void {
    this.#parameters = { ...this.#parameters, mrt };
  }

  /** Option 8 of a message that is sent now, in hundredths of a second (§21.9). */
  elapsed(now: number): number {
    return Math.min(0xffff, Math.floor((now - this.#beganAt) / 10));
  }

  /** Whether it is not to be sent once more. */
  isOver(now: number): boolean {
    const { mrc, mrd } = this.#parameters;
    return (mrc !== 0 && this.count >= mrc) || (mrd !== 0 && now - this.#beganAt >= mrd);
  }

  /** It is being sent. @returns how long to wait for an answer, ms */
  sent(now: number): number {
    const { irt, mrt, mrd } = this.#parameters;
    this.count++;
    const isFirst = this.#rt === 0;
    this.#rt = isFirst ? irt + this.#fuzz(isFirst) * irt : 2 * this.#rt + this.#fuzz(false) * this.#rt;
    if (mrt !== 0 && this.#rt > mrt) this.#rt = mrt + this.#fuzz(false) * mrt;
    return mrd === 0 ? this.#rt : Math.max(0, Math.min(this.#rt, this.#beganAt + mrd - now));
  }

  /** §18.2.1: the first wait of a SOLICIT is longer than IRT, so that no advertisement of a server is missed. */
  #fuzz(isFirst: boolean): number {
    const fraction = randomFraction(this.#random);
    if (isFirst && isSolicit(this.#parameters)) return FUZZ * (1 - fraction);
    return FUZZ * (2 * fraction - 1);
  }
}

function isSolicit({ irt, mrc, mrd }: RetransmissionParameters): boolean {
  return irt === SOLICIT.irt && mrc === 0 && mrd === 0;
}
