/**
 * Containment of layers: every call of a layer goes through here, wherever in a chain the layer stands.
 *
 * A layer that throws, answers what no provider may answer, or keeps a call waiting that may not wait, is named with the call, and
 * the socket fails: WSAENETDOWN, "the network subsystem has failed", which every call may answer (SEM-C-02). The base provider's own
 * calls are not looked at, so that a socket without layers pays nothing, nor does a call that a layer leaves to it.
 */

import { WSAEINVALIDPROCTABLE, WSAEPROVIDERFAILEDINIT } from '../abi/index.ts';
import { describeValue } from '../base/index.ts';
import type { LayerFault, LayerRecord } from './chain-observer.ts';
import { Guard, trusted } from './guard-calls.ts';
import { ContainedExtensions } from './guard-extensions.ts';
import type { GuardHost } from './guard-host.ts';
import { isCompleteTable, WSP_ENTRIES, type WSPPROC_TABLE, type WSPStartup } from './provider.ts';

/** The WSPStartup of a layer as others call it. @param path where it was loaded from */
export function guardStartup(host: GuardHost, path: string, startup: WSPStartup): WSPStartup {
  const extensions = new ContainedExtensions(trusted);
  return (requested, data, info, upcalls, table) => {
    const nameOf = (): string => (typeof data?.szDescription === 'string' && data.szDescription) || path;
    const fault = (kind: LayerFault['kind'], detail: string): void =>
      host.failed({ layer: nameOf(), path, call: 'WSPStartup', s: 0, kind, detail });
    if (upcalls !== host.upcalls) {
      fault('nonsense', 'it was handed an upcall table that is not the one of ws2_32');
      return WSAEINVALIDPROCTABLE;
    }
    const own: Partial<WSPPROC_TABLE> = {};
    const { tap } = host;
    const depth = tap.starting++;
    let error: number;
    try {
      error = startup(requested, data, info, upcalls, own);
    } catch (thrown) {
      fault('threw', describeValue(thrown));
      return WSAEPROVIDERFAILEDINIT;
    } finally {
      tap.starting--;
    }
    if (typeof error !== 'number' || !Number.isInteger(error) || error < 0) {
      fault('nonsense', `it answered ${describeValue(error)}`);
      return WSAEPROVIDERFAILEDINIT;
    }
    if (error !== 0) return error;
    const record: LayerRecord = { name: nameOf(), path, chain: info, depth, sockets: new Map() };
    const guard = new Guard(host, record, own, extensions);
    if (!isCompleteTable(own)) {
      const missing = WSP_ENTRIES.filter((name) => typeof own[name] !== 'function');
      fault('nonsense', `its table has no ${missing.join(', ')}`);
      if (typeof own.WSPCleanup === 'function') void guard.cleanUp();
      return WSAEINVALIDPROCTABLE;
    }
    tap.started.push(record);
    host.observer.started?.(record);
    Object.assign(table, guard.table());
    return 0;
  };
}
