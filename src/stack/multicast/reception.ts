/**
 * What is to be received of a group: by one socket, and by an interface on behalf of all (RFC 3376 §3, RFC 3810 §4).
 */

import type { SourceFilter } from '../api.ts';
import {
  difference,
  intersection,
  isSameSet,
  NO_SOURCES,
  type SourceSet,
  sourceSet,
  union,
} from './source-set.ts';

/** A filter mode with its source list: only from these, or from all but these. */
export interface Reception {
  readonly mode: SourceFilter['mode'];
  readonly sources: SourceSet;
}

/** INCLUDE {}: the group is not received at all. */
export const NOTHING: Reception = { mode: 'include', sources: NO_SOURCES };
/** EXCLUDE {}: it is received from everybody. */
export const EVERYTHING: Reception = { mode: 'exclude', sources: NO_SOURCES };

export function isNothing(reception: Reception): boolean {
  return reception.mode === 'include' && reception.sources.size === 0;
}

export function isSameReception(a: Reception, b: Reception): boolean {
  return a.mode === b.mode && isSameSet(a.sources, b.sources);
}

/**
 * The interface's state for a group out of the filters of its sockets (RFC 3376 §3.2, RFC 3810 §4.2): with one in EXCLUDE
 * mode, all but what every such socket excludes and no other includes; else what any includes.
 */
export function mergeFilters(filters: readonly SourceFilter[]): Reception {
  // The most common case, and the one with the most sockets: somebody wants everything.
  if (filters.some(({ mode, sources }) => mode === 'exclude' && sources.length === 0)) return EVERYTHING;
  let excluded: SourceSet | null = null;
  let included = NO_SOURCES;
  for (const filter of filters) {
    const sources = sourceSet(filter.sources);
    if (filter.mode === 'include') included = union(included, sources);
    else excluded = excluded === null ? sources : intersection(excluded, sources);
  }
  if (excluded === null) return { mode: 'include', sources: included };
  return { mode: 'exclude', sources: difference(excluded, included) };
}

/** Whether packets from `key`'s address are to be received. */
export function isForwarded(reception: Reception, key: string): boolean {
  return reception.sources.has(key) === (reception.mode === 'include');
}
