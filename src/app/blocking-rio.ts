/**
 * Registered I/O of `winsockd/winsock`.
 *
 * A buffer over a SharedArrayBuffer is registered as it is: requests work in it, and every thread sees its bytes. Of one that is not
 * shared a copy is registered. Its bytes go to the copy when the thread that has registered it posts a request: what a send
 * takes, even a deferred one. They come back when that thread dequeues the request's result: what a receive has written. Requests and
 * results of other threads see the copy only.
 *
 * A context that is a number is the same in every thread. Any other value stays in the thread that gave it, and is given back there;
 * another thread that dequeues the result finds `null`. The same goes for the record of a notification at a completion port, of which
 * another thread gets a copy.
 */

import {
  RIO_CORRUPT_CQ,
  RIO_INVALID_BUFFERID,
  RIO_INVALID_CQ,
  RIO_INVALID_RQ,
  RIO_IOCP_COMPLETION,
  RIO_MSG_COMMIT_ONLY,
  WSAEFAULT,
  WSAEMSGSIZE,
  WSAENOBUFS,
} from '../abi/index.ts';
import type { RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIORESULT } from '../spi/index.ts';
import {
  admitting,
  blocking,
  callAndKeepError,
  callIndex,
  chainClient,
  reporting,
  WSASetLastError,
} from './blocking-call.ts';
import { chainGeneration } from './chain-control.ts';
import { type CarriedNotification, RESULTS_MAX, type TicketArgument } from './marshal-rio.ts';
import { emptyRecord, ownOperations } from './records.ts';
import { RioCopies } from './rio-copies.ts';
import { contextOf, dropAllKept, dropKept, type Ticket, ticketOf } from './rio-tickets.ts';

const copies = new RioCopies();
let generation = 0;

/** Forgets what belonged to a chain thread that is gone, whose numbers come again. */
function renew(): void {
  const now = chainGeneration();
  if (now === generation) return;
  generation = now;
  copies.clear();
  dropAllKept();
}

const newNumber = (): number => chainClient().operations.newNumber();

/** Makes a call whose last argument is a ticket, and forgets what the answer says. @returns 0 or more, or minus a WSA code */
function callWith(index: number, args: readonly unknown[], ticket: Ticket): number {
  const argument: TicketArgument = { ticket, gone: [] };
  const answer = callAndKeepError(index, [...args, argument]);
  for (const number of argument.gone) {
    if (number < 0) copies.delete(-number);
    else dropKept(number);
  }
  if (answer < 0) dropKept(ticket.number);
  return answer;
}

/** Posts a request with its parts, the data first. @returns 1, or 0 when it failed */
function request(
  index: number,
  isSend: boolean,
  queue: number,
  given: readonly (RIO_BUF | null)[],
  count: number,
  flags: number,
  context: unknown,
): number {
  renew();
  const parts = given.map(partOf);
  for (const each of isSend ? parts : parts.slice(1)) copies.copyIn(each);
  const isShared = parts.every((each) => each === null || copies.isShared(each.BufferId));
  const ticket = ticketOf(context, isSend || isShared ? [] : parts, newNumber);
  const [data, ...others] = parts;
  const answer = callWith(index, [queue, data, count, ...others, flags], ticket);
  if ((flags & RIO_MSG_COMMIT_ONLY) !== 0) dropKept(ticket.number);
  return Math.max(answer, 0);
}

/** Reads what may be anything. */
function partOf(given: RIO_BUF | null | undefined): RIO_BUF | null {
  if (given === null || given === undefined) return null;
  const { BufferId, Offset, Length } = given;
  return { BufferId, Offset, Length };
}

const RECEIVE = callIndex('RIOReceive');
const RECEIVE_EX = callIndex('RIOReceiveEx');
const SEND = callIndex('RIOSend');
const SEND_EX = callIndex('RIOSendEx');

/** Receives into registered memory. @returns 1, or 0 when it failed */
export const RIOReceive = admitting('RIOReceive', 0, (queue, pData, count, flags, context) =>
  request(RECEIVE, false, queue, [pData], count, flags, context),
);

/** As `RIOReceive`, with addresses, control data and flags. @returns 1, or 0 when it failed */
export const RIOReceiveEx = admitting(
  'RIOReceiveEx',
  0,
  (queue, pData, count, local, remote, control, pFlags, flags, context) =>
    request(RECEIVE_EX, false, queue, [pData, local, remote, control, pFlags], count, flags, context),
);

/** Sends from registered memory. @returns 1, or 0 when it failed */
export const RIOSend = admitting('RIOSend', 0, (queue, pData, count, flags, context) =>
  request(SEND, true, queue, [pData], count, flags, context),
);

/** As `RIOSend`, with a destination and control data. @returns 1, or 0 when it failed */
export const RIOSendEx = admitting(
  'RIOSendEx',
  0,
  (queue, pData, count, local, remote, control, pFlags, flags, context) =>
    request(SEND_EX, true, queue, [pData, local, remote, control, pFlags], count, flags, context),
);

const REGISTER = callIndex('RIORegisterBuffer');
const DEREGISTER = callIndex('RIODeregisterBuffer');

/** Registers memory. @returns its number, or RIO_INVALID_BUFFERID when it failed */
export const RIORegisterBuffer = admitting(
  'RIORegisterBuffer',
  RIO_INVALID_BUFFERID,
  (DataBuffer, DataLength) => {
    renew();
    // Without a buffer the answer is this one, unless nothing can be registered now.
    const why = callAndKeepError(REGISTER, [null, DataLength]);
    if (why !== -WSAEFAULT || !(DataBuffer instanceof Uint8Array)) return RIO_INVALID_BUFFERID;
    const place = RioCopies.placeOf(DataBuffer);
    const memory = place === null ? 0 : chainClient().share(place.memory);
    if (place === null || memory === 0) {
      WSASetLastError(WSAENOBUFS);
      return RIO_INVALID_BUFFERID;
    }
    const { at, length } = place;
    const answer = callAndKeepError(REGISTER, [{ memory, at, length }, DataLength]);
    if (answer < 0) return RIO_INVALID_BUFFERID;
    copies.add(answer, DataBuffer, place);
    return answer;
  },
);

/** Gives registered memory back. */
export const RIODeregisterBuffer = (BufferId: number): void => {
  renew();
  if (callAndKeepError(DEREGISTER, [BufferId]) === 0) copies.delete(BufferId);
};

const CREATE_QUEUE = callIndex('RIOCreateCompletionQueue');
const CREATE_REQUESTS = callIndex('RIOCreateRequestQueue');
const CLOSE_QUEUE = callIndex('RIOCloseCompletionQueue');
const DEQUEUE = callIndex('RIODequeueCompletion');

/** A queue for results of requests. @returns its number, or RIO_INVALID_CQ when it failed */
export const RIOCreateCompletionQueue = admitting(
  'RIOCreateCompletionQueue',
  RIO_INVALID_CQ,
  (size, notification) => {
    const carried = carriedOf(notification);
    const answer = callAndKeepError(CREATE_QUEUE, [size, carried]);
    if (answer < 0 && carried !== null) dropKept(carried.number);
    return Math.max(answer, 0);
  },
);

function carriedOf(given: RIO_NOTIFICATION_COMPLETION | null | undefined): CarriedNotification | null {
  if (given === null || given === undefined) return null;
  if (given.Type !== RIO_IOCP_COMPLETION) {
    const { Type, EventHandle: Handle, NotifyReset } = given;
    return { Type, Handle, NotifyReset, CompletionKey: 0, number: 0, Overlapped: emptyRecord() };
  }
  const { Type, IocpHandle: Handle, CompletionKey } = given;
  const Overlapped = given.Overlapped ?? emptyRecord();
  const number = newNumber();
  // It is no operation: nothing is filled in.
  ownOperations.set(number, { record: Overlapped, collect: () => {} });
  return { Type, Handle, NotifyReset: false, CompletionKey, number, Overlapped };
}

/** A queue for requests of a socket. @returns its number, or RIO_INVALID_RQ when it failed */
export const RIOCreateRequestQueue = admitting('RIOCreateRequestQueue', RIO_INVALID_RQ, (...args) => {
  renew();
  const [socket, receives, receiveBuffers, sends, sendBuffers, receiveQueue, sendQueue, context] = args;
  const numbers = [socket, receives, receiveBuffers, sends, sendBuffers, receiveQueue, sendQueue];
  return Math.max(callWith(CREATE_REQUESTS, numbers, ticketOf(context, [], newNumber)), 0);
});

/** Takes results. @returns how many; RIO_CORRUPT_CQ when it failed */
export const RIODequeueCompletion = admitting(
  'RIODequeueCompletion',
  RIO_CORRUPT_CQ,
  (CQ, array, ArraySize) => {
    renew();
    const list = Array.isArray(array) ? array : null;
    let left = ArraySize;
    let count = 0;
    for (;;) {
      const most = Math.min(left, RESULTS_MAX);
      const some: RIORESULT[] = [];
      const answer = callAndKeepError(DEQUEUE, [CQ, list === null ? null : some, most]);
      const hasFailed = answer < 0 || answer === RIO_CORRUPT_CQ;
      if (list === null || (hasFailed && count === 0)) return RIO_CORRUPT_CQ;
      if (count === 0) list.length = 0;
      for (const each of some) list.push(resultOf(each));
      count += some.length;
      left -= some.length;
      if (hasFailed || some.length < most || left <= 0) return count;
    }
  },
);

/** A result as the application sees it, with its bytes where they belong. */
function resultOf({ Status, BytesTransferred, ...contexts }: RIORESULT): RIORESULT {
  const request = contexts.RequestContext as Ticket;
  const [data = null, ...others] = request.parts;
  copies.copyOut(data, BytesTransferred);
  if (Status === 0 || Status === WSAEMSGSIZE) for (const each of others) copies.copyOut(each);
  const RequestContext = contextOf(request);
  dropKept(request.number);
  const SocketContext = contextOf(contexts.SocketContext as Ticket);
  return { Status, BytesTransferred, SocketContext, RequestContext };
}

/** Gives a completion queue back. */
export const RIOCloseCompletionQueue = (CQ: number): void => {
  callAndKeepError(CLOSE_QUEUE, [CQ]);
};
/** Has a completion queue tell, once, that it has something. @returns 0 or the error itself */
export const RIONotify = reporting('RIONotify');
/** Changes the size of a completion queue. @returns 1, or 0 when it failed */
export const RIOResizeCompletionQueue = blocking('RIOResizeCompletionQueue');
/** Changes how many requests may be outstanding. @returns 1, or 0 when it failed */
export const RIOResizeRequestQueue = blocking('RIOResizeRequestQueue');
