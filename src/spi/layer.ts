/**
 * `defineLayer`: a layered provider in a few lines.
 *
 *     export const WSPStartup = defineLayer((next) => ({
 *       WSPConnect(s, name, ...rest) {
 *         console.log('connect', s);
 *         return next.WSPConnect(s, name, ...rest);
 *       },
 *     }));
 *
 * What the function leaves out is the provider below's. The rest is done here: finding the place in the chain, starting the next
 * provider (CAT-LOAD-03 … 05), the protocol info that each is handed, handles that ws2_32 must know (CAT-LOAD-06), cleanup.
 *
 * A layer of `handles: 'system'` (the default) passes the handles of the base provider on: an IFS layer. One of `handles: 'own'` has
 * handles of its own making, and everything about them is translated for it, so that the same function can be either: `s`, sets of
 * sockets, overlapped records, extension functions.
 */

import { startLayer } from './layer-start.ts';
import type { LayerCalls, LayerOptions } from './layer-types.ts';
import type { WSPStartup } from './provider.ts';

/** Makes the one export of a layered provider. */
export function defineLayer(calls: LayerCalls, options: LayerOptions = {}): WSPStartup {
  const startup: WSPStartup = (requested, data, info, upcalls, table) =>
    startLayer({ startup, calls, options }, requested, data, info, upcalls, table);
  return startup;
}
