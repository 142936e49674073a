/** What the daemon keeps over its end, and what it makes of a file that somebody else has written. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress, SeededRandom } from '../../../src/base/index.ts';
import { LeaseKeeper } from '../../../src/daemon/lease-keeper.ts';
import { StateFile } from '../../../src/daemon/state-file.ts';
import { OFFERED } from '../../support/dhcp-server.ts';
import { bind, type ClientUnderTest, makeClient } from '../stack/dhcp/support.ts';

let directory: string;
let file: string;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wsk-state-'));
  file = join(directory, 'state.json');
  warnings = [];
});

afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true, force: true });
});

const open = (seed = 1, where: string | null = directory): StateFile =>
  new StateFile({
    directory: where ?? undefined,
    random: new SeededRandom(seed),
    warn: (text) => void warnings.push(text),
  });

const SERVER = IpAddress.parse('10.0.0.1') as IpAddress;
const MESSAGE = Uint8Array.of(2, 1, 6, 0);
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);

describe('the state file', () => {
  test('what is saved is there at the next start', () => {
    const before = open(1);
    before.setMac('tap0', MAC);
    before.setLease('tap0', 4, { message: MESSAGE, server: SERVER, obtained: 1_000_000.25 });
    before.save();
    const after = open(2);
    expect(after.identity).toEqual(before.identity);
    expect(after.macOf('tap0')).toEqual(MAC);
    expect(after.leaseOf('tap0', 4)).toMatchObject({ message: MESSAGE, obtained: 1_000_000 });
    expect(`${after.leaseOf('tap0', 4)?.server}`).toBe('10.0.0.1');
    expect([after.leaseOf('tap0', 6), after.macOf('tap1'), after.leaseOf('constructor', 4)]).toEqual([
      null,
      null,
      null,
    ]);
    after.setLease('tap0', 4, null);
    after.save();
    expect([open().leaseOf('tap0', 4), open().macOf('tap0')]).toEqual([null, MAC]);
    expect(warnings).toEqual([]);
  });

  test('nobody else may read it, and nothing lies beside it', () => {
    open().save();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['state.json']);
  });

  test('it is replaced as a whole: an old one stays until the new one is complete, and what a broken write left is no hindrance', () => {
    open(1).save();
    const inode = statSync(file).ino;
    writeFileSync(`${file}.new`, '{ "half":');
    const state = open(2);
    state.setMac('tap0', MAC);
    state.save();
    expect(statSync(file).ino).not.toBe(inode);
    expect(open(3).macOf('tap0')).toEqual(MAC);
    expect(readdirSync(directory)).toEqual(['state.json']);
  });

  test('without a directory nothing is written, and each start is another host', () => {
    const state = open(1, null);
    state.setMac('tap0', MAC);
    state.save();
    expect(existsSync(file)).toBe(false);
    expect(open(2, null).identity).not.toEqual(state.identity);
  });

  test('a link may be called as what every object has; no more links are kept than there can be', () => {
    const state = open();
    for (const name of ['__proto__', 'constructor', 'toString']) state.setMac(name, MAC);
    for (let i = 0; i < 100; i++) state.setMac(`tap${i}`, MAC);
    state.save();
    const after = open();
    expect(warnings).toEqual([]);
    expect(after.macOf('constructor')).toEqual(MAC);
    expect(after.macOf('tap60')).toEqual(MAC);
    expect(after.macOf('tap61')).toBeNull();
  });

  test('a directory that can not be written is told once, and the daemon goes on', () => {
    const state = open(1, join(directory, 'gone'));
    state.save();
    state.save();
    expect(warnings).toEqual([expect.stringContaining('can not be written')]);
    mkdirSync(join(directory, 'gone'));
    state.save();
    rmSync(join(directory, 'gone'), { recursive: true });
    state.save();
    expect(warnings).toHaveLength(2);
  });
});

describe('a file that can not be trusted begins anew, and says why', () => {
  const GOOD = {
    version: 1,
    identity: '07'.repeat(32),
    links: { tap0: { mac: '020000000007', dhcp4: { message: '0201', server: '10.0.0.1', obtained: 5 } } },
  };
  const refused = (why: string): void => {
    const state = open(1);
    expect(warnings).toEqual([expect.stringContaining(why)]);
    expect([state.macOf('tap0'), state.leaseOf('tap0', 4)]).toEqual([null, null]);
    // And it is replaced by one that can be.
    state.setMac('tap0', MAC);
    state.save();
    warnings.length = 0;
    expect(open(2).macOf('tap0')).toEqual(MAC);
    expect(warnings).toEqual([]);
  };

  test('the one that the following break is taken', () => {
    writeFileSync(file, JSON.stringify(GOOD), { mode: 0o600 });
    expect(open().leaseOf('tap0', 4)?.obtained).toBe(5);
    expect(warnings).toEqual([]);
  });

  const mac = (text: unknown) => ({ ...GOOD, links: { tap0: { mac: text } } });
  const lease = (fields: object) => ({
    ...GOOD,
    links: { tap0: { dhcp4: { ...GOOD.links.tap0.dhcp4, ...fields } } },
  });
  test.each<[what: string, content: unknown]>([
    ['an array', []],
    ['null', null],
    ['another version', { ...GOOD, version: 2 }],
    ['a short identity', { ...GOOD, identity: '07' }],
    ['a key that is not known', { ...GOOD, more: 1 }],
    ['a link whose name no link has', { ...GOOD, links: { 'a/b': {} } }],
    [
      'too many links',
      { ...GOOD, links: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`t${i}`, {}])) },
    ],
    ['a group’s hardware address', mac('010000000007')],
    ['no hardware address', mac('000000000000')],
    ['a hardware address that is none', mac('02000000000g')],
    ['a hardware address of a number', mac(7)],
    ['a message of no bytes', lease({ message: '' })],
    ['a message of half a byte', lease({ message: '020' })],
    ['a message that is too long', lease({ message: '00'.repeat(4097) })],
    ['a server that is none', lease({ server: '10.0.0' })],
    ['a date of words', lease({ obtained: 'yesterday' })],
    ['a date before all dates', lease({ obtained: -1 })],
    ['a date that is no whole number', lease({ obtained: 0.5 })],
  ])('%s', (_what, content) => {
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    refused('is no state of this daemon');
  });

  test('what is no JSON', () => {
    writeFileSync(file, '{ "version": 1, ', { mode: 0o600 });
    refused('is no JSON');
  });

  test('one of others, or that others may write', () => {
    writeFileSync(file, JSON.stringify(GOOD));
    chmodSync(file, 0o666);
    refused('others may write it');
  });

  test('a link to one', () => {
    const elsewhere = join(directory, 'elsewhere.json');
    writeFileSync(elsewhere, JSON.stringify(GOOD), { mode: 0o600 });
    symlinkSync(elsewhere, file);
    refused('left unread');
    // What it led to is as it was.
    expect(readFileSync(elsewhere, 'utf8')).toBe(JSON.stringify(GOOD));
  });

  test('a directory in its place', () => {
    mkdirSync(file);
    open();
    expect(warnings).toEqual([expect.stringContaining('no plain file')]);
  });

  test('one that is too large', () => {
    writeFileSync(file, ' '.repeat((1 << 20) + 1), { mode: 0o600 });
    refused('bytes');
  });
});

describe('RFC 2131 §3.2 leases over a restart of the daemon', () => {
  const EPOCH = Date.UTC(2026, 10, 23);

  /** A host of which leases are kept; its wall clock is `at` now. */
  function host(at: number, start = true): { client: ClientUnderTest; keeper: LeaseKeeper; file: StateFile } {
    const state = open();
    const client: ClientUnderTest = makeClient(null, {}, () => keeper.changed());
    const keeper = new LeaseKeeper(state, client.stack, () => EPOCH + at + client.now);
    keeper.recall(client.index, 'tap0');
    if (start) client.stack.startDhcp(client.index);
    return { client, keeper, file: state };
  }

  test('a lease is kept when it is granted, and asked for at the next start', () => {
    const before = host(0).client;
    bind(before, { leaseSec: 3600 });
    before.stack.flushEvents();
    const { client } = host(60_000);
    expect(client.request()).toMatchObject({ type: 'request', requested: OFFERED });
    client.pass(32_000);
    // An hour after it was granted, by the wall clock.
    expect(client.v4.lease?.expiresAt).toBe(1000 + 3_600_000 - 60_000);
  });

  test('one that was given back, refused or ran out is kept no longer', () => {
    const before = host(0).client;
    bind(before, { leaseSec: 3600 });
    before.stack.flushEvents();
    expect(open().leaseOf('tap0', 4)).not.toBeNull();
    before.stack.releaseDhcp(before.index);
    before.pass(200);
    before.stack.flushEvents();
    expect(open().leaseOf('tap0', 4)).toBeNull();
    expect(host(60_000).client.request().type).toBe('discover');
  });

  test('one that is over, or from a time to come, is only a wish', () => {
    const before = host(0).client;
    bind(before, { leaseSec: 3600 });
    before.stack.flushEvents();
    expect(host(3_600_001).client.request()).toMatchObject({ type: 'discover', requested: OFFERED });
    // The clock was set back.
    expect(host(-86_400_000).client.request()).toMatchObject({ type: 'discover', requested: OFFERED });
  });

  test('a lease without an end is one still, whatever the clock says', () => {
    const before = host(0).client;
    bind(before, { leaseSec: 0xffffffff });
    before.stack.flushEvents();
    const { client } = host(-86_400_000);
    expect(client.request().type).toBe('request');
    client.pass(32_000);
    expect(client.v4.lease?.expiresAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('the host’s end takes nothing away', () => {
    const { client } = host(0);
    bind(client);
    client.stack.flushEvents();
    client.stack.stopDhcp(client.index);
    client.stack.flushEvents();
    expect(open().leaseOf('tap0', 4)).not.toBeNull();
  });
});
