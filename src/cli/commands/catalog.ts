/**
 * `winsockd catalog`: the provider catalog, its earlier states, and what applications may load.
 *
 *     winsockd catalog history                                      every change, newest first
 *     winsockd catalog restore 12                                   the catalog as it was at serial 12
 *     winsockd catalog install ./layer.mjs --name "My layer"        a layered provider over everything
 *     winsockd catalog permit /opt/app.mjs --categories firewall    what an application loads
 *     winsockd catalog check                                        what is wrong with chains, and what mends it
 *     winsockd catalog import lsp.reg                               Windows Mobile's list of layered providers
 *
 * and those of `catalog-name-spaces.ts`.
 */

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  LSP_CRYPTO_COMPRESS,
  LSP_FIREWALL,
  LSP_INBOUND_MODIFY,
  LSP_INSPECTOR,
  LSP_LOCAL_CACHE,
  LSP_OUTBOUND_MODIFY,
  LSP_PROXY,
  LSP_REDIRECTOR,
  LSP_SYSTEM,
  parseGuid,
  XP1_IFS_HANDLES,
} from '../../abi/index.ts';
import type { CatalogRecord } from '../../port/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { readInteger } from '../units.ts';
import { makeChange } from './catalog-changes.ts';
import { catalogCheckCommand } from './catalog-check.ts';
import { catalogImportCommand } from './catalog-import.ts';
import { installNameSpaceCommand, modulePath, removeNameSpaceCommand } from './catalog-name-spaces.ts';
import { recordText } from './netsh-winsock.ts';

interface InstallOptions {
  readonly name: string;
  readonly id?: string;
  readonly ifs?: boolean;
}

interface PermitOptions {
  readonly categories?: string;
  readonly providers?: string;
  readonly arguments?: string;
}

export function catalogCommand(session: Session): Command {
  const install = leaf<InstallOptions>(
    session,
    'install',
    'a layered provider over every protocol',
    installLayer,
  )
    .argument('<module>', 'its file, or the name of a package’s module')
    .requiredOption('--name <name>', 'what it is called')
    .option('--id <guid>', 'its GUID; a new one unless given')
    .addOption(new Option('--ifs', 'its sockets are those of the provider below (XP1_IFS_HANDLES)'));
  const permit = leaf<PermitOptions>(session, 'permit', 'what an application loads', permitApplication)
    .argument('<application>', 'the path of its program, or of its script')
    .option('--arguments <text>', 'only with this command line')
    .option('--categories <list>', `categories of layers: ${[...CATEGORIES.keys()].join(', ')}; or any`)
    .option('--providers <list>', 'GUIDs of layered providers; none; or any');
  return new Command('catalog')
    .description('the provider catalog: changes, undo, installation, applications')
    .addCommand(leaf(session, 'history', 'every change, newest first', history))
    .addCommand(
      leaf(session, 'restore', 'the catalog as it was', restore).argument(
        '<serial>',
        'a number of the history; 0: fresh',
      ),
    )
    .addCommand(install)
    .addCommand(installNameSpaceCommand(session))
    .addCommand(removeNameSpaceCommand(session))
    .addCommand(permit)
    .addCommand(catalogCheckCommand(session))
    .addCommand(catalogImportCommand(session));
}

async function history({ client, print }: Invocation<unknown>): Promise<ExitCode> {
  const records = await client.get<CatalogRecord[]>('/v1/catalog/history');
  print(records, () =>
    records.length === 0 ? 'the catalog was never changed\n' : records.map(recordText).join(''),
  );
  return ExitCode.ok;
}

function restore(invocation: Invocation<unknown>): Promise<ExitCode> {
  const serial = readInteger('serial', invocation.args[0] ?? '', 0, Number.MAX_SAFE_INTEGER);
  return makeChange(invocation, { kind: 'restore', serial }, `restored the catalog of serial ${serial}`);
}

function installLayer(invocation: Invocation<InstallOptions>): Promise<ExitCode> {
  const { args, context, options } = invocation;
  const [module = ''] = args;
  const { name, id = randomUUID(), ifs } = options;
  if (parseGuid(id) === null) throw usageError('--id', id, 'a GUID');
  const path = modulePath(module, context.directory);
  const serviceFlags = ifs === true ? XP1_IFS_HANDLES : 0;
  return makeChange(
    invocation,
    { kind: 'install-chains', providerId: id, path, name, serviceFlags, over: null },
    `installed ${name} {${id.replace(/[{}]/g, '').toUpperCase()}}`,
  );
}

async function permitApplication(invocation: Invocation<PermitOptions>): Promise<ExitCode> {
  const { args, context, options } = invocation;
  const { categories, providers, arguments: extra = '' } = options;
  const path = resolve(context.directory, args[0] ?? '');
  if (categories === undefined && providers === undefined) {
    throw usageError('what is permitted', 'nothing', '--categories, --providers or both');
  }
  const lists = providers === undefined ? undefined : readProviders(providers);
  const flags = categories === undefined ? undefined : readCategories(categories);
  if (flags !== undefined) {
    const change = { kind: 'set-application-category', path, extra, categories: flags } as const;
    await makeChange(invocation, change, `${path} loads layers of the categories: ${categories}`);
  }
  if (lists !== undefined) {
    const change = { kind: 'permit-providers', path, extra, providers: lists } as const;
    await makeChange(invocation, change, `${path} loads the layers: ${providers}`);
  }
  return ExitCode.ok;
}

/** Names to LSP_* bits; `null`: any. */
function readCategories(text: string): number | null {
  if (text === 'any') return null;
  let flags = 0;
  for (const name of text.split(',')) {
    const flag = CATEGORIES.get(name.trim().toLowerCase());
    if (flag === undefined)
      throw usageError('--categories', name, `${[...CATEGORIES.keys()].join(', ')} or any`);
    flags |= flag;
  }
  return flags >>> 0;
}

function readProviders(text: string): string[] | null {
  if (text === 'any') return null;
  if (text === 'none') return [];
  const ids = text.split(',').map((id) => id.trim());
  const wrong = ids.find((id) => parseGuid(id) === null);
  if (wrong !== undefined) throw usageError('--providers', wrong, 'GUIDs, none or any');
  return ids;
}

const CATEGORIES: ReadonlyMap<string, number> = new Map([
  ['system', LSP_SYSTEM],
  ['inspector', LSP_INSPECTOR],
  ['redirector', LSP_REDIRECTOR],
  ['proxy', LSP_PROXY],
  ['firewall', LSP_FIREWALL],
  ['inbound-modify', LSP_INBOUND_MODIFY],
  ['outbound-modify', LSP_OUTBOUND_MODIFY],
  ['crypto-compress', LSP_CRYPTO_COMPRESS],
  ['local-cache', LSP_LOCAL_CACHE],
]);
