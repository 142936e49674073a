/**
 * The catalog of a fresh Windows Mobile device (CAT-WM): the entries of WSPM, its base transport provider. They have one ProviderId, so that
 * select may mix them (WM-06), and there are no raw sockets of IPv6.
 *
 * Their handles are the system's here as in every profile, so they have XP1_IFS_HANDLES: what stands above them may have it, too.
 *
 * Source: windows-mobile.md 1.6
 */

import {
  AF_INET,
  AF_INET6,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  type WSAPROTOCOL_INFO,
  XP1_SUPPORT_BROADCAST,
} from '../abi/index.ts';
import { DEFAULT_CATALOG, FIRST_CATALOG_ENTRY_ID, WSPM_PROVIDER_ID } from './default-catalog.ts';

/** In the order of the catalog: which desktop entry each is like, and what it is called. */
const ENTRIES = [
  [AF_INET, SOCK_STREAM, 'WSPM TCP/IPv4'],
  [AF_INET, SOCK_DGRAM, 'WSPM UDP/IPv4'],
  [AF_INET6, SOCK_STREAM, 'WSPM TCP/IPv6'],
  [AF_INET6, SOCK_DGRAM, 'WSPM UDP/IPv6'],
  [AF_INET, SOCK_RAW, 'WSPM RAW/IPv4'],
] as const;

export const MOBILE_CATALOG: readonly WSAPROTOCOL_INFO[] = ENTRIES.flatMap(([family, type, name], place) =>
  DEFAULT_CATALOG.filter((like) => like.iAddressFamily === family && like.iSocketType === type).map(
    (like) => ({
      ...like,
      ProviderId: WSPM_PROVIDER_ID,
      dwCatalogEntryId: FIRST_CATALOG_ENTRY_ID + place,
      // IPv6 has no broadcast.
      dwServiceFlags1:
        family === AF_INET6 ? like.dwServiceFlags1 & ~XP1_SUPPORT_BROADCAST : like.dwServiceFlags1,
      szProtocol: name,
    }),
  ),
);
