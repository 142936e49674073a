/**
 * Registered I/O of the base provider (RIO_EXTENSION_FUNCTION_TABLE): requests on registered memory, whose results lie in queues
 * until they are taken. Works on sockets with WSA_FLAG_REGISTERED_IO.
 *
 * A request is an ordinary one of the port. What registering spares on Windows, locking memory for each operation, does not exist
 * here; what remains is that many results are taken with one call.
 */

import {
  MSG_WAITALL,
  RIO_CORRUPT_CQ,
  RIO_MAX_CQ_SIZE,
  RIO_MSG_COMMIT_ONLY,
  RIO_MSG_DEFER,
  RIO_MSG_DONT_NOTIFY,
  RIO_MSG_WAITALL,
  readSockaddr,
  SOCK_STREAM,
  sockaddrFamily,
  sockaddrLength,
  WSA_FLAG_REGISTERED_IO,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAETOOMANYREFS,
} from '../abi/index.ts';
import { copyOf, EMPTY, i32le, putI32le } from '../base/index.ts';
import { AFD_OVERLAPPED, type AfdCompletion, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { RioFunctions } from './extensions.ts';
import { CompletionQueue, checkNotification, Numbered, partOf, RequestQueue } from './rio-queues.ts';
import type { RIO_BUF } from './types.ts';

const KNOWN_FLAGS = RIO_MSG_DONT_NOTIFY | RIO_MSG_DEFER | RIO_MSG_WAITALL | RIO_MSG_COMMIT_ONLY;
/** Bytes of a SOCKADDR_INET. */
const SOCKADDR_INET_LEN = 28;
/** Where control messages begin in a RIO_CMSG_BUFFER, behind its TotalLength. */
const CONTROL_AT = 8;
/** Bytes before received control data that hold its length: see `AfdOp.recv`. */
const CONTROL_LENGTH_LEN = 4;

/** The parts of a request, as bytes. */
interface Parts {
  readonly data: Uint8Array;
  readonly local: Uint8Array | null;
  readonly remote: Uint8Array | null;
  readonly control: Uint8Array | null;
  readonly flags: Uint8Array | null;
}

export function baseRio(base: BaseState): RioFunctions {
  const buffers = new Numbered<Uint8Array>();
  const completionQueues = new Numbered<CompletionQueue>();
  const requestQueues = new Numbered<RequestQueue>();
  /** Sockets that have a request queue: each has one. */
  const withQueue = new WeakSet<BaseSocket>();

  /** Takes their rights back from the queues of sockets that are closed. */
  const dropClosed = (): void => {
    for (const [number, queue] of [...requestQueues.entries()]) {
      if (base.sockets.get(queue.socket.handle) === queue.socket || queue.receives + queue.sends > 0)
        continue;
      reserve(queue, 0, 0);
      requestQueues.delete(number);
    }
  };

  /** Looks up the parts of a request; one that is left out is `null`. */
  const partsOf = (
    pData: RIO_BUF | null,
    count: number,
    others: readonly (RIO_BUF | null)[],
  ): Parts | number => {
    if (!(count >= 0 && count <= 1) || (count === 1 && pData === null)) return -WSAEINVAL;
    const found: (Uint8Array | null)[] = [];
    for (const part of [count === 0 ? null : pData, ...others]) {
      const bytes = part === null ? null : partOf(buffers, part);
      if (typeof bytes === 'number') return bytes;
      found.push(bytes);
    }
    const [data = null, local = null, remote = null, control = null, flags = null] = found;
    return { data: data ?? EMPTY, local, remote, control, flags };
  };

  /** Starts a request, holds it back, or only starts what was held back. @returns 1 or minus a WSA code */
  const post = (
    rq: number,
    isSend: boolean,
    pData: RIO_BUF | null,
    count: number,
    others: readonly (RIO_BUF | null)[],
    flags: number,
    context: unknown,
  ): number => {
    const queue = requestQueues.get(rq);
    if (queue === undefined || (flags & ~KNOWN_FLAGS) !== 0) return -WSAEINVAL;
    const deferred = isSend ? queue.deferredSends : queue.deferredReceives;
    if ((flags & RIO_MSG_COMMIT_ONLY) !== 0) {
      if (flags !== RIO_MSG_COMMIT_ONLY || pData !== null || count !== 0) return -WSAEINVAL;
      commit(deferred);
      return 1;
    }
    if (base.sockets.get(queue.socket.handle) !== queue.socket) return -WSAENOTSOCK;
    const isStream = queue.socket.type === SOCK_STREAM;
    if ((flags & RIO_MSG_WAITALL) !== 0 && (isSend || !isStream)) return -WSAEINVAL;
    const parts = partsOf(pData, count, others);
    if (typeof parts === 'number') return parts;
    if (isSend && parts.local !== null) return -WSAEINVAL;
    const call = isSend ? prepareSend(base, queue, parts) : prepareReceive(base, queue, parts, flags);
    if (typeof call === 'number') return call;
    if ((isSend ? queue.sends : queue.receives) >= (isSend ? queue.maxSends : queue.maxReceives)) {
      return -WSAENOBUFS;
    }
    if (isSend) queue.sends++;
    else queue.receives++;
    const start = (): void => begin(base, queue, isSend, parts, flags, context);
    deferred.push(start);
    if ((flags & RIO_MSG_DEFER) === 0) commit(deferred);
    return 1;
  };

  return {
    RIOReceive: (rq, pData, count, flags, context) => post(rq, false, pData, count, [], flags, context),
    RIOReceiveEx: (rq, pData, count, local, remote, control, pFlags, flags, context) =>
      post(rq, false, pData, count, [local, remote, control, pFlags], flags, context),
    RIOSend: (rq, pData, count, flags, context) => post(rq, true, pData, count, [], flags, context),
    RIOSendEx: (rq, pData, count, local, remote, control, pFlags, flags, context) =>
      post(rq, true, pData, count, [local, remote, control, pFlags], flags, context),

    RIOCloseCompletionQueue(CQ): number {
      completionQueues.delete(CQ);
      return 0;
    },

    RIOCreateCompletionQueue(QueueSize, NotificationCompletion): number {
      if (!isQueueSize(QueueSize)) return -WSAEINVAL;
      const error = checkNotification(base, NotificationCompletion);
      if (error < 0) return error;
      return completionQueues.add(new CompletionQueue(base, QueueSize, NotificationCompletion));
    },

    RIOCreateRequestQueue(s, maxReceives, receiveBuffers, maxSends, sendBuffers, receiveCq, sendCq, context) {
      const socket = base.sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if ((socket.flags & WSA_FLAG_REGISTERED_IO) === 0) return -WSAEOPNOTSUPP;
      const receiveQueue = completionQueues.get(receiveCq);
      const sendQueue = completionQueues.get(sendCq);
      if (receiveQueue === undefined || sendQueue === undefined) return -WSAEINVAL;
      if (receiveBuffers !== 1 || sendBuffers !== 1 || maxReceives + maxSends <= 0) return -WSAEINVAL;
      if (!isCount(maxReceives) || !isCount(maxSends)) return -WSAEINVAL;
      if (withQueue.has(socket)) return -WSAEINVAL;
      const queue = new RequestQueue(socket, context, receiveQueue, sendQueue, 0, 0);
      if (!reserve(queue, maxReceives, maxSends)) {
        dropClosed();
        if (!reserve(queue, maxReceives, maxSends)) return -WSAENOBUFS;
      }
      withQueue.add(socket);
      return requestQueues.add(queue);
    },

    RIODequeueCompletion(CQ, results, ArraySize): number {
      const queue = completionQueues.get(CQ);
      if (queue === undefined || results === null || !(ArraySize > 0)) return RIO_CORRUPT_CQ;
      results.length = 0;
      results.push(...queue.results.splice(0, Math.min(ArraySize, DEQUEUE_MAX)));
      return results.length;
    },

    RIODeregisterBuffer(BufferId): number {
      buffers.delete(BufferId);
      return 0;
    },

    RIONotify(CQ): number {
      return completionQueues.get(CQ)?.arm() ?? -WSAEINVAL;
    },

    RIORegisterBuffer(DataBuffer, DataLength): number {
      if (DataBuffer === null || !(DataLength <= DataBuffer.length)) return -WSAEFAULT;
      if (!(DataLength > 0)) return -WSAEINVAL;
      return buffers.add(DataBuffer.subarray(0, DataLength));
    },

    RIOResizeCompletionQueue(CQ, QueueSize): number {
      const queue = completionQueues.get(CQ);
      if (queue === undefined || !isQueueSize(QueueSize)) return -WSAEINVAL;
      if (QueueSize < queue.reserved) return -WSAETOOMANYREFS;
      queue.size = QueueSize;
      return 1;
    },

    RIOResizeRequestQueue(RQ, maxReceives, maxSends): number {
      const queue = requestQueues.get(RQ);
      if (queue === undefined || !isCount(maxReceives) || !isCount(maxSends)) return -WSAEINVAL;
      if (maxReceives < queue.receives || maxSends < queue.sends) return -WSAETOOMANYREFS;
      return reserve(queue, maxReceives, maxSends) ? 1 : -WSAENOBUFS;
    },
  };
}

/** Most results that one call takes. */
const DEQUEUE_MAX = 0x1_0000;

function isQueueSize(size: number): boolean {
  return Number.isInteger(size) && size > 0 && size <= RIO_MAX_CQ_SIZE;
}

function isCount(count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= RIO_MAX_CQ_SIZE;
}

/** Gives a request queue the right to so many results. @returns whether its completion queues have room for them */
function reserve(queue: RequestQueue, maxReceives: number, maxSends: number): boolean {
  const { receiveQueue, sendQueue } = queue;
  receiveQueue.reserved += maxReceives - queue.maxReceives;
  sendQueue.reserved += maxSends - queue.maxSends;
  if (receiveQueue.reserved <= receiveQueue.size && sendQueue.reserved <= sendQueue.size) {
    queue.maxReceives = maxReceives;
    queue.maxSends = maxSends;
    return true;
  }
  receiveQueue.reserved -= maxReceives - queue.maxReceives;
  sendQueue.reserved -= maxSends - queue.maxSends;
  return false;
}

/** Starts what was held back, in its order. */
function commit(deferred: (() => void)[]): void {
  for (const start of deferred.splice(0)) start();
}

/** Starts a request; its result goes to the completion queue of its direction. */
function begin(
  base: BaseState,
  queue: RequestQueue,
  isSend: boolean,
  parts: Parts,
  flags: number,
  context: unknown,
): void {
  const completions = isSend ? queue.sendQueue : queue.receiveQueue;
  const done = (answer: number, transferred: number): void => {
    if (isSend) queue.sends--;
    else queue.receives--;
    if (base.isEnding) return;
    const BytesTransferred = answer < 0 ? transferred : answer;
    const Status = answer < 0 ? -answer : 0;
    const isSilent = (flags & RIO_MSG_DONT_NOTIFY) !== 0;
    completions.add(
      { Status, BytesTransferred, SocketContext: queue.context, RequestContext: context },
      isSilent,
    );
  };
  // A descriptor that was closed may be another socket's by now.
  const isOpen = base.sockets.get(queue.socket.handle) === queue.socket;
  // Asked for first, so that it is there when the result is: a socket that receives has its name.
  if (isOpen && !isSend && parts.local !== null) putLocalName(base, queue, parts.local);
  const call = isSend ? prepareSend(base, queue, parts) : prepareReceive(base, queue, parts, flags);
  if (typeof call === 'number' || !isOpen) {
    done(typeof call === 'number' ? call : -WSA_OPERATION_ABORTED, 0);
    return;
  }
  const answer = base.calls.begin(call, (late) => done(late, call.transferred));
  if (answer !== null) done(answer, call.transferred);
}

function prepareSend(base: BaseState, queue: RequestQueue, parts: Parts): Call | number {
  const { data, remote, control } = parts;
  const call = base.calls.prepare(AfdOp.send, queue.socket);
  call.request.flags = AFD_OVERLAPPED;
  call.request.data = data;
  if (remote !== null) {
    const length = remote.length < SOCKADDR_INET_LEN ? -1 : sockaddrLength(sockaddrFamily(remote));
    if (length <= 0 || queue.socket.type === SOCK_STREAM) return -WSAEINVAL;
    call.request.address = copyOf(remote, 0, length);
  }
  if (control !== null) {
    const total = control.length < CONTROL_AT ? -1 : i32le(control, 0);
    if (!(total >= CONTROL_AT && total <= control.length)) return -WSAEINVAL;
    const messages = control.subarray(CONTROL_AT, total);
    const bytes = new Uint8Array(messages.length + data.length);
    bytes.set(messages);
    bytes.set(data, messages.length);
    call.request.a = messages.length;
    call.request.data = bytes;
  }
  return call;
}

function prepareReceive(base: BaseState, queue: RequestQueue, parts: Parts, flags: number): Call | number {
  const { data, remote, control, local } = parts;
  if ([remote, local].some((place) => place !== null && place.length < SOCKADDR_INET_LEN)) return -WSAEINVAL;
  if (control !== null && control.length < CONTROL_AT) return -WSAEINVAL;
  const call = base.calls.prepare(AfdOp.recv, queue.socket, (receiving, completion) =>
    finishReceive(receiving, completion, parts),
  );
  call.request.flags = AFD_OVERLAPPED | ((flags & RIO_MSG_WAITALL) !== 0 ? MSG_WAITALL : 0);
  call.request.into = data;
  if (control !== null) {
    const room = CONTROL_LENGTH_LEN + control.length - CONTROL_AT;
    call.request.a = room;
    call.request.into = new Uint8Array(room + data.length);
  }
  return call;
}

function finishReceive(
  call: Call,
  completion: AfdCompletion,
  { data, remote, control, flags }: Parts,
): number {
  const { error, value, address } = completion;
  if (error !== 0 && error !== WSAEMSGSIZE) return -error;
  const { into, a } = call.request;
  if (control !== null && into !== null) {
    const length = Math.min(Math.max(i32le(into, 0), 0), a - CONTROL_LENGTH_LEN);
    putI32le(control, 0, CONTROL_AT + length);
    control.set(into.subarray(CONTROL_LENGTH_LEN, CONTROL_LENGTH_LEN + length), CONTROL_AT);
    data.set(into.subarray(a, a + value));
  }
  if (remote !== null && address !== null) putAddress(remote, address);
  if (flags !== null && flags.length >= 4) putI32le(flags, 0, completion.flags);
  if (error !== 0) call.transferred = value;
  return error === 0 ? value : -error;
}

function putAddress(place: Uint8Array, address: Uint8Array): void {
  place.fill(0, 0, SOCKADDR_INET_LEN);
  if (readSockaddr(address) !== null) place.set(address.subarray(0, SOCKADDR_INET_LEN));
}

/** The name that the socket is bound to: which of the host's addresses a message was sent to is told by control data. */
function putLocalName(base: BaseState, queue: RequestQueue, place: Uint8Array): void {
  const call = base.calls.prepare(AfdOp.getSockName, queue.socket, (_call, { address }) => {
    if (address !== null) putAddress(place, address);
    return 0;
  });
  base.calls.begin(call, () => {});
}
