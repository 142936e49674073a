/**
 * Where a driver shows the frames that pass, for captures and traces.
 */

import type { FrameBatch, TransmitBatch } from '../base/index.ts';

/**
 * Watches one driver. Batches are borrowed until the call returns. A driver without a tap spends one comparison a batch on
 * it.
 */
export interface FrameTap {
  /** Frames came in over an interface; each row has the stack's verdict and the owner. */
  received(interfaceIndex: number, batch: FrameBatch, now: number): void;
  /** Frames go out; each row has the owner and the cause. */
  sent(interfaceIndex: number, batch: TransmitBatch, now: number): void;
}
