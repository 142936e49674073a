/**
 * How large a packet of an endpoint may be, and whether routers may cut it: its Don't-Fragment bit and the three options that
 * Winsock has about the path's MTU (OPT-IP_DONTFRAGMENT, OPT-IP_MTU_DISCOVER, OPT-IP_USER_MTU).
 */

import type { PacketOptions } from '../api.ts';
import type { Path } from '../host.ts';

/** No bound of the user's own. */
export const NO_USER_MTU = 0;

/** Whether packets of an endpoint carry DF. */
export function carriesDontFragment(options: PacketOptions): boolean {
  const { mtuDiscovery } = options;
  return mtuDiscovery === 'system' ? options.dontFragment : mtuDiscovery !== 'dont';
}

/** Largest IP packet that an endpoint sends in one piece now. */
export function largestPacket(options: PacketOptions, path: Path): number {
  return largestPacketOf(
    path,
    carriesDontFragment(options),
    options.mtuDiscovery === 'probe',
    options.userMtu,
  );
}

/** As {@link largestPacket}, from what the options mean. @param isProbe what discovery has found does not count */
export function largestPacketOf(
  path: Path,
  dontFragment: boolean,
  isProbe: boolean,
  userMtu: number,
): number {
  let most = path.linkMtu;
  if (!isProbe) most = dontFragment ? path.discoveredMtu : path.mtu;
  return userMtu === NO_USER_MTU ? most : Math.min(most, userMtu);
}
