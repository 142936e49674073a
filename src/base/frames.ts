/**
 * Batches of frames: how bytes cross between a link and a stack, many at a time and without an allocation.
 *
 * A frame may be a *super-segment*: up to 64 KB of TCP (or UDP) payload behind one header, which the other side of the
 * link, or a splitter on the way, cuts into packets of `gsoSize` payload bytes. Its checksum may be *partial*: the field
 * holds the sum of the pseudo-header only, and covers the bytes from `csumStart` on. The numbers have the meaning of the
 * virtio-net header (virtio 1.2 §5.1.6), which is what a TUN device speaks.
 *
 * Ownership: the bytes of an inbound batch are borrowed until `Stack.input` returns. Those of an outbound batch (header
 * slab and payload ranges, which point into send buffers) are valid until `Link.transmit` returns.
 */

/** Transport checksum is partial: trust it on the way in, complete it on the way out. */
export const FRAME_NEEDS_CSUM = 1;
/** The checksum was verified by the device. */
export const FRAME_CSUM_VALID = 2;

/** Kinds of super-segment, as virtio numbers them. */
export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
/** Added to a TCP kind: the segment has CWR set, which only its first packet may carry (RFC 3168 §6.1.2). */
export const GSO_ECN = 0x80;

/** What a link can do for a stack; a set of bits. */
export const OFFLOAD_CSUM = 1;
export const OFFLOAD_TSO4 = 2;
export const OFFLOAD_TSO6 = 4;
export const OFFLOAD_USO = 8;

/** What a link carries: IP packets, or Ethernet frames. */
export type Medium = 'ip' | 'ethernet';

/** Columns of {@link FrameBatch.table}, one row of `FRAME_COLUMNS` numbers a frame. */
export const FRAME_OFFSET = 0;
export const FRAME_LENGTH = 1;
export const FRAME_FLAGS = 2;
export const FRAME_GSO_TYPE = 3;
export const FRAME_GSO_SIZE = 4;
export const FRAME_CSUM_START = 5;
export const FRAME_CSUM_OFFSET = 6;
/** Filled by the stack: 0 when the frame was used, else the `DropReason`. */
export const FRAME_VERDICT = 7;
export const FRAME_COLUMNS = 8;

/** Frames on their way in. Offsets are into `bytes`; IP headers start at offsets that are multiples of 4. */
export interface FrameBatch {
  readonly bytes: Uint8Array;
  readonly table: Int32Array;
  /** The endpoint that took the frame, if any: filled by the stack for the capture. */
  readonly owners: (object | null)[];
  count: number;
}

/** A batch with room for `frames` frames in `arenaBytes` bytes. */
export function createFrameBatch(frames: number, arenaBytes: number): FrameBatch {
  return {
    bytes: new Uint8Array(arenaBytes),
    table: new Int32Array(frames * FRAME_COLUMNS),
    owners: new Array<object | null>(frames).fill(null),
    count: 0,
  };
}

/** Columns of {@link TransmitBatch.table}, one row of `TX_COLUMNS` numbers a frame. */
export const TX_HEADER_OFFSET = 0;
export const TX_HEADER_LENGTH = 1;
export const TX_PAYLOAD1_OFFSET = 2;
export const TX_PAYLOAD1_LENGTH = 3;
export const TX_PAYLOAD2_OFFSET = 4;
export const TX_PAYLOAD2_LENGTH = 5;
export const TX_FLAGS = 6;
export const TX_GSO_TYPE = 7;
export const TX_GSO_SIZE = 8;
export const TX_CSUM_START = 9;
export const TX_CSUM_OFFSET = 10;
/** Why it was sent (the stack's `Cause`): for the capture's comment. */
export const TX_CAUSE = 11;
export const TX_COLUMNS = 12;

/** Bytes that a frame's headers may need: Ethernet 14, IPv4 60 or IPv6 with extensions, TCP 60, rounded up. */
export const TX_HEADER_ROOM = 192;

/**
 * Frames on their way out. A frame is a header in `headers`, then the payload's first and second range (two, because it
 * comes out of a ring), both in `payloads[i]`.
 */
export interface TransmitBatch {
  readonly headers: Uint8Array;
  readonly table: Int32Array;
  readonly payloads: Uint8Array[];
  /** The endpoint that sent the frame, if any. */
  readonly owners: (object | null)[];
  readonly capacity: number;
  count: number;
  /** Where the next header goes; a multiple of 4. Writers move it on. */
  headerEnd: number;
}

/** An outbound batch with room for `capacity` frames. */
export function createTransmitBatch(capacity: number): TransmitBatch {
  return {
    headers: new Uint8Array(capacity * TX_HEADER_ROOM),
    table: new Int32Array(capacity * TX_COLUMNS),
    payloads: new Array<Uint8Array>(capacity).fill(new Uint8Array(0)),
    owners: new Array<object | null>(capacity).fill(null),
    capacity,
    count: 0,
    headerEnd: 0,
  };
}

/** Empties a batch for reuse. */
export function clearTransmitBatch(batch: TransmitBatch): void {
  batch.count = 0;
  batch.headerEnd = 0;
}

/** The frame's whole length: headers and both payload ranges. */
export function transmitLength(batch: TransmitBatch, index: number): number {
  const row = index * TX_COLUMNS;
  return (
    (batch.table[row + TX_HEADER_LENGTH] as number) +
    (batch.table[row + TX_PAYLOAD1_LENGTH] as number) +
    (batch.table[row + TX_PAYLOAD2_LENGTH] as number)
  );
}

/** Writes frame `index` in one piece at `into[at]`; returns the end. The caller has checked that there is room. */
export function flattenFrame(batch: TransmitBatch, index: number, into: Uint8Array, at: number): number {
  const { table, headers } = batch;
  const row = index * TX_COLUMNS;
  const headerAt = table[row + TX_HEADER_OFFSET] as number;
  const headerLength = table[row + TX_HEADER_LENGTH] as number;
  // Few bytes: a loop costs less than the view that `set` would need.
  for (let i = 0; i < headerLength; i++) into[at + i] = headers[headerAt + i] as number;
  let end = at + headerLength;
  const payload = batch.payloads[index] as Uint8Array;
  for (let range = TX_PAYLOAD1_OFFSET; range <= TX_PAYLOAD2_OFFSET; range += 2) {
    const length = table[row + range + 1] as number;
    if (length === 0) continue;
    const from = table[row + range] as number;
    into.set(payload.subarray(from, from + length), end);
    end += length;
  }
  return end;
}

/**
 * Adds frame `index` of an outbound batch to an inbound one, in one piece at `into.bytes[at]`: what the other end of a wire
 * gets. The caller has checked that there is room for the bytes and the row.
 * @returns the frame's end in `into.bytes`
 */
export function carryFrame(from: TransmitBatch, index: number, into: FrameBatch, at: number): number {
  const end = flattenFrame(from, index, into.bytes, at);
  const source = index * TX_COLUMNS;
  const row = into.count * FRAME_COLUMNS;
  into.table[row + FRAME_OFFSET] = at;
  into.table[row + FRAME_LENGTH] = end - at;
  into.table[row + FRAME_FLAGS] = from.table[source + TX_FLAGS] as number;
  into.table[row + FRAME_GSO_TYPE] = from.table[source + TX_GSO_TYPE] as number;
  into.table[row + FRAME_GSO_SIZE] = from.table[source + TX_GSO_SIZE] as number;
  into.table[row + FRAME_CSUM_START] = from.table[source + TX_CSUM_START] as number;
  into.table[row + FRAME_CSUM_OFFSET] = from.table[source + TX_CSUM_OFFSET] as number;
  into.table[row + FRAME_VERDICT] = 0;
  into.count++;
  return end;
}
