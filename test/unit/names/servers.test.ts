import { describe, expect, test } from '@jest/globals';
import { mergeSettings, type NameInterface, ServerList } from '../../../src/names/servers.ts';
import { ip } from './scripted-network.ts';

const none = { servers: [], searchList: [] };
const iface = (index: number, metric: number, names: NameInterface['names'], isUp = true): NameInterface => ({
  index,
  metric,
  isUp,
  names,
});
const source = (
  origin: NameInterface['names'][number]['origin'],
  servers: readonly string[],
  ...searchList: string[]
): NameInterface['names'][number] => ({ origin, servers: servers.map(ip), searchList });

describe('what the interfaces say about names', () => {
  test('the host first, then by metric, then by index; each server and domain once', () => {
    const merged = mergeSettings({ servers: [ip('10.0.0.1')], searchList: ['own.example'] }, [
      iface(2, 10, [source('dhcp', ['10.0.0.2', '10.0.0.1'], 'b.example.', 'Own.Example')]),
      iface(3, 5, [source('dhcp', ['10.0.0.3'], 'a.example')]),
      iface(1, 10, [source('router', ['fe80::1%1'], '')]),
    ]);
    expect(merged.servers.map(String)).toEqual(['10.0.0.1', '10.0.0.3', 'fe80::1%1', '10.0.0.2']);
    expect(merged.searchList).toEqual(['own.example', 'a.example', 'b.example']);
  });

  test('servers set by hand stand in for the others of their interface; suffixes add up', () => {
    const merged = mergeSettings(none, [
      iface(1, 1, [
        source('router', ['fe80::1'], 'r.example'),
        source('dhcp', ['10.0.0.2'], 'd.example'),
        source('manual', ['10.0.0.9']),
      ]),
    ]);
    expect(merged.servers.map(String)).toEqual(['10.0.0.9']);
    expect(merged.searchList).toEqual(['d.example', 'r.example']);
  });

  test('an interface that is down, and 0.0.0.0, say nothing', () => {
    expect(
      mergeSettings(none, [
        iface(1, 1, [source('dhcp', ['10.0.0.2'])], false),
        iface(2, 1, [source('dhcp', ['0.0.0.0', '::'])]),
      ]).servers,
    ).toEqual([]);
  });

  test('no more than 16 servers and 32 suffixes, whatever a network says', () => {
    const servers = Array.from({ length: 100 }, (_, i) => `10.0.0.${i + 1}`);
    const merged = mergeSettings(none, [
      iface(1, 1, [source('dhcp', servers, ...servers.map((_, i) => `d${i}.example`))]),
    ]);
    expect([merged.servers.length, merged.searchList.length]).toEqual([16, 32]);
  });

  test('what is known of a server stays while it is in the list', () => {
    const list = new ServerList();
    expect(list.set([ip('10.0.0.1'), ip('10.0.0.2')])).toBe(true);
    const [first] = list.all;
    expect(list.set([ip('10.0.0.1'), ip('10.0.0.2')])).toBe(false);
    expect(list.set([ip('10.0.0.3'), ip('10.0.0.1')])).toBe(true);
    expect(list.all[1]).toBe(first);
  });
});
