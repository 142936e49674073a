/**
 * What the neighbours of a link need of the host and of the interface.
 */

import type { IpAddress, Random, TimerQueue } from '../../base/index.ts';
import type { StackCounters } from '../counters.ts';
import type { EgressSource } from '../host.ts';
import type { Neighbor } from './neighbor.ts';

/** The host, as the neighbours of its links see it. */
export interface NeighborHost {
  readonly now: number;
  readonly timers: TimerQueue;
  readonly random: Random;
  readonly counters: StackCounters;
  /** As `Host.requestOutput`, but at the head of the queue. */
  requestFirst(interfaceIndex: number, source: EgressSource): void;
  /** The IP packet `at … end` could not be sent because its next hop is not there: tells whoever sent it. Borrowed. */
  undeliverable(interfaceIndex: number, bytes: Uint8Array, at: number, end: number): void;
  /** A neighbour was asked for and does not answer: another gateway may be chosen (RFC 1122 §3.3.1.5, RFC 4861 §6.3.6). */
  neighborFailed(interfaceIndex: number, address: IpAddress): void;
  /** One was heard of that was not known before. */
  neighborAnswered(interfaceIndex: number, address: IpAddress): void;
}

/** The interface, as its neighbours see it. */
export interface NeighborLink {
  readonly index: number;
  readonly mac: Uint8Array | null;
  /** The address to send from to `nextHop`; `null`: none of its family. */
  sourceFor(nextHop: IpAddress): IpAddress | null;
}

/** Asks for the hardware addresses of one family's neighbours: ARP, or neighbor discovery. */
export interface Solicitor {
  /** Sends a request for `neighbor`: to itself when `isUnicast`, whose hardware address is known then, else to all or to its group. */
  solicit(neighbor: Neighbor, isUnicast: boolean): void;
}
