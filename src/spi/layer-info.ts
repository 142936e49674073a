/**
 * Which protocol info goes down a chain with WSPSocket, and which comes up with WSPDuplicateSocket (CAT-LOAD-06).
 */

import { BASE_PROTOCOL, type WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { Layer } from './layer-types.ts';

/**
 * What the provider below is handed: a base provider its own entry, another layer the chain's. The reserved members of a duplicate
 * go along.
 */
export function infoBelow({ below }: Layer, info: WSAPROTOCOL_INFO): WSAPROTOCOL_INFO {
  if (below.ChainLen !== BASE_PROTOCOL) return info;
  return info.dwProviderReserved === 0 ? below : withTokenOf(below, info);
}

/** The chain's entry, with what opens the duplicate that the provider below has described. */
export function infoOfChain(chain: WSAPROTOCOL_INFO, duplicate: WSAPROTOCOL_INFO): WSAPROTOCOL_INFO {
  return withTokenOf(chain, duplicate);
}

function withTokenOf(entry: WSAPROTOCOL_INFO, duplicate: WSAPROTOCOL_INFO): WSAPROTOCOL_INFO {
  const { iSocketType, iProtocol, dwProviderReserved } = duplicate;
  const { dwServiceFlags2, dwServiceFlags3, dwServiceFlags4 } = duplicate;
  return {
    ...entry,
    iSocketType,
    iProtocol,
    dwProviderReserved,
    dwServiceFlags2,
    dwServiceFlags3,
    dwServiceFlags4,
  };
}
