/**
 * What the DHCP clients need of the host besides its clock, timers and paths.
 */

import type { IpAddress } from '../../base/index.ts';
import type { Host } from '../host.ts';
import type { Topology } from '../topology.ts';

/** Asks a link whether somebody there has an address (RFC 5227, RFC 4862). */
export interface ConflictCheck {
  /** @param done called once, at the end or at once; never after the interface is gone */
  probeAddress(interfaceIndex: number, address: IpAddress, done: (isConflict: boolean) => void): void;
}

/** Link-local IPv4 addresses (RFC 3927), for as long as there is no other. */
export interface LinkLocalAddresses {
  enableAutoIp(interfaceIndex: number): void;
  disableAutoIp(interfaceIndex: number): void;
}

export interface DhcpSurroundings {
  readonly host: Host;
  readonly topology: Topology;
  readonly conflicts: ConflictCheck;
  readonly linkLocal: LinkLocalAddresses;
}
