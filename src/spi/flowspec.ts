/** A FLOWSPEC as what it is in memory: eight DWORDs in a row (STR-FLOWSPEC). */

import type { FLOWSPEC } from './types.ts';

/** The members' names, in their order. */
export const FLOWSPEC_MEMBERS = [
  'TokenRate',
  'TokenBucketSize',
  'PeakBandwidth',
  'Latency',
  'DelayVariation',
  'ServiceType',
  'MaxSduSize',
  'MinimumPolicedSize',
] as const satisfies readonly (keyof FLOWSPEC)[];

/** The members in their order, each an unsigned DWORD. */
export function flowspecWords(flow: FLOWSPEC): number[] {
  return FLOWSPEC_MEMBERS.map((name) => flow[name] >>> 0);
}

/** The other way; members that are not there are 0. */
export function flowspecOf(words: readonly number[]): FLOWSPEC {
  const [TokenRate = 0, TokenBucketSize = 0, PeakBandwidth = 0, Latency = 0, ...rest] = words;
  const [DelayVariation = 0, ServiceType = 0, MaxSduSize = 0, MinimumPolicedSize = 0] = rest;
  return {
    TokenRate,
    TokenBucketSize,
    PeakBandwidth,
    Latency,
    DelayVariation,
    ServiceType,
    MaxSduSize,
    MinimumPolicedSize,
  };
}
