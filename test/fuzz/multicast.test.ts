/** IGMP and MLD: codecs against changed bytes, and a host against queries and calls without end. */

import { describe, expect, test } from '@jest/globals';
import { IpAddress, randomBelow, SeededRandom } from '../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../src/stack/index.ts';
import {
  checksum,
  DropReason,
  dropReasonInfo,
  IgmpHeader,
  IgmpRecord,
  IgmpType,
  MldHeader,
  MldRecord,
  MldType,
  parseIgmp,
  parseMld,
  readIgmpRecord,
  readMldRecord,
} from '../../src/wire/index.ts';
import { igmpQuery, igmpReport, readReport } from '../support/igmp.ts';
import { mldQuery, mldReport, readMldReport } from '../support/mld.ts';
import { makeHost6 } from '../unit/stack/ipv6/support.ts';
import { type HostUnderTest, ip, makeHost } from '../unit/stack/support.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260701);
/** For long runs: so many times the usual number of rounds. */
const SCALE = Number(process.env['FUZZ_SCALE'] ?? 1);

/** A message of a kind with a random rest; most lengths are near those that mean something. */
function randomMessage(
  random: SeededRandom,
  types: readonly number[],
  lengths: readonly number[],
): Uint8Array {
  const base = lengths[randomBelow(random, lengths.length)] as number;
  const message = new Uint8Array(Math.max(0, base + randomBelow(random, 5) - 2));
  for (let i = 0; i < message.length; i++) message[i] = randomBelow(random, 4) > 0 ? 0 : random.next();
  message[0] = types[randomBelow(random, types.length)] as number;
  return message;
}

describe('codecs', () => {
  test('RFC 3376 §4: what IGMP’s parser takes lies within the message, whatever the bytes are', () => {
    const random = new SeededRandom(SEED);
    const header = new IgmpHeader();
    const record = new IgmpRecord();
    const types = Object.values(IgmpType);
    let taken = 0;
    let outside = 0;
    for (let round = 0; round < 20_000 * SCALE; round++) {
      const message = randomMessage(random, types, [0, 4, 8, 9, 12, 16, 20, 60, 200]);
      if (message.length >= 8 && randomBelow(random, 2) === 0) message[4] = 239;
      if (message.length >= 4) {
        message.fill(0, 2, 4);
        const sum = checksum(message, 0, message.length);
        message[2] = sum >> 8;
        message[3] = sum;
      }
      const reason = parseIgmp(message, 0, message.length, header);
      if (dropReasonInfo(reason) === null) outside++;
      if (reason !== DropReason.none) continue;
      taken++;
      if (header.listAt > message.length) outside++;
      if (header.type === IgmpType.query) {
        if (header.listAt + 4 * header.count > message.length) outside++;
      }
      let at = header.listAt;
      for (let i = 0; header.type === IgmpType.reportV3 && i < header.count; i++) {
        at = readIgmpRecord(message, at, message.length, record);
        if (at <= 0) outside++;
        if (record.sourcesAt + 4 * record.sourceCount > message.length) outside++;
      }
    }
    expect([outside, taken > 2000]).toEqual([0, true]);
  });

  test('RFC 3810 §5: what MLD’s parser takes lies within the message, whatever the bytes are', () => {
    const random = new SeededRandom(SEED);
    const header = new MldHeader();
    const record = new MldRecord();
    const types = Object.values(MldType);
    let taken = 0;
    let outside = 0;
    for (let round = 0; round < 20_000 * SCALE; round++) {
      const message = randomMessage(random, types, [0, 8, 24, 28, 44, 60, 120, 400]);
      if (message.length >= 24 && randomBelow(random, 2) === 0) message[8] = 0xff;
      const reason = parseMld(message, 0, message.length, header);
      if (dropReasonInfo(reason) === null) outside++;
      if (reason !== DropReason.none) continue;
      taken++;
      if (header.listAt > message.length) outside++;
      if (header.type === MldType.query) {
        if (header.listAt + 16 * header.count > message.length) outside++;
      }
      let at = header.listAt;
      for (let i = 0; header.type === MldType.reportV2 && i < header.count; i++) {
        at = readMldRecord(message, at, message.length, record);
        if (at <= 0) outside++;
        if (record.sourcesAt + 16 * record.sourceCount > message.length) outside++;
      }
    }
    expect([outside, taken > 2000]).toEqual([0, true]);
  });
});

const GROUPS = Array.from({ length: 6 }, (_, i) => IpAddress.v4(0xef010101 + i));
const SOURCES = Array.from({ length: 8 }, (_, i) => IpAddress.v4(0x0a00000b + i));

/** One random call on one of the endpoints. */
function call(random: SeededRandom, endpoint: UdpEndpoint): void {
  const group = GROUPS[randomBelow(random, GROUPS.length)] as IpAddress;
  const source = SOURCES[randomBelow(random, SOURCES.length)] as IpAddress;
  const sources = SOURCES.filter(() => randomBelow(random, 3) === 0);
  const results = [
    () => endpoint.joinGroup(group),
    () => endpoint.leaveGroup(group),
    () => endpoint.joinGroup(group, {}, source),
    () => endpoint.leaveGroup(group, {}, source),
    () => endpoint.blockSource(group, source),
    () => endpoint.unblockSource(group, source),
    () => endpoint.setSourceFilter(group, { mode: 'include', sources }),
    () => endpoint.setSourceFilter(group, { mode: 'exclude', sources }),
  ];
  const result = results[randomBelow(random, results.length)]?.() ?? 0;
  expect([0, StackError.invalid, StackError.addressNotAvailable]).toContain(result);
}

/** What a router knows of one host that it hears every report of (RFC 3376 §6.4, without its timers). */
class Router {
  readonly #states = new Map<string, { mode: string; sources: Set<string> }>();

  hear(line: string): void {
    const [type = '', group = ''] = line.split(' ');
    const sources = (/\{(.*)\}/.exec(line)?.[1] ?? '').split(' ').filter((text) => text !== '');
    const state = this.#states.get(group) ?? { mode: 'include', sources: new Set<string>() };
    this.#states.set(group, state);
    if (type === 'TO_IN' || type === 'TO_EX') {
      state.mode = type === 'TO_IN' ? 'include' : 'exclude';
      state.sources = new Set(sources);
    } else if (type === 'ALLOW' || type === 'BLOCK') {
      const isAdded = (type === 'ALLOW') === (state.mode === 'include');
      for (const source of sources) {
        if (isAdded) state.sources.add(source);
        else state.sources.delete(source);
      }
    }
  }

  get view(): string[] {
    return [...this.#states]
      .filter(([, { mode, sources }]) => mode === 'exclude' || sources.size > 0)
      .map(([group, { mode, sources }]) => `${group} ${mode} ${[...sources].sort().join(' ')}`)
      .sort();
  }
}

function viewOf(host: HostUnderTest): string[] {
  return host.stack.groups
    .map(({ group, mode, sources }) => `${group} ${mode} ${sources.map(String).sort().join(' ')}`)
    .sort();
}

describe('a host', () => {
  test.each([0, 1, 2, 3, 4, 5])(
    'RFC 3376 §5.1: whatever sockets do, a router that hears all reports knows what is wanted (%i)',
    (n) => {
      const random = new SeededRandom(SEED + n);
      const host = makeHost();
      const router = new Router();
      const endpoints = Array.from({ length: 4 }, () => host.stack.openUdp());
      for (let round = 0; round < 400 * SCALE; round++) {
        for (let i = randomBelow(random, 4); i >= 0; i--) {
          call(random, endpoints[randomBelow(random, endpoints.length)] as UdpEndpoint);
        }
        if (randomBelow(random, 4) === 0) host.in(igmpQuery({ maxResponse: 1 + randomBelow(random, 50) }));
        host.pass(randomBelow(random, 3) === 0 ? 0 : randomBelow(random, 700));
        for (const line of host.outBytes().flatMap(readReport)) router.hear(line);
        host.pass(0);
        for (const line of host.outBytes().flatMap(readReport)) router.hear(line);
        expect(router.view).toEqual(viewOf(host));
      }
      for (const endpoint of endpoints) endpoint.close();
      host.pass(60_000);
      for (const line of host.outBytes().flatMap(readReport)) router.hear(line);
      expect([router.view, viewOf(host)]).toEqual([[], []]);
    },
  );

  test.each([0, 1, 2, 3])(
    'whatever routers ask, by every version, its reports are right and come to an end (%i)',
    (n) => {
      const random = new SeededRandom(SEED + n);
      const host = makeHost();
      const endpoints = Array.from({ length: 3 }, () => host.stack.openUdp());
      const text = (addresses: readonly IpAddress[]): string =>
        (addresses[randomBelow(random, addresses.length)] as IpAddress).toString();
      let reports = 0;
      for (let round = 0; round < 1500 * SCALE; round++) {
        if (randomBelow(random, 3) === 0) {
          call(random, endpoints[randomBelow(random, endpoints.length)] as UdpEndpoint);
        }
        const version = (1 + randomBelow(random, 3)) as 1 | 2 | 3;
        const isGeneral = version === 1 || randomBelow(random, 2) === 0;
        const reason =
          randomBelow(random, 5) === 0
            ? host.in(igmpReport(text(GROUPS), randomBelow(random, 2) === 0 ? 1 : 2))
            : host.in(
                igmpQuery({
                  version,
                  ...(isGeneral ? {} : { group: text(GROUPS) }),
                  sources: SOURCES.filter(() => randomBelow(random, 4) === 0).map(String),
                  maxResponse: 1 + randomBelow(random, 255),
                  robustness: randomBelow(random, 8),
                  interval: randomBelow(random, 256),
                }),
              );
        expect([DropReason.none, DropReason.ipNotForUs]).toContain(reason);
        host.pass(randomBelow(random, 2) === 0 ? randomBelow(random, 300) : randomBelow(random, 400_000));
        reports += host.outBytes().flatMap(readReport).length;
      }
      expect(reports).toBeGreaterThan(300);
      for (const endpoint of endpoints) endpoint.close();
      host.pass(100_000_000);
      host.outBytes();
      host.pass(100_000_000);
      expect([host.outBytes(), host.stack.groups, host.stack.nextDeadline]).toEqual([[], [], Infinity]);
    },
  );

  test.each([0, 1, 2, 3])(
    'RFC 3810: whatever routers ask over IPv6, its reports are right and come to an end (%i)',
    (n) => {
      const random = new SeededRandom(SEED + n);
      const host = makeHost6();
      const groups = Array.from({ length: 4 }, (_, i) => `ff15::${i + 1}`);
      const sources = Array.from({ length: 6 }, (_, i) => `fd00::${i + 10}`);
      const pick = (of: readonly string[]): string => of[randomBelow(random, of.length)] as string;
      const some = (): string[] => sources.filter(() => randomBelow(random, 3) === 0);
      const udp = host.stack.openUdp(6);
      let reports = 0;
      for (let round = 0; round < 1000 * SCALE; round++) {
        if (randomBelow(random, 3) === 0) {
          const mode = randomBelow(random, 2) === 0 ? 'include' : 'exclude';
          udp.setSourceFilter(ip(pick(groups)), { mode, sources: some().map(ip) });
        }
        const version = randomBelow(random, 3) === 0 ? 1 : 2;
        const message =
          randomBelow(random, 5) === 0
            ? mldReport(pick(groups))
            : mldQuery({
                version,
                ...(randomBelow(random, 2) === 0 ? {} : { group: pick(groups) }),
                sources: some(),
                maxResponse: randomBelow(random, 20_000),
                robustness: randomBelow(random, 8),
                interval: randomBelow(random, 256),
              });
        expect([DropReason.none, DropReason.ipNotForUs]).toContain(host.in(message));
        host.pass(randomBelow(random, 2) === 0 ? randomBelow(random, 300) : randomBelow(random, 400_000));
        reports += host.outBytes().flatMap(readMldReport).length;
      }
      expect(reports).toBeGreaterThan(300);
      udp.close();
      host.pass(100_000_000);
      host.outBytes();
      host.pass(100_000_000);
      expect([host.outBytes(), host.stack.groups]).toEqual([[], []]);
    },
  );
});
