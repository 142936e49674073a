/**
 * `winsockd netsh winsock`: the provider catalog as people know it from Windows.
 *
 *     winsockd netsh winsock show catalog
 *     winsockd netsh winsock reset                 winsockd netsh winsock reset catalog
 *     winsockd netsh winsock audit trail
 *     winsockd netsh winsock remove provider 1011
 *     winsockd netsh winsock set autotuning off    winsockd netsh winsock show autotuning
 */

import { Command, Option } from 'commander';
import type { CatalogEntryStatus, CatalogRecord, CatalogSnapshot, NameSpaceEntry } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { printable } from '../render.ts';
import { readInteger } from '../units.ts';
import { makeChange } from './catalog-changes.ts';
import { setAutotuning, showAutotuning } from './netsh-autotuning.ts';

interface ResetOptions {
  readonly layers?: boolean;
}

export function netshWinsockCommand(session: Session): Command {
  const show = new Command('show')
    .description('list what is installed')
    .addCommand(leaf(session, 'catalog', 'list the Winsock catalog', showCatalog))
    .addCommand(showAutotuning(session));
  const set = new Command('set').description('change what is set').addCommand(setAutotuning(session));
  const reset = leaf<ResetOptions>(session, 'reset', 'the catalog of a fresh installation', resetCatalog)
    .argument('[catalog]', 'what to reset')
    .addOption(new Option('--layers', 'only layered providers and their chains go'));
  const audit = new Command('audit')
    .description('who changed the catalog')
    .addCommand(leaf(session, 'trail', 'list every change, newest first', auditTrail));
  const remove = new Command('remove')
    .description('take a provider away')
    .addCommand(
      leaf(
        session,
        'provider',
        'a layered provider with its chains, and out of those of others',
        removeProvider,
      ).argument('<id>', 'a catalog entry id of it'),
    );
  return new Command('winsock')
    .description('service providers')
    .addCommand(show)
    .addCommand(set)
    .addCommand(reset)
    .addCommand(audit)
    .addCommand(remove);
}

async function showCatalog({ client, print }: Invocation<unknown>): Promise<ExitCode> {
  const entries = await client.get<CatalogEntryStatus[]>('/v1/catalog');
  const { nameSpaces, skipped } = await client.get<CatalogSnapshot>('/v1/catalog/snapshot');
  print(entries, () => {
    const broken = skipped.map(({ what, why }) => `\nskipped: ${printable(what)}: ${printable(why)}\n`);
    return [...entries.map(entryText), ...nameSpaces.map(spaceText), ...broken].join('');
  });
  return ExitCode.ok;
}

function resetCatalog(invocation: Invocation<ResetOptions>): Promise<ExitCode> {
  const [what = 'catalog'] = invocation.args;
  if (what !== 'catalog') throw usageError('what to reset', what, 'catalog');
  return invocation.options.layers === true
    ? makeChange(invocation, { kind: 'reset', what: 'layers' }, 'removed every layered provider and chain')
    : makeChange(invocation, { kind: 'reset', what: 'all' }, 'reset the Winsock catalog');
}

async function auditTrail({ client, print }: Invocation<unknown>): Promise<ExitCode> {
  const records = await client.get<CatalogRecord[]>('/v1/catalog/history');
  print(records, () =>
    records.length === 0 ? 'the catalog was never changed\n' : records.map(recordText).join(''),
  );
  return ExitCode.ok;
}

function removeProvider(invocation: Invocation<unknown>): Promise<ExitCode> {
  const id = readInteger('id', invocation.args[0] ?? '', 1, 0xffff_ffff);
  return makeChange(invocation, { kind: 'remove-entry', id }, `removed the provider of entry ${id}`);
}

/** `12  2026-07-01T10:00:00.000Z  uid 0 pid 41 (node install.mjs)` and below it what was done. */
export function recordText({ serial, when, who, what, isKept }: CatalogRecord): string {
  const program = who.program === '' ? '' : ` (${printable(who.program)})`;
  const state = isKept ? '' : '  [not kept]';
  const head = `${String(serial).padStart(6)}  ${new Date(when).toISOString()}  uid ${who.uid} pid ${who.pid}${program}${state}`;
  return `${head}\n        ${printable(what)}\n`;
}

function entryText(entry: CatalogEntryStatus): string {
  const rows: Row[] = [
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
  return block('Winsock Catalog Provider Entry', rows);
}

function spaceText(space: NameSpaceEntry): string {
  return block('Name Space Provider Entry', [
    ['Description', space.identifier],
    ['Provider ID', braced(space.providerId)],
    ['Name Space', space.dwNameSpace],
    ['Active', space.isActive ? 1 : 0],
    ['Version', space.version],
  ]);
}

type Row = readonly [string, string | number];

function block(title: string, rows: readonly Row[]): string {
  const lines = rows.map(([name, value]) => `${name}:`.padEnd(VALUE_COLUMN) + printable(`${value}`));
  return ['', title, '-'.repeat(RULE_LENGTH), ...lines, ''].join('\n');
}

/** A GUID as Windows prints it. */
function braced(guid: string): string {
  return guid.startsWith('{') ? guid : `{${guid}}`;
}

const VALUE_COLUMN = 36;
const RULE_LENGTH = 54;
