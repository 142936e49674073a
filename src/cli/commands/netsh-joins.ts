/**
 * `winsockd netsh interface ipv4|ipv6 show joins`: the multicast groups that interfaces listen to, as netsh lists them.
 */

import type { Command } from 'commander';
import type { GroupStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { isForPeople, table } from '../render.ts';

export function showJoins(session: Session, family: 4 | 6): Command {
  const words = 'list the multicast groups that interfaces listen to';
  return leaf(session, 'joins', words, async ({ client, args, context, print }) => {
    const named = args[0];
    const all = await client.get<GroupStatus[]>('/v1/groups');
    const joins = all.filter(
      ({ group, interfaceIndex, interface: name }) =>
        group.includes(':') === (family === 6) &&
        (named === undefined || named === name || named === String(interfaceIndex)),
    );
    print(joins, () => joinsText(joins, isForPeople(context)));
    return ExitCode.ok;
  }).argument('[interface]', 'its index or name');
}

/** One table an interface, as netsh has it; the filter is ours to add. */
function joinsText(joins: readonly GroupStatus[], isBold: boolean): string {
  const indexes = [...new Set(joins.map(({ interfaceIndex }) => interfaceIndex))];
  return indexes
    .map((index) => {
      const rows = joins.filter(({ interfaceIndex }) => interfaceIndex === index);
      const columns = [
        { title: 'Scope', align: 'right' as const, value: ({ scope }: GroupStatus) => scope },
        { title: 'References', align: 'right' as const, value: ({ members }: GroupStatus) => members },
        { title: 'Last', value: ({ isReporter }: GroupStatus) => (isReporter ? 'Yes' : 'No') },
        { title: 'Address', value: ({ group }: GroupStatus) => group },
        { title: 'Sources', value: sourcesText },
      ];
      return `Interface ${index}: ${rows[0]?.interface ?? ''}\n\n${table(rows, columns, isBold)}`;
    })
    .join('\n');
}

function sourcesText({ mode, sources }: GroupStatus): string {
  if (mode === 'exclude') return sources.length === 0 ? 'all' : `all but ${sources.join(', ')}`;
  return sources.join(', ');
}
