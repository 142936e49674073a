/**
 * Readiness: WSPSelect, and what ws2_32's WSAPoll asks of the base provider directly (SPI-GEN-04: WSAPoll has no WSP entry).
 * Both are one AFD poll, with their own reading of its bits.
 */

import {
  type fd_set,
  POLLERR,
  POLLHUP,
  POLLNVAL,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRNORM,
  timevalToMs,
  WSAEINVAL,
  WSAENOTSOCK,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import { AfdOp, AfdPollEvent } from '../port/index.ts';
import type { BaseState } from './base-state.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAPOLLFD } from './types.ts';

/** What makes a socket a member of each set when select returns (SEM-SEL-08 … 10). */
const READABLE =
  AfdPollEvent.receive |
  AfdPollEvent.disconnect |
  AfdPollEvent.abort |
  AfdPollEvent.accept |
  AfdPollEvent.localClose;
/** A reset connection is writable as well as readable. */
const WRITABLE = AfdPollEvent.send | AfdPollEvent.connect | AfdPollEvent.abort;
const EXCEPTIONAL = AfdPollEvent.connectFail | AfdPollEvent.receiveExpedited;

/** Bytes of an entry asked, {descriptor, events}, and of one answered, {descriptor, events, error}. */
const ASKED_LEN = 8;
const ANSWERED_LEN = 12;

/** A negative timeout of an AFD poll: none. */
const FOREVER = -1;
/** Longest timeout that a request can carry, ms. */
const LONGEST = 0x7fff_ffff;

export function basePollCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPSelect'> {
  return {
    WSPSelect(_nfds, readfds, writefds, exceptfds, timeout): Answer {
      const asked = new Map<number, number>();
      const isKnown =
        collect(base, readfds, READABLE, asked) &&
        collect(base, writefds, WRITABLE, asked) &&
        collect(base, exceptfds, EXCEPTIONAL, asked);
      if (!isKnown) return -WSAENOTSOCK;
      if (asked.size === 0) return -WSAEINVAL;
      const wait = timeout === null ? FOREVER : timevalToMs(timeout);
      if (timeout !== null && wait < 0) return -WSAEINVAL;
      return afdPoll(base, asked, wait, (happened) => {
        // The same set may stand in two places (SEM-SEL-05): all are read before one is changed.
        const readable = chosen(base, readfds, READABLE, happened);
        const writable = chosen(base, writefds, WRITABLE, happened);
        const exceptional = chosen(base, exceptfds, EXCEPTIONAL, happened);
        if (readfds !== null) readfds.fd_array = readable;
        if (writefds !== null) writefds.fd_array = writable;
        if (exceptfds !== null) exceptfds.fd_array = exceptional;
        return readable.length + writable.length + exceptional.length;
      });
    },
  };
}

/**
 * WSAPoll on the base provider's sockets: sets `revents` of each and answers how many have any. Entries whose socket is not
 * one of them get POLLNVAL.
 * @param timeout ms; negative: none
 */
export function pollHandles(base: BaseState, fds: readonly WSAPOLLFD[], timeout: number): Answer {
  const asked = new Map<number, number>();
  let isReady = false;
  for (const fd of fds) {
    const socket = base.sockets.get(fd.fd);
    fd.revents = socket === undefined ? POLLNVAL : 0;
    if (socket === undefined) {
      isReady = true;
    } else {
      asked.set(socket.descriptor, (asked.get(socket.descriptor) ?? 0) | eventsOf(fd.events));
    }
  }
  if (asked.size === 0) return -WSAENOTSOCK;
  return afdPoll(base, asked, isReady ? 0 : timeout, (happened) => {
    let count = 0;
    for (const fd of fds) {
      const socket = base.sockets.get(fd.fd);
      fd.revents =
        socket === undefined ? POLLNVAL : reventsOf(happened.get(socket.descriptor) ?? 0, fd.events);
      if (fd.revents !== 0) count++;
    }
    return count;
  });
}

/** What to ask for a WSAPOLLFD: what it names, and what is always reported. */
function eventsOf(events: number): number {
  let asked =
    AfdPollEvent.disconnect | AfdPollEvent.abort | AfdPollEvent.connectFail | AfdPollEvent.localClose;
  if ((events & POLLRDNORM) !== 0) asked |= AfdPollEvent.receive | AfdPollEvent.accept;
  if ((events & POLLRDBAND) !== 0) asked |= AfdPollEvent.receiveExpedited;
  if ((events & POLLWRNORM) !== 0) asked |= AfdPollEvent.send | AfdPollEvent.connect;
  return asked;
}

/** SEM-POLL-04 … 08. */
function reventsOf(happened: number, events: number): number {
  let revents = 0;
  if ((happened & (AfdPollEvent.receive | AfdPollEvent.accept)) !== 0) revents |= POLLRDNORM;
  if ((happened & AfdPollEvent.receiveExpedited) !== 0) revents |= POLLRDBAND;
  if ((happened & (AfdPollEvent.send | AfdPollEvent.connect)) !== 0) revents |= POLLWRNORM;
  revents &= events;
  if ((happened & AfdPollEvent.disconnect) !== 0) revents |= POLLHUP;
  if ((happened & (AfdPollEvent.abort | AfdPollEvent.connectFail)) !== 0) {
    revents |= POLLERR | POLLHUP | POLLWRNORM;
  }
  if ((happened & AfdPollEvent.localClose) !== 0) revents = POLLNVAL;
  return revents;
}

/**
 * One AFD poll.
 * @param asked events by descriptor
 * @param wait ms; negative: no end
 * @param finish is handed what happened, by descriptor, and answers for the call
 */
function afdPoll(
  base: BaseState,
  asked: ReadonlyMap<number, number>,
  wait: number,
  finish: (happened: ReadonlyMap<number, number>) => number,
): Answer {
  const data = new Uint8Array(asked.size * ASKED_LEN);
  let at = 0;
  for (const [descriptor, events] of asked) {
    putI32le(data, at, descriptor);
    putI32le(data, at + 4, events);
    at += ASKED_LEN;
  }
  const call = base.calls.prepare(AfdOp.poll, null, (polling, completion) => {
    if (completion.error !== 0) return -completion.error;
    return finish(readHappened(polling.request.into, completion.value));
  });
  call.request.data = data;
  call.request.into = new Uint8Array(asked.size * ANSWERED_LEN);
  call.request.a = wait < 0 ? FOREVER : Math.min(wait, LONGEST);
  return base.calls.submit(call);
}

function readHappened(bytes: Uint8Array | null, count: number): Map<number, number> {
  const happened = new Map<number, number>();
  if (bytes === null) return happened;
  for (let i = 0; i < count; i++) {
    const at = i * ANSWERED_LEN;
    const descriptor = i32le(bytes, at);
    happened.set(descriptor, (happened.get(descriptor) ?? 0) | i32le(bytes, at + 4));
  }
  return happened;
}

/** Adds a set's sockets to what is asked. @returns whether all are sockets of this provider */
function collect(base: BaseState, set: fd_set | null, events: number, asked: Map<number, number>): boolean {
  if (set === null) return true;
  for (const handle of set.fd_array) {
    const socket = base.sockets.get(handle);
    if (socket === undefined) return false;
    asked.set(socket.descriptor, (asked.get(socket.descriptor) ?? 0) | events);
  }
  return true;
}

/** The members of a set to which one of `events` happened, each once. A socket that was closed meanwhile is readable. */
function chosen(
  base: BaseState,
  set: fd_set | null,
  events: number,
  happened: ReadonlyMap<number, number>,
): number[] {
  if (set === null) return [];
  const members = [...new Set(set.fd_array)];
  return members.filter((handle) => {
    const socket = base.sockets.get(handle);
    if (socket === undefined) return (events & AfdPollEvent.localClose) !== 0;
    return ((happened.get(socket.descriptor) ?? 0) & events) !== 0;
  });
}
