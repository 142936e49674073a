/** netsh interface show joins: what is asked of the daemon, and what is shown. */

import { afterEach, describe, expect, test } from '@jest/globals';
import type { GroupStatus } from '../../../src/port/index.ts';
import { FakeDaemon } from './harness.ts';

const join = (fields: Partial<GroupStatus>): GroupStatus => ({
  interfaceIndex: 2,
  interface: 'tap0',
  group: '239.1.1.1',
  scope: 0,
  mode: 'exclude',
  sources: [],
  members: 1,
  isReporter: true,
  protocol: 'IGMPv3',
  ...fields,
});

const JOINS = [
  join({}),
  join({ group: '232.1.1.1', mode: 'include', sources: ['10.0.0.1', '10.0.0.2'], members: 2 }),
  join({ group: 'ff02::1:ff00:2', scope: 2, protocol: 'MLDv2' }),
  join({ interfaceIndex: 3, interface: 'tap1', sources: ['10.0.0.9'], isReporter: false }),
];

let daemon: FakeDaemon | undefined;

async function cli(args: string): Promise<string> {
  daemon = await FakeDaemon.start({ 'GET /v1/groups': () => JOINS });
  const { code, out } = await daemon.cli(args);
  expect(code).toBe(0);
  return out;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

describe('winsockd netsh interface show joins', () => {
  test('lists the groups of a family by interface, with their filters', async () => {
    const out = await cli('netsh interface ipv4 show joins');
    const lines = out.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(lines).toContainEqual(['Interface 2: tap0']);
    expect(lines).toContainEqual(['0', '1', 'Yes', '239.1.1.1', 'all']);
    expect(lines).toContainEqual(['0', '2', 'Yes', '232.1.1.1', '10.0.0.1, 10.0.0.2']);
    expect(lines).toContainEqual(['Interface 3: tap1']);
    expect(lines).toContainEqual(['0', '1', 'No', '239.1.1.1', 'all but 10.0.0.9']);
    expect(out).not.toContain('ff02');
  });

  test('of IPv6 with the scope, of one interface by its index or name', async () => {
    expect(JSON.parse(await cli('netsh int ipv6 show joins --json'))).toEqual([JOINS[2]]);
    await daemon?.stop();
    expect(JSON.parse(await cli('netsh int ipv4 show joins tap1 --json'))).toEqual([JOINS[3]]);
    await daemon?.stop();
    expect(JSON.parse(await cli('netsh int ipv4 show joins 3 --json'))).toEqual([JOINS[3]]);
  });
});
