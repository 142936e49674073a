/** `winsockd arp`: the neighbours of the stack with their hardware addresses, as Windows lists and sets them. */

import type { Command } from 'commander';
import type { NeighborStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { isForPeople, table } from '../render.ts';
import { readInteger } from '../units.ts';

interface ArpOptions {
  readonly all?: boolean;
  readonly set?: boolean;
  readonly delete?: boolean;
  readonly interface?: number;
}

export function arpCommand(session: Session): Command {
  return leaf<ArpOptions>(session, 'arp', 'list, set and delete neighbours', async (invocation) => {
    const { options, args } = invocation;
    if (options.set === true) return set(invocation, args);
    if (options.delete === true) return remove(invocation, args);
    return list(invocation, args[0]);
  })
    .argument('[address]', 'the neighbour; with -d, * is all of them')
    .argument('[mac]', 'with -s: its hardware address, 02-00-00-00-00-01 or with colons')
    .option('-a, --all', 'list them (also without it), or what is known of one address')
    .option('-s, --set', 'set the hardware address of a neighbour: it does not change any more')
    .option('-d, --delete', 'delete a neighbour, or all')
    .option('-i, --interface <index>', 'of one interface only', (text) =>
      readInteger('--interface', text, 1, 65_535),
    );
}

async function list(
  { client, options, print, context }: Invocation<ArpOptions>,
  address?: string,
): Promise<ExitCode> {
  const all = await client.get<NeighborStatus[]>('/v1/neighbors');
  const neighbors = all.filter(
    (each) =>
      (address === undefined || each.address === address) &&
      (options.interface === undefined || each.interfaceIndex === options.interface),
  );
  print(neighbors, () => neighborsText(neighbors, isForPeople(context)));
  return address !== undefined && neighbors.length === 0 ? ExitCode.no : ExitCode.ok;
}

async function set(
  { client, options, print }: Invocation<ArpOptions>,
  args: readonly string[],
): Promise<ExitCode> {
  const [address, mac] = args;
  if (address === undefined || mac === undefined)
    throw usageError('-s', '', 'an address and its hardware address');
  const body = { mac, ...(options.interface === undefined ? {} : { interface: options.interface }) };
  const answer = await client.ask('PUT', `/v1/neighbors/${encodeURIComponent(address)}`, { body });
  print(answer, () => '');
  return ExitCode.ok;
}

async function remove(
  { client, options, print }: Invocation<ArpOptions>,
  args: readonly string[],
): Promise<ExitCode> {
  const [address] = args;
  if (address === undefined) throw usageError('-d', '', 'an address, or * for all');
  const query = options.interface === undefined ? '' : `?interface=${options.interface}`;
  const answer = await client.ask('DELETE', `/v1/neighbors/${encodeURIComponent(address)}${query}`);
  print(answer, () => '');
  return ExitCode.ok;
}

/** A table for each interface, hardware addresses with hyphens as Windows has them. */
function neighborsText(neighbors: readonly NeighborStatus[], isBold: boolean): string {
  const indexes = [...new Set(neighbors.map(({ interfaceIndex }) => interfaceIndex))];
  if (indexes.length === 0) return 'No ARP Entries Found.\n';
  return indexes
    .map((index) => {
      const own = neighbors.filter(({ interfaceIndex }) => interfaceIndex === index);
      const [{ interface: name } = { interface: '' }] = own;
      return `Interface: ${name} --- 0x${index.toString(16)}\n${rowsText(own, isBold)}`;
    })
    .join('\n');
}

function rowsText(neighbors: readonly NeighborStatus[], isBold: boolean): string {
  return table(
    neighbors,
    [
      { title: 'Internet Address', value: ({ address }) => address },
      { title: 'Physical Address', value: ({ mac }) => mac?.replaceAll(':', '-') ?? '' },
      { title: 'Type', value: ({ isStatic }) => (isStatic ? 'static' : 'dynamic') },
      { title: 'State', value: ({ state }) => state },
      {
        title: 'Age',
        align: 'right',
        value: ({ ageSeconds, isStatic }) =>
          ageSeconds === null || isStatic ? '' : `${Math.round(ageSeconds)} s`,
      },
    ],
    isBold,
  );
}
