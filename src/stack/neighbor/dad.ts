/**
 * Duplicate address detection for IPv6 on one interface (RFC 4862 §5.4, with the nonces of RFC 7527): asks for an address of our
 * own, and when nobody answers in time it is free.
 */

import {
  type IpAddress,
  putI32,
  putU16,
  type Random,
  randomFraction,
  type TimerOwner,
  type TimerQueue,
} from '../../base/index.ts';

/** RFC 4861 §10: MAX_RTR_SOLICITATION_DELAY, within which the first message is sent (RFC 4862 §5.4.2); ms. */
const MAX_DELAY = 1000;
/** RFC 4862 §5.1: DupAddrDetectTransmits. */
const DUP_ADDR_DETECT_TRANSMITS = 1;
/** RFC 4861 §10: MAX_MULTICAST_SOLICIT: so many questions more when one came back (RFC 7527 §4.1). */
const MAX_MULTICAST_SOLICIT = 3;
/** RFC 3971 §5.3.2: the least. */
const NONCE_LEN = 6;
/** Nonces that are known again when they come back: those of the first question and of one more round. */
const KEPT_NONCES = 1 + MAX_MULTICAST_SOLICIT;

/** What a message about an address is to the check of it. */
export const DadVerdict = {
  /** Nobody is asking for the address. */
  none: 0,
  /** Somebody else has it, or asks for it too. */
  conflict: 1,
  /** Our own question, which the link has sent back (RFC 7527 §4.2). */
  looped: 2,
} as const;
export type DadVerdict = (typeof DadVerdict)[keyof typeof DadVerdict];

export interface DadHost {
  readonly now: number;
  readonly timers: TimerQueue;
  readonly random: Random;
}

/** Who sends the question: neighbor discovery. */
export interface DadMessages {
  /** ms between questions, and how long the last one's answer is waited for. */
  readonly retransTimer: number;
  /** Asks for `address` from the unspecified address, with a nonce of six bytes. */
  solicitOwn(address: IpAddress, nonce: Uint8Array): void;
}

class Check {
  readonly address: IpAddress;
  readonly done: (isConflict: boolean) => void;
  readonly timer: number;
  /** Questions all in all, and those that are still to be asked before the last answer is waited for. */
  sent = 0;
  left = DUP_ADDR_DETECT_TRANSMITS;
  /** One has come back since the round began. */
  isLooped = false;
  /** The last ones, in turn. */
  readonly nonces = new Uint8Array(KEPT_NONCES * NONCE_LEN);

  constructor(address: IpAddress, timer: number, done: (isConflict: boolean) => void) {
    this.address = address;
    this.timer = timer;
    this.done = done;
  }
}

export class DuplicateAddressDetection implements TimerOwner {
  readonly #host: DadHost;
  readonly #messages: DadMessages;
  /** By the number of the check, which is its timer's kind. */
  readonly #checks = new Map<number, Check>();
  #lastNumber = 0;

  constructor(host: DadHost, messages: DadMessages) {
    this.#host = host;
    this.#messages = messages;
  }

  /** @param done called once, never before this returns; not when the check is ended before */
  check(address: IpAddress, done: (isConflict: boolean) => void): void {
    this.forget(address);
    const { timers, now, random } = this.#host;
    const number = ++this.#lastNumber;
    const check = new Check(address, timers.create(this, number), done);
    this.#checks.set(number, check);
    timers.arm(check.timer, now + MAX_DELAY * randomFraction(random));
  }

  forget(address: IpAddress): void {
    const number = this.#find(address);
    if (number !== 0) this.#end(number);
  }

  /**
   * Somebody has answered for the address, or asks for it too. @param nonceAt -1: without a nonce
   */
  heard(address: IpAddress, bytes: Uint8Array, nonceAt: number, nonceLength: number): DadVerdict {
    const number = this.#find(address);
    const check = this.#checks.get(number);
    if (check === undefined) return DadVerdict.none;
    if (nonceAt >= 0 && nonceLength === NONCE_LEN && hasNonce(check, bytes, nonceAt)) {
      check.isLooped = true;
      return DadVerdict.looped;
    }
    this.#end(number);
    check.done(true);
    return DadVerdict.conflict;
  }

  close(): void {
    for (const number of [...this.#checks.keys()]) this.#end(number);
  }

  timeout(number: number, now: number): void {
    const check = this.#checks.get(number);
    if (check === undefined) return;
    if (check.left === 0 && !check.isLooped) {
      this.#end(number);
      check.done(false);
      return;
    }
    if (check.left === 0) {
      // A link that sends back what we ask may keep others from being heard: until it no longer does, the asking goes on (RFC 7527 §4.1).
      check.left = MAX_MULTICAST_SOLICIT;
      check.isLooped = false;
    }
    check.left--;
    const at = (check.sent++ % KEPT_NONCES) * NONCE_LEN;
    const { random } = this.#host;
    putU16(check.nonces, at, random.next());
    putI32(check.nonces, at + 2, random.next());
    this.#messages.solicitOwn(check.address, check.nonces.subarray(at, at + NONCE_LEN));
    this.#host.timers.arm(check.timer, now + this.#messages.retransTimer);
  }

  #find(address: IpAddress): number {
    for (const [number, check] of this.#checks) if (check.address.equals(address)) return number;
    return 0;
  }

  #end(number: number): void {
    const check = this.#checks.get(number);
    if (check === undefined) return;
    this.#host.timers.destroy(check.timer);
    this.#checks.delete(number);
  }
}

/** Whether the nonce at `at` is that of a question of this check. */
function hasNonce({ nonces, sent }: Check, bytes: Uint8Array, at: number): boolean {
  for (let k = 0; k < Math.min(sent, KEPT_NONCES); k++) {
    let i = 0;
    while (i < NONCE_LEN && nonces[k * NONCE_LEN + i] === bytes[at + i]) i++;
    if (i === NONCE_LEN) return true;
  }
  return false;
}
