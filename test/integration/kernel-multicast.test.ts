/**
 * Multicast with the kernel: its bridge is the querier and learns our groups from our reports, without which it sends us nothing;
 * its sockets send and receive. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { SimDatagramSocket } from '../../src/sim/index.ts';
import {
  BRIDGE,
  BridgedHost,
  KERNEL6,
  type MdbEntry,
  OURS6,
  OURS6_LINK_LOCAL,
  PORT_DEVICE,
} from '../support/bridged-host.ts';
import { complaintsAbout, Judge } from '../support/judge.ts';
import { KERNEL, OURS } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { ip } from '../unit/stack/support.ts';

jest.setTimeout(60_000);

const SOMEBODY = '10.9.0.77';

/** Asks the bridge until it knows what it is to know. @returns what it knew last */
async function learned(
  host: BridgedHost,
  group: string,
  isRight: (entry: MdbEntry | null) => boolean,
  limitMs = 20_000,
  port = PORT_DEVICE,
): Promise<MdbEntry | null> {
  const end = performance.now() + limitMs;
  for (;;) {
    const entry = await host.mdb(group, port);
    if (isRight(entry) || performance.now() > end) return entry;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isThere = (entry: MdbEntry | null): boolean => entry !== null;
const isGone = (entry: MdbEntry | null): boolean => entry === null;

async function texts(socket: SimDatagramSocket, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(Buffer.from((await socket.receive()).bytes).toString());
  return all;
}

describePrivileged('multicast with the kernel', () => {
  describe('IGMPv3', () => {
    let host: BridgedHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new BridgedHost();
      await host.ready();
      judge = await Judge.start(host.space, PORT_DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('RFC 3376 §5.1 the bridge learns a group that is joined, and forgets one that is left', async () => {
      const group = '239.5.0.1';
      const socket = host.udp();
      expect(socket.endpoint.joinGroup(ip(group))).toBe(0);
      expect(await learned(host, group, isThere)).toEqual({ group, filterMode: 'exclude', sources: [] });
      socket.close();
      expect(await learned(host, group, isGone)).toBeNull();
    });

    test('RFC 3376 §5.2 its queries are answered: it goes on knowing past the time for which it remembers', async () => {
      const group = '239.5.0.2';
      const socket = host.udp();
      socket.endpoint.joinGroup(ip(group));
      await learned(host, group, isThere);
      // Longer than mcast_membership_interval.
      expect(await learned(host, group, isGone, 5000)).not.toBeNull();
      socket.close();
    });

    test('RFC 3376 §4.2.12 it learns sources as they are allowed and blocked', async () => {
      const group = '232.5.0.3';
      const { endpoint } = host.udp();
      endpoint.joinGroup(ip(group), {}, ip(KERNEL));
      expect(await learned(host, group, isThere)).toMatchObject({ filterMode: 'include', sources: [KERNEL] });
      endpoint.joinGroup(ip(group), {}, ip(SOMEBODY));
      const both = await learned(host, group, (entry) => entry?.sources.length === 2);
      expect(both).toMatchObject({ filterMode: 'include', sources: [KERNEL, SOMEBODY].sort() });
      endpoint.leaveGroup(ip(group), {}, ip(KERNEL));
      const one = await learned(host, group, (entry) => entry?.sources.length === 1);
      expect(one).toMatchObject({ sources: [SOMEBODY] });
      endpoint.close();
    });

    test('datagrams of the kernel to a group reach its members here, those to others nobody', async () => {
      const group = '239.5.0.4';
      const socket = host.udp(6004);
      socket.endpoint.joinGroup(ip(group));
      await learned(host, group, isThere);
      await host.peer('say', '239.5.0.5', 6004, 'not for us').result();
      await host.peer('say', group, 6004, 'one', 'two').result();
      expect(await texts(socket, 2)).toEqual(['one', 'two']);
      socket.close();
    });

    test('our datagrams to a group reach the members of the kernel', async () => {
      const group = '239.5.0.6';
      const peer = await host.peer('listen', group, 6006, 2).said('READY');
      // The bridge learns of the kernel's own sockets from their reports, too.
      expect(await learned(host, group, isThere, 20_000, BRIDGE)).not.toBeNull();
      const socket = host.udp();
      for (const text of ['three', 'four']) socket.send(Buffer.from(text), group, 6006);
      expect(await peer.result()).toEqual({ received: ['three', 'four'] });
      socket.close();
    });

    test('a member for one source hears that one: ours the kernel', async () => {
      const group = '232.5.0.7';
      const [wanted, other] = [host.udp(6007), host.udp(6008)];
      wanted.endpoint.joinGroup(ip(group), {}, ip(KERNEL));
      other.endpoint.joinGroup(ip(group), {}, ip(SOMEBODY));
      await learned(host, group, (entry) => entry?.sources.length === 2);
      for (const port of [6007, 6008]) await host.peer('say', group, port, 'from the kernel').result();
      expect(await texts(wanted, 1)).toEqual(['from the kernel']);
      expect(other.endpoint.nextLength).toBe(-1);
      for (const socket of [wanted, other]) socket.close();
    });

    test("a member for one source hears that one: the kernel's us", async () => {
      const group = '232.5.0.9';
      const wanted = await host.peer('listen', group, 6009, 1, OURS).said('READY');
      const other = await host.peer('listen', group, 6010, 1, SOMEBODY, '--wait', 2).said('READY');
      await learned(host, group, isThere, 20_000, BRIDGE);
      const socket = host.udp();
      for (const port of [6009, 6010]) socket.send(Buffer.from('from us'), group, port);
      expect(await wanted.result()).toEqual({ received: ['from us'] });
      expect(await other.result()).toEqual({ received: [] });
      socket.close();
    });

    test('tshark has nothing against our reports: each with a router alert and a TTL of 1', async () => {
      await judge.stop();
      const ours = `igmp && ip.src == ${OURS}`;
      expect(await judge.count(ours)).toBeGreaterThan(10);
      expect(await judge.count(`igmp.type == 0x11`)).toBeGreaterThan(3);
      expect(
        await judge.complaints(OURS, { hasChecksums: false, alsoWrong: ['igmp.checksum.status == "Bad"'] }),
      ).toEqual([]);
      expect(
        await judge.count(`${ours} && !(ip.ttl == 1 && ip.opt.type == 148 && ip.dst == 224.0.0.22)`),
      ).toBe(0);
    });
  });

  describe('IGMPv2', () => {
    let host: BridgedHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new BridgedHost({ igmp: 2, mld: 1 });
      await host.ready();
      judge = await Judge.start(host.space, PORT_DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('RFC 3376 §7.2 after its query we speak version 2; the bridge learns and forgets by it', async () => {
      const group = '239.6.0.1';
      const socket = host.udp(6101);
      socket.endpoint.joinGroup(ip(group));
      await learned(host, group, () => host.stack.groups.some(({ version }) => version === 2));
      expect(await learned(host, group, isThere)).toMatchObject({ group });
      await host.peer('say', group, 6101, 'heard').result();
      expect(await texts(socket, 1)).toEqual(['heard']);
      socket.close();
      expect(await learned(host, group, isGone)).toBeNull();
    });

    test('tshark saw a report to the group and a leave to all routers', async () => {
      await judge.stop();
      expect(
        await judge.count(`igmp.type == 0x16 && ip.src == ${OURS} && ip.dst == 239.6.0.1`),
      ).toBeGreaterThan(0);
      expect(await judge.count(`igmp.type == 0x17 && ip.src == ${OURS} && ip.dst == 224.0.0.2`)).toBe(1);
      expect(
        await judge.complaints(OURS, { hasChecksums: false, alsoWrong: ['igmp.checksum.status == "Bad"'] }),
      ).toEqual([]);
    });
  });

  describe('MLDv2', () => {
    let host: BridgedHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new BridgedHost();
      await host.ready();
      judge = await Judge.start(host.space, PORT_DEVICE, undefined, 'ip or ip6');
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('RFC 3810 §6.1 the bridge learns a group that is joined, and forgets one that is left', async () => {
      const group = 'ff15::5:1';
      const { endpoint } = host.udp(0, '::');
      expect(endpoint.joinGroup(ip(group))).toBe(0);
      expect(await learned(host, group, isThere)).toEqual({ group, filterMode: 'exclude', sources: [] });
      endpoint.close();
      expect(await learned(host, group, isGone)).toBeNull();
    });

    test('RFC 3810 §6.2 its queries are answered, also for the solicited-node groups of our addresses', async () => {
      const group = 'ff02::1:ff00:2';
      expect(await learned(host, group, isThere)).not.toBeNull();
      expect(await learned(host, group, isGone, 5000)).not.toBeNull();
    });

    test('datagrams of the kernel reach a member for its source, and not one for another', async () => {
      const group = 'ff35::5:2';
      const [wanted, other] = [host.udp(6201, '::'), host.udp(6202, '::')];
      wanted.endpoint.joinGroup(ip(group), {}, ip(KERNEL6));
      other.endpoint.joinGroup(ip(group), {}, ip('fd09::77'));
      expect(await learned(host, group, (entry) => entry?.sources.length === 2)).toMatchObject({
        filterMode: 'include',
        sources: [KERNEL6, 'fd09::77'],
      });
      for (const port of [6201, 6202]) await host.peer('say', group, port, 'from the kernel').result();
      expect(await texts(wanted, 1)).toEqual(['from the kernel']);
      expect(other.endpoint.nextLength).toBe(-1);
      for (const socket of [wanted, other]) socket.close();
    });

    test('our datagrams reach a member of the kernel for our address, and not one for another', async () => {
      const group = 'ff35::5:3';
      const wanted = await host.peer('listen', group, 6203, 1, OURS6).said('READY');
      const other = await host.peer('listen', group, 6204, 1, 'fd09::77', '--wait', 2).said('READY');
      await learned(host, group, isThere, 20_000, BRIDGE);
      const socket = host.udp(0, '::');
      for (const port of [6203, 6204]) socket.send(Buffer.from('from us'), group, port);
      expect(await wanted.result()).toEqual({ received: ['from us'] });
      expect(await other.result()).toEqual({ received: [] });
      socket.close();
    });

    test('tshark has nothing against our reports: each with a router alert, a hop limit of 1, link-local', async () => {
      await judge.stop();
      const ours = `icmpv6.type == 143 && ipv6.src == ${OURS6_LINK_LOCAL}`;
      expect(await judge.count(ours)).toBeGreaterThan(5);
      expect(await judge.count(`icmpv6.type == 143 && !(ipv6.hlim == 1 && ipv6.opt.type == 5)`)).toBe(0);
      expect(
        await complaintsAbout(host.space, judge.file, `ipv6.src == ${OURS6_LINK_LOCAL} || ipv6.src == ::`, {
          hasChecksums: false,
          alsoWrong: ['icmpv6.checksum.status == "Bad"'],
        }),
      ).toEqual([]);
    });
  });

  describe('MLDv1', () => {
    let host: BridgedHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new BridgedHost({ igmp: 2, mld: 1 });
      await host.ready();
      judge = await Judge.start(host.space, PORT_DEVICE, undefined, 'ip or ip6');
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('RFC 3810 §8.2 after its query we speak version 1; the bridge learns and forgets by it', async () => {
      const group = 'ff15::6:1';
      const socket = host.udp(6301, '::');
      socket.endpoint.joinGroup(ip(group));
      const isOld = (): boolean =>
        host.stack.groups.some(({ version, group: { family } }) => version === 2 && family === 6);
      await learned(host, group, isOld);
      expect(await learned(host, group, isThere)).toMatchObject({ group });
      await host.peer('say', group, 6301, 'heard').result();
      expect(await texts(socket, 1)).toEqual(['heard']);
      socket.close();
      expect(await learned(host, group, isGone)).toBeNull();
    });

    test('tshark saw a report to the group and a done to all routers', async () => {
      await judge.stop();
      const ours = `ipv6.src == ${OURS6_LINK_LOCAL}`;
      expect(await judge.count(`icmpv6.type == 131 && ${ours} && ipv6.dst == ff15::6:1`)).toBeGreaterThan(0);
      expect(await judge.count(`icmpv6.type == 132 && ${ours} && ipv6.dst == ff02::2`)).toBe(1);
    });
  });
});
