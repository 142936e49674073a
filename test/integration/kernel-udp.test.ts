/**
 * UDP with the kernel beyond single datagrams: one send of many, many received as one, broadcasts both ways, options of IPv4. tshark
 * judges what we sent.
 */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { IpAddress, OFFLOAD_USO } from '../../src/base/index.ts';
import { createDatagramInfo, type UdpEndpoint } from '../../src/stack/index.ts';
import { Judge } from '../support/judge.ts';
import { DEVICE, KERNEL, LiveHost, MODES, MODES_OF_BOTH, OURS, until } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';

/** The broadcast address of both ends' subnet. */
const SUBNET = '10.9.0.255';
const SIZE = 1200;
const TOTAL = 50 * SIZE + 700;

jest.setTimeout(60_000);

function ip(text: string): IpAddress {
  return IpAddress.parse(text) ?? IpAddress.anyV4;
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Receives until `total` bytes are there: each message with the size of the datagrams in it, 0 for one alone. */
async function collect(endpoint: UdpEndpoint, total: number) {
  const messages: { readonly bytes: Uint8Array; readonly segmentSize: number }[] = [];
  const info = createDatagramInfo();
  const into = new Uint8Array(65_536);
  let got = 0;
  await until(`${total} bytes`, () => {
    for (;;) {
      const length = endpoint.receive(into, 0, into.length, info);
      if (length < 0) return got >= total;
      messages.push({ bytes: into.slice(0, length), segmentSize: info.segmentSize });
      got += length;
    }
  });
  return messages;
}

describePrivileged('UDP with the kernel', () => {
  describe.each(MODES_OF_BOTH)('$title', ({ mtu, offload, family, kernel, ours }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family });
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('OPT-UDP_SEND_MSG_SIZE one send of ours arrives as many datagrams', async () => {
      const peer = await host.kernelServer('udp-collect', 7100, TOTAL);
      const udp = host.stack.openUdp(family);
      udp.segmentSize = SIZE;
      const data = Uint8Array.from({ length: TOTAL }, (_, i) => (i * 7) ^ (i >> 8));
      expect(udp.send(data, 0, TOTAL, ip(kernel), 7100)).toBe(TOTAL);
      expect(await peer.result()).toEqual({
        sizes: { [SIZE]: 50, 700: 1 },
        sha256: digest([data]),
        to: [kernel],
      });
      udp.close();
    });

    test('without the option what the kernel sends in one call is received one by one', async () => {
      const udp = host.stack.openUdp(family);
      udp.receiveBufferSize = 1 << 20;
      udp.bind(udp.localAddress, 7101);
      const peer = host.kernel('udp-segments', ours, 7101, TOTAL, SIZE);
      const messages = await collect(udp, TOTAL);
      expect(new Set(messages.map(({ segmentSize }) => segmentSize))).toEqual(new Set([0]));
      expect(messages.map(({ bytes }) => bytes.length)).toEqual([...new Array<number>(50).fill(SIZE), 700]);
      expect(await peer.result()).toEqual({ sha256: digest(messages.map(({ bytes }) => bytes)) });
      udp.close();
    });

    test('OPT-UDP_RECV_MAX_COALESCED_SIZE with it they are received together where the device merges them', async () => {
      const udp = host.stack.openUdp(family);
      udp.receiveBufferSize = 1 << 20;
      udp.coalescedSize = 65_535;
      udp.bind(udp.localAddress, 7102);
      const peer = host.kernel('udp-segments', ours, 7102, TOTAL, SIZE);
      const messages = await collect(udp, TOTAL);
      expect(await peer.result()).toEqual({ sha256: digest(messages.map(({ bytes }) => bytes)) });
      const isMerged = (host.link.device.offload & OFFLOAD_USO) !== 0;
      expect(messages.some(({ segmentSize }) => segmentSize === SIZE)).toBe(isMerged);
      expect(messages.length).toBe(isMerged ? 1 : 51);
      udp.close();
    });

    test('tshark has nothing against any packet that we sent, and no memory is held', async () => {
      await judge.stop();
      expect(await judge.complaints(ours, { hasChecksums: !offload })).toEqual([]);
      expect(host.allocator.inUse).toBe(0);
    });
  });
});

describePrivileged('what only IPv4 has, with the kernel', () => {
  describe.each(MODES.filter(({ mtu }) => mtu === 1500))('$mode', ({ mtu, offload }) => {
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload });
      host.space.exec('ip', 'address', 'delete', `${KERNEL}/24`, 'dev', DEVICE);
      host.space.exec('ip', 'address', 'add', `${KERNEL}/24`, 'broadcast', SUBNET, 'dev', DEVICE);
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test('OPT-UDP_NOCHECKSUM a datagram without a checksum arrives', async () => {
      const peer = await host.kernelServer('udp-collect', 7103, 5);
      const udp = host.stack.openUdp();
      udp.sendsZeroChecksum = true;
      udp.send(new TextEncoder().encode('plain'), 0, 5, ip(KERNEL), 7103);
      expect(await peer.result()).toMatchObject({ sizes: { 5: 1 } });
      udp.close();
    });

    test.each([SUBNET, '255.255.255.255'])('a broadcast of ours to %s reaches the kernel', async (to) => {
      const peer = await host.kernelServer('udp-collect', 7104, 5);
      const udp = host.stack.openUdp();
      udp.broadcast = true;
      expect(udp.send(new TextEncoder().encode('hello'), 0, 5, ip(to), 7104)).toBe(5);
      expect(await peer.result()).toMatchObject({ sizes: { 5: 1 }, to: [to] });
      udp.close();
    });

    test('a broadcast of the kernel’s to the subnet reaches every socket of ours on the port', async () => {
      const sockets = [0, 1].map(() => {
        const udp = host.stack.openUdp();
        udp.bind(IpAddress.anyV4, 7105, { sharing: 'reuse' });
        return udp;
      });
      await host.kernel('udp-broadcast', SUBNET, 7105, 'to all').result();
      for (const udp of sockets) {
        await until('the broadcast', () => udp.nextLength >= 0);
        const info = createDatagramInfo();
        expect(udp.receive(new Uint8Array(64), 0, 64, info)).toBe(6);
        expect([String(info.destination), info.isGroup]).toEqual([SUBNET, true]);
        udp.close();
      }
    });

    test('RFC 1122 §3.2.2.6 an echo request to the broadcast address is not answered', async () => {
      const { stdout } = await host.space.run(['ping', '-b', '-c', '1', '-W', '1', SUBNET]);
      expect(stdout).toContain('0 received');
    });

    test('RFC 1122 §3.2.2.6 the kernel sees our address in the route that its echo request recorded', async () => {
      const { stdout } = await host.space.run(['ping', '-R', '-n', '-c', '1', OURS]);
      expect(stdout).toContain('1 received');
      const route = stdout.slice(stdout.indexOf('RR:'));
      expect(route).toContain(OURS);
    });

    test('OPT-IP_OPTIONS the kernel notes itself in the route that our echo request records', async () => {
      const echo = host.stack.openIcmp();
      const options = new Uint8Array(16);
      options.set([7, 15, 4]);
      expect(echo.setIpOptions(options)).toBe(0);
      echo.sendEcho(ip(KERNEL), 1, new Uint8Array(8));
      let route: Uint8Array = new Uint8Array(0);
      await until('the reply', () => {
        route = echo.takeReply()?.options ?? route;
        return route.length > 0;
      });
      // Once as the destination, and once more as it answers.
      expect([...route.subarray(0, 11)]).toEqual([7, 15, 12, 10, 9, 0, 1, 10, 9, 0, 1]);
      echo.close();
    });

    test('tshark has nothing against any packet that we sent, and no memory is held', async () => {
      await judge.stop();
      expect(await judge.complaints(OURS, { hasChecksums: !offload })).toEqual([]);
      expect(host.allocator.inUse).toBe(0);
    });
  });
});
