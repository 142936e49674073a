/**
 * Changes that build chains and take them apart: WSCInstallProviderAndChains, netsh's `remove provider`, and a catalog without layers.
 */

import {
  BASE_PROTOCOL,
  LAYERED_PROTOCOL,
  MAX_PROTOCOL_CHAIN,
  PFL_HIDDEN,
  WSAEINVAL,
  WSAENOBUFS,
  WSANO_RECOVERY,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_LEN,
  XP1_IFS_HANDLES,
} from '../abi/index.ts';
import type { CatalogEntry, ProtocolTriple } from '../port/index.ts';
import { entryById, guidText, isIfs, isModulePath, kept, layerOf, withChainFlags } from './entry-rules.ts';
import { withEntries } from './protocol-changes.ts';
import {
  type CatalogState,
  type ChangeContext,
  type ChangeOf,
  type ChangeOutcome,
  changed,
  INT_MAX,
  isBuiltIn,
  MAX_ENTRIES,
} from './state.ts';

/**
 * A layered entry at the end, and a chain over the topmost entry of each triple in front of everything
 * (CFG-WSCInstallProviderAndChains). A provider of real handles goes over entries of real handles only (CAT-CHAIN-06).
 * @param isOneProvider the chains share one GUID, by which the select of Windows Mobile knows that they belong together (WM-06);
 * otherwise each has its own (CAT-CHAIN-07)
 */
export function installChains(
  state: CatalogState,
  change: ChangeOf<'install-chains'>,
  context: ChangeContext,
  isOneProvider: boolean = context.defaults.profile === 'windows-mobile',
): ChangeOutcome | number {
  const { path, name, serviceFlags, over } = change;
  const providerId = guidText(change.providerId);
  if (providerId === null || !isModulePath(path)) return WSAEINVAL;
  if (name.length === 0 || name.length > WSAPROTOCOL_LEN) return WSAEINVAL;
  if (serviceFlags !== 0 && serviceFlags !== XP1_IFS_HANDLES) return WSAEINVAL;
  if (over !== null && over.length === 0) return WSAEINVAL;
  const { entries } = state;
  const owner = entries.find(({ info }) => info.ProviderId === providerId);
  // The same provider again is "already installed"; the GUID in another's hands is a wrong argument.
  if (owner !== undefined) return owner.path === path ? WSANO_RECOVERY : WSAEINVAL;
  const layers = entries.filter(({ info }) => info.ChainLen === LAYERED_PROTOCOL);
  if (layers.some(({ info }) => info.szProtocol === name)) return WSAEINVAL;
  const below = layeredOver(entries, over, serviceFlags !== 0);
  if (typeof below === 'number') return below;
  const count = below.length + 1;
  if (entries.length + count > MAX_ENTRIES || state.nextId + count > INT_MAX) return WSAENOBUFS;

  const model = below[0] as CatalogEntry;
  const layerId = state.nextId;
  const layer: CatalogEntry = {
    path,
    info: {
      ...kept(model.info, providerId, layerId),
      dwServiceFlags1: flagsOfLayer(model.info, serviceFlags),
      dwProviderFlags: (model.info.dwProviderFlags | PFL_HIDDEN) >>> 0,
      ChainLen: LAYERED_PROTOCOL,
      ChainEntries: [],
      szProtocol: name,
    },
  };
  const withLayer = [...entries, layer];
  const shared = context.newGuid();
  const chains = below.map(({ info }, i): CatalogEntry => {
    const chain: WSAPROTOCOL_INFO = {
      ...kept(info, isOneProvider || i === 0 ? shared : context.newGuid(), layerId + 1 + i),
      ChainLen: info.ChainLen + 1,
      // The member that is layered over is named by its own id, in front of what is below it (CAT-CHAIN-03).
      ChainEntries: [layerId, info.dwCatalogEntryId, ...info.ChainEntries.slice(1)],
      szProtocol: `${name} over [${info.szProtocol}]`.slice(0, WSAPROTOCOL_LEN),
    };
    return { path, info: withChainFlags(withLayer, chain) };
  });
  return {
    state: { ...state, nextId: state.nextId + count, entries: [...chains, ...withLayer] },
    ids: [layerId, ...chains.map(({ info }) => info.dwCatalogEntryId)],
    previous: 0,
  };
}

/**
 * Takes away what an entry belongs to. A layer, named by its own entry or by one of its chains, goes with all its chains, and out of the
 * chains of others (CFG-SEQ-06); a base provider that was installed goes with the chains that end in it.
 */
export function removeEntry(
  state: CatalogState,
  change: ChangeOf<'remove-entry'>,
  { defaults }: ChangeContext,
): ChangeOutcome | number {
  const { entries } = state;
  const named = entryById(entries, change.id)?.info;
  if (named === undefined) return WSAEINVAL;
  if (isBuiltIn(defaults, named.ProviderId)) return WSANO_RECOVERY;
  // A chain whose layer is gone has nothing but itself to lose.
  const provider = (layerOf(entries, named.dwCatalogEntryId) ?? named).ProviderId;
  const isGone = (info: WSAPROTOCOL_INFO | undefined): boolean => info?.ProviderId === provider;
  const memberGone = (id: number): boolean =>
    isGone(entryById(entries, id)?.info) || isGone(layerOf(entries, id) ?? undefined);
  const left = entries.flatMap((entry): readonly CatalogEntry[] => {
    const { info, path } = entry;
    if (isGone(info)) return [];
    if (info.ChainLen <= BASE_PROTOCOL) return [entry];
    const { ChainEntries: ids } = info;
    const [top = 0] = ids;
    if (memberGone(top) || memberGone(ids[ids.length - 1] ?? 0)) return [];
    const kept = ids.filter((id) => !memberGone(id));
    if (kept.length === ids.length) return [entry];
    return [{ info: { ...info, ChainLen: kept.length, ChainEntries: kept }, path }];
  });
  return changed(withEntries(state, left));
}

/** CFG-FAIL-10, the sample's `-f`: whatever is no base entry goes. */
export function withoutLayers(state: CatalogState): CatalogState {
  return withEntries(
    state,
    state.entries.filter(({ info }) => info.ChainLen === BASE_PROTOCOL),
  );
}

/** The entries that the chains go over, in their order. @returns a WSA code when there are none, or a chain would be too long */
function layeredOver(
  entries: readonly CatalogEntry[],
  over: readonly ProtocolTriple[] | null,
  isForIfs: boolean,
): CatalogEntry[] | number {
  const bases = entries.filter(({ info }) => info.ChainLen === BASE_PROTOCOL).map(({ info }) => info);
  const found = new Set<CatalogEntry>();
  for (const triple of over ?? bases) {
    const match = entries.find(({ info }) => matches(info, triple, isForIfs));
    if (match === undefined) return WSAEINVAL;
    if (match.info.ChainLen >= MAX_PROTOCOL_CHAIN) return WSANO_RECOVERY;
    found.add(match);
  }
  return found.size === 0 ? WSANO_RECOVERY : [...found];
}

function matches(info: WSAPROTOCOL_INFO, triple: ProtocolTriple, isForIfs: boolean): boolean {
  return (
    info.ChainLen >= BASE_PROTOCOL &&
    info.iAddressFamily === triple.iAddressFamily &&
    info.iSocketType === triple.iSocketType &&
    info.iProtocol === triple.iProtocol &&
    (!isForIfs || info.ChainLen === BASE_PROTOCOL || isIfs(info))
  );
}

function flagsOfLayer(base: WSAPROTOCOL_INFO, serviceFlags: number): number {
  return ((base.dwServiceFlags1 & ~XP1_IFS_HANDLES) | serviceFlags) >>> 0;
}
