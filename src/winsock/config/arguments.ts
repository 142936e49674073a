/**
 * Checks that all configuration functions make of their arguments before the catalog is asked.
 */

import { NO_ERROR, WSAEFAULT, WSANO_RECOVERY } from '../../abi/index.ts';
import type { CatalogAnswer, CatalogChange, CatalogPort, CatalogSnapshot } from '../../port/index.ts';
import type { Answer } from '../../spi/index.ts';

/** The items that a caller hands in with their number; minus WSAEFAULT where there are none, or fewer than it says. */
export function counted<Item>(list: readonly Item[] | null, count: number): readonly Item[] | number {
  if (list === null || !Number.isInteger(count) || count < 0 || count > list.length) return -WSAEFAULT;
  return list.slice(0, count);
}

/** A GUID in the form in which the catalog has it. */
export function plainGuid(text: string): string {
  return text.replace(/[{}]/g, '').toUpperCase();
}

/** Has a change made. @returns what `done` makes of its answer, or minus the WSA code */
export function applied(
  port: CatalogPort,
  change: CatalogChange,
  done: (answer: CatalogAnswer) => number = () => NO_ERROR,
): Answer {
  const finish = (answer: CatalogAnswer): number =>
    answer.error === NO_ERROR ? done(answer) : -answer.error;
  return then(port.apply(change), finish);
}

/** What `find` sees in the catalog as it is kept now; minus WSANO_RECOVERY where it can't be reached. */
export function looked(port: CatalogPort, find: (snapshot: CatalogSnapshot) => number): Answer {
  return then(port.read(), (snapshot) => (snapshot === null ? -WSANO_RECOVERY : find(snapshot)));
}

function then<Value>(value: Value | Promise<Value>, next: (value: Value) => number): Answer {
  return value instanceof Promise ? value.then(next) : next(value);
}
