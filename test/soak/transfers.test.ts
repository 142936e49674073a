/**
 * Gigabytes each way, compared by SHA-256, with the kernel as client.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Digest } from '../support/kernel-peer.ts';
import { LiveHost, MODES, OURS } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';
import { gigabits, measured, type Row, soak } from './report.ts';

const BYTES = Math.round(soak.gigabytes * 2 ** 30);
/** No slower than 4 MB/s. */
const PEER_LIMIT_MS = 60_000 + BYTES / 4000;

describePrivileged('bulk transfers', () => {
  describe.each(MODES)('$mode', ({ mode, mtu, offload }) => {
    let host: LiveHost;

    beforeAll(() => {
      host = new LiveHost({ mtu, offload, peerLimitMs: PEER_LIMIT_MS });
    });
    afterAll(() => host.close());

    const figures = (digest: Digest, start: number): Row => ({
      bytes: digest.bytes,
      rate: gigabits(digest.bytes, performance.now() - start),
      retransmitted: host.stack.counters.tcpRetransSegs,
      'SHA-256': `${digest.sha256.slice(0, 12)}…`,
    });

    test('from the kernel to us', () =>
      measured({ mode, direction: 'in' }, async () => {
        const listener = host.listen(5001);
        const peer = host.kernel('send', OURS, 5001, BYTES);
        const stream = await listener.accept();
        const start = performance.now();
        const received = await receiveHashed(stream, 1 << 20);
        stream.close();
        listener.close();
        expect(received).toEqual(await peer.result<Digest>());
        expect(received.bytes).toBe(BYTES);
        return figures(received, start);
      }));

    test('from us to the kernel', () =>
      measured({ mode, direction: 'out' }, async () => {
        const listener = host.listen(5002);
        const peer = host.kernel('recv', OURS, 5002);
        const stream = await listener.accept();
        const start = performance.now();
        const sent = await sendHashed(stream, BYTES);
        expect(await peer.result<Digest>()).toEqual(sent);
        stream.close();
        listener.close();
        return figures(sent, start);
      }));
  });
});
