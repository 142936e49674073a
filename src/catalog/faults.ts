/**
 * Why a change could not be made that is right in itself, in the codes that the function behind it documents (9.3).
 */

import { WSA_NOT_ENOUGH_MEMORY, WSAEACCES, WSANO_RECOVERY, WSASYSCALLFAILURE } from '../abi/index.ts';
import type { CatalogChange } from '../port/index.ts';

/** The caller or this process may not write it; there is no room for it; the disk or the system has failed. */
export type CatalogFault = 'forbidden' | 'full' | 'failed';

type Kind = CatalogChange['kind'];

/** Functions that document no "not enough memory". */
const WITHOUT_FULL = new Set<Kind>(['uninstall-name-space', 'enable-name-space', 'write-name-space-order']);
/** Functions that document no "system call failure". */
const WITHOUT_FAILED = new Set<Kind>([
  'deinstall-provider',
  'write-order',
  'set-lsp-categories',
  'set-application-category',
  'write-name-space-order',
]);

export function faultCode(kind: Kind, fault: CatalogFault): number {
  if (fault === 'forbidden') return kind === 'install-name-space' ? WSAEACCES : WSANO_RECOVERY;
  if (fault === 'full' && !WITHOUT_FULL.has(kind)) return WSA_NOT_ENOUGH_MEMORY;
  return WITHOUT_FAILED.has(kind) ? WSANO_RECOVERY : WSASYSCALLFAILURE;
}
