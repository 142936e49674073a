/** `winsockd spi new NAME`: a provider to begin with, and a test of it that runs. Needs no daemon and no rights. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type Invocation, leaf, type Session } from '../command.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { layerFiles, nameSpaceFiles } from './spi-files.ts';

interface NewOptions {
  readonly directory?: string;
  readonly ownHandles?: boolean;
  readonly nameSpace?: boolean;
}

/** What `spi new --json` answers. */
export interface NewProvider {
  readonly name: string;
  readonly directory: string;
  readonly files: readonly string[];
}

/** As npm names packages, and short enough for a catalog entry. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

export function spiCommand(session: Session): Command {
  return new Command('spi')
    .description('write service providers')
    .addCommand(
      leaf<NewOptions>(session, 'new', 'make a provider with a test that runs', makeNew)
        .argument('<name>', 'what it is called: letters, digits and hyphens')
        .addOption(new Option('--directory <path>', 'where to; a new folder of that name when absent'))
        .addOption(new Option('--own-handles', 'sockets get handles of the layer’s own'))
        .addOption(new Option('--name-space', 'one that finds names').conflicts('ownHandles')),
    );
}

async function makeNew({ context, options, args, print }: Invocation<NewOptions>): Promise<ExitCode> {
  const [name = ''] = args;
  if (!NAME.test(name)) throw usageError('the name', name, 'lower-case letters, digits and hyphens');
  const directory = resolve(context.directory, options.directory ?? name);
  const home = dirname(context.machine.packageFile);
  const { ownHandles: hasOwnHandles = false, nameSpace: isNameSpace = false } = options;
  const files = isNameSpace
    ? nameSpaceFiles(name, home)
    : layerFiles(name, home, hasOwnHandles ? 'own' : 'system');
  try {
    mkdirSync(directory, { recursive: true });
    for (const { path, text } of files) writeFileSync(join(directory, path), text, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      throw new CliError(ExitCode.notPermitted, 'not-permitted', message);
    throw new CliError(
      ExitCode.no,
      'not-written',
      code === 'EEXIST' ? `${message}: it stays as it is` : message,
    );
  }
  const made: NewProvider = { name, directory, files: files.map(({ path }) => path) };
  print(
    made,
    () =>
      `${made.files.map((path) => `${join(directory, path)}\n`).join('')}` +
      `\n  cd ${directory} && npm install && npm test\n` +
      `  winsockd catalog ${isNameSpace ? 'install-name-space' : 'install'} ${join(directory, `${name}.mjs`)}` +
      ` --name ${name}${isNameSpace || hasOwnHandles ? '' : ' --ifs'}\n`,
  );
  return ExitCode.ok;
}
