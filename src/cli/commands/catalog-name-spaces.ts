/**
 * `winsockd catalog …` for name spaces: who is asked for names, and who no more.
 *
 *     winsockd catalog install-name-space ./phone-book.mjs --name "Phone book"
 *     winsockd catalog remove-name-space 5F7E1A11-0000-4000-8000-000000000001
 */

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NS_NETDES, parseGuid } from '../../abi/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import { type ExitCode, usageError } from '../exit-codes.ts';
import { readInteger } from '../units.ts';
import { makeChange } from './catalog-changes.ts';

interface InstallOptions {
  readonly name: string;
  readonly id?: string;
  readonly nameSpace?: string;
  readonly v2?: boolean;
}

const DWORD_MAX = 0xffff_ffff;

/** `install-name-space`. */
export function installNameSpaceCommand(session: Session): Command {
  return leaf<InstallOptions>(
    session,
    'install-name-space',
    'a provider that finds names, asked after those that are there',
    installNameSpace,
  )
    .argument('<module>', 'its file, or the name of a package’s module')
    .requiredOption('--name <name>', 'what it is called')
    .option('--id <guid>', 'its GUID; a new one unless given')
    .option('--name-space <number>', `NS_*, which lookups may ask for by itself; ${NS_NETDES} unless given`)
    .addOption(new Option('--v2', 'its module exports NSPv2Routine'));
}

/** `remove-name-space`. */
export function removeNameSpaceCommand(session: Session): Command {
  return leaf(session, 'remove-name-space', 'a name-space provider', removeNameSpace).argument(
    '<guid>',
    'its Provider ID in the catalog',
  );
}

function installNameSpace(invocation: Invocation<InstallOptions>): Promise<ExitCode> {
  const { args, context, options } = invocation;
  const { name, id = randomUUID(), nameSpace = String(NS_NETDES), v2 = false } = options;
  if (parseGuid(id) === null) throw usageError('--id', id, 'a GUID');
  const change = {
    kind: 'install-name-space',
    providerId: id,
    identifier: name,
    path: modulePath(args[0] ?? '', context.directory),
    dwNameSpace: readInteger('--name-space', nameSpace, 1, DWORD_MAX),
    version: v2 ? 2 : 1,
    isV2: v2,
    blob: null,
  } as const;
  return makeChange(invocation, change, `installed ${name} {${id.replace(/[{}]/g, '').toUpperCase()}}`);
}

function removeNameSpace(invocation: Invocation<unknown>): Promise<ExitCode> {
  const [id = ''] = invocation.args;
  if (parseGuid(id) === null) throw usageError('the GUID', id, 'a Provider ID of a name-space provider');
  return makeChange(
    invocation,
    { kind: 'uninstall-name-space', providerId: id },
    `removed the name space ${id}`,
  );
}

/** What looks like a file is one of this directory, not of the daemon's. */
export function modulePath(module: string, directory: string): string {
  return /^\.{0,2}\//.test(module) ? resolve(directory, module) : module;
}
