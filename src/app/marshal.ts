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

import type { Ref, WSABUF } from '../spi/index.ts';
import {
  anyKind,
  anyReferenceKind,
  boolKind,
  bytesKind,
  bytesListKind,
  functionKind,
  lengthReferenceKind,
  numberKind,
  numbersKind,
  referenceKind,
  textKind,
} from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { aligned, NULL, nullable, PRESENT, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

/** The upper half of a NaN, and a lower half that no calculation gives: it stands for what was left out. */
const NAN_UPPER = 0x7ff8_0000;
const LEFT_OUT_LOWER = 1;

/** A number: handles, flags, lengths. One that was left out is left out again for the call. */
export const number: Slot<number | undefined> = {
  kind: numberKind,
  size: () => WORD,
  put(box, at, value) {
    if (value !== undefined) return putNumber(box, at, value);
    box.view.setUint32(at, LEFT_OUT_LOWER, true);
    box.view.setUint32(at + 4, NAN_UPPER, true);
  },
  take(box, at) {
    const isLeftOut =
      box.view.getUint32(at, true) === LEFT_OUT_LOWER && box.view.getUint32(at + 4, true) === NAN_UPPER;
    return isLeftOut ? undefined : takeNumber(box, at);
  },
};

/** A BOOL. */
export const bool: Slot<boolean> = {
  kind: boolKind,
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value ? 1 : 0),
  take: (box, at) => takeNumber(box, at) !== 0,
};

/** Text that goes in. */
export const text: Slot<string | null> = nullable({
  kind: textKind,
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
  kind: bytesKind,
  size: (value) => WORD + aligned(value.length),
  put(box, at, value) {
    putNumber(box, at, value.length);
    box.body.set(value, at + WORD);
  },
  take: bytesAt,
});

/** Bytes that a call may write to some part of: they go in and come back whole. For small structures. */
export const inout: Slot<Uint8Array | null> = nullable({
  kind: bytesKind,
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
  kind: bytesKind,
  size: (value) => WORD + aligned(value.length),
  put: (box, at, value) => putNumber(box, at, value.length),
  take: bytesAt,
  collect: (box, at, value) => value.set(bytesAt(box, at).subarray(0, box.received)),
});

/** A number behind a pointer. */
export const reference: Slot<Ref | null> = nullable({
  kind: referenceKind,
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value.value),
  take: (box, at) => ({ value: takeNumber(box, at) }),
  give: (box, at, value) => putNumber(box, at, value.value),
  collect: (box, at, value) => {
    value.value = takeNumber(box, at);
  },
});

/** A length behind a pointer, which may be left out. */
export const lengthReference: Slot<Ref | null> = { ...reference, kind: lengthReferenceKind };

/** Most characters that come back behind a pointer to text. */
const TEXT_MAX = 256;

/** Text behind a pointer: it only comes out. */
export const textReference: Slot<Ref<string> | null> = nullable({
  kind: anyReferenceKind,
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
  kind: bytesListKind,
  size: listSize,
  put(box, at, value) {
    putLengths(box, at, value);
    for (const [i, into] of takeBuffers(box, at).entries()) into.set(value[i] as WSABUF);
  },
  take: takeBuffers,
});

/** Buffers of a scattered receive. */
export const outputs: Slot<readonly WSABUF[] | null> = nullable({
  kind: bytesListKind,
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
  kind: numbersKind,
  size: (value) => WORD + WORD * value.length,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, element] of value.entries()) putNumber(box, at + WORD + WORD * i, element);
  },
  take: numbersAt,
});

/** Reads an array of numbers. */
export function numbersAt(box: Mailbox, at: number): number[] {
  return Array.from({ length: takeNumber(box, at) }, (_, i) => takeNumber(box, at + WORD + WORD * i));
}

/** A function of the caller's: only whether there is one travels; the chain thread calls back (see `chain-server`). */
export const callback: Slot<unknown> = {
  kind: functionKind,
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, typeof value === 'function' ? PRESENT : NULL),
  take: (box, at) => takeNumber(box, at) !== NULL,
};

/** The thread's blocking hook: only whether there is one travels, as with {@link callback}. */
export const hook: Slot<unknown> = { ...callback };

/** An argument that is reserved, or not carried: only whether it is `null` travels. */
export const none: Slot<unknown> = {
  kind: anyKind,
  size: () => WORD,
  put: (box, at, value) => putNumber(box, at, value === null || value === undefined ? NULL : PRESENT),
  take: (box, at) => (takeNumber(box, at) === NULL ? null : {}),
};
