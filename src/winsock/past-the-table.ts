/**
 * What ws2_32 asks about a socket that has no entry in the table: readiness for WSAPoll and for notifications (SPI-GEN-04). A handle
 * of the base provider is asked about there. For one of a layer's own making the layer names the handle that counts, by
 * SIO_BSP_HANDLE_POLL, or keeps readiness itself.
 */

import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLWRNORM,
  SIO_BSP_HANDLE_POLL,
  SOCK_NOTIFY_EVENT_ERR,
  SOCK_NOTIFY_EVENT_HANGUP,
  SOCK_NOTIFY_EVENT_IN,
  SOCK_NOTIFY_EVENT_OUT,
  WSAEFAULT,
  WSAEINVAL,
} from '../abi/index.ts';
import { i32le, type Scheduler } from '../base/index.ts';
import type { Answer, BaseProvider, Providers, Readiness, WSAPOLLFD } from '../spi/index.ts';
import type { HandleTable } from './handles.ts';

/** What of a process it reaches. */
export interface PollHost {
  readonly handles: HandleTable;
  readonly base: BaseProvider;
  readonly providers: Pick<Providers, 'contained'>;
  readonly scheduler: Scheduler;
}

/** What may be asked for; the other bits are results only (SEM-POLL-02). */
const POLL_EVENTS = POLLIN | POLLOUT;
/** What is told of a socket whatever was asked for (SEM-POLL-04). */
const ALWAYS_TOLD = POLLERR | POLLHUP | POLLNVAL;
/** When a socket that has woken us for nothing is looked at again, ms. */
const PATIENCE = 10;
/** Bytes of a SOCKET. */
const SOCKET_LEN = 8;

/** WSAPoll as a caller makes it. */
export function pollAsked(
  process: PollHost,
  fdArray: readonly WSAPOLLFD[] | null,
  fds: number,
  timeout: number,
): Answer {
  if (fds <= 0) return -WSAEINVAL;
  if (fdArray === null || !(fds <= fdArray.length)) return -WSAEFAULT;
  const asked = fds === fdArray.length ? fdArray : fdArray.slice(0, fds);
  for (const fd of asked) {
    if (fd === null || fd === undefined) return -WSAEFAULT;
    if ((fd.events & ~POLL_EVENTS) !== 0) return -WSAEINVAL;
  }
  // An INT: INFINITE is −1.
  return pollHandles(process, asked, timeout | 0);
}

/** WSAPoll over sockets of any owner. @param timeout ms; negative: none */
function pollHandles(process: PollHost, fds: readonly WSAPOLLFD[], timeout: number): Answer {
  if (process.handles.ownSockets === 0) return process.base.poll(fds, timeout);
  if (fds.some(({ fd }) => readinessOf(process, fd) !== null)) return pollKept(process, fds, timeout);
  return pollBelow(process, fds, timeout);
}

/** WSAPoll over sockets of which layers keep the readiness of some. */
async function pollKept(process: PollHost, fds: readonly WSAPOLLFD[], timeout: number): Promise<number> {
  const { scheduler } = process;
  const end = timeout < 0 ? Number.POSITIVE_INFINITY : scheduler.now() + timeout;
  let isFirst = true;
  for (;;) {
    const kept = fds.map(({ fd }) => readinessOf(process, fd));
    const others = fds.filter((_fd, i) => kept[i] === null);
    if (others.length > 0) {
      const answer = await pollBelow(process, others, 0);
      if (answer < 0) return answer;
    }
    for (const [i, fd] of fds.entries()) {
      const readiness = kept[i] ?? null;
      if (readiness !== null) fd.revents = toldOf(readiness.poll(), fd.events);
    }
    const count = fds.filter(({ revents }) => revents !== 0).length;
    if (count > 0 || scheduler.now() >= end) return count;
    await anyChange(process, kept, others, end, isFirst);
    isFirst = false;
  }
}

/** What is told of the bits that hold; of a connection that has failed also that a send would not wait (SEM-POLL-06). */
function toldOf(bits: number, asked: number): number {
  const unasked = (bits & POLLERR) === 0 ? ALWAYS_TOLD : ALWAYS_TOLD | POLLWRNORM;
  return bits & (asked | unasked);
}

/** Waits until one of them may be ready, or the time is over. */
function anyChange(
  process: PollHost,
  kept: readonly (Readiness | null)[],
  others: readonly WSAPOLLFD[],
  end: number,
  isFirst: boolean,
): Promise<void> {
  const { scheduler } = process;
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const wake = (): void => {
      for (const stop of stops.splice(0)) stop();
      resolve();
    };
    const look = (): void => {
      for (const { fd, events } of others) {
        const stop = watchHandle(process, fd, filterOf(events), wake);
        if (stop !== null) stops.push(stop);
      }
    };
    for (const readiness of kept) if (readiness !== null) stops.push(readiness.watch(wake));
    if (end !== Number.POSITIVE_INFINITY)
      stops.push(scheduler.after(Math.max(end - scheduler.now(), 0), wake));
    // One that woke us for something that was not asked for would do so again at once.
    if (isFirst) look();
    else stops.push(scheduler.after(PATIENCE, look));
  });
}

function filterOf(events: number): number {
  const input = (events & POLLIN) === 0 ? 0 : SOCK_NOTIFY_EVENT_IN;
  const output = (events & POLLOUT) === 0 ? 0 : SOCK_NOTIFY_EVENT_OUT;
  return input | output | SOCK_NOTIFY_EVENT_HANGUP;
}

/** What a layer says of a socket's readiness; `null` when it does not keep it. What it throws is taken for an error of the socket. */
function readinessOf({ handles, providers }: PollHost, s: number): Readiness | null {
  const socket = handles.socket(s);
  const kept = socket?.own?.readiness ?? null;
  if (socket === null || kept === null) return null;
  const layer = { name: socket.provider.entry.szProtocol, path: '' };
  return {
    poll: providers.contained(() => kept.poll() | 0, POLLERR, layer),
    watch: providers.contained(
      (changed) => kept.watch(changed),
      () => {},
      layer,
    ),
  };
}

function pollBelow(process: PollHost, fds: readonly WSAPOLLFD[], timeout: number): Answer {
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
  const readiness = readinessOf(process, s);
  return readiness === null
    ? process.base.watch(handleBelow(process, s), filter, tell)
    : watchKept(readiness, filter, tell);
}

/** Tells once what a layer says, now or at a change. */
function watchKept(readiness: Readiness, filter: number, tell: (events: number) => void): () => void {
  const holds = (): number => {
    const bits = readiness.poll();
    let events = 0;
    if ((bits & POLLIN) !== 0) events |= SOCK_NOTIFY_EVENT_IN;
    if ((bits & POLLOUT) !== 0) events |= SOCK_NOTIFY_EVENT_OUT;
    if ((bits & POLLHUP) !== 0) events |= SOCK_NOTIFY_EVENT_HANGUP;
    events &= filter;
    return (bits & POLLERR) !== 0 ? events | SOCK_NOTIFY_EVENT_ERR : events;
  };
  let isOver = false;
  let unwatch = (): void => {};
  const end = (): void => {
    isOver = true;
    unwatch();
  };
  const look = (): void => {
    const events = isOver ? 0 : holds();
    if (events === 0) return;
    end();
    tell(events);
  };
  unwatch = readiness.watch(look);
  queueMicrotask(look);
  return end;
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
