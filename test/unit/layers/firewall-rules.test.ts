/**
 * A firewall's rules: how they are written, which one decides, and that a changed file is taken.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IpAddress, parsePrefix } from '../../../src/base/index.ts';
import {
  CHECK_EVERY,
  type Deed,
  decide,
  isIn,
  parseRules,
  RulesError,
  RulesFile,
} from '../../../src/layers/firewall/index.ts';

const address = (text: string): IpAddress => IpAddress.parse(text) ?? IpAddress.anyV4;
const me = { programs: ['/usr/bin/node', '/opt/app/main.mjs'], users: ['alice', '1000'] };

/** An outgoing stream to there. */
function to(text: string, port: number, more: Partial<Deed> = {}): Deed {
  return {
    direction: 'connect',
    protocol: 'tcp',
    remote: { address: address(text), port },
    local: null,
    ...more,
  };
}

/** What a set with that one rule, and a default of the opposite, says. */
function verdict(rule: object, deed: Deed, application = me): string {
  const set = parseRules(JSON.stringify({ default: 'allow', rules: [{ action: 'deny', ...rule }] }));
  return decide(set, application, deed).action;
}

describe('which rule decides', () => {
  test.each([
    [{}, to('10.0.0.1', 80), 'deny'],
    [{ remote: '10.0.0.0/8' }, to('10.255.0.1', 80), 'deny'],
    [{ remote: '10.0.0.0/8' }, to('11.0.0.1', 80), 'allow'],
    [{ remote: '10.0.0.0/8' }, to('::ffff:10.1.2.3', 80), 'deny'],
    [{ remote: 'fd00::/8' }, to('fdff::1', 80), 'deny'],
    [{ remote: 'fd00::/8' }, to('fe00::1', 80), 'allow'],
    [{ remote: '0.0.0.0/0' }, to('::1', 80), 'allow'],
    [{ remote: ['192.0.2.1', '::1'] }, to('::1', 80), 'deny'],
    [{ remotePort: [22, '8000-8010'] }, to('10.0.0.1', 8010), 'deny'],
    [{ remotePort: [22, '8000-8010'] }, to('10.0.0.1', 8011), 'allow'],
    [{ direction: 'send' }, to('10.0.0.1', 80), 'allow'],
    [{ direction: ['send', 'connect'] }, to('10.0.0.1', 80), 'deny'],
    [{ protocol: 'udp' }, to('10.0.0.1', 80), 'allow'],
    [{ program: '/opt/app/*' }, to('10.0.0.1', 80), 'deny'],
    [{ program: '/opt/other/*' }, to('10.0.0.1', 80), 'allow'],
    [{ program: '/opt/app/main.m.s' }, to('10.0.0.1', 80), 'allow'],
    [{ user: 'alice' }, to('10.0.0.1', 80), 'deny'],
    [{ user: 1000 }, to('10.0.0.1', 80), 'deny'],
    [{ user: ['bob', 0] }, to('10.0.0.1', 80), 'allow'],
    // A side that nobody knows fits no rule about it.
    [{ local: '10.0.0.1' }, to('10.0.0.1', 80), 'allow'],
    [
      { localPort: 80 },
      { direction: 'listen', protocol: 'tcp', remote: null, local: { address: address('::'), port: 80 } },
      'deny',
    ],
  ] as [object, Deed, string][])('%j %#', (rule, deed, expected) => {
    expect(verdict(rule, deed)).toBe(expected);
  });

  test('the first rule that fits, else the default of the direction', () => {
    const set = parseRules(
      JSON.stringify({
        default: { connect: 'deny' },
        rules: [
          { name: 'one', action: 'allow', remotePort: 80 },
          { name: 'two', action: 'deny', remotePort: '1-1000' },
          { name: 'three', action: 'redirect', remotePort: 8080, to: '[::1]:80' },
        ],
      }),
    );
    expect(decide(set, me, to('10.0.0.1', 80))).toMatchObject({ action: 'allow', rule: { name: 'one' } });
    expect(decide(set, me, to('10.0.0.1', 81))).toMatchObject({ action: 'deny', rule: { name: 'two' } });
    expect(decide(set, me, to('10.0.0.1', 8080))).toMatchObject({
      action: 'redirect',
      rule: { to: { port: 80 } },
    });
    expect(decide(set, me, to('10.0.0.1', 9999))).toEqual({ action: 'deny', rule: null });
    expect(decide(set, me, to('10.0.0.1', 9999, { direction: 'send' })).action).toBe('allow');
  });

  test('a prefix holds the addresses whose leading bits are its own, by arithmetic with big integers', () => {
    const value = ({ w0, w1, w2, w3 }: IpAddress): bigint =>
      [w0, w1, w2, w3].reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
    const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
    fc.assert(
      fc.property(words, words, fc.boolean(), fc.nat(128), fc.nat(128), (a, b, isV4, cut, length) => {
        const bits = isV4 ? 32 : 128;
        const len = length % (bits + 1);
        // Half of the time the two share their leading bits.
        const shared = cut % (bits + 1);
        const make = (w: readonly number[]): IpAddress =>
          isV4
            ? IpAddress.v4(w[3] as number)
            : new IpAddress(6, 0x20010000 | 0, w[1] as number, w[2] as number, w[3] as number);
        const one = make(a);
        const mixed = (value(one) >> BigInt(bits - shared)) << BigInt(bits - shared);
        const low = shared === bits ? 0n : value(make(b)) & ((1n << BigInt(bits - shared)) - 1n);
        const other = mixed | low;
        const word = (i: number): number => Number((other >> BigInt(32 * i)) & 0xffff_ffffn) | 0;
        const two = isV4 ? IpAddress.v4(word(0)) : new IpAddress(6, word(3), word(2), word(1), word(0));
        const expected = value(one) >> BigInt(bits - len) === value(two) >> BigInt(bits - len);
        expect(isIn(two, { address: one, length: len })).toBe(expected || two.isV4Mapped);
      }),
      { numRuns: 3000 },
    );
    expect(
      isIn(address('10.0.0.1'), parsePrefix('10.0.0.0/31') ?? { address: address('::'), length: 0 }),
    ).toBe(true);
  });
});

describe('how rules are written', () => {
  test.each([
    ['{', /no JSON/],
    ['[]', /the file: it has to be an object/],
    ['{"rule":[]}', /rule: there is no such member; there are default, rules, log/],
    ['{"rules":{}}', /rules: it has to be a list/],
    ['{"default":"maybe"}', /default: it has to be one of allow, deny, not "maybe"/],
    ['{"default":{"conect":"deny"}}', /default\.conect: there is no such member/],
    ['{"rules":[{}]}', /rules\[0\]\.action: .* it is missing/],
    ['{"rules":[{"action":"deny","remote":"10.0.0.0/40"}]}', /rules\[0\]\.remote: .*prefix/],
    ['{"rules":[{"action":"deny","remote":["10.0.0.0/8","x"]}]}', /rules\[0\]\.remote\[1\]: .*"x"/],
    ['{"rules":[{"action":"deny","remotePort":70000}]}', /remotePort: .*65535.*70000/],
    ['{"rules":[{"action":"deny","remotePort":"9-5"}]}', /remotePort/],
    ['{"rules":[{"action":"deny","user":-1}]}', /user/],
    ['{"rules":[{"action":"deny","program":""}]}', /program/],
    ['{"rules":[{"action":"deny","protocol":[]}]}', /an empty list fits nothing/],
    ['{"rules":[{"action":"redirect"}]}', /to: a redirect needs the address/],
    ['{"rules":[{"action":"redirect","to":"somewhere:1"}]}', /to: it has to be an address/],
    ['{"rules":[{"action":"redirect","to":"1.2.3.4:1","direction":"listen"}]}', /only what goes out/],
    ['{"rules":[{"action":"allow","to":"1.2.3.4:1"}]}', /only a redirect goes anywhere else/],
    ['{"log":5}', /log: .*"stderr"/],
  ])('%s', (text, message) => {
    expect(() => parseRules(text)).toThrow(RulesError);
    expect(() => parseRules(text)).toThrow(message);
  });

  test('all mistakes are said at once', () => {
    const text = '{"default":"x","rules":[{"action":"no"},{"action":"deny","remote":1}]}';
    try {
      parseRules(text);
      expect('read').toBe('refused');
    } catch (error) {
      expect((error as RulesError).mistakes).toHaveLength(3);
    }
  });

  test('no text makes it fail in any other way', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((rule) => JSON.stringify({ rules: [rule] })),
        ),
        (text) => {
          try {
            parseRules(text);
          } catch (error) {
            expect(error).toBeInstanceOf(RulesError);
          }
        },
      ),
    );
  });
});

test('a file is read anew when it has changed, and a broken one leaves the old rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  const path = join(folder, 'rules.json');
  let now = 0;
  const complaints: string[] = [];
  const write = (text: string): void => writeFileSync(path, text);
  write('{"default":"deny"}');
  const file = new RulesFile(path, { now: () => now }, (reason) => void complaints.push(reason));
  expect(file.current().defaults.connect).toBe('deny');
  write('{"default":"allow","log":"stderr"}');
  expect(file.current().defaults.connect).toBe('deny');
  now += CHECK_EVERY;
  expect(file.current().defaults.connect).toBe('allow');
  write('{"default":');
  now += CHECK_EVERY;
  expect(file.current().defaults.connect).toBe('allow');
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain(path);
  now += CHECK_EVERY;
  file.current();
  expect(complaints).toHaveLength(1);
  rmSync(folder, { recursive: true });
  now += CHECK_EVERY;
  expect(file.current().defaults.connect).toBe('allow');
  expect(() => new RulesFile(path, { now: () => now }, () => {})).toThrow(/no such file/);
});
