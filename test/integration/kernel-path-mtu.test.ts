/**
 * A Linux router between our host and a Linux peer, with less room than either end's link: it says so, or it must not.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAddress, SimStream } from '../../src/sim/index.ts';
import { StackError } from '../../src/stack/index.ts';
import { type Digest, KernelPeer } from '../support/kernel-peer.ts';
import { DEVICE, type Ends, FAMILIES, LiveHost } from '../support/live-host.ts';
import { connectNamespaces, createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
const LIMIT = 60_000;
const HOP_MTU = 1300;
/** On the far side of the router, and the headers of a segment with timestamps. */
const FAR = {
  4: { router: '10.8.0.1', peer: '10.8.0.2', far: '10.8.0.0/24', near: '10.9.0.0/24', bits: 24, headers: 52 },
  6: { router: 'fd08::1', peer: 'fd08::2', far: 'fd08::/64', near: 'fd09::/64', bits: 64, headers: 72 },
};
const SETTINGS = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  // What is silent must not be so by a limit, and what speaks not be slowed by one.
  'net.ipv6.icmp.ratelimit=0',
];

/** The namespace of our device is the router. @returns the peer's */
function buildRouter(router: Namespace, isSilent: boolean, { family, ours }: Ends): Namespace {
  const peer = createNamespace();
  const { router: address, peer: peerAddress, far, near, bits } = FAR[family];
  connectNamespaces(router, peer, {
    addressesA: [`${address}/${bits}`],
    addressesB: [`${peerAddress}/${bits}`],
  });
  // Whatever the peer finds out about the path, it announces an MSS as if it had not: then it is for us to find out too.
  peer.exec('ip', 'route', 'add', family === 4 ? 'default' : '::/0', 'via', address, 'advmss', '1460');
  // The kernel finds a black hole as we do.
  peer.exec('sysctl', '-qw', 'net.ipv4.tcp_mtu_probing=1');
  router.exec('sysctl', '-qw', ...SETTINGS);
  // A route's MTU is the link's, as far as the packets are concerned.
  const narrow = ['mtu', 'lock', String(HOP_MTU)];
  // Rather than the kernel's own route to the link, which IPv6 keeps beside it.
  if (family === 6) narrow.push('metric', '128');
  router.exec('ip', 'route', 'replace', far, 'dev', 'veth0', ...narrow);
  router.exec('ip', 'route', 'replace', near, 'dev', DEVICE, ...narrow);
  if (isSilent) {
    // What the router itself would send, and not only forward, is thrown away.
    for (const to of [ours, peerAddress]) {
      router.exec('ip', `-${family}`, 'rule', 'add', 'iif', 'lo', 'to', to, 'blackhole');
    }
  }
  return peer;
}

const ROUTERS = [
  { name: 'that says so', isSilent: false, offload: false },
  { name: 'that says so, with offloads', isSilent: false, offload: true },
  { name: 'that is silent', isSilent: true, offload: false },
  { name: 'that is silent, with offloads', isSilent: true, offload: true },
];
const CASES = FAMILIES.flatMap((ends) => ROUTERS.map((router) => ({ ...ends, ...router })));

describePrivileged('RFC 1191, RFC 8201, RFC 4821 a path through a Linux router with a smaller MTU', () => {
  describe.each(CASES)('IPv$family, $name', ({ isSilent, offload, ...ends }) => {
    const { family, ours } = ends;
    const { peer: peerAddress, headers } = FAR[family];
    const six = family === 6 ? ['--six'] : [];
    let host: LiveHost;
    let peer: Namespace;

    beforeAll(() => {
      host = new LiveHost({ mtu: 1500, offload, family });
      peer = buildRouter(host.space, isSilent, ends);
    });
    afterAll(() => host.close());

    async function connect(port: number): Promise<SimStream> {
      const stream = new SimStream(host.stack.openTcp(family), { settled(): void {} });
      return stream.open(parseAddress(peerAddress), port);
    }

    test(
      'what the peer sends arrives byte for byte',
      async () => {
        const listener = host.listen(5001);
        const sender = new KernelPeer(peer, ['send', ours, 5001, 4 * MB, ...six]);
        const stream = await listener.accept();
        const received = await receiveHashed(stream);
        stream.close();
        listener.close();
        expect(received).toEqual(await sender.result<Digest>());
      },
      LIMIT,
    );

    test(
      'what we send arrives byte for byte, in packets that fit',
      async () => {
        const server = await new KernelPeer(peer, ['serve-recv', 6001, ...six]).said('READY');
        const stream = await connect(6001);
        const sent = await sendHashed(stream, 8 * MB);
        expect(await server.result<Digest>()).toEqual(sent);
        const { mss, timeouts } = stream.endpoint.info();
        expect(mss + headers).toBeLessThanOrEqual(HOP_MTU);
        expect(mss + headers).toBeGreaterThan(HOP_MTU - 16);
        expect(stream.endpoint.pathMtu).toBe(mss + headers);
        if (isSilent) expect(timeouts).toBeGreaterThan(1);
        else expect(timeouts).toBe(0);
        stream.close();
      },
      LIMIT,
    );

    test(
      'a second connection begins with what was found',
      async () => {
        const server = await new KernelPeer(peer, ['serve-recv', 6002, ...six]).said('READY');
        const stream = await connect(6002);
        expect(stream.endpoint.info().mss + headers).toBeLessThanOrEqual(HOP_MTU);
        const sent = await sendHashed(stream, MB);
        expect(await server.result<Digest>()).toEqual(sent);
        expect(stream.endpoint.info().timeouts).toBe(0);
        stream.close();
      },
      LIMIT,
    );

    test('a datagram with DF that does not fit is refused', () => {
      const fresh = host.stack.openUdp(family);
      fresh.mtuDiscovery = 'do';
      fresh.connect(parseAddress(peerAddress), 9);
      const payload = new Uint8Array(1472);
      expect(fresh.pathMtu).toBeLessThanOrEqual(HOP_MTU);
      expect(fresh.send(payload, 0, 1472, null, 0)).toBe(StackError.messageTooLong);
      fresh.close();
    });
  });
});
