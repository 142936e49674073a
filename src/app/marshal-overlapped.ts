/**
 * How records, routines and what goes with overlapped operations lie in a message.
 */

import type {
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSAMSG,
  WSAOVERLAPPED,
} from '../spi/index.ts';
import type { OVERLAPPED_ENTRY, SOCK_NOTIFY_REGISTRATION } from '../winsock/index.ts';
import {
  anyReferenceKind,
  elementsKind,
  functionKind,
  messageKind,
  placeKind,
  recordKind,
  sourceKind,
  structuresKind,
  transmitBuffersKind,
} from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { inout, input, inputs, outputs, text } from './marshal.ts';
import { emptyRecord, latestOf, liveRecords, MEMBERS, numberOf, ownOperations } from './records.ts';
import { NULL, nullable, PRESENT, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

const RECORD_LEN = MEMBERS.length * WORD;

/** Writes the members of a record; a missing Tag is NaN. */
export function putRecord(box: Mailbox, at: number, record: WSAOVERLAPPED): void {
  for (const [i, member] of MEMBERS.entries()) putNumber(box, at + WORD * i, record[member] ?? Number.NaN);
}

/** Reads them. */
export function takeRecord(box: Mailbox, at: number): WSAOVERLAPPED {
  const record = emptyRecord();
  for (const [i, member] of MEMBERS.entries()) {
    const value = takeNumber(box, at + WORD * i);
    if (!Number.isNaN(value)) record[member] = value;
  }
  return record;
}

/** A record that a call begins an operation with: see `operations` and `chain-operations`. */
export const overlapped: Slot<WSAOVERLAPPED | null> = nullable({
  kind: recordKind,
  size: () => RECORD_LEN,
  put: putRecord,
  take: takeRecord,
});

/** A completion routine; the chain thread makes a function of it that runs in the caller's thread. */
export const routine: Slot<unknown> = {
  kind: functionKind,
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, typeof value === 'function' ? PRESENT : NULL),
  take: (box, at) => takeNumber(box, at) !== NULL,
};

/** A record of an operation that was begun before: its number, and its members in case that is forgotten. */
export const begun: Slot<WSAOVERLAPPED | null> = nullable({
  kind: recordKind,
  size: () => WORD + RECORD_LEN,
  put(box, at, value) {
    putNumber(box, at, latestOf.get(value) ?? -1);
    putRecord(box, at + WORD, value);
  },
  take: (box, at) => liveRecords.get(takeNumber(box, at)) ?? takeRecord(box, at + WORD),
});

/** Writes a record that was dequeued: its number, and its members for a thread that does not know it. */
function giveDequeued(box: Mailbox, at: number, record: WSAOVERLAPPED | null): void {
  putNumber(box, at, record === null ? NULL : PRESENT);
  if (record === null) return;
  putNumber(box, at + WORD, numberOf.get(record) ?? -1);
  putRecord(box, at + 2 * WORD, record);
}

/** The application's own record, when this thread began the operation; else a copy. */
function collectDequeued(box: Mailbox, at: number): WSAOVERLAPPED | null {
  if (takeNumber(box, at) === NULL) return null;
  const own = ownOperations.get(takeNumber(box, at + WORD));
  own?.collect();
  return own?.record ?? takeRecord(box, at + 2 * WORD);
}

const DEQUEUED_LEN = 2 * WORD + RECORD_LEN;

/** A place for the record of a completion. */
export const dequeued: Slot<{ value: WSAOVERLAPPED | null } | null> = nullable<{
  value: WSAOVERLAPPED | null;
}>({
  kind: anyReferenceKind,
  size: () => DEQUEUED_LEN,
  put: (box, at) => putNumber(box, at, NULL),
  take: () => ({ value: null }),
  give: (box, at, value) => giveDequeued(box, at, value.value),
  collect(box, at, value) {
    value.value = collectDequeued(box, at);
  },
});

/** Most completions that one call brings back; who makes the call sees to it. */
export const ENTRIES_MAX = 256;
const ENTRY_LEN = 3 * WORD + DEQUEUED_LEN;

/** An array that GetQueuedCompletionStatusEx fills. */
export const entries: Slot<OVERLAPPED_ENTRY[] | null> = nullable<OVERLAPPED_ENTRY[]>({
  kind: placeKind,
  size: () => WORD + ENTRIES_MAX * ENTRY_LEN,
  put: (box, at) => putNumber(box, at, 0),
  take: () => [],
  give(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, entry] of value.entries()) {
      const place = at + WORD + ENTRY_LEN * i;
      putNumber(box, place, entry.lpCompletionKey);
      putNumber(box, place + WORD, entry.Internal);
      putNumber(box, place + 2 * WORD, entry.dwNumberOfBytesTransferred);
      giveDequeued(box, place + 3 * WORD, entry.lpOverlapped);
    }
  },
  collect(box, at, value) {
    value.length = 0;
    const count = takeNumber(box, at);
    for (let i = 0; i < count; i++) {
      const place = at + WORD + ENTRY_LEN * i;
      value.push({
        lpCompletionKey: takeNumber(box, place),
        Internal: takeNumber(box, place + WORD),
        dwNumberOfBytesTransferred: takeNumber(box, place + 2 * WORD),
        lpOverlapped: collectDequeued(box, place + 3 * WORD),
      });
    }
  },
});

const REGISTRATION_LEN = 6 * WORD;

/** What is asked of sockets; their results come back. */
export const registrations: Slot<SOCK_NOTIFY_REGISTRATION[] | null> = nullable<SOCK_NOTIFY_REGISTRATION[]>({
  kind: structuresKind(
    'socket',
    'completionKey',
    'eventFilter',
    'operation',
    'triggerFlags',
    'registrationResult',
  ),
  size: (value) => WORD + REGISTRATION_LEN * value.length,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, asked] of value.entries()) {
      const place = at + WORD + REGISTRATION_LEN * i;
      const { socket, completionKey, eventFilter, operation, triggerFlags, registrationResult } = asked;
      const members = [socket, completionKey, eventFilter, operation, triggerFlags, registrationResult];
      for (const [j, member] of members.entries()) putNumber(box, place + WORD * j, member);
    }
  },
  take: (box, at) =>
    Array.from({ length: takeNumber(box, at) }, (_, i) => {
      const place = at + WORD + REGISTRATION_LEN * i;
      const member = (j: number): number => takeNumber(box, place + WORD * j);
      return {
        socket: member(0),
        completionKey: member(1),
        eventFilter: member(2),
        operation: member(3),
        triggerFlags: member(4),
        registrationResult: member(5),
      };
    }),
  give(box, at, value) {
    for (const [i, { registrationResult }] of value.entries()) {
      putNumber(box, at + WORD + REGISTRATION_LEN * i + 5 * WORD, registrationResult);
    }
  },
  collect(box, at, value) {
    for (const [i, asked] of value.entries()) {
      asked.registrationResult = takeNumber(box, at + WORD + REGISTRATION_LEN * i + 5 * WORD);
    }
  },
});

/** A WSAMSG: its three numbers, then name, control data and buffers. */
function message(buffers: typeof inputs, isReceived: boolean): Slot<WSAMSG | null> {
  const HEAD = 5 * WORD;
  const parts = (_box: Mailbox, at: number, value: WSAMSG): readonly [number, number, number] => {
    const control = at + HEAD + inout.size(value.name);
    return [at + HEAD, control, control + inout.size(value.Control)];
  };
  const putHead = (box: Mailbox, at: number, value: WSAMSG): void => {
    putNumber(box, at, value.namelen);
    putNumber(box, at + WORD, value.dwBufferCount);
    putNumber(box, at + 2 * WORD, value.ControlLength ?? value.Control?.length ?? 0);
    putNumber(box, at + 3 * WORD, value.dwFlags);
    putNumber(box, at + 4 * WORD, 0);
  };
  const collectHead = (box: Mailbox, at: number, value: WSAMSG): void => {
    value.namelen = takeNumber(box, at);
    value.ControlLength = takeNumber(box, at + 2 * WORD);
    value.dwFlags = takeNumber(box, at + 3 * WORD);
  };
  return nullable<WSAMSG>({
    kind: messageKind,
    size: (value) =>
      HEAD + inout.size(value.name) + inout.size(value.Control) + buffers.size(value.lpBuffers),
    put(box, at, value) {
      const [name, control, list] = parts(box, at, value);
      putHead(box, at, value);
      inout.put(box, name, value.name);
      inout.put(box, control, value.Control);
      buffers.put(box, list, value.lpBuffers);
    },
    take(box, at) {
      const name = inout.take(box, at + HEAD);
      const controlAt = at + HEAD + inout.size(name);
      const Control = inout.take(box, controlAt);
      return {
        name,
        namelen: takeNumber(box, at),
        lpBuffers: buffers.take(box, controlAt + inout.size(Control)),
        dwBufferCount: takeNumber(box, at + WORD),
        Control,
        ControlLength: takeNumber(box, at + 2 * WORD),
        dwFlags: takeNumber(box, at + 3 * WORD),
      };
    },
    give: putHead,
    collect(box, at, value) {
      if (!isReceived) return;
      const [name, control, list] = parts(box, at, value);
      collectHead(box, at, value);
      inout.collect?.(box, name, value.name);
      inout.collect?.(box, control, value.Control);
      buffers.collect?.(box, list, value.lpBuffers);
    },
  });
}

export const sentMessage = message(inputs, false);
export const receivedMessage = message(outputs, true);

/** A file: a descriptor, which all threads of the process share, or a path. */
export const source: Slot<TransmitSource | null> = nullable<TransmitSource>({
  kind: sourceKind,
  size: (value) => WORD + (typeof value === 'string' ? text.size(value) : 0),
  put(box, at, value) {
    putNumber(box, at, typeof value === 'string' ? -2 : typeof value === 'number' ? value : value.fd);
    if (typeof value === 'string') text.put(box, at + WORD, value);
  },
  take(box, at) {
    const fd = takeNumber(box, at);
    return fd === -2 ? (text.take(box, at + WORD) ?? '') : fd;
  },
});

/** Data before and behind a file. */
export const transmitBuffers: Slot<TRANSMIT_FILE_BUFFERS | null> = nullable<TRANSMIT_FILE_BUFFERS>({
  kind: transmitBuffersKind,
  size: ({ Head, Tail }) => input.size(Head) + input.size(Tail),
  put(box, at, { Head, Tail }) {
    input.put(box, at, Head);
    input.put(box, at + input.size(Head), Tail);
  },
  take(box, at) {
    const Head = input.take(box, at);
    return { Head, Tail: input.take(box, at + input.size(Head)) };
  },
});

/** The pieces of TransmitPackets. */
export const elements: Slot<readonly TRANSMIT_PACKETS_ELEMENT[] | null> = nullable<
  readonly TRANSMIT_PACKETS_ELEMENT[]
>({
  kind: elementsKind,
  size: (value) => value.reduce((total, element) => total + elementSize(element), WORD),
  put(box, at, value) {
    putNumber(box, at, value.length);
    let place = at + WORD;
    for (const element of value) {
      putNumber(box, place, element.dwElFlags);
      putNumber(box, place + WORD, element.cLength);
      putNumber(box, place + 2 * WORD, element.nFileOffset ?? -1);
      input.put(box, place + 3 * WORD, element.pBuffer ?? null);
      source.put(box, place + 3 * WORD + input.size(element.pBuffer ?? null), element.hFile ?? null);
      place += elementSize(element);
    }
  },
  take(box, at) {
    const taken: TRANSMIT_PACKETS_ELEMENT[] = [];
    const count = takeNumber(box, at);
    let place = at + WORD;
    for (let i = 0; i < count; i++) {
      const pBuffer = input.take(box, place + 3 * WORD);
      const element = {
        dwElFlags: takeNumber(box, place),
        cLength: takeNumber(box, place + WORD),
        nFileOffset: takeNumber(box, place + 2 * WORD),
        pBuffer,
        hFile: source.take(box, place + 3 * WORD + input.size(pBuffer)),
      };
      taken.push(element);
      place += elementSize(element);
    }
    return taken;
  },
});

function elementSize(element: TRANSMIT_PACKETS_ELEMENT): number {
  return 3 * WORD + input.size(element.pBuffer ?? null) + source.size(element.hFile ?? null);
}
