/**
 * What a kind of argument has to know to travel through a mailbox, and the two things that all kinds need: numbers, and values
 * that may be missing. The kinds themselves are in `marshal` and `marshal-structures`.
 */

import type { Kind } from './kinds.ts';
import type { Mailbox } from './mailbox.ts';

/** Written before a value that may be null, or left out. */
export const NULL = 0;
export const PRESENT = 1;
const LEFT_OUT = 2;
/** Bytes of a number, and of the word before a nullable value. */
export const WORD = 8;

/** How one kind of argument travels. The default `give` and `collect` do nothing: it only goes in. */
export interface Slot<T> {
  /** What the application may give; the rest of the slot sees nothing else. */
  readonly kind: Kind;
  /** Bytes that the value takes, a multiple of 8. */
  size(value: T): number;
  put(box: Mailbox, at: number, value: T): void;
  take(box: Mailbox, at: number): T;
  give?(box: Mailbox, at: number, value: T): void;
  collect?(box: Mailbox, at: number, value: T): void;
}

/** A slot of any kind, for tables: a value goes only where its own kind is. */
export interface AnySlot {
  readonly kind: Kind;
  size(value: never): number;
  put(box: Mailbox, at: number, value: never): void;
  take(box: Mailbox, at: number): unknown;
  give?(box: Mailbox, at: number, value: never): void;
  collect?(box: Mailbox, at: number, value: never): void;
}

/** A length rounded up to a multiple of 8. */
export function aligned(length: number): number {
  return (length + WORD - 1) & ~(WORD - 1);
}

/** Writes a number; a member of a structure that is none, or missing, is NaN. */
export function putNumber(box: Mailbox, at: number, value: number): void {
  box.view.setFloat64(
    at,
    typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN,
    true,
  );
}

/** Reads one. */
export function takeNumber(box: Mailbox, at: number): number {
  return box.view.getFloat64(at, true);
}

/** Makes a slot whose value may be null from one whose value is not. */
export function nullable<T>(slot: Slot<T>): Slot<T | null> {
  const { give, collect, kind } = slot;
  return {
    kind,
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
