/**
 * Function pointers: what SIO_GET_EXTENSION_FUNCTION_POINTER writes is the number of a function, for which this keeps the
 * function, as a process's address space does. A layer that wants to see AcceptEx hands out the pointer of its own.
 */

import { i32le, putI32le } from '../base/index.ts';

// biome-ignore lint/complexity/noBannedTypes: a pointer may be any function's; who calls one knows its type, as in C
type AnyFunction = Function;

/** Where functions begin; each is 16 bytes long, so that no pointer looks like a handle or is 0. */
const FIRST = 0x1000_0000;
const STEP = 16;

const functions: AnyFunction[] = [];
const pointers = new Map<AnyFunction, number>();

/** The pointer of a function; always the same one. The function is kept for as long as the process lives. */
export function pointerOf(code: AnyFunction): number {
  const known = pointers.get(code);
  if (known !== undefined) return known;
  const pointer = FIRST + STEP * functions.length;
  functions.push(code);
  pointers.set(code, pointer);
  return pointer;
}

/** The function of a pointer; `null` for a number that is none. */
export function functionAt(pointer: number): AnyFunction | null {
  const offset = pointer - FIRST;
  return offset >= 0 && offset % STEP === 0 ? (functions[offset / STEP] ?? null) : null;
}

/** Writes a pointer as eight bytes. */
export function writePointer(into: Uint8Array, at: number, code: AnyFunction): void {
  putI32le(into, at, pointerOf(code));
  putI32le(into, at + 4, 0);
}

/** Reads one. */
export function readPointer(bytes: Uint8Array, at = 0): number {
  return i32le(bytes, at) >>> 0;
}
