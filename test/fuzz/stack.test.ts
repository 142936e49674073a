/** A slice of the hostile frames that scripts/soak runs by the million. */

import { describe, expect, test } from '@jest/globals';
import { DropReason } from '../../src/wire/index.ts';
import { HostileHost } from '../support/hostile-host.ts';
import { HostileRouter } from '../support/hostile-router.ts';

const FRAMES = 48_000;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20240607);

describe(`hostile frames (FUZZ_SEED=${SEED})`, () => {
  test.each([
    ['packets', false],
    ['Ethernet frames', true],
  ])(
    '%s at random and mutated never throw, hold bounded memory, and every drop is counted',
    (_name, isEthernet) => {
      const host = new HostileHost(SEED, isEthernet);
      host.run(FRAMES);
      const { figures } = host;
      // The test would prove nothing if everything were dropped at the door.
      expect(figures.verdicts.get(0)).toBeGreaterThan(FRAMES / 16);
      expect(figures.sent).toBeGreaterThan(FRAMES / 16);
      expect(figures.verdicts.size).toBeGreaterThan(40);
      // Routers were heard, neighbours asked for.
      if (isEthernet) {
        expect(figures.peakAddresses).toBeGreaterThan(6);
        expect(figures.peakNeighbors).toBeGreaterThan(100);
      }
      host.end();
      expect(host.memory).toBe(0);
    },
    120_000,
  );

  test.each([
    ['packets inside, Ethernet outside', false],
    ['Ethernet inside, packets outside', true],
  ])(
    'a router that translates passes them on: %s',
    (_name, isEthernet) => {
      const router = new HostileRouter(SEED, isEthernet);
      router.run(FRAMES);
      const { figures, stack } = router;
      // Every way through it was taken: passed on, translated both ways, cut, refused, told.
      expect(stack.counters.ipOutForwDatagrams).toBeGreaterThan(FRAMES / 16);
      expect(stack.counters.ipFragCreates).toBeGreaterThan(FRAMES / 100);
      expect(stack.counters.icmpOutErrors).toBeGreaterThan(FRAMES / 100);
      expect(figures.peakMappings).toBeGreaterThan(100);
      for (const reason of [
        'forwardTtlExceeded',
        'forwardTooBig',
        'forwardProhibited',
        'natFiltered',
        'natUnsolicited',
        'natMalformed',
        'natNoMapping',
      ] as const) {
        expect([reason, (figures.verdicts.get(DropReason[reason]) ?? 0) > 0]).toEqual([reason, true]);
      }
      expect(figures.verdicts.get(0)).toBeGreaterThan(FRAMES / 8);
      router.end();
      expect(router.memory).toBe(0);
    },
    120_000,
  );
});
