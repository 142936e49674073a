/**
 * What an entry and a chain must be to be taken into a catalog (CAT-CHAIN-01 … CAT-CHAIN-07).
 */

import {
  BASE_PROTOCOL,
  LAYERED_PROTOCOL,
  MAX_PATH,
  MAX_PROTOCOL_CHAIN,
  parseGuid,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_LEN,
  XP1_IFS_HANDLES,
} from '../abi/index.ts';
import type { CatalogEntry } from '../port/index.ts';
import { DWORD_MAX, INT_MAX } from './state.ts';

const INT_MEMBERS = [
  'iVersion',
  'iAddressFamily',
  'iMaxSockAddr',
  'iMinSockAddr',
  'iSocketType',
  'iProtocol',
  'iProtocolMaxOffset',
  'iNetworkByteOrder',
  'iSecurityScheme',
] as const;
const DWORD_MEMBERS = [
  'dwServiceFlags1',
  'dwServiceFlags2',
  'dwServiceFlags3',
  'dwServiceFlags4',
  'dwProviderFlags',
  'dwMessageSize',
  'dwProviderReserved',
] as const;

/** A GUID as it is kept: upper case, no braces; `null` when it is none. */
export function guidText(text: string): string | null {
  return parseGuid(text) === null ? null : text.replace(/[{}]/g, '').toUpperCase();
}

export function isModulePath(path: string): boolean {
  return path.length > 0 && path.length < MAX_PATH && !path.includes('\0');
}

/** Whether every member is in the range of its C type, the name fits, and the chain is as long as it says. */
export function isWellFormed(info: WSAPROTOCOL_INFO): boolean {
  const { ChainLen, ChainEntries, szProtocol } = info;
  return (
    INT_MEMBERS.every((member) => isBetween(info[member], -INT_MAX - 1, INT_MAX)) &&
    DWORD_MEMBERS.every((member) => isBetween(info[member], 0, DWORD_MAX)) &&
    typeof szProtocol === 'string' &&
    szProtocol.length <= WSAPROTOCOL_LEN &&
    isBetween(ChainLen, LAYERED_PROTOCOL, MAX_PROTOCOL_CHAIN) &&
    Array.isArray(ChainEntries) &&
    (ChainLen <= BASE_PROTOCOL ||
      (ChainEntries.length >= ChainLen &&
        ChainEntries.slice(0, ChainLen).every((id) => isBetween(id, 0, DWORD_MAX))))
  );
}

/** An entry as it is kept: of its own arrays and members only, with the id and the provider that it gets. */
export function kept(info: WSAPROTOCOL_INFO, ProviderId: string, dwCatalogEntryId: number): WSAPROTOCOL_INFO {
  return {
    dwServiceFlags1: info.dwServiceFlags1,
    dwServiceFlags2: info.dwServiceFlags2,
    dwServiceFlags3: info.dwServiceFlags3,
    dwServiceFlags4: info.dwServiceFlags4,
    dwProviderFlags: info.dwProviderFlags,
    ProviderId,
    dwCatalogEntryId,
    ChainLen: info.ChainLen,
    // Base and layered entries leave the array unset (CAT-CHAIN-02).
    ChainEntries: info.ChainLen > BASE_PROTOCOL ? info.ChainEntries.slice(0, info.ChainLen) : [],
    iVersion: info.iVersion,
    iAddressFamily: info.iAddressFamily,
    iMaxSockAddr: info.iMaxSockAddr,
    iMinSockAddr: info.iMinSockAddr,
    iSocketType: info.iSocketType,
    iProtocol: info.iProtocol,
    iProtocolMaxOffset: info.iProtocolMaxOffset,
    iNetworkByteOrder: info.iNetworkByteOrder,
    iSecurityScheme: info.iSecurityScheme,
    dwMessageSize: info.dwMessageSize,
    dwProviderReserved: 0,
    szProtocol: info.szProtocol,
  };
}

export function entryById(entries: readonly CatalogEntry[], id: number): CatalogEntry | null {
  return entries.find(({ info }) => info.dwCatalogEntryId === id) ?? null;
}

/**
 * The layered entry that a member of a chain stands for: itself, or of a chain that was layered over, that chain's top
 * (CAT-CHAIN-03). `null`: a base entry, or nothing.
 */
export function layerOf(entries: readonly CatalogEntry[], id: number): WSAPROTOCOL_INFO | null {
  const info = entryById(entries, id)?.info;
  if (info === undefined || info.ChainLen === BASE_PROTOCOL) return null;
  if (info.ChainLen === LAYERED_PROTOCOL) return info;
  const top = entryById(entries, info.ChainEntries[0] ?? 0)?.info;
  return top?.ChainLen === LAYERED_PROTOCOL ? top : null;
}

/**
 * Whether a chain can be: all that it names is there, a layer on top and a base at the end (CAT-CHAIN-02), none twice (CAT-CHAIN-04,
 * CFG-FAIL-07), and below a layer of real handles no other kind (CAT-CHAIN-06).
 */
export function isSoundChain(entries: readonly CatalogEntry[], info: WSAPROTOCOL_INFO): boolean {
  const { ChainEntries: ids } = info;
  const last = ids.length - 1;
  const seen = new Set<number>();
  let isAboveIfs = true;
  for (const [i, id] of ids.entries()) {
    const member = entryById(entries, id)?.info;
    if (member === undefined || (member.ChainLen === BASE_PROTOCOL) !== (i === last)) return false;
    if (i === 0 && member.ChainLen !== LAYERED_PROTOCOL) return false;
    if (i === last) break;
    const layer = layerOf(entries, id);
    if (layer === null || seen.has(layer.dwCatalogEntryId)) return false;
    seen.add(layer.dwCatalogEntryId);
    if (isIfs(layer)) isAboveIfs = false;
    else if (!isAboveIfs) return false;
  }
  return true;
}

/** CAT-CHAIN-05: a chain's sockets are real handles only when those of every layer are. */
export function withChainFlags(entries: readonly CatalogEntry[], info: WSAPROTOCOL_INFO): WSAPROTOCOL_INFO {
  if (info.ChainLen <= BASE_PROTOCOL || !isIfs(info)) return info;
  const isWhole = info.ChainEntries.slice(0, -1).every((id) => {
    const layer = layerOf(entries, id);
    return layer !== null && isIfs(layer);
  });
  return isWhole ? info : { ...info, dwServiceFlags1: (info.dwServiceFlags1 & ~XP1_IFS_HANDLES) >>> 0 };
}

export function isIfs(info: WSAPROTOCOL_INFO): boolean {
  return (info.dwServiceFlags1 & XP1_IFS_HANDLES) !== 0;
}

function isBetween(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
