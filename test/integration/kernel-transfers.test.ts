/**
 * Bulk TCP between our stack and the kernel's, compared by SHA-256: either side as client and as server, with offloads
 * and without. tshark judges what we sent.
 */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Judge } from '../support/judge.ts';
import type { Digest, ExchangeResult } from '../support/kernel-peer.ts';
import { DEVICE, LiveHost, MODES_OF_BOTH } from '../support/live-host.ts';
import { describePrivileged } from '../support/privileged.ts';
import { receiveHashed, sendHashed } from '../support/transfer.ts';

const MB = 1 << 20;
/** Bytes each way: a gigabyte where it is told, less where packets are many. */
const BULK = new Map([
  ['MTU 1500, plain', 64 * MB],
  ['MTU 1500 with offloads', 1024 * MB],
  ['MTU 65535, plain', 128 * MB],
  ['MTU 65535 with offloads', 256 * MB],
]);
/** For everything else. */
const SHARE = 16 * MB;
const LIMIT = 60_000;

describePrivileged('TCP transfers with the kernel', () => {
  describe.each(MODES_OF_BOTH)('$title', ({ mode, mtu, offload, family, ours }) => {
    const bulk = BULK.get(mode) ?? MB;
    let host: LiveHost;
    let judge: Judge;

    beforeAll(async () => {
      host = new LiveHost({ mtu, offload, family });
      // Whole packets only where the recording stays small; headers tell the rest.
      judge = await Judge.start(host.space, DEVICE, offload ? 128 : undefined);
    });
    afterAll(() => {
      judge.remove();
      host.close();
    });

    test(
      'what the kernel sends to our server arrives byte for byte',
      async () => {
        const listener = host.listen(5001);
        const peer = host.kernel('send', ours, 5001, bulk);
        const stream = await listener.accept();
        const received = await receiveHashed(stream, MB);
        stream.close();
        listener.close();
        expect(received).toEqual(await peer.result<Digest>());
        expect(received.bytes).toBe(bulk);
      },
      LIMIT,
    );

    test(
      'what our server sends to the kernel arrives byte for byte',
      async () => {
        const listener = host.listen(5002);
        const peer = host.kernel('recv', ours, 5002);
        const stream = await listener.accept();
        const sent = await sendHashed(stream, bulk);
        expect(await peer.result<Digest>()).toEqual(sent);
        stream.close();
        listener.close();
      },
      LIMIT,
    );

    test(
      'what the kernel sends to our client arrives byte for byte',
      async () => {
        const peer = await host.kernelServer('serve-send', 6001, SHARE);
        const stream = await host.connect(6001);
        const received = await receiveHashed(stream, MB);
        stream.close();
        expect(received).toEqual(await peer.result<Digest>());
        expect(received.bytes).toBe(SHARE);
      },
      LIMIT,
    );

    test(
      'what our client sends to the kernel arrives byte for byte',
      async () => {
        const peer = await host.kernelServer('serve-recv', 6002);
        const stream = await host.connect(6002);
        const sent = await sendHashed(stream, SHARE);
        expect(await peer.result<Digest>()).toEqual(sent);
        stream.close();
      },
      LIMIT,
    );

    test(
      'both directions at once do not disturb each other',
      async () => {
        const listener = host.listen(5003);
        const peer = host.kernel('exchange', ours, 5003, SHARE, 'both');
        const stream = await listener.accept();
        const [sent, received] = await Promise.all([sendHashed(stream, SHARE), receiveHashed(stream)]);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        stream.close();
        listener.close();
      },
      LIMIT,
    );

    test(
      'RFC 9293 §3.6 the kernel closes its half first: we go on sending for as long as we like',
      async () => {
        const listener = host.listen(5004);
        const peer = host.kernel('exchange', ours, 5004, MB, 'first');
        const stream = await listener.accept();
        const received = await receiveHashed(stream);
        expect(stream.endpoint.state).toBe('CLOSE-WAIT');
        const sent = await sendHashed(stream, SHARE);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        await stream.ended();
        listener.close();
      },
      LIMIT,
    );

    test(
      'RFC 9293 §3.6 we close our half first: the kernel goes on sending for as long as it likes',
      async () => {
        const peer = await host.kernelServer('serve-exchange', 6003, SHARE, 'last');
        const stream = await host.connect(6003);
        const sent = await sendHashed(stream, MB);
        const received = await receiveHashed(stream);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        expect(stream.endpoint.state).toBe('TIME-WAIT');
        stream.close();
      },
      LIMIT,
    );

    test(
      'eight flows at once are each whole, in both directions',
      async () => {
        const listener = host.listen(5005);
        const peers = Array.from({ length: 8 }, () => host.kernel('exchange', ours, 5005, SHARE / 8, 'both'));
        const flows = await Promise.all(
          peers.map(async () => {
            const stream = await listener.accept();
            const [sent, received] = await Promise.all([
              sendHashed(stream, SHARE / 8),
              receiveHashed(stream),
            ]);
            stream.close();
            return { sent: received, received: sent };
          }),
        );
        expect(await Promise.all(peers.map((peer) => peer.result<ExchangeResult>()))).toEqual(flows);
        expect(flows.map(({ sent }) => sent.bytes)).toEqual(new Array(8).fill(SHARE / 8));
        listener.close();
      },
      LIMIT,
    );

    test(
      'buffers of a few kilobytes on both sides make it slower, not wrong',
      async () => {
        const listener = host.listen(5006, (endpoint) => {
          endpoint.sendBufferSize = 5000;
          endpoint.receiveBufferSize = 5000;
        });
        const peer = host.kernel(
          ...(['exchange', ours, 5006, MB, 'both'] as const),
          ...['--sndbuf', 4096, '--rcvbuf', 4096, '--chunk', 1500],
        );
        const stream = await listener.accept();
        const [sent, received] = await Promise.all([
          sendHashed(stream, MB, { chunk: 1111 }),
          receiveHashed(stream, 777),
        ]);
        expect(await peer.result<ExchangeResult>()).toEqual({ sent: received, received: sent });
        stream.close();
        listener.close();
      },
      LIMIT,
    );

    test(
      'tshark has nothing against any packet that we sent',
      async () => {
        await judge.stop();
        expect(await judge.countFrom(ours)).toBeGreaterThan(1000);
        expect(await judge.complaints(ours, { hasChecksums: !offload })).toEqual([]);
      },
      LIMIT,
    );
  });
});
