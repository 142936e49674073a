/**
 * The queue in the kernel where frames wait until the device is read. What overruns it is lost without a word, so a stack
 * must not invite more than it takes (`InterfaceOptions.windowBudget`).
 */

import { OFFLOAD_TSO4 } from '../../base/index.ts';

/** What is looked at of a `Device`. */
interface QueueingDevice {
  readonly offload: number;
  queueLength: number;
}

/** Packets that a device made by us queues: a millisecond or two at the rate at which it is read. The kernel's own is 500. */
const QUEUE_LENGTH = 2000;
/** The kernel's own, for a device in a namespace that cannot be asked. */
const KERNEL_QUEUE_LENGTH = 500;

/** Gives a device that was just made a queue that fits its use. @throws {DeviceError} */
export function deepenQueue(device: QueueingDevice): void {
  device.queueLength = QUEUE_LENGTH;
}

/**
 * Bytes of full packets that the device's queue takes, less a quarter for the small ones between them. 0, no bound, when
 * frames are super-segments: of those the queue holds more than all windows together.
 */
export function receiveQueueOf(device: QueueingDevice, mtu: number): number {
  if ((device.offload & OFFLOAD_TSO4) !== 0) return 0;
  let packets = KERNEL_QUEUE_LENGTH;
  try {
    packets = device.queueLength;
  } catch {
    // Handed over from a namespace that is closed to us.
  }
  return Math.floor(0.75 * packets * mtu);
}
