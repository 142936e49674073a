/** Labelled requirements of RFC 9293 (its appendix B) about segments and the user's calls that no other file is about. */

import { describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../src/base/index.ts';
import { StackError, type TcpEndpoint } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import type { EitherPacket } from '../../support/packets.ts';
import { icmpPacket, PEER, readPacket, tcpOptions, tcpPacket } from '../../support/segment.ts';
import {
  acceptOne,
  address,
  connectOne,
  FULL_SYN,
  has,
  listenOn,
  makeTcpHost,
  must,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  type Scripted,
  type TcpHost,
} from './support.ts';

function write(c: Scripted, length: number): EitherPacket[] {
  c.socket.write(new Uint8Array(length), 0, length);
  return c.host.out();
}

/** Starts to connect to the peer. @returns the socket and the SYN */
function connecting(host: TcpHost, port = PEER_PORT): { socket: TcpEndpoint; syn: EitherPacket } {
  const socket = host.stack.openTcp();
  must(socket.connect(address(PEER), port));
  const [syn] = host.out();
  if (syn === undefined) throw new Error('no SYN');
  return { socket, syn };
}

/** The option bytes of a packet as kinds, with where they begin and how long they say they are. */
function optionsOf(packet: Uint8Array): { kind: number; length: number; at: number }[] {
  const found: { kind: number; length: number; at: number }[] = [];
  const end = 20 + ((packet[32] as number) >> 4) * 4;
  for (let at = 40; at < end; ) {
    const kind = packet[at] as number;
    const length = kind <= 1 ? 1 : (packet[at + 1] as number);
    found.push({ kind, length, at });
    at += length;
  }
  expect(found.reduce((sum, option) => sum + option.length, 40)).toBe(end);
  return found;
}

describe('segments', () => {
  test('RFC 9293 MUST-1, REC-1 a window is unsigned, and larger than 16 bits when it is scaled', () => {
    const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, windowShift: 14 }));
    c.in({ window: 0xffff });
    expect(c.socket.info().sndWnd).toBe(0xffff * 2 ** 14);
    c.in({ window: 0x8000 });
    expect(c.socket.info().sndWnd).toBe(0x8000 * 2 ** 14);
  });

  test('RFC 9293 MUST-2 every segment has its checksum', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    // `readPacket` throws when one is wrong.
    expect(write(c, 5000).length).toBeGreaterThan(3);
    c.socket.abort();
    expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
  });

  test('RFC 9293 MUST-5, MUST-6 options may be in any segment, and unknown ones are skipped', () => {
    const c = acceptOne(makeTcpHost());
    const options = Uint8Array.of(253, 6, 1, 2, 3, 4, 2, 4, 0, 9, 0, 0);
    expect(c.in({ payload: 'abc', options })).toBe(DropReason.none);
    expect(c.socket.readableBytes).toBe(3);
  });

  test('RFC 9293 MUST-7 a length that cannot be drops the segment, and nothing else', () => {
    const c = acceptOne(makeTcpHost());
    for (const options of [
      Uint8Array.of(253, 0, 0, 0),
      Uint8Array.of(253, 1, 0, 0),
      Uint8Array.of(8, 40, 0, 0),
    ]) {
      c.in({ payload: 'abc', options });
      expect(c.socket.state).toBe('ESTABLISHED');
    }
    c.in({ payload: 'abc' });
    expect(c.socket.readableBytes).toBe(3);
  });

  test('RFC 9293 MUST-64 options need not start at a word', () => {
    const host = makeTcpHost();
    listenOn(host);
    const options = Uint8Array.of(1, 4, 2, 1, 2, 4, 5, 0, 3, 3, 5, 0);
    host.in({ flags: 'S', seq: PEER_ISN, options });
    expect(host.out()[0]?.options).toMatch(/sackOK.*wscale/);
  });

  test('RFC 9293 MUST-14, MUST-65, SHLD-5, MAY-3 the MSS is in each SYN and in nothing else', () => {
    for (const mtu of [1500, 576]) {
      const { syn } = connecting(makeTcpHost({}, { mtu }));
      expect(syn.options).toContain(`mss ${mtu - 40}`);
    }
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    for (const packet of write(c, 4000)) expect(packet.options).not.toContain('mss');
  });

  test('RFC 9293 MUST-65 one in another segment means nothing', () => {
    const c = acceptOne(makeTcpHost());
    c.in({ options: tcpOptions({ mss: 100 }) });
    expect(write(c, 3000)[0]?.payload).toHaveLength(1460);
  });

  test('RFC 9293 MUST-67 the MSS is what one packet of the link holds without the fixed headers', () => {
    expect(connecting(makeTcpHost({}, { mtu: 9000 })).syn.options).toContain('mss 8960');
  });

  test('RFC 9293 MUST-68, MUST-69 options have lengths, fill whole words, and nothing stands behind an end', () => {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    must(socket.connect(address(PEER), PEER_PORT));
    const syn = host.stack.takePacket(host.index);
    if (syn === null) throw new Error('no SYN');
    const options = optionsOf(syn);
    expect(options.map(({ kind }) => kind).filter((kind) => kind > 1)).toEqual(
      expect.arrayContaining([2, 3, 4, 8]),
    );
    expect(options.some(({ kind }) => kind === 0)).toBe(false);
  });

  test('RFC 9293 SHLD-1 the first number is a clock and a keyed hash: the same ports later, other ports far away', () => {
    const host = makeTcpHost();
    const first = connecting(host).syn.seq ?? 0;
    const second = connecting(host).syn.seq ?? 0;
    expect(Math.abs((second - first) | 0)).toBeGreaterThan(100_000);
  });
});

describe('sending', () => {
  test('RFC 9293 SHLD-28, MAY-16, SHLD-27 writes are put together into full segments', () => {
    const c = acceptOne(makeTcpHost());
    for (let i = 0; i < 100; i++) c.socket.write(new Uint8Array(146), 0, 146);
    const packets = c.host.out();
    expect(packets.map((packet) => packet.payload.length)).toEqual(Array.from({ length: 10 }, () => 1460));
    expect(packets.map((packet) => packet.flags)).toEqual([...Array.from({ length: 9 }, () => '.'), 'P.']);
  });

  test('RFC 9293 MUST-60, MUST-61 the last of what is queued leaves at once, with PSH', () => {
    const c = acceptOne(makeTcpHost());
    expect(write(c, 2000).map((packet) => [packet.payload.length, packet.flags])).toEqual([
      [1460, '.'],
      [540, 'P.'],
    ]);
  });

  test('RFC 9293 SHLD-29 the first probe of a closed window comes after a retransmission timeout', () => {
    const c = acceptOne(makeTcpHost());
    c.exchange({ window: 0 });
    write(c, 10);
    const { rto } = c.socket.info();
    const start = c.host.now;
    expect(c.host.pass(60_000)).toMatchObject([{ payload: expect.objectContaining({ length: 1 }) }]);
    expect(c.host.now - start).toBeCloseTo(rto, 0);
  });

  test('RFC 9293 MAY-8 a window of ours may stay closed for ever, and each probe of it is answered', () => {
    const c = acceptOne(makeTcpHost({ receiveBufferSize: 1000 }));
    c.exchange({ payload: 1000 });
    c.seq += 1000;
    for (let i = 0; i < 50; i++) {
      c.host.pass(60_000);
      expect(c.exchange({ payload: 1 })).toMatchObject([{ flags: '.', ack: c.seq, window: 0 }]);
    }
    expect(c.socket.state).toBe('ESTABLISHED');
  });

  test('RFC 9293 MAY-12, MAY-13 early text is acknowledged at once, text with an impossible ACK is challenged', () => {
    const c = acceptOne(makeTcpHost());
    expect(c.exchange({ seq: c.seq + 5, payload: 'x' })).toMatchObject([{ flags: '.', ack: c.seq }]);
    expect(c.in({ ack: c.ack + 5, payload: 'x' })).toBe(DropReason.tcpAckUnacceptable);
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
  });

  test('RFC 9293 MUST-18, MUST-19 the timeout doubles, one segment is left in flight, and Karn takes no sample of it', () => {
    const c = acceptOne(makeTcpHost({ mtuProbing: 'off' }));
    c.socket.noDelay = true;
    write(c, 14_600);
    const { srtt } = c.socket.info();
    const start = c.host.now;
    expect(c.host.pass(60_000).length).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) c.host.pass(60_000);
    expect(c.host.now - start).toBeGreaterThan(1000);
    expect(c.socket.info().cwnd).toBe(1460);
    c.in({ ack: c.ack + 1460 });
    expect(c.socket.info().srtt).toBe(srtt);
    expect(c.socket.info().cwnd).toBeGreaterThan(1460);
  });

  test.each([4, 7])(
    'RFC 9293 MUST-22, MUST-23 with %i retransmissions a SYN is given up after (2^n − 1) s',
    (most) => {
      const host = makeTcpHost({ maxSynRetransmissions: most });
      const { socket } = connecting(host);
      const start = host.now;
      while (socket.error === 0) host.pass(1000);
      const took = host.now - start;
      expect(socket.error).toBe(StackError.timedOut);
      // Three minutes are an option; the default is what applications of Windows wait for.
      expect(took).toBeGreaterThanOrEqual(most === 7 ? 180_000 : 31_000);
    },
  );

  test('RFC 9293 MAY-18, SHLD-8 other congestion controls and ECN can be had for each connection', () => {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    for (const name of ['newreno', 'cubic'] as const) {
      socket.congestionControl = name;
      expect(socket.congestionControl).toBe(name);
    }
    socket.ecn = 'classic';
    must(socket.connect(address(PEER), PEER_PORT));
    // RFC 3168 §6.1.1: an ECN-setup SYN.
    expect(host.out()).toMatchObject([{ flags: 'SEW' }]);
  });

  test('RFC 9293 SHLD-9, SHLD-10 each timeout is counted, long before the connection is given up', () => {
    const c = acceptOne(makeTcpHost());
    write(c, 10);
    for (let i = 0; i < 30 && c.socket.info().timeouts < 3; i++) c.host.pass(1000);
    expect(c.socket.info().timeouts).toBe(3);
    expect(c.socket.state).toBe('ESTABLISHED');
  });
});

describe('the user’s calls', () => {
  test('RFC 9293 MUST-12, MAY-1 a user learns whether the peer closed or reset, and closes both ways at once', () => {
    const closed = acceptOne(makeTcpHost());
    closed.in({ flags: 'F.' });
    expect(has(closed.host.eventsOf(closed.socket), 'peerClosed')).toBe(true);
    expect(closed.socket.error).toBe(0);
    const reset = acceptOne(makeTcpHost());
    reset.in({ flags: 'R' });
    expect(has(reset.host.eventsOf(reset.socket), 'failed')).toBe(true);
    expect(reset.socket.error).toBe(StackError.connectionReset);
    const half = acceptOne(makeTcpHost());
    half.socket.close();
    half.host.out();
    half.in({ payload: 'nobody reads' });
    expect(half.host.out()).toMatchObject([{ flags: 'R.' }]);
  });

  test('RFC 9293 MUST-41, MUST-42 a port can be listened on while a connection of it is being opened', () => {
    const host = makeTcpHost();
    const opening = host.stack.openTcp();
    must(opening.bind(address('10.0.0.2'), PORT));
    must(opening.connect(address(PEER), PEER_PORT));
    const iss = host.out()[0]?.seq ?? 0;
    const listener = host.stack.openTcp();
    must(listener.bind(IpAddress.anyV4, PORT, { sharing: 'reuse' }));
    must(listener.listen(1));
    host.in({ flags: 'S', seq: 70, sourcePort: 3000, options: PLAIN_SYN });
    expect(host.out()).toMatchObject([{ flags: 'S.', ack: 71 }]);
    host.in({ flags: 'S.', seq: PEER_ISN, ack: iss + 1, options: PLAIN_SYN });
    expect(opening.state).toBe('ESTABLISHED');
  });

  test('RFC 9293 MUST-43, MUST-44 an open names the local address, or the route does', () => {
    const host = makeTcpHost({}, { addresses: ['10.0.0.2/24', '10.0.0.3/24'] });
    expect(connecting(host).syn.src).toBe('10.0.0.2');
    const socket = host.stack.openTcp();
    must(socket.bind(address('10.0.0.3'), 0));
    must(socket.connect(address(PEER), PEER_PORT));
    expect(host.out()).toMatchObject([{ flags: 'S', src: '10.0.0.3' }]);
    const foreign = host.stack.openTcp();
    expect(foreign.bind(address('10.0.0.9'), 0)).toBe(StackError.addressNotAvailable);
  });

  test('RFC 9293 MUST-45 the local address of a connection stays, whatever other addresses come', () => {
    const c = connectOne(makeTcpHost());
    c.host.stack.addAddress(c.host.index, '10.0.0.77/24');
    c.host.stack.addRoute({ destination: '10.0.0.1/32', interfaceIndex: c.host.index });
    expect(write(c, 10)).toMatchObject([{ src: '10.0.0.2' }]);
  });

  test.each(['10.0.0.255', '255.255.255.255', '224.0.0.1', '0.0.0.0'])(
    'RFC 9293 MUST-46 an open to %s is refused',
    (to) => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp();
      expect(socket.connect(address(to), PEER_PORT)).toBeLessThan(0);
      expect(host.out()).toEqual([]);
    },
  );

  test('RFC 9293 MUST-48, MUST-49, SHLD-21, SHLD-22 DiffServ field and TTL are the user’s, at any time', () => {
    const c = acceptOne(makeTcpHost());
    c.socket.trafficClass = 0xb8;
    c.socket.ttl = 7;
    expect(write(c, 1)).toMatchObject([{ trafficClass: 0xb8, hops: 7 }]);
    c.socket.trafficClass = 0x20;
    c.in({ payload: 'x' });
    c.in({ seq: c.seq + 1, payload: 'x' });
    expect(c.host.out()).toMatchObject([{ trafficClass: 0x20, hops: 7 }]);
  });
});

describe('what IP hands over', () => {
  test('RFC 9293 MUST-50 IP options do not matter', () => {
    const c = acceptOne(makeTcpHost());
    const recordRoute = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0);
    const fields = { sourcePort: PEER_PORT, destinationPort: PORT, seq: c.seq, ack: c.ack, payload: 'abc' };
    const packet = tcpPacket({ ...fields, ipOptions: recordRoute });
    expect(c.host.stack.inputPacket(c.host.index, packet)).toBe(DropReason.none);
    expect(c.socket.readableBytes).toBe(3);
  });

  test.each(['10.0.0.255', '255.255.255.255', '224.0.0.1', '127.0.0.1', '0.0.0.0', '10.0.0.2'])(
    'RFC 9293 MUST-63 a SYN from %s is dropped without a word',
    (src) => {
      const host = makeTcpHost();
      listenOn(host);
      expect(host.in({ flags: 'S', src, options: PLAIN_SYN })).not.toBe(DropReason.none);
      expect(host.out()).toEqual([]);
    },
  );

  /** ICMP about the first segment of a connection's text. */
  function aboutText(c: Scripted, type: number, code: number): void {
    c.socket.write(new Uint8Array(100), 0, 100);
    const sent = c.host.stack.takePacket(c.host.index);
    if (sent === null) throw new Error('nothing was sent');
    const payload = sent.slice(0, 28);
    c.host.stack.inputPacket(c.host.index, icmpPacket({ type, code, rest: 0, payload }));
  }

  test('RFC 9293 MUST-55 source quench changes nothing', () => {
    const c = acceptOne(makeTcpHost());
    const { cwnd } = c.socket.info();
    aboutText(c, 4, 0);
    expect([c.socket.info().cwnd, c.socket.softError, c.socket.error]).toEqual([cwnd, 0, 0]);
  });

  test.each([
    [3, 0],
    [3, 1],
    [3, 5],
    [11, 0],
    [12, 0],
  ])(
    'RFC 9293 MUST-54, MUST-56, MUST-47, SHLD-25, SHLD-20 ICMP %i code %i ends nothing, and the user can see it',
    (type, code) => {
      const c = acceptOne(makeTcpHost());
      aboutText(c, type, code);
      expect(c.socket.state).toBe('ESTABLISHED');
      expect(c.socket.softError).toBeLessThan(0);
      expect(has(c.host.eventsOf(c.socket), 'failed')).toBe(false);
      c.in({ ack: c.ack + 100 });
      expect(c.socket.softError).toBe(0);
    },
  );

  test('RFC 9293 MUST-3 a segment whose checksum is wrong is counted and not used', () => {
    const c = acceptOne(makeTcpHost());
    const bytes = tcpPacket({
      seq: c.seq,
      ack: c.ack,
      payload: 'abc',
      sourcePort: PEER_PORT,
      destinationPort: PORT,
    });
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    expect(c.host.stack.inputPacket(c.host.index, bytes)).toBe(DropReason.tcpChecksum);
    expect(c.socket.readableBytes).toBe(0);
    expect(() => readPacket(bytes)).toThrow();
  });
});
