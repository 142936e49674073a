/**
 * Name-space providers of version 2 that threads of the application have announced, as the chain thread sees them: tables whose
 * functions run in those threads, in the Winsock call that one sleeps in, or in its next one.
 */

import {
  NSP_NOTIFY_HWND,
  WSA_IO_PENDING,
  WSAEFAULT,
  type WSAQUERYSET2,
  WSASYSCALLFAILURE,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import {
  type Answer,
  type AsyncAnswer,
  NSPV2_ENTRIES,
  type NSPV2_ROUTINE,
  NSPV2_ROUTINE_LEN,
  type Ref,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
} from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { Callback } from './callbacks.ts';
import type { SharedMemories } from './chain-operations.ts';
import type { ClientThread } from './client-thread.ts';
import type { Mailbox } from './mailbox.ts';
import { type CompletionNumbers, completionOf } from './marshal-requests.ts';
import { layOut, placesOf, SPACE_ENTRIES, SPACE_MEMORY_LEN } from './marshal-spaces.ts';

type AnyCall = (...args: readonly unknown[]) => Answer;

/** Calls about name spaces with the arguments that their messages carry. */
export class ChainSpaces {
  readonly #memories: SharedMemories;
  readonly #tables = new Map<string, ThreadTable>();

  constructor(memories: SharedMemories) {
    this.#memories = memories;
  }

  /** A call with the arguments of a message, made for a thread; `null` for any other call. */
  callOf(name: string, winsock: Winsock, thread: ClientThread): AnyCall | null {
    switch (name) {
      case 'WSANSPIoctl':
        return nspIoctlOf(winsock);
      case 'WSAAdvertiseProvider':
        return (id, number, memory) =>
          this.#advertise(winsock, thread, id as string | null, number as number, memory as number);
      case 'WSAUnadvertiseProvider':
        return (id) => this.#unadvertise(winsock, id as string | null);
      case 'WSAProviderCompleteAsyncCall':
        return (hAsyncCall, code, length, results) =>
          this.#complete(
            winsock,
            hAsyncCall as number,
            code as number,
            length as Ref | null,
            results as WSAQUERYSET2 | null,
          );
      default:
        return null;
    }
  }

  /** A thread has ended: what it had announced is there no more. */
  forget(thread: ClientThread, winsock: Winsock | null): void {
    for (const [key, table] of [...this.#tables]) {
      if (table.thread !== thread) continue;
      table.leave();
      if (winsock !== null) void winsock.WSAUnadvertiseProvider(key);
      this.#tables.delete(key);
    }
  }

  async #advertise(
    winsock: Winsock,
    thread: ClientThread,
    id: string | null,
    number: number,
    memory: number,
  ): Promise<number> {
    const bytes = this.#memories.takeRange(memory, 0, SPACE_MEMORY_LEN);
    if (id === null || bytes === null) return winsock.WSAAdvertiseProvider(id, null);
    const table = new ThreadTable(thread, number, placesOf(bytes.buffer as SharedArrayBuffer));
    const answer = await winsock.WSAAdvertiseProvider(id, table);
    if (answer === 0) this.#tables.set(id.toUpperCase(), table);
    return answer;
  }

  #unadvertise(winsock: Winsock, id: string | null): Answer {
    const answer = winsock.WSAUnadvertiseProvider(id);
    if (answer === 0) this.#tables.delete(id?.toUpperCase() ?? '');
    return answer;
  }

  /** The result that a provider has filled in since it was asked comes with the end of the call. */
  #complete(
    winsock: Winsock,
    hAsyncCall: number,
    code: number,
    length: Ref | null,
    results: WSAQUERYSET2 | null,
  ): Answer {
    for (const { waiting } of this.#tables.values()) {
      const next = waiting.get(hAsyncCall);
      if (next === undefined) continue;
      if (length !== null) next.length.value = length.value;
      if (results !== null) Object.assign(next.results, results);
      // Only the thread that was asked has the result.
      const isLost = code === 0 && results === null;
      const answer = winsock.WSAProviderCompleteAsyncCall(hAsyncCall, isLost ? WSASYSCALLFAILURE : code);
      if (answer === 0) waiting.delete(hAsyncCall);
      return answer;
    }
    return winsock.WSAProviderCompleteAsyncCall(hAsyncCall, code);
  }
}

/** A NextEx that its provider finishes later. */
interface WaitingNext {
  readonly hLookup: number;
  readonly length: Ref;
  readonly results: WSAQUERYSET2;
}

/** A provider whose functions run in a thread of the application. */
class ThreadTable implements NSPV2_ROUTINE {
  cbSize = NSPV2_ROUTINE_LEN;
  dwMajorVersion = 2;
  dwMinorVersion = 0;
  readonly thread: ClientThread;
  readonly waiting = new Map<number, WaitingNext>();
  readonly #number: number;
  readonly #places: readonly Mailbox[];
  /** Places that no call uses, and who waits for one. */
  readonly #free: number[];
  readonly #queue: ((place: number) => void)[] = [];
  readonly #gone: Promise<number>;
  #leave: (answer: number) => void = () => {};

  constructor(thread: ClientThread, number: number, places: readonly Mailbox[]) {
    this.thread = thread;
    this.#number = number;
    this.#places = places;
    this.#free = [...places.keys()];
    this.#gone = new Promise((resolve) => {
      this.#leave = resolve;
    });
  }

  /** Its thread has ended: calls that it was to answer fail. */
  leave(): void {
    this.#leave(-WSASYSCALLFAILURE);
  }

  NSPv2Startup(...args: Parameters<NSPV2_ROUTINE['NSPv2Startup']>): Answer {
    return this.#call('NSPv2Startup', args);
  }

  NSPv2Cleanup(...args: Parameters<NSPV2_ROUTINE['NSPv2Cleanup']>): Answer {
    return this.#call('NSPv2Cleanup', args);
  }

  NSPv2LookupServiceBegin(...args: Parameters<NSPV2_ROUTINE['NSPv2LookupServiceBegin']>): Answer {
    return this.#call('NSPv2LookupServiceBegin', args);
  }

  async NSPv2LookupServiceNextEx(
    ...args: Parameters<NSPV2_ROUTINE['NSPv2LookupServiceNextEx']>
  ): Promise<number> {
    const [hAsyncCall, hLookup, , length, results] = args;
    this.waiting.set(hAsyncCall, { hLookup, length, results });
    const answer = await this.#call('NSPv2LookupServiceNextEx', args);
    if (answer !== -WSA_IO_PENDING) this.waiting.delete(hAsyncCall);
    return answer;
  }

  NSPv2LookupServiceEnd(hLookup: number): Answer {
    for (const [hAsyncCall, next] of [...this.waiting])
      if (next.hLookup === hLookup) this.waiting.delete(hAsyncCall);
    return this.#call('NSPv2LookupServiceEnd', [hLookup]);
  }

  NSPv2SetServiceEx(...args: Parameters<NSPV2_ROUTINE['NSPv2SetServiceEx']>): AsyncAnswer {
    return this.#call('NSPv2SetServiceEx', args);
  }

  NSPv2ClientSessionRundown(...args: Parameters<NSPV2_ROUTINE['NSPv2ClientSessionRundown']>): Answer {
    return this.#call('NSPv2ClientSessionRundown', args);
  }

  async #call(name: (typeof NSPV2_ENTRIES)[number], args: readonly unknown[]): Promise<number> {
    const index = NSPV2_ENTRIES.indexOf(name);
    const entry = SPACE_ENTRIES[index];
    const place = this.#free.pop() ?? (await new Promise<number>((resolve) => this.#queue.push(resolve)));
    const box = this.#places[place];
    if (entry === undefined || box === undefined) return -WSASYSCALLFAILURE;
    const places = layOut(entry, args);
    for (const [i, slot] of entry.slots.entries()) slot.put(box, places[i] as number, args[i] as never);
    const running = this.thread.runSoon({
      kind: Callback.nameSpace,
      numbers: [this.#number, index, place],
      first: EMPTY,
      second: EMPTY,
    });
    const answer = await Promise.race([this.#gone, running]);
    if (answer >= 0 || answer === -WSAEFAULT) {
      for (const [i, slot] of entry.slots.entries())
        slot.collect?.(box, places[i] as number, args[i] as never);
    }
    const next = this.#queue.shift();
    if (next === undefined) this.#free.push(place);
    else next(place);
    return answer;
  }
}

/** WSANSPIoctl: the completion's record and routine come behind its numbers. */
function nspIoctlOf(winsock: Winsock): AnyCall {
  return (hLookup, code, input, cbInput, output, cbOutput, returned, numbers, record, routine) => {
    const told = completionOf(
      numbers as CompletionNumbers | null | undefined,
      record as WSAOVERLAPPED | null,
      routine as WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    );
    // A window is told after the mailbox has gone to another call.
    const isBrief = told?.Type === NSP_NOTIFY_HWND;
    const own = (bytes: unknown): Uint8Array | null =>
      isBrief && bytes instanceof Uint8Array ? bytes.slice() : (bytes as Uint8Array | null);
    return winsock.WSANSPIoctl(
      hLookup as number,
      code as number,
      own(input),
      cbInput as number,
      own(output),
      cbOutput as number,
      returned as Ref | null,
      told,
    );
  };
}
