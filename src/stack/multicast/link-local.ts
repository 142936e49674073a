/**
 * Link-local addresses of IPv6, which MLD is spoken with (RFC 3810 §5.2.13).
 */

import type { IpAddress } from '../../base/index.ts';
import type { NetworkInterface } from '../interface.ts';

/** A link-local address of the interface that may be used (RFC 4862 §2); `null` when there is none yet. */
export function linkLocalOf(iface: NetworkInterface): IpAddress | null {
  for (const { address, state } of iface.addresses) {
    const isUsable = state === 'preferred' || state === 'deprecated';
    if (isUsable && address.family === 6 && address.isLinkLocal) return address;
  }
  return null;
}
