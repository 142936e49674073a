import { describe, expect, test } from '@jest/globals';
import { fromHex, toHex } from '../../../src/base/index.ts';
import type { AddressView } from '../../../src/stack/index.ts';
import { arpReply, arpRequest, frameText } from './neighbor/support.ts';
import { type HostUnderTest, ip, makeHost } from './support.ts';

function begin(mac = '020000000002', seed = 7): HostUnderTest {
  const host = makeHost({ medium: 'ethernet', mac: fromHex(mac), addresses: [] }, undefined, seed);
  host.stack.enableAutoIp(host.index);
  return host;
}

function addresses(host: HostUnderTest): readonly AddressView[] {
  return host.stack.interfaces.find(({ index }) => index === host.index)?.addresses ?? [];
}

function address(host: HostUnderTest): string | undefined {
  return addresses(host).map((held) => held.address.toString())[0];
}

/** The address that is being asked for, when a probe has left in `ms`. */
function probed(host: HostUnderTest, ms = 3000): string | undefined {
  for (let i = 0; i < ms; i += 50) {
    host.pass(50);
    for (const frame of host.outBytes()) {
      const target = /who-has (\S+) tell 0\.0\.0\.0/.exec(frameText(frame))?.[1];
      if (target !== undefined) return target;
    }
  }
  return undefined;
}

describe('RFC 3927 link-local addresses', () => {
  test('RFC 3927 §2.1: an address of 169.254.1.0 … 169.254.254.255, spread evenly, of 16 bits of prefix', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const host = begin(`0200000001${toHex(Uint8Array.of(i))}`);
      host.pass(10_000);
      const [held] = addresses(host);
      expect(held).toMatchObject({ origin: 'linkLocal', state: 'preferred', prefixLength: 16 });
      const word = (held?.address.w3 ?? 0) >>> 0;
      expect(word).toBeGreaterThanOrEqual(0xa9fe0100);
      expect(word).toBeLessThanOrEqual(0xa9fefeff);
      seen.add(String(word));
    }
    expect(seen.size).toBe(50);
  });

  test('RFC 3927 §2.1: a host gets the same address again, whatever chance has in store', () => {
    const first = begin('020000000002', 1);
    const second = begin('020000000002', 2);
    first.pass(10_000);
    second.pass(10_000);
    expect(address(first)).toBe(address(second));
  });

  test('RFC 3927 §2.2.1, §2.4: it is asked for before it is taken, then announced', () => {
    const host = begin();
    const texts: string[] = [];
    for (let i = 0; i < 200; i++) {
      host.pass(50);
      texts.push(...host.outBytes().map(frameText));
    }
    const held = address(host);
    expect(texts.map((text) => text.split(' >')[0])).toEqual([
      ...new Array(3).fill(`arp who-has ${held} tell 0.0.0.0`),
      ...new Array(2).fill(`arp who-has ${held} tell ${held}`),
    ]);
  });

  test('RFC 3927 §2.2.1: one that somebody has is not taken: another is tried', () => {
    const host = begin();
    const first = probed(host) as string;
    host.in(arpReply({ sender: first }));
    const second = probed(host) as string;
    expect(second).not.toBe(first);
    host.pass(10_000);
    expect(address(host)).toBe(second);
  });

  test('RFC 3927 §2.2.1: after ten conflicts one address a minute is tried', () => {
    const host = begin();
    for (let i = 0; i < 10; i++) host.in(arpReply({ sender: probed(host) as string }));
    expect(probed(host, 58_000)).toBeUndefined();
    const next = probed(host, 3000);
    expect(next).toBeDefined();
    host.in(arpReply({ sender: next as string }));
    expect(probed(host, 58_000)).toBeUndefined();
    const last = probed(host, 3000);
    host.pass(10_000);
    expect(address(host)).toBe(last);
  });

  test('RFC 3927 §2.5: an address that is lost in a conflict is replaced', () => {
    const host = begin();
    host.pass(10_000);
    const first = address(host) as string;
    const claim = arpRequest({ sender: first, target: '169.254.7.7' });
    host.in(claim);
    expect(address(host)).toBe(first);
    host.in(claim);
    expect(address(host)).toBeUndefined();
    host.pass(10_000);
    expect(address(host)).toBeDefined();
    expect(address(host)).not.toBe(first);
  });

  test('RFC 3927 §2.11: it gives way to a routable address, and comes back when that goes', () => {
    const host = begin();
    host.pass(10_000);
    const first = address(host);
    host.stack.addAddress(host.index, '10.0.0.2/24', { detectDuplicates: false });
    expect(addresses(host).map((held) => held.origin)).toEqual(['manual']);
    host.stack.removeAddress(host.index, ip('10.0.0.2'));
    host.pass(10_000);
    expect(addresses(host).map((held) => held.origin)).toEqual(['linkLocal']);
    expect(first).toBeDefined();
  });

  test('a routable address that comes while one is asked for ends that', () => {
    const host = begin();
    probed(host);
    host.stack.addAddress(host.index, '10.0.0.2/24', { detectDuplicates: false });
    host.pass(20_000);
    expect(addresses(host).map((held) => held.origin)).toEqual(['manual']);
  });

  test('switched off, the address goes and no timer is left', () => {
    const host = begin();
    host.pass(10_000);
    host.stack.disableAutoIp(host.index);
    expect(addresses(host)).toEqual([]);
    host.stack.enableAutoIp(host.index);
    host.stack.removeInterface(host.index);
    host.pass(60_000);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    expect(() => host.stack.enableAutoIp(99)).toThrow(RangeError);
  });
});
