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
import { AfdOp, AfdPollEvent } from '../port/index.ts';
import type { BaseState } from './base-state.ts';
import { PollList } from './poll-list.ts';
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

/** A negative timeout of an AFD poll: none. */
const FOREVER = -1;
/** Longest timeout that a request can carry, ms. */
const LONGEST = 0x7fff_ffff;

export function basePollCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPSelect'> {
  return {
    WSPSelect(_nfds, readfds, writefds, exceptfds, timeout): Answer {
      const list = new PollList();
      const readers = collect(base, readfds, READABLE, list);
      const writers = readers === null ? null : collect(base, writefds, WRITABLE, list);
      const others = writers === null ? null : collect(base, exceptfds, EXCEPTIONAL, list);
      if (readers === null || writers === null || others === null) return -WSAENOTSOCK;
      if (list.size === 0) return -WSAEINVAL;
      const wait = timeout === null ? FOREVER : timevalToMs(timeout);
      if (timeout !== null && !(wait >= 0)) return -WSAEINVAL;
      return afdPoll(base, list, wait, (happened) => {
        // The same set may stand in two places (SEM-SEL-05): what is left was decided before any is changed.
        const readable = readers.those(happened, READABLE);
        const writable = writers.those(happened, WRITABLE);
        const exceptional = others.those(happened, EXCEPTIONAL);
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
  const list = new PollList();
  /** Each entry's place in the list; −1 without a socket. */
  const places = new Int32Array(fds.length);
  let isReady = false;
  for (let i = 0; i < fds.length; i++) {
    const fd = fds[i] as WSAPOLLFD;
    const socket = base.sockets.get(fd.fd);
    fd.revents = socket === undefined ? POLLNVAL : 0;
    isReady ||= socket === undefined;
    const place = socket === undefined ? -1 : list.add(socket, eventsOf(fd.events));
    places[i] = socket !== undefined && place < 0 ? -1 - place : place;
  }
  if (list.size === 0) return -WSAENOTSOCK;
  return afdPoll(base, list, isReady ? 0 : timeout, (happened) => {
    let count = 0;
    for (let i = 0; i < fds.length; i++) {
      const fd = fds[i] as WSAPOLLFD;
      const place = places[i] as number;
      fd.revents = place < 0 ? POLLNVAL : reventsOf(happened[place] as number, fd.events);
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
 * @param wait ms; negative: no end
 * @param finish is handed what happened, by place in the list, and answers for the call
 */
function afdPoll(
  base: BaseState,
  list: PollList,
  wait: number,
  finish: (happened: Int32Array) => number,
): Answer {
  const answered = list.room();
  const call = base.calls.prepare(AfdOp.poll, null, (_polling, completion) => {
    if (completion.error !== 0) return -completion.error;
    return finish(list.read(answered, completion.value, base.sockets));
  });
  call.request.data = list.write();
  call.request.into = answered;
  call.request.a = wait < 0 ? FOREVER : Math.min(wait, LONGEST);
  return base.calls.submit(call);
}

/** The members of a set, each once, with their places in the poll. */
class Members {
  readonly #handles: number[] = [];
  readonly #places: number[] = [];

  add(handle: number, place: number): void {
    this.#handles.push(handle);
    this.#places.push(place);
  }

  /** Those to which one of `events` happened, in their order. */
  those(happened: Int32Array, events: number): number[] {
    return this.#handles.filter(
      (_handle, i) => ((happened[this.#places[i] as number] as number) & events) !== 0,
    );
  }
}

/** Adds a set's sockets to what is asked. @returns its members; `null` when one is no socket of this provider */
function collect(base: BaseState, set: fd_set | null, events: number, list: PollList): Members | null {
  const members = new Members();
  if (set === null) return members;
  const seen = list.size === 0 ? null : new Set<number>();
  for (const handle of set.fd_array) {
    const socket = base.sockets.get(handle);
    if (socket === undefined) return null;
    const place = list.add(socket, events);
    // In the first set whatever is there already is a duplicate (SEM-SEL-05); in the others it may be another set's.
    const isDuplicate = seen === null ? place < 0 : seen.has(handle);
    seen?.add(handle);
    if (!isDuplicate) members.add(handle, place < 0 ? -1 - place : place);
  }
  return members;
}
