/**
 * One change applied to a catalog: the new catalog, or the WSA code that says why not. Pure: the same in memory, on disk and in a test.
 */

import { WSAEINVAL } from '../abi/index.ts';
import type { CatalogChange } from '../port/index.ts';
import {
  installQosTemplate,
  permitProviders,
  removeQosTemplate,
  setApplicationCategory,
  setLspCategories,
} from './application-changes.ts';
import { installChains, removeEntry, withoutLayers } from './chain-changes.ts';
import { importMobile } from './mobile-import.ts';
import {
  enableNameSpace,
  installNameSpace,
  uninstallNameSpace,
  writeNameSpaceOrder,
} from './name-space-changes.ts';
import { deinstallProvider, installProvider, updateProvider, writeOrder } from './protocol-changes.ts';
import { type CatalogState, type ChangeContext, type ChangeOutcome, changed, freshState } from './state.ts';

/** @returns a WSA code above 0 when nothing is changed */
export function applyChange(
  state: CatalogState,
  change: CatalogChange,
  context: ChangeContext,
): ChangeOutcome | number {
  switch (change.kind) {
    case 'install-provider':
      return installProvider(state, change);
    case 'install-chains':
      return installChains(state, change, context);
    case 'update-provider':
      return updateProvider(state, change, context);
    case 'deinstall-provider':
      return deinstallProvider(state, change, context);
    case 'remove-entry':
      return removeEntry(state, change, context);
    case 'write-order':
      return writeOrder(state, change);
    case 'set-lsp-categories':
      return setLspCategories(state, change);
    case 'set-application-category':
      return setApplicationCategory(state, change);
    case 'permit-providers':
      return permitProviders(state, change);
    case 'install-name-space':
      return installNameSpace(state, change);
    case 'uninstall-name-space':
      return uninstallNameSpace(state, change);
    case 'enable-name-space':
      return enableNameSpace(state, change);
    case 'write-name-space-order':
      return writeNameSpaceOrder(state, change);
    case 'install-qos-template':
      return installQosTemplate(state, change);
    case 'remove-qos-template':
      return removeQosTemplate(state, change);
    case 'reset':
      return changed(
        change.what === 'all'
          ? { ...freshState(context.defaults), nextId: state.nextId }
          : withoutLayers(state),
      );
    case 'restore': {
      const earlier = context.earlier(change.serial);
      // Ids that were given out since are not given out again (CAT-CHAIN-09).
      return earlier === null
        ? WSAEINVAL
        : changed({ ...earlier, nextId: Math.max(earlier.nextId, state.nextId) });
    }
    case 'import-mobile':
      return importMobile(state, change.text, context);
  }
}
