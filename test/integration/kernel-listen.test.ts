/**
 * Listening with the kernel as client and server: SYN cookies, also under a flood of forged SYNs, TCP Fast Open both ways, and
 * SYNs that wait for a decision. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parseAddress } from '../../src/sim/index.ts';
import type { TcpEndpoint } from '../../src/stack/index.ts';
import { Judge } from '../support/judge.ts';
import type { Digest } from '../support/kernel-peer.ts';
import { DEVICE, FAMILIES, LiveHost, until } from '../support/live-host.ts';
import { packetsOf } from '../support/packets.ts';
import { describePrivileged } from '../support/privileged.ts';
import { tcpOptions } from '../support/segment.ts';
import { receiveHashed } from '../support/transfer.ts';

const MB = 1 << 20;

jest.setTimeout(60_000);

describePrivileged('listening, with the kernel', () => {
  describe.each(FAMILIES)('IPv$family', ({ family, kernel, ours }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ family, tcp: { msl: 250, maxHalfOpen: 32 } });
      host.space.exec('sh', '-c', 'echo 3 > /proc/sys/net/ipv4/tcp_fastopen');
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    /** SYNs of hosts that do not exist. */
    function flood(port: number, count: number): void {
      const index = host.stack.interfaces.find((one) => !one.isLoopback)?.index ?? 0;
      const options = tcpOptions({ mss: 1460, sackPermitted: true, timestamps: [1, 0], windowShift: 7 });
      for (let n = 0; n < count; n++) {
        const low = n & 255;
        const fields = {
          dst: ours,
          sourcePort: 1024 + n,
          destinationPort: port,
          flags: 'S',
          seq: n,
          options,
        };
        const src = family === 4 ? `198.18.${n >> 8}.${low}` : `fd18::${n >> 8}:${low.toString(16)}`;
        host.stack.inputPacket(index, packetsOf(family).tcp({ ...fields, src }));
      }
      host.driver.wake();
    }

    test('RFC 4987 §3.6 under a flood the kernel gets in by a cookie, with window scale, SACK and timestamps', async () => {
      const listener = host.listen(5101);
      flood(5101, 1000);
      const { counters } = host.stack;
      expect(counters.tcpSynCookiesSent).toBeGreaterThan(900);
      const peer = host.kernel('send', ours, 5101, 2 * MB);
      const stream = await listener.accept();
      const mss = family === 4 ? 1448 : 1428;
      expect(stream.endpoint.info()).toMatchObject({ timestampsEnabled: true, sackEnabled: true, mss });
      expect(stream.endpoint.info().sndWindShift).toBeGreaterThan(0);
      expect(counters.tcpSynCookiesRecv).toBe(1);
      const received = await receiveHashed(stream);
      stream.close();
      listener.close();
      expect(received).toEqual(await peer.result<Digest>());
    });

    test("RFC 7413 §4.2.2 the kernel's second request comes with its SYN", async () => {
      const listener = host.echo(5103);
      listener.fastOpen = true;
      const peer = host.kernel('fast-ask', ours, 5103, 3);
      expect(await peer.result()).toEqual({ taken: [false, true, true], right: 3 });
      expect(host.stack.counters).toMatchObject({ tcpFastOpenPassive: 2, tcpFastOpenPassiveFail: 0 });
      listener.close();
    });

    test('RFC 7413 §4.2.1 our second request comes with our SYN, and the kernel takes it', async () => {
      const peer = await host.kernelServer('serve-fast', 6101, 3);
      const into = new Uint8Array(100);
      for (let round = 0; round < 3; round++) {
        const endpoint = host.stack.openTcp(family);
        endpoint.fastOpen = true;
        const question = new TextEncoder().encode(`question ${round}`);
        expect(endpoint.connectWithData(parseAddress(kernel), 6101, question, 0, question.length)).toBe(
          question.length,
        );
        await until('the answer is in', () => endpoint.readableBytes === question.length);
        const length = endpoint.read(into, 0, into.length);
        expect(into.subarray(0, length)).toEqual(question);
        endpoint.shutdownWrite();
        await until('the kernel has closed', () => endpoint.atEnd);
        endpoint.close();
      }
      expect(await peer.result()).toEqual({ taken: [false, true, true] });
      expect(host.stack.counters).toMatchObject({ tcpFastOpenActive: 2, tcpFastOpenActiveFail: 0 });
    });

    test('SEM-COND-04 the kernel waits for its SYN-ACK until we accept, and is refused when we reject', async () => {
      const endpoint = host.stack.openTcp(family);
      endpoint.bind(endpoint.localAddress, 5104);
      endpoint.conditionalAccept = true;
      endpoint.listen(1);
      const refused = host.kernel('refused', ours, 5104);
      await until('the kernel asks', () => endpoint.nextRequest !== null);
      endpoint.nextRequest?.reject();
      expect(await refused.result()).toEqual({ error: 'ECONNREFUSED' });
      const peer = host.kernel('recv', ours, 5104);
      await until('the kernel asks again', () => endpoint.nextRequest !== null);
      const socket = endpoint.nextRequest?.accept() as TcpEndpoint;
      await until('it is connected', () => socket.state === 'ESTABLISHED');
      socket.close();
      expect(await peer.result<Digest>()).toMatchObject({ bytes: 0 });
      endpoint.close();
    });

    test('tshark finds nothing wrong', async () => {
      await judge.stop();
      expect(await judge.countFrom(ours)).toBeGreaterThan(1000);
      expect(await judge.complaints(ours, { hasChecksums: false })).toEqual([]);
    });
  });
});
