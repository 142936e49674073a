import { describe, expect, test } from '@jest/globals';
import { fromHex } from '../../../../src/base/index.ts';
import type { AddressOptions, InterfaceOptions } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { ethernetFrame, icmpPacket } from '../../../support/segment.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';
import {
  arpReply,
  arpRequest,
  BROADCAST_MAC,
  OTHER_MAC,
  OWN_MAC,
  PEER_MAC,
  sent,
  sentDuring,
} from './support.ts';

const PROBE = `arp who-has 10.0.0.2 tell 0.0.0.0 > ${BROADCAST_MAC}`;
const ANNOUNCEMENT = `arp who-has 10.0.0.2 tell 10.0.0.2 > ${BROADCAST_MAC}`;

function begin(seed = 7, options: Partial<InterfaceOptions> = {}): HostUnderTest {
  const mac = fromHex('020000000002');
  return makeHost(
    { medium: 'ethernet', mac, addresses: ['10.0.0.2/24'], detectDuplicates: true, ...options },
    undefined,
    seed,
  );
}

/** An interface without an address yet. */
function empty(address: AddressOptions | null = null): HostUnderTest {
  const host = begin(7, { addresses: [] });
  if (address !== null) host.stack.addAddress(host.index, '10.0.0.2/24', address);
  return host;
}

function state(host: HostUnderTest): string | undefined {
  return host.stack.interfaces.find(({ index }) => index === host.index)?.addresses[0]?.state;
}

/** When each of the frames that say `what` left, ms after now. */
function times(host: HostUnderTest, ms: number, what: string): number[] {
  return sentDuring(host, ms, 10)
    .filter((text) => text.endsWith(what))
    .map((text) => Number.parseInt(text, 10));
}

describe('RFC 5227 §2.1 probing an address', () => {
  test('RFC 5227 §2.1.1: three probes after a delay of up to a second, one to two seconds apart, at random', () => {
    const first = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const probes = times(begin(seed), 6000, PROBE);
      expect(probes).toHaveLength(3);
      const [a, b, c] = probes as [number, number, number];
      first.add(a);
      expect(a).toBeLessThanOrEqual(1010);
      for (const gap of [b - a, c - b]) {
        expect(gap).toBeGreaterThanOrEqual(990);
        expect(gap).toBeLessThanOrEqual(2010);
      }
    }
    expect(first.size).toBeGreaterThan(10);
  });

  test('RFC 5227 §2.3: two seconds after the last probe the address is used, and announced twice, two seconds apart', () => {
    const host = begin();
    const frames = sentDuring(host, 20_000, 10).map((text) => text.split(/ (.*)/));
    expect(frames.map(([, text]) => text)).toEqual([PROBE, PROBE, PROBE, ANNOUNCEMENT, ANNOUNCEMENT]);
    const [, , lastProbe, first, second] = frames.map(([at]) => Number(at)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    expect(Math.abs(first - lastProbe - 2000)).toBeLessThanOrEqual(10);
    expect(Math.abs(second - first - 2000)).toBeLessThanOrEqual(10);
    expect(state(host)).toBe('preferred');
  });

  test('RFC 5227 §2.1: until then nothing is sent from it, nothing taken for it, and it is answered for nobody', () => {
    const host = begin();
    expect(state(host)).toBe('tentative');
    expect(host.in(ethernetFrame(icmpPacket()))).toBe(DropReason.ipNotForUs);
    expect(host.in(arpRequest())).toBe(DropReason.arpNotForUs);
    expect(host.stack.routeTo(ip('10.0.0.1'))).toBeNull();
    expect(host.stack.interfaceOf(ip('10.0.0.2'))).toBe(0);
    expect(host.stack.openTcp().bind(ip('10.0.0.2'), 80)).toBeLessThan(0);
    expect(sent(host).filter((text) => text !== PROBE)).toEqual([]);
    host.pass(20_000);
    sent(host);
    expect(host.in(ethernetFrame(icmpPacket()))).toBe(DropReason.none);
  });

  test.each([
    ['a reply from it', arpReply({ sender: '10.0.0.2', target: '0.0.0.0' })],
    ['a request from it', arpRequest({ sender: '10.0.0.2', target: '10.0.0.7' })],
    ['an announcement of it', arpRequest({ sender: '10.0.0.2', target: '10.0.0.2' })],
    ['a probe for it', arpRequest({ sender: '0.0.0.0' })],
  ])('RFC 5227 §2.1.1: %s while it is asked for means that somebody else has it', (_name, frame) => {
    const host = begin();
    host.pass(1500);
    sent(host);
    expect(host.in(frame)).toBe(DropReason.arpConflict);
    expect(state(host)).toBe('duplicate');
    expect(sentDuring(host, 20_000)).toEqual([]);
    expect(host.in(ethernetFrame(icmpPacket()))).toBe(DropReason.ipNotForUs);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('RFC 5227 §2.1.1: a conflict in the two seconds after the last probe counts', () => {
    const host = begin();
    expect(times(host, 5000, PROBE)).toHaveLength(3);
    host.in(arpReply({ sender: '10.0.0.2' }));
    expect(state(host)).toBe('duplicate');
  });

  test.each([
    ['a probe for another address', arpRequest({ sender: '0.0.0.0', target: '10.0.0.3' })],
    ['our own probe, sent back', arpRequest({ sender: '0.0.0.0', senderMac: OWN_MAC })],
    ['our own announcement, sent back', arpRequest({ sender: '10.0.0.2', senderMac: OWN_MAC })],
    ['a request of another host for it', arpRequest()],
  ])('%s is no conflict', (_name, frame) => {
    const host = begin();
    host.in(frame);
    host.pass(20_000);
    expect(state(host)).toBe('preferred');
  });

  test('a duplicate address that is set again is asked for again', () => {
    const host = begin();
    host.in(arpReply({ sender: '10.0.0.2' }));
    host.stack.addAddress(host.index, '10.0.0.2/24');
    expect(state(host)).toBe('tentative');
    host.pass(20_000);
    expect(state(host)).toBe('preferred');
  });

  test('an address in use whose options change is not asked for again', () => {
    const host = begin();
    host.pass(20_000);
    sent(host);
    host.stack.addAddress(host.index, '10.0.0.2/16');
    expect(state(host)).toBe('preferred');
    expect(sentDuring(host, 10_000)).toEqual([]);
  });

  test('detection off: the address is used and announced at once', () => {
    const host = empty({ detectDuplicates: false });
    expect(state(host)).toBe('preferred');
    expect(times(host, 5000, ANNOUNCEMENT)).toEqual([0, 2000]);
    const all = begin(7, { detectDuplicates: false });
    expect(state(all)).toBe('preferred');
  });

  test('an address that goes while it is asked for leaves nothing behind', () => {
    const host = begin();
    host.stack.removeAddress(host.index, ip('10.0.0.2'));
    expect(sentDuring(host, 20_000)).toEqual([]);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('RFC 5227 §2.1: when the link comes up again all is asked anew', () => {
    const host = begin();
    host.pass(20_000);
    sent(host);
    host.stack.setInterface(host.index, { isUp: false });
    expect(sentDuring(host, 5000)).toEqual([]);
    host.stack.setInterface(host.index, { isUp: true });
    expect(state(host)).toBe('tentative');
    expect(times(host, 20_000, PROBE)).toHaveLength(3);
    expect(state(host)).toBe('preferred');
  });
});

describe('RFC 5227 §2.4 defending an address', () => {
  const CLAIM = arpRequest({ sender: '10.0.0.2', target: '10.0.0.9', senderMac: OTHER_MAC });

  function inUse(options: AddressOptions = {}): HostUnderTest {
    const host = empty({ detectDuplicates: false, ...options });
    host.pass(20_000);
    sent(host);
    return host;
  }

  test('RFC 5227 §2.4 (b): one conflict is answered with one announcement, and nothing is lost', () => {
    const host = inUse();
    expect(host.in(CLAIM)).toBe(DropReason.arpConflict);
    expect(sentDuring(host, 5000)).toEqual([`0 ${ANNOUNCEMENT}`]);
    expect(state(host)).toBe('preferred');
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 5227 §2.4 (b): a second one within ten seconds ends it', () => {
    const host = inUse();
    host.in(CLAIM);
    host.pass(9999);
    sent(host);
    host.in(CLAIM);
    expect(sent(host)).toEqual([]);
    expect(state(host)).toBe('duplicate');
    expect(host.in(arpRequest())).toBe(DropReason.arpNotForUs);
  });

  test('RFC 5227 §2.4 (b): one every ten seconds is defended each time', () => {
    const host = inUse();
    for (let i = 0; i < 5; i++) {
      host.in(CLAIM);
      expect(sent(host)).toEqual([ANNOUNCEMENT]);
      host.pass(10_000);
    }
    expect(state(host)).toBe('preferred');
  });

  test('RFC 5227 §2.4 (c): an address that is always kept is announced at most once in ten seconds', () => {
    const host = inUse({ conflictDefense: 'always' });
    let announced = 0;
    for (let i = 0; i < 300; i++) {
      host.in(CLAIM);
      announced += sent(host).length;
      host.pass(100);
    }
    expect(announced).toBe(3);
    expect(state(host)).toBe('preferred');
  });

  test('RFC 5227 §2.4: a probe of somebody else for it is answered, and is no conflict', () => {
    const host = inUse();
    for (let i = 0; i < 3; i++) host.in(arpRequest({ sender: '0.0.0.0' }));
    expect(sent(host)).toEqual(new Array(3).fill(`arp 10.0.0.2 is-at ${OWN_MAC} > ${PEER_MAC}`));
    expect(state(host)).toBe('preferred');
  });

  test('RFC 5227 §2.4: a connection from a lost address ends', () => {
    const host = inUse();
    host.in(arpRequest());
    const tcp = host.stack.openTcp();
    tcp.connect(ip('10.0.0.1'), 80);
    sent(host);
    host.in(CLAIM);
    host.in(CLAIM);
    sent(host);
    host.pass(300_000);
    expect(sent(host)).toEqual([]);
    expect(tcp.state).toBe('CLOSED');
  });
});
