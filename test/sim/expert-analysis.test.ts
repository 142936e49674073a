/**
 * tshark reads what simulated hosts sent to each other, and finds nothing strange that the path did not make.
 */

import { expect, test } from '@jest/globals';
import type { ImpairSettings } from '../../src/link/index.ts';
import {
  anomalies,
  findingsOf,
  needlessRetransmissions,
  type SentPacket,
  sentPackets,
} from '../support/tcp-analysis.ts';
import { describeTshark } from '../support/tshark.ts';
import { CLIENT, connectPair, exchange, makePair, type PairOptions, SERVER, testBytes } from './support.ts';

/** A port whose bytes tshark takes for no protocol in particular. */
const PORT = 40_404;

interface Recording {
  /** At the client: all that it sends, and what reaches it. */
  readonly client: Uint8Array;
  /** Behind the client's outbound impairment. */
  readonly wire: Uint8Array;
  readonly lost: number;
  readonly reordered: number;
}

/** The client sends `length` bytes, the server a tenth of them. */
async function record(options: PairOptions, length = 300_000): Promise<Recording> {
  const pair = makePair(options);
  const [client, wire] = [pair.network.capture(pair.client), pair.network.capture(pair.wire)];
  const [near, far] = await connectPair(pair, PORT);
  const [up, down] = [testBytes(length, 1), testBytes(length / 10, 2)];
  const [atServer, atClient] = await pair.network.run(Promise.all([exchange(far, down), exchange(near, up)]));
  expect(Buffer.compare(atServer, up) === 0 && Buffer.compare(atClient, down) === 0).toBe(true);
  near.close();
  far.close();
  await pair.network.run(pair.network.now + 300_000);
  const { lost, reordered } = pair.client.link().outbound.counters;
  return { client: client.bytes(), wire: wire.bytes(), lost, reordered };
}

/** A path that harms only what the client sends. */
const harmed = (outbound: ImpairSettings, seed: number): PairOptions => ({
  seed,
  path: { impair: { delay: 15 }, outbound: { delay: 15, ...outbound } },
});

const isTailProbe = ({ cause }: SentPacket): boolean => cause.includes('tail-loss probe');

describeTshark('tshark’s expert analysis of simulated connections', () => {
  test.each([
    ['without delay', {}],
    ['with 30 ms of delay', { path: { impair: { delay: 15 } } }],
    ['with 1 MB/s', { path: { impair: { delay: 15, rateBytesPerSec: 1_000_000, queueBytes: 4 << 20 } } }],
    ['with small packets', { mtu: 576, path: { impair: { delay: 5 } } }],
    [
      'without SACK, timestamps and scaling',
      { tcp: { sack: false, timestamps: false, windowScaling: false } },
    ],
  ] satisfies [string, PairOptions][])(
    'a path that loses nothing, %s: nothing strange at all',
    async (_name, options) => {
      expect(anomalies((await record(options)).client)).toEqual([]);
    },
  );

  test.each([1, 2, 3])(
    'RFC 8985 §1 every retransmission repairs a loss, with 5 %% of the packets lost (seed %i)',
    async (seed) => {
      const { client, wire, lost } = await record(harmed({ loss: 0.05 }, seed));
      const sent = sentPackets(client, wire, CLIENT);
      expect(sent.filter(({ isLost }) => isLost)).toHaveLength(lost);
      expect(lost).toBeGreaterThan(3);
      expect(needlessRetransmissions(sent, isTailProbe)).toEqual([]);
      const found = anomalies(client);
      expect(findingsOf(found)).not.toContain('spurious_retransmission');
      // What comes back was not harmed, and it acknowledges only what was sent.
      expect(findingsOf(found.filter(({ source }) => source !== CLIENT))).toEqual(['duplicate_ack']);
    },
  );

  test.each([1, 2])(
    'RFC 8985 §4 packets that are overtaken are sent again once at most, until the path is known to do so (seed %i)',
    async (seed) => {
      const { client, wire, reordered } = await record(harmed({ reorder: 0.03, reorderBy: 5 }, seed));
      const early = anomalies(wire).filter(({ source }) => source === CLIENT);
      const overtaken = early.filter(({ findings }) => findings.includes('out_of_order'));
      expect(overtaken.length).toBeGreaterThan(3);
      expect(overtaken.length).toBeLessThanOrEqual(reordered);
      expect(new Set(['lost_segment', 'out_of_order', 'retransmission', 'spurious_retransmission'])).toEqual(
        new Set([...findingsOf(early), 'retransmission', 'spurious_retransmission']),
      );
      const again = anomalies(client).filter(({ source }) => source === CLIENT);
      expect(again.length).toBeLessThanOrEqual(1);
      // Of the first that was overtaken, and never after.
      if (again.length > 0) expect(again[0]?.seq).toBe(overtaken[0]?.seq);
    },
  );

  test('RFC 9293 §3.8.6.1 a reader that stops closes the window: it fills, is probed, and nothing is sent twice', async () => {
    const pair = makePair({ tcp: { receiveBufferSize: 20_000 }, path: { impair: { delay: 5 } } });
    const capture = pair.network.capture(pair.client);
    const [near, far] = await connectPair(pair, PORT);
    const sending = near.write(testBytes(100_000, 1)).then(() => near.end());
    await pair.network.run(pair.network.now + 30_000);
    await pair.network.run(Promise.all([far.readAll(), sending]));
    const found = anomalies(capture.bytes());
    const by = (host: string) => findingsOf(found.filter(({ source }) => source === host));
    expect(by(CLIENT)).toEqual(['window_full', 'zero_window_probe']);
    expect(by(SERVER)).toEqual(['zero_window', 'zero_window_probe_ack']);
  });
});
