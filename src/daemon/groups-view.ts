/**
 * Multicast groups as the control API shows them.
 */

import type { GroupStatus } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';

/** By the stack's versions, which are counted as IGMP's. */
const PROTOCOLS = { 4: ['', 'IGMPv1', 'IGMPv2', 'IGMPv3'], 6: ['', 'MLDv1', 'MLDv1', 'MLDv2'] } as const;

export function groupStatus(stack: Stack): GroupStatus[] {
  const { interfaces } = stack;
  return stack.groups.map(({ interfaceIndex, group, mode, sources, members, isReporter, version }) => ({
    interfaceIndex,
    interface: interfaces.find(({ index }) => index === interfaceIndex)?.name ?? '',
    group: group.toString().replace(/%.*/, ''),
    scope: group.family === 4 ? 0 : (group.w0 >>> 16) & 0xf,
    mode,
    sources: sources.map((source) => source.toString()),
    members,
    isReporter,
    protocol: PROTOCOLS[group.family][version],
  }));
}
