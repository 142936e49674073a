/** Many connections under one bound of memory (src/stack/tcp/memory.ts, shedding.ts; RFC 2018 §8). */

import { describe, expect, test } from '@jest/globals';
import { PoolAllocator } from '../../../src/base/index.ts';
import { StackError, type TcpEndpoint, type TcpOptions } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { acceptNext, listenOn, makeTcpHost, pattern, type Scripted, type TcpHost } from './support.ts';

const MSS = 1448;

/** Connections of peers from ports 2000 on, whose first byte has made us offer the whole window. */
function acceptMany(host: TcpHost, listener: TcpEndpoint, count: number): Scripted[] {
  return Array.from({ length: count }, (_, i) => {
    const c = acceptNext(host, listener, 2000 + i);
    text(c, 0, 1);
    host.out();
    c.socket.read(new Uint8Array(1), 0, 1);
    c.seq++;
    return c;
  });
}

/** Text of `length` bytes, `ahead` of what was received, of one of several connections. @returns the drop reason */
function text(c: Scripted, ahead: number, length: number): number {
  return c.in({ seq: c.seq + ahead, payload: pattern(length), sourcePort: c.socket.remotePort });
}

/** The next text in order, read at once. @returns whether all of it was taken */
function pass(c: Scripted, buffer: Uint8Array): boolean {
  text(c, 0, MSS);
  const got = c.socket.read(buffer, 0, buffer.length);
  if (got > 0) c.seq += got;
  return got === MSS;
}

function makeHost(memoryLimit: number, tcp: TcpOptions = {}): { host: TcpHost; listener: TcpEndpoint } {
  const host = makeTcpHost({ memoryLimit, ...tcp });
  return { host, listener: listenOn(host, 2000) };
}

describe('bounded memory of early text', () => {
  /** What each of a thousand attackers sends: early text and its places. */
  const attacks: [string, (c: Scripted) => void][] = [
    ['a byte at the far end of the window', (c) => void text(c, c.socket.info().rcvWnd - 1, 1)],
    [
      'a byte every 4096',
      (c) => {
        for (let at = 4096; at < 200_000; at += 4096) text(c, at, 1);
      },
    ],
    [
      'every other byte',
      (c) => {
        for (let at = 1; at < 200; at += 2) text(c, at, 1);
      },
    ],
    [
      '60 KB behind a hole',
      (c) => {
        for (let i = 0; i < 5; i++) text(c, 1 + i * 12_000, 12_000);
      },
    ],
  ];
  test.each(attacks)('given 1000 peers that send %s under 16 MB, a good connection goes on', (_, attack) => {
    const { host, listener } = makeHost(16 << 20);
    const good = acceptNext(host, listener, 1999);
    const attackers = acceptMany(host, listener, 1000);
    const buffer = new Uint8Array(100_000);
    let most = 0;
    let taken = 0;
    for (const attacker of attackers) {
      attack(attacker);
      for (let i = 0; i < 4; i++) if (pass(good, buffer)) taken++;
      host.out();
      host.now += 1;
      most = Math.max(most, host.allocator.inUse);
    }
    expect(most).toBeLessThanOrEqual(16 << 20);
    expect(taken).toBe(4000);
    expect(good.socket.error).toBe(0);
  });

  test('RFC 2018 §8 sparse early text is forgotten under pressure: no later SACK option has it, and it is taken again', () => {
    const { host, listener } = makeHost(1 << 20);
    const many = acceptMany(host, listener, 8);
    for (const c of many) text(c, 100_000, 10);
    host.out();
    expect(host.stack.counters.tcpMemoryPressures).toBeGreaterThan(0);
    expect(host.stack.counters.tcpRenegedBytes).toBeGreaterThan(0);
    const [first] = many as [Scripted];
    text(first, 0, 1);
    const [ack] = host.out();
    expect(ack?.options).not.toContain('sack');
    for (let at = 1; at < 100_000; at += 33_333) text(first, at, 33_333);
    host.out();
    text(first, 100_000, 10);
    const buffer = new Uint8Array(200_000);
    expect(first.socket.read(buffer, 0, 200_000)).toBe(100_010);
  });

  test('RFC 2018 §8 dense early text is kept under pressure, and given up past the high mark only', () => {
    const { host, listener } = makeHost(1 << 20);
    const many = acceptMany(host, listener, 70);
    for (const c of many.slice(0, 12)) for (let i = 1; i <= 42; i++) text(c, i * MSS, MSS);
    expect(host.allocator.inUse).toBeGreaterThan((1 << 20) * 0.7);
    expect(host.stack.counters.tcpRenegedBytes).toBe(0);
    // Text in order of many others: their first pieces fill what is left.
    for (const c of many.slice(12)) {
      expect(text(c, 0, 10)).toBe(0);
      host.now += 20;
    }
    expect(host.stack.counters.tcpRenegedBytes).toBeGreaterThan(0);
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 20);
  });
});

describe('RFC 9293 §3.8.6 windows and writes under memory pressure', () => {
  /** A host with `count` connections whose peers do not acknowledge `length` bytes each. */
  function crowded(count: number, length = 60_000): { host: TcpHost; many: Scripted[]; fresh: Scripted } {
    const { host, listener } = makeHost(1 << 20, { sendBufferSize: 65_536 });
    const fresh = acceptNext(host, listener, 1999);
    const many = acceptMany(host, listener, count);
    for (const c of many) c.socket.write(pattern(length), 0, length);
    host.out();
    return { host, many, fresh };
  }

  test('SHLD-14 pressure takes no offered byte back, and opens no window past a fair share', () => {
    const { host, fresh } = crowded(13);
    expect(host.stack.counters.tcpMemoryPressures).toBe(1);
    const buffer = new Uint8Array(100_000);
    let edge = fresh.seq + fresh.socket.info().rcvWnd;
    let largest = 0;
    for (let i = 0; i < 400; i++) {
      expect(pass(fresh, buffer)).toBe(true);
      host.out();
      const { rcvWnd } = fresh.socket.info();
      expect(fresh.seq + rcvWnd).toBeGreaterThanOrEqual(edge);
      edge = fresh.seq + rcvWnd;
      largest = Math.max(largest, rcvWnd);
    }
    expect(largest).toBeLessThanOrEqual((1 << 20) / 13 + 256);
    expect(largest).toBeGreaterThan(60_000);
  });

  test('text behind a hole takes no memory, and is not SACKed', () => {
    const { host, fresh } = crowded(13);
    const before = host.allocator.inUse;
    expect(fresh.in({ seq: fresh.seq + 10_000, payload: pattern(1000), sourcePort: 1999 })).toBe(
      DropReason.tcpNoMemory,
    );
    expect(host.allocator.inUse).toBe(before);
    text(fresh, 0, 1);
    const [ack] = host.out();
    expect(ack).toMatchObject({ ack: fresh.seq + 1 });
    expect(ack?.options).not.toContain('sack');
  });

  test('who asks for more than a fair share gets the share', () => {
    const { host, fresh } = crowded(26, 30_000);
    expect(host.stack.counters.tcpMemoryPressures).toBe(1);
    // 64 KB would still lie below the high mark; an equal part is 40 KB, and memory comes in powers of two.
    expect(fresh.socket.write(pattern(60_000), 0, 60_000)).toBe(32_768);
  });

  test('a write falls short and is told when there is room again; nothing fails', () => {
    const { host, many } = crowded(40);
    const [first] = many as [Scripted];
    const last = many.at(-1) as Scripted;
    const written = last.socket.unsentBytes;
    expect(written).toBeLessThan(60_000);
    expect(written).toBeGreaterThan(0);
    expect(last.socket.write(pattern(60_000), 0, 60_000)).toBe(StackError.wouldBlock);
    expect(host.stack.counters.tcpMemoryRefused).toBeGreaterThan(0);
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 20);
    for (const c of many) {
      for (let i = 0; i < 40 && c.socket.unsentBytes > 0; i++) {
        c.exchange({ ack: c.socket.info().sndNxt, sourcePort: c.socket.remotePort });
      }
      expect(c.socket.error).toBe(0);
    }
    expect(host.allocator.inUse).toBe(0);
    expect(first.socket.write(pattern(60_000), 0, 60_000)).toBe(60_000);
  });

  test('text in order is taken as far as there is memory, and FIN behind it waits', () => {
    const { host, fresh } = crowded(14);
    const reason = fresh.in({ flags: 'F.', payload: pattern(50_000), sourcePort: 1999 });
    expect(reason).toBe(0);
    const taken = fresh.socket.readableBytes;
    expect(taken).toBeGreaterThanOrEqual(4096);
    expect(taken).toBeLessThan(50_000);
    expect(host.out().at(-1)).toMatchObject({ ack: fresh.seq + taken });
    expect(fresh.socket.state).toBe('ESTABLISHED');
    const buffer = new Uint8Array(50_000);
    fresh.socket.read(buffer, 0, 50_000);
    expect(buffer.subarray(0, taken)).toEqual(pattern(50_000).subarray(0, taken));
  });

  test('connections without a user are reset at the high mark, and only they', () => {
    const { host, many, fresh } = crowded(13);
    for (const c of many.slice(0, 6)) c.socket.close();
    host.out();
    host.now += 100;
    let resets = 0;
    for (const c of many.slice(6)) {
      text(c, 0, 30_000);
      resets += host.out().filter(({ flags }) => flags?.includes('R')).length;
      host.now += 100;
    }
    expect(resets).toBeGreaterThan(0);
    expect(host.stack.counters.tcpOrphansReset).toBe(resets);
    for (const c of [fresh, ...many.slice(6)]) expect(c.socket.error).toBe(0);
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 20);
  });

  test('what is kept for the next taker is let go', () => {
    const pool = new PoolAllocator();
    const piece = pool.take(100_000) as Uint8Array;
    pool.give(piece);
    pool.trim();
    expect(pool.take(100_000)).not.toBe(piece);
  });
});
