/**
 * Link-local addresses of IPv6, which MLD is spoken with (RFC 3810 §5.2.13).
 */

import type { IpAddress } from '../../base/index.ts';
import type { NetworkInterface } from '../interface.ts';

/** fe80::/10 */
const MASK = 0xffc00000 | 0;
const PREFIX = 0xfe800000 | 0;

/** Whether the address that begins with `word` is link-local. */
export function isLinkLocalWord(word: number): boolean {
  return (word & MASK) === PREFIX;
}

/** A link-local address of the interface that may be used (RFC 4862 §2); `null` when there is none yet. */
export function linkLocalOf(iface: NetworkInterface): IpAddress | null {
  for (const { address, state } of iface.addresses) {
    const isUsable = state === 'preferred' || state === 'deprecated';
    if (isUsable && address.family === 6 && isLinkLocalWord(address.w0)) return address;
  }
  return null;
}
