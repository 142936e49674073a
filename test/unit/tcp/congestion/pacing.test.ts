/** Segments of a paced connection leave spread over the round trip. */

import { describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createTransmitBatch,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  TX_COLUMNS,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD2_LENGTH,
} from '../../../../src/base/index.ts';
import type { TcpOptions } from '../../../../src/stack/index.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { listenOn, makeTcpHost, PEER_ISN, PEER_PORT, PLAIN_SYN, type TcpHost } from '../support.ts';

const RTT = 100;

/** Its window does not change. */
class Rated extends NewReno {
  override onAck(): void {}
}

/** A connection whose handshake took {@link RTT}; `peer` hands in an ACK of the first `bytes` bytes. */
function connect(tcp: TcpOptions, offload = 0) {
  const host = makeTcpHost({ ...tcp, delayedAckMs: 1 }, { offload });
  const listener = listenOn(host);
  host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN, window: 65_535, sourcePort: PEER_PORT });
  const first = (host.out()[0]?.seq ?? 0) + 1;
  host.now += RTT;
  const acknowledge = (bytes: number): void =>
    void host.in({ flags: '.', seq: PEER_ISN + 1, ack: (first + bytes) | 0, window: 65_535 });
  acknowledge(0);
  const socket = listener.accept();
  if (socket === null) throw new Error('nothing to accept');
  socket.write(new Uint8Array(60_000), 0, 60_000);
  return { host, socket, acknowledge };
}

/** What is sent within `ms`: when, after now, and how many bytes. */
function departures(host: TcpHost, ms: number): [number, number][] {
  const start = host.now;
  const list: [number, number][] = [];
  const batch = createTransmitBatch(64);
  for (;;) {
    host.stack.advance();
    host.stack.flushEvents();
    while (host.stack.output(host.index, batch) > 0) {
      for (let i = 0; i < batch.count; i++) {
        const row = i * TX_COLUMNS;
        const length =
          (batch.table[row + TX_PAYLOAD1_LENGTH] as number) +
          (batch.table[row + TX_PAYLOAD2_LENGTH] as number);
        if (length > 0) list.push([host.now - start, length]);
      }
      clearTransmitBatch(batch);
    }
    if (host.stack.nextDeadline > start + ms) break;
    host.now = Math.max(host.now, host.stack.nextDeadline);
  }
  host.now = start + ms;
  return list;
}

describe('pacing', () => {
  test('without it the initial window is one burst', () => {
    const { host } = connect({ congestionControl: 'newreno' });
    const sent = departures(host, RTT - 1);
    expect(sent.map(([at]) => at)).toEqual(new Array(10).fill(0));
  });

  test('with it the initial window leaves over half a round trip in slow start, segment by segment', () => {
    const { host } = connect({ congestionControl: 'newreno', pacing: true });
    const sent = departures(host, RTT - 1);
    expect(sent).toHaveLength(10);
    // Two windows a round trip: 292 bytes each ms, and two segments at once.
    expect(sent.map(([at]) => Math.round(at))).toEqual([0, 0, 8, 8, 18, 18, 28, 28, 38, 38]);
  });

  test('what leaves at once is worth a millisecond, so that offload keeps its worth', () => {
    const { host, socket, acknowledge } = connect({ pacing: true }, OFFLOAD_CSUM | OFFLOAD_TSO4);
    departures(host, RTT - 10);
    host.now += 10;
    acknowledge(14_600);
    socket.congestionControl = () =>
      Object.assign(new Rated(), { smss: 1460, pacingRate: 10_000, cwnd: 1_000_000, isPaced: true });
    const sent = departures(host, 2);
    expect(sent.length).toBeGreaterThan(2);
    for (const [, bytes] of sent.slice(0, -1)) expect(bytes).toBeGreaterThan(8000);
    for (const [, bytes] of sent) expect(bytes).toBeLessThanOrEqual(10_000);
  });

  test('the rate is kept on average when timers are late', () => {
    const { host, socket, acknowledge } = connect({ pacing: true });
    departures(host, RTT - 10);
    host.now += 10;
    acknowledge(14_600);
    socket.congestionControl = () => Object.assign(new Rated(), { pacingRate: 750, isPaced: true });
    let bytes = 0;
    for (let ms = 0; ms < 20; ms++) {
      host.now += 1.4;
      host.stack.advance();
      for (const packet of host.out()) bytes += packet.payload.length;
    }
    expect(bytes).toBeGreaterThan(0.85 * 28 * 750);
    expect(bytes).toBeLessThan(1.15 * 28 * 750 + 2 * 1500);
  });
});
