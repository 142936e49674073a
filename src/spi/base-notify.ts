/**
 * Readiness of one socket for who is told rather than waits: what socket state notifications are made of.
 */

import {
  SOCK_NOTIFY_EVENT_ERR,
  SOCK_NOTIFY_EVENT_HANGUP,
  SOCK_NOTIFY_EVENT_IN,
  SOCK_NOTIFY_EVENT_OUT,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import { AfdOp, AfdPollEvent } from '../port/index.ts';
import type { BaseState } from './base-state.ts';

/** What an AFD poll asks for each kind; the end of a stream can be read, too. */
const INPUT =
  AfdPollEvent.receive | AfdPollEvent.receiveExpedited | AfdPollEvent.accept | AfdPollEvent.disconnect;
const OUTPUT = AfdPollEvent.send | AfdPollEvent.connect;
const HANGUP = AfdPollEvent.disconnect | AfdPollEvent.abort;
const ERROR = AfdPollEvent.abort | AfdPollEvent.connectFail;

/** Bytes of an entry asked, {descriptor, events}, and of one answered, {descriptor, events, error}. */
const ASKED_LEN = 8;
const ANSWERED_LEN = 12;
const FOREVER = -1;

/**
 * Waits until a socket has what it is watched for.
 * @param filter SOCK_NOTIFY_EVENT_* ; errors are watched for always
 * @param tell is told once, never before this returns: SOCK_NOTIFY_EVENT_* bits; 0 when the socket is gone
 * @returns ends the watch; `null` for a handle that is no socket of this provider
 */
export function watchSocket(
  base: BaseState,
  s: number,
  filter: number,
  tell: (events: number) => void,
): (() => void) | null {
  const socket = base.sockets.get(s);
  if (socket === undefined) return null;
  let asked = ERROR;
  if ((filter & SOCK_NOTIFY_EVENT_IN) !== 0) asked |= INPUT;
  if ((filter & SOCK_NOTIFY_EVENT_OUT) !== 0) asked |= OUTPUT;
  if ((filter & SOCK_NOTIFY_EVENT_HANGUP) !== 0) asked |= HANGUP;
  const data = new Uint8Array(ASKED_LEN);
  putI32le(data, 0, socket.descriptor);
  putI32le(data, 4, asked);
  const into = new Uint8Array(ANSWERED_LEN);
  const call = base.calls.prepare(AfdOp.poll, null);
  call.request.data = data;
  call.request.into = into;
  call.request.a = FOREVER;
  let isEnded = false;
  const settle = (answer: number): void => {
    if (isEnded) return;
    isEnded = true;
    tell(answer > 0 ? eventsOf(i32le(into, 4), filter) : 0);
  };
  const answer = base.calls.begin(call, settle);
  if (answer !== null) {
    queueMicrotask(() => settle(answer));
    return () => {
      isEnded = true;
    };
  }
  const { id } = call.request;
  return () => {
    if (isEnded) return;
    isEnded = true;
    base.calls.cancel(id);
  };
}

function eventsOf(happened: number, filter: number): number {
  if ((happened & AfdPollEvent.localClose) !== 0) return 0;
  let events = 0;
  if ((happened & INPUT) !== 0) events |= SOCK_NOTIFY_EVENT_IN;
  if ((happened & OUTPUT) !== 0) events |= SOCK_NOTIFY_EVENT_OUT;
  if ((happened & HANGUP) !== 0) events |= SOCK_NOTIFY_EVENT_HANGUP;
  events &= filter;
  return (happened & ERROR) !== 0 ? events | SOCK_NOTIFY_EVENT_ERR : events;
}
