/** How much a device's queue takes, as links state it (`Link.receiveQueue`). */

import { describe, expect, test } from '@jest/globals';
import { OFFLOAD_CSUM, OFFLOAD_TSO4 } from '../../../src/base/index.ts';
import { deepenQueue, receiveQueueOf } from '../../../src/link/device/device-queue.ts';

describe('receiveQueueOf', () => {
  test('a device that was just made queues 2000 packets, of which three quarters count', () => {
    const device = { offload: 0, queueLength: 500 };
    deepenQueue(device);
    expect(receiveQueueOf(device, 1500)).toBe(0.75 * 2000 * 1500);
    expect(receiveQueueOf(device, 576)).toBe(0.75 * 2000 * 576);
  });

  test('one that was handed over has the length that it says', () => {
    expect(receiveQueueOf({ offload: OFFLOAD_CSUM, queueLength: 100 }, 1500)).toBe(112_500);
  });

  test('one in a namespace that is closed to us has the kernel’s own 500', () => {
    const device = {
      offload: 0,
      get queueLength(): number {
        throw new Error('ENODEV');
      },
      set queueLength(_: number) {},
    };
    expect(receiveQueueOf(device, 1500)).toBe(0.75 * 500 * 1500);
  });

  test('with super-segments there is no bound', () => {
    expect(receiveQueueOf({ offload: OFFLOAD_CSUM | OFFLOAD_TSO4, queueLength: 500 }, 1500)).toBe(0);
  });
});
