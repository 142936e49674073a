import { describe, expect, test } from '@jest/globals';
import * as abi from '../../../src/abi/index.ts';
import { wantsResources } from '../../../src/spi/flow.ts';
import type { FLOWSPEC } from '../../../src/spi/index.ts';

const flow = (ServiceType: number): FLOWSPEC => ({
  TokenRate: abi.QOS_NOT_SPECIFIED,
  TokenBucketSize: abi.QOS_NOT_SPECIFIED,
  PeakBandwidth: abi.QOS_NOT_SPECIFIED,
  Latency: abi.QOS_NOT_SPECIFIED,
  DelayVariation: abi.QOS_NOT_SPECIFIED,
  ServiceType,
  MaxSduSize: abi.QOS_NOT_SPECIFIED,
  MinimumPolicedSize: abi.QOS_NOT_SPECIFIED,
});

describe('flow specifications', () => {
  test.each([
    ['NOTRAFFIC', 0, false],
    ['BESTEFFORT', 1, false],
    ['CONTROLLEDLOAD', 2, true],
    ['GUARANTEED', 3, true],
    ['NETWORK_UNAVAILABLE', 4, false],
    ['GENERAL_INFORMATION', 5, false],
    ['NOCHANGE', 6, false],
    ['NONCONFORMING', 9, false],
    ['NETWORK_CONTROL', 0xa, false],
    ['QUALITATIVE', 0xd, false],
  ])('STR-SERVICETYPE, STR-FLOWSPEC, STR-QOS %s is %i and wants resources: %s', (name, number, isWish) => {
    expect((abi as unknown as Record<string, unknown>)[`SERVICETYPE_${name}`]).toBe(number);
    const none = flow(abi.SERVICETYPE_NOTRAFFIC);
    for (const [out, into] of [
      [flow(number), none],
      [none, flow(number)],
    ] as const) {
      expect(wantsResources({ SendingFlowspec: out, ReceivingFlowspec: into, ProviderSpecific: null })).toBe(
        isWish,
      );
    }
  });

  test('no specification wants nothing', () => {
    expect(wantsResources(null)).toBe(false);
  });
});
