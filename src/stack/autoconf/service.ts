/**
 * Autoconfiguration of the host's interfaces (RFC 4862): each that was told to gets a link-local address, asks for routers once
 * nobody else has it, and does what they say. Runs inside of the stack, beneath everything that an application can reach.
 */

import type { IpAddress } from '../../base/index.ts';
import type { RouterAdvertisement } from '../../wire/index.ts';
import type { AutoconfOptions, Ipv6Options } from '../api.ts';
import { DEFAULT_HOP_LIMIT, type NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import { type AutoconfActions, type AutoconfHost, InterfaceAutoconf } from './interface-autoconf.ts';
import { type SolicitingHost, solicitRouters } from './solicit.ts';

/** RFC 8200 §5. */
const LEAST_MTU = 1280;

/** What the service needs of the rest of the stack. */
export interface AutoconfSurroundings {
  readonly host: AutoconfHost & SolicitingHost & { readonly identity: Uint8Array };
  readonly topology: Topology;
  /** Link-local addresses: see `Stack.enableIpv6`. */
  readonly linkLocal: { enable(index: number, options: Ipv6Options): void; disable(index: number): void };
  /** DHCPv6, which hears what a router says of it. */
  readonly dhcp: { flags(index: number, isManaged: boolean, hasOtherConfig: boolean): void };
}

/** An interface that configures itself. */
interface Configured {
  readonly autoconf: InterfaceAutoconf;
  /** Routers are asked for once the link-local address may be used. */
  isWaiting: boolean;
}

export class AutoconfService {
  readonly #around: AutoconfSurroundings;
  readonly #interfaces = new Map<number, Configured>();
  readonly #actions: AutoconfActions;

  constructor(around: AutoconfSurroundings) {
    this.#around = around;
    this.#actions = {
      solicitRouters: (index) => this.#solicitRouters(index),
      flags: (index, isManaged, hasOtherConfig) => around.dhcp.flags(index, isManaged, hasOtherConfig),
      parameters: (index, ra) => this.#takeParameters(index, ra),
    };
    around.topology.duplicates.onDuplicate((index, address) => this.#duplicateFound(index, address));
  }

  /** @throws {RangeError} when there is no such interface, it is the loopback one, or its MTU is too small for IPv6 */
  start(index: number, options: AutoconfOptions = {}): void {
    const { topology, host, linkLocal } = this.#around;
    const iface = topology.interface(index);
    const { name } = iface;
    if (iface.isLoopback) throw new RangeError('no router is heard on the loopback interface');
    if (this.#interfaces.has(index)) this.stop(index);
    linkLocal.enable(index, options);
    const seed = { secret: host.identity, interfaceName: name };
    const isTemporary = options.temporaryAddresses ?? true;
    const autoconf = new InterfaceAutoconf(host, topology, iface, { seed, isTemporary }, this.#actions);
    iface.routerSink = autoconf;
    this.#interfaces.set(index, { autoconf, isWaiting: true });
    this.addressesChanged();
  }

  /** Ends it: what routers have given goes. Harmless where it was not started. */
  stop(index: number): void {
    const configured = this.#interfaces.get(index);
    if (configured === undefined) return;
    this.#interfaces.delete(index);
    const { topology, linkLocal } = this.#around;
    const iface = topology.find(index);
    if (iface !== null) {
      iface.routerSink = null;
      iface.neighbors?.timesOf(6).reset();
      this.#setParameters(iface, DEFAULT_HOP_LIMIT, iface.linkMtu);
    }
    configured.autoconf.stop();
    linkLocal.disable(index);
  }

  /** The interface is gone, with all that was configured on it. */
  removeInterface(index: number): void {
    this.#interfaces.get(index)?.autoconf.close();
    this.#interfaces.delete(index);
  }

  /** A neighbour on the interface does not answer; it may have been a router. */
  neighborFailed(index: number): void {
    this.#interfaces.get(index)?.autoconf.neighborFailed();
  }

  /** RFC 4861 §6.3.7: the link is there again, perhaps another one. Routers are asked for once there is an address to ask from. */
  linkUp(index: number): void {
    const configured = this.#interfaces.get(index);
    if (configured === undefined) return;
    configured.isWaiting = true;
    this.addressesChanged();
  }

  /** Addresses have changed their states: where a link-local one may be used now, routers are asked for. */
  addressesChanged(): void {
    for (const [index, configured] of this.#interfaces) {
      if (!configured.isWaiting || !hasLinkLocal(this.#around.topology.find(index))) continue;
      configured.isWaiting = false;
      configured.autoconf.start();
    }
  }

  #solicitRouters(index: number): void {
    const iface = this.#around.topology.find(index);
    if (iface === null) return;
    if (iface.ndp === null) solicitRouters(this.#around.host, iface);
    else iface.ndp.solicitRouters();
  }

  /** An address of the interface is somebody else's (RFC 4862 §5.4.5). */
  #duplicateFound(index: number, address: IpAddress): void {
    this.#interfaces.get(index)?.autoconf.duplicateFound(address);
  }

  /** RFC 4861 §6.3.4: what the link is like, where the router says so. */
  #takeParameters(index: number, ra: RouterAdvertisement): void {
    const iface = this.#around.topology.find(index);
    if (iface === null) return;
    iface.neighbors?.timesOf(6).set(ra.reachableTime, ra.retransTimer);
    const isMtu = ra.mtu >= LEAST_MTU && ra.mtu <= iface.linkMtu;
    this.#setParameters(
      iface,
      ra.hopLimit === 0 ? iface.hopLimit : ra.hopLimit,
      isMtu ? ra.mtu : iface.mtuV6,
    );
  }

  #setParameters(iface: NetworkInterface, hopLimit: number, mtuV6: number): void {
    if (hopLimit === iface.hopLimit && mtuV6 === iface.mtuV6) return;
    iface.hopLimit = hopLimit;
    iface.mtuV6 = mtuV6;
    this.#around.topology.interfaceChanged();
  }
}

function hasLinkLocal(iface: NetworkInterface | null): boolean {
  if (iface === null) return false;
  return iface.addresses.some(
    ({ address, origin, state }) => origin === 'linkLocal' && address.family === 6 && state === 'preferred',
  );
}
