/** What stays with a host from one start to the next. */

import { expect, test } from '@jest/globals';
import { parseMac, SeededRandom, toHex } from '../../../../src/base/index.ts';
import { createStack, type StackOptions } from '../../../../src/stack/index.ts';
import { OWN_MAC } from '../neighbor/support.ts';

const IDENTITY = new Uint8Array(32).fill(7);

/** A host that is started: its link-local address on an Ethernet, and its DUID on a link without hardware addresses. */
function started(seed: number, options: Partial<StackOptions>): string[] {
  const stack = createStack({ clock: { now: () => 1000 }, random: new SeededRandom(seed), ...options });
  const lan = stack.addInterface({
    name: 'lan',
    mtu: 1500,
    medium: 'ethernet',
    mac: parseMac(OWN_MAC) as Uint8Array,
  });
  const tunnel = stack.addInterface({ name: 'tunnel', mtu: 1500 });
  stack.enableIpv6(lan);
  stack.startDhcp(tunnel, { family: 6 });
  const [own] = stack.interfaces.find(({ index }) => index === lan)?.addresses ?? [];
  return [`${own?.address}`, toHex(stack.dhcpStatus(tunnel).v6?.clientDuid ?? new Uint8Array(0))];
}

test('RFC 7217 §5, RFC 8415 §11.5: with the same identity a host has the same addresses and the same DUID', () => {
  const first = started(1, { identity: IDENTITY });
  expect(first[0]).toMatch(/^fe80::/);
  expect(first[1]).toMatch(/^0004[0-9a-f]{32}$/);
  expect(started(2, { identity: IDENTITY })).toEqual(first);
  expect(started(1, { identity: IDENTITY.map((byte) => byte ^ 1) })).not.toEqual(first);
});

test('without one it is the secret that counts, and without that chance', () => {
  const secret = new Uint8Array(16).fill(9);
  expect(started(1, { secret })).toEqual(started(2, { secret }));
  expect(started(1, {})).not.toEqual(started(2, {}));
  // What others could guess sequence numbers by is none of its business.
  expect(started(1, { secret, identity: IDENTITY })).toEqual(started(1, { identity: IDENTITY }));
});

test('one that is too short is the caller’s bug', () => {
  expect(() => started(1, { identity: new Uint8Array(15) })).toThrow(RangeError);
});
