/** `winsockd netsh`: `winsock show catalog`, the provider catalog as Windows lists it, and what concerns interfaces. */

import { Command } from 'commander';
import type { CatalogEntryStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { netshInterfaceCommand } from './netsh-interface.ts';

export function netshCommand(session: Session): Command {
  const catalog = leaf(session, 'catalog', 'list the Winsock catalog', async ({ client, print }) => {
    const entries = await client.get<CatalogEntryStatus[]>('/v1/catalog');
    print(entries, () => entries.map(entryText).join(''));
    return ExitCode.ok;
  });
  const show = new Command('show').description('list what is installed').addCommand(catalog);
  const winsock = new Command('winsock').description('service providers').addCommand(show);
  return new Command('netsh')
    .description('what Windows’ netsh shows and sets of Winsock and the stack')
    .addCommand(winsock)
    .addCommand(netshInterfaceCommand(session));
}

function entryText(entry: CatalogEntryStatus): string {
  const rows: [string, string | number][] = [
    ['Entry Type', entry.entryType],
    ['Description', entry.description],
    ['Provider ID', braced(entry.providerId)],
    ['Provider Path', entry.providerPath],
    ['Catalog Entry ID', entry.catalogEntryId],
    ['Version', entry.version],
    ['Address Family', entry.addressFamily],
    ['Max Address Length', entry.maxAddressLength],
    ['Min Address Length', entry.minAddressLength],
    ['Socket Type', entry.socketType],
    ['Protocol', entry.protocol],
    ['Service Flags', `0x${(entry.serviceFlags >>> 0).toString(16)}`],
    ['Protocol Chain Length', entry.protocolChainLength],
  ];
  // A base provider's chain is itself, and is not listed.
  if (entry.protocolChainLength > 1) rows.push(['Protocol Chain', entry.protocolChain.join(' : ')]);
  const lines = rows.map(([name, value]) => `${name}:`.padEnd(VALUE_COLUMN) + value);
  return ['', 'Winsock Catalog Provider Entry', '-'.repeat(RULE_LENGTH), ...lines, ''].join('\n');
}

/** A GUID as Windows prints it. */
function braced(guid: string): string {
  return guid.startsWith('{') ? guid : `{${guid}}`;
}

const VALUE_COLUMN = 36;
const RULE_LENGTH = 54;
