/** Why a change was refused, for people: each names what was asked for. */

import { expect, test } from '@jest/globals';
import { WSA_NOT_ENOUGH_MEMORY, WSAEINVAL, WSANO_RECOVERY } from '../../../src/abi/index.ts';
import { describeRefusal } from '../../../src/catalog/index.ts';
import type { CatalogChange } from '../../../src/port/index.ts';
import { CHANGES } from './every-change.ts';
import { Bench, guid, installChains } from './support.ts';

/** A change that is refused, and what is said. */
function refused(bench: Bench, change: CatalogChange): string | null {
  const error = bench.apply(change);
  if (typeof error !== 'number') throw new Error('it was made');
  return describeRefusal(change, error);
}

test.each<[CatalogChange, RegExp]>([
  [{ kind: 'remove-entry', id: 4711 }, /^no layered provider has the entry 4711;/],
  [{ kind: 'remove-entry', id: 1001 }, /^what is built in stays/],
  [{ kind: 'deinstall-provider', providerId: guid(9) }, /GUID .*-000000000009/],
  [{ kind: 'uninstall-name-space', providerId: guid(9) }, /^no name-space provider has the GUID/],
  [{ kind: 'restore', serial: 77 }, /^the catalog of serial 77 is not kept; winsockd catalog history/],
  [{ kind: 'write-order', ids: [1] }, /each of the catalog’s entries once/],
  [installChains(1), /^it is installed already/],
  [{ ...installChains(2), name: 'LSP 1' } as CatalogChange, /is called "LSP 1"/],
])('%j', (change, text) => {
  const bench = new Bench();
  bench.apply(installChains(1));
  expect(refused(bench, change)).toMatch(text);
});

test('every kind has words for a full disk and for one that may not be written, in one line of printable text', () => {
  for (const change of Object.values(CHANGES)) {
    for (const error of [WSA_NOT_ENOUGH_MEMORY, WSANO_RECOVERY]) {
      expect(describeRefusal(change, error)).toMatch(/^[^\p{Cc}]+$/u);
    }
  }
  const hostile: CatalogChange = { ...CHANGES['install-chains'], name: 'a\u001b[2J\nb' };
  expect(describeRefusal(hostile, WSAEINVAL)).toContain('"a?[2J?b"');
});
