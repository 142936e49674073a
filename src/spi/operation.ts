/**
 * Overlapped operations (SEM-OV-*): what is kept of one while it is under way, and how its end is announced.
 *
 * The caller's record tells all that is needed to ask about it: `Internal` is STATUS_PENDING until the operation is done and its
 * NTSTATUS then, `InternalHigh` the byte count, `Offset` the flags of a receive. `Internal` is written last (SPI-GEN-09).
 *
 *     begin ──→ fail(code)          not started: nobody is told
 *           └─→ finish(answer, …)   event, routine or packet, once
 */

import {
  NO_ERROR,
  ntStatusOf,
  SOCK_STREAM,
  STATUS_PENDING,
  STATUS_PORT_UNREACHABLE,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSAECONNRESET,
  WSAEINTR,
  WSAEINVAL,
  wsaOfNtStatus,
} from '../abi/index.ts';
import type { SocketOperation } from './base-sockets.ts';
import type { FileObject, IoManager } from './io-manager.ts';
import type { WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSATHREADID } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** Whose operations they are: the base provider, or a layer with handles of its own. */
export interface OperationHost {
  readonly io: IoManager;
  readonly upcalls: WSPUPCALLTABLE;
  /** Winsock is being given up: what ends now ends without a completion (SEM-VER-15). */
  readonly isEnding: boolean;
}

/** A socket that has operations. */
export interface OperationSocket {
  readonly handle: number;
  /** SOCK_* */
  readonly type: number;
  readonly operations: Set<SocketOperation>;
}

/** Who waits for a record with WSPGetOverlappedResult; the record itself holds no reference to them. */
const waiting = new WeakMap<WSAOVERLAPPED, ((answer: number) => void)[]>();

/**
 * A record of a provider's own, for calls below that it makes itself: their end is told to it alone. They do not signal the socket's
 * handle, and no CancelIo of the application ends them.
 */
export class PrivateRecord implements WSAOVERLAPPED {
  Internal = 0;
  InternalHigh = 0;
  Offset = 0;
  OffsetHigh = 0;
  /** No event, and no packet at a completion port (SEM-OV-03). */
  readonly hEvent = 1;
}

export class Operation implements SocketOperation {
  readonly socket: OperationSocket;
  readonly lpOverlapped: WSAOVERLAPPED;
  /** The thread that began it. */
  readonly thread: number;
  /** It has outlasted the call that began it. */
  hasPended = false;
  /** Asks for its early end. */
  cancel: () => void = () => {};
  readonly #base: OperationHost;
  readonly #routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  readonly #file: FileObject | null;

  private constructor(
    base: OperationHost,
    socket: OperationSocket,
    lpOverlapped: WSAOVERLAPPED,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    thread: number,
  ) {
    this.#base = base;
    this.socket = socket;
    this.lpOverlapped = lpOverlapped;
    this.#routine = routine;
    this.thread = thread;
    this.#file = lpOverlapped instanceof PrivateRecord ? null : base.io.file(socket.handle);
  }

  /**
   * Makes the record one that is under way.
   * @returns minus WSA_INVALID_HANDLE for an event that is none, minus WSAEINVAL for a routine where packets are queued
   */
  static begin(
    base: OperationHost,
    socket: OperationSocket,
    lpOverlapped: WSAOVERLAPPED,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
  ): Operation | number {
    const thread = lpThreadId === null ? base.io.currentThread : lpThreadId.ThreadHandle;
    const operation = new Operation(base, socket, lpOverlapped, routine, thread);
    const event = eventOf(lpOverlapped);
    if (routine !== null) {
      if (operation.#file?.isAssociated === true) return -WSAEINVAL;
    } else if (event !== 0 && base.upcalls.WPUResetEvent(event) < 0) {
      return -WSA_INVALID_HANDLE;
    }
    operation.#file?.started();
    lpOverlapped.InternalHigh = 0;
    lpOverlapped.Internal = STATUS_PENDING;
    socket.operations.add(operation);
    return operation;
  }

  /** It did not start. @param code minus a WSA code, which it answers */
  fail(code: number): number {
    this.socket.operations.delete(this);
    this.lpOverlapped.Internal = this.#status(-code);
    return code;
  }

  /** An extension function did not start: the record stays as it is (SEM-OV-21). */
  failExtension(code: number): number {
    this.socket.operations.delete(this);
    return code;
  }

  /** It failed before the call returned, and is announced all the same. @returns minus WSA_IO_PENDING, which the call answers */
  finishLate(answer: number): number {
    this.hasPended = true;
    this.finish(answer);
    return -WSA_IO_PENDING;
  }

  /**
   * It is done.
   * @param answer the byte count, or minus a WSA code
   * @param transferred bytes that were moved although it failed
   * @param flags MSG_* of a receive; −1: `Offset` is left alone
   */
  finish(answer: number, transferred = 0, flags = -1): void {
    const { lpOverlapped } = this;
    if (!this.socket.operations.delete(this)) return;
    if (this.#base.isEnding) {
      // WSACleanup: no completion (SEM-VER-15). Only who waits here and now goes on.
      settleWaiters(lpOverlapped, -WSAEINTR);
      return;
    }
    const bytes = answer < 0 ? transferred : answer;
    const status = this.#status(answer < 0 ? -answer : NO_ERROR);
    if (flags >= 0) lpOverlapped.Offset = flags;
    lpOverlapped.InternalHigh = bytes;
    lpOverlapped.Internal = status;
    this.#base.io.ended(lpOverlapped, resultOf(lpOverlapped));
    this.#announce(status, bytes, Math.max(flags, 0));
    settleWaiters(lpOverlapped, resultOf(lpOverlapped));
  }

  /** Winsock is being given up: only who waits here and now goes on. */
  abandon(): void {
    this.finish(-WSAEINTR);
  }

  #announce(status: number, bytes: number, flags: number): void {
    const { lpOverlapped } = this;
    const routine = this.#routine;
    if (routine !== null) {
      const thread = { ThreadHandle: this.thread };
      const run = (): void => routine(wsaOfNtStatus(status), bytes, lpOverlapped, flags);
      this.#base.upcalls.WPUQueueApc(thread, run, 0);
      return;
    }
    const event = eventOf(lpOverlapped);
    if (event !== 0) this.#base.upcalls.WPUSetEvent(event);
    const wantsPacket = (lpOverlapped.hEvent & 1) === 0;
    this.#file?.completed(lpOverlapped, status, bytes, wantsPacket, this.hasPended);
  }

  #status(code: number): number {
    // What resets a datagram socket's receive is an ICMP message (SEM-IO-12).
    const isIcmp = code === WSAECONNRESET && this.socket.type !== SOCK_STREAM;
    return isIcmp ? STATUS_PORT_UNREACHABLE : ntStatusOf(code);
  }
}

/** The event of a record, without the bit that speaks of completion ports. */
export function eventOf(lpOverlapped: WSAOVERLAPPED): number {
  return lpOverlapped.hEvent & ~1;
}

/** How the operation of a record that is done ended: its byte count, or minus its WSA code. */
export function resultOf({ Internal, InternalHigh }: WSAOVERLAPPED): number {
  const code = wsaOfNtStatus(Internal);
  return code === NO_ERROR ? InternalHigh : -code;
}

/** Resolves with the byte count, or minus the WSA code, when the operation of a record that is under way is done. */
export function whenDone(lpOverlapped: WSAOVERLAPPED): Promise<number> {
  return new Promise((resolve) => {
    const waiters = waiting.get(lpOverlapped) ?? [];
    waiters.push(resolve);
    waiting.set(lpOverlapped, waiters);
  });
}

/** Lets those go on who wait for a record with {@link whenDone}. */
export function settleWaiters(lpOverlapped: WSAOVERLAPPED, answer: number): void {
  const waiters = waiting.get(lpOverlapped);
  if (waiters === undefined) return;
  waiting.delete(lpOverlapped);
  for (const settle of waiters) settle(answer);
}
