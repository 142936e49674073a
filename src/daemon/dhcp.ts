/**
 * DHCP on the control API: what the stack's clients say of themselves, and what `ipconfig /renew` and `/release` ask of them.
 */

import { type IpAddress, type IpFamily, type Scheduler, toHex } from '../base/index.ts';
import type { DhcpInterfaceStatus, DhcpV4LeaseStatus, DhcpV6LeaseStatus } from '../port/index.ts';
import type { DhcpStatus, DhcpV4Lease, DhcpV6Lease, InterfaceView, Stack } from '../stack/index.ts';

/** How often it is looked whether a client has come to rest. */
const LOOK_EVERY_MS = 20;

/** Stack time as a date; `null`: never. */
type Dates = (at: number) => string | null;

/** The interfaces that have a client. */
export function dhcpStatus(stack: Stack, wallClock: () => number = Date.now): DhcpInterfaceStatus[] {
  return dhcpInterfaces(stack).map((view) => interfaceStatus(view, stack, wallClock));
}

/** Which clients are meant: those of these interfaces, of one family or of both. */
export interface DhcpSelection {
  readonly interfaces: readonly InterfaceView[];
  readonly family?: IpFamily | undefined;
}

/** The interfaces that have a client (of the family), or the one of that name if it has one. */
export function dhcpInterfaces(stack: Stack, name?: string, family?: IpFamily): InterfaceView[] {
  return stack.interfaces.filter((view) => {
    const { v4, v6 } = ofFamily(stack.dhcpStatus(view.index), family);
    return (v4 !== null || v6 !== null) && (name === undefined || view.name === name);
  });
}

function ofFamily({ v4, v6 }: DhcpStatus, family: IpFamily | undefined): DhcpStatus {
  return { v4: family === 6 ? null : v4, v6: family === 4 ? null : v6 };
}

/**
 * Asks the clients for more time, or anew, and waits until each has an answer.
 * @returns whether all have one within the time
 */
export function renewDhcp(
  stack: Stack,
  scheduler: Scheduler,
  selection: DhcpSelection,
  timeoutMs: number,
): Promise<boolean> {
  for (const { index } of selection.interfaces) stack.renewDhcp(index, selection.family);
  return settled(stack, scheduler, selection, timeoutMs, isRenewed);
}

/** Gives the clients' addresses back, and waits until servers were told. @returns as {@link renewDhcp} */
export function releaseDhcp(
  stack: Stack,
  scheduler: Scheduler,
  selection: DhcpSelection,
  timeoutMs: number,
): Promise<boolean> {
  for (const { index } of selection.interfaces) stack.releaseDhcp(index, selection.family);
  return settled(stack, scheduler, selection, timeoutMs, isReleased);
}

function isRenewed({ v4, v6 }: DhcpStatus): boolean {
  return (
    (v4 === null || v4.state === 'BOUND' || v4.state === 'INFORMED') &&
    (v6 === null || v6.state === 'BOUND' || v6.state === 'INFORMED')
  );
}

function isReleased({ v4, v6 }: DhcpStatus): boolean {
  return v4?.state !== 'RELEASING' && v6?.state !== 'RELEASE';
}

function settled(
  stack: Stack,
  scheduler: Scheduler,
  { interfaces, family }: DhcpSelection,
  timeoutMs: number,
  isDone: (status: DhcpStatus) => boolean,
): Promise<boolean> {
  const end = scheduler.now() + timeoutMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (interfaces.every(({ index }) => isDone(ofFamily(stack.dhcpStatus(index), family)))) resolve(true);
      else if (scheduler.now() >= end) resolve(false);
      else scheduler.after(LOOK_EVERY_MS, look);
    };
    look();
  });
}

function interfaceStatus(
  { index, name }: InterfaceView,
  stack: Stack,
  wallClock: () => number,
): DhcpInterfaceStatus {
  const { v4, v6 } = stack.dhcpStatus(index);
  const offset = wallClock() - stack.now;
  const dates: Dates = (at) => (Number.isFinite(at) ? new Date(offset + at).toISOString() : null);
  return {
    interface: name,
    index,
    v4:
      v4 === null
        ? null
        : {
            state: v4.state,
            mode: v4.mode,
            informedBy: v4.lease === null ? (v4.information?.server.toString() ?? null) : null,
            usesLinkLocal: v4.usesLinkLocal,
            attempts: v4.attempts,
            lease: v4.lease === null ? null : v4Lease(v4.lease, dates),
          },
    v6:
      v6 === null
        ? null
        : {
            state: v6.state,
            mode: v6.mode,
            duid: toHex(v6.clientDuid),
            iaid: v6.iaid >>> 0,
            attempts: v6.attempts,
            lease: v6.lease === null ? null : v6Lease(v6.lease, dates),
          },
  };
}

function v4Lease(lease: DhcpV4Lease, dates: Dates): DhcpV4LeaseStatus {
  return {
    address: `${lease.address}/${lease.prefixLength}`,
    server: lease.server.toString(),
    ...timesOf(lease, dates),
    routers: texts(lease.routers),
    routes: lease.classlessRoutes.map(({ destination, prefixLength, gateway }) => ({
      destination: `${destination}/${prefixLength}`,
      gateway: gateway?.toString() ?? null,
    })),
    dnsServers: texts(lease.dnsServers),
    domainName: lease.domainName,
    searchList: lease.searchList,
    ntpServers: texts(lease.ntpServers),
    mtu: lease.interfaceMtu,
  };
}

function v6Lease(lease: DhcpV6Lease, dates: Dates): DhcpV6LeaseStatus {
  return {
    addresses: lease.addresses.map(({ address, preferredUntil, validUntil }) => ({
      address: address.toString(),
      preferredUntil: dates(preferredUntil),
      validUntil: dates(validUntil),
    })),
    server: lease.server.toString(),
    serverDuid: toHex(lease.serverDuid),
    ...timesOf(lease, dates),
    dnsServers: texts(lease.dnsServers),
    searchList: lease.searchList,
  };
}

function timesOf(
  lease: DhcpV4Lease | DhcpV6Lease,
  dates: Dates,
): Pick<DhcpV4LeaseStatus, 'obtained' | 'renews' | 'rebinds' | 'expires'> {
  return {
    obtained: dates(lease.obtainedAt) ?? '',
    renews: dates(lease.renewAt),
    rebinds: dates(lease.rebindAt),
    expires: dates(lease.expiresAt),
  };
}

function texts(addresses: readonly IpAddress[]): string[] {
  return addresses.map((address) => address.toString());
}
