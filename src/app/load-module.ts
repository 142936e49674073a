/**
 * Modules of installed providers, by the path that they were installed with. `%NAME%` is a variable of the environment there, as in
 * the paths that Windows keeps (CAT-LOAD-04).
 */

import { resolve } from 'node:path';
import { env } from 'node:process';
import { pathToFileURL } from 'node:url';
import type { NameSpaceModule } from '../spi/index.ts';

/** Imports one. Rejects when it can't be imported. */
export async function loadNameSpace(path: string): Promise<NameSpaceModule> {
  return import(pathToFileURL(resolve(expanded(path))).href);
}

/** A path with its variables filled in; one that is not set stays as it is written. */
export function expanded(path: string): string {
  return path.replace(/%([^%]+)%/g, (whole, name: string) => env[name] ?? whole);
}
