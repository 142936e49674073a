/** The neighbours of the stack's interfaces in the shapes of `port/control-api.ts`, and how they are set by hand. */

import { formatMac, type IpAddress } from '../base/index.ts';
import type { NeighborStatus } from '../port/index.ts';
import type { InterfaceView, Stack } from '../stack/index.ts';

/** All neighbours, by interface. */
export function neighborStatus(stack: Stack): NeighborStatus[] {
  return stack.interfaces.flatMap(({ index, name }) =>
    stack.neighbors(index).map(({ address, mac, state, age, isStatic, isRouter }) => ({
      interface: name,
      interfaceIndex: index,
      address: address.toString(),
      mac: mac === null ? null : formatMac(mac),
      state,
      ageSeconds: Number.isFinite(age) ? age / 1000 : null,
      isStatic,
      isRouter,
    })),
  );
}

/**
 * The Ethernet interfaces that are meant: the one with index `wanted`, else those that have `address` in a subnet, else all.
 */
export function interfacesFor(
  stack: Stack,
  address: IpAddress | null,
  wanted: number | undefined,
): readonly InterfaceView[] {
  const ethernets = stack.interfaces.filter(({ medium }) => medium === 'ethernet');
  if (wanted !== undefined) return ethernets.filter(({ index }) => index === wanted);
  if (address === null) return ethernets;
  const index = stack.routeTo(address)?.interfaceIndex;
  const near = ethernets.filter((each) => each.index === index);
  return near.length > 0 ? near : ethernets;
}

/** Forgets `address`, or when it is `null` every neighbour. @returns how many were known */
export function forgetNeighbors(
  stack: Stack,
  interfaces: readonly InterfaceView[],
  address: IpAddress | null,
): number {
  let count = 0;
  for (const { index } of interfaces) {
    for (const known of stack.neighbors(index)) {
      if (address !== null && !known.address.equals(address.inZone(index))) continue;
      if (stack.removeNeighbor(index, known.address)) count++;
    }
  }
  return count;
}
