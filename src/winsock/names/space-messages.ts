/**
 * What two ws2_32 say to each other of a provider of version 2 that runs in another process: one of its calls, and its answer.
 *
 *     call     0 op   4 flags   8 handle   12 room   16 operation   20 a packed WSAQUERYSET2, or nothing
 *     answer   0 code (0, or minus a WSA code)   4 handle, or the room that is needed   8 a packed WSAQUERYSET2, or nothing
 */

import { packWSAQUERYSET2, readWSAQUERYSET2, type WSAQUERYSET2 } from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';

export const SpaceOp = { startup: 1, cleanup: 2, begin: 3, next: 4, end: 5, set: 6, rundown: 7 } as const;

export interface SpaceRequest {
  readonly op: number;
  readonly flags: number;
  readonly handle: number;
  readonly room: number;
  readonly operation: number;
  readonly set: WSAQUERYSET2 | null;
}

export interface SpaceReply {
  readonly code: number;
  readonly value: number;
  readonly set: WSAQUERYSET2 | null;
}

const CALL_LEN = 20;
const ANSWER_LEN = 8;

export function encodeRequest(op: number, members: Partial<SpaceRequest> = {}): Uint8Array {
  const { flags = 0, handle = 0, room = 0, operation = 0, set = null } = members;
  return joined([op, flags, handle, room, operation], set);
}

export function decodeRequest(bytes: Uint8Array): SpaceRequest | null {
  if (bytes.length < CALL_LEN) return null;
  const [op = 0, flags = 0, handle = 0, room = 0, operation = 0] = [0, 4, 8, 12, 16].map((at) =>
    i32le(bytes, at),
  );
  return { op, flags, handle, room, operation, set: setAt(bytes, CALL_LEN) };
}

export function encodeReply({ code, value, set }: SpaceReply): Uint8Array {
  return joined([code, value], set);
}

export function decodeReply(bytes: Uint8Array): SpaceReply | null {
  if (bytes.length < ANSWER_LEN) return null;
  return { code: i32le(bytes, 0), value: i32le(bytes, 4), set: setAt(bytes, ANSWER_LEN) };
}

function joined(words: readonly number[], set: WSAQUERYSET2 | null): Uint8Array {
  const packed = set === null ? new Uint8Array(0) : packWSAQUERYSET2(set, 'W');
  const bytes = new Uint8Array(4 * words.length + packed.length);
  for (const [i, word] of words.entries()) putI32le(bytes, 4 * i, word | 0);
  bytes.set(packed, 4 * words.length);
  return bytes;
}

function setAt(bytes: Uint8Array, at: number): WSAQUERYSET2 | null {
  return bytes.length === at ? null : readWSAQUERYSET2(bytes.subarray(at), 'W');
}
