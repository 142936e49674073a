/**
 * Redirects of IPv6, as a host takes them (RFC 4861 §8.3): believed only from the router in use, and for so long. A router does not
 * listen to them.
 */

import type { IpAddress } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import type { NetworkInterface } from '../interface.ts';
import { MAX_REDIRECTS, REDIRECT_LIFETIME } from '../route/redirects.ts';
import type { RouteTable } from '../route/table.ts';

export class Redirects6 {
  readonly #routes: RouteTable;
  readonly #now: () => number;

  constructor(routes: RouteTable, now: () => number) {
    this.#routes = routes;
    this.#now = now;
  }

  /**
   * @param router who says so
   * @param target the better first hop to `destination`, or the destination itself
   */
  take(
    iface: NetworkInterface,
    router: IpAddress,
    destination: IpAddress,
    target: IpAddress,
    isOnLink: boolean,
  ): DropReason {
    const routes = this.#routes;
    if (iface.isForwarding || !iface.acceptsRedirects || destination.isScoped || destination.isAny) {
      return DropReason.redirectRefused;
    }
    if (iface.hasAddress(target) || iface.hasAddress(destination)) return DropReason.redirectRefused;
    const route = routes.lookup(destination, null);
    if (route?.interface !== iface || route.gateway?.equals(router) !== true)
      return DropReason.redirectRefused;
    if (route.origin === 'redirect') routes.removeRoute(route);
    const oldest = routes.countOf('redirect') >= MAX_REDIRECTS ? routes.oldestOf('redirect') : null;
    if (oldest !== null) routes.removeRoute(oldest);
    const isLearnt = routes.learn(
      {
        destination: `${destination}/128`,
        ...(isOnLink ? {} : { gateway: String(target) }),
        interfaceIndex: iface.index,
        metric: 1,
        origin: 'redirect',
        validUntil: this.#now() + REDIRECT_LIFETIME,
      },
      iface,
    );
    return isLearnt ? DropReason.none : DropReason.redirectRefused;
  }
}
