import { afterEach, describe, expect, test } from '@jest/globals';
import type { NeighborStatus } from '../../../src/port/index.ts';
import { FakeDaemon, type Route } from './harness.ts';

const NEIGHBORS: NeighborStatus[] = [
  {
    interface: 'tap0',
    interfaceIndex: 2,
    address: '10.77.0.1',
    mac: '02:00:0a:4d:00:01',
    state: 'reachable',
    ageSeconds: 3.2,
    isStatic: false,
    isRouter: false,
  },
  {
    interface: 'tap0',
    interfaceIndex: 2,
    address: '10.77.0.9',
    mac: null,
    state: 'incomplete',
    ageSeconds: null,
    isStatic: false,
    isRouter: false,
  },
  {
    interface: 'tap1',
    interfaceIndex: 3,
    address: '192.0.2.1',
    mac: '02:00:00:00:00:07',
    state: 'reachable',
    ageSeconds: null,
    isStatic: true,
    isRouter: false,
  },
];

let daemon: FakeDaemon | undefined;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

describe('winsockd arp', () => {
  test.each(['arp -a', 'arp', 'arp /a', 'arp -g'])('%s lists the neighbours by interface', async (line) => {
    const { out, code } = await (await fake({ 'GET /v1/neighbors': NEIGHBORS })).cli(line);
    expect(out.split('\n')).toEqual([
      'Interface: tap0 --- 0x2',
      'Internet Address  Physical Address   Type     State       Age',
      '10.77.0.1         02-00-0a-4d-00-01  dynamic  reachable   3 s',
      '10.77.0.9                            dynamic  incomplete',
      '',
      'Interface: tap1 --- 0x3',
      'Internet Address  Physical Address   Type    State      Age',
      '192.0.2.1         02-00-00-00-00-07  static  reachable',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('one address, or one interface; an address that is not known is no', async () => {
    const asked = await fake({ 'GET /v1/neighbors': NEIGHBORS });
    expect(await asked.json('arp -a 10.77.0.9')).toEqual([NEIGHBORS[1]]);
    expect(await asked.json('arp -i 3')).toEqual([NEIGHBORS[2]]);
    expect(await asked.cli('arp -a 10.77.0.8')).toMatchObject({ code: 1, out: 'No ARP Entries Found.\n' });
  });

  test('--json is the API’s answer', async () => {
    expect(await (await fake({ 'GET /v1/neighbors': NEIGHBORS })).json('arp -a')).toEqual(NEIGHBORS);
  });

  test('-s sets a neighbour, -d deletes it', async () => {
    const asked = await fake({
      'PUT /v1/neighbors/10.77.0.9': {},
      'DELETE /v1/neighbors/10.77.0.9': { removed: 1 },
      'DELETE /v1/neighbors/*': { removed: 2 },
    });
    expect(await asked.cli('arp -s 10.77.0.9 02-00-00-00-00-09')).toMatchObject({ code: 0, out: '' });
    expect(await asked.cli('arp -d 10.77.0.9 -i 2')).toMatchObject({ code: 0, out: '' });
    expect(await asked.json('arp -d *')).toEqual({ removed: 2 });
    expect(asked.asked).toEqual([
      { method: 'PUT', url: '/v1/neighbors/10.77.0.9', body: { mac: '02-00-00-00-00-09' } },
      { method: 'DELETE', url: '/v1/neighbors/10.77.0.9?interface=2', body: undefined },
      { method: 'DELETE', url: '/v1/neighbors/*', body: undefined },
    ]);
  });

  test.each(['arp -s 10.77.0.9', 'arp -d'])('%s is a usage error', async (line) => {
    expect((await (await fake({})).cli(line)).code).toBe(2);
  });
});
