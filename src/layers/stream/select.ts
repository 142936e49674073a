/**
 * WSPSelect over sockets of both kinds: those whose bytes the layer keeps, and those that the provider below answers for.
 */

import {
  type fd_set,
  SOCK_NOTIFY_EVENT_HANGUP,
  SOCK_NOTIFY_EVENT_IN,
  SOCK_NOTIFY_EVENT_OUT,
  type TIMEVAL,
  timevalToMs,
  WSAEINVAL,
} from '../../abi/index.ts';
import type { Answer } from '../../spi/index.ts';
import type { Connection } from './connection.ts';
import type { Streams } from './streams.ts';

type Sets = readonly [fd_set | null, fd_set | null, fd_set | null];

/** What makes a connection a member of each set. */
const KINDS = ['isReadable', 'isWritable', 'isExceptional'] as const;
/** What to watch below for each set. */
const WATCHED = [
  SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_HANGUP,
  SOCK_NOTIFY_EVENT_OUT,
  SOCK_NOTIFY_EVENT_HANGUP,
] as const;
/** A socket below that woke us for nothing is looked at again after that time, ms. */
const PATIENCE = 10;
const NO_TIME: TIMEVAL = { tv_sec: 0, tv_usec: 0 };

export function selectStreams(streams: Streams, nfds: number, sets: Sets, timeout: TIMEVAL | null): Answer {
  const { next } = streams;
  const asked = sets.map((set) => [...(set?.fd_array ?? [])]) as [number[], number[], number[]];
  const kept = new Map<number, Connection>();
  for (const handle of asked.flat()) {
    const connection = streams.connection(handle);
    if (connection !== null) kept.set(handle, connection);
  }
  if (kept.size === 0) return next.WSPSelect(nfds, sets[0], sets[1], sets[2], timeout);
  const wait = timeout === null ? -1 : timevalToMs(timeout);
  if (timeout !== null && !(wait >= 0)) return -WSAEINVAL;
  return run(streams, nfds, sets, asked, kept, wait);
}

async function run(
  streams: Streams,
  nfds: number,
  sets: Sets,
  asked: readonly [number[], number[], number[]],
  kept: ReadonlyMap<number, Connection>,
  wait: number,
): Promise<number> {
  const { next, layer } = streams;
  const { scheduler } = layer.ws2;
  const end = wait < 0 ? Number.POSITIVE_INFINITY : scheduler.now() + wait;
  let isFirst = true;
  for (;;) {
    const below = asked.map((handles) => ({ fd_array: handles.filter((handle) => !kept.has(handle)) }));
    const [reads, writes, others] = below as [fd_set, fd_set, fd_set];
    let count = 0;
    if (below.some(({ fd_array }) => fd_array.length > 0)) {
      count = await next.WSPSelect(nfds, reads, writes, others, NO_TIME);
      if (count < 0) return count;
    }
    const ready = asked.map((handles, i) => [
      ...new Set(
        handles.filter(
          (handle) =>
            below[i]?.fd_array.includes(handle) === true || kept.get(handle)?.[KINDS[i] as 'isReadable'],
        ),
      ),
    ]);
    const total = ready.reduce((sum, { length }) => sum + length, 0);
    if (total > 0 || scheduler.now() >= end) {
      for (const [i, set] of sets.entries()) if (set !== null) set.fd_array = ready[i] as number[];
      return total;
    }
    await change(streams, asked, kept, end, isFirst);
    isFirst = false;
  }
}

/** Waits until something may be ready, or the time is over. */
function change(
  { layer }: Streams,
  asked: readonly (readonly number[])[],
  kept: ReadonlyMap<number, Connection>,
  end: number,
  isFirst: boolean,
): Promise<void> {
  const { scheduler, watch } = layer.ws2;
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const wake = (): void => {
      for (const stop of stops.splice(0)) stop();
      resolve();
    };
    for (const connection of kept.values()) {
      connection.observers.add(wake);
      stops.push(() => void connection.observers.delete(wake));
    }
    if (end !== Number.POSITIVE_INFINITY)
      stops.push(scheduler.after(Math.max(end - scheduler.now(), 0), wake));
    const filters = new Map<number, number>();
    for (const [i, handles] of asked.entries()) {
      for (const handle of handles) {
        if (!kept.has(handle)) filters.set(handle, (filters.get(handle) ?? 0) | (WATCHED[i] as number));
      }
    }
    const look = (): void => {
      for (const [handle, filter] of filters) {
        const stop = watch(handle, filter, wake);
        if (stop !== null) stops.push(stop);
      }
    };
    if (filters.size === 0) return;
    if (isFirst) look();
    else stops.push(scheduler.after(PATIENCE, look));
  });
}
