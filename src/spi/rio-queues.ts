/**
 * The queues and buffers of registered I/O, by the numbers that stand for them.
 */

import {
  RIO_EVENT_COMPLETION,
  RIO_IOCP_COMPLETION,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
} from '../abi/index.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { RIO_BUF, RIO_NOTIFICATION_COMPLETION, RIORESULT } from './types.ts';

/** Where requests leave their results. */
export class CompletionQueue {
  /** Most results: what the request queues may have outstanding together. */
  size: number;
  /** Results that request queues have a right to. */
  reserved = 0;
  readonly results: RIORESULT[] = [];
  readonly #base: BaseState;
  readonly #notification: RIO_NOTIFICATION_COMPLETION | null;
  #isArmed = false;

  constructor(base: BaseState, size: number, notification: RIO_NOTIFICATION_COMPLETION | null) {
    this.#base = base;
    this.size = size;
    this.#notification = notification;
  }

  /** @param isSilent the request does not want anybody told (RIO_MSG_DONT_NOTIFY) */
  add(result: RIORESULT, isSilent: boolean): void {
    this.results.push(result);
    if (!isSilent && this.#isArmed) this.#tell();
  }

  /** Has it tell once: now, when there is something. @returns 0 or minus a WSA code */
  arm(): number {
    const notification = this.#notification;
    if (notification === null) return -WSAEINVAL;
    if (this.#isArmed) return -WSAEALREADY;
    if (notification.Type === RIO_EVENT_COMPLETION && notification.NotifyReset) {
      if (this.#base.upcalls.WPUResetEvent(notification.EventHandle) < 0) return -WSAEINVAL;
    }
    this.#isArmed = true;
    if (this.results.length > 0) this.#tell();
    return 0;
  }

  #tell(): void {
    const notification = this.#notification;
    this.#isArmed = false;
    if (notification?.Type === RIO_EVENT_COMPLETION) {
      this.#base.upcalls.WPUSetEvent(notification.EventHandle);
    } else if (notification?.Type === RIO_IOCP_COMPLETION) {
      const { IocpHandle, CompletionKey, Overlapped } = notification;
      this.#base.io.postPacket(IocpHandle, CompletionKey, Overlapped);
    }
  }
}

/** What is wrong with how a completion queue is to tell; 0: nothing. */
export function checkNotification(base: BaseState, notification: RIO_NOTIFICATION_COMPLETION | null): number {
  if (notification === null) return 0;
  if (notification.Type === RIO_IOCP_COMPLETION)
    return base.io.isPort(notification.IocpHandle) ? 0 : -WSAEINVAL;
  if (notification.Type !== RIO_EVENT_COMPLETION) return -WSAEINVAL;
  const isEvent = base.upcalls.WPUResetEvent(notification.EventHandle) > 0;
  return isEvent ? 0 : -WSAEINVAL;
}

/** A socket's requests. */
export class RequestQueue {
  readonly socket: BaseSocket;
  readonly context: unknown;
  readonly receiveQueue: CompletionQueue;
  readonly sendQueue: CompletionQueue;
  maxReceives: number;
  maxSends: number;
  /** Requests that are under way or deferred. */
  receives = 0;
  sends = 0;
  /** What RIO_MSG_DEFER holds back, by direction. */
  readonly deferredReceives: (() => void)[] = [];
  readonly deferredSends: (() => void)[] = [];

  constructor(
    socket: BaseSocket,
    context: unknown,
    receiveQueue: CompletionQueue,
    sendQueue: CompletionQueue,
    maxReceives: number,
    maxSends: number,
  ) {
    this.socket = socket;
    this.context = context;
    this.receiveQueue = receiveQueue;
    this.sendQueue = sendQueue;
    this.maxReceives = maxReceives;
    this.maxSends = maxSends;
  }
}

/** Objects by numbers that count upwards; 0 is none of them. */
export class Numbered<T> {
  readonly #objects = new Map<number, T>();
  #last = 0;

  add(object: T): number {
    this.#objects.set(++this.#last, object);
    return this.#last;
  }

  get(number: number): T | undefined {
    return this.#objects.get(number);
  }

  delete(number: number): void {
    this.#objects.delete(number);
  }

  entries(): Iterable<[number, T]> {
    return this.#objects.entries();
  }
}

/** The bytes of a part of a registered buffer; minus WSAEFAULT when there is no such part. */
export function partOf(buffers: Numbered<Uint8Array>, part: RIO_BUF): Uint8Array | number {
  const bytes = buffers.get(part.BufferId);
  if (bytes === undefined) return -WSAEFAULT;
  const { Offset, Length } = part;
  const isInside = Number.isInteger(Offset) && Number.isInteger(Length) && Offset >= 0 && Length >= 0;
  return isInside && Offset + Length <= bytes.length ? bytes.subarray(Offset, Offset + Length) : -WSAEFAULT;
}
