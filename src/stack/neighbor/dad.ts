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
/** RFC 3971 §5.3.2: the least. */
const NONCE_LEN = 6;

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
  sent = 0;
  readonly nonce = new Uint8Array(NONCE_LEN);

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
   * @returns whether it is being asked for, and by somebody else: our own question, sent back, is none (RFC 7527 §4.2)
   */
  heard(address: IpAddress, bytes: Uint8Array, nonceAt: number, nonceLength: number): boolean {
    const number = this.#find(address);
    const check = this.#checks.get(number);
    if (check === undefined) return false;
    if (nonceAt >= 0 && nonceLength === NONCE_LEN && check.sent > 0) {
      if (check.nonce.every((byte, i) => byte === bytes[nonceAt + i])) return false;
    }
    this.#end(number);
    check.done(true);
    return true;
  }

  close(): void {
    for (const number of [...this.#checks.keys()]) this.#end(number);
  }

  timeout(number: number, now: number): void {
    const check = this.#checks.get(number);
    if (check === undefined) return;
    if (check.sent >= DUP_ADDR_DETECT_TRANSMITS) {
      this.#end(number);
      check.done(false);
      return;
    }
    check.sent++;
    const { random } = this.#host;
    putU16(check.nonce, 0, random.next());
    putI32(check.nonce, 2, random.next());
    this.#messages.solicitOwn(check.address, check.nonce);
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
