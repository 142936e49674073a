/**
 * Explicit congestion notification over a narrow path whose queue marks instead of losing, and over paths that do not like it.
 */

import { describe, expect, test } from '@jest/globals';
import type { AttachmentOptions } from '../../src/sim/index.ts';
import { type EcnMode, TcpEvent, type TcpInfo } from '../../src/stack/index.ts';
import { connectPair, ENDS, makePair, OFFLOADS, type Pair, sha256, testBytes } from './support.ts';

const MB = 1 << 20;
/** 20 Mbit/s and 20 ms there and back: 50 kB fit into the path. */
const RATE = 2_500_000;
const NARROW = { rateBytesPerSec: RATE, delay: 10, queueBytes: 200_000 };

interface Outcome {
  readonly sender: TcpInfo;
  readonly receiver: TcpInfo;
  /** Bytes per second. */
  readonly goodput: number;
  readonly lost: number;
  readonly marked: number;
}

/** The client sends `length` bytes, over `path` once it is connected. */
async function upload(pair: Pair, length: number, path: AttachmentOptions = {}): Promise<Outcome> {
  const [client, server] = await connectPair(pair);
  pair.client.link().outbound.change(path.outbound ?? {});
  pair.client.link().inbound.change(path.inbound ?? {});
  const bytes = testBytes(length, 7);
  const start = pair.network.now;
  const [received] = await pair.network.run(
    Promise.all([server.readAll(), client.write(bytes).then(() => client.end())]),
  );
  const ms = pair.network.now - start;
  expect(sha256(received)).toBe(sha256(bytes));
  // The last ACKs, too.
  await pair.network.run(pair.network.now + 1000);
  const { counters } = pair.client.link().outbound;
  const outcome = {
    sender: client.endpoint.info(),
    receiver: server.endpoint.info(),
    goodput: (1000 * length) / ms,
    lost: counters.overflowed + counters.lost,
    marked: counters.marked,
  };
  client.close();
  server.close();
  pair.network.close();
  return outcome;
}

describe.each(ENDS)('IPv$family', ({ family, ...ends }) => {
  describe('RFC 3168 §1 a queue that marks', () => {
    test.each([
      ['classic', 0],
      ['accurate', 0],
      ['classic', OFFLOADS],
      ['accurate', OFFLOADS],
    ] as const)(
      'RFC 3168 §6.1.2 RFC 9768 §3.1.5 %s with offloads %i: the link is filled, nothing is lost or sent again',
      async (ecn, offload) => {
        const pair = makePair({
          family,
          tcp: { ecn },
          offload,
          path: { outbound: { ...NARROW, markAboveBytes: 40_000 }, inbound: { delay: 10 } },
        });
        const outcome = await upload(pair, 8 * MB);
        expect(outcome).toMatchObject({ lost: 0, sender: { ecn, retransSegs: 0, timeouts: 0 } });
        expect(outcome.marked).toBeGreaterThan(10);
        expect(outcome.receiver.ceReceived).toBe(outcome.marked);
        // AccECN tells of each mark; RFC 3168 of each round trip with marks.
        if (ecn === 'accurate') expect(outcome.sender.ceDelivered).toBe(outcome.marked);
        else expect(outcome.sender.ceDelivered).toBeGreaterThan(0);
        expect(outcome.goodput).toBeGreaterThan(0.9 * RATE * ((1468 - ends.ipHeader) / 1500));
      },
    );

    test('RFC 3168 §1 without ECN the same queue loses', async () => {
      const pair = makePair({
        family,
        tcp: { ecn: 'off' },
        path: { outbound: { ...NARROW, markAboveBytes: 40_000 }, inbound: { delay: 10 } },
      });
      const outcome = await upload(pair, 8 * MB);
      expect(outcome).toMatchObject({ marked: 0, sender: { ecn: 'none' } });
      expect(outcome.lost).toBeGreaterThan(0);
    });

    test('RFC 3168 §6.1.2 the window is reduced at most once a round trip, however many packets are marked', async () => {
      const pair = makePair({
        family,
        tcp: { ecn: 'accurate' },
        path: { outbound: { ...NARROW, markAboveBytes: 40_000 }, inbound: { delay: 10 } },
      });
      const echoes: number[] = [];
      const reductions: number[] = [];
      let cwnd = Number.POSITIVE_INFINITY;
      pair.client.stack.observeTcp((_endpoint, event, _marked, after) => {
        if (event !== TcpEvent.congestionEcho) return;
        echoes.push(pair.network.now);
        if (after < cwnd) reductions.push(pair.network.now);
        cwnd = after;
      });
      await upload(pair, 4 * MB);
      expect(echoes.length).toBeGreaterThan(reductions.length);
      expect(reductions.length).toBeGreaterThan(2);
      for (let i = 1; i < reductions.length; i++) {
        expect((reductions[i] as number) - (reductions[i - 1] as number)).toBeGreaterThanOrEqual(20);
      }
    });
  });

  describe('RFC 9768 §3.2 marks by chance, with losses of ACKs', () => {
    test.each([1, 2, 3])(
      'RFC 9768 §3.2.3.3 seed %i: every mark is reported in the end, though a fifth of the ACKs is lost',
      async (seed) => {
        const pair = makePair({ family, seed, tcp: { ecn: 'accurate' } });
        const path = { outbound: { mark: 0.02, delay: 5 }, inbound: { loss: 0.2, delay: 5 } };
        const outcome = await upload(pair, 4 * MB, path);
        expect(outcome.marked).toBeGreaterThan(8);
        expect(outcome.receiver.ceReceived).toBe(outcome.marked);
        // The last ACKs may be among the lost.
        expect(outcome.sender.ceDelivered).toBeGreaterThan(0.9 * outcome.marked);
        expect(outcome.sender.ceDelivered).toBeLessThan(1.1 * outcome.marked);
      },
    );
  });

  describe('RFC 3168 §6.1.1.1 paths that dislike the flags', () => {
    const hasFlags = (bytes: Uint8Array, at: number): boolean => {
      const tcp = at + ends.ipHeader;
      const flags = bytes[tcp + 13] as number;
      return (flags & 0x02) !== 0 && ((flags & 0xc0) !== 0 || ((bytes[tcp + 12] as number) & 1) !== 0);
    };
    test.each(['classic', 'accurate'] as const)(
      'RFC 9768 §3.1.4.1 a SYN of %s is dropped for its flags: the connection comes about without ECN',
      async (ecn: EcnMode) => {
        const pair = makePair({ family, tcp: { ecn }, path: { outbound: { loss: 1 }, filter: hasFlags } });
        const outcome = await upload(pair, 50_000);
        expect(outcome.sender.ecn).toBe('none');
        expect(outcome.lost).toBe(ecn === 'classic' ? 1 : 2);
      },
    );

    test('RFC 9768 §3.1.4.2 a SYN-ACK of AccECN is dropped for its flags: the connection comes about, and the server sends no ECT', async () => {
      const pair = makePair({
        family,
        tcp: { ecn: 'accurate' },
        path: { inbound: { loss: 1 }, filter: hasFlags },
      });
      const listener = pair.server.tcp.listen(80, { address: ends.server });
      const [client, server] = await pair.network.run(
        Promise.all([pair.client.tcp.connect(ends.server, 80), listener.accept()]),
      );
      pair.client.link().inbound.change({ loss: 0, mark: 1 });
      pair.client.link().outbound.change({ mark: 1 });
      const down = testBytes(100_000, 3);
      const [received] = await pair.network.run(
        Promise.all([client.readAll(), server.write(down).then(() => server.end())]),
      );
      expect(sha256(received)).toBe(sha256(down));
      expect(client.endpoint.remoteAddress.toString()).not.toBe(ends.client);
      expect(pair.client.link().inbound.counters.marked).toBe(0);
      expect([client.endpoint.info().ecn, server.endpoint.info().ecn]).toEqual(['none', 'accurate']);
    });
  });
});
