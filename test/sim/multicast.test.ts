/** Hosts in groups on one wire, and a router that asks: what passes, and who hears what. */

import { describe, expect, test } from '@jest/globals';
import { flattenFrame, transmitLength } from '../../src/base/index.ts';
import { createNetwork, type Network, type SimDatagramSocket, type SimHost } from '../../src/sim/index.ts';
import type { RawEndpoint } from '../../src/stack/index.ts';
import { IgmpType, IPPROTO_IGMP } from '../../src/wire/index.ts';
import { igmpQuery, type QueryFields, readReport } from '../support/igmp.ts';
import { ip } from '../unit/stack/support.ts';

const G = '239.1.1.1';
const H = '239.2.2.2';
const PORT = 5000;

interface Report {
  readonly at: number;
  readonly from: string;
  readonly line: string;
}

/** A wire with a router at 10.0.0.1 and hosts at 10.0.0.11 and on; what is reported is noted. */
class Lan {
  readonly network: Network;
  readonly hosts: SimHost[];
  readonly reports: Report[] = [];
  readonly #querier: RawEndpoint;

  constructor(seed: number, count: number) {
    this.network = createNetwork({ seed });
    const wire = this.network.segment();
    wire.tap = (batch, index) => {
      const packet = new Uint8Array(transmitLength(batch, index));
      flattenFrame(batch, index, packet, 0);
      this.#note(packet);
    };
    const router = this.network.host({ name: 'router', segment: wire, addresses: ['10.0.0.1/24'] });
    this.#querier = router.stack.openRaw(IPPROTO_IGMP);
    this.#querier.headerIncluded = true;
    this.hosts = Array.from({ length: count }, (_, i) =>
      this.network.host({ name: `host${i}`, segment: wire, addresses: [`10.0.0.${11 + i}/24`] }),
    );
  }

  /** Sends a query; what was reported before is forgotten. */
  ask(fields: QueryFields = {}): void {
    this.reports.length = 0;
    const query = igmpQuery(fields);
    this.#querier.send(query, 0, query.length, ip(fields.group ?? '224.0.0.1'), 0);
  }

  async pass(ms: number): Promise<void> {
    await this.network.run(this.network.now + ms);
  }

  /** A socket of a host that is a member of a group. */
  member(host: SimHost, group: string, source?: string): SimDatagramSocket {
    const socket = host.udp.open(PORT);
    expect(socket.endpoint.joinGroup(ip(group), {}, source === undefined ? undefined : ip(source))).toBe(0);
    return socket;
  }

  #note(packet: Uint8Array): void {
    const payloadAt = ((packet[0] as number) & 15) * 4;
    if (packet[9] !== IPPROTO_IGMP || packet[payloadAt] === IgmpType.query) return;
    const from = packet.subarray(12, 16).join('.');
    for (const line of readReport(packet)) this.reports.push({ at: this.network.now, from, line });
  }
}

describe('hosts in groups on one wire', () => {
  test('RFC 3376 §5.2: every member answers a general query within its time, and not all at once', async () => {
    const lan = new Lan(1, 12);
    for (const host of lan.hosts) lan.member(host, G);
    await lan.pass(10_000);
    const asked = lan.network.now;
    lan.ask({ maxResponse: 50 });
    await lan.pass(60_000);
    expect(lan.reports.map(({ line }) => line)).toEqual(Array.from({ length: 12 }, () => `IS_EX ${G} {}`));
    expect(new Set(lan.reports.map(({ from }) => from)).size).toBe(12);
    expect(Math.max(...lan.reports.map(({ at }) => at)) - asked).toBeLessThanOrEqual(5001);
    expect(new Set(lan.reports.map(({ at }) => Math.floor(at / 500))).size).toBeGreaterThan(4);
  });

  test('RFC 2236 §3: by version 2 one report of a group is mostly enough; who was heard last says that it leaves', async () => {
    const lan = new Lan(2, 20);
    lan.ask({ version: 2, maxResponse: 1 });
    await lan.pass(1000);
    const members = lan.hosts.map((host) => lan.member(host, G));
    await lan.pass(30_000);
    lan.ask({ version: 2, maxResponse: 100 });
    await lan.pass(20_000);
    expect(lan.reports.length).toBeGreaterThan(0);
    expect(lan.reports.length).toBeLessThan(5);
    const last = lan.reports.at(-1)?.from;
    lan.reports.length = 0;
    for (const [i, member] of members.entries()) if (`10.0.0.${11 + i}` !== last) member.close();
    await lan.pass(5000);
    expect(lan.reports).toEqual([]);
    for (const member of members) member.close();
    await lan.pass(5000);
    expect(lan.reports).toMatchObject([{ from: last, line: `leave ${G}` }]);
  });

  test('RFC 2236 §3: the router’s question after a leave is answered by who is still there', async () => {
    const lan = new Lan(3, 3);
    lan.ask({ version: 2, maxResponse: 1 });
    await lan.pass(1000);
    const members = lan.hosts.map((host) => lan.member(host, G));
    await lan.pass(30_000);
    members[0]?.close();
    lan.ask({ version: 2, group: G, maxResponse: 10 });
    await lan.pass(5000);
    expect(lan.reports.length).toBeGreaterThan(0);
    expect(lan.reports.map(({ from }) => from)).not.toContain('10.0.0.11');
  });

  test('RFC 1112 §7: a datagram to a group reaches every member, the sender’s own too, and nobody else', async () => {
    const lan = new Lan(4, 6);
    const [sender, ...others] = lan.hosts as [SimHost, ...SimHost[]];
    const members = [sender, ...others.slice(0, 3)].map((host) => lan.member(host, G));
    const strangers = others.slice(3).map((host) => lan.member(host, H));
    const from = sender.udp.open();
    for (let i = 0; i < 50; i++) {
      from.send(Uint8Array.of(i), G, PORT);
      await lan.pass(1);
    }
    for (const member of members) {
      const heard: number[] = [];
      while (member.endpoint.nextLength >= 0) heard.push((await member.receive()).bytes[0] as number);
      expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => i));
    }
    expect(strangers.map(({ endpoint }) => endpoint.nextLength)).toEqual([-1, -1]);
  });

  test('RFC 4607: members for one source hear that channel only', async () => {
    const lan = new Lan(5, 4);
    const [first, second, third, fourth] = lan.hosts as [SimHost, SimHost, SimHost, SimHost];
    const ssm = '232.1.1.1';
    const hearsFirst = lan.member(third, ssm, '10.0.0.11');
    const hearsSecond = lan.member(fourth, ssm, '10.0.0.12');
    for (const [i, host] of [first, second].entries()) host.udp.open().send(Uint8Array.of(i + 1), ssm, PORT);
    await lan.pass(10);
    expect([(await hearsFirst.receive()).bytes[0], hearsFirst.endpoint.nextLength]).toEqual([1, -1]);
    expect([(await hearsSecond.receive()).bytes[0], hearsSecond.endpoint.nextLength]).toEqual([2, -1]);
  });
});
