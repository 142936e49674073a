/** `winsockd ipconfig`: the interfaces of the stack, as Windows lists them. */

import type { Command } from 'commander';
import { formatV4, parsePrefix, prefixMask } from '../../base/index.ts';
import type { InterfaceStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { addDnsOptions, type DnsFlags, runDnsFlags } from './ipconfig-dns.ts';

interface IpconfigOptions extends DnsFlags {
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
      const interfaces = await client.get<InterfaceStatus[]>('/v1/interfaces');
      const isFull = options.all === true;
      print(interfaces, () => {
        const shown = isFull ? interfaces : interfaces.filter((each) => !isLoopback(each));
        return `\nIP Configuration\n\n${shown.map((each) => `\n${interfaceText(each, isFull)}`).join('')}`;
      });
      return ExitCode.ok;
    },
  ).option('--all', 'everything that is known; also /all');
  return addDnsOptions(command);
}

function interfaceText(status: InterfaceStatus, isFull: boolean): string {
  const rows: [string, string][] = [];
  if (!status.isUp) rows.push(['Media State', 'Media disconnected']);
  if (isFull) {
    rows.push(['Interface Index', String(status.index)]);
    if (status.mac !== null) rows.push(['Physical Address', status.mac.toUpperCase().replaceAll(':', '-')]);
    rows.push(['MTU', String(status.mtu)]);
  }
  for (const text of status.addresses) rows.push(...addressRows(text));
  rows.push(['Default Gateway', status.gateway ?? '']);
  if (isFull) {
    rows.push(['Received', `${status.inPackets} packets, ${status.inBytes} bytes`]);
    rows.push(['Sent', `${status.outPackets} packets, ${status.outBytes} bytes`]);
  }
  const title = `${status.medium === 'ethernet' ? 'Ethernet' : 'Tunnel'} adapter ${status.name}:\n\n`;
  return (
    title +
    rows
      .map(([name, value]) => `   ${dotted(name)}: ${value}`.trimEnd())
      .join('\n')
      .concat('\n')
  );
}

/** IPv4 with a mask, IPv6 with its prefix length, as Windows has it. */
function addressRows(text: string): [string, string][] {
  const prefix = parsePrefix(text);
  if (prefix === null || prefix.address.family === 6) return [['IPv6 Address', text]];
  return [
    ['IPv4 Address', String(prefix.address)],
    ['Subnet Mask', formatV4(prefixMask(prefix.length))],
  ];
}

/** `Subnet Mask . . . . . .`: dots at even columns, up to the colon's. */
function dotted(name: string): string {
  return name.padEnd(name.length + (name.length % 2)).padEnd(VALUE_COLUMN, '. ');
}

function isLoopback({ addresses }: InterfaceStatus): boolean {
  return addresses.length > 0 && addresses.every((text) => parsePrefix(text)?.address.isLoopback === true);
}

const VALUE_COLUMN = 34;
