/**
 * Gateways that do not answer: a route by way of one comes after all others to the same destination, until the gateway is heard of
 * again (RFC 1122 §3.3.1.5, RFC 4861 §6.3.6). Of gateways that all are silent the one whose failure is longest ago is tried first,
 * so that each gets its turn. The routes themselves stay: what said them has not taken them back.
 *
 *     neighbour unreachability detection gives a gateway up ──► suspect ──answer, or any sign of it──► as before
 *                                                                 └── asked once a minute, without a packet that depends on it
 */

import type { IpAddress, TimerOwner, TimerQueue } from '../../base/index.ts';
import type { NetworkInterface } from '../interface.ts';

/** How often a gateway that was given up is asked for, ms. */
export const SUSPECT_PROBE_INTERVAL = 60_000;

/** What counts of a route here. */
interface Way {
  readonly gateway: IpAddress | null;
  readonly interface: NetworkInterface;
}

interface Suspect {
  readonly interface: NetworkInterface;
  readonly address: IpAddress;
  /** Of several the one that failed last has the highest. */
  rank: number;
  /** Nobody but us has asked for it: that it does not answer is no news. */
  isProbed: boolean;
}

export class Gateways implements TimerOwner {
  readonly #timers: TimerQueue;
  readonly #routes: () => readonly Way[];
  /** Told when the order of routes is another. */
  readonly #onChange: () => void;
  readonly #suspects = new Map<string, Suspect>();
  #failures = 0;
  /** Runs while there is a suspect; -1 until there was one. */
  #timer = -1;

  constructor(timers: TimerQueue, routes: () => readonly Way[], onChange: () => void) {
    this.#timers = timers;
    this.#routes = routes;
    this.#onChange = onChange;
  }

  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  /** 0 for a route whose gateway nothing is held against; else the higher, the later it is to be tried. */
  rankOf({ gateway, interface: iface }: Way): number {
    if (gateway === null || this.#suspects.size === 0) return 0;
    return this.#suspects.get(keyOf(iface, gateway))?.rank ?? 0;
  }

  /** A neighbour does not answer. Only gateways are remembered. */
  failed(iface: NetworkInterface, address: IpAddress, now: number): void {
    const key = keyOf(iface, address);
    const known = this.#suspects.get(key);
    if (known?.isProbed === true) {
      known.isProbed = false;
      return;
    }
    if (!this.#isGateway(iface, address)) return;
    const rank = ++this.#failures;
    if (known === undefined) this.#suspects.set(key, { interface: iface, address, rank, isProbed: false });
    else known.rank = rank;
    if (this.#timer < 0) this.#timer = this.#timers.create(this, 0);
    if (!this.#timers.isArmed(this.#timer)) this.#timers.arm(this.#timer, now + SUSPECT_PROBE_INTERVAL);
    this.#onChange();
  }

  /** A neighbour was heard of. */
  answered(iface: NetworkInterface, address: IpAddress): void {
    if (this.#suspects.delete(keyOf(iface, address))) this.#onChange();
  }

  /** A link came up or went down: what was found out on it before says nothing any more. */
  forget(iface: NetworkInterface): void {
    const before = this.#suspects.size;
    for (const [key, suspect] of this.#suspects) if (suspect.interface === iface) this.#suspects.delete(key);
    if (this.#suspects.size < before) this.#onChange();
  }

  timeout(_kind: number, now: number): void {
    for (const [key, suspect] of this.#suspects) {
      if (!this.#isGateway(suspect.interface, suspect.address)) this.#suspects.delete(key);
      else this.#probe(suspect);
    }
    if (this.#suspects.size > 0) this.#timers.arm(this.#timer, now + SUSPECT_PROBE_INTERVAL);
  }

  #probe(suspect: Suspect): void {
    const { neighbors, isUp } = suspect.interface;
    // One that packets wait for is being asked already.
    if (neighbors === null || !isUp || neighbors.find(suspect.address) !== null) return;
    const neighbor = neighbors.findOrAdd(suspect.address);
    if (neighbor === null) return;
    suspect.isProbed = true;
    neighbors.use(neighbor);
  }

  #isGateway(iface: NetworkInterface, address: IpAddress): boolean {
    return this.#routes().some(
      (route) => route.interface === iface && route.gateway?.equals(address) === true,
    );
  }
}

function keyOf(iface: NetworkInterface, address: IpAddress): string {
  return `${iface.index} ${address}`;
}
