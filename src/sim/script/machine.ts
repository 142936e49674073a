/**
 * The host under test: a stack in virtual time whose only link is the script.
 */

import { type Clock, type IpAddress, PoolAllocator, SeededRandom } from '../../base/index.ts';
import { createStack, type Stack } from '../../stack/index.ts';
import type { ScriptSettings } from './settings.ts';

/** A packet that the host sent. */
export interface SentPacket {
  readonly bytes: Uint8Array;
  /** When, ms. */
  readonly at: number;
}

/** Turns at one moment: more means that the host does not come to rest. */
const MAX_TURNS = 10_000;

export class Machine implements Clock {
  readonly stack: Stack;
  /** What the host sent and the script has not looked at. */
  readonly sent: SentPacket[] = [];
  /** Called when the host has come to rest after each thing that happened. */
  onRest: () => void = () => {};
  readonly #interface: number;
  #now = 0;

  constructor(settings: ScriptSettings) {
    this.stack = createStack({
      clock: this,
      random: new SeededRandom(settings.seed),
      allocator: new PoolAllocator(256 << 20, 1 << 20),
      tcp: settings.tcp,
    });
    this.#interface = this.stack.addInterface({
      name: 'script',
      mtu: settings.mtu,
      medium: 'ip',
      addresses: [`${settings.localAddress}/${settings.localAddress.family === 4 ? 24 : 64}`],
      detectDuplicates: false,
    });
    const destination = settings.localAddress.family === 4 ? '0.0.0.0/0' : '::/0';
    this.stack.addRoute({ destination, interfaceIndex: this.#interface });
  }

  now(): number {
    return this.#now;
  }

  /** Whether `address` is the host's. */
  isLocal(address: IpAddress): boolean {
    return this.stack.interfaceOf(address) !== 0;
  }

  /** A packet arrives. @returns 0 or the `DropReason`. */
  receive(bytes: Uint8Array): number {
    const reason = this.stack.inputPacket(this.#interface, bytes);
    this.rest();
    return reason;
  }

  /** Lets time pass until `time`, deadline by deadline; stops early when `isEnough` says so. */
  advanceTo(time: number, isEnough: () => boolean = () => false): void {
    this.rest();
    while (!isEnough()) {
      const next = this.stack.nextDeadline;
      if (next > time) break;
      // A deadline that has passed is due now; each rest moves on, or is bounded there.
      this.#now = Math.max(this.#now, next);
      const before = this.sent.length;
      this.rest();
      if (this.stack.nextDeadline <= this.#now && this.sent.length === before) this.#now += STUCK_STEP;
    }
    if (!isEnough()) this.#now = Math.max(this.#now, time);
  }

  /** Runs what is due and takes out what is sent, until there is no more. */
  rest(): void {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      this.stack.advance();
      let count = this.#collect();
      this.stack.flushEvents();
      this.onRest();
      count += this.#collect();
      if (count === 0) return;
    }
  }

  #collect(): number {
    let count = 0;
    for (;;) {
      const bytes = this.stack.takePacket(this.#interface);
      if (bytes === null || count >= MAX_TURNS) return count;
      this.sent.push({ bytes, at: this.#now });
      count++;
    }
  }
}

/** How far time moves when a deadline does not: a millionth of a second. */
const STUCK_STEP = 0.001;
