/**
 * ICMP and UDP with the kernel: echoes of every size, whole and in fragments, and errors in both directions. tshark judges
 * what we sent.
 */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Judge } from '../support/judge.ts';
import { DEVICE, LiveHost, MODES_OF_BOTH, pingPayload } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';

/** What differs between the families. */
const OF_FAMILY = {
  4: {
    /** A packet of 1,500 bytes, and the largest datagram there is. */
    full: 1472,
    largest: 65_507,
    /** Behind the kernel, which answers for it: no way there. */
    nowhere: '10.66.0.1',
    unreachable: { type: 3, code: 1 },
    /** Behind the kernel too, one hop further. */
    beyond: '10.77.0.1',
    expired: { type: 11, code: 0 },
    settings: ['net.ipv4.ip_forward=1', 'net.ipv4.icmp_ratemask=0'],
  },
  6: {
    full: 1452,
    largest: 65_527,
    nowhere: 'fd66::1',
    unreachable: { type: 1 },
    beyond: 'fd77::1',
    expired: { type: 3, code: 0 },
    settings: ['net.ipv6.conf.all.forwarding=1', 'net.ipv6.icmp.ratelimit=0'],
  },
};
/** The most that the kernel's `ping` sends in either family. */
const MOST_PINGED = 65_507;

/** `ping` sends `count` requests at one go, ends with the last answer, and waits for it two seconds at least. */
const AT_ONCE = (count: number): string[] => ['-c', String(count), '-l', String(count), '-i', '2', '-W', '5'];

/** The bytes of a question. */
const question = (size: number, i: number): Uint8Array => pingPayload(size).fill(i, 0, 1);

// A busy machine is slow; what hangs is told by its own words sooner.
jest.setTimeout(60_000);

describePrivileged('datagrams with the kernel', () => {
  describe.each(MODES_OF_BOTH)('$title', ({ mtu, offload, family, kernel, ours }) => {
    const { full, largest, nowhere, unreachable, beyond, expired, settings } = OF_FAMILY[family];
    // Nothing, what `ping` sends, a full packet, one byte more, several fragments.
    const pingSizes = [0, 56, full, full + 1, 8000];
    const udpSizes = [1, full, full + 1, 9000, largest];

    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family });
      host.space.exec('sysctl', '-qw', ...settings);
      host.space.exec('ip', 'route', 'add', 'unreachable', nowhere);
      host.space.exec('ip', 'route', 'add', beyond, 'dev', family === 4 ? 'lo' : DEVICE);
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test.each([...pingSizes, MOST_PINGED])(
      "RFC 1122 §3.2.2.6, RFC 4443 §4.2 the kernel's echo requests of %i bytes are answered",
      async (size) => {
        const { stdout } = await host.space.run(['ping', ...AT_ONCE(3), '-s', String(size), ours], 30_000);
        expect(stdout).toContain('3 packets transmitted, 3 received, 0% packet loss');
        expect(stdout).not.toContain('wrong data byte');
      },
    );

    test.each([...pingSizes, largest])(
      'our echo request of %i bytes is answered by the kernel',
      async (size) => {
        const reply = await host.ping(kernel, size);
        expect(reply).toMatchObject({ type: 0, code: 0, ttl: 64, payload: pingPayload(size) });
        expect(reply.source.toString()).toBe(kernel);
      },
    );

    test('of a hundred echo requests at once none is lost', async () => {
      const { stdout } = await host.space.run(['ping', ...AT_ONCE(100), ours]);
      expect(stdout).toContain('100 packets transmitted, 100 received, 0% packet loss');
    });

    if (family === 4) {
      test.each([
        ['record route', ['-R']],
        ['timestamp', ['-T', 'tsonly']],
      ])('RFC 1122 §3.2.1.8 an echo request with the IP option %s is answered', async (_option, args) => {
        const { stdout } = await host.space.run(['ping', ...AT_ONCE(2), ...args, ours]);
        expect(stdout).toContain('2 packets transmitted, 2 received, 0% packet loss');
      });
    }

    test.each(udpSizes)('datagrams of %i bytes that the kernel sends come back unchanged', async (size) => {
      const socket = host.udp(7000);
      const peer = host.kernel('udp-ask', ours, 7000, size, 20);
      for (let i = 0; i < 20; i++) {
        const { bytes, source, sourcePort } = await socket.receive();
        socket.send(bytes, source, sourcePort);
      }
      expect(await peer.result()).toEqual({ same: 20, of: 20 });
      socket.close();
    });

    test.each(udpSizes)('datagrams of %i bytes that we send come back unchanged', async (size) => {
      const peer = await host.kernelServer('udp-echo', 7001, 20);
      const socket = host.udp();
      for (let i = 0; i < 20; i++) {
        socket.send(question(size, i), kernel, 7001);
        const answer = await socket.receive();
        expect(Buffer.compare(answer.bytes, question(size, i))).toBe(0);
        expect([answer.source.toString(), answer.sourcePort]).toEqual([kernel, 7001]);
      }
      expect(await peer.result()).toEqual({ echoed: 20 });
      socket.close();
    });

    test("RFC 1122 §4.1.3.1, RFC 4443 §3.1 a port of ours where nobody listens refuses the kernel's socket", async () => {
      expect(await host.kernel('udp-refused', ours, 7999).result()).toEqual({ error: 'ECONNREFUSED' });
    });

    test("SEM-IO-12 a port of the kernel's where nobody listens fails our next receive, once", async () => {
      const socket = host.udp();
      socket.send(question(30, 1), kernel, 7998);
      await expect(socket.receive()).rejects.toMatchObject({ reason: 'connectionReset' });
      const peer = await host.kernelServer('udp-echo', 7997, 1);
      socket.send(question(30, 2), kernel, 7997);
      expect((await socket.receive()).bytes).toEqual(question(30, 2));
      await peer.result();
      socket.close();
    });

    test('RFC 792, RFC 4443 §3.1 a destination that the kernel calls unreachable is told to who pings it', async () => {
      const reply = await host.ping(nowhere, 56);
      expect(reply).toMatchObject(unreachable);
      expect(reply.source.toString()).toBe(kernel);
    });

    test('RFC 792, RFC 4443 §3.3 a packet whose TTL ends at the kernel is told to who pings beyond it', async () => {
      expect(await host.ping(beyond, 56, 1)).toMatchObject(expired);
    });

    test('nothing was dropped on the way, and nothing is held any more', () => {
      expect(host.link.dropped).toBe(0);
      expect([...host.stack.endpoints()].length).toBe(0);
      expect(host.allocator.inUse).toBe(0);
    });

    test('tshark has nothing against any packet that we sent', async () => {
      await judge.stop();
      expect(await judge.countFrom(ours)).toBeGreaterThan(300);
      expect(await judge.complaints(ours, { hasChecksums: !offload })).toEqual([]);
    }, 60_000);
  });
});
