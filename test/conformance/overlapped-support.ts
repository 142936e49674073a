/**
 * What tests of overlapped operations need: records, waiting for their end, ports and their packets.
 */

import { expect } from '@jest/globals';
import { INFINITE, INVALID_HANDLE_VALUE, STATUS_PENDING, WSA_IO_PENDING } from '../../src/abi/index.ts';
import type { Answer, Ref, WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ok } from './support.ts';

/** How long a test waits for what must come, ms. */
export const SOON = 5000;

/** A record, with an event object or without. */
export function record(hEvent = 0): WSAOVERLAPPED {
  return { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
}

/** A record with an event object of its own. */
export async function recordWithEvent(ws: Winsock): Promise<WSAOVERLAPPED> {
  return record(await ok(ws.WSACreateEvent()));
}

/** An operation that has to start: at once done, or pending. */
export async function started(answer: Answer): Promise<void> {
  expect([0, 1, -WSA_IO_PENDING]).toContain(await answer);
}

/** An operation that has to pend. */
export async function pending(answer: Answer): Promise<void> {
  expect(await answer).toBe(-WSA_IO_PENDING);
}

/** How an operation with an event ended: [WSA code, bytes]. */
export async function ended(ws: Winsock, s: number, lpOverlapped: WSAOVERLAPPED): Promise<[number, number]> {
  const waited = await ws.WSAWaitForMultipleEvents(1, [lpOverlapped.hEvent & ~1], true, SOON);
  expect(waited).toBe(0);
  expect(lpOverlapped.Internal).not.toBe(STATUS_PENDING);
  return result(ws, s, lpOverlapped);
}

/** What WSAGetOverlappedResult says without waiting: [WSA code, bytes]. */
export async function result(ws: Winsock, s: number, lpOverlapped: WSAOVERLAPPED): Promise<[number, number]> {
  const count: Ref = { value: -1 };
  const answer = await ws.WSAGetOverlappedResult(s, lpOverlapped, count, false, { value: 0 });
  return answer === 1 ? [0, count.value] : [-answer, lpOverlapped.InternalHigh];
}

/** A new port, and a socket that is associated with it. */
export async function portOf(ws: Winsock, s: number, key = 7): Promise<number> {
  const port = await ok(ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0));
  expect(await ws.CreateIoCompletionPort(s, port, key, 0)).toBe(port);
  return port;
}

/** One packet of a port. */
export interface Packet {
  /** 1, or minus a Win32 code. */
  readonly answer: number;
  readonly bytes: number;
  readonly key: number;
  readonly lpOverlapped: WSAOVERLAPPED | null;
}

/** Takes a packet. */
export async function packet(ws: Winsock, port: number, timeout = SOON): Promise<Packet> {
  const bytes: Ref = { value: -1 };
  const key: Ref = { value: -1 };
  const lpOverlapped: Ref<WSAOVERLAPPED | null> = { value: null };
  const answer = await ws.GetQueuedCompletionStatus(port, bytes, key, lpOverlapped, timeout);
  return { answer, bytes: bytes.value, key: key.value, lpOverlapped: lpOverlapped.value };
}

/** Whether a port has no packet now. */
export async function isEmpty(ws: Winsock, port: number): Promise<boolean> {
  return (await packet(ws, port, 0)).answer === -258;
}

export { INFINITE };
