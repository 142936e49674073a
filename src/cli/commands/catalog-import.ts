/**
 * `winsockd catalog import`: the layered providers of a Windows Mobile device, from an export of its registry. A DLL of the device runs
 * nowhere here: the SSL provider's is replaced by the one that ships, for the others `--module` says what stands for them.
 *
 *     winsockd catalog import lsp.reg
 *     winsockd catalog import lsp.reg --module autoproxy.dll=./autoproxy.mjs
 */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  decodeRegistryText,
  type MobileProvider,
  readMobileProviders,
  writeMobileProviders,
} from '../../catalog/index.ts';
import { type Invocation, leaf, type Session } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { printable } from '../render.ts';
import { makeChange } from './catalog-changes.ts';
import { modulePath } from './catalog-name-spaces.ts';

interface ImportOptions {
  readonly module?: readonly string[];
}

/** Largest export that is read, bytes: the whole registry of a device is smaller. */
const MOST_BYTES = 64 << 20;
/** DLLs of devices whose work a module of this package does. */
const SHIPPED: readonly (readonly [string, string])[] = [['ssllsp.dll', 'winsockd/layers/tls']];

export function catalogImportCommand(session: Session): Command {
  return leaf<ImportOptions>(session, 'import', 'layered providers of a Windows Mobile device', importMobile)
    .argument('<file>', 'an export of HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP, or of all of it')
    .addOption(
      new Option('--module <dll=module>', 'what stands for a DLL; may be repeated').argParser(
        (text, before: readonly string[] | undefined) => [...(before ?? []), text],
      ),
    );
}

function importMobile(invocation: Invocation<ImportOptions>): Promise<ExitCode> {
  const { args, context, options } = invocation;
  const [file = ''] = args;
  const modules = new Map([...SHIPPED, ...(options.module ?? []).map((text) => readModule(context, text))]);
  const providers = readFile(context, file).map((provider) => placed(provider, modules));
  const list = providers.map(({ name, path }) => `${name} from ${path}`).join(', ');
  const change = { kind: 'import-mobile', text: writeMobileProviders(providers) } as const;
  return makeChange(invocation, change, `imported ${file}: ${list}`);
}

/** @throws {CliError} naming the line where something is wrong */
function readFile({ machine, directory }: Context, file: string): readonly MobileProvider[] {
  const bytes = machine.readBytes(resolve(directory, file), MOST_BYTES);
  if (bytes === null) throw new CliError(ExitCode.no, 'no-file', `${file} can't be read`);
  const wrong = (why: string): CliError =>
    new CliError(ExitCode.no, 'wrong-file', printable(`${file}${why}`));
  if (bytes.length > MOST_BYTES) throw wrong(` has more than ${MOST_BYTES} bytes`);
  const text = decodeRegistryText(bytes);
  if (text === null) throw wrong(' is no text: neither UTF-16 nor UTF-8 nor a code page');
  const read = readMobileProviders(text, MOST_BYTES);
  if ('why' in read) throw wrong(read.line === 0 ? `: ${read.why}` : `:${read.line}: ${read.why}`);
  return read;
}

/** The provider with the module that does its work here. */
function placed(provider: MobileProvider, modules: ReadonlyMap<string, string>): MobileProvider {
  const { name, path } = provider;
  const dll = path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1).toLowerCase();
  const module = modules.get(dll);
  if (module !== undefined) return { ...provider, path: module };
  if (!dll.endsWith('.dll')) return provider;
  throw new CliError(
    ExitCode.no,
    'no-module',
    printable(`${name}: nothing here does the work of ${dll}; name a module: --module ${dll}=./layer.mjs`),
  );
}

function readModule(context: Context, text: string): [string, string] {
  const at = text.indexOf('=');
  const [dll, module] = [text.slice(0, at).toLowerCase(), text.slice(at + 1)];
  if (at < 1 || module === '') throw usageError('--module', text, 'DLL=MODULE');
  return [dll, modulePath(module, context.directory)];
}
