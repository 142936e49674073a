/**
 * What the base provider's calls share, and the small checks that all of them make.
 */

import { FROM_PROTOCOL_INFO } from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import type { BehaviorProfile } from '../port/index.ts';
import type { Calls } from './base-call.ts';
import type { BaseSockets } from './base-sockets.ts';
import type { IoManager } from './io-manager.ts';
import type { WSABUF } from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** The state of the base provider in one process. */
export interface BaseState {
  readonly calls: Calls;
  readonly sockets: BaseSockets;
  /** Whose behaviour is shown where versions of Windows differ. */
  readonly profile: BehaviorProfile;
  /** The newest table that ws2_32 handed in (SPI-START-05). */
  upcalls: WSPUPCALLTABLE;
  readonly io: IoManager;
  /** Winsock is being given up: what ends now ends without a completion (SEM-VER-15). */
  isEnding: boolean;
}

/** The first `length` bytes of a caller's memory; `null` when it is not readable so far (WSAEFAULT). */
export function readable(bytes: Uint8Array | null, length: number): Uint8Array | null {
  if (bytes === null || !(length >= 0 && length <= bytes.length)) return null;
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}

/** An argument of WSPSocket, or the entry's member when it says nothing (SPI-GEN-06). */
export function argumentOr(value: number, member: number): number {
  return value === 0 || value === FROM_PROTOCOL_INFO ? member : value;
}

/** Bytes in the first `count` buffers; -1 when one of them is missing. */
export function totalLength(buffers: readonly WSABUF[], count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const buffer = buffers[i];
    if (buffer === undefined || buffer === null) return -1;
    total += buffer.length;
  }
  return total;
}

/** The bytes of the first `count` buffers as one array: the only one itself, several copied together. */
export function gather(buffers: readonly WSABUF[], count: number): Uint8Array | null {
  if (count === 0) return EMPTY;
  if (count === 1) return buffers[0] ?? null;
  const total = totalLength(buffers, count);
  if (total < 0) return null;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const buffer = buffers[i] as WSABUF;
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}

/** Spreads the first `length` bytes over the buffers in their order. */
export function scatter(bytes: Uint8Array, length: number, buffers: readonly WSABUF[]): void {
  let at = 0;
  for (const buffer of buffers) {
    if (at >= length) return;
    const part = Math.min(buffer.length, length - at);
    buffer.set(bytes.subarray(at, at + part));
    at += part;
  }
}
