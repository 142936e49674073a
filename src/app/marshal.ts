/**
 * How the arguments of a Winsock call lie in a mailbox: one after the other, each at a multiple of 8.
 *
 * Everything is in place. Bytes that a call sends are copied in once, and the chain thread works on them there; bytes that it
 * receives are put there by the chain thread and copied out once. What a call writes through a pointer is written back to
 * where the argument lies.
 *
 * A {@link Slot} is the way of one kind of argument: the caller's `size` and `put`, the chain thread's `take` (its own form of
 * the argument) and `give` (what the call left in that), the caller's `collect`. Both sides walk the arguments in the same order,
 * so that each finds the place without being told.
 */

import {
  type fd_set,
  readWSANETWORKEVENTS,
  readWSAPROTOCOL_INFOW,
  type TIMEVAL,
  type WSADATA,
  type WSANETWORKEVENTS,
  WSANETWORKEVENTS_LEN,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
  writeWSANETWORKEVENTS,
  writeWSAPROTOCOL_INFOW,
} from '../abi/index.ts';
import type { Ref, WSABUF, WSAPOLLFD } from '../spi/index.ts';
import { WSA_DESCRIPTION, WSA_SYSTEM_STATUS } from '../winsock/index.ts';
import type { Mailbox } from './mailbox.ts';

/** Written before a value that may be null, or left out. */
const NULL = 0;
const PRESENT = 1;
const LEFT_OUT = 2;
/** Bytes of a number, and of the word before a nullable value. */
const WORD = 8;

/** How one kind of argument travels. The default `give` and `collect` do nothing: it only goes in. */
export interface Slot<T> {
  /** Bytes that the value takes, a multiple of 8. */
  size(value: T): number;
  put(box: Mailbox, at: number, value: T): void;
  take(box: Mailbox, at: number): T;
  give?(box: Mailbox, at: number, value: T): void;
  collect?(box: Mailbox, at: number, value: T): void;
}

/** A slot of any kind, for tables: a value goes only where its own kind is. */
export interface AnySlot {
  size(value: never): number;
  put(box: Mailbox, at: number, value: never): void;
  take(box: Mailbox, at: number): unknown;
  give?(box: Mailbox, at: number, value: never): void;
  collect?(box: Mailbox, at: number, value: never): void;
}

function aligned(length: number): number {
  return (length + WORD - 1) & ~(WORD - 1);
}

function putNumber(box: Mailbox, at: number, value: number): void {
  box.view.setFloat64(at, value, true);
}

function takeNumber(box: Mailbox, at: number): number {
  return box.view.getFloat64(at, true);
}

/** Makes a slot whose value may be null from one whose value is not. */
function nullable<T>(slot: Slot<T>): Slot<T | null> {
  const { give, collect } = slot;
  return {
    size: (value) => WORD + (value === null || value === undefined ? 0 : slot.size(value)),
    put(box, at, value) {
      if (value === null || value === undefined) {
        putNumber(box, at, value === null ? NULL : LEFT_OUT);
      } else {
        putNumber(box, at, PRESENT);
        slot.put(box, at + WORD, value);
      }
    },
    take(box, at) {
      const kind = takeNumber(box, at);
      // Left out here, left out there: the call has its own idea of what stands for it.
      if (kind === LEFT_OUT) return undefined as unknown as null;
      return kind === NULL ? null : slot.take(box, at + WORD);
    },
    give(box, at, value) {
      if (value !== null && value !== undefined) give?.(box, at + WORD, value);
    },
    collect(box, at, value) {
      if (value !== null && value !== undefined) collect?.(box, at + WORD, value);
    },
  };
}

/** A number: handles, flags, lengths. One that was left out is NaN on the way, and left out again for the call. */
export const number: Slot<number | undefined> = {
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value ?? Number.NaN),
  take(box, at) {
    const value = takeNumber(box, at);
    return Number.isNaN(value) ? undefined : value;
  },
};

/** A BOOL. */
export const bool: Slot<boolean> = {
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value ? 1 : 0),
  take: (box, at) => takeNumber(box, at) !== 0,
};

/** Text that goes in. */
export const text: Slot<string | null> = nullable({
  size: (value) => WORD + aligned(2 * value.length),
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (let i = 0; i < value.length; i++) box.view.setUint16(at + WORD + 2 * i, value.charCodeAt(i), true);
  },
  take(box, at) {
    const length = takeNumber(box, at);
    let value = '';
    for (let i = 0; i < length; i++)
      value += String.fromCharCode(box.view.getUint16(at + WORD + 2 * i, true));
    return value;
  },
});

function bytesAt(box: Mailbox, at: number): Uint8Array {
  const start = at + WORD;
  return box.body.subarray(start, start + takeNumber(box, at));
}

/** Bytes that a call reads. */
export const input: Slot<Uint8Array | null> = nullable({
  size: (value) => WORD + aligned(value.length),
  put(box, at, value) {
    putNumber(box, at, value.length);
    box.body.set(value, at + WORD);
  },
  take: bytesAt,
});

/** Bytes that a call may write to some part of: they go in and come back whole. For small structures. */
export const inout: Slot<Uint8Array | null> = nullable({
  size: (value) => WORD + aligned(value.length),
  put(box, at, value) {
    putNumber(box, at, value.length);
    box.body.set(value, at + WORD);
  },
  take: bytesAt,
  collect: (box, at, value) => value.set(bytesAt(box, at)),
});

/** A buffer to receive into: only its length goes in, and what was received comes back. */
export const output: Slot<Uint8Array | null> = nullable({
  size: (value) => WORD + aligned(value.length),
  put: (box, at, value) => putNumber(box, at, value.length),
  take: bytesAt,
  collect: (box, at, value) => value.set(bytesAt(box, at).subarray(0, box.received)),
});

/** A number behind a pointer. */
export const reference: Slot<Ref | null> = nullable({
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value.value),
  take: (box, at) => ({ value: takeNumber(box, at) }),
  give: (box, at, value) => putNumber(box, at, value.value),
  collect: (box, at, value) => {
    value.value = takeNumber(box, at);
  },
});

/** Most characters that come back behind a pointer to text. */
const TEXT_MAX = 256;

/** Text behind a pointer: it only comes out. */
export const textReference: Slot<Ref<string> | null> = nullable({
  size: () => WORD + 2 * TEXT_MAX,
  put: (box, at) => putNumber(box, at, 0),
  take: () => ({ value: '' }),
  give(box, at, { value }) {
    const length = Math.min(value.length, TEXT_MAX);
    putNumber(box, at, length);
    for (let i = 0; i < length; i++) box.view.setUint16(at + WORD + 2 * i, value.charCodeAt(i), true);
  },
  collect(box, at, value) {
    const length = takeNumber(box, at);
    let found = '';
    for (let i = 0; i < length; i++)
      found += String.fromCharCode(box.view.getUint16(at + WORD + 2 * i, true));
    value.value = found;
  },
});

function listSize(value: readonly WSABUF[]): number {
  return value.reduce((total, buffer) => total + WORD + aligned(buffer.length), WORD);
}

function takeBuffers(box: Mailbox, at: number): WSABUF[] {
  const buffers: WSABUF[] = [];
  const count = takeNumber(box, at);
  let place = at + WORD;
  for (let i = 0; i < count; i++) {
    const buffer = bytesAt(box, place);
    buffers.push(buffer);
    place += WORD + aligned(buffer.length);
  }
  return buffers;
}

function putLengths(box: Mailbox, at: number, value: readonly WSABUF[]): void {
  putNumber(box, at, value.length);
  let place = at + WORD;
  for (const { length } of value) {
    putNumber(box, place, length);
    place += WORD + aligned(length);
  }
}

/** Buffers of a gathered send. */
export const inputs: Slot<readonly WSABUF[] | null> = nullable({
  size: listSize,
  put(box, at, value) {
    putLengths(box, at, value);
    for (const [i, into] of takeBuffers(box, at).entries()) into.set(value[i] as WSABUF);
  },
  take: takeBuffers,
});

/** Buffers of a scattered receive. */
export const outputs: Slot<readonly WSABUF[] | null> = nullable({
  size: listSize,
  put: putLengths,
  take: takeBuffers,
  collect(box, at, value) {
    let left = box.received;
    for (const [i, from] of takeBuffers(box, at).entries()) {
      const part = Math.min(left, from.length);
      (value[i] as WSABUF).set(from.subarray(0, part));
      left -= part;
    }
  },
});

/** Numbers in an array that a call only reads. */
export const numbers: Slot<readonly number[] | null> = nullable({
  size: (value) => WORD + WORD * value.length,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, element] of value.entries()) putNumber(box, at + WORD + WORD * i, element);
  },
  take: numbersAt,
});

function numbersAt(box: Mailbox, at: number): number[] {
  return Array.from({ length: takeNumber(box, at) }, (_, i) => takeNumber(box, at + WORD + WORD * i));
}

/** A set of sockets; it comes back no larger. */
export const set: Slot<fd_set | null> = nullable({
  size: (value) => WORD + WORD * value.fd_array.length,
  put: (box, at, value) => putNumbers(box, at, value.fd_array),
  take: (box, at) => ({ fd_array: numbersAt(box, at) }),
  give: (box, at, value) => putNumbers(box, at, value.fd_array),
  collect: (box, at, value) => {
    value.fd_array = numbersAt(box, at);
  },
});

function putNumbers(box: Mailbox, at: number, values: readonly number[]): void {
  putNumber(box, at, values.length);
  for (let i = 0; i < values.length; i++) putNumber(box, at + WORD + WORD * i, values[i] as number);
}

export const time: Slot<TIMEVAL | null> = nullable({
  size: () => 2 * WORD,
  put(box, at, value) {
    putNumber(box, at, value.tv_sec);
    putNumber(box, at + WORD, value.tv_usec);
  },
  take: (box, at) => ({ tv_sec: takeNumber(box, at), tv_usec: takeNumber(box, at + WORD) }),
});

/** Bytes of a WSAPOLLFD here. */
const POLLFD_LEN = 3 * WORD;

export const pollfds: Slot<WSAPOLLFD[] | null> = nullable({
  size: (value) => WORD + POLLFD_LEN * value.length,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, { fd, events }] of value.entries()) {
      putNumber(box, at + WORD + POLLFD_LEN * i, fd);
      putNumber(box, at + WORD + POLLFD_LEN * i + WORD, events);
    }
  },
  take: (box, at) =>
    Array.from({ length: takeNumber(box, at) }, (_, i) => ({
      fd: takeNumber(box, at + WORD + POLLFD_LEN * i),
      events: takeNumber(box, at + WORD + POLLFD_LEN * i + WORD),
      revents: 0,
    })),
  give(box, at, value) {
    for (const [i, { revents }] of value.entries()) {
      putNumber(box, at + WORD + POLLFD_LEN * i + 2 * WORD, revents);
    }
  },
  collect(box, at, value) {
    for (const [i, fd] of value.entries()) {
      fd.revents = takeNumber(box, at + WORD + POLLFD_LEN * i + 2 * WORD);
    }
  },
});

/** What WSAEnumNetworkEvents fills in. */
export const networkEvents: Slot<WSANETWORKEVENTS | null> = nullable({
  size: () => aligned(WSANETWORKEVENTS_LEN),
  put(box, at, value) {
    writeWSANETWORKEVENTS(box.body, at, value);
  },
  take: (box, at) => readWSANETWORKEVENTS(box.body, at) ?? { lNetworkEvents: 0, iErrorCode: [] },
  give(box, at, value) {
    writeWSANETWORKEVENTS(box.body, at, value);
  },
  collect(box, at, value) {
    const events = readWSANETWORKEVENTS(box.body, at);
    if (events !== null) Object.assign(value, events);
  },
});

const infoSlot: Slot<WSAPROTOCOL_INFO> = {
  size: () => aligned(WSAPROTOCOL_INFOW_LEN),
  put(box, at, value) {
    writeWSAPROTOCOL_INFOW(box.body, at, value);
  },
  take: (box, at) => readInfo(box, at),
};

/** 628 bytes are always there, so that reading cannot fail. */
function readInfo(box: Mailbox, at: number): WSAPROTOCOL_INFO {
  return readWSAPROTOCOL_INFOW(box.body, at) as WSAPROTOCOL_INFO;
}

/** A catalog entry that goes in. */
export const info: Slot<WSAPROTOCOL_INFO | null> = nullable(infoSlot);

/** A place for one that comes out. */
export const infoReference: Slot<Ref<WSAPROTOCOL_INFO | null> | null> = nullable<
  Ref<WSAPROTOCOL_INFO | null>
>({
  size: () => WORD + aligned(WSAPROTOCOL_INFOW_LEN),
  put: (box, at) => putNumber(box, at, NULL),
  take: () => ({ value: null }),
  give(box, at, { value }) {
    putNumber(box, at, value === null ? NULL : PRESENT);
    if (value !== null) infoSlot.put(box, at + WORD, value);
  },
  collect(box, at, value) {
    value.value = takeNumber(box, at) === NULL ? null : readInfo(box, at + WORD);
  },
});

/** Most entries that a catalog's listing brings back. */
const INFOS_MAX = 64;

/** An array that a listing fills. */
export const infos: Slot<WSAPROTOCOL_INFO[] | null> = nullable<WSAPROTOCOL_INFO[]>({
  size: () => WORD + INFOS_MAX * aligned(WSAPROTOCOL_INFOW_LEN),
  put: (box, at) => putNumber(box, at, 0),
  take: () => [],
  give(box, at, value) {
    const count = Math.min(value.length, INFOS_MAX);
    putNumber(box, at, count);
    for (let i = 0; i < count; i++) {
      infoSlot.put(box, at + WORD + i * aligned(WSAPROTOCOL_INFOW_LEN), value[i] as WSAPROTOCOL_INFO);
    }
  },
  collect(box, at, value) {
    value.length = 0;
    const count = takeNumber(box, at);
    for (let i = 0; i < count; i++) value.push(readInfo(box, at + WORD + i * aligned(WSAPROTOCOL_INFOW_LEN)));
  },
});

/** What WSAStartup fills in; its texts are this project's own and need not travel. */
export const data: Slot<WSADATA | null> = nullable({
  size: () => 4 * WORD,
  put: (box, at) => putNumber(box, at, 0),
  take: () => ({
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  }),
  give(box, at, value) {
    putNumber(box, at, value.wVersion);
    putNumber(box, at + WORD, value.wHighVersion);
    putNumber(box, at + 2 * WORD, value.iMaxSockets);
    putNumber(box, at + 3 * WORD, value.iMaxUdpDg);
  },
  collect(box, at, value) {
    value.wVersion = takeNumber(box, at);
    value.wHighVersion = takeNumber(box, at + WORD);
    value.iMaxSockets = takeNumber(box, at + 2 * WORD);
    value.iMaxUdpDg = takeNumber(box, at + 3 * WORD);
    value.szDescription = WSA_DESCRIPTION;
    value.szSystemStatus = WSA_SYSTEM_STATUS;
  },
});

/** A function of the caller's: only whether there is one travels; the chain thread calls back (see `chain-server`). */
export const callback: Slot<unknown> = {
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, typeof value === 'function' ? PRESENT : NULL),
  take: (box, at) => takeNumber(box, at) !== NULL,
};

/** An argument that this face does not carry; the caller has made sure that it is null. */
export const none: Slot<null> = { size: () => 0, put: () => {}, take: () => null };
