/**
 * How a layer starts: it finds itself in the chain, starts the provider below with the same upcall table, and fills its own table
 * (CAT-LOAD-03 … 05, SPI-START-03).
 */

import {
  BASE_PROTOCOL,
  WSAEFAULT,
  type WSAPROTOCOL_INFO,
  WSASYSNOTREADY,
  WSAVERNOTSUPPORTED,
} from '../abi/index.ts';
import { SPI_VERSION } from './base-provider.ts';
import { ownHandles } from './layer-own-handles.ts';
import { systemHandles } from './layer-system-handles.ts';
import type { Layer, LayerCalls, LayerOptions } from './layer-types.ts';
import { isCompleteTable, type WSPDATA, type WSPPROC_TABLE, type WSPStartup } from './provider.ts';
import type { Answer, Ref } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';
import { type Ws2Exports, ws2Exports } from './ws2-exports.ts';

/** A layer as it was defined. */
export interface LayerDefinition {
  readonly startup: WSPStartup;
  readonly calls: LayerCalls;
  readonly options: LayerOptions;
}

/** Where a layer stands in a chain. */
export interface LayerPlace {
  readonly entry: WSAPROTOCOL_INFO;
  readonly below: WSAPROTOCOL_INFO;
  /** Where the one below was installed. */
  readonly pathBelow: string;
}

/** A WSPStartup of `defineLayer`. @returns 0 or a WSA code */
export function startLayer(
  definition: LayerDefinition,
  requested: number,
  data: WSPDATA | null,
  chain: WSAPROTOCOL_INFO,
  upcalls: WSPUPCALLTABLE,
  table: Partial<WSPPROC_TABLE>,
): number {
  if (data === null) return WSAEFAULT;
  if (order(requested) < order(SPI_VERSION)) return WSAVERNOTSUPPORTED;
  const ws2 = ws2Exports(upcalls);
  if (ws2 === null) return WSASYSNOTREADY;
  const place = placeInChain(definition.startup, chain, upcalls, ws2);
  if (typeof place === 'string') {
    ws2.explain(place);
    return WSASYSNOTREADY;
  }
  const lower: Partial<WSPPROC_TABLE> = {};
  const error = startBelow(place, requested, chain, upcalls, ws2, lower);
  if (error !== 0) return error;
  const { entry, below } = place;
  const layer: Layer = { chain, entry, below, upcalls, ws2 };
  data.wVersion = SPI_VERSION;
  data.wHighVersion = SPI_VERSION;
  data.szDescription = definition.options.name ?? entry.szProtocol;
  Object.assign(table, tableOf(definition, lower as WSPPROC_TABLE, layer));
  return 0;
}

/**
 * Finds the entry of a chain that is the layer's: the first whose provider was loaded from where the layer was. That is its layered
 * entry, or one of its chains, when a later installer built on that (CAT-CHAIN-03).
 * @returns the place, or why there is none
 */
export function placeInChain(
  startup: WSPStartup,
  chain: WSAPROTOCOL_INFO,
  upcalls: WSPUPCALLTABLE,
  ws2: Ws2Exports,
): LayerPlace | string {
  const path: Ref<string> = { value: '' };
  const ids = chain.ChainEntries.slice(0, chain.ChainLen);
  for (const [i, id] of ids.entries()) {
    const entry = ws2.entries.find(({ dwCatalogEntryId }) => dwCatalogEntryId === id);
    if (entry === undefined || upcalls.WPUGetProviderPath(entry.ProviderId, path) < 0) continue;
    if (!ws2.isLoadedFrom(startup, path.value)) continue;
    const nextId = ids[i + 1];
    const below = ws2.entries.find(({ dwCatalogEntryId }) => dwCatalogEntryId === nextId);
    if (below === undefined)
      return `nothing stands below: entry ${nextId ?? 'after the last one'} is not in the catalog`;
    if (upcalls.WPUGetProviderPath(below.ProviderId, path) < 0) {
      return `no path of the provider below, ${below.szProtocol}`;
    }
    return { entry, below, pathBelow: path.value };
  }
  return `none of the chain's entries ${ids.join(', ')} is this layer: its own entry may have been removed`;
}

/** CAT-LOAD-04: a base provider is told its own entry, another layer the chain. @returns 0 or a WSA code */
function startBelow(
  { below, pathBelow }: LayerPlace,
  requested: number,
  chain: WSAPROTOCOL_INFO,
  upcalls: WSPUPCALLTABLE,
  ws2: Ws2Exports,
  lower: Partial<WSPPROC_TABLE>,
): number {
  const startup = ws2.providerAt(pathBelow);
  if (startup === null) {
    ws2.explain(`the provider below, ${pathBelow}, cannot be loaded`);
    return WSASYSNOTREADY;
  }
  const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
  const info = below.ChainLen === BASE_PROTOCOL ? below : chain;
  const error = startup(requested, data, info, upcalls, lower);
  if (error !== 0) return error;
  if (data.wVersion === SPI_VERSION && isCompleteTable(lower)) return 0;
  ws2.explain(`the provider below, ${pathBelow}, is of another version, or its table has gaps`);
  void lower.WSPCleanup?.();
  return WSAVERNOTSUPPORTED;
}

/** The layer's table: its own calls over those of the handles that it passes on. */
function tableOf(definition: LayerDefinition, lower: WSPPROC_TABLE, layer: Layer): WSPPROC_TABLE {
  const { calls, options, startup } = definition;
  let isCleaned = false;
  const cleanup = (): Answer => {
    if (isCleaned) return 0;
    isCleaned = true;
    return lower.WSPCleanup();
  };
  const below = { ...lower, WSPCleanup: cleanup };
  const handles = options.handles === 'own' ? ownHandles(below, layer, startup) : systemHandles(below, layer);
  const own = calls(handles.next, layer);
  return handles.finish({
    ...handles.next,
    ...own,
    WSPCleanup: () => cleanUp(own.WSPCleanup, cleanup),
  });
}

/** The provider below is cleaned up whatever the layer does. */
function cleanUp(own: (() => Answer) | undefined, below: () => Answer): Answer {
  if (own === undefined) return below();
  try {
    return own();
  } finally {
    void below();
  }
}

/** A version word in the order of versions. */
function order(version: number): number {
  return ((version & 0xff) << 8) | (version >>> 8);
}
