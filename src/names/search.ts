/**
 * Which full names a short one may stand for, in the order in which Windows tries them.
 *
 * - A trailing dot ends the search: the name is what it is.
 * - One label: with each suffix in turn; as it is only where there is no suffix, since a single label means nothing to DNS.
 * - Several labels: as they are; with the suffixes after that only if so configured (`AppendToMultiLabelName`), which Windows
 *   leaves off since it makes `www.example.com` ask for `www.example.com.corp.example`.
 */

import { fitsWire, labelsOf, type TypedName } from './name.ts';

export interface SearchOptions {
  readonly searchList: readonly string[];
  readonly appendsToMultiLabel: boolean;
}

export function candidateNames({ name, isAbsolute }: TypedName, options: SearchOptions): string[] {
  if (isAbsolute || name === '') return [name];
  const suffixed = options.searchList.map((suffix) => `${name}.${suffix}`).filter(fitsWire);
  if (isSingleLabel(name)) return suffixed.length > 0 ? suffixed : [name];
  return options.appendsToMultiLabel ? [name, ...suffixed] : [name];
}

export function isSingleLabel(name: string): boolean {
  return name !== '' && labelsOf(name).length === 1;
}
