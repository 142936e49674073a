/**
 * Why a change was refused, for people: the code alone speaks of arguments and sockets.
 */

import { WSA_NOT_ENOUGH_MEMORY, WSAEINVAL, WSANO_RECOVERY } from '../abi/index.ts';
import type { CatalogChange } from '../port/index.ts';
import { printable } from './describe.ts';

const MAX_LINE = 300;
const LISTS = 'winsockd netsh winsock show catalog lists what is there';

/** @returns `null` where the code says it as well */
export function describeRefusal(change: CatalogChange, error: number): string | null {
  const why = reason(change, error);
  return why === null ? null : printable(why, MAX_LINE);
}

function reason(change: CatalogChange, error: number): string | null {
  if (error === WSA_NOT_ENOUGH_MEMORY) return 'the catalog is full, or the disk that it is kept on';
  if (error === WSANO_RECOVERY) {
    return change.kind.startsWith('install-')
      ? 'it is installed already, or a chain would have more than seven entries, or the catalog may not be written'
      : 'what is built in stays as it is, or the catalog may not be written';
  }
  return error === WSAEINVAL ? unknown(change) : null;
}

function unknown(change: CatalogChange): string | null {
  switch (change.kind) {
    case 'remove-entry':
      return `no layered provider has the entry ${change.id}; ${LISTS}`;
    case 'deinstall-provider':
    case 'update-provider':
    case 'set-lsp-categories':
      return `no layered provider has the GUID ${change.providerId}, or what it is to become is no valid entry; ${LISTS}`;
    case 'uninstall-name-space':
    case 'enable-name-space':
      return `no name-space provider has the GUID ${change.providerId}; ${LISTS}`;
    case 'install-name-space':
      return `a name-space provider has the GUID ${change.providerId} already, or the path, the name or the name space is not valid; ${LISTS}`;
    case 'install-chains':
      return `another layered provider is called "${change.name}" or has that GUID, or the path or the name is not valid; ${LISTS}`;
    case 'install-provider':
      return `the path "${change.path}", the GUID or an entry is not valid`;
    case 'write-order':
      return `the order must name each of the catalog’s entries once; ${LISTS}`;
    case 'restore':
      return `the catalog of serial ${change.serial} is not kept; winsockd catalog history lists those that are`;
    default:
      return null;
  }
}
