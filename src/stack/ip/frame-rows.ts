/** Frames of a transmit batch whose payload lies in a ring: a row of the table, a header in the slab, up to two ranges. */

import {
  EMPTY,
  GSO_NONE,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
} from '../../base/index.ts';
import { sumBytes, sumBytesAt } from '../../wire/index.ts';

/** Adds a frame with no payload yet. @returns its row in the table. */
export function addRow(
  batch: TransmitBatch,
  headerAt: number,
  headerLength: number,
  owner: object | null,
  cause: number,
): number {
  const index = batch.count++;
  const row = index * TX_COLUMNS;
  const { table } = batch;
  table[row + TX_HEADER_OFFSET] = headerAt;
  table[row + TX_HEADER_LENGTH] = headerLength;
  table[row + TX_FLAGS] = 0;
  table[row + TX_GSO_TYPE] = GSO_NONE;
  table[row + TX_GSO_SIZE] = 0;
  table[row + TX_CSUM_START] = 0;
  table[row + TX_CSUM_OFFSET] = 0;
  table[row + TX_CAUSE] = cause;
  batch.owners[index] = owner;
  batch.headerEnd = (headerAt + headerLength + 3) & ~3;
  return row;
}

/** Points the frame just added at `length` bytes of a ring. */
export function setPayload(
  batch: TransmitBatch,
  row: number,
  memory: Uint8Array,
  from: number,
  length: number,
): void {
  const { table } = batch;
  const first = from & (memory.length - 1);
  const untilEnd = Math.min(length, memory.length - first);
  table[row + TX_PAYLOAD1_OFFSET] = first;
  table[row + TX_PAYLOAD1_LENGTH] = untilEnd;
  table[row + TX_PAYLOAD2_OFFSET] = 0;
  table[row + TX_PAYLOAD2_LENGTH] = length - untilEnd;
  batch.payloads[batch.count - 1] = length === 0 ? EMPTY : memory;
}

/** A few bytes of a ring, one by one: cheaper than a view for a header. */
export function copyInline(
  memory: Uint8Array,
  start: number,
  into: Uint8Array,
  at: number,
  length: number,
): void {
  const mask = memory.length - 1;
  for (let i = 0; i < length; i++) into[at + i] = memory[(start + i) & mask] as number;
}

/** The sum of `length` bytes of a ring from `from` on, and of what was summed before. */
export function sumRing(memory: Uint8Array, from: number, length: number, before: number): number {
  const at = from & (memory.length - 1);
  const first = Math.min(length, memory.length - at);
  const sum = sumBytes(memory, at, first, before);
  return first < length ? sumBytesAt(first, memory, 0, length - first, sum) : sum;
}
