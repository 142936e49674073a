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
    const { address } = held;
    const { conflicts } = iface;
    if (wasInUse || address.family !== 4 || conflicts === null) return;
    if (options.detectDuplicates ?? iface.detectsDuplicates) this.#check(iface, held);
    else conflicts.announce(address.w3, held.conflictDefense === 'always');
  }

  removed(iface: NetworkInterface, address: IpAddress): void {
    if (address.family === 4) iface.conflicts?.forget(address.w3);
  }

  /** An interface went up or down: what was asked has to be asked again (RFC 5227 §2.1). */
  linkChanged(iface: NetworkInterface): void {
    const { conflicts } = iface;
    if (conflicts === null) return;
    for (const held of iface.addresses) {
      if (held.address.family !== 4) continue;
      conflicts.forget(held.address.w3);
      if (!iface.isUp) continue;
      if (iface.detectsDuplicates || held.state === 'tentative') this.#check(iface, held);
      else conflicts.announce(held.address.w3, held.conflictDefense === 'always');
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

  #check(iface: NetworkInterface, held: InterfaceAddress): void {
    const { address } = held;
    held.state = 'tentative';
    iface.conflicts?.check(address.w3, (isConflict) => {
      if (isConflict) {
        this.#lost(iface, address);
        return;
      }
      held.state = held.preferredUntil <= this.#now() ? 'deprecated' : 'preferred';
      iface.conflicts?.announce(address.w3, held.conflictDefense === 'always');
      this.#topology.addressesChanged();
    });
  }

  #lost(iface: NetworkInterface, address: IpAddress): void {
    const held = iface.find(address);
    if (held === null) return;
    held.state = 'duplicate';
    this.#topology.addressesChanged();
    for (const listener of this.#listeners) listener(iface.index, address);
  }
}
