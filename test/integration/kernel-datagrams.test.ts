/**
 * ICMP and UDP with the kernel: echoes of every size, whole and in fragments, and errors in both directions. tshark judges
 * what we sent.
 */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Judge } from '../support/judge.ts';
import { DEVICE, KERNEL, LiveHost, MODES, OURS, pingPayload } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';

/** Nothing, what `ping` sends, a full packet of 1,500 bytes, one byte more, several fragments, the largest there is. */
const PING_SIZES = [0, 56, 1472, 1473, 8000, 65_507];
const UDP_SIZES = [1, 1472, 1473, 9000, 65_507];
/** Behind the kernel, which answers for it: no way there. */
const NOWHERE = '10.66.0.1';
/** Behind the kernel too, one hop further. */
const BEYOND = '10.77.0.1';

/** `ping` sends `count` requests at one go, ends with the last answer, and waits for it two seconds at least. */
const AT_ONCE = (count: number): string[] => ['-c', String(count), '-l', String(count), '-i', '2', '-W', '5'];

/** The bytes of a question. */
const question = (size: number, i: number): Uint8Array => pingPayload(size).fill(i, 0, 1);

// A busy machine is slow; what hangs is told by its own words sooner.
jest.setTimeout(60_000);

describePrivileged('datagrams with the kernel', () => {
  describe.each(MODES)('$mode', ({ mtu, offload }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload });
      host.space.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.icmp_ratemask=0');
      host.space.exec('ip', 'route', 'add', 'unreachable', `${NOWHERE}/32`);
      host.space.exec('ip', 'route', 'add', `${BEYOND}/32`, 'dev', 'lo');
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test.each(PING_SIZES)(
      "RFC 1122 §3.2.2.6 the kernel's echo requests of %i bytes are answered",
      async (size) => {
        const { stdout } = await host.space.run(['ping', ...AT_ONCE(3), '-s', String(size), OURS], 30_000);
        expect(stdout).toContain('3 packets transmitted, 3 received, 0% packet loss');
        expect(stdout).not.toContain('wrong data byte');
      },
    );

    test.each(PING_SIZES)('our echo request of %i bytes is answered by the kernel', async (size) => {
      const reply = await host.ping(KERNEL, size);
      expect(reply).toMatchObject({ type: 0, code: 0, ttl: 64, payload: pingPayload(size) });
      expect(reply.source.toString()).toBe(KERNEL);
    });

    test('of a hundred echo requests at once none is lost', async () => {
      const { stdout } = await host.space.run(['ping', ...AT_ONCE(100), OURS]);
      expect(stdout).toContain('100 packets transmitted, 100 received, 0% packet loss');
    });

    test.each([
      ['record route', ['-R']],
      ['timestamp', ['-T', 'tsonly']],
    ])('RFC 1122 §3.2.1.8 an echo request with the IP option %s is answered', async (_option, args) => {
      const { stdout } = await host.space.run(['ping', ...AT_ONCE(2), ...args, OURS]);
      expect(stdout).toContain('2 packets transmitted, 2 received, 0% packet loss');
    });

    test.each(UDP_SIZES)('datagrams of %i bytes that the kernel sends come back unchanged', async (size) => {
      const socket = host.udp(7000);
      const peer = host.kernel('udp-ask', OURS, 7000, size, 20);
      for (let i = 0; i < 20; i++) {
        const { bytes, source, sourcePort } = await socket.receive();
        socket.send(bytes, source, sourcePort);
      }
      expect(await peer.result()).toEqual({ same: 20, of: 20 });
      socket.close();
    });

    test.each(UDP_SIZES)('datagrams of %i bytes that we send come back unchanged', async (size) => {
      const peer = await host.kernelServer('udp-echo', 7001, 20);
      const socket = host.udp();
      for (let i = 0; i < 20; i++) {
        socket.send(question(size, i), KERNEL, 7001);
        const answer = await socket.receive();
        expect(Buffer.compare(answer.bytes, question(size, i))).toBe(0);
        expect([answer.source.toString(), answer.sourcePort]).toEqual([KERNEL, 7001]);
      }
      expect(await peer.result()).toEqual({ echoed: 20 });
      socket.close();
    });

    test("RFC 1122 §4.1.3.1 a port of ours where nobody listens refuses the kernel's socket", async () => {
      expect(await host.kernel('udp-refused', OURS, 7999).result()).toEqual({ error: 'ECONNREFUSED' });
    });

    test("SEM-IO-12 a port of the kernel's where nobody listens fails our next receive, once", async () => {
      const socket = host.udp();
      socket.send(question(30, 1), KERNEL, 7998);
      await expect(socket.receive()).rejects.toMatchObject({ reason: 'connectionReset' });
      const peer = await host.kernelServer('udp-echo', 7997, 1);
      socket.send(question(30, 2), KERNEL, 7997);
      expect((await socket.receive()).bytes).toEqual(question(30, 2));
      await peer.result();
      socket.close();
    });

    test('RFC 792 a destination that the kernel calls unreachable is told to who pings it', async () => {
      const reply = await host.ping(NOWHERE, 56);
      expect(reply).toMatchObject({ type: 3, code: 1 });
      expect(reply.source.toString()).toBe(KERNEL);
    });

    test('RFC 792 a packet whose TTL ends at the kernel is told to who pings beyond it', async () => {
      expect(await host.ping(BEYOND, 56, 1)).toMatchObject({ type: 11, code: 0 });
    });

    test('nothing was dropped on the way, and nothing is held any more', () => {
      expect(host.link.dropped).toBe(0);
      expect([...host.stack.endpoints()].length).toBe(0);
      expect(host.allocator.inUse).toBe(0);
    });

    test('tshark has nothing against any packet that we sent', async () => {
      await judge.stop();
      expect(await judge.count(`ip.src == ${OURS}`)).toBeGreaterThan(300);
      expect(await judge.complaints(OURS, { hasChecksums: !offload })).toEqual([]);
    }, 60_000);
  });
});
