/**
 * Carrying out control codes in tests.
 */

import * as abi from '../../src/abi/index.ts';
import { putI32le } from '../../src/base/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ok } from './support.ts';

const EXPERIMENT = 253;
/** The one interface beside loopback. */
export const INDEX = 2;

export interface Outcome {
  readonly answer: number;
  readonly count: number;
  readonly out: Uint8Array;
}

/** Carries out a control code that does not wait. */
export async function ioctl(
  ws: Winsock,
  s: number,
  code: number,
  input: Uint8Array | null = null,
  room = 0,
): Promise<Outcome> {
  const count: Ref = { value: 77 };
  const out = new Uint8Array(room);
  const answer = await ws.WSAIoctl(s, code, input, input?.length ?? 0, room === 0 ? null : out, room, count);
  return { answer, count: count.value, out };
}

/** [answer, count] */
export async function outcome(ws: Winsock, s: number, code: number, input: Uint8Array | null, room: number) {
  const { answer, count } = await ioctl(ws, s, code, input, room);
  return [answer, count];
}

/** Fresh sockets: a stream, UDP, and a raw one. */
export function socketsOf(ws: Winsock, family: number): Promise<number[]> {
  const kinds = [
    [abi.SOCK_STREAM, 0],
    [abi.SOCK_DGRAM, 0],
    [abi.SOCK_RAW, EXPERIMENT],
  ] as const;
  return Promise.all(kinds.map(([type, protocol]) => ok(ws.socket(family, type, protocol))));
}

export const BYTE = (value: number): Uint8Array => Uint8Array.of(value);
/** 32-bit numbers, one behind the other. */
export const WORDS = (...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(4 * values.length);
  for (const [i, value] of values.entries()) putI32le(bytes, 4 * i, value);
  return bytes;
};
