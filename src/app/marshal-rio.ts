/**
 * How the arguments of registered I/O lie in a message.
 */

import type { RIO_BUF, RIORESULT, WSAOVERLAPPED } from '../spi/index.ts';
import { anyKind, structureKind } from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { putRecord, takeRecord } from './marshal-overlapped.ts';
import { MEMBERS } from './records.ts';
import { handOver, type Ticket, takeGone, track } from './rio-tickets.ts';
import { nullable, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

function putNumbers(box: Mailbox, at: number, values: readonly number[]): void {
  for (const [i, value] of values.entries()) putNumber(box, at + WORD * i, value);
}

const PART_LEN = 3 * WORD;

function putPart(box: Mailbox, at: number, { BufferId, Offset, Length }: RIO_BUF): void {
  putNumbers(box, at, [BufferId, Offset, Length]);
}

function takePart(box: Mailbox, at: number): RIO_BUF {
  return {
    BufferId: takeNumber(box, at),
    Offset: takeNumber(box, at + WORD),
    Length: takeNumber(box, at + 2 * WORD),
  };
}

/** A part of a registered buffer. */
export const part: Slot<RIO_BUF | null> = nullable({
  kind: structureKind('BufferId', 'Offset', 'Length'),
  size: () => PART_LEN,
  put: putPart,
  take: takePart,
});

/** A range of memory that the caller has shared for this call. */
export interface SharedRange {
  readonly memory: number;
  readonly at: number;
  readonly length: number;
}

/** Memory to be registered. */
export const range: Slot<SharedRange | null> = nullable<SharedRange>({
  kind: anyKind,
  size: () => 3 * WORD,
  put: (box, where, { memory, at, length }) => putNumbers(box, where, [memory, at, length]),
  take: (box, where) => ({
    memory: takeNumber(box, where),
    at: takeNumber(box, where + WORD),
    length: takeNumber(box, where + 2 * WORD),
  }),
});

/** How a completion queue is to tell, with the number under which the caller keeps the record. */
export interface CarriedNotification {
  readonly Type: number;
  readonly Handle: number;
  readonly NotifyReset: boolean;
  readonly CompletionKey: number;
  readonly number: number;
  readonly Overlapped: WSAOVERLAPPED;
}

export const notification: Slot<CarriedNotification | null> = nullable<CarriedNotification>({
  kind: anyKind,
  size: () => (5 + MEMBERS.length) * WORD,
  put(box, at, { Type, Handle, NotifyReset, CompletionKey, number, Overlapped }) {
    putNumbers(box, at, [Type, Handle, NotifyReset ? 1 : 0, CompletionKey, number]);
    putRecord(box, at + 5 * WORD, Overlapped);
  },
  take: (box, at) => ({
    Type: takeNumber(box, at),
    Handle: takeNumber(box, at + WORD),
    NotifyReset: takeNumber(box, at + 2 * WORD) !== 0,
    CompletionKey: takeNumber(box, at + 3 * WORD),
    number: takeNumber(box, at + 4 * WORD),
    Overlapped: takeRecord(box, at + 5 * WORD),
  }),
});

/** Most parts of a request: data, both addresses, control data, flags. */
const PARTS_MAX = 5;
const TICKET_LEN = 3 * WORD + PARTS_MAX * PART_LEN;

function putTicket(box: Mailbox, at: number, { number, value, parts }: Ticket): void {
  putNumbers(box, at, [number, value, parts.length]);
  for (const [i, each] of parts.entries()) {
    // No buffer has that number.
    putPart(box, at + 3 * WORD + PART_LEN * i, each ?? { BufferId: Number.NaN, Offset: 0, Length: 0 });
  }
}

function takeTicket(box: Mailbox, at: number): Ticket {
  const parts = Array.from({ length: takeNumber(box, at + 2 * WORD) }, (_, i) =>
    takePart(box, at + 3 * WORD + PART_LEN * i),
  );
  return { number: takeNumber(box, at), value: takeNumber(box, at + WORD), parts };
}

/** Most of what a thread learns with one answer that it can forget: more than the one that the call may add. */
const GONE_MAX = 8;

/** A context that goes in, with what the thread can forget coming back. */
export interface TicketArgument {
  readonly ticket: Ticket;
  gone: number[];
}

export const ticket: Slot<TicketArgument> = {
  kind: anyKind,
  size: () => TICKET_LEN + WORD + GONE_MAX * WORD,
  put(box, at, value) {
    putTicket(box, at, value.ticket);
    putNumber(box, at + TICKET_LEN, 0);
  },
  take(box, at) {
    const taken = takeTicket(box, at);
    track(taken.number, taken);
    return { ticket: taken, gone: [] };
  },
  give(box, at) {
    const numbers = takeGone(box.thread, GONE_MAX);
    putNumbers(box, at + TICKET_LEN, [numbers.length, ...numbers]);
  },
  collect(box, at, value) {
    const place = at + TICKET_LEN;
    value.gone = Array.from({ length: takeNumber(box, place) }, (_, i) =>
      takeNumber(box, place + WORD + WORD * i),
    );
  },
};

/** Most results that one message brings back. */
export const RESULTS_MAX = 128;
const RESULT_LEN = 2 * WORD + 2 * TICKET_LEN;

/** An array for results, whose contexts are tickets here. */
export const results: Slot<RIORESULT[] | null> = nullable<RIORESULT[]>({
  kind: anyKind,
  size: () => WORD + RESULTS_MAX * RESULT_LEN,
  put: (box, at) => putNumber(box, at, 0),
  take: () => [],
  give(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, { Status, BytesTransferred, SocketContext, RequestContext }] of value.entries()) {
      const place = at + WORD + RESULT_LEN * i;
      putNumbers(box, place, [Status, BytesTransferred]);
      putTicket(box, place + 2 * WORD, SocketContext as Ticket);
      putTicket(box, place + 2 * WORD + TICKET_LEN, RequestContext as Ticket);
      handOver(RequestContext as Ticket, box.thread);
    }
  },
  collect(box, at, value) {
    value.length = 0;
    const count = takeNumber(box, at);
    for (let i = 0; i < count; i++) {
      const place = at + WORD + RESULT_LEN * i;
      value.push({
        Status: takeNumber(box, place),
        BytesTransferred: takeNumber(box, place + WORD),
        SocketContext: takeTicket(box, place + 2 * WORD),
        RequestContext: takeTicket(box, place + 2 * WORD + TICKET_LEN),
      });
    }
  },
});
