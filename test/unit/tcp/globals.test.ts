/** TCP's settings that are changed while the stack runs: what they do to what is opened, accepted and under way. */

import { describe, expect, test } from '@jest/globals';
import { tcpOptions } from '../../support/segment.ts';
import { acceptNext, acceptOne, listenOn, makeTcpHost, pattern, peer, type Scripted } from './support.ts';

const SCALED_SYN = tcpOptions({ mss: 1460, windowShift: 7 });
const TEXT = pattern(1 << 18);
const NORMAL = 0xffff << 8;

/** Rounds of 10 ms in which as much arrives as the window takes, up to 40,000 bytes, and all of it is read. */
function receive(c: Scripted, rounds: number): void {
  const buffer = new Uint8Array(1 << 18);
  const { host, socket } = c;
  for (let round = 0; round < rounds; round++) {
    host.now += 10;
    for (let left = Math.min(40_000, socket.info().rcvWnd); left > 0; ) {
      const length = Math.min(left, 14_600);
      c.in({ payload: TEXT.subarray(0, length), sourcePort: socket.remotePort });
      c.seq += length;
      left -= length;
    }
    host.out();
    socket.read(buffer, 0, buffer.length);
    host.out();
  }
}

describe('TCP settings of a stack that runs', () => {
  test('are told as they are', () => {
    const { stack } = makeTcpHost();
    expect(stack.tcpGlobals).toEqual({
      sendBufferSize: 256 << 10,
      sendBufferMax: 16 << 20,
      receiveBufferSize: 256 << 10,
      receiveBufferMax: NORMAL,
      initialRto: 1000,
      maxSynRetransmissions: 4,
      timestamps: true,
      ecn: 'passive',
      fastOpen: false,
      congestionControl: 'cubic',
      pacing: false,
    });
    stack.setTcpGlobals({ ecn: 'classic', pacing: true });
    expect(stack.tcpGlobals).toMatchObject({ ecn: 'classic', pacing: true, timestamps: true });
  });

  test('a receive buffer that is not tuned stays at 64 KiB; one that is grows again', () => {
    const host = makeTcpHost();
    host.stack.setTcpGlobals({ receiveBufferSize: 0xffff, receiveBufferMax: 0xffff });
    const fixed = acceptOne(host, SCALED_SYN);
    receive(fixed, 20);
    expect(fixed.socket.receiveBufferSize).toBe(0xffff);
    expect(fixed.socket.info().rcvWnd).toBeLessThanOrEqual(0xffff);

    const other = makeTcpHost();
    other.stack.setTcpGlobals({ receiveBufferSize: 0xffff, receiveBufferMax: 0xffff << 2 });
    const tuned = acceptOne(other, SCALED_SYN);
    receive(tuned, 40);
    expect(tuned.socket.receiveBufferSize).toBeGreaterThan(80_000);
    expect(tuned.socket.receiveBufferSize).toBeLessThanOrEqual(0xffff << 2);
  });

  test('a listener that was there accepts with the new settings, unless its user has chosen', () => {
    const host = makeTcpHost();
    const listener = listenOn(host);
    host.stack.setTcpGlobals({
      receiveBufferSize: 0xffff,
      receiveBufferMax: 0xffff,
      congestionControl: 'newreno',
    });
    const accepted = acceptNext(host, listener, 2000, SCALED_SYN);
    expect(accepted.socket.receiveBufferSize).toBe(0xffff);
    expect(accepted.socket.congestionControl).toBe('newreno');

    const chosen = makeTcpHost();
    const other = listenOn(chosen);
    other.receiveBufferSize = 100_000;
    chosen.stack.setTcpGlobals({ receiveBufferSize: 0xffff, receiveBufferMax: 0xffff });
    expect(acceptNext(chosen, other, 2000, SCALED_SYN).socket.receiveBufferSize).toBe(100_000);
  });

  test('a connection keeps what it has, but grows no further than the new maximum', () => {
    const host = makeTcpHost({ receiveBufferSize: 65_536, receiveBufferMax: 1 << 20 });
    const c = acceptOne(host, SCALED_SYN);
    host.stack.setTcpGlobals({ receiveBufferMax: 70_000, congestionControl: 'newreno' });
    receive(c, 40);
    expect(c.socket.receiveBufferSize).toBe(70_000);
    expect(c.socket.congestionControl).toBe('cubic');
  });

  test('RFC 6298 §2.1 the first SYN waits as long as it is told, and is sent again as often', () => {
    const host = makeTcpHost();
    host.stack.setTcpGlobals({ initialRto: 300, maxSynRetransmissions: 2, timestamps: false });
    const socket = host.stack.openTcp(host.family.family);
    socket.connect(peer(), 7000);
    const [first] = host.out();
    expect(first).toMatchObject({ flags: 'S' });
    const times: number[] = [];
    const began = host.now;
    for (let i = 0; i < 20; i++)
      if (host.pass(500).some(({ flags }) => flags === 'S')) times.push(host.now - began);
    expect(times.map((ms) => Math.round(ms / 100) * 100)).toEqual([300, 900]);
    expect(socket.state).toBe('CLOSED');
  });

  test('RFC 3168 §6.1.1 ECN is asked for once that is wanted', () => {
    const host = makeTcpHost();
    host.stack.setTcpGlobals({ ecn: 'classic' });
    const socket = host.stack.openTcp(host.family.family);
    socket.connect(peer(), 7000);
    expect(host.out()[0]?.flags).toBe('SEW');
  });

  test.each([
    { receiveBufferMax: 100 },
    { receiveBufferSize: 2 ** 31 },
    { initialRto: 1 },
    { maxSynRetransmissions: -1 },
    { sendBufferMax: Number.NaN },
  ])('%j is refused, and nothing changes', (change) => {
    const { stack } = makeTcpHost();
    const before = stack.tcpGlobals;
    expect(() => stack.setTcpGlobals({ pacing: true, ...change })).toThrow(RangeError);
    expect(() => stack.setTcpGlobals({ congestionControl: 'ctcp' as 'cubic' })).toThrow(RangeError);
    expect(stack.tcpGlobals).toEqual(before);
  });
});
