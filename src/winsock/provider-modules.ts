/**
 * Provider modules: ES modules that export `WSPStartup`, by that name or as their default, or a name space's `NSPStartup`
 * or `NSPv2Routine`.
 */

import { resolve } from 'node:path';
import { env } from 'node:process';
import { pathToFileURL } from 'node:url';
import type { NameSpaceModule, WSPStartup } from '../spi/index.ts';

/** What a module may export. */
interface ProviderModule {
  readonly WSPStartup?: unknown;
  readonly default?: unknown;
}

/** %NAME%, as installers write paths. */
const VARIABLE = /%([^%]+)%/g;
/** A path, not the name of a package: `/…`, `.…`, `C:\\…`, `\\\\…`. */
const FILE_PATH = /^(?:[./\\]|[A-Za-z]:[/\\])/;

/** Replaces variables of the environment, whatever their case; unknown ones stay. */
export function expandEnvironment(path: string, variables: NodeJS.ProcessEnv = env): string {
  return path.replace(VARIABLE, (whole, name: string) => {
    const key = Object.keys(variables).find((known) => known.toLowerCase() === name.toLowerCase());
    return (key === undefined ? undefined : variables[key]) ?? whole;
  });
}

/** The specifier that imports what was installed at a path. */
export function moduleSpecifier(path: string): string {
  const expanded = expandEnvironment(path);
  return FILE_PATH.test(expanded) ? pathToFileURL(resolve(expanded)).href : expanded;
}

/**
 * Loads a provider. A module is loaded once, whoever asks.
 * @param path a file, a `file:` URL or a package's module
 * @throws {Error} when there is no such module, or it exports no WSPStartup
 */
export async function loadModule(path: string): Promise<WSPStartup> {
  const loaded: ProviderModule = await import(moduleSpecifier(path));
  const startup = loaded.WSPStartup ?? loaded.default;
  if (typeof startup !== 'function') throw new Error('it exports no WSPStartup');
  return startup as WSPStartup;
}

/**
 * Loads a name-space provider; whoever starts it looks at its exports.
 * @throws {Error} when there is no such module
 */
export async function loadNameSpaceModule(path: string): Promise<NameSpaceModule> {
  return import(moduleSpecifier(path));
}
