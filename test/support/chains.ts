/**
 * Catalogs with layers, as an installer makes them (CFG-SEQ-01 … 03): a layered entry for each layer, and a chain over every base
 * entry, the newest first.
 */

import { LAYERED_PROTOCOL, PFL_HIDDEN, type WSAPROTOCOL_INFO, XP1_IFS_HANDLES } from '../../src/abi/index.ts';
import type { BehaviorProfile, CatalogChange } from '../../src/port/index.ts';
import {
  baseEntries,
  Catalog,
  DEFAULT_CATALOG,
  defineLayer,
  type LayerOptions,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../src/spi/index.ts';

/** A layer to be installed. */
export interface TestLayer {
  readonly startup: WSPStartup;
  readonly isIfs: boolean;
}

/** What a Winsock with those layers is made with. */
export interface LayeredOptions {
  readonly catalog: Catalog;
  readonly loadProvider: (path: string) => WSPStartup | null;
}

/** The GUID of the nth layer, and of its chains. */
export function guidOf(layer: number, chain = 0): string {
  return `A0000000-0000-0000-${hex(layer)}-${hex(chain)}00000000`;
}

export function pathOf(layer: number): string {
  return `/layers/${layer}.mjs`;
}

const hex = (value: number): string => value.toString(16).padStart(4, '0').toUpperCase();

/**
 * The entries of a catalog with layers over all of `base`, lowest layer first. The base entries keep their ids. Chains over one provider's
 * entries alone, as on Windows Mobile, share a GUID (WM-06).
 */
export function layeredEntries(
  layers: readonly { readonly isIfs: boolean }[],
  base: readonly WSAPROTOCOL_INFO[] = DEFAULT_CATALOG,
): WSAPROTOCOL_INFO[] {
  const isOneProvider = base.every(({ ProviderId }) => ProviderId === base[0]?.ProviderId);
  let id = Math.max(...base.map(({ dwCatalogEntryId }) => dwCatalogEntryId));
  let newest: readonly WSAPROTOCOL_INFO[] = base;
  let entries: readonly WSAPROTOCOL_INFO[] = base;
  const hidden: WSAPROTOCOL_INFO[] = [];
  for (const [n, { isIfs }] of layers.entries()) {
    const layered: WSAPROTOCOL_INFO = {
      ...(base[0] as WSAPROTOCOL_INFO),
      ProviderId: guidOf(n),
      dwCatalogEntryId: ++id,
      ChainLen: LAYERED_PROTOCOL,
      ChainEntries: [],
      dwProviderFlags: PFL_HIDDEN,
      szProtocol: `layer ${n}`,
    };
    hidden.push(layered);
    newest = newest.map((entry, i) => ({
      ...entry,
      ProviderId: guidOf(n, isOneProvider ? 1 : i + 1),
      dwCatalogEntryId: ++id,
      dwServiceFlags1: isIfs ? entry.dwServiceFlags1 : entry.dwServiceFlags1 & ~XP1_IFS_HANDLES,
      ChainLen: Math.max(entry.ChainLen, 1) + 1,
      ChainEntries: [
        layered.dwCatalogEntryId,
        ...(entry.ChainLen > 1 ? entry.ChainEntries : [entry.dwCatalogEntryId]),
      ],
      szProtocol: `layer ${n} over [${(base[i] as WSAPROTOCOL_INFO).szProtocol}]`,
    }));
    entries = [...newest, ...entries];
  }
  return [...entries, ...hidden];
}

/** Layers, lowest first, over the whole catalog of a fresh installation. */
export function layeredOptions(
  layers: readonly TestLayer[],
  profile: BehaviorProfile = 'windows',
): LayeredOptions {
  const entries = layeredEntries(layers, baseEntries(profile));
  const paths = new Map<string, string>();
  const modules = new Map<string, WSPStartup>();
  for (const [n, { startup }] of layers.entries()) {
    modules.set(pathOf(n), startup);
    for (let chain = 0; chain <= DEFAULT_CATALOG.length; chain++) paths.set(guidOf(n, chain), pathOf(n));
  }
  return { catalog: new Catalog(entries, paths), loadProvider: (path) => modules.get(path) ?? null };
}

/** What an installer does for those layers, lowest first: the same chains in a catalog that is kept. */
export function installationOf(layers: readonly TestLayer[]): CatalogChange[] {
  return layers.map(({ isIfs }, n) => ({
    kind: 'install-chains',
    providerId: guidOf(n),
    path: pathOf(n),
    name: `layer ${n}`,
    serviceFlags: isIfs ? XP1_IFS_HANDLES : 0,
    over: null,
  }));
}

/** A layer that makes every call itself and changes nothing. */
export function passThrough(options: LayerOptions = {}, seen: (call: string) => void = () => {}): TestLayer {
  const startup = defineLayer((next) => {
    const calls: Record<string, unknown> = {};
    for (const name of WSP_ENTRIES) {
      const call = next[name] as (...args: unknown[]) => unknown;
      calls[name] = (...args: unknown[]) => {
        seen(name);
        return call(...args);
      };
    }
    return calls as Partial<WSPPROC_TABLE>;
  }, options);
  return { startup, isIfs: options.handles !== 'own' };
}
