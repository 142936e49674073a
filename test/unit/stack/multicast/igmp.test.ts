import { beforeEach, describe, expect, test } from '@jest/globals';
import { fromHex } from '../../../../src/base/index.ts';
import type { UdpEndpoint } from '../../../../src/stack/index.ts';
import { DropReason, IPPROTO_IGMP } from '../../../../src/wire/index.ts';
import { igmpQuery, igmpReport, readReport } from '../../../support/igmp.ts';
import { ipv4Packet } from '../../../support/segment.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';

const G = '239.1.1.1';
const H = '239.2.2.2';
const [A, B, C] = ['10.0.0.11', '10.0.0.12', '10.0.0.13'];

let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
});

/** Lets the timers that are due run, and reads what was sent. */
function sent(ms = 0): string[] {
  host.pass(ms);
  return host.outBytes().flatMap(readReport);
}

/** Lets time pass, and says when which report was sent, from now on. */
function sentOver(ms: number, step = 100): [number, string][] {
  const all: [number, string][] = [];
  for (let at = 0; at < ms; at += step) {
    for (const line of sent(step)) all.push([at + step, line]);
  }
  return all;
}

/** Past all reports of earlier changes. */
function settle(): void {
  sent(30_000);
}

describe('RFC 3376 §5.1 action on change of interface state', () => {
  test('RFC 1122 §3.2.3 a join is reported at once, and again within a second', () => {
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
    expect(sent(1000)).toEqual([`TO_EX ${G} {}`]);
    expect(sent(60_000)).toEqual([]);
  });

  test('a leave is reported as often, and by closing the endpoint too', () => {
    for (const leave of [() => udp.leaveGroup(ip(G)), () => udp.close()]) {
      udp.joinGroup(ip(G));
      settle();
      leave();
      expect(sent()).toEqual([`TO_IN ${G} {}`]);
      expect(sent(1000)).toEqual([`TO_IN ${G} {}`]);
      expect(sent(60_000)).toEqual([]);
    }
    expect(host.stack.groups).toEqual([]);
  });

  test('changes of one moment share a report', () => {
    udp.joinGroup(ip(G));
    udp.joinGroup(ip(H));
    host.pass(0);
    const [report, ...others] = host.outBytes();
    expect(others).toEqual([]);
    expect(readReport(report as Uint8Array)).toEqual([`TO_EX ${G} {}`, `TO_EX ${H} {}`]);
  });

  test('a second member changes nothing, and the last one that leaves does', () => {
    const other = host.stack.openUdp();
    udp.joinGroup(ip(G));
    settle();
    other.joinGroup(ip(G));
    udp.leaveGroup(ip(G));
    expect(sent(2000)).toEqual([]);
    other.leaveGroup(ip(G));
    expect(sent()).toEqual([`TO_IN ${G} {}`]);
  });

  test('a change of INCLUDE sources is ALLOW and BLOCK of the difference', () => {
    udp.setSourceFilter(ip(G), { mode: 'include', sources: [ip(A), ip(B)] });
    expect(sent()).toEqual([`ALLOW ${G} {${A} ${B}}`]);
    settle();
    udp.setSourceFilter(ip(G), { mode: 'include', sources: [ip(B), ip(C)] });
    expect(sent()).toEqual([`ALLOW ${G} {${C}}`, `BLOCK ${G} {${A}}`]);
    expect(sent(1000)).toEqual([`ALLOW ${G} {${C}}`, `BLOCK ${G} {${A}}`]);
    expect(sent(5000)).toEqual([]);
  });

  test('a change of EXCLUDE sources is the same the other way round', () => {
    udp.setSourceFilter(ip(G), { mode: 'exclude', sources: [ip(A), ip(B)] });
    expect(sent()).toEqual([`TO_EX ${G} {${A} ${B}}`]);
    settle();
    udp.setSourceFilter(ip(G), { mode: 'exclude', sources: [ip(B), ip(C)] });
    expect(sent()).toEqual([`ALLOW ${G} {${A}}`, `BLOCK ${G} {${C}}`]);
  });

  test('a change of the filter mode is reported with the whole list, also when sources change right after', () => {
    udp.setSourceFilter(ip(G), { mode: 'include', sources: [ip(A)] });
    settle();
    udp.setSourceFilter(ip(G), { mode: 'exclude', sources: [ip(B)] });
    expect(sent()).toEqual([`TO_EX ${G} {${B}}`]);
    udp.blockSource(ip(G), ip(C));
    expect(sent()).toEqual([`TO_EX ${G} {${B} ${C}}`]);
    // The mode was in as many reports as it takes; the source has one to come.
    expect(sent(1000)).toEqual([`BLOCK ${G} {${C}}`]);
    expect(sent(5000)).toEqual([]);
  });

  test('a change that is undone before it was repeated is reported as undone', () => {
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
    udp.leaveGroup(ip(G));
    expect(sent()).toEqual([`TO_IN ${G} {}`]);
    expect(sent(1000)).toEqual([`TO_IN ${G} {}`]);
    expect(sent(5000)).toEqual([]);
  });

  test("RFC 3376 §4.1.6 as many reports as the querier's robustness says", () => {
    host.in(igmpQuery({ robustness: 4 }));
    settle();
    udp.joinGroup(ip(G));
    expect(sent(10_000)).toHaveLength(4);
  });

  test('RFC 3376 §5 nothing is said of 224.0.0.1, nor on the loopback interface', () => {
    expect(udp.joinGroup(ip('224.0.0.1'))).toBe(0);
    expect(udp.joinGroup(ip(G), { interfaceIndex: 1 })).toBe(0);
    expect(sent(5000)).toEqual([]);
  });

  test('RFC 3376 §4.2.13 an interface without an address reports from 0.0.0.0', () => {
    const bare = makeHost({ addresses: [] });
    bare.stack.openUdp().joinGroup(ip(G), { interfaceIndex: bare.index });
    bare.pass(0);
    const [packet] = bare.outBytes();
    expect(readReport(packet as Uint8Array)).toEqual([`TO_EX ${G} {}`]);
    expect([...(packet as Uint8Array).subarray(12, 16)]).toEqual([0, 0, 0, 0]);
  });

  test('an interface that is switched on again reports all of its groups', () => {
    udp.joinGroup(ip(G));
    settle();
    host.stack.setInterface(host.index, { isUp: false });
    host.stack.setInterface(host.index, { isUp: true });
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
  });

  test('an interface that is removed takes its memberships along', () => {
    udp.joinGroup(ip(G));
    host.stack.removeInterface(host.index);
    expect(host.stack.groups).toEqual([]);
    expect(udp.leaveGroup(ip(G), { interfaceIndex: host.index })).toBeLessThan(0);
    host.pass(5000);
  });
});

describe('RFC 3376 §3.2 interface state out of those of sockets', () => {
  const [X, Y, Z] = [ip('10.0.0.31'), ip('10.0.0.32'), ip('10.0.0.33')];
  const stateOf = (): string => {
    const view = host.stack.groups.find(({ group }) => group.toString() === G);
    return view === undefined ? 'none' : `${view.mode} ${view.sources.join(' ')}`;
  };

  test('the examples of the section', () => {
    const [s1, s2, s3] = [udp, host.stack.openUdp(), host.stack.openUdp()];
    s1.setSourceFilter(ip(G), { mode: 'exclude', sources: [X, Y, Z] });
    s2.setSourceFilter(ip(G), { mode: 'exclude', sources: [Y, Z, ip(A)] });
    expect(stateOf()).toBe(`exclude ${Y} ${Z}`);
    s3.setSourceFilter(ip(G), { mode: 'include', sources: [X, Y] });
    expect(stateOf()).toBe(`exclude ${Z}`);
    s1.close();
    s2.setSourceFilter(ip(G), { mode: 'include', sources: [Y, Z] });
    expect(stateOf()).toBe(`include ${Y} ${Z} ${X}`);
    s2.leaveGroup(ip(G));
    s3.leaveGroup(ip(G));
    expect(stateOf()).toBe('none');
  });

  test('one who wants everything outweighs all filters', () => {
    udp.setSourceFilter(ip(G), { mode: 'exclude', sources: [X] });
    host.stack.openUdp().joinGroup(ip(G));
    expect(stateOf()).toBe('exclude ');
  });
});

describe('RFC 3376 §5.2 action on reception of a query', () => {
  beforeEach(() => {
    udp.joinGroup(ip(G));
    udp.setSourceFilter(ip(H), { mode: 'include', sources: [ip(A), ip(B)] });
    settle();
  });

  test('a general query is answered with the state of all groups, once, within its time', () => {
    expect(host.in(igmpQuery({ maxResponse: 50 }))).toBe(DropReason.none);
    const answers = sentOver(5000);
    expect(answers.map(([, line]) => line)).toEqual([`IS_EX ${G} {}`, `IS_IN ${H} {${A} ${B}}`]);
    expect(sent(60_000)).toEqual([]);
  });

  test('rule 1 and 2: a query while an answer is due is not answered by itself', () => {
    for (let i = 0; i < 5; i++) host.in(igmpQuery());
    expect(sent(10_000)).toHaveLength(2);
  });

  test('a query about a group is answered about this one', () => {
    host.in(igmpQuery({ group: G, maxResponse: 10 }));
    expect(sent(1000)).toEqual([`IS_EX ${G} {}`]);
    host.in(igmpQuery({ group: '239.9.9.9', dst: '224.0.0.1', maxResponse: 10 }));
    expect(sent(1000)).toEqual([]);
  });

  test.each([
    ['INCLUDE', H, [B, C], `IS_IN ${H} {${B}}`],
    ['EXCLUDE', G, [B, C], `IS_IN ${G} {${B} ${C}}`],
  ] as const)('a query about sources of a group in %s mode', (_mode, group, sources, answer) => {
    host.in(igmpQuery({ group, sources, maxResponse: 10 }));
    expect(sent(1000)).toEqual([answer]);
  });

  test('when none of the sources is wanted there is no answer', () => {
    host.in(igmpQuery({ group: H, sources: [C], maxResponse: 10 }));
    expect(sent(5000)).toEqual([]);
  });

  test('rule 5: sources of two queries are answered together', () => {
    host.in(igmpQuery({ group: H, sources: [A], maxResponse: 100 }));
    host.in(igmpQuery({ group: H, sources: [B], maxResponse: 100 }));
    expect(sent(10_000)).toEqual([`IS_IN ${H} {${A} ${B}}`]);
  });

  test('rule 4: a query about the group makes the answer whole', () => {
    host.in(igmpQuery({ group: H, sources: [A], maxResponse: 100 }));
    host.in(igmpQuery({ group: H, maxResponse: 100 }));
    expect(sent(10_000)).toEqual([`IS_IN ${H} {${A} ${B}}`]);
    host.in(igmpQuery({ group: H, maxResponse: 100 }));
    host.in(igmpQuery({ group: H, sources: [A], maxResponse: 100 }));
    expect(sent(10_000)).toEqual([`IS_IN ${H} {${A} ${B}}`]);
  });

  test('sources without end are answered about the whole group, in bounded memory', () => {
    for (let n = 0; n < 40; n++) {
      const sources = Array.from({ length: 100 }, (_, i) => `10.${n}.${i}.1`);
      host.in(igmpQuery({ group: G, sources, maxResponse: 100 }));
    }
    expect(sent(10_000)).toEqual([`IS_EX ${G} {}`]);
  });

  test('RFC 3376 §4.2.16 more records than a report holds go into several', () => {
    const small = makeHost({ mtu: 576 });
    const socket = small.stack.openUdp();
    for (let i = 0; i < 200; i++) socket.joinGroup(ip(`239.3.0.${i}`));
    small.pass(30_000);
    small.outBytes();
    small.in(igmpQuery());
    small.pass(10_000);
    const reports = small.outBytes();
    expect(reports.length).toBeGreaterThan(1);
    for (const report of reports) expect(report.length).toBeLessThanOrEqual(576);
    expect(reports.flatMap(readReport)).toHaveLength(200);
  });

  test('RFC 3376 §4.2.16 a long INCLUDE list is spread over reports, a long EXCLUDE list is cut', () => {
    const small = makeHost({ mtu: 128 });
    const sources = Array.from({ length: 60 }, (_, i) => ip(`10.0.1.${i}`));
    const [s, t] = [small.stack.openUdp(), small.stack.openUdp()];
    s.setSourceFilter(ip(G), { mode: 'include', sources });
    t.setSourceFilter(ip(H), { mode: 'exclude', sources });
    small.pass(30_000);
    small.outBytes();
    small.in(igmpQuery());
    small.pass(10_000);
    const lines = small.outBytes().flatMap(readReport);
    const included = lines.filter((line) => line.startsWith('IS_IN')).join(' ');
    for (const source of sources) expect(included).toContain(source.toString());
    expect(lines.filter((line) => line.startsWith('IS_EX'))).toHaveLength(1);
  });
});

describe('RFC 3376 §9.1 queries that are not believed', () => {
  test.each([
    ['from further away', igmpQuery({ ttl: 2 })],
    ['without a router alert', igmpQuery({ hasAlert: false })],
    ['of version 2 without a router alert', igmpQuery({ version: 2, hasAlert: false })],
    ['a general one to this host alone', igmpQuery({ dst: '10.0.0.2' })],
  ])('%s', (_what, query) => {
    udp.joinGroup(ip(G));
    settle();
    expect(host.in(query)).toBe(DropReason.igmpNotFromLink);
    expect(sent(20_000)).toEqual([]);
  });

  test('a query about a group that is sent to another', () => {
    udp.joinGroup(ip(G));
    udp.joinGroup(ip(H));
    expect(host.in(igmpQuery({ group: G, dst: H }))).toBe(DropReason.igmpNotFromLink);
  });

  test.each([
    ['a version that there is not yet', '11640000 00000000 0000', DropReason.igmpTruncated],
    ['a checksum that is wrong', '11640000 00000000', DropReason.igmpChecksum],
    ['a group that is none', '11 64 e4 98 0a 00 00 02', DropReason.igmpGroup],
    ['too short', '1164ee', DropReason.igmpTruncated],
    ['more sources than there are', '1164 0c90 efffffff 0201 0002 0a000001', DropReason.igmpTruncated],
    ['an unknown type', '4200bdff00000000', DropReason.igmpTypeUnknown],
  ])('RFC 3376 §4 %s', (what, hex, reason) => {
    const message = fromHex(hex);
    if (!what.includes('checksum')) resum(message);
    const packet = ipv4Packet(IPPROTO_IGMP, message, {
      dst: '224.0.0.1',
      ttl: 1,
      ipOptions: fromHex('94040000'),
    });
    expect(host.in(packet)).toBe(reason);
  });
});

describe('RFC 3376 §7.2 a router that speaks version 2', () => {
  beforeEach(() => {
    host.in(igmpQuery({ version: 2, maxResponse: 10 }));
    sent(5000);
  });

  test('a join is a version 2 report to the group, repeated within ten seconds', () => {
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`v2 report ${G}`]);
    expect(sent(10_000)).toEqual([`v2 report ${G}`]);
    expect(sent(60_000)).toEqual([]);
    expect(host.stack.groups).toMatchObject([{ version: 2, isReporter: true }]);
  });

  test('RFC 2236 §3 leaving is told to all routers by who has reported last', () => {
    udp.joinGroup(ip(G));
    sent(20_000);
    udp.leaveGroup(ip(G));
    expect(sent(10_000)).toEqual([`leave ${G}`]);
    expect(host.stack.groups).toEqual([]);
  });

  test('RFC 2236 §3 who heard another report leaves in silence, and a report that is due is not sent', () => {
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`v2 report ${G}`]);
    expect(host.in(igmpReport(G))).toBe(DropReason.none);
    expect(host.stack.groups).toMatchObject([{ isReporter: false }]);
    expect(sent(60_000)).toEqual([]);
    udp.leaveGroup(ip(G));
    expect(sent(10_000)).toEqual([]);
  });

  test('a query is answered for each group at a time of its own, within the time that it allows', () => {
    for (let i = 0; i < 20; i++) udp.joinGroup(ip(`239.4.0.${i}`));
    settle();
    host.in(igmpQuery({ version: 2, maxResponse: 50 }));
    const answers = sentOver(5000);
    expect(answers).toHaveLength(20);
    expect(new Set(answers.map(([at]) => at)).size).toBeGreaterThan(5);
  });

  test('RFC 2236 §3 a delay that runs is shortened by a query that allows less', () => {
    udp.joinGroup(ip(G));
    settle();
    host.in(igmpQuery({ version: 2, maxResponse: 255 }));
    host.in(igmpQuery({ version: 2, maxResponse: 1, group: G }));
    expect(sent(100)).toEqual([`v2 report ${G}`]);
    expect(sent(30_000)).toEqual([]);
  });

  test('a report of another host about another group, or to another, changes nothing', () => {
    udp.joinGroup(ip(G));
    expect(host.in(igmpReport(H))).toBe(DropReason.ipNotForUs);
    expect(sent(20_000)).toHaveLength(2);
  });

  test('§8.12 when it was not heard for twice its interval and ten seconds, version 3 is spoken again', () => {
    sent(260_000);
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`TO_EX ${G} {}`]);
  });

  test('§7.2.1 a change of the version drops what was due by the other', () => {
    const fresh = makeHost();
    const socket = fresh.stack.openUdp();
    socket.joinGroup(ip(G));
    fresh.pass(0);
    fresh.outBytes();
    fresh.in(igmpQuery({ version: 2, maxResponse: 10 }));
    fresh.pass(60_000);
    expect(fresh.outBytes().flatMap(readReport)).toEqual([`v2 report ${G}`]);
  });

  test('a version 3 query is answered by version 2 as long', () => {
    udp.joinGroup(ip(G));
    settle();
    host.in(igmpQuery({ maxResponse: 10 }));
    expect(sent(1000)).toEqual([`v2 report ${G}`]);
  });
});

describe('RFC 3376 §7.2 a router that speaks version 1', () => {
  test('RFC 1112 joins are reported by version 1, and nobody is told of leaving', () => {
    host.in(igmpQuery({ version: 1 }));
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`v1 report ${G}`]);
    sent(20_000);
    host.in(igmpQuery({ version: 1 }));
    expect(sent(10_000)).toEqual([`v1 report ${G}`]);
    udp.leaveGroup(ip(G));
    expect(sent(10_000)).toEqual([]);
  });

  test('it counts for more than one of version 2', () => {
    host.in(igmpQuery({ version: 1 }));
    host.in(igmpQuery({ version: 2 }));
    udp.joinGroup(ip(G));
    expect(sent()).toEqual([`v1 report ${G}`]);
  });
});

/** Writes the right checksum into a message of any length. */
function resum(message: Uint8Array): void {
  message.fill(0, 2, Math.min(4, message.length));
  let sum = 0;
  for (let i = 0; i < message.length; i += 2) {
    sum += ((message[i] as number) << 8) | (message[i + 1] ?? 0);
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = ~((sum & 0xffff) + (sum >>> 16));
  if (message.length >= 4) message.set([(sum >>> 8) & 0xff, sum & 0xff], 2);
}
