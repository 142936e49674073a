/**
 * Event objects and the network events that sockets announce with them (SEM-EV-*).
 */

import {
  FD_GROUP_QOS,
  FD_QOS,
  WSA_INFINITE,
  WSA_INVALID_HANDLE,
  WSA_INVALID_PARAMETER,
  WSA_MAXIMUM_WAIT_EVENTS,
  WSA_NOT_ENOUGH_MEMORY,
  WSA_WAIT_EVENT_0,
  WSA_WAIT_IO_COMPLETION,
  WSA_WAIT_TIMEOUT,
  WSAEINVAL,
  type WSANETWORKEVENTS,
  WSANOTINITIALISED,
} from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { Answer } from '../spi/index.ts';
import type { ApcQueue } from './apc.ts';
import { EventObject } from './handles.ts';
import type { WinsockProcess } from './process.ts';

/** Events that WSPAsyncSelect of Windows Mobile does not list. */
const NOT_ON_MOBILE = FD_QOS | FD_GROUP_QOS;

export function eventCalls(process: WinsockProcess) {
  const onEvent = (hEvent: number, act: (event: EventObject) => void): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    const event = process.handles.event(hEvent);
    if (event === null) return -WSA_INVALID_HANDLE;
    act(event);
    return 1;
  };

  return {
    /** A manual-reset event object, not signaled. @returns its handle */
    WSACreateEvent(): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const handle = process.handles.add(new EventObject());
      return handle === 0 ? -WSA_NOT_ENOUGH_MEMORY : handle;
    },

    /** Signals it. @returns 1 (TRUE) */
    WSASetEvent: (hEvent: number): Answer => onEvent(hEvent, (event) => event.set()),

    /** Takes the signal back. @returns 1 (TRUE) */
    WSAResetEvent: (hEvent: number): Answer => onEvent(hEvent, (event) => event.reset()),

    /** @returns 1 (TRUE) */
    WSACloseEvent: (hEvent: number): Answer =>
      onEvent(hEvent, (event) => process.handles.release(hEvent, event)),

    /** Has a socket's events recorded and announced by an event object; the socket becomes non-blocking. */
    WSAEventSelect(s: number, hEventObject: number, lNetworkEvents: number): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (hEventObject !== 0 && process.handles.event(hEventObject) === null) return -WSAEINVAL;
      return socket.provider.table.WSPEventSelect(s, hEventObject, lNetworkEvents);
    },

    /** Has a socket's events recorded and posted as messages, one for each; the socket becomes non-blocking. */
    WSAAsyncSelect(s: number, hWnd: number, wMsg: number, lEvent: number): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lEvent !== 0 && !process.mayHaveWindow(hWnd)) return -WSAEINVAL;
      if (process.profile === 'windows-mobile' && (lEvent & NOT_ON_MOBILE) !== 0) return -WSAEINVAL;
      return socket.provider.table.WSPAsyncSelect(s, hWnd, wMsg, lEvent);
    },

    /** Takes a socket's recorded events, and resets the event object with them. */
    WSAEnumNetworkEvents(s: number, hEventObject: number, lpNetworkEvents: WSANETWORKEVENTS | null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (hEventObject !== 0 && process.handles.event(hEventObject) === null) return -WSAEINVAL;
      return socket.provider.table.WSPEnumNetworkEvents(s, hEventObject, lpNetworkEvents);
    },

    /**
     * Waits for one event object, or for all of them.
     * @param dwTimeout ms; WSA_INFINITE: no end
     * @param fAlertable lets completion routines run, which ends the wait
     * @returns WSA_WAIT_EVENT_0 plus the lowest signaled index, WSA_WAIT_IO_COMPLETION or WSA_WAIT_TIMEOUT
     */
    WSAWaitForMultipleEvents(
      cEvents: number,
      lphEvents: readonly number[] | null,
      fWaitAll: boolean,
      dwTimeout: number,
      fAlertable = false,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (!(cEvents >= 1 && cEvents <= WSA_MAXIMUM_WAIT_EVENTS)) return -WSA_INVALID_PARAMETER;
      if (lphEvents === null || cEvents > lphEvents.length) return -WSA_INVALID_PARAMETER;
      const events: EventObject[] = [];
      for (let i = 0; i < cEvents; i++) {
        const event = process.handles.event(lphEvents[i] as number);
        if (event === null) return -WSA_INVALID_HANDLE;
        events.push(event);
      }
      if (fWaitAll && new Set(events).size < cEvents) return -WSA_INVALID_PARAMETER;
      const apcs = fAlertable ? process.thread.apcs : null;
      // What is signaled wins: routines stay queued for the next wait.
      const check = (): number => {
        const index = signaled(events, fWaitAll);
        return index < 0 && apcs?.run() === true ? WSA_WAIT_IO_COMPLETION : index;
      };
      const now = check();
      if (now >= 0) return now;
      if (dwTimeout === 0) return WSA_WAIT_TIMEOUT;
      return waitFor(process.scheduler, events, apcs, dwTimeout >>> 0, check);
    },
  };
}

/** Which event satisfies a wait; −1 when none does. A wait for all answers the first index. */
function signaled(events: readonly EventObject[], fWaitAll: boolean): number {
  if (fWaitAll) return events.every((event) => event.isSignaled) ? WSA_WAIT_EVENT_0 : -1;
  const index = events.findIndex((event) => event.isSignaled);
  return index < 0 ? -1 : WSA_WAIT_EVENT_0 + index;
}

function waitFor(
  scheduler: Scheduler,
  events: readonly EventObject[],
  apcs: ApcQueue | null,
  dwTimeout: number,
  check: () => number,
): Promise<number> {
  return new Promise((resolve) => {
    const end = (answer: number): void => {
      cancelTimeout();
      for (const event of events) event.waiters.delete(wake);
      apcs?.waiters.delete(wake);
      resolve(answer);
    };
    const wake = (): void => {
      const answer = check();
      if (answer >= 0) end(answer);
    };
    const cancelTimeout =
      dwTimeout === WSA_INFINITE ? () => {} : scheduler.after(dwTimeout, () => end(WSA_WAIT_TIMEOUT));
    for (const event of events) event.waiters.add(wake);
    apcs?.waiters.add(wake);
  });
}
