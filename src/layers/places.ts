/**
 * Addresses with ports, as the layers that decide by them read them.
 */

import { readSockaddr } from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';

/** An address with a port. */
export interface Place {
  readonly address: IpAddress;
  readonly port: number;
}

/** What a sockaddr says; `null` when it says nothing that can be judged. */
export function placeIn(name: Uint8Array | null, namelen: number): Place | null {
  if (name === null || !(namelen >= 0)) return null;
  const read = readSockaddr(name.subarray(0, namelen));
  return read === null ? null : { address: read.address, port: read.port };
}
