/**
 * What is wrong with a catalog's chains, though each change of it was allowed (CFG-FAIL-01 … 04, CFG-SEQ-04 … 05): for people, with what
 * mends it. Whether modules can be loaded is for whoever sees the files.
 */

import { BASE_PROTOCOL, LAYERED_PROTOCOL, type WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { CatalogEntry } from '../port/index.ts';
import { entryById, isIfs, layerOf } from './entry-rules.ts';

export interface CatalogFinding {
  /** The entry that it is about. */
  readonly id: number;
  readonly entry: string;
  /** The rule that it comes under. */
  readonly rule: string;
  /** What is wrong, and what applications feel of it. */
  readonly what: string;
  /** What to type. */
  readonly cure: string;
}

/** In the order of the catalog. */
export function checkCatalog(entries: readonly CatalogEntry[]): CatalogFinding[] {
  return entries.flatMap(({ info }) => {
    if (info.ChainLen === BASE_PROTOCOL) return [];
    return info.ChainLen === LAYERED_PROTOCOL ? checkLayer(entries, info) : checkChain(entries, info);
  });
}

function checkChain(entries: readonly CatalogEntry[], info: WSAPROTOCOL_INFO): CatalogFinding[] {
  const { dwCatalogEntryId: id, ChainEntries: ids } = info;
  const missing = ids.filter((member) => entryById(entries, member) === null);
  if (missing.length > 0) {
    const [top = 0] = ids;
    return [
      finding(
        info,
        missing.includes(top) ? 'CFG-FAIL-01' : 'CFG-FAIL-03',
        `it names ${missing.join(' and ')}, which ${missing.length > 1 ? 'are' : 'is'} not installed: its sockets fail with WSAEPROVIDERFAILEDINIT`,
        `winsockd netsh winsock remove provider ${id}`,
      ),
    ];
  }
  const own = layersOf(entries, info);
  const before = entries.slice(
    0,
    entries.findIndex((entry) => entry.info === info),
  );
  const first = before.find((entry) => serves(entry.info, info));
  if (first === undefined || own.every((layer) => layersOf(entries, first.info).includes(layer))) return [];
  const { dwCatalogEntryId: other, szProtocol } = first.info;
  return [
    finding(
      info,
      'CFG-FAIL-04',
      `${other} "${szProtocol}" stands before it and serves the same sockets: its layers are passed by`,
      `winsockd sporder top ${id}`,
    ),
  ];
}

function checkLayer(entries: readonly CatalogEntry[], layer: WSAPROTOCOL_INFO): CatalogFinding[] {
  const id = layer.dwCatalogEntryId;
  const chains = entries.filter(({ info }) => layersOf(entries, info).includes(id)).map(({ info }) => info);
  if (chains.length === 0) {
    const what = 'no chain has it: nobody uses it';
    return [finding(layer, 'CFG-SEQ-05', what, `winsockd netsh winsock remove provider ${id}`)];
  }
  if (isIfs(layer)) return [];
  const isCovered = ({ info }: CatalogEntry): boolean => chains.some((chain) => serves(chain, info));
  const bases = entries.filter(({ info }) => info.ChainLen === BASE_PROTOCOL);
  const half = bases.filter(
    (base) =>
      !isCovered(base) &&
      bases.some((other) => other.info.ProviderId === base.info.ProviderId && isCovered(other)),
  );
  if (half.length === 0) return [];
  return [
    finding(
      layer,
      'CFG-SEQ-04',
      `it stands over some protocols and not over ${half.map(({ info }) => info.szProtocol).join(', ')}: select fails with WSAEINVAL for sockets of both`,
      'install it over all protocols of a family together',
    ),
  ];
}

/** The layered entries that a chain goes through. */
function layersOf(entries: readonly CatalogEntry[], { ChainLen, ChainEntries }: WSAPROTOCOL_INFO): number[] {
  if (ChainLen <= BASE_PROTOCOL) return [];
  return ChainEntries.flatMap((id) => layerOf(entries, id)?.dwCatalogEntryId ?? []);
}

/** Whether an entry is taken for every socket that another one is made for (SEM-SOCK-01, -02). */
function serves(one: WSAPROTOCOL_INFO, other: WSAPROTOCOL_INFO): boolean {
  return (
    one.ChainLen >= BASE_PROTOCOL &&
    one.iAddressFamily === other.iAddressFamily &&
    one.iSocketType === other.iSocketType &&
    one.iProtocol <= other.iProtocol &&
    one.iProtocol + one.iProtocolMaxOffset >= other.iProtocol + other.iProtocolMaxOffset
  );
}

function finding(
  { dwCatalogEntryId: id, szProtocol: entry }: WSAPROTOCOL_INFO,
  rule: string,
  what: string,
  cure: string,
): CatalogFinding {
  return { id, entry, rule, what, cure };
}
