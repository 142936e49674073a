/**
 * Link types (tcpdump.org "LINKTYPE_" list): how a packet in a capture file starts.
 */

import type { Medium } from '../base/index.ts';

export const LINKTYPE_ETHERNET = 1;
/** What some systems write for raw IP instead of 101. */
export const LINKTYPE_RAW_BSD = 12;
/** An IPv4 or IPv6 packet without a link header. */
export const LINKTYPE_RAW = 101;
export const LINKTYPE_IPV4 = 228;
export const LINKTYPE_IPV6 = 229;

/** The link type of what a link carries. */
export function linkTypeOf(medium: Medium): number {
  return medium === 'ethernet' ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
}

/** What packets of a link type are to our codecs; `null` for one that they can't read. */
export function mediumOf(linkType: number): Medium | null {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return 'ethernet';
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return 'ip';
    default:
      return null;
  }
}
