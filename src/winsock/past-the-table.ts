/**
 * What ws2_32 asks about a socket that has no entry in the table: readiness for WSAPoll and for notifications (SPI-GEN-04). A handle
 * of the base provider is asked about there. For one of a layer's own making the layer names the handle that counts, by
 * SIO_BSP_HANDLE_POLL, or keeps readiness itself.
 */

import { SIO_BSP_HANDLE_POLL } from '../abi/index.ts';
import { i32le } from '../base/index.ts';
import type { Answer, BaseProvider, WSAPOLLFD } from '../spi/index.ts';
import type { HandleTable } from './handles.ts';

/** What of a process it reaches. */
export interface PollHost {
  readonly handles: HandleTable;
  readonly base: BaseProvider;
}

/** Bytes of a SOCKET. */
const SOCKET_LEN = 8;

/** WSAPoll over sockets of any owner. @param timeout ms; negative: none */
export function pollHandles(process: PollHost, fds: readonly WSAPOLLFD[], timeout: number): Answer {
  if (process.handles.ownSockets === 0) return process.base.poll(fds, timeout);
  const below = fds.map(({ fd, events }) => ({ fd: handleBelow(process, fd), events, revents: 0 }));
  const finish = (answer: number): number => {
    for (const [i, fd] of fds.entries()) fd.revents = below[i]?.revents ?? 0;
    return answer;
  };
  const answer = process.base.poll(below, timeout);
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}

/** Has readiness told once; see `BaseProvider.watch`. */
export function watchHandle(
  process: PollHost,
  s: number,
  filter: number,
  tell: (events: number) => void,
): (() => void) | null {
  return process.base.watch(handleBelow(process, s), filter, tell);
}

/** The handle of the base provider that a socket stands on; 0 when there is none. */
function handleBelow({ handles }: PollHost, s: number): number {
  const socket = handles.socket(s);
  if (socket === null || !socket.isOwn) return s;
  const into = new Uint8Array(SOCKET_LEN);
  const { table } = socket.provider;
  const answer = table.WSPIoctl(s, SIO_BSP_HANDLE_POLL, null, 0, into, SOCKET_LEN, null, null, null);
  return typeof answer === 'number' && answer >= 0 ? i32le(into, 0) >>> 0 : 0;
}
