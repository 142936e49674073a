/**
 * Registered I/O on the chain thread: from what a message carries to what the core works with.
 */

import { RIO_EVENT_COMPLETION, RIO_IOCP_COMPLETION, WSAEINVAL } from '../abi/index.ts';
import type { Answer, RIO_NOTIFICATION_COMPLETION } from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import type { SharedMemories } from './chain-operations.ts';
import type { CarriedNotification, SharedRange, TicketArgument } from './marshal-rio.ts';
import { numberOf } from './records.ts';
import { openGone, tellGone, track } from './rio-tickets.ts';

type AnyCall = (...args: readonly unknown[]) => Answer;

export class ChainRio {
  readonly #memories: SharedMemories;
  /** The threads that have registered buffers, by BufferId. */
  readonly #owners = new Map<number, number>();

  constructor(memories: SharedMemories) {
    this.#memories = memories;
  }

  /** A call of registered I/O with the arguments of a message, made for a thread; `null` for any other call. */
  callOf(name: string, winsock: Winsock, thread: number): AnyCall | null {
    switch (name) {
      case 'RIOReceive':
      case 'RIOReceiveEx':
      case 'RIOSend':
      case 'RIOSendEx':
      case 'RIOCreateRequestQueue': {
        const call = winsock[name] as AnyCall;
        return (...args) => call(...args.slice(0, -1), (args[args.length - 1] as TicketArgument).ticket);
      }
      case 'RIOCreateCompletionQueue':
        return (size, notification) =>
          createQueue(winsock, size as number, notification as CarriedNotification | null);
      case 'RIORegisterBuffer':
        return (range, length) =>
          this.#register(winsock, thread, range as SharedRange | null, length as number);
      case 'RIODeregisterBuffer':
        return (id) => this.#deregister(winsock, thread, id as number);
      default:
        return null;
    }
  }

  #register(winsock: Winsock, thread: number, range: SharedRange | null, length: number): Answer {
    const bytes = range === null ? null : this.#memories.takeRange(range.memory, range.at, range.length);
    const answer = winsock.RIORegisterBuffer(bytes, length);
    if (typeof answer !== 'number' || answer < 0) return answer;
    openGone(thread);
    this.#owners.set(answer, thread);
    return answer;
  }

  #deregister(winsock: Winsock, thread: number, id: number): Answer {
    const answer = winsock.RIODeregisterBuffer(id);
    const owner = this.#owners.get(id);
    if (answer !== 0 || owner === undefined) return answer;
    this.#owners.delete(id);
    if (owner !== thread) tellGone(owner, -id);
    return answer;
  }
}

function createQueue(winsock: Winsock, size: number, carried: CarriedNotification | null): Answer {
  if (carried === null) return winsock.RIOCreateCompletionQueue(size, null);
  const { Type, Handle, NotifyReset, CompletionKey, number, Overlapped } = carried;
  let notification: RIO_NOTIFICATION_COMPLETION;
  if (Type === RIO_EVENT_COMPLETION) {
    notification = { Type, EventHandle: Handle, NotifyReset };
  } else if (Type === RIO_IOCP_COMPLETION) {
    numberOf.set(Overlapped, number);
    track(number, Overlapped);
    notification = { Type, IocpHandle: Handle, CompletionKey, Overlapped };
  } else {
    return -WSAEINVAL;
  }
  return winsock.RIOCreateCompletionQueue(size, notification);
}
