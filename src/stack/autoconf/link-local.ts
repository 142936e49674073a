/** fe80::/10 (RFC 4291 §2.5.6). */

import type { IpAddress } from '../../base/index.ts';

/** Whether the address, or prefix, is of link-local scope. */
export function isLinkLocalPrefix(address: IpAddress): boolean {
  return address.family === 6 && address.w0 >>> 22 === 0x3fa;
}
