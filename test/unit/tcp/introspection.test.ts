/** What a connection and a stack say of themselves: RFC 4022, RFC 4898, and the event stream. */

import { describe, expect, test } from '@jest/globals';
import {
  formatTcpEvent,
  StackError,
  TCP_EVENT_NAMES,
  TCP_STATES,
  TcpEvent,
  type TcpEventRecord,
  tcpEventRecord,
} from '../../../src/stack/index.ts';
import { tcpPacket } from '../../support/segment.ts';
import {
  acceptOne,
  address,
  connectOne,
  FULL_SYN,
  listenOn,
  makeTcpHost,
  must,
  PEER_ISN,
  PLAIN_SYN,
  PORT,
  pattern,
  type Scripted,
  type TcpHost,
} from './support.ts';

function write(c: Scripted, length: number): number {
  c.socket.noDelay = true;
  expect(c.socket.write(pattern(length), 0, length)).toBe(length);
  return c.host.out().length;
}

describe('RFC 4898 tcpEStatsPerfSndLim what holds a sender back', () => {
  test('the time without anything to send is the sender’s own, and it starts with ESTABLISHED', () => {
    const c = acceptOne(makeTcpHost());
    c.host.pass(500);
    write(c, 1000);
    c.exchange({ ack: c.ack + 1000 });
    c.host.pass(250);
    expect(c.socket.info()).toMatchObject({
      sndLimTimeSnd: 750,
      sndLimBytesSnd: 1000,
      sndLimTransSnd: 0,
      sndLimTimeRwin: 0,
      sndLimTimeCwnd: 0,
    });
  });

  test('a full receive window is the receiver’s limit until it opens', () => {
    const c = acceptOne(makeTcpHost(), PLAIN_SYN, 2920);
    c.host.pass(100);
    write(c, 4000);
    c.host.now += 40;
    expect(c.socket.info()).toMatchObject({ sndLimTransRwin: 1, sndLimTimeRwin: 40, sndLimTimeSnd: 100 });
    c.exchange({ ack: c.ack + 2920 });
    c.host.now += 7;
    expect(c.socket.info()).toMatchObject({
      sndLimTransRwin: 1,
      sndLimTimeRwin: 40,
      sndLimTransSnd: 1,
      sndLimTimeSnd: 107,
      sndLimTransCwnd: 0,
    });
  });

  test('a full congestion window is the path’s limit, and the bytes of all states add up', () => {
    const c = acceptOne(makeTcpHost());
    const packets = write(c, 60_000);
    expect(packets).toBe(10);
    c.host.now += 30;
    const info = c.socket.info();
    expect(info).toMatchObject({ sndLimTransCwnd: 1, sndLimTimeCwnd: 30, sndLimTransRwin: 0 });
    c.exchange({ ack: c.ack + 14_600 });
    const after = c.socket.info();
    expect(after.sndLimBytesCwnd + after.sndLimBytesSnd + after.sndLimBytesRwin).toBe(
      after.bytesOut + after.bytesRetrans,
    );
    expect(after.sndLimBytesCwnd).toBeGreaterThan(14_600);
  });

  test('the clock stops when the FIN is acknowledged: nothing is left to send', () => {
    const c = acceptOne(makeTcpHost());
    c.host.pass(100);
    c.socket.shutdownWrite();
    c.host.out();
    c.exchange({ ack: c.ack + 1 });
    expect(c.socket.state).toBe('FIN-WAIT-2');
    c.host.pass(5000);
    expect(c.socket.info()).toMatchObject({ sndLimTimeSnd: 100, sndLimTimeRwin: 0, sndLimTimeCwnd: 0 });
  });

  test('the three times add up to the time in which the connection could send', () => {
    const c = acceptOne(makeTcpHost(), PLAIN_SYN, 20_000);
    const start = c.host.now;
    let acked = c.ack;
    for (let round = 0; round < 20; round++) {
      write(c, 2100 * (round % 5));
      c.host.now += 10 + round;
      acked = (acked + c.socket.info().flightSize) | 0;
      c.exchange({ ack: acked, window: 3000 * (round % 4) + 1000 });
      c.host.now += round % 3;
    }
    const info = c.socket.info();
    expect(info.sndLimTimeSnd + info.sndLimTimeRwin + info.sndLimTimeCwnd).toBe(c.host.now - start);
    expect(Math.min(info.sndLimTransSnd, info.sndLimTransRwin)).toBeGreaterThan(0);
  });
});

describe('RFC 4898 counts of a connection', () => {
  test('tcpEStatsStackSubsequentTimeouts: a timeout that repeats belongs to the episode of the first', () => {
    const c = acceptOne(makeTcpHost());
    write(c, 100);
    for (let i = 0; i < 3; i++) c.host.pass(60_000);
    expect(c.socket.info()).toMatchObject({
      timeouts: 3,
      timeoutEpisodes: 1,
      retransSegs: 3,
      bytesRetrans: 300,
    });
    c.exchange({ ack: c.ack + 100 });
    write(c, 100);
    c.host.pass(60_000);
    expect(c.socket.info()).toMatchObject({ timeouts: 4, timeoutEpisodes: 2 });
  });

  test('a SYN sent again is counted apart', () => {
    const host = makeTcpHost();
    listenOn(host);
    host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
    const [synAck] = host.out();
    host.pass(10_000);
    host.pass(10_000);
    const ack = ((synAck?.seq ?? 0) + 1) | 0;
    host.in({ flags: '.', seq: PEER_ISN + 1, ack });
    const [, connection] = [...host.stack.endpoints()] as unknown as Scripted['socket'][];
    expect(connection?.info()).toMatchObject({ synRetrans: 2, state: 'ESTABLISHED', bytesRetrans: 0 });
  });

  test('text out of order is counted in packets and bytes', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.in({ seq: c.seq + 1000, payload: 1000 });
    c.in({ seq: c.seq + 2000, payload: 500 });
    c.in({ seq: c.seq, payload: 1000 });
    expect(c.socket.info()).toMatchObject({ outOfOrderPktsIn: 2, bytesReordered: 1500, bytesIn: 2500 });
  });
});

describe('RFC 4898 the tables of a connection', () => {
  test('tcpEStatsPerfTable: packets, octets and windows, and what was sent again', () => {
    const c = acceptOne(makeTcpHost(), PLAIN_SYN, 8000);
    write(c, 3000);
    c.exchange({ ack: c.ack + 1460, payload: 500, window: 0 });
    c.host.pass(60_000);
    expect(c.socket.statistics()?.perf).toMatchObject({
      dataSegsOut: 4,
      dataOctetsOut: 3000 + 1460,
      segsRetrans: 1,
      octetsRetrans: 1460,
      dataSegsIn: 1,
      dataOctetsIn: 500,
      pipeSize: 1540,
      maxPipeSize: 3000,
      timeouts: 1,
      curRwinRcvd: 0,
      maxRwinRcvd: 8000,
      zeroRwinRcvd: 1,
    });
  });

  test('tcpEStatsPathTable: sums, extremes and the last of the round trips', () => {
    const c = acceptOne(makeTcpHost());
    const { sumRtt, countRtt } = c.socket.statistics()?.path ?? { sumRtt: -1, countRtt: -1 };
    for (const delay of [30, 50, 10]) {
      write(c, 100);
      c.host.now += delay;
      c.ack += 100;
      c.exchange();
    }
    const path = c.socket.statistics()?.path;
    expect(path).toMatchObject({ sampleRtt: 10, maxRtt: 50, sumRtt: sumRtt + 90, countRtt: countRtt + 3 });
    expect(path?.maxRto).toBeGreaterThanOrEqual(path?.minRto ?? Number.POSITIVE_INFINITY);
  });

  test('tcpEStatsStackTable: what was negotiated, and how loss recovery stands', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    expect(c.socket.statistics()?.stack).toMatchObject({
      activeOpen: false,
      mssRcvd: 1460,
      winScaleRcvd: 7,
      timeStamps: true,
      willSendSack: true,
      nagle: true,
      inRecovery: 'open',
      fastRetran: 0,
    });
    write(c, 100);
    c.host.pass(60_000);
    c.host.pass(60_000);
    const { inRecovery, ptoEpisodes = 0, ...stack } = c.socket.statistics()?.stack ?? {};
    expect(stack).toMatchObject({ nagle: false, curTimeoutCount: 2 - ptoEpisodes });
    expect(connectOne(makeTcpHost()).socket.statistics()?.stack.activeOpen).toBe(true);
  });

  test('tcpEStatsAppTable: what waits on both sides, and the most that ever did', () => {
    const c = acceptOne(makeTcpHost());
    write(c, 3000);
    c.exchange({ ack: c.ack + 3000, payload: 700 });
    c.socket.read(new Uint8Array(700), 0, 700);
    expect(c.socket.statistics()?.app).toMatchObject({
      thruOctetsAcked: 3000,
      thruOctetsReceived: 700,
      curAppWQueue: 0,
      maxAppWQueue: 3000,
      curAppRQueue: 0,
      maxAppRQueue: 700,
    });
    expect(makeTcpHost().stack.openTcp().statistics()).toBeNull();
  });
});

describe('RFC 4022 the TCP group of the MIB', () => {
  const mib = (host: TcpHost) => host.stack.counters;

  test('tcpOutSegs leaves out segments that hold only what was sent before; tcpRetransSegs counts them', () => {
    const c = acceptOne(makeTcpHost());
    write(c, 100);
    const before = mib(c.host).tcpOutSegs;
    for (let i = 0; i < 3; i++) expect(c.host.pass(60_000)).toHaveLength(1);
    expect(mib(c.host)).toMatchObject({ tcpOutSegs: before, tcpRetransSegs: 3 });
  });

  test('tcpInSegs counts segments with errors too, and tcpInErrs them alone', () => {
    const c = acceptOne(makeTcpHost());
    const { tcpInSegs } = mib(c.host);
    const damaged = tcpPacket({
      sourcePort: 1025,
      destinationPort: PORT,
      seq: c.seq,
      flags: '.',
      payload: 10,
    });
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
    c.host.stack.inputPacket(c.host.index, damaged);
    expect(mib(c.host)).toMatchObject({ tcpInSegs: tcpInSegs + 1, tcpInErrs: 1 });
  });

  test('tcpActiveOpens, tcpPassiveOpens and tcpCurrEstab follow the state machine', () => {
    const host = makeTcpHost();
    const c = connectOne(host);
    expect(mib(host)).toMatchObject({ tcpActiveOpens: 1, tcpPassiveOpens: 0, tcpCurrEstab: 1 });
    c.exchange({ flags: 'F.' });
    expect(mib(host).tcpCurrEstab).toBe(1);
    c.socket.close();
    host.out();
    expect(mib(host)).toMatchObject({ tcpCurrEstab: 0, tcpEstabResets: 0, tcpAttemptFails: 0 });
    const other = makeTcpHost();
    acceptOne(other);
    expect(mib(other)).toMatchObject({ tcpActiveOpens: 0, tcpPassiveOpens: 1, tcpCurrEstab: 1 });
  });

  test('tcpEstabResets: ESTABLISHED or CLOSE-WAIT straight to CLOSED, whichever side resets', () => {
    const c = acceptOne(makeTcpHost());
    c.in({ flags: 'R' });
    expect(mib(c.host)).toMatchObject({ tcpEstabResets: 1, tcpCurrEstab: 0, tcpOutRsts: 0 });
    const d = acceptOne(makeTcpHost());
    d.exchange({ flags: 'F.' });
    d.socket.abort();
    expect(mib(d.host)).toMatchObject({ tcpEstabResets: 1, tcpCurrEstab: 0, tcpOutRsts: 1 });
  });

  test('tcpAttemptFails: a connect that is refused, and a SYN-RECEIVED that is reset', () => {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    must(socket.connect(address('10.0.0.2'), 5));
    host.stack.advance();
    host.stack.flushEvents();
    expect(socket.error).toBe(StackError.connectionRefused);
    expect(mib(host).tcpAttemptFails).toBe(1);
    listenOn(host);
    host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
    host.in({ flags: 'R', seq: PEER_ISN + 1 });
    expect(mib(host)).toMatchObject({ tcpAttemptFails: 2, tcpPassiveOpens: 1, tcpEstabResets: 0 });
  });
});

describe('the event stream', () => {
  /** A host whose events are collected. */
  function observed(): { host: TcpHost; events: TcpEventRecord[] } {
    const host = makeTcpHost();
    const events: TcpEventRecord[] = [];
    host.stack.observeTcp((endpoint, event, a, b) => {
      events.push(tcpEventRecord(host.stack.now, endpoint, event, a, b));
    });
    return { host, events };
  }

  const states = (events: TcpEventRecord[]) =>
    events.flatMap((record) => (record.event === 'state' ? [`${record.from} ${record.to}`] : []));

  test('RFC 9293 §3.3.2 every change of state, from the first to the end of TIME-WAIT, with user or without', () => {
    for (const isHeld of [true, false]) {
      const { host, events } = observed();
      const c = acceptOne(host);
      if (isHeld) c.socket.shutdownWrite();
      else c.socket.close();
      host.out();
      c.exchange({ ack: c.ack + 1 });
      c.exchange({ flags: 'F.', ack: c.ack + 1 });
      host.pass(200_000);
      expect(states(events)).toEqual([
        'CLOSED SYN-RECEIVED',
        'SYN-RECEIVED ESTABLISHED',
        'ESTABLISHED FIN-WAIT-1',
        'FIN-WAIT-1 FIN-WAIT-2',
        'FIN-WAIT-2 TIME-WAIT',
        'TIME-WAIT CLOSED',
      ]);
      expect(new Set(events.map(({ endpoint }) => endpoint)).size).toBe(1);
      expect(events[1]).toMatchObject({ local: '10.0.0.2:80', remote: '10.0.0.1:1025' });
    }
  });

  test('RFC 6298 samples of the round trip, and timeouts with how often in a row', () => {
    const { host, events } = observed();
    const c = acceptOne(host);
    events.length = 0;
    write(c, 100);
    host.now += 30;
    c.exchange({ ack: c.ack + 100 });
    expect(events.filter(({ event }) => event === 'rtt')).toMatchObject([{ sample: 30 }]);
    c.ack += 100;
    write(c, 100);
    host.pass(60_000);
    host.pass(60_000);
    const [first, second] = events.flatMap((record) => (record.event === 'timeout' ? [record] : []));
    expect([first?.times, second?.times]).toEqual([1, 2]);
    expect(second?.rto).toBe(2 * (first?.rto ?? 0));
  });

  test('RFC 5681 §3.1 the window and its threshold, whenever one of them changes', () => {
    const { host, events } = observed();
    const c = acceptOne(host);
    const windows = () => events.flatMap((record) => (record.event === 'window' ? [record.cwnd] : []));
    expect(windows()).toEqual([c.socket.info().cwnd]);
    write(c, 14_600);
    c.exchange({ ack: c.ack + 14_600 });
    write(c, 1000);
    host.pass(60_000);
    const last = events.findLast(({ event }) => event === 'window');
    const { cwnd, ssthresh } = c.socket.info();
    expect(last).toMatchObject({ cwnd, ssthresh });
    expect(windows().length).toBeGreaterThan(2);
  });

  test('a buffer whose limit changes', () => {
    const { host, events } = observed();
    const c = acceptOne(host);
    c.socket.sendBufferSize = 100_000;
    c.socket.receiveBufferSize = 200_000;
    expect(events.at(-1)).toMatchObject({ event: 'buffer', send: 100_000, receive: 200_000 });
  });

  test('the observer of the options hears the same; null ends it', () => {
    const { host, events } = observed();
    host.stack.observeTcp(null);
    acceptOne(host);
    expect(events).toEqual([]);
  });

  test('every kind has a record and a line of text', () => {
    const { host } = observed();
    const { socket } = acceptOne(host);
    for (const name of TCP_EVENT_NAMES) {
      const record = tcpEventRecord(5, socket, TcpEvent[name], 1, 2);
      expect(record).toMatchObject({ event: name, at: 5, endpoint: socket.id });
      expect(formatTcpEvent(record)).not.toMatch(/undefined|NaN/);
    }
    expect(TCP_STATES).toHaveLength(11);
    expect(() => tcpEventRecord(5, socket, 99, 1, 2)).toThrow(RangeError);
  });
});
