/**
 * Takes frames to unresolved neighbours out of a transmit batch: link headers have marked them.
 */

import {
  i32,
  type TransmitBatch,
  TX_COLUMNS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  u16,
} from '../../base/index.ts';
import { UNRESOLVED_HIGH } from './neighbor.ts';
import type { NeighborTable } from './table.ts';

/** Moves the marked frames from `first` on into the queues of their neighbours; the others close the gaps. */
export function holdUnresolved(neighbors: NeighborTable, batch: TransmitBatch, first: number): void {
  const { headers, table } = batch;
  let kept = first;
  for (let i = first; i < batch.count; i++) {
    const at = table[i * TX_COLUMNS + TX_HEADER_OFFSET] as number;
    if (u16(headers, at) === UNRESOLVED_HIGH) {
      neighbors.hold(batch, i, i32(headers, at + 2));
      continue;
    }
    if (kept < i) moveFrame(batch, i, kept);
    kept++;
  }
  if (kept === batch.count) return;
  batch.count = kept;
  batch.headerEnd = headerEndOf(batch, kept);
}

/** Headers move too: a batch that is filled again has room for as many as it has rows, and no more. */
function moveFrame({ headers, table, payloads, owners }: TransmitBatch, from: number, to: number): void {
  const source = from * TX_COLUMNS;
  const row = to * TX_COLUMNS;
  const at = table[source + TX_HEADER_OFFSET] as number;
  const headerAt = to === 0 ? 0 : endOf(table, to - 1);
  table.copyWithin(row, source, source + TX_COLUMNS);
  table[row + TX_HEADER_OFFSET] = headerAt;
  headers.copyWithin(headerAt, at, at + (table[row + TX_HEADER_LENGTH] as number));
  payloads[to] = payloads[from] as Uint8Array;
  owners[to] = owners[from] as object | null;
}

function headerEndOf({ table }: TransmitBatch, count: number): number {
  return count === 0 ? 0 : endOf(table, count - 1);
}

/** Where the next header goes behind that of frame `index`: a multiple of 4. */
function endOf(table: Int32Array, index: number): number {
  const row = index * TX_COLUMNS;
  const end = (table[row + TX_HEADER_OFFSET] as number) + (table[row + TX_HEADER_LENGTH] as number);
  return (end + 3) & ~3;
}
