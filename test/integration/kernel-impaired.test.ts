/**
 * Transfers with the kernel over a bad path: packets are lost, late, overtaken, doubled and damaged on our side of the
 * device, in both directions, and the bytes arrive all the same. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImpairSettings } from '../../src/link/index.ts';
import { Judge } from '../support/judge.ts';
import type { Digest, ExchangeResult } from '../support/kernel-peer.ts';
import { DEVICE, LiveHost, MODES_OF_BOTH } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
const LIMIT = 60_000;

/** What both directions meet; the delay is a round trip of 10 ms. Large packets are few: more of them meet something. */
const badPath = (mtu: number): ImpairSettings => {
  const chance = mtu > 1500 ? 0.05 : 0.01;
  return { loss: chance, delay: 5, reorder: chance / 3, reorderBy: 3, duplicate: chance / 2 };
};

describePrivileged('TCP with the kernel over a bad path', () => {
  describe.each(MODES_OF_BOTH)('$title', ({ mtu, offload, family, ours }) => {
    const path = badPath(mtu);
    const bytes = mtu > 1500 ? 32 * MB : 8 * MB;
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family, outbound: path, inbound: path, seed: 20_260 });
      judge = await Judge.start(host.space, DEVICE);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test(
      'megabytes each way on two connections arrive byte for byte, and what was lost was sent again',
      async () => {
        const listener = host.listen(5001);
        const sender = host.kernel('send', ours, 5001, bytes);
        const up = await listener.accept();
        const server = await host.kernelServer('serve-recv', 6001);
        const down = await host.connect(6001);
        const [received, sent] = await Promise.all([receiveHashed(up), sendHashed(down, bytes)]);
        up.close();
        expect([received, sent]).toEqual([await sender.result<Digest>(), await server.result<Digest>()]);
        const { outbound, inbound } = host.impaired;
        expect(Math.min(outbound.counters.lost, inbound.counters.lost)).toBeGreaterThan(0);
        expect(Math.min(outbound.counters.reordered, inbound.counters.reordered)).toBeGreaterThan(0);
        expect(host.stack.counters.tcpRetransSegs).toBeGreaterThan(0);
        down.close();
        listener.close();
      },
      LIMIT,
    );

    test(
      'tshark has nothing against any packet that we sent, copies and retransmissions included',
      async () => {
        await judge.stop();
        expect(await judge.countFrom(ours, 'tcp.analysis.retransmission')).toBeGreaterThan(0);
        expect(await judge.complaints(ours, { hasChecksums: true })).toEqual([]);
      },
      LIMIT,
    );

    test(
      'packets with flipped bits are dropped by their checksums, by the kernel and by us, and nothing wrong is delivered',
      async () => {
        const corruption = { loss: 0, corrupt: 2 * (path.loss ?? 0) };
        host.impaired.outbound.change(corruption);
        host.impaired.inbound.change(corruption);
        const listener = host.listen(5002);
        const peer = host.kernel('exchange', ours, 5002, bytes / 4, 'both');
        const stream = await listener.accept();
        const [sent, received] = await Promise.all([sendHashed(stream, bytes / 4), receiveHashed(stream)]);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        stream.close();
        listener.close();
        expect(host.impaired.inbound.counters.corrupted).toBeGreaterThan(0);
        expect(host.stack.counters.drops.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
      },
      LIMIT,
    );
  });
});
