/**
 * One user's way to a catalog that is in this process: `CatalogPort` with the rights that the user has.
 */

import type { CatalogPort } from '../port/index.ts';
import { faultCode } from './faults.ts';
import type { CatalogKeeper, CatalogWriter } from './keeper.ts';

/** @param mayWrite whether the user may change anything; anyone may read */
export function catalogPort(keeper: CatalogKeeper, who: CatalogWriter, mayWrite: boolean): CatalogPort {
  const watches = new Set<() => void>();
  return {
    read: () => keeper.read(),
    apply: (change) =>
      mayWrite
        ? keeper.apply(change, who)
        : { error: faultCode(change.kind, 'forbidden'), serial: keeper.read().serial, ids: [], previous: 0 },
    watch(tell) {
      const stop = keeper.watch(tell);
      watches.add(stop);
      return () => {
        watches.delete(stop);
        stop();
      };
    },
    history: () => keeper.history(),
    close() {
      for (const stop of watches) stop();
      watches.clear();
    },
  };
}
