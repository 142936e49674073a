/**
 * Changes of the protocol entries: WSCInstallProvider, WSCUpdateProvider, WSCDeinstallProvider, WSCWriteProviderOrder.
 */

import {
  BASE_PROTOCOL,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEINVAL,
  WSANO_RECOVERY,
  type WSAPROTOCOL_INFO,
} from '../abi/index.ts';
import type { CatalogEntry } from '../port/index.ts';
import { guidText, isModulePath, isSoundChain, isWellFormed, kept, withChainFlags } from './entry-rules.ts';
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

/** Entries at the end, in their order (CFG-WSCInstallProvider); chains in front where the change says so. */
export function installProvider(
  state: CatalogState,
  change: ChangeOf<'install-provider'>,
): ChangeOutcome | number {
  const providerId = guidText(change.providerId);
  if (providerId === null || !areEntries(change.path, change.entries)) return WSAEINVAL;
  if (state.entries.some(({ info }) => info.ProviderId === providerId)) return WSANO_RECOVERY;
  const added = withIds(change.entries, change.path, providerId, state.nextId);
  const front = change.position === 'front' ? added.filter(({ info }) => info.ChainLen > BASE_PROTOCOL) : [];
  const back = added.filter((entry) => !front.includes(entry));
  return finish(state, [...front, ...state.entries, ...back], added, added);
}

/** Other entries and another path for an installed provider. Those that are there keep their ids and places (CFG-WSCUpdateProvider). */
export function updateProvider(
  state: CatalogState,
  change: ChangeOf<'update-provider'>,
  { defaults }: ChangeContext,
): ChangeOutcome | number {
  const providerId = guidText(change.providerId);
  if (providerId === null || !areEntries(change.path, change.entries)) return WSAEINVAL;
  const present = state.entries.filter(({ info }) => info.ProviderId === providerId);
  if (present.length === 0) return WSAEINVAL;
  if (isBuiltIn(defaults, providerId)) return WSANO_RECOVERY;
  const ids = idsOfUpdate(
    present.map(({ info }) => info.dwCatalogEntryId),
    change.entries,
  );
  let { nextId } = state;
  const updated: CatalogEntry[] = change.entries.map((info, i) => ({
    info: kept(info, providerId, ids[i] ?? nextId++),
    path: change.path,
  }));
  const added = updated.filter((_, i) => ids[i] === undefined);
  const byId = new Map(updated.map((entry) => [entry.info.dwCatalogEntryId, entry]));
  const entries = state.entries.flatMap((entry) =>
    entry.info.ProviderId === providerId ? (byId.get(entry.info.dwCatalogEntryId) ?? []) : entry,
  );
  return finish(state, [...entries, ...added], updated, added);
}

/** Every entry of a provider; chains that name one of them stay, and are broken (CFG-WSCDeinstallProvider, CFG-FAIL-01). */
export function deinstallProvider(
  state: CatalogState,
  change: ChangeOf<'deinstall-provider'>,
  { defaults }: ChangeContext,
): ChangeOutcome | number {
  const providerId = guidText(change.providerId);
  if (providerId === null) return WSAEINVAL;
  const entries = state.entries.filter(({ info }) => info.ProviderId !== providerId);
  if (entries.length === state.entries.length) return WSAEINVAL;
  if (isBuiltIn(defaults, providerId)) return WSANO_RECOVERY;
  return changed(withEntries(state, entries));
}

/** All ids in another order (CFG-WSCWriteProviderOrder). */
export function writeOrder(state: CatalogState, { ids }: ChangeOf<'write-order'>): ChangeOutcome | number {
  const order = permuted(state.entries, ids, ({ info }) => info.dwCatalogEntryId);
  return order === null ? WSAEINVAL : changed({ ...state, entries: order });
}

/** The list in the order of the keys; `null` unless every item's key is there once and no other. */
export function permuted<Item, Key>(
  items: readonly Item[],
  keys: readonly Key[],
  keyOf: (item: Item) => Key,
): Item[] | null {
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  if (keys.length !== byKey.size || new Set(keys).size !== keys.length) return null;
  const order: Item[] = [];
  for (const key of keys) {
    const item = byKey.get(key);
    if (item === undefined) return null;
    order.push(item);
  }
  return order;
}

/** The state with other entries; what is said of providers that are gone goes with them. */
export function withEntries(state: CatalogState, entries: readonly CatalogEntry[]): CatalogState {
  const providers = new Set(entries.map(({ info }) => info.ProviderId));
  const lspCategories = Object.fromEntries(
    Object.entries(state.lspCategories).filter(([providerId]) => providers.has(providerId)),
  );
  return { ...state, entries, lspCategories };
}

function areEntries(path: string, entries: readonly WSAPROTOCOL_INFO[]): boolean {
  return isModulePath(path) && entries.length > 0 && entries.every(isWellFormed);
}

function withIds(
  entries: readonly WSAPROTOCOL_INFO[],
  path: string,
  providerId: string,
  firstId: number,
): CatalogEntry[] {
  return entries.map((info, i) => ({ info: kept(info, providerId, firstId + i), path }));
}

/**
 * Which present id each entry of an update keeps: the one that it names, else the next that none names; `undefined`: it is new.
 */
function idsOfUpdate(
  present: readonly number[],
  entries: readonly WSAPROTOCOL_INFO[],
): (number | undefined)[] {
  const free = new Set(present);
  const ids = entries.map(({ dwCatalogEntryId: id }) => (free.delete(id) ? id : undefined));
  const left = [...free];
  return ids.map((id) => id ?? left.shift());
}

/** @param checked entries that came with the change; `added`: those with new ids */
function finish(
  state: CatalogState,
  entries: readonly CatalogEntry[],
  checked: readonly CatalogEntry[],
  added: readonly CatalogEntry[],
): ChangeOutcome | number {
  const nextId = state.nextId + added.length;
  if (entries.length > MAX_ENTRIES || nextId > INT_MAX) return WSA_NOT_ENOUGH_MEMORY;
  const chains = checked.map(({ info }) => info).filter(({ ChainLen }) => ChainLen > BASE_PROTOCOL);
  if (!chains.every((info) => isSoundChain(entries, info))) return WSAEINVAL;
  const isNew = new Set(checked);
  const next = entries.map((entry) =>
    isNew.has(entry) ? { info: withChainFlags(entries, entry.info), path: entry.path } : entry,
  );
  const ids = checked.map(({ info }) => info.dwCatalogEntryId);
  return { state: { ...withEntries(state, next), nextId }, ids, previous: 0 };
}
