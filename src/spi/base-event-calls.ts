/**
 * The base provider's event registrations: WSPEventSelect, WSPAsyncSelect, WSPEnumNetworkEvents.
 *
 * What is recorded, and when again, is decided on the other side of the port (SEM-EV-*). Here a registered socket keeps one
 * `waitEvents` request under way and announces what it reports: by setting the event object, or with a message per event.
 */

import {
  FD_MAX_EVENTS,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAMAKESELECTREPLY,
  type WSANETWORKEVENTS,
} from '../abi/index.ts';
import { i32le } from '../base/index.ts';
import { type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import type { BaseSocket, Registration } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer } from './types.ts';

type EventCalls = Pick<WSPPROC_TABLE, 'WSPEventSelect' | 'WSPAsyncSelect' | 'WSPEnumNetworkEvents'>;

/** Bytes of the error codes of one report. */
const ERRORS_LEN = 4 * FD_MAX_EVENTS;
/** `b` of an eventSelect whose events become messages. */
const BY_MESSAGE = 1;

export function baseEventCalls(base: BaseState): EventCalls {
  const select = (s: number, registration: Registration): Answer => {
    const socket = base.sockets.get(s);
    if (socket === undefined) return -WSAENOTSOCK;
    const call = base.calls.prepare(AfdOp.eventSelect, socket, (selecting, { error }) => {
      if (error !== 0) return -error;
      if (selecting.socket !== null) register(base, selecting.socket, registration);
      return 0;
    });
    call.request.a = registration.mask;
    call.request.b = registration.hEvent === 0 && registration.mask !== 0 ? BY_MESSAGE : 0;
    return base.calls.submit(call);
  };

  return {
    WSPEventSelect(s, hEventObject, lNetworkEvents): Answer {
      if (lNetworkEvents !== 0 && hEventObject === 0) {
        return base.sockets.get(s) === undefined ? -WSAENOTSOCK : -WSAEINVAL;
      }
      return select(s, { mask: lNetworkEvents, hEvent: hEventObject, hWnd: 0, wMsg: 0 });
    },

    WSPAsyncSelect(s, hWnd, wMsg, lEvent): Answer {
      return select(s, { mask: lEvent, hEvent: 0, hWnd, wMsg });
    },

    WSPEnumNetworkEvents(s, hEventObject, lpNetworkEvents): Answer {
      const socket = base.sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (lpNetworkEvents === null) return -WSAEFAULT;
      const call = base.calls.prepare(AfdOp.enumEvents, socket, (asking, completion) => {
        if (completion.error !== 0) return -completion.error;
        // Reports of what this answer takes along came before it: so the event is reset now, not before (SEM-EV-23).
        if (hEventObject !== 0) base.upcalls.WPUResetEvent(hEventObject);
        return finishEnum(asking, completion);
      });
      call.request.into = new Uint8Array(ERRORS_LEN);
      call.networkEvents = lpNetworkEvents;
      return base.calls.submit(call);
    },
  };
}

/** Puts a registration in the place of the socket's old one (SEM-EV-12); a mask of 0 only ends that. */
function register(base: BaseState, socket: BaseSocket, registration: Registration): void {
  socket.registration = registration.mask === 0 ? null : registration;
  const old = socket.watching;
  socket.watching = 0;
  if (old !== 0) base.calls.cancel(old);
  watch(base, socket);
}

/** Keeps a registered socket's events announced until the registration or the socket ends. */
export function watch(base: BaseState, socket: BaseSocket): void {
  const { registration } = socket;
  if (registration === null || socket.watching !== 0) return;
  const into = new Uint8Array(ERRORS_LEN);
  let request = 0;
  const next = (): void => {
    for (;;) {
      const call = base.calls.prepare(AfdOp.waitEvents, socket);
      call.request.into = into;
      const events = base.calls.begin(call, settle);
      if (events === null) {
        request = call.request.id;
        socket.watching = request;
        return;
      }
      if (events <= 0) return;
      announce(base, socket, registration, events, into);
    }
  };
  const settle = (events: number): void => {
    // Another registration has taken over: it has a request of its own.
    if (socket.watching !== request) return;
    socket.watching = 0;
    if (events <= 0) return;
    announce(base, socket, registration, events, into);
    next();
  };
  next();
}

/** Sets the event object, or posts a message for each event. */
function announce(
  base: BaseState,
  socket: BaseSocket,
  registration: Registration,
  events: number,
  errors: Uint8Array,
): void {
  if (registration.hEvent !== 0) {
    base.upcalls.WPUSetEvent(registration.hEvent);
    return;
  }
  for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
    if ((events & (1 << bit)) === 0) continue;
    const lParam = WSAMAKESELECTREPLY(1 << bit, i32le(errors, 4 * bit));
    base.upcalls.WPUPostMessage(registration.hWnd, registration.wMsg, socket.handle, lParam);
  }
}

function finishEnum(call: Call, completion: AfdCompletion): number {
  const { networkEvents } = call;
  const errors = call.request.into;
  if (networkEvents !== null && errors !== null) fillNetworkEvents(networkEvents, completion.value, errors);
  return 0;
}

function fillNetworkEvents(into: WSANETWORKEVENTS, events: number, errors: Uint8Array): void {
  into.lNetworkEvents = events;
  into.iErrorCode = Array.from({ length: FD_MAX_EVENTS }, (_, bit) => i32le(errors, 4 * bit));
}
