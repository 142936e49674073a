/**
 * Which catalog entry serves a `socket` or `WSASocket` call, and with which error it fails when none does (SEM-SOCK-01 … 22).
 */

import {
  FROM_PROTOCOL_INFO,
  LAYERED_PROTOCOL,
  PFL_MATCHES_PROTOCOL_ZERO,
  WSAEAFNOSUPPORT,
  WSAEINVAL,
  WSAEINVALIDPROVIDER,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
  type WSAPROTOCOL_INFO,
} from '../abi/index.ts';

/** The triple that a socket is asked for with; 0 is a wildcard in family and type. */
export interface SocketQuery {
  readonly af: number;
  readonly type: number;
  readonly protocol: number;
}

/** The entry that serves a query, and the triple to hand to its provider. */
export interface Selection extends SocketQuery {
  readonly entry: WSAPROTOCOL_INFO;
}

/**
 * Walks the catalog in its order (SEM-SOCK-01).
 * @returns the first entry that matches with the query as it was asked, or minus the WSA code that names what is missing
 */
export function selectEntry(entries: readonly WSAPROTOCOL_INFO[], query: SocketQuery): Selection | number {
  if (query.af === 0 && query.protocol === 0) return -WSAEINVAL;
  for (const entry of entries) {
    if (matches(entry, query)) return { entry, ...query };
  }
  for (const rule of FAILURES) {
    if (rule.applies(entries, query)) return -rule.error;
  }
  return -WSAEPROTONOSUPPORT;
}

/**
 * The way with a protocol info (SEM-SOCK-05 … 07): its entry is used without matching; members of it stand in for a family,
 * type or protocol of 0 or FROM_PROTOCOL_INFO, explicit ones win.
 */
export function selectByInfo(
  entries: readonly WSAPROTOCOL_INFO[],
  query: SocketQuery,
  info: WSAPROTOCOL_INFO,
): Selection | number {
  const af = explicit(query.af) ? query.af : memberOf(info.iAddressFamily);
  const type = explicit(query.type) ? query.type : memberOf(info.iSocketType);
  const protocol = explicit(query.protocol) ? query.protocol : memberOf(info.iProtocol);
  if (af === 0 && type === 0 && protocol === 0) return -WSAEAFNOSUPPORT;
  const entry = entries.find((candidate) => candidate.dwCatalogEntryId === info.dwCatalogEntryId);
  if (entry === undefined) return -WSAEINVALIDPROVIDER;
  return { entry, af, type, protocol };
}

/** Whether a base or chain entry serves the query; hidden ones do (SEM-SOCK-03). */
function matches(entry: WSAPROTOCOL_INFO, query: SocketQuery): boolean {
  if (entry.ChainLen === LAYERED_PROTOCOL) return false;
  if (query.af !== 0 && query.af !== entry.iAddressFamily) return false;
  if (query.type !== 0 && query.type !== entry.iSocketType) return false;
  if (query.protocol === 0) return (entry.dwProviderFlags & PFL_MATCHES_PROTOCOL_ZERO) !== 0;
  const offset = query.protocol - entry.iProtocol;
  return offset >= 0 && offset <= entry.iProtocolMaxOffset;
}

/** A reason why nothing matched. */
interface Failure {
  readonly error: number;
  readonly applies: (entries: readonly WSAPROTOCOL_INFO[], query: SocketQuery) => boolean;
}

const hasFamily = (entries: readonly WSAPROTOCOL_INFO[], af: number): boolean =>
  af === 0 || entries.some((entry) => entry.iAddressFamily === af);

/** Whether any entry has that type, of that family when the family is known. */
const hasType = (entries: readonly WSAPROTOCOL_INFO[], af: number, type: number): boolean =>
  type === 0 ||
  entries.some(
    (entry) =>
      entry.iSocketType === type && (!hasFamily(entries, af) || af === 0 || entry.iAddressFamily === af),
  );

/** In the order of precedence; what none of them explains is an unknown protocol. */
const FAILURES: readonly Failure[] = [
  // SEM-SOCK-11, 15 and 22: an unknown type wins over an unknown family, unless the protocol was left open too.
  {
    error: WSAESOCKTNOSUPPORT,
    applies: (entries, { af, type, protocol }) =>
      !hasType(entries, af, type) && (protocol !== 0 || hasFamily(entries, af)),
  },
  // SEM-SOCK-10.
  { error: WSAEAFNOSUPPORT, applies: (entries, { af }) => !hasFamily(entries, af) },
];

/** Whether an argument of WSASocket says something by itself (SEM-SOCK-05). */
function explicit(value: number): boolean {
  return value !== 0 && value !== FROM_PROTOCOL_INFO;
}

/** A member of a protocol info that says nothing counts as 0. */
function memberOf(value: number): number {
  return value === FROM_PROTOCOL_INFO ? 0 : value;
}
