import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { addressesIn, HostsFile, HostTable } from '../../../src/names/hosts.ts';
import { VirtualTime } from '../../../src/sim/virtual-time.ts';
import { ip } from './scripted-network.ts';

describe('the hosts file', () => {
  test('RFC 952 addresses, the canonical name, aliases and comments', () => {
    const table = HostTable.parse(
      '# a comment\n10.0.0.7\tprinter.example.com printer  LP # the old one\r\n\n::1 six\r10.0.0.8 PRINTER\n',
    );
    expect(table.badLines).toBe(0);
    expect(table.find('lp')).toEqual({ canonicalName: 'printer.example.com', addresses: [ip('10.0.0.7')] });
    expect(table.find('Printer')?.addresses.map(String)).toEqual(['10.0.0.7', '10.0.0.8']);
    expect(table.find('six')?.addresses.map(String)).toEqual(['::1']);
    expect(table.find('other')).toBeNull();
    expect(table.namesOf(ip('10.0.0.7'))).toEqual(['printer.example.com', 'printer', 'LP']);
    expect(table.namesOf(ip('10.0.0.9'))).toEqual([]);
  });

  test('one name has addresses of both families', () => {
    const entry = HostTable.parse('10.0.0.1 both\n2001:db8::1 both\n10.0.0.1 both').find('both');
    expect(addressesIn(entry?.addresses ?? [], 0).map(String)).toEqual(['10.0.0.1', '2001:db8::1']);
    expect(addressesIn(entry?.addresses ?? [], 6).map(String)).toEqual(['2001:db8::1']);
  });

  test.each([
    '10.0.0',
    '10.0.0.1',
    'name',
    '999.1.1.1 x',
    '10.0.0.1 a..b',
    '10.0.0.1 \u0007',
    `10.0.0.1 ${'x'.repeat(300)}`,
  ])('a line that can not be read is counted and skipped: %j', (line) => {
    const table = HostTable.parse(`10.0.0.1 before\n${line}\n10.0.0.2 after`);
    expect(table.badLines).toBe(1);
    expect(table.find('before')).not.toBeNull();
    expect(table.find('after')).not.toBeNull();
    expect(table.size).toBe(2);
  });

  test('names that every object has are names like others', () => {
    expect(HostTable.parse('10.0.0.1 constructor').find('constructor')?.addresses).toHaveLength(1);
    expect(HostTable.empty.find('constructor')).toBeNull();
    expect(HostTable.parse('10.0.0.1 __proto__').find('__proto__')?.addresses).toHaveLength(1);
  });
});

describe('the file on disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wsk-hosts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is read again when it has changed, and looked at no more than once a second', () => {
    const time = new VirtualTime();
    const path = join(folder, 'hosts');
    const hosts = new HostsFile(path, time);
    expect(hosts.table.size).toBe(0);
    writeFileSync(path, '10.0.0.1 one\n');
    expect(hosts.table.size).toBe(0);
    time.skipTo(1000);
    const table = hosts.table;
    expect(table.find('one')).not.toBeNull();
    time.skipTo(2000);
    expect(hosts.table).toBe(table);
    writeFileSync(path, '10.0.0.2 two\n');
    utimesSync(path, 1, 1);
    time.skipTo(3000);
    expect(hosts.table.find('one')).toBeNull();
    expect(hosts.table.find('two')).not.toBeNull();
    rmSync(path);
    time.skipTo(4000);
    expect(hosts.table.size).toBe(0);
  });

  test('a folder in its place is an empty file', () => {
    const hosts = new HostsFile(folder, new VirtualTime());
    expect(hosts.table.size).toBe(0);
  });
});
