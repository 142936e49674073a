/**
 * A neighbour: a next hop on a link, its hardware address, and how sure we are that it is there (RFC 4861 §5.1). Kept by a
 * `NeighborTable`, which moves it from state to state; looked at by the link headers that lead to it.
 */

import type { IpAddress } from '../../base/index.ts';
import type { HeldFrame } from './held-frame.ts';

/**
 * RFC 4861 §7.3.2. The order matters: packets to a neighbour in a state from `stale` on must tell its table, so that this is one
 * comparison a packet.
 */
export const NeighborState = {
  reachable: 0,
  delay: 1,
  probe: 2,
  stale: 3,
  incomplete: 4,
  /** Not in a table: not asked for yet, or given up. */
  none: 5,
} as const;
export type NeighborState = (typeof NeighborState)[keyof typeof NeighborState];

/**
 * The first 16 bits of the hardware address in headers to a neighbour without one; the other 32 are its place in the table. They
 * are those of a group, so no neighbour has them.
 */
export const UNRESOLVED_HIGH = 0xfffe;

/** The place of a neighbour that is in no table. */
export const NO_PLACE = -1;

export class Neighbor {
  readonly address: IpAddress;
  state: NeighborState = NeighborState.none;
  /** The hardware address as two numbers (see `EthernetHeader`), or the mark of one that has none. */
  macHigh = UNRESOLVED_HIGH;
  macLow = NO_PLACE;
  /** Set by hand: it stays as it is. */
  isStatic = false;
  /** It said that it is a router (RFC 4861 §4.4). */
  isRouter = false;
  /** Where it is in its table; also the kind of its timer. */
  place = NO_PLACE;
  timer = -1;
  /** Solicitations sent since the state was entered, and whether the last has no answer yet. */
  solicitations = 0;
  isAsked = false;
  /** When it was last known to be reachable, when its address was learned, and when it was last made use of; ms. */
  confirmedAt = Number.NEGATIVE_INFINITY;
  learnedAt = Number.NEGATIVE_INFINITY;
  usedAt = Number.NEGATIVE_INFINITY;
  /** Frames that wait for the hardware address, the oldest first. */
  held: HeldFrame[] = [];
  heldBytes = 0;
  /** The next in the same bucket of the table. */
  next: Neighbor | null = null;

  constructor(address: IpAddress) {
    this.address = address;
  }

  /** Not a neighbour, but what headers to a group of stations look at: always known. */
  static group(address: IpAddress, macHigh: number, macLow: number): Neighbor {
    const group = new Neighbor(address);
    group.state = NeighborState.reachable;
    group.macHigh = macHigh;
    group.macLow = macLow;
    group.isStatic = true;
    return group;
  }

  get isResolved(): boolean {
    return this.state < NeighborState.incomplete;
  }

  hasMac(high: number, low: number): boolean {
    return this.macHigh === high && this.macLow === low;
  }
}
