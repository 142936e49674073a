/** `winsockd ipconfig`: the interfaces of the stack, as Windows lists them. */

import type { Command } from 'commander';
import { formatV4, parsePrefix, prefixMask } from '../../base/index.ts';
import type { DhcpInterfaceStatus, InterfaceStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import {
  addDhcpOptions,
  type DhcpFlags,
  leaseRows,
  listRows,
  type Row,
  runDhcpFlags,
  serverRows,
} from './ipconfig-dhcp.ts';
import { addDnsOptions, type DnsFlags, runDnsFlags } from './ipconfig-dns.ts';

interface IpconfigOptions extends DnsFlags, DhcpFlags {
  readonly all?: boolean;
}

export function ipconfigCommand(session: Session): Command {
  const command = leaf<IpconfigOptions>(
    session,
    'ipconfig',
    'list the interfaces of the stack',
    async (invocation) => {
      const { client, options, print } = invocation;
      const done = await runDnsFlags(invocation);
      if (done !== null) return done;
      const changed = await runDhcpFlags(invocation);
      const interfaces = await client.get<InterfaceStatus[]>('/v1/interfaces');
      const isFull = options.all === true;
      const clients = changed ?? (isFull ? await client.get<DhcpInterfaceStatus[]>('/v1/dhcp') : []);
      const clientOf = (each: InterfaceStatus): DhcpInterfaceStatus | null =>
        clients.find(({ index }) => index === each.index) ?? null;
      const answer = isFull ? interfaces.map((each) => ({ ...each, dhcp: clientOf(each) })) : interfaces;
      print(changed ?? answer, () => {
        const shown = isFull ? interfaces : interfaces.filter((each) => !isLoopback(each));
        const texts = shown.map((each) => `\n${interfaceText(each, isFull, clientOf(each))}`);
        return `\nIP Configuration\n\n${texts.join('')}`;
      });
      return ExitCode.ok;
    },
  ).option('--all', 'everything that is known; also /all');
  return addDhcpOptions(addDnsOptions(command));
}

function deviceOf(status: InterfaceStatus): string {
  if (isLoopback(status)) return 'software';
  return status.medium === 'ethernet' ? 'TAP' : 'TUN';
}

function adapterOf(status: InterfaceStatus): string {
  if (isLoopback(status)) return 'Loopback';
  return status.medium === 'ethernet' ? 'Ethernet' : 'Tunnel';
}

/** The rows in Windows' order. @param dhcp looked at for `isFull` only */
function interfaceText(status: InterfaceStatus, isFull: boolean, dhcp: DhcpInterfaceStatus | null): string {
  const rows: Row[] = [];
  const lease = dhcp?.v4?.lease ?? null;
  if (!status.isUp) rows.push(['Media State', 'Media disconnected']);
  const suffix = status.searchList?.[0];
  if (suffix !== undefined) rows.push(['Connection-specific DNS Suffix', suffix]);
  if (isFull) {
    rows.push(['Description', `winsockd ${deviceOf(status)} ${status.name}`]);
    rows.push(['Interface Index', String(status.index)]);
    if (status.mac !== null) rows.push(['Physical Address', status.mac.toUpperCase().replaceAll(':', '-')]);
    rows.push(['DHCP Enabled', dhcp?.v4?.mode === 'stateful' ? 'Yes' : 'No']);
    rows.push(['MTU', String(status.mtu)]);
  }
  for (const text of status.addresses) rows.push(...addressRows(text, isFull, status));
  if (isFull) rows.push(...leaseRows(lease));
  rows.push(...gatewayRows(status));
  if (isFull) {
    rows.push(...serverRows(dhcp));
    rows.push(...listRows('DNS Servers', status.dnsServers ?? []));
    rows.push(['Received', `${status.inPackets} packets, ${status.inBytes} bytes`]);
    rows.push(['Sent', `${status.outPackets} packets, ${status.outBytes} bytes`]);
  }
  const title = `${adapterOf(status)} adapter ${status.name}:\n\n`;
  return (
    title +
    rows
      .map(([name, value]) =>
        `   ${name === '' ? ' '.repeat(VALUE_COLUMN) : dotted(name)}${name === '' ? ' ' : ':'} ${value}`.trimEnd(),
      )
      .join('\n')
      .concat('\n')
  );
}

/** IPv4 with a mask, IPv6 with its prefix length, as Windows has it; in full with what an address may be used for. */
function addressRows(text: string, isFull: boolean, { addressDetails }: InterfaceStatus): Row[] {
  const prefix = parsePrefix(text);
  const detail = addressDetails?.find(({ address, prefixLength }) => `${address}/${prefixLength}` === text);
  const state = isFull && detail !== undefined ? `(${STATES[detail.state]})` : '';
  if (prefix === null || prefix.address.family === 6) {
    let name = /^fe[89ab]/i.test(text) ? 'Link-local IPv6 Address' : 'IPv6 Address';
    if (detail?.origin === 'temporary') name = 'Temporary IPv6 Address';
    return [[name, text + state]];
  }
  const name = detail?.origin === 'linkLocal' ? 'Autoconfiguration IPv4 Address' : 'IPv4 Address';
  return [
    [name, `${prefix.address}${state}`],
    ['Subnet Mask', formatV4(prefixMask(prefix.length))],
  ];
}

/** The line is there without a gateway, too. */
function gatewayRows({ gateway, gateways }: InterfaceStatus): Row[] {
  const all = gateways ?? (gateway === null ? [] : [gateway]);
  return all.length === 0 ? [['Default Gateway', '']] : listRows('Default Gateway', all);
}

/** `Subnet Mask . . . . . .`: dots at even columns, up to the colon's. */
function dotted(name: string): string {
  return name.padEnd(name.length + (name.length % 2)).padEnd(VALUE_COLUMN, '. ');
}

function isLoopback({ addresses }: InterfaceStatus): boolean {
  return addresses.length > 0 && addresses.every((text) => parsePrefix(text)?.address.isLoopback === true);
}

const VALUE_COLUMN = 34;
const STATES = {
  tentative: 'Tentative',
  preferred: 'Preferred',
  deprecated: 'Deprecated',
  duplicate: 'Duplicate',
} as const;
