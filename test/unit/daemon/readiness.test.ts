/** When the daemon may say that it is ready: real stacks in virtual time. */

import { expect, test } from '@jest/globals';
import { parseMac } from '../../../src/base/index.ts';
import { Readiness } from '../../../src/daemon/readiness.ts';
import type { DhcpOptions } from '../../../src/stack/index.ts';
import { OFFERED } from '../../support/dhcp-server.ts';
import { makeClient } from '../stack/dhcp/support.ts';
import { type HostUnderTest, makeHost } from '../stack/support.ts';

const LAN = {
  medium: 'ethernet',
  mac: parseMac('02:00:00:00:00:02') as Uint8Array,
  detectDuplicates: true,
} as const;

/** What waits on a host, and how it goes. */
function waiting(
  host: HostUnderTest,
  settings: { dhcp?: boolean; autoconf?: boolean } = {},
  boundMs = 15_000,
): { told: string[]; ended: () => readonly string[] | null; pass(ms: number): Promise<void> } {
  const tasks: { at: number; task: () => void }[] = [];
  const scheduler = {
    now: () => host.now,
    after: (ms: number, task: () => void) => {
      const entry = { at: host.now + ms, task };
      tasks.push(entry);
      return () => void tasks.splice(tasks.indexOf(entry) >>> 0, 1);
    },
  };
  const links = [{ index: host.index, settings: { dhcp: false, autoconf: false, ...settings } }];
  const readiness = new Readiness(host.stack, scheduler, links);
  const told: string[] = [];
  let ended: readonly string[] | null = null;
  void readiness
    .wait(boundMs, (missing) => void told.push(missing.join('; ')))
    .then((missing) => {
      ended = missing;
    });
  return {
    told,
    ended: () => ended,
    pass: async (ms) => {
      const end = host.now + ms;
      while (host.now < end) {
        host.pass(50);
        host.outBytes();
        readiness.changed();
        for (const { at, task } of [...tasks]) if (at <= host.now) task();
      }
      await Promise.resolve();
    },
  };
}

test('where addresses are used at once there is nothing to wait for', async () => {
  const { told, ended, pass } = waiting(makeHost());
  await pass(0);
  expect([ended(), told]).toEqual([[], []]);
});

test('RFC 5227 on an Ethernet others are asked first: that is the reason, and after it all can be used', async () => {
  const host = makeHost({ ...LAN, addresses: ['10.0.0.2/24', 'fd00::2/64'] });
  const { told, ended, pass } = waiting(host);
  await pass(0);
  expect([ended(), told]).toEqual([
    null,
    ['test: asking whether somebody else has 10.0.0.2; test: asking whether somebody else has fd00::2'],
  ]);
  await pass(7100);
  expect(ended()).toEqual([]);
  expect(told).toHaveLength(2);
  expect(told[1]).toBe('test: asking whether somebody else has 10.0.0.2');
  expect(host.stack.interfaces.find(({ index }) => index === host.index)?.addresses).toMatchObject([
    { state: 'preferred' },
    { state: 'preferred' },
  ]);
});

test('the wait has a bound, and says then what is missing', async () => {
  const host = makeHost({ ...LAN, addresses: ['10.0.0.2/24'] });
  const { ended, pass } = waiting(host, {}, 100);
  await pass(100);
  expect(ended()).toEqual(['test: asking whether somebody else has 10.0.0.2']);
  // Nobody is told any more.
  await pass(8000);
  expect(ended()).toHaveLength(1);
});

test('an address that somebody else has is not waited for', async () => {
  const host = makeHost({ ...LAN, addresses: ['10.0.0.2/24'] });
  const { ended, pass } = waiting(host);
  host.stack.removeAddress(host.index, host.stack.interfaces[1]?.addresses[0]?.address as never);
  await pass(50);
  expect(ended()).toEqual([]);
});

test('with DHCP it is the server that is waited for, then the link', async () => {
  const client = makeClient({} satisfies DhcpOptions, LAN);
  const request = client.request();
  const { told, ended, pass } = waiting(client, { dhcp: true });
  await pass(0);
  client.answer(request);
  client.answer(client.request());
  await pass(50);
  expect([ended(), told]).toEqual([
    null,
    [
      'test: no DHCP server has granted an address yet',
      'test: asking whether somebody else has what a DHCP server granted',
    ],
  ]);
  await pass(8000);
  expect([ended(), client.addresses]).toEqual([[], [`${OFFERED}/24`]]);
});

test('RFC 3927 a link-local address will do where no server answers', async () => {
  const client = makeClient({}, LAN);
  const { ended, pass } = waiting(client, { dhcp: true }, 60_000);
  await pass(30_000);
  expect(ended()).toEqual([]);
  expect(client.addresses[0]).toMatch(/^169\.254\./);
});

test('RFC 4862 a host that has no other address waits for a router’s', async () => {
  const host = makeHost({ ...LAN, addresses: [] });
  host.stack.startAutoconf(host.index, { temporaryAddresses: false });
  const { told, ended, pass } = waiting(host, { autoconf: true });
  await pass(14_000);
  expect(ended()).toBeNull();
  expect(told).toEqual([
    expect.stringMatching(/^test: asking whether somebody else has fe80::/),
    'test: no router has advertised a prefix yet',
  ]);
  await pass(1100);
  expect(ended()).toEqual(['test: no router has advertised a prefix yet']);
  const other = makeHost({ ...LAN, addresses: ['10.0.0.2/24'], detectDuplicates: false });
  other.stack.startAutoconf(other.index);
  const wait = waiting(other, { autoconf: true });
  await wait.pass(3000);
  expect(wait.ended()).toEqual([]);
});
