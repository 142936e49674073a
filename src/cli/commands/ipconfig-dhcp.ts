/** `ipconfig /renew`, `/release` and their twins for IPv6, and what `/all` says of DHCP. */

import type { Command } from 'commander';
import type { DhcpInterfaceStatus, DhcpV4LeaseStatus } from '../../port/index.ts';
import type { Invocation } from '../command.ts';

/** The flags, among those of `ipconfig`. The text is an interface's name. */
export interface DhcpFlags {
  readonly renew?: string | true;
  readonly release?: string | true;
  readonly renew6?: string | true;
  readonly release6?: string | true;
}

/** A line: name and value; the name is empty where another value follows. */
export type Row = readonly [name: string, value: string];

/** How long the daemon waits for servers, and we for the daemon. */
const SERVER_MS = 60_000;
const DAEMON_MS = SERVER_MS + 10_000;

/** Adds the flags to `ipconfig`. */
export function addDhcpOptions(command: Command): Command {
  return command
    .option('--renew [interface]', 'ask DHCP servers for more time, or for an address; also /renew')
    .option('--release [interface]', 'give addresses back to DHCP servers; also /release')
    .option('--renew6 [interface]', 'the same of DHCPv6; also /renew6')
    .option('--release6 [interface]', 'the same of DHCPv6; also /release6');
}

/** Does what the flags say. @returns the states of the clients that were asked, `null` when the flags say nothing */
export async function runDhcpFlags({
  client,
  options,
}: Invocation<DhcpFlags>): Promise<DhcpInterfaceStatus[] | null> {
  const [flag, verb, family] = VERBS.find(([name]) => options[name] !== undefined) ?? [];
  if (flag === undefined) return null;
  const asked = options[flag];
  const body = { family, timeoutMs: SERVER_MS, ...(asked === true ? {} : { interface: asked }) };
  return await client.ask<DhcpInterfaceStatus[]>('POST', `/v1/dhcp/${verb}`, { body, timeoutMs: DAEMON_MS });
}

/** The one that takes away counts when both are given. */
const VERBS = [
  ['release', 'release', 4],
  ['release6', 'release', 6],
  ['renew', 'renew', 4],
  ['renew6', 'renew', 6],
] as const;

/** When a lease was obtained and when it ends. */
export function leaseRows(lease: DhcpV4LeaseStatus | null): Row[] {
  if (lease === null) return [];
  return [
    ['Lease Obtained', formatDate(lease.obtained)],
    ['Lease Expires', lease.expires === null ? 'Never' : formatDate(lease.expires)],
  ];
}

/** Who granted it, and who this host is to DHCPv6 servers. */
export function serverRows(dhcp: DhcpInterfaceStatus | null): Row[] {
  const rows: Row[] = [];
  const { v4 = null, v6 = null } = dhcp ?? {};
  if (v4?.lease) rows.push(['DHCP Server', v4.lease.server]);
  if (v6 !== null) {
    rows.push(['DHCPv6 IAID', String(v6.iaid)]);
    rows.push(['DHCPv6 Client DUID', (v6.duid.toUpperCase().match(/../g) ?? []).join('-')]);
  }
  return rows;
}

/** Several values of one name, one below the other. */
export function listRows(name: string, values: readonly string[]): Row[] {
  return values.map((value, i) => [i === 0 ? name : '', value]);
}

/** `Monday, November 23, 2026 5:04:09 AM`, local time: Windows' long form. */
export function formatDate(iso: string): string {
  const date = new Date(iso);
  const hour = date.getHours();
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${hour % 12 === 0 ? 12 : hour % 12}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = `${DAYS[date.getDay()]}, ${MONTHS[date.getMonth()]} ${date.getDate()}, ${date.getFullYear()}`;
  return `${day} ${time} ${hour < 12 ? 'AM' : 'PM'}`;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
