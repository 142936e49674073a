/**
 * IPv6 with the kernel over TUN: echoes of every size, whole and in fragments, datagrams, bulk TCP by hash with offloads and
 * without, errors and path MTUs in both directions. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { complaintsAbout, Judge } from '../support/judge.ts';
import type { Digest, ExchangeResult } from '../support/kernel-peer.ts';
import { DEVICE, KERNEL6, LiveHost, MODES, OURS6, pingPayload, until } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
/** Nothing, what `ping` sends, a full packet of 1,500 bytes, one byte more, several fragments, the most that `ping` sends. */
const PING_SIZES = [0, 56, 1452, 1453, 8000, 65_507];
const UDP_SIZES = [1, 1452, 1453, 9000, 65_527];
/** Behind the kernel, which answers for it: no way there; and one hop further. */
const NOWHERE = 'fd66::1';
const BEYOND = 'fd77::1';

const AT_ONCE = (count: number): string[] => ['-c', String(count), '-l', String(count), '-i', '2', '-W', '5'];
const question = (size: number, i: number): Uint8Array => pingPayload(size).fill(i, 0, 1);

jest.setTimeout(60_000);

describePrivileged('IPv6 with the kernel', () => {
  describe.each(MODES)('$mode', ({ mtu, offload }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family: 6 });
      host.stack.addRoute({ destination: '::/0', gateway: KERNEL6, interfaceIndex: 2 });
      host.space.exec('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1', 'net.ipv6.icmp.ratelimit=0');
      host.space.exec('ip', '-6', 'route', 'add', 'unreachable', `${NOWHERE}/128`);
      host.space.exec('ip', '-6', 'route', 'add', `${BEYOND}/128`, 'dev', DEVICE);
      judge = await Judge.start(host.space, DEVICE, offload ? 256 : undefined, 'ip or ip6');
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test.each(PING_SIZES)(
      "RFC 4443 §4.2 the kernel's echo requests of %i bytes are answered",
      async (size) => {
        const { stdout } = await host.space.run(
          ['ping', '-6', ...AT_ONCE(3), '-s', String(size), OURS6],
          30_000,
        );
        expect(stdout).toContain('3 packets transmitted, 3 received, 0% packet loss');
        expect(stdout).not.toContain('wrong data byte');
      },
    );

    test.each([...PING_SIZES, 65_527])(
      'our echo request of %i bytes is answered by the kernel',
      async (size) => {
        const reply = await host.ping(KERNEL6, size);
        expect(reply).toMatchObject({ type: 0, code: 0, ttl: 64, payload: pingPayload(size) });
        expect(reply.source.toString()).toBe(KERNEL6);
      },
    );

    test.each(UDP_SIZES)('datagrams of %i bytes that the kernel sends come back unchanged', async (size) => {
      const socket = host.udp(7000);
      const peer = host.kernel('udp-ask', OURS6, 7000, size, 20);
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
        socket.send(question(size, i), KERNEL6, 7001);
        const answer = await socket.receive();
        expect(Buffer.compare(answer.bytes, question(size, i))).toBe(0);
        expect([answer.source.toString(), answer.sourcePort]).toEqual([KERNEL6, 7001]);
      }
      expect(await peer.result()).toEqual({ echoed: 20 });
      socket.close();
    });

    test("RFC 4443 §3.1 a port of ours where nobody listens refuses the kernel's socket", async () => {
      expect(await host.kernel('udp-refused', OURS6, 7999).result()).toEqual({ error: 'ECONNREFUSED' });
      expect(await host.kernel('refused', OURS6, 7999).result()).toEqual({ error: 'ECONNREFUSED' });
    });

    test("SEM-IO-12 a port of the kernel's where nobody listens fails our next receive", async () => {
      const socket = host.udp();
      socket.send(question(30, 1), KERNEL6, 7998);
      await expect(socket.receive()).rejects.toMatchObject({ reason: 'connectionReset' });
      socket.close();
      await expect(host.connect(7998)).rejects.toMatchObject({ reason: 'connectionRefused' });
    });

    test('RFC 4443 §3.1, §3.3 what the kernel says of the way is told to who pings', async () => {
      expect(await host.ping(NOWHERE, 56)).toMatchObject({ type: 1 });
      expect(await host.ping(BEYOND, 56, 1)).toMatchObject({ type: 3, code: 0 });
    });

    test('RFC 9293 the kernel’s bytes to our server and ours to the kernel arrive, both at once', async () => {
      const listener = host.listen(5003);
      const size = offload ? 64 * MB : 16 * MB;
      const peer = host.kernel('exchange', OURS6, 5003, size, 'both');
      const stream = await listener.accept();
      const [sent, received] = await Promise.all([sendHashed(stream, size), receiveHashed(stream)]);
      expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
      expect(received.bytes).toBe(size);
      stream.close();
      listener.close();
    });

    test('what our client sends to the kernel, and gets from it, arrives byte for byte', async () => {
      const taker = await host.kernelServer('serve-recv', 6002);
      const out = await host.connect(6002);
      const sent = await sendHashed(out, 16 * MB);
      expect(await taker.result<Digest>()).toEqual(sent);
      out.close();
      const giver = await host.kernelServer('serve-send', 6001, 16 * MB);
      const back = await host.connect(6001);
      const received = await receiveHashed(back, MB);
      back.close();
      expect(received).toEqual(await giver.result<Digest>());
    });

    test('nothing was dropped on the way, and no buffer is held any more', async () => {
      expect(host.link.dropped).toBe(0);
      await until('the buffers are given back', () => host.allocator.inUse === 0);
      expect(host.allocator.inUse).toBe(0);
    });

    test('tshark has nothing against any packet that we sent', async () => {
      await judge.stop();
      expect(await judge.count(`ipv6.src == ${OURS6}`)).toBeGreaterThan(300);
      const ours = `ipv6.src == ${OURS6}`;
      expect(await complaintsAbout(host.space, judge.file, ours, { hasChecksums: !offload })).toEqual([]);
    });
  });
});
