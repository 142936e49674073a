/**
 * The entries of a poll, and how the answers of layers and of the base provider are read.
 */

import {
  type fd_set,
  POLLERR,
  POLLHUP,
  POLLRDNORM,
  SO_ERROR,
  SOL_SOCKET,
  type TIMEVAL,
} from '../../abi/index.ts';
import { i32le } from '../../base/index.ts';
import { AfdPollEvent } from '../../port/index.ts';
import type { Answer, StartedProvider, WSAPOLLFD } from '../../spi/index.ts';
import type { ChainSocket } from './chain-socket.ts';

const { receive, receiveExpedited, send, disconnect, abort, connect, accept, connectFail } = AfdPollEvent;
export const READ = receive | accept;
const WRITE = send | connect;
const EXCEPT = connectFail | receiveExpedited;
export const FAILED = abort | connectFail;
/** What only the base provider tells. */
export const ENDED = disconnect | abort;

/** One entry. */
export interface Asked {
  readonly descriptor: number;
  readonly mask: number;
  /** `null`: it has no layer, or is none at all. */
  readonly socket: ChainSocket | null;
  readonly isDirect: boolean;
  happened: number;
  error: number;
  /** It was closed while the poll waits. */
  isClosed: boolean;
}

/** The sockets of one layer, as it is asked about them. */
export class Group {
  readonly provider: StartedProvider;
  readonly entries: Asked[] = [];

  constructor(provider: StartedProvider) {
    this.provider = provider;
  }

  select(timeout: TIMEVAL | null): { answer: Answer; sets: readonly fd_set[] } | null {
    const sets = [READ, WRITE, EXCEPT].map((events) => ({
      fd_array: this.entries
        .filter(({ mask, isClosed }) => !isClosed && (mask & events) !== 0)
        .map(({ socket }) => (socket as ChainSocket).handle),
    }));
    const [reads, writes, excepts] = sets as [fd_set, fd_set, fd_set];
    if (sets.every(({ fd_array }) => fd_array.length === 0)) return null;
    const answer = this.provider.table.WSPSelect(
      0,
      reads.fd_array.length > 0 ? reads : null,
      writes.fd_array.length > 0 ? writes : null,
      excepts.fd_array.length > 0 ? excepts : null,
      timeout,
    );
    return { answer, sets };
  }
}

/** AfdPollEvent bits of what a layer and the base provider say. */
export function eventsOf(
  socket: ChainSocket,
  revents: number,
  isReadable: boolean,
  isWritable: boolean,
  isOdd: boolean,
): number {
  let events = 0;
  const hasFailed = (revents & POLLERR) !== 0;
  const hasEnded = (revents & POLLHUP) !== 0 && !hasFailed;
  if (hasFailed) events |= isOdd ? connectFail : abort;
  else if (isOdd) events |= receiveExpedited;
  if (hasEnded) events |= disconnect;
  // A select says readable of an end, too; a layer may have more than the provider below it knows.
  const hasMore = (revents & POLLRDNORM) !== 0 || !(hasEnded || hasFailed);
  if (isReadable && hasMore) events |= socket.isListening ? accept : receive;
  if (isWritable && !hasFailed) events |= WRITE;
  return events;
}

/** The code behind a failure. */
export async function errorOf({ table, handle }: ChainSocket): Promise<number> {
  const value = new Uint8Array(4);
  const answer = await table.WSPGetSockOpt(handle, SOL_SOCKET, SO_ERROR, value, { value: 4 });
  return answer < 0 ? 0 : i32le(value, 0);
}

export function pollfds(entries: readonly Asked[], events: number): WSAPOLLFD[] {
  return entries
    .filter(({ isClosed, socket }) => !isClosed && socket !== null && socket.baseHandle !== 0)
    .map(({ socket }) => ({ fd: (socket as ChainSocket).baseHandle, events, revents: 0 }));
}

export const NO_TIME: TIMEVAL = { tv_sec: 0, tv_usec: 0 };

export function timeval(ms: number): TIMEVAL | null {
  if (!Number.isFinite(ms)) return null;
  return { tv_sec: Math.floor(ms / 1000), tv_usec: Math.ceil((ms % 1000) * 1000) };
}

/** A time-out of the port: whole ms, −1 for none. */
export function whole(ms: number): number {
  return Number.isFinite(ms) ? Math.ceil(ms) : -1;
}
