/**
 * A socket that its layer has failed: every call about it is WSAENETDOWN until it is closed.
 */

import { WSAENETDOWN } from '../abi/index.ts';
import { type BaseProvider, type StartedProvider, WSP_ENTRIES, type WSPPROC_TABLE } from '../spi/index.ts';
import type { HandleTable } from './handles.ts';

/** What of a process it reaches. */
interface FailingHost {
  readonly handles: HandleTable;
  readonly base: BaseProvider;
}

const FAILING = Object.fromEntries(
  WSP_ENTRIES.map((name) => [name, () => -WSAENETDOWN]),
) as unknown as WSPPROC_TABLE;

/** @param s 0: no socket */
export function failSocket({ handles, base }: FailingHost, s: number): void {
  const socket = s === 0 ? null : handles.socket(s);
  if (socket === null) return;
  const { entry, table, isIfs, chain } = socket.provider;
  const failing: StartedProvider = {
    entry,
    isIfs,
    chain,
    table: { ...FAILING, WSPCloseSocket: table.WSPCloseSocket },
  };
  socket.provider = failing;
  base.cancelOperations(s, null, null);
}
