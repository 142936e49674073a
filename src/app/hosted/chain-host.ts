/**
 * What the operations on layered sockets share: the Winsock process that they are calls of, its sockets, and the two ways to make a
 * call that may wait: as a thread that blocks, or overlapped.
 */

import { FIONBIO, WSA_IO_PENDING, wsaOfNtStatus } from '../../abi/index.ts';
import { putI32le } from '../../base/index.ts';
import type { Answer, WSAOVERLAPPED } from '../../spi/index.ts';
import type { Winsock, WinsockProcess, WinsockThread } from '../../winsock/index.ts';
import { ChainSocket } from './chain-socket.ts';
import type { SharedPort } from './shared-port.ts';
import { EventState } from './socket-events.ts';
import type { Ticket } from './ticket.ts';

/** Answers a request on a layered socket: its value, or minus a WSA code; what else the completion has goes to the ticket. */
export type Operation = (host: ChainHost, ticket: Ticket, socket: ChainSocket) => Answer;

/** Descriptors of layered sockets begin here; the daemon's own are far below. */
export const FIRST_DESCRIPTOR = 0x4000_0000;

export class ChainHost {
  readonly process: WinsockProcess;
  readonly winsock: Winsock;
  readonly shared: SharedPort;
  /** The application, as the daemon knows it. */
  readonly pid: number;
  readonly sockets = new Map<number, ChainSocket>();
  readonly #byHandle = new Map<number, ChainSocket>();
  readonly #threads: WinsockThread[] = [];
  readonly #events: number[] = [];
  #lastDescriptor = FIRST_DESCRIPTOR - 1;

  constructor(process: WinsockProcess, winsock: Winsock, shared: SharedPort, pid: number) {
    this.process = process;
    this.winsock = winsock;
    this.shared = shared;
    this.pid = pid;
  }

  /** The socket on top of a chain that has that handle. */
  byHandle(handle: number): ChainSocket | undefined {
    return this.#byHandle.get(handle);
  }

  /** Gives a handle on top of a chain its descriptor; `null` when there is no such handle any more. */
  admit(handle: number, isStream: boolean): ChainSocket | null {
    const provider = this.process.handles.socket(handle)?.provider;
    if (provider === undefined) return null;
    do {
      this.#lastDescriptor =
        this.#lastDescriptor >= 0x7fff_ffff ? FIRST_DESCRIPTOR : this.#lastDescriptor + 1;
    } while (this.sockets.has(this.#lastDescriptor));
    const socket = new ChainSocket(this.#lastDescriptor, handle, provider, isStream, new EventState());
    this.sockets.set(socket.descriptor, socket);
    this.#byHandle.set(handle, socket);
    return socket;
  }

  /** The application has no socket of that descriptor any more. */
  drop(socket: ChainSocket): void {
    if (this.sockets.get(socket.descriptor) !== socket) return;
    this.sockets.delete(socket.descriptor);
    if (this.#byHandle.get(socket.handle) === socket) this.#byHandle.delete(socket.handle);
    socket.events.end();
    for (const tell of [...socket.closing]) tell();
  }

  takeThread(): WinsockThread {
    return this.#threads.pop() ?? this.process.threads.open(this.process.windows.main);
  }

  giveThread(thread: WinsockThread): void {
    this.#threads.push(thread);
  }

  /** Interrupts what a thread waits for at a provider. */
  interrupt(thread: WinsockThread, socket: ChainSocket): void {
    this.process.thread = thread;
    void socket.table.WSPCancelBlockingCall();
  }

  /**
   * Makes an overlapped call and waits for its end.
   * @param start makes it. @returns its value or error when it is done, minus WSA_IO_PENDING when it pends
   */
  overlapped(ticket: Ticket, s: number, start: (lpOverlapped: WSAOVERLAPPED) => Answer): Answer {
    const hEvent = this.#takeEvent();
    if (hEvent < 0) return hEvent;
    const record: WSAOVERLAPPED = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
    const begun = (answer: number): Answer => {
      if (answer === -WSA_IO_PENDING) return this.#untilDone(ticket, s, record);
      this.#events.push(hEvent);
      return answer;
    };
    const answer = start(record);
    return typeof answer === 'number' ? begun(answer) : answer.then(begun);
  }

  #untilDone(ticket: Ticket, s: number, record: WSAOVERLAPPED): Answer {
    const { hEvent } = record;
    const event = this.process.handles.event(hEvent);
    const finish = (): number => {
      this.#events.push(hEvent);
      const error = wsaOfNtStatus(record.Internal);
      ticket.outFlags = record.Offset;
      ticket.failedValue = record.InternalHigh;
      return error === 0 ? record.InternalHigh : -error;
    };
    if (event === null || event.isSignaled) return finish();
    ticket.cancel = () => void this.winsock.CancelIoEx(s, record);
    if (ticket.isCancelled) ticket.cancel();
    ticket.pends();
    return new Promise((resolve) => {
      const wake = (): void => {
        event.waiters.delete(wake);
        resolve(finish());
      };
      event.waiters.add(wake);
    });
  }

  #takeEvent(): number {
    const spare = this.#events.pop();
    if (spare !== undefined) {
      this.winsock.WSAResetEvent(spare);
      return spare;
    }
    const made = this.winsock.WSACreateEvent();
    return typeof made === 'number' ? made : -WSA_IO_PENDING;
  }

  /**
   * Makes a call as if the socket were in that mode. Calls on a socket take effect in their order, so the changes around it are felt
   * by it alone.
   */
  inMode(socket: ChainSocket, isNonBlocking: boolean, call: () => Answer): Answer {
    if (socket.isNonBlocking === isNonBlocking) return call();
    this.#setMode(socket, isNonBlocking);
    const answer = call();
    this.#setMode(socket, socket.isNonBlocking);
    return answer;
  }

  #setMode({ table, handle }: ChainSocket, isNonBlocking: boolean): void {
    const value = new Uint8Array(4);
    putI32le(value, 0, isNonBlocking ? 1 : 0);
    void table.WSPIoctl(handle, FIONBIO, value, 4, null, 0, null, null, null);
  }
}
