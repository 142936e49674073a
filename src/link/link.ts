/**
 * A link: where frames come from and go to. A device, a memory segment, or a decorator around another link.
 */

import type { FrameBatch, Medium, TransmitBatch } from '../base/index.ts';

/** Who takes what a link receives: the driver of a stack, or a decorator. */
export interface LinkReceiver {
  /**
   * Frames that arrived. The batch is borrowed until this returns.
   * @param hasMore another batch follows at once, perhaps an empty one: output had better wait for it. A device whose queue is
   *   not read while it is written to loses what does not fit, and that is mostly ACKs.
   */
  receive(batch: FrameBatch, hasMore?: boolean): void;
  /** `transmit` answered `false` before, and there is room again. */
  drained(): void;
  /** The link is gone; nothing more comes from it. */
  failed(error: Error): void;
}

export interface Link {
  readonly name: string;
  /** Largest IP packet in bytes, without a link header. Super-segments may be larger, up to 65,535. */
  readonly mtu: number;
  readonly medium: Medium;
  /** `OFFLOAD_*` bits: what `transmit` takes; nothing else arrives. */
  readonly offload: number;
  /** The link's own hardware address, six bytes; Ethernet only. */
  readonly mac: Uint8Array | null;
  /** Bytes that may wait until they are received; the link loses what comes on top. 0: as much as is sent. */
  readonly receiveQueue: number;
  /** Starts giving frames to `receiver`. Once only. */
  open(receiver: LinkReceiver): void;
  /**
   * Takes every frame of the batch; what it can't pass on at once it copies, up to a bound, and drops (counted) past it.
   * @returns `false` when the caller should hold further output until `drained`.
   */
  transmit(batch: TransmitBatch): boolean;
  /** Ends it and frees all that it holds; idempotent. */
  close(): void;
  /** Frames lost inside the link because a bound was reached. */
  readonly dropped: number;
}
