/**
 * A Linux router between our host and a Linux peer, with less room than either end's link: it says so, or it must not.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAddress, SimStream } from '../../src/sim/index.ts';
import { StackError } from '../../src/stack/index.ts';
import { type Digest, KernelPeer } from '../support/kernel-peer.ts';
import { DEVICE, LiveHost, OURS } from '../support/live-host.ts';
import { connectNamespaces, createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
const LIMIT = 60_000;
const PEER = '10.8.0.2';
const HOP_MTU = 1300;

/** The namespace of our device is the router. @returns the peer's */
function buildRouter(router: Namespace, isSilent: boolean): Namespace {
  const peer = createNamespace();
  connectNamespaces(router, peer, { addressesA: ['10.8.0.1/24'], addressesB: [`${PEER}/24`] });
  // Whatever the peer finds out about the path, it announces an MSS as if it had not: then it is for us to find out too.
  peer.exec('ip', 'route', 'add', 'default', 'via', '10.8.0.1', 'advmss', '1460');
  // The kernel finds a black hole as we do.
  peer.exec('sysctl', '-qw', 'net.ipv4.tcp_mtu_probing=1');
  router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  // A route's MTU is the link's, as far as the packets are concerned.
  const narrow = ['mtu', 'lock', String(HOP_MTU)];
  router.exec('ip', 'route', 'replace', '10.8.0.0/24', 'dev', 'veth0', ...narrow);
  router.exec('ip', 'route', 'replace', '10.9.0.0/24', 'dev', DEVICE, ...narrow);
  if (isSilent) {
    // What the router itself would send, and not only forward, is thrown away.
    for (const to of [OURS, PEER]) router.exec('ip', 'rule', 'add', 'iif', 'lo', 'to', to, 'blackhole');
  }
  return peer;
}

describePrivileged('RFC 1191, RFC 4821 a path through a Linux router with a smaller MTU', () => {
  describe.each([
    { name: 'that says so', isSilent: false, offload: false },
    { name: 'that says so, with offloads', isSilent: false, offload: true },
    { name: 'that is silent', isSilent: true, offload: false },
    { name: 'that is silent, with offloads', isSilent: true, offload: true },
  ])('$name', ({ isSilent, offload }) => {
    let host: LiveHost;
    let peer: Namespace;

    beforeAll(() => {
      host = new LiveHost({ mtu: 1500, offload });
      peer = buildRouter(host.space, isSilent);
    });
    afterAll(() => host.close());

    async function connect(port: number): Promise<SimStream> {
      const stream = new SimStream(host.stack.openTcp(), { settled(): void {} });
      return stream.open(parseAddress(PEER), port);
    }

    test(
      'what the peer sends arrives byte for byte',
      async () => {
        const listener = host.listen(5001);
        const sender = new KernelPeer(peer, ['send', OURS, 5001, 4 * MB]);
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
        const server = await new KernelPeer(peer, ['serve-recv', 6001]).said('READY');
        const stream = await connect(6001);
        const sent = await sendHashed(stream, 8 * MB);
        expect(await server.result<Digest>()).toEqual(sent);
        const { mss, timeouts } = stream.endpoint.info();
        expect(mss + 52).toBeLessThanOrEqual(HOP_MTU);
        expect(mss + 52).toBeGreaterThan(HOP_MTU - 16);
        expect(stream.endpoint.pathMtu).toBe(mss + 52);
        if (isSilent) expect(timeouts).toBeGreaterThan(1);
        else expect(timeouts).toBe(0);
        stream.close();
      },
      LIMIT,
    );

    test(
      'a second connection begins with what was found',
      async () => {
        const server = await new KernelPeer(peer, ['serve-recv', 6002]).said('READY');
        const stream = await connect(6002);
        expect(stream.endpoint.info().mss + 52).toBeLessThanOrEqual(HOP_MTU);
        const sent = await sendHashed(stream, MB);
        expect(await server.result<Digest>()).toEqual(sent);
        expect(stream.endpoint.info().timeouts).toBe(0);
        stream.close();
      },
      LIMIT,
    );

    test('a datagram with DF that does not fit is refused', () => {
      const fresh = host.stack.openUdp();
      fresh.mtuDiscovery = 'do';
      fresh.connect(parseAddress(PEER), 9);
      const payload = new Uint8Array(1472);
      expect(fresh.pathMtu).toBeLessThanOrEqual(HOP_MTU);
      expect(fresh.send(payload, 0, 1472, null, 0)).toBe(StackError.messageTooLong);
      fresh.close();
    });
  });
});
