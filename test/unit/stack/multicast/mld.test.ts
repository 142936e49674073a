import { beforeEach, describe, expect, test } from '@jest/globals';
import { StackError, type UdpEndpoint } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { isMld, mldQuery, mldReport, readMldReport } from '../../../support/mld.ts';
import { hopByHop, udp6Packet } from '../../../support/segment6.ts';
import { type Host6UnderTest, makeHost6 } from '../ipv6/support.ts';
import { ip, receive } from '../support.ts';

const G = 'ff05::1:3';
const H = 'ff05::1:4';
const [A, B] = ['fd00::a', 'fd00::b'];

let host: Host6UnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost6();
  udp = host.stack.openUdp(6);
});

/** Lets time pass, and reads what was sent. */
function sent(ms = 0): string[] {
  host.pass(ms);
  return host.outBytes().flatMap(readMldReport);
}

describe('RFC 3810 §6.1 action on change of the interface state', () => {
  test('a join is reported at once and again within a second; so is leaving', () => {
    expect(udp.joinGroup(ip(G))).toBe(0);
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
    expect(sent(1000)).toEqual([`TO_EX ${G} {}`]);
    udp.leaveGroup(ip(G));
    expect(sent()).toEqual([`TO_IN ${G} {}`]);
    expect(sent(60_000)).toEqual([`TO_IN ${G} {}`]);
  });

  test('sources are allowed and blocked', () => {
    udp.joinGroup(ip(G), {}, ip(A));
    expect(sent()).toEqual([`ALLOW ${G} {${A}}`]);
    sent(5000);
    udp.setSourceFilter(ip(G), { mode: 'include', sources: [ip(B)] });
    expect(sent()).toEqual([`ALLOW ${G} {${B}}`, `BLOCK ${G} {${A}}`]);
  });

  test.each([
    ['all-nodes', 'ff02::1'],
    ['all-nodes of the interface', 'ff01::1'],
    ['an interface-local group', 'ff01::99'],
    ['a group of the reserved scope', 'ff00::99'],
  ])('RFC 3810 §6 nothing is said of %s', (_what, group) => {
    udp.joinGroup(ip(group), { interfaceIndex: host.index });
    expect(sent(20_000)).toEqual([]);
  });

  test('RFC 3810 §5.2.13 without a link-local address reports come from ::', () => {
    const bare = makeHost6({ addresses: ['fd00::2/64'] });
    bare.stack.openUdp(6).joinGroup(ip(G), { interfaceIndex: bare.index });
    bare.pass(0);
    const [packet] = bare.outBytes();
    expect(readMldReport(packet as Uint8Array)).toEqual([`TO_EX ${G} {}`]);
    expect((packet as Uint8Array).subarray(8, 24).every((byte) => byte === 0)).toBe(true);
  });

  test('RFC 4607 §1 a group for single sources is not joined from all', () => {
    expect(udp.joinGroup(ip('ff35::1234'))).toBe(StackError.invalid);
    expect(udp.joinGroup(ip('ff35::1234'), {}, ip(A))).toBe(0);
    // RFC 3306: based on a prefix, it is a group like others.
    expect(udp.joinGroup(ip('ff35:30:3fff::1'))).toBe(0);
  });
});

describe('RFC 3810 §6.2 action on reception of a query', () => {
  beforeEach(() => {
    udp.joinGroup(ip(G));
    udp.setSourceFilter(ip(H), { mode: 'include', sources: [ip(A), ip(B)] });
    sent(30_000);
  });

  test('a general query is answered with the state of all groups, once, within its time', () => {
    expect(host.in(mldQuery({ maxResponse: 500 }))).toBe(DropReason.none);
    expect(sent(500)).toEqual([`IS_EX ${G} {}`, `IS_IN ${H} {${A} ${B}}`]);
    expect(sent(60_000)).toEqual([]);
  });

  test('a query about a group, and one about sources of a group', () => {
    host.in(mldQuery({ group: G, maxResponse: 10 }));
    expect(sent(10)).toEqual([`IS_EX ${G} {}`]);
    host.in(mldQuery({ group: H, sources: [B, 'fd00::c'], maxResponse: 10 }));
    expect(sent(10)).toEqual([`IS_IN ${H} {${B}}`]);
  });

  test.each([
    ['whose source is not link-local', mldQuery({ src: 'fd00::1' })],
    ['from further away', mldQuery({ hops: 2 })],
    ['without a router alert', mldQuery({ extensions: [] })],
    ['with an alert of somebody else', mldQuery({ extensions: [hopByHop(5, 2, 0, 1)] })],
    ['to this host alone', mldQuery({ dst: 'fd00::2' })],
    ['about a group that is sent to another', mldQuery({ group: G, dst: H })],
  ])('RFC 3810 §5.1.14 a query %s is not believed', (_what, query) => {
    expect(host.in(query)).toBe(DropReason.mldNotFromLink);
    expect(sent(20_000)).toEqual([]);
  });
});

describe('RFC 3810 §8.2 a router that speaks version 1', () => {
  beforeEach(() => {
    host.in(mldQuery({ version: 1, maxResponse: 100 }));
    sent(1000);
  });

  test('RFC 2710 §4 a join is a version 1 report, leaving a done to all routers', () => {
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`v1 report ${G}`]);
    expect(sent(10_000)).toEqual([`v1 report ${G}`]);
    udp.leaveGroup(ip(G));
    expect(sent(10_000)).toEqual([`done ${G}`]);
  });

  test('RFC 2710 §4 a report that another host has sent is not sent again, and leaving is silent', () => {
    udp.joinGroup(ip(G));
    sent();
    expect(host.in(mldReport(G))).toBe(DropReason.none);
    expect(sent(20_000)).toEqual([]);
    udp.leaveGroup(ip(G));
    expect(sent(10_000)).toEqual([]);
  });

  test('RFC 2710 §3 another host’s report counts only from a link-local address', () => {
    udp.joinGroup(ip(G));
    sent();
    expect(host.in(mldReport(G, { src: 'fd00::77' }))).toBe(DropReason.mldNotFromLink);
    expect(sent(20_000)).toEqual([`v1 report ${G}`]);
  });

  test('§9.12 when it was not heard for long enough, version 2 is spoken again', () => {
    sent(251_000);
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
  });
});

describe('datagrams over IPv6', () => {
  test('reach members, through their filter', () => {
    udp.bind(ip('::'), 5000);
    const packet = (src: string): Uint8Array =>
      udp6Packet({ src, dst: G, destinationPort: 5000, payload: 'x' });
    expect(host.in(packet(A))).toBe(DropReason.ipNotForUs);
    udp.joinGroup(ip(G), {}, ip(A));
    expect(host.in(packet(B))).toBe(DropReason.udpNoListener);
    expect(host.in(packet(A))).toBe(DropReason.none);
    expect(receive(udp)).toEqual(Uint8Array.of(120));
  });

  test('leave with a hop limit of 1 unless told otherwise, and come back to members', () => {
    udp.bind(ip('::'), 5000);
    udp.joinGroup(ip(G));
    const sender = host.stack.openUdp(6);
    for (const hops of [1, 9]) {
      sender.multicastTtl = hops;
      expect(sender.send(Uint8Array.of(7), 0, 1, ip(G), 5000)).toBe(1);
    }
    const leaving = host.out6().filter(({ protocol }) => protocol === 17);
    expect(leaving.map(({ hops, dst }) => [hops, dst])).toEqual([
      [1, G],
      [9, G],
    ]);
    expect([receive(udp), receive(udp)]).toEqual([Uint8Array.of(7), Uint8Array.of(7)]);
  });

  test('the interface of a link-local group is its zone', () => {
    const group = ip(`ff02::99%${host.index}`);
    expect(udp.joinGroup(group)).toBe(0);
    expect(sent()).toEqual(['TO_EX ff02::99 {}']);
    expect(udp.leaveGroup(ip('ff02::99'), { interfaceIndex: host.index })).toBe(0);
  });
});

describe('RFC 4291 §2.7.1 solicited-node groups', () => {
  const ethernet = { medium: 'ethernet', mac: Uint8Array.of(2, 0, 0, 0, 0, 2) } as const;
  const frames = (): string[] =>
    host
      .outBytes()
      .map((frame) => frame.subarray(14))
      .filter(isMld)
      .flatMap(readMldReport);

  test('of an Ethernet interface’s addresses are joined and reported as they come, and left as they go', () => {
    host = makeHost6({ ...ethernet, addresses: ['fe80::2/64'] });
    host.stack.addAddress(host.index, 'fd00::1:2:3/64');
    host.pass(0);
    expect(frames()).toEqual(['TO_EX ff02::1:ff00:2 {}', 'TO_EX ff02::1:ff02:3 {}']);
    host.pass(5000);
    frames();
    host.stack.removeAddress(host.index, ip('fd00::1:2:3'));
    host.pass(0);
    expect(frames()).toEqual(['TO_IN ff02::1:ff02:3 {}']);
  });

  test('two addresses that end alike share one', () => {
    host = makeHost6({ ...ethernet, addresses: ['fe80::2/64', 'fd00::2/64'] });
    host.stack.removeAddress(host.index, ip('fd00::2'));
    host.pass(5000);
    expect(new Set(frames())).toEqual(new Set(['TO_EX ff02::1:ff00:2 {}']));
  });

  test('RFC 3590 §4 what was reported from :: is reported again from the first link-local address', () => {
    host = makeHost6({ ...ethernet, addresses: ['fd00::5/64'] });
    host.pass(10_000);
    frames();
    host.stack.addAddress(host.index, 'fe80::5/64');
    host.pass(0);
    expect(frames()).toEqual(['TO_EX ff02::1:ff00:5 {}']);
  });
});
