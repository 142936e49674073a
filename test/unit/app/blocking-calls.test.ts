/** Calls of the blocking face whose arguments are of kinds of their own: what comes back is what the promising face gives. */

import { describe, expect, test } from '@jest/globals';
import { QOS_NOT_SPECIFIED } from '../../../src/abi/index.ts';
import { Mailbox } from '../../../src/app/mailbox.ts';
import { bufferReference, qos } from '../../../src/app/marshal-connect.ts';
import { SIGNATURES } from '../../../src/app/signatures.ts';
import type { Slot } from '../../../src/app/slot.ts';
import type { FLOWSPEC, QOS } from '../../../src/spi/index.ts';

const FLOW: FLOWSPEC = {
  TokenRate: 1,
  TokenBucketSize: 2,
  PeakBandwidth: 3,
  Latency: 4,
  DelayVariation: 5,
  ServiceType: 6,
  MaxSduSize: 7,
  MinimumPolicedSize: 8,
};

function boxed<T>(slot: Slot<T>, value: T): { box: Mailbox; taken: T } {
  const box = Mailbox.create(0, 4096);
  box.body.fill(0xaa);
  slot.put(box, 16, value);
  return { box, taken: slot.take(box, 16) };
}

describe('the extras of a connect', () => {
  test('API-WSAConnect a flow specification arrives as it was, or missing', () => {
    const wish: QOS = {
      SendingFlowspec: FLOW,
      ReceivingFlowspec: { ...FLOW, ServiceType: QOS_NOT_SPECIFIED },
      ProviderSpecific: Uint8Array.of(1, 2, 3),
    };
    expect(boxed(qos, wish).taken).toEqual(wish);
    expect(boxed(qos, { ...wish, ProviderSpecific: null }).taken?.ProviderSpecific).toBeNull();
    expect(boxed(qos, null).taken).toBeNull();
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['less than the room', Uint8Array.of(7, 8)],
    ['more than the room', Uint8Array.of(1, 2, 3, 4, 5, 6)],
  ])('API-WSAConnect a buffer for data of the callee’s comes back with %s', (_title, left) => {
    const own = { value: new Uint8Array(4) };
    const { box, taken } = boxed(bufferReference, own);
    if (taken !== null) taken.value = left;
    bufferReference.give?.(box, 16, taken);
    bufferReference.collect?.(box, 16, own);
    expect([...own.value]).toEqual([...left.subarray(0, 4)]);
  });

  test('both calls that connect with extras carry them', () => {
    for (const call of ['WSAConnect', 'WSAJoinLeaf']) {
      const slots = SIGNATURES.find(({ name }) => name === call)?.slots ?? [];
      expect(slots).toEqual(expect.arrayContaining([bufferReference, qos]));
    }
  });
});
