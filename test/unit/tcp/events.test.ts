/** Every kind of event is told where it happens, with its figures: `TcpEvent`. */

import { describe, expect, test } from '@jest/globals';
import {
  type Stack,
  TCP_EVENT_NAMES,
  type TcpEventName,
  type TcpEventRecord,
  type TcpOptions,
  tcpEventRecord,
} from '../../../src/stack/index.ts';
import { HOST, icmpPacket, PEER, tcpOptions, tcpPacket } from '../../support/segment.ts';
import { acceptEcn } from './ecn-support.ts';
import { acceptOne, makeTcpHost, Pair, type PathOptions, PEER_PORT, PORT, pattern } from './support.ts';

/** Collects what happens on a stack. */
function observe(stack: Stack): TcpEventRecord[] {
  const events: TcpEventRecord[] = [];
  stack.observeTcp((endpoint, event, a, b) => events.push(tcpEventRecord(stack.now, endpoint, event, a, b)));
  return events;
}

/** The events of the side that sends 400 KB over a path, read as they come. */
function eventsOf(seed: number, path: PathOptions, tcp: TcpOptions = {}): TcpEventRecord[] {
  const pair = new Pair(seed, path, tcp);
  const events = observe(pair.stacks[0]);
  const [client, server] = pair.connect();
  const bytes = pattern(400_000);
  const into = new Uint8Array(65_536);
  let at = 0;
  let read = 0;
  const isDone = pair.run(() => {
    if (at < bytes.length) at += Math.max(0, client.write(bytes, at, bytes.length - at));
    for (let got = server.read(into, 0, into.length); got > 0; got = server.read(into, 0, into.length))
      read += got;
    return read === bytes.length;
  });
  expect(isDone).toBe(true);
  pair.pass(1000);
  return events;
}

const of = <Name extends TcpEventName>(events: readonly TcpEventRecord[], name: Name) =>
  events.flatMap((record) => (record.event === name ? [record as TcpEventRecord & { event: Name }] : []));

describe('loss episodes', () => {
  test('RFC 8985 an episode begins with its reason and what was lost, and ends: begins and ends alternate', () => {
    const events = eventsOf(3, { loss: 0.03, delay: 20 });
    const starts = of(events, 'lossStart');
    expect(starts.length).toBeGreaterThan(2);
    expect(new Set(starts.map(({ reason }) => reason))).toContain('sack');
    expect(starts.filter(({ reason, lost }) => reason === 'sack' && lost === 0)).toEqual([]);
    const ends = of(events, 'lossEnd');
    expect(ends.map(({ reason }) => reason)).toEqual(starts.map(({ reason }) => reason));
    const order = events.flatMap(({ event }) =>
      event === 'lossStart' || event === 'lossEnd' ? [event] : [],
    );
    expect(order).toEqual(starts.flatMap(() => ['lossStart', 'lossEnd']));
  });

  test('RFC 6582 without SACK the reason is duplicate ACKs', () => {
    const events = eventsOf(3, { loss: 0.02, delay: 20 }, { sack: false });
    expect(new Set(of(events, 'lossStart').map(({ reason }) => reason))).toContain('duplicateAcks');
  });

  test('RFC 5682 what turns out to have been a delay ends as spurious', () => {
    const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, sackPermitted: true }));
    const events = observe(c.host.stack);
    c.socket.write(pattern(7300), 0, 7300);
    c.host.out();
    while (of(events, 'timeout').length === 0) c.host.pass(10_000);
    // The originals were under way: two of them are acknowledged, and only the first was sent again.
    c.exchange({ ack: c.ack + 2920 });
    expect(of(events, 'lossStart')[0]).toMatchObject({ reason: 'timeout' });
    expect(of(events, 'lossEnd')[0]).toMatchObject({ reason: 'timeout', isSpurious: true });
    expect(c.socket.info().spuriousRecoveries).toBe(1);
  });
});

describe('the other kinds', () => {
  test('RFC 8985 §7 a tail-loss probe names the segment that it sends', () => {
    let isTail = false;
    const pair = new Pair(1, { delay: 20, drop: (_packet, fromFirst) => fromFirst && isTail });
    const events = observe(pair.stacks[0]);
    const [client] = pair.connect();
    client.write(pattern(10_000), 0, 10_000);
    pair.pass(500);
    isTail = true;
    const { sndNxt } = client.info();
    client.write(pattern(700), 0, 700);
    pair.pass(300);
    expect(of(events, 'tailProbe')).toMatchObject([{ seq: sndNxt, length: 700 }]);
  });

  test('RFC 3168 §6.1.2 an echo of congestion, with the bytes it stands for and the window after', () => {
    const c = acceptEcn({ ecn: 'classic' }, 'SEW');
    const events = observe(c.host.stack);
    const before = c.socket.info().cwnd;
    c.write(10_000);
    c.ack += 10_000;
    c.send({ flags: '.E' });
    const { cwnd, eceAcksIn } = c.socket.info();
    expect(cwnd).toBeLessThan(before);
    expect(of(events, 'congestionEcho')).toMatchObject([{ marked: 10_000, cwnd }]);
    expect(eceAcksIn).toBe(1);
    expect(c.socket.statistics()).toMatchObject({
      perf: { congSignals: 1 },
      path: { ecnSignals: 1, eceAcksRcvd: 1 },
    });
  });

  test('RFC 9293 §3.8.6 a buffer that grows with what the path carries', () => {
    const events = eventsOf(1, { delay: 50 });
    const sizes = of(events, 'buffer').map(({ send }) => send);
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });

  test('no kind is without a source: a lossy transfer, an echo and a smaller path tell all of them', () => {
    const seen = new Set<TcpEventName>();
    const add = (events: readonly TcpEventRecord[]): void => {
      for (const { event } of events) seen.add(event);
    };
    add(eventsOf(3, { loss: 0.05, delay: 20 }));
    const c = acceptEcn({ ecn: 'classic' }, 'SEW');
    const events = observe(c.host.stack);
    c.write(10_000);
    const quoted = tcpPacket({
      src: HOST,
      dst: PEER,
      sourcePort: PORT,
      destinationPort: PEER_PORT,
      seq: c.ack,
      payload: 1460,
    });
    // Don't fragment.
    quoted[6] = 0x40;
    const tooBig = icmpPacket({ type: 3, code: 4, rest: 1000, payload: quoted.slice(0, 28) });
    expect(c.host.stack.inputPacket(c.host.index, tooBig)).toBe(0);
    c.host.out();
    expect(of(events, 'pathMtu')).toMatchObject([{ mtu: 1000, smss: 960 }]);
    c.ack += 5000;
    c.send({ flags: '.E' });
    c.socket.sendBufferSize = 50_000;
    // Nobody answers any more.
    for (let i = 0; i < 3; i++) c.host.pass(60_000);
    add(events);
    expect(TCP_EVENT_NAMES.filter((name) => !seen.has(name))).toEqual([]);
  });
});
