/**
 * How the calls of a name-space provider of version 2 travel to the thread of the application that has announced it: in places of
 * memory that this thread shares, an argument behind the other as in a mailbox. Here the chain thread is the caller.
 */

import type { NSPV2_ENTRIES } from '../spi/index.ts';
import { HEAD_LEN, Mailbox } from './mailbox.ts';
import { number, reference, text } from './marshal.ts';
import { PACKED_ROOM, querySet2Input, querySet2Into } from './marshal-names.ts';
import type { AnySlot } from './slot.ts';

/** One of the provider's functions. */
export interface SpaceEntry {
  readonly name: (typeof NSPV2_ENTRIES)[number];
  readonly slots: readonly AnySlot[];
  /** Where the client's session is among its arguments; −1: nowhere. It travels as a number. */
  readonly sessionAt: number;
}

/** In the order of NSPV2_ENTRIES. */
export const SPACE_ENTRIES: readonly SpaceEntry[] = [
  { name: 'NSPv2Startup', slots: [text, reference], sessionAt: -1 },
  { name: 'NSPv2Cleanup', slots: [text, number], sessionAt: 1 },
  {
    name: 'NSPv2LookupServiceBegin',
    slots: [text, querySet2Input, number, number, reference],
    sessionAt: 3,
  },
  {
    name: 'NSPv2LookupServiceNextEx',
    slots: [number, number, number, reference, querySet2Into],
    sessionAt: -1,
  },
  { name: 'NSPv2LookupServiceEnd', slots: [number], sessionAt: -1 },
  { name: 'NSPv2SetServiceEx', slots: [number, text, querySet2Input, number, number, number], sessionAt: 5 },
  { name: 'NSPv2ClientSessionRundown', slots: [text, number], sessionAt: 1 },
];

/** Calls of one provider that may be under way at a time: a function that asks for a name itself may be called again meanwhile. */
const PLACES = 8;
/** Bytes of one: a packed query set, a GUID as text, some numbers. */
const PLACE_LEN = HEAD_LEN + PACKED_ROOM + 1024;

/** Bytes that a thread shares for a provider. */
export const SPACE_MEMORY_LEN = PLACES * PLACE_LEN;

/** The places of such memory. */
export function placesOf(memory: SharedArrayBuffer): Mailbox[] {
  return Array.from({ length: PLACES }, (_, i) => new Mailbox(memory, PLACE_LEN * i, PLACE_LEN));
}

/** Where each argument lies. */
export function layOut({ slots }: SpaceEntry, args: readonly unknown[]): number[] {
  let at = 0;
  return slots.map((slot, i) => {
    const here = at;
    at += slot.size(args[i] as never);
    return here;
  });
}
