/**
 * What commands about the provider catalog share: having a change made, and saying how to undo it.
 */

import { writeChange } from '../../catalog/index.ts';
import type { CatalogAnswer, CatalogChange } from '../../port/index.ts';
import type { Invocation } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { printable } from '../render.ts';

/**
 * Has the daemon make a change.
 * @param text what was done, one sentence
 */
export async function makeChange(
  { client, print }: Invocation<unknown>,
  change: CatalogChange,
  text: string,
): Promise<ExitCode> {
  const body = writeChange(change);
  const answer = await client.ask<CatalogAnswer>('POST', '/v1/catalog/changes', { body });
  print(
    answer,
    () => `${printable(text)}; undo: winsockd catalog restore ${Math.max(0, answer.serial - 1)}\n`,
  );
  return ExitCode.ok;
}
