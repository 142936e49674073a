/** The neighbours of an interface, as an embedder sees and sets them. */

import { type IpAddress, i32, putI32, putU16, u16 } from '../../base/index.ts';
import type { NeighborView } from '../api.ts';
import { type Neighbor, type NeighborState, UNRESOLVED_HIGH } from './neighbor.ts';
import type { NeighborTable } from './table.ts';

const STATE_NAMES = ['reachable', 'delay', 'probe', 'stale', 'incomplete'] as const;

export function neighborViews(table: NeighborTable | null, now: number): readonly NeighborView[] {
  return table === null ? [] : [...table].map((neighbor) => viewOf(neighbor, now));
}

/** @throws {RangeError} when `mac` is no hardware address that packets can be sent to, or no host can have the address */
export function setNeighbor(table: NeighborTable, address: IpAddress, mac: Uint8Array): void {
  if (!address.isHost || address.isLoopback)
    throw new RangeError(`no neighbour can have the address ${address}`);
  if (mac.length !== 6) throw new RangeError(`a hardware address has six bytes, not ${mac.length}`);
  const high = u16(mac, 0);
  // A group's is allowed: clusters answer to one.
  if (high === UNRESOLVED_HIGH || mac.every((byte) => byte === 0)) {
    throw new RangeError('that hardware address belongs to no station');
  }
  table.setStatic(address, high, i32(mac, 2));
}

function viewOf(neighbor: Neighbor, now: number): NeighborView {
  const { address, isStatic, isRouter } = neighbor;
  let mac: Uint8Array | null = null;
  if (neighbor.isResolved) {
    mac = new Uint8Array(6);
    putU16(mac, 0, neighbor.macHigh);
    putI32(mac, 2, neighbor.macLow);
  }
  const state = STATE_NAMES[neighbor.state as Exclude<NeighborState, typeof NeighborState.none>];
  return { address, mac, state, age: now - neighbor.confirmedAt, isStatic, isRouter };
}
