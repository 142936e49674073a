/** Limits of buffers that follow the reader and the congestion window, segment by segment (see test/sim/buffers.test.ts for paths). */

import { describe, expect, test } from '@jest/globals';
import { EndpointEvent, type TcpOptions } from '../../../src/stack/index.ts';
import { tcpOptions } from '../../support/segment.ts';
import { acceptNext, acceptOne, listenOn, makeTcpHost, pattern, type Scripted } from './support.ts';

/** Made once: what it says doesn't matter here. */
const TEXT = pattern(1 << 18);
const SCALED_SYN = tcpOptions({ mss: 1460, windowShift: 7 });
const SMALL: TcpOptions = {
  sendBufferSize: 65_536,
  receiveBufferSize: 65_536,
  sendBufferMax: 1 << 18,
  receiveBufferMax: 1 << 18,
};

/** Rounds of 10 ms in which as much arrives as the window takes, up to `most`, and `read` of it is read. */
function receive(c: Scripted, rounds: number, most: number, read: number): void {
  const buffer = new Uint8Array(most);
  const { host, socket } = c;
  for (let round = 0; round < rounds; round++) {
    host.now += 10;
    for (let left = Math.min(most, socket.info().rcvWnd); left > 0; ) {
      const length = Math.min(left, 14_600);
      c.in({ payload: TEXT.subarray(0, length), sourcePort: socket.remotePort });
      c.seq += length;
      left -= length;
    }
    host.out();
    socket.read(buffer, 0, Math.min(read, most));
    host.out();
  }
}

describe('RFC 7323 §2 the receive buffer follows its reader', () => {
  test('given one who takes all that comes, it grows to what a round trip brings, and no further', () => {
    const c = acceptOne(makeTcpHost(SMALL), SCALED_SYN);
    receive(c, 20, 40_000, 40_000);
    expect(c.socket.receiveBufferSize).toBeGreaterThan(80_000);
    expect(c.socket.receiveBufferSize).toBeLessThan(200_000);
    expect(c.socket.info().rcvWnd).toBeGreaterThan(80_000);
  });

  test('no further than the maximum, and the window scale of the SYN was chosen for that', () => {
    const c = acceptOne(makeTcpHost({ ...SMALL, receiveBufferMax: 40 << 20 }), SCALED_SYN);
    expect(c.socket.info().rcvWindShift).toBe(10);
    const d = acceptOne(makeTcpHost(SMALL), SCALED_SYN);
    receive(d, 10, 1 << 18, 1 << 18);
    expect(d.socket.receiveBufferSize).toBe(1 << 18);
  });

  test.each([6000, 30_000])(
    'given one who leaves a part of what comes and takes %i bytes a time, it stays',
    (read) => {
      const c = acceptOne(makeTcpHost(SMALL), SCALED_SYN);
      receive(c, 60, 60_000, read);
      expect(c.socket.receiveBufferSize).toBe(65_536);
    },
  );

  test('OPT-SO_RCVBUF what the user sets stays, on accepted connections of that listener too', () => {
    const host = makeTcpHost(SMALL);
    const listener = listenOn(host);
    listener.receiveBufferSize = 50_000;
    const c = acceptNext(host, listener, 3000, SCALED_SYN);
    receive(c, 15, 50_000, 50_000);
    expect(c.socket.receiveBufferSize).toBe(50_000);
  });

  test('under memory pressure it stays', () => {
    const host = makeTcpHost({ ...SMALL, memoryLimit: 1 << 20 });
    const listener = listenOn(host, 100);
    const c = acceptNext(host, listener, 3000, SCALED_SYN);
    for (let i = 0; i < 13; i++) {
      acceptNext(host, listener, 4000 + i).socket.write(pattern(60_000), 0, 60_000);
      host.out();
    }
    expect(host.stack.counters.tcpMemoryPressures).toBe(1);
    receive(c, 15, 30_000, 30_000);
    expect(c.socket.receiveBufferSize).toBe(65_536);
  });
});

describe('IOC-SIO_IDEAL_SEND_BACKLOG_CHANGE the send buffer follows the congestion window', () => {
  /** Rounds in which all that may be sent is acknowledged. */
  function send(c: Scripted, rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      c.socket.write(TEXT, 0, TEXT.length);
      c.host.out();
      c.host.now += 10;
      c.in({ ack: c.socket.info().sndNxt, window: 0xffff });
      c.host.out();
    }
  }

  test('twice the window in powers of two, up to the maximum; each change is told', () => {
    const c = acceptOne(makeTcpHost(SMALL), SCALED_SYN, 0xffff);
    expect(c.socket.idealSendBacklog).toBe(65_536);
    expect(c.host.eventsOf(c.socket) & EndpointEvent.backlogChanged).toBe(0);
    send(c, 2);
    expect(c.socket.idealSendBacklog).toBe(65_536);
    send(c, 1);
    const { cwnd } = c.socket.info();
    expect(c.socket.idealSendBacklog).toBeGreaterThanOrEqual(cwnd);
    expect(c.socket.idealSendBacklog).toBeLessThan(4 * cwnd);
    expect(c.socket.sendBufferSize).toBe(c.socket.idealSendBacklog);
    expect(c.host.eventsOf(c.socket) & EndpointEvent.backlogChanged).not.toBe(0);
    send(c, 10);
    expect(c.socket.idealSendBacklog).toBe(1 << 18);
  });

  test('OPT-SO_SNDBUF a buffer that the user has set stays, and the ideal is told all the same', () => {
    const c = acceptOne(makeTcpHost(SMALL), SCALED_SYN, 0xffff);
    c.socket.sendBufferSize = 200_000;
    send(c, 10);
    expect(c.socket.sendBufferSize).toBe(200_000);
    expect(c.socket.idealSendBacklog).toBeGreaterThan(200_000);
  });

  test('a lowered limit drops nothing that is queued', () => {
    const c = acceptOne(makeTcpHost(SMALL), SCALED_SYN, 1000);
    expect(c.socket.write(pattern(60_000), 0, 60_000)).toBe(60_000);
    c.socket.sendBufferSize = 5000;
    expect(c.socket.unsentBytes).toBe(60_000);
    expect(c.socket.writableBytes).toBe(0);
  });
});
