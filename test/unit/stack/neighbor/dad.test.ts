import { describe, expect, test } from '@jest/globals';
import { parseMac, toHex } from '../../../../src/base/index.ts';
import type { Ipv6Options } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { ethernetFrame } from '../../../support/segment.ts';
import { icmp6Packet } from '../../../support/segment6.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';
import {
  ALL_NODES,
  advertisement,
  frameText6,
  hex,
  OWN,
  OWN_GROUP,
  sent6,
  sentDuring6,
  solicitation,
  tlla,
} from './ndp-support.ts';
import { OTHER_MAC, OWN_MAC, PEER_MAC } from './support.ts';

const CHECK = `ns ${OWN} from :: to ${OWN_GROUP} option 14 > 33:33:ff:00:00:02`;
const ANNOUNCEMENT = `na  ${OWN} from ${OWN} to ff02::2 option 2 > 33:33:00:00:00:02`;

function empty(seed = 7): HostUnderTest {
  const mac = parseMac(OWN_MAC) as Uint8Array;
  return makeHost({ medium: 'ethernet', mac, addresses: [], detectDuplicates: true }, undefined, seed);
}

function begin(seed = 7): HostUnderTest {
  const host = empty(seed);
  host.stack.addAddress(host.index, `${OWN}/64`);
  return host;
}

function addresses(host: HostUnderTest): string[] {
  return (host.stack.interfaces.find(({ index }) => index === host.index)?.addresses ?? []).map(
    (held) => `${held.address.toString().split('%')[0]} ${held.state}`,
  );
}

describe('RFC 4862 §5.4 duplicate address detection', () => {
  test('RFC 4862 §5.4.2: one question from nobody to the group of the address, after up to a second', () => {
    const delays = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const seen = sentDuring6(begin(seed), 5000, 10).map((text) => text.split(/ (.*)/));
      expect(seen.map(([, text]) => text)).toEqual([CHECK, ANNOUNCEMENT]);
      const [asked, announced] = seen.map(([at]) => Number(at)) as [number, number];
      expect(asked).toBeLessThanOrEqual(1010);
      expect(announced - asked).toBe(1000);
      delays.add(String(asked));
    }
    expect(delays.size).toBeGreaterThan(10);
  });

  test('RFC 4862 §5.4: until nobody has answered for a second the address is not used', () => {
    const host = begin();
    const echo = ethernetFrame(
      icmp6Packet({ src: 'fd00::1', dst: OWN }),
      hex(OWN_MAC),
      hex(PEER_MAC),
      0x86dd,
    );
    expect(addresses(host)).toEqual([`${OWN} tentative`]);
    expect(host.in(echo)).toBe(DropReason.ipNotForUs);
    expect(host.in(solicitation())).toBe(DropReason.ndpNotForUs);
    expect(host.stack.routeTo(ip('fd00::1'))).toBeNull();
    expect(host.stack.openTcp(6).bind(ip(OWN), 80)).toBeLessThan(0);
    host.pass(2100);
    expect(addresses(host)).toEqual([`${OWN} preferred`]);
    expect(host.in(echo)).toBe(DropReason.none);
  });

  test.each([
    [
      'RFC 4862 §5.4.4: an advertisement',
      advertisement('O', { target: OWN, dst: ALL_NODES, options: tlla(OTHER_MAC) }),
    ],
    ['RFC 4862 §5.4.3: somebody else’s question for it', solicitation(OWN, { src: '::', options: '' })],
    [
      'RFC 7527 §4.2: a question with another nonce',
      solicitation(OWN, { src: '::', options: '0e01 010203040506' }),
    ],
  ])('%s means that somebody else has the address', (_name, frame) => {
    const host = begin();
    host.pass(1500);
    sent6(host);
    expect(host.in(frame)).toBe(DropReason.ndpConflict);
    expect(addresses(host)).toEqual([`${OWN} duplicate`]);
    expect(sentDuring6(host, 10_000)).toEqual([]);
    expect(host.in(solicitation())).toBe(DropReason.ndpNotForUs);
  });

  test('RFC 7527 §4.2: our own question, sent back by the link, is none', () => {
    const host = begin();
    host.pass(1100);
    const [own] = host
      .outBytes()
      .filter((frame) => frame[12] === 0x86 && frame[20] === 58 && frame[54] === 135);
    expect(frameText6(own as Uint8Array)).toBe(CHECK);
    expect(host.in(own as Uint8Array)).toBe(DropReason.ndpLooped);
    host.pass(10_000);
    expect(addresses(host)).toEqual([`${OWN} preferred`]);
  });

  /** Our questions that wait. */
  const questions = (host: HostUnderTest): Uint8Array[] =>
    host.outBytes().filter((frame) => frame[12] === 0x86 && frame[20] === 58 && frame[54] === 135);

  test('RFC 7527 §4.1: after one that came back three more are asked, a second apart; when none of them does the address is ours', () => {
    const host = begin();
    const times: number[] = [];
    for (let at = 0; at < 8000; at += 10) {
      host.pass(10);
      for (const frame of questions(host)) {
        if (times.push(at) === 1) expect(host.in(frame)).toBe(DropReason.ndpLooped);
      }
      if (addresses(host)[0]?.endsWith('preferred')) break;
    }
    expect(times).toHaveLength(4);
    expect(times.slice(1).map((at, i) => at - (times[i] as number))).toEqual([1000, 1000, 1000]);
    // And a second after the last.
    expect(addresses(host)).toEqual([`${OWN} preferred`]);
  });

  test('RFC 7527 §4.1: as long as a link sends back what is asked the asking goes on, and ends when it no longer does', () => {
    const host = begin();
    const nonces = new Set<string>();
    for (let second = 0; second < 60; second++) {
      host.pass(1000);
      for (const frame of questions(host)) {
        nonces.add(toHex(frame.slice(-6)));
        expect(host.in(frame)).toBe(DropReason.ndpLooped);
      }
      expect(addresses(host)).toEqual([`${OWN} tentative`]);
    }
    // One a second, each with a nonce of its own.
    expect(nonces.size).toBeGreaterThan(57);
    host.pass(10_000);
    expect(addresses(host)).toEqual([`${OWN} preferred`]);
  });

  test('RFC 7527 §4.2: one that comes back late is known still; somebody else’s is a conflict, in the middle of it', () => {
    const host = begin();
    host.pass(1100);
    const [first] = questions(host);
    host.in(first as Uint8Array);
    host.pass(1000);
    questions(host);
    expect(host.in(first as Uint8Array)).toBe(DropReason.ndpLooped);
    expect(host.in(solicitation(OWN, { src: '::', options: '0e01 010203040506' }))).toBe(
      DropReason.ndpConflict,
    );
    expect(addresses(host)).toEqual([`${OWN} duplicate`]);
    host.pass(10_000);
    expect(questions(host)).toEqual([]);
  });

  test('RFC 7527 §4.1: every question has a nonce of its own', () => {
    const nonces = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const host = begin(seed);
      host.pass(1100);
      for (const frame of host.outBytes()) {
        if (frame[54] === 135) nonces.add(toHex(frame.slice(-6)));
      }
    }
    expect(nonces.size).toBe(20);
  });

  test('RFC 4862 §5.1: how often is the user’s to say: not at all, and the address is there at once', () => {
    const host = empty();
    host.stack.addAddress(host.index, `${OWN}/64`, { detectDuplicates: false });
    expect(addresses(host)).toEqual([`${OWN} preferred`]);
    expect(sentDuring6(host, 5000).filter((text) => text.includes(' ns '))).toEqual([]);
  });

  test('an address that goes meanwhile leaves nothing behind', () => {
    const host = begin();
    host.stack.removeAddress(host.index, ip(OWN));
    expect(sentDuring6(host, 10_000)).toEqual([]);
  });

  test('a removed interface ends it', () => {
    const host = begin();
    host.stack.removeInterface(host.index);
    host.pass(10_000);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('when the link comes up again the address is asked for again', () => {
    const host = begin();
    host.pass(5000);
    sent6(host);
    host.stack.setInterface(host.index, { isUp: false });
    host.stack.setInterface(host.index, { isUp: true });
    expect(addresses(host)).toEqual([`${OWN} tentative`]);
    expect(sentDuring6(host, 5000).map((text) => text.split(/ (.*)/)[1])).toEqual([CHECK, ANNOUNCEMENT]);
  });
});

describe('RFC 4862 §5.3 the link-local address', () => {
  function withIpv6(options?: Ipv6Options): HostUnderTest {
    const host = empty();
    host.stack.enableIpv6(host.index, options);
    return host;
  }

  const own = (host: HostUnderTest): string => addresses(host)[0]?.split(' ')[0] as string;

  test('RFC 7217 §5: opaque, of fe80::/64, and asked for', () => {
    const host = withIpv6();
    expect(addresses(host)).toEqual([expect.stringMatching(/^fe80::\S+ tentative$/)]);
    expect(own(host)).not.toContain('ff:fe');
    host.pass(3000);
    expect(addresses(host)).toEqual([`${own(host)} preferred`]);
  });

  test('RFC 4291 appendix A: made of the hardware address where that is wanted', () => {
    expect(own(withIpv6({ identifier: 'hardware' }))).toBe('fe80::ff:fe00:2');
  });

  test('RFC 7217 §6: one that is a duplicate is replaced, three times', () => {
    const host = withIpv6();
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const target = own(host);
      seen.add(target);
      host.in(advertisement('O', { target, dst: ALL_NODES }));
    }
    expect(seen.size).toBe(4);
    expect(addresses(host)).toEqual([expect.stringMatching(/ duplicate$/)]);
  });

  test('RFC 4862 §5.4.5: one made of the hardware address is not', () => {
    const host = withIpv6({ identifier: 'hardware' });
    host.in(advertisement('O', { target: own(host), dst: ALL_NODES }));
    expect(addresses(host)).toEqual(['fe80::ff:fe00:2 duplicate']);
  });

  test('switched off it goes; unknown interfaces and links that are too narrow are refused', () => {
    const host = withIpv6();
    host.stack.disableIpv6(host.index);
    expect(addresses(host)).toEqual([]);
    expect(() => host.stack.enableIpv6(99)).toThrow(RangeError);
    const narrow = host.stack.addInterface({ name: 'narrow', mtu: 1000 });
    expect(() => host.stack.enableIpv6(narrow)).toThrow(RangeError);
  });

  test('on a link without hardware addresses it is used at once', () => {
    const host = makeHost();
    host.stack.enableIpv6(host.index, { identifier: 'hardware' });
    expect(addresses(host)[1]).toMatch(/^fe80::\S+ preferred$/);
  });
});
