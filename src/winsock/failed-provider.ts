/**
 * A socket that its layer has failed: every call about it, and about those that stand for it, is WSAENETDOWN until it is closed.
 */

import { WSAENETDOWN } from '../abi/index.ts';
import { type StartedProvider, type WSAOVERLAPPED, WSP_ENTRIES, type WSPPROC_TABLE } from '../spi/index.ts';
import type { HandleTable } from './handles.ts';

/** What of a process it reaches. */
interface FailingHost {
  readonly handles: HandleTable;
  cancelOperations(s: number, lpOverlapped: WSAOVERLAPPED | null, thread: number | null): number;
}

const FAILING = Object.fromEntries(
  WSP_ENTRIES.map((name) => [name, () => -WSAENETDOWN]),
) as unknown as WSPPROC_TABLE;

/** @param s 0: no socket */
export function failSocket(process: FailingHost, s: number): void {
  const socket = s === 0 ? null : process.handles.socket(s);
  if (socket === null) return;
  const { entry, table, isIfs, chain } = socket.provider;
  const failing: StartedProvider = {
    entry,
    isIfs,
    chain,
    table: { ...FAILING, WSPCloseSocket: table.WSPCloseSocket },
  };
  socket.provider = failing;
  process.cancelOperations(s, null, null);
  if (process.handles.ownSockets > 0)
    for (const above of process.handles.above(s)) failSocket(process, above);
}
