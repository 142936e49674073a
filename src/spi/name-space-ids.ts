/**
 * The name-space providers that are built in, and the catalog of a fresh installation (CAT-RULE-03).
 */

import { NS_DNS, NS_NLA, NS_TCPIP_LOCAL } from '../abi/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';

/** The provider of DNS names, as Windows calls it. */
export const TCPIP_NAME_SPACE_ID = '22059D40-7E9E-11CF-AE5A-00AA00A7112B';
/** The provider of networks. */
export const NLA_NAME_SPACE_ID = '6642243A-3BA8-4AA6-BAA5-2E0BD71FDD83';
/** The provider of what this process has registered itself; this project's own. */
export const LOCAL_NAME_SPACE_ID = '0C7B4E5D-5D53-4C5C-9E0B-6A2B9D3F1C10';

const builtIn = (providerId: string, dwNameSpace: number, identifier: string): NameSpaceEntry => ({
  providerId,
  identifier,
  dwNameSpace,
  version: 0,
  isActive: true,
  isV2: false,
  path: '',
  blob: null,
});

/** What a fresh installation has (CAT-RULE-03), as far as there is something behind it here. */
export const DEFAULT_NAME_SPACES: readonly NameSpaceEntry[] = [
  builtIn(TCPIP_NAME_SPACE_ID, NS_DNS, 'Tcpip'),
  builtIn(NLA_NAME_SPACE_ID, NS_NLA, 'Network Location Awareness Legacy (NLAv1) Namespace'),
  builtIn(LOCAL_NAME_SPACE_ID, NS_TCPIP_LOCAL, 'winsockd local services'),
];
