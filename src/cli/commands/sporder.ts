/**
 * `winsockd sporder`: the order of the catalog, as Windows' sporder.exe shows and changes it. `socket` takes the first entry that matches.
 *
 *     winsockd sporder                   lists the entries
 *     winsockd sporder top 1008          moves one before all others
 *     winsockd sporder up 1008           moves one up by a place; down, bottom likewise
 *     winsockd sporder before 1008 1001  moves one right before another
 */

import { Command } from 'commander';
import type { CatalogEntryStatus } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { isForPeople, printable, table } from '../render.ts';
import { readInteger } from '../units.ts';
import { makeChange } from './catalog-changes.ts';

/** Where an entry goes, of those without it: by the place that it had. */
type Move = (place: number, others: readonly number[]) => number;

export function sporderCommand(session: Session): Command {
  const moving = (name: string, summary: string, place: Move): Command =>
    leaf(session, name, summary, (invocation) => move(invocation, place)).argument(
      '<id>',
      'a catalog entry id',
    );
  return new Command('sporder')
    .description('the order of the providers')
    .addCommand(leaf(session, 'list', 'list the entries in their order', list), { isDefault: true })
    .addCommand(moving('top', 'before all others', () => 0))
    .addCommand(moving('up', 'a place up', (place) => Math.max(place - 1, 0)))
    .addCommand(moving('down', 'a place down', (place, { length }) => Math.min(place + 1, length)))
    .addCommand(moving('bottom', 'behind all others', (_, { length }) => length))
    .addCommand(
      leaf(session, 'before', 'right before another', moveBefore)
        .argument('<id>', 'a catalog entry id')
        .argument('<other>', 'the id of the one that it goes before'),
    );
}

async function list({ client, context, print }: Invocation<unknown>): Promise<ExitCode> {
  const entries = await client.get<CatalogEntryStatus[]>('/v1/catalog');
  print(entries, () =>
    table(
      entries,
      [
        { title: 'Id', align: 'right', value: ({ catalogEntryId }) => catalogEntryId },
        { title: 'Name', value: ({ description }) => printable(description) },
        { title: 'Chain', value: ({ protocolChain }) => protocolChain.join(' : ') },
        { title: 'Type', value: ({ entryType }) => entryType },
      ],
      isForPeople(context),
    ),
  );
  return ExitCode.ok;
}

function moveBefore(invocation: Invocation<unknown>): Promise<ExitCode> {
  const other = readId(invocation.args[1]);
  return move(invocation, (_, others) => placeOf(others, other));
}

async function move(invocation: Invocation<unknown>, place: Move): Promise<ExitCode> {
  const id = readId(invocation.args[0]);
  const entries = await invocation.client.get<CatalogEntryStatus[]>('/v1/catalog');
  const ids = entries.map(({ catalogEntryId }) => catalogEntryId);
  const before = placeOf(ids, id);
  const others = ids.filter((each) => each !== id);
  const order = others.toSpliced(place(before, others), 0, id);
  const at = order.indexOf(id) + 1;
  return makeChange(invocation, { kind: 'write-order', ids: order }, `entry ${id} is at place ${at}`);
}

/** @throws {CliError} when there is no such entry */
function placeOf(ids: readonly number[], id: number): number {
  const place = ids.indexOf(id);
  if (place < 0) throw new CliError(ExitCode.no, 'no-entry', `the catalog has no entry ${id}`);
  return place;
}

function readId(text = ''): number {
  return readInteger('id', text, 1, 0xffff_ffff);
}
