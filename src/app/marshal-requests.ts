/**
 * How the buffer of a request travels: of WSAAsyncGetXByY, which returns at once and fills the buffer later, before its message comes.
 */

import { inout } from './marshal.ts';
import type { Slot } from './slot.ts';

/** Bytes that are the request's until its message comes. What it does not write stays as it was. */
export const requestBuffer: Slot<Uint8Array | null> = { ...inout };
