import { beforeEach, describe, expect, test } from '@jest/globals';
import { formatMac, parseMac } from '../../../../src/base/index.ts';
import type { NeighborView } from '../../../../src/stack/index.ts';
import { DropReason, ETHERTYPE_IPV6, IcmpV6Type, IPPROTO_ICMPV6 } from '../../../../src/wire/index.ts';
import { ethernetFrame } from '../../../support/segment.ts';
import { fragmentHeader, hopByHop, icmp6Packet, ipv6Packet } from '../../../support/segment6.ts';
import { type HostUnderTest, ip } from '../support.ts';
import {
  ALL_NODES,
  address,
  advertisement,
  hex,
  makeHost6,
  ndpFrameOf,
  OWN,
  OWN_GROUP,
  OWN_LL,
  PEER,
  ROUTER,
  sent6,
  sentDuring6,
  slla,
  solicitation,
  tlla,
} from './ndp-support.ts';
import { OTHER_MAC, OWN_MAC, PEER_MAC } from './support.ts';

const GROUP_OF_PEER = 'ff02::1:ff00:1 option 1 > 33:33:ff:00:00:01';
const ASK_GROUP = `ns ${PEER} from ${OWN} to ${GROUP_OF_PEER}`;
const ASK_IT = `ns ${PEER} from ${OWN} to ${PEER} option 1 > ${PEER_MAC}`;
const PACKET = `ip ${PEER} > ${PEER_MAC}`;

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost6();
});

function neighbor(of = PEER): NeighborView | undefined {
  return host.stack.neighbors(host.index).find((view) => view.address.toString().split('%')[0] === of);
}

function macOf(of = PEER): string | undefined {
  const mac = neighbor(of)?.mac;
  return mac == null ? undefined : formatMac(mac);
}

function send(to = PEER): void {
  host.stack.openUdp(6).send(new Uint8Array(1), 0, 1, ip(to), 9);
}

function becomeReachable(): void {
  send();
  sent6(host);
  host.in(advertisement());
  sent6(host);
  expect(neighbor()?.state).toBe('reachable');
}

function becomeStale(): void {
  becomeReachable();
  host.pass(45_001);
  expect(neighbor()?.state).toBe('stale');
}

describe('RFC 4861 §4.3, §7.2.2 sending neighbor solicitations', () => {
  test('RFC 4861 §7.2.2: to the group of the address, three times, a second apart; then the sender hears of it', () => {
    const echo = host.stack.openIcmp(6);
    echo.sendEcho(ip(PEER), 1, new Uint8Array(8));
    expect(sentDuring6(host, 5000)).toEqual([`0 ${ASK_GROUP}`, `1000 ${ASK_GROUP}`, `2000 ${ASK_GROUP}`]);
    expect(echo.takeReply()).toMatchObject({ type: 1, code: 3 });
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 4861 §7.2.2: packets wait for the answer', () => {
    send();
    expect(sent6(host)).toEqual([ASK_GROUP]);
    expect(host.in(advertisement())).toBe(DropReason.none);
    expect(sent6(host)).toEqual([PACKET]);
  });

  test('RFC 4861 §7.3.3: a stale neighbour is used, and after 5 s asked by itself', () => {
    becomeStale();
    send();
    expect(sentDuring6(host, 8000)).toEqual([
      `0 ${PACKET}`,
      `5000 ${ASK_IT}`,
      `6000 ${ASK_IT}`,
      `7000 ${ASK_IT}`,
    ]);
    expect(neighbor()).toBeUndefined();
  });

  test('RFC 4861 §7.3.3: an answer to that makes it reachable again', () => {
    becomeStale();
    send();
    sentDuring6(host, 5000);
    host.in(advertisement());
    expect(sentDuring6(host, 5000)).toEqual([]);
    expect(neighbor()?.state).toBe('reachable');
  });

  test('a link-local destination is asked for from a link-local address', () => {
    send(`${ROUTER}%${host.index}`);
    expect(sent6(host)).toEqual([`ns ${ROUTER} from ${OWN_LL} to ${GROUP_OF_PEER}`]);
  });
});

describe('RFC 6980 §5 fragments', () => {
  test.each([
    ['in one fragment', [fragmentHeader(0, false)]],
    ['behind other options', [hopByHop(1, 4, 0, 0, 0, 0), fragmentHeader(0, false)]],
  ])('RFC 6980 §5: a message that came %s is ignored, and counted', (_name, extensions) => {
    for (const frame of [solicitation(OWN, { extensions }), advertisement('O', { extensions })]) {
      expect(host.in(frame)).toBe(DropReason.ndpFragment);
    }
    expect(sent6(host)).toEqual([]);
    expect(neighbor()).toBeUndefined();
    // The next, which is whole, is answered.
    expect(host.in(solicitation())).toBe(DropReason.none);
    expect(sent6(host)).toHaveLength(1);
  });

  test('RFC 6980 §5: so is one that came in two', () => {
    const whole = solicitation().slice(14);
    const verdicts = [
      [0, 24],
      [24, whole.length - 40],
    ].map(([from = 0, to = 0]) => {
      const fields = { src: PEER, dst: OWN_GROUP, hops: 255, extensions: [fragmentHeader(from, from === 0)] };
      const packet = ipv6Packet(IPPROTO_ICMPV6, whole.slice(40 + from, 40 + to), fields);
      return host.in(ethernetFrame(packet, '3333ff000002', hex(PEER_MAC), ETHERTYPE_IPV6));
    });
    expect(verdicts).toEqual([DropReason.none, DropReason.ndpFragment]);
    expect(sent6(host)).toEqual([]);
  });
});

describe('RFC 4861 §7.2.3, §7.2.4 answering neighbor solicitations', () => {
  const ANSWER = `na SO ${OWN} from ${OWN} to ${PEER} option 2 > ${PEER_MAC}`;

  test('RFC 4861 §7.2.4: the answer is solicited, overrides, and says where we are', () => {
    expect(host.in(solicitation())).toBe(DropReason.none);
    expect(sent6(host)).toEqual([ANSWER]);
    expect(neighbor()).toMatchObject({ isRouter: false });
    expect(macOf()).toBe(PEER_MAC);
  });

  test('RFC 4861 §7.2.4: to a question of nobody all nodes are answered, not solicited', () => {
    expect(host.in(solicitation(OWN, { src: '::', options: '' }))).toBe(DropReason.none);
    expect(sent6(host)).toEqual([`na O ${OWN} from ${OWN} to ${ALL_NODES} option 2 > 33:33:00:00:00:01`]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 4861 §7.2.4: to a question without a hardware address that is asked for first', () => {
    expect(host.in(solicitation(OWN, { options: '', dst: OWN }))).toBe(DropReason.none);
    expect(sent6(host)).toEqual([ASK_GROUP]);
    host.in(advertisement());
    expect(sent6(host)).toEqual([ANSWER]);
  });

  test('RFC 4861 §7.2.3: a new hardware address in a question makes the entry stale, the same one changes nothing', () => {
    becomeReachable();
    host.in(solicitation());
    expect(neighbor()?.state).toBe('reachable');
    host.in(solicitation(OWN, { options: slla(OTHER_MAC) }));
    expect(macOf()).toBe(OTHER_MAC);
    expect(neighbor()?.state).not.toBe('reachable');
  });

  test('a router says that it is one', () => {
    host.stack.setInterface(host.index, { isForwarding: true });
    host.in(solicitation());
    expect(sent6(host)).toEqual([ANSWER.replace('SO', 'RSO')]);
  });

  test('nobody else’s address is answered for', () => {
    expect(host.in(solicitation('fd00::7'))).toBe(DropReason.ndpNotForUs);
    expect(sent6(host)).toEqual([]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test.each([
    ['a hop limit of 254', solicitation(OWN, { hops: 254 }), DropReason.ndpHopLimit],
    ['a code', solicitation(OWN, { code: 1 }), DropReason.ndpMalformed],
    [
      'less than 24 bytes',
      ndpFrameOf(135, { body: address(OWN).slice(2), dst: OWN_GROUP }),
      DropReason.ndpMalformed,
    ],
    ['a group as target', solicitation('ff02::1'), DropReason.ndpAddress],
    ['an option of length zero', solicitation(OWN, { options: '0100 020000000001' }), DropReason.ndpOption],
    [
      'an option that is longer than the message',
      solicitation(OWN, { options: '0102 020000000001' }),
      DropReason.ndpOption,
    ],
    ['half an option', solicitation(OWN, { options: '01' }), DropReason.ndpOption],
    ['nobody as source with a hardware address', solicitation(OWN, { src: '::' }), DropReason.ndpAddress],
    [
      'nobody as source to all nodes',
      solicitation(OWN, { src: '::', dst: ALL_NODES, options: '' }),
      DropReason.ndpAddress,
    ],
    [
      'a group’s hardware address',
      solicitation(OWN, { options: slla('33:33:00:00:00:01') }),
      DropReason.ndpOption,
    ],
  ])('RFC 4861 §7.1.1: a solicitation with %s is dropped', (_name, frame, reason) => {
    expect(host.in(frame)).toBe(reason);
    expect(sent6(host)).toEqual([]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
    expect(host.stack.counters.drops[reason]).toBe(1);
  });

  test('RFC 4861 §7.1.1: a wrong checksum is dropped', () => {
    const frame = solicitation();
    frame[60] = (frame[60] as number) ^ 1;
    expect(host.in(frame)).toBe(DropReason.icmpChecksum);
  });

  test('RFC 4861 §4.6: options that are not known are skipped', () => {
    expect(host.in(solicitation(OWN, { options: `fd01 000000000000 ${slla()}` }))).toBe(DropReason.none);
    expect(macOf()).toBe(PEER_MAC);
  });
});

describe('RFC 4861 §7.2.5 neighbor advertisements', () => {
  test.each([
    ['SO', 'reachable'],
    ['S', 'reachable'],
    ['O', 'stale'],
    ['', 'stale'],
  ])('RFC 4861 §7.2.5: INCOMPLETE, flags %p: %s', (flags, state) => {
    send();
    sent6(host);
    host.in(advertisement(flags));
    expect(macOf()).toBe(PEER_MAC);
    expect(neighbor()?.state === 'delay' ? 'stale' : neighbor()?.state).toBe(state);
    expect(sent6(host)).toEqual([PACKET]);
  });

  test('RFC 4861 §7.2.5: INCOMPLETE without a hardware address in the answer: it is ignored', () => {
    send();
    sent6(host);
    expect(host.in(advertisement('SO', { options: '' }))).toBe(DropReason.ndpOption);
    expect(neighbor()?.state).toBe('incomplete');
  });

  // RFC 4861 appendix C, for an entry in STALE, and for one in REACHABLE.
  test.each([
    ['SO', 'same', 'reachable', 'reachable', false],
    ['SO', 'other', 'reachable', 'reachable', true],
    ['SO', 'none', 'reachable', 'reachable', false],
    ['S', 'same', 'reachable', 'reachable', false],
    ['S', 'other', 'stale', 'stale', false],
    ['O', 'same', 'stale', 'reachable', false],
    ['O', 'other', 'stale', 'stale', true],
    ['', 'same', 'stale', 'reachable', false],
    ['', 'other', 'stale', 'stale', false],
  ])(
    'RFC 4861 §7.2.5: flags %p, the %s address: STALE becomes %s, REACHABLE becomes %s',
    (flags, which, fromStale, fromReachable, isUpdated) => {
      const options = which === 'none' ? '' : tlla(which === 'same' ? PEER_MAC : OTHER_MAC);
      for (const [begin, expected] of [
        [becomeStale, fromStale],
        [becomeReachable, fromReachable],
      ] as const) {
        host = makeHost6();
        begin();
        expect(host.in(advertisement(flags, { options }))).toBe(DropReason.none);
        expect(neighbor()?.state).toBe(expected);
        expect(macOf()).toBe(isUpdated ? OTHER_MAC : PEER_MAC);
      }
    },
  );

  test('RFC 4861 §7.2.5: nobody asked for it: no entry', () => {
    expect(host.in(advertisement())).toBe(DropReason.ndpNotForUs);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 4861 §7.2.5: the router flag is kept as it was said last', () => {
    becomeReachable();
    host.in(advertisement('RSO'));
    expect(neighbor()?.isRouter).toBe(true);
    host.in(advertisement('S', { options: tlla(OTHER_MAC) }));
    expect(neighbor()?.isRouter).toBe(true);
    host.in(advertisement('SO'));
    expect(neighbor()?.isRouter).toBe(false);
  });

  test.each([
    ['a hop limit of 64', advertisement('SO', { hops: 64 }), DropReason.ndpHopLimit],
    ['a code', advertisement('SO', { code: 2 }), DropReason.ndpMalformed],
    ['a group as target', advertisement('SO', { target: 'ff02::5' }), DropReason.ndpAddress],
    ['the solicited flag, to a group', advertisement('SO', { dst: ALL_NODES }), DropReason.ndpAddress],
    ['less than 24 bytes', ndpFrameOf(136, { body: '00' }), DropReason.ndpMalformed],
    ['an option of length zero', advertisement('SO', { options: '0200 020000000001' }), DropReason.ndpOption],
    [
      'a group’s hardware address',
      advertisement('SO', { options: tlla('ff:ff:ff:ff:ff:ff') }),
      DropReason.ndpOption,
    ],
  ])('RFC 4861 §7.1.2: an advertisement with %s is dropped', (_name, frame, reason) => {
    becomeStale();
    expect(host.in(frame)).toBe(reason);
    expect(neighbor()?.state).toBe('stale');
  });

  test('RFC 4862 §5.4.4: one for our own address in use changes nothing, and is counted', () => {
    expect(host.in(advertisement('O', { target: OWN, dst: ALL_NODES }))).toBe(DropReason.ndpConflict);
    host.in(solicitation());
    expect(sent6(host)).toHaveLength(1);
  });
});

describe('RFC 4861 §8 redirects', () => {
  const FAR = '2001:db8::9';

  function redirect(
    target: string,
    fields: Parameters<typeof ndpFrameOf>[1] & { to?: string; options?: string } = {},
  ): Uint8Array {
    const { to = FAR, options = '', ...rest } = fields;
    const body = `${address(target)} ${address(to)} ${options}`;
    return ndpFrameOf(IcmpV6Type.redirect, { src: ROUTER, dst: OWN, body, ...rest });
  }

  const nextHop = (): string => {
    send(FAR);
    return sent6(host)
      .filter((text) => text.startsWith('ns'))
      .map((text) => text.split(' ')[1])
      .join();
  };

  test('RFC 4861 §8.3: another router is used from then on', () => {
    expect(host.in(redirect('fe80::77'))).toBe(DropReason.none);
    expect(nextHop()).toBe('fe80::77');
  });

  test('RFC 4861 §8.3: the destination is on the link after all', () => {
    expect(host.in(redirect(FAR, { options: tlla(OTHER_MAC) }))).toBe(DropReason.none);
    send(FAR);
    expect(sent6(host)).toEqual([`ip ${FAR} > ${OTHER_MAC}`]);
  });

  test.each([
    [
      'from another than the router in use',
      redirect('fe80::77', { src: 'fe80::5' }),
      DropReason.redirectRefused,
    ],
    ['from a global address', redirect('fe80::77', { src: 'fd00::1' }), DropReason.ndpAddress],
    ['with a hop limit of 1', redirect('fe80::77', { hops: 1 }), DropReason.ndpHopLimit],
    ['with a code', redirect('fe80::77', { code: 1 }), DropReason.ndpMalformed],
    ['about a group', redirect('fe80::77', { to: 'ff0e::1' }), DropReason.ndpAddress],
    ['to a global address that is not the destination', redirect('2001:db8::1'), DropReason.ndpAddress],
    ['to ourselves', redirect(OWN_LL), DropReason.redirectRefused],
    ['of less than 40 bytes', ndpFrameOf(137, { src: ROUTER, body: address(FAR) }), DropReason.ndpMalformed],
  ])('RFC 4861 §8.1: a redirect %s is dropped', (_name, frame, reason) => {
    expect(host.in(frame)).toBe(reason);
    expect(nextHop()).toBe(ROUTER);
  });

  test('RFC 4861 §8.3: a router takes none', () => {
    host.stack.setInterface(host.index, { isForwarding: true });
    expect(host.in(redirect('fe80::77'))).toBe(DropReason.redirectRefused);
  });
});

describe('RFC 4007 §6 the zone of what is on the link', () => {
  const MAC = parseMac(OTHER_MAC) as Uint8Array;

  test('a link-local gateway need not name its zone, and may name no other', () => {
    const { stack, index } = host;
    const to = { destination: '2001:db8:7::/48', interfaceIndex: index };
    expect(() => stack.addRoute({ ...to, gateway: `fe80::7%${index + 1}` })).toThrow('does not fit');
    stack.addRoute({ ...to, gateway: 'fe80::7' });
    expect(stack.routes.find(({ prefixLength }) => prefixLength === 48)?.gateway?.toString()).toBe(
      `fe80::7%${index}`,
    );
    send('2001:db8:7::9');
    expect(sent6(host)).toEqual([expect.stringMatching(/^ns fe80::7 from fe80::2 /)]);
    expect(stack.removeRoute({ ...to, gateway: 'fe80::7' })).toBe(true);
  });

  test('nor a link-local neighbour that is set by hand', () => {
    host.stack.addNeighbor(host.index, ip('fe80::9'), MAC);
    send(`fe80::9%${host.index}`);
    expect(sent6(host)).toEqual([`ip fe80::9 > ${OTHER_MAC}`]);
    expect(host.stack.neighbors(host.index).map(({ address: known }) => String(known))).toContain(
      `fe80::9%${host.index}`,
    );
    expect(host.stack.removeNeighbor(host.index, ip('fe80::9'))).toBe(true);
  });
});

describe('what is not for hosts', () => {
  test('RFC 4861 §6.2.6: router solicitations are ignored', () => {
    expect(host.in(ndpFrameOf(133, { dst: ALL_NODES }))).toBe(DropReason.icmpTypeUnknown);
    expect(sent6(host)).toEqual([]);
  });

  test('an echo request is answered once the neighbour is known', () => {
    const packet = icmp6Packet({ src: PEER, dst: OWN });
    host.in(ethernetFrame(packet, hex(OWN_MAC), hex(PEER_MAC), 0x86dd));
    expect(sent6(host)).toEqual([ASK_GROUP]);
    host.in(advertisement());
    expect(sent6(host)).toEqual([PACKET]);
  });
});
