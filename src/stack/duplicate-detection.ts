/**
 * What asking for duplicates means for the addresses of the host: they are tentative until the link has been asked, and are lost
 * when somebody else has them. How a family asks is in `neighbor/`.
 */

import { IpAddress } from '../base/index.ts';
import type { AddressOptions } from './api.ts';
import type { InterfaceAddress, NetworkInterface } from './interface.ts';

/** Told that an address of ours is somebody else's: it is `duplicate` now, and not used. */
export type DuplicateListener = (interfaceIndex: number, address: IpAddress) => void;

/** Where the addresses are. */
export interface DetectionTopology {
  readonly interfaces: readonly NetworkInterface[];
  find(index: number): NetworkInterface | null;
  addressesChanged(): void;
}

export class DuplicateDetection {
  readonly #topology: DetectionTopology;
  readonly #now: () => number;
  readonly #listeners: DuplicateListener[] = [];

  constructor(topology: DetectionTopology, now: () => number) {
    this.#topology = topology;
    this.#now = now;
  }

  onDuplicate(listener: DuplicateListener): void {
    this.#listeners.push(listener);
  }

  /** An interface came: conflicts about its addresses are told here. */
  watch(iface: NetworkInterface): void {
    if (iface.conflicts === null) return;
    iface.conflicts.onLost = (word) => this.#lost(iface, IpAddress.v4(word));
  }

  /**
   * Asks for a new address before it is used, where that is wanted, or announces it. One that is in use already only gets new
   * options.
   * @param wasInUse whether it was
   */
  added(iface: NetworkInterface, held: InterfaceAddress, options: AddressOptions, wasInUse: boolean): void {
    if (wasInUse || iface.neighbors === null) return;
    this.#begin(iface, held, options.detectDuplicates ?? iface.detectsDuplicates);
  }

  removed(iface: NetworkInterface, address: IpAddress): void {
    if (iface.neighbors === null) return;
    this.#forget(iface, address);
  }

  /** An interface went up or down: what was asked has to be asked again (RFC 5227 §2.1, RFC 4862 §5.4). */
  linkChanged(iface: NetworkInterface): void {
    if (iface.neighbors === null) return;
    for (const held of iface.addresses) {
      this.#forget(iface, held.address);
      if (iface.isUp) this.#begin(iface, held, iface.detectsDuplicates || held.state === 'tentative');
    }
  }

  /**
   * Asks whether somebody on the link has an address that is none of ours yet.
   * @param done called once, in a later turn, or at once on a link where nobody can be asked; never when the interface goes first
   */
  probeAddress(interfaceIndex: number, address: IpAddress, done: (isConflict: boolean) => void): void {
    const iface = this.#topology.find(interfaceIndex);
    if (iface === null) return;
    if (iface.conflicts === null || address.family !== 4) done(false);
    else iface.conflicts.check(address.w3, done);
  }

  #begin(iface: NetworkInterface, held: InterfaceAddress, isAsked: boolean): void {
    if (!isAsked) {
      announce(iface, held);
      return;
    }
    const { address } = held;
    held.state = 'tentative';
    const done = (isConflict: boolean): void => {
      if (isConflict) {
        this.#lost(iface, address);
        return;
      }
      held.state = held.preferredUntil <= this.#now() ? 'deprecated' : 'preferred';
      announce(iface, held);
      this.#topology.addressesChanged();
    };
    if (address.family === 4) iface.conflicts?.check(address.w3, done);
    else iface.ndp?.dad.check(address, done);
  }

  #forget({ conflicts, ndp }: NetworkInterface, address: IpAddress): void {
    if (address.family === 4) conflicts?.forget(address.w3);
    else ndp?.dad.forget(address);
  }

  #lost(iface: NetworkInterface, address: IpAddress): void {
    const held = iface.find(address);
    if (held === null) return;
    held.state = 'duplicate';
    this.#topology.addressesChanged();
    for (const listener of this.#listeners) listener(iface.index, address);
  }
}

/** Tells the link that the address is ours. */
function announce(
  { conflicts, ndp }: NetworkInterface,
  { address, conflictDefense }: InterfaceAddress,
): void {
  if (address.family === 4) conflicts?.announce(address.w3, conflictDefense === 'always');
  else ndp?.announce(address);
}
