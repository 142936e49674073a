/** Opening connections: RFC 9293 §3.5, §3.10.1, §3.10.7.1 to §3.10.7.3. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import type { IcmpErrorKind } from '../../support/packets.ts';
import { tcpOptions } from '../../support/transport-bytes.ts';
import {
  acceptOne,
  address,
  anyAddress,
  connectOne,
  FULL_SYN,
  family,
  has,
  listenOn,
  makeTcpHost,
  mtuFor,
  must,
  overBothFamilies,
  Pair,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  peer,
  type TcpHost,
} from './support.ts';

/** Starts a connect from {@link PORT}. @returns the socket and the SYN */
function dial(host: TcpHost) {
  const socket = host.stack.openTcp(host.family.family);
  must(socket.bind(anyAddress(), PORT));
  must(socket.connect(peer(), PEER_PORT));
  const [syn] = host.out();
  if (syn === undefined) throw new Error('no SYN');
  return { socket, syn, iss: syn.seq ?? 0 };
}

overBothFamilies(() => {
  describe('RFC 9293 §3.10.7.1 CLOSED', () => {
    test('a SYN is answered with RST and ACK of it', () => {
      const host = makeTcpHost();
      expect(host.in({ flags: 'S', seq: 100 })).toBe(DropReason.tcpNoListener);
      expect(host.out()).toMatchObject([{ flags: 'R.', seq: 0, ack: 101 }]);
    });

    test('text without ACK is acknowledged with its whole length', () => {
      const host = makeTcpHost();
      host.in({ flags: 'F', seq: 100, payload: 10 });
      expect(host.out()).toMatchObject([{ flags: 'R.', seq: 0, ack: 111 }]);
    });

    test('a segment with ACK is answered with a RST that has its number', () => {
      const host = makeTcpHost();
      host.in({ flags: '.', seq: 100, ack: 7777 });
      expect(host.out()).toMatchObject([{ flags: 'R', seq: 7777 }]);
    });

    test('a RST is never answered', () => {
      const host = makeTcpHost();
      host.in({ flags: 'R', seq: 100 });
      host.in({ flags: 'R.', seq: 100, ack: 1 });
      expect(host.out()).toEqual([]);
    });

    test('RFC 9293 MUST-3 a wrong checksum is dropped and counted', () => {
      const host = makeTcpHost();
      const packet = family().tcp({ flags: 'S' });
      packet[packet.length - 4] = 0x55;
      expect(host.stack.inputPacket(host.index, packet)).toBe(DropReason.tcpChecksum);
      expect(host.out()).toEqual([]);
      expect(host.stack.counters.tcpInErrs).toBe(1);
    });
  });

  describe('RFC 9293 §3.10.7.2 LISTEN', () => {
    test('a SYN is answered with SYN and ACK, an ACK of it makes a connection to accept', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      expect(host.in({ flags: 'S', seq: 100, options: PLAIN_SYN })).toBe(DropReason.none);
      const [synAck] = host.out();
      expect(synAck).toMatchObject({ flags: 'S.', ack: 101, options: 'mss 1460' });
      expect(listener.accept()).toBeNull();
      host.in({ flags: '.', seq: 101, ack: (synAck?.seq ?? 0) + 1 });
      expect(has(host.eventsOf(listener), 'acceptable')).toBe(true);
      expect(listener.acceptableCount).toBe(1);
      const socket = listener.accept();
      expect(socket).toMatchObject({ state: 'ESTABLISHED', localPort: PORT, remotePort: PEER_PORT });
      expect(`${socket?.localAddress} ${socket?.remoteAddress}`).toBe(`${family().host} ${family().peer}`);
    });

    test('RST is ignored, an ACK is reset, text alone is dropped', () => {
      const host = makeTcpHost();
      listenOn(host);
      expect(host.in({ flags: 'R', seq: 1 })).toBe(DropReason.tcpResetUnacceptable);
      expect(host.in({ flags: '.', seq: 1, ack: 55 })).toBe(DropReason.tcpAckUnacceptable);
      expect(host.in({ flags: 0, seq: 1, payload: 4 })).toBe(DropReason.tcpNoAck);
      expect(host.out()).toMatchObject([{ flags: 'R', seq: 55 }]);
    });

    test('RFC 9293 MUST-14 and RFC 7323, 2018: options are answered only when they were offered', () => {
      const host = makeTcpHost();
      listenOn(host);
      host.in({ flags: 'S', seq: 1, options: FULL_SYN });
      const [full] = host.out();
      expect(full?.options).toMatch(/^mss 1460,nop,nop,sackOK,nop,nop,TS val \d+ ecr 900,nop,wscale 8$/);
      host.in({ flags: 'S', seq: 1, sourcePort: 2000 });
      const [bare] = host.out();
      expect(bare?.options).toBe('mss 1460');
    });

    test('the specific address is found before the any-address', () => {
      const host = makeTcpHost();
      const any = listenOn(host);
      const specific = host.stack.openTcp(host.family.family);
      must(specific.bind(address(family().host), PORT, { sharing: 'reuse' }));
      must(specific.listen(1));
      const ack = ((): number => {
        host.in({ flags: 'S', seq: 1 });
        return (host.out()[0]?.seq ?? 0) + 1;
      })();
      host.in({ flags: '.', seq: 2, ack });
      expect([any.acceptableCount, specific.acceptableCount]).toEqual([0, 1]);
    });

    test('a repeated SYN has the SYN-ACK sent again, without another connection', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      const [first] = host.out();
      expect(host.in({ flags: 'S', seq: 1, options: PLAIN_SYN })).toBe(DropReason.tcpDuplicate);
      const [second] = host.out();
      expect(second).toMatchObject({ flags: 'S.', seq: first?.seq, ack: 2 });
      host.in({ flags: '.', seq: 2, ack: (first?.seq ?? 0) + 1 });
      expect(listener.acceptableCount).toBe(1);
    });

    test('RFC 9293 MUST-22 a SYN-ACK is retransmitted with back-off and given up, and nothing is left', () => {
      const host = makeTcpHost();
      listenOn(host);
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      host.out();
      const start = host.now;
      const times: number[] = [];
      for (let i = 0; i < 4; i++) {
        expect(host.pass(60_000)).toMatchObject([{ flags: 'S.' }]);
        times.push(host.now - start);
      }
      expect(times).toEqual([1000, 3000, 7000, 15_000]);
      expect(host.pass(60_000)).toEqual([]);
      expect([...host.stack.endpoints()]).toHaveLength(1);
    });

    test('SEM-BKLG-05 a SYN past the backlog is refused with RST', () => {
      const host = makeTcpHost();
      const listener = listenOn(host, 2);
      for (const sourcePort of [2001, 2002]) {
        host.in({ flags: 'S', seq: 1, sourcePort });
        const ack = (host.out()[0]?.seq ?? 0) + 1;
        host.in({ flags: '.', seq: 2, ack, sourcePort });
      }
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2003 })).toBe(DropReason.tcpBacklogFull);
      expect(host.out()).toMatchObject([{ flags: 'R.', ack: 2, destinationPort: 2003 }]);
      listener.accept();
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2003 })).toBe(DropReason.none);
    });

    test('SYN-RECEIVED: an ACK of something else is reset, a RST goes back to LISTEN', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      host.out();
      expect(host.in({ flags: '.', seq: 2, ack: 12 })).toBe(DropReason.tcpAckUnacceptable);
      expect(host.out()).toMatchObject([{ flags: 'R', seq: 12 }]);
      expect(host.in({ flags: 'R', seq: 2 })).toBe(DropReason.none);
      expect([...host.stack.endpoints()]).toEqual([listener]);
    });

    test('a connection that is reset before it is accepted is not accepted', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      const ack = (host.out()[0]?.seq ?? 0) + 1;
      host.in({ flags: '.', seq: 2, ack });
      host.in({ flags: 'R', seq: 2 });
      expect(listener.accept()).toBeNull();
    });

    test('closing a listener resets what nobody has accepted and leaves the accepted', () => {
      const host = makeTcpHost();
      const { socket } = acceptOne(host);
      const listener = [...host.stack.endpoints()].find((endpoint) => endpoint.remotePort === 0);
      for (const sourcePort of [2001, 2002]) host.in({ flags: 'S', seq: 1, sourcePort, options: PLAIN_SYN });
      const ack = (host.out()[0]?.seq ?? 0) + 1;
      host.in({ flags: '.', seq: 2, ack, sourcePort: 2001 });
      listener?.close();
      const resets = host.out().filter((packet) => packet.flags?.startsWith('R'));
      expect(resets.map((packet) => packet.destinationPort).sort()).toEqual([2001, 2002]);
      expect([...host.stack.endpoints()]).toEqual([socket]);
      expect(socket.state).toBe('ESTABLISHED');
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2003 })).toBe(DropReason.tcpNoListener);
    });

    test('an accepted connection has the options of its listener', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      listener.noDelay = true;
      listener.receiveBufferSize = 5000;
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      const [synAck] = host.out();
      expect(synAck?.window).toBe(5000);
      host.in({ flags: '.', seq: 2, ack: (synAck?.seq ?? 0) + 1 });
      expect(listener.accept()).toMatchObject({ noDelay: true, receiveBufferSize: 5000 });
    });

    test('what happened before accept is told after it', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'S', seq: 1, options: PLAIN_SYN });
      const ack = (host.out()[0]?.seq ?? 0) + 1;
      host.in({ flags: '.', seq: 2, ack });
      host.in({ flags: 'F.', seq: 2, ack, payload: 'hi' });
      host.out();
      const socket = listener.accept();
      if (socket === null) throw new Error('not accepted');
      const events = host.eventsOf(socket);
      expect(['readable', 'peerClosed', 'writable'].map((event) => has(events, event as 'readable'))).toEqual(
        [true, true, true],
      );
    });

    test('RFC 9293 MUST-57 a SYN to a broadcast address, or to all nodes, is dropped', () => {
      const host = makeTcpHost();
      listenOn(host);
      const dst = family().family === 4 ? '10.0.0.255' : 'ff02::1';
      expect(host.in({ flags: 'S', seq: 1, dst })).toBe(DropReason.tcpGroupAddress);
      expect(host.out()).toEqual([]);
    });
  });

  describe('RFC 9293 §3.10.7.3 SYN-SENT', () => {
    test('SYN and ACK establish the connection', () => {
      const host = makeTcpHost();
      const { socket, syn, iss } = dial(host);
      expect(syn).toMatchObject({ flags: 'S', window: 65_535 });
      // IPv6 routers never cut a packet; IPv4's are told not to.
      if (family().family === 4) expect(syn).toMatchObject({ dontFragment: true });
      expect(socket.state).toBe('SYN-SENT');
      host.in({ flags: 'S.', seq: PEER_ISN, ack: iss + 1, options: PLAIN_SYN });
      expect(host.out()).toMatchObject([{ flags: '.', seq: iss + 1, ack: PEER_ISN + 1 }]);
      expect(socket.state).toBe('ESTABLISHED');
      expect(has(host.eventsOf(socket), 'connected')).toBe(true);
      expect(has(host.eventsOf(socket), 'writable')).toBe(true);
    });

    test('an ACK of something else is reset', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      expect(host.in({ flags: 'S.', seq: 1, ack: iss })).toBe(DropReason.tcpAckUnacceptable);
      expect(host.in({ flags: 'S.', seq: 1, ack: iss + 2 })).toBe(DropReason.tcpAckUnacceptable);
      expect(host.out()).toMatchObject([
        { flags: 'R', seq: iss },
        { flags: 'R', seq: iss + 2 },
      ]);
      expect(socket.state).toBe('SYN-SENT');
    });

    test('a RST that acknowledges the SYN is a refusal, any other is ignored', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      expect(host.in({ flags: 'R', seq: 1 })).toBe(DropReason.tcpResetUnacceptable);
      expect(host.in({ flags: 'R.', seq: 1, ack: iss + 9 })).toBe(DropReason.tcpAckUnacceptable);
      expect(socket.state).toBe('SYN-SENT');
      host.in({ flags: 'R.', seq: 0, ack: iss + 1 });
      expect([socket.state, socket.error]).toEqual(['CLOSED', StackError.connectionRefused]);
      expect(has(host.eventsOf(socket), 'failed')).toBe(true);
      expect(host.out()).toEqual([]);
    });

    test('SEM-CONN-08 a user may have a refused SYN sent again: three of them in a little more than a second', () => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(host.family.family);
      socket.refusedRetries = 2;
      must(socket.connect(peer(), 7000));
      const start = host.now;
      let [syn] = host.out();
      const iss = syn?.seq ?? 0;
      const refuse = (): void =>
        void host.in({
          flags: 'R.',
          sourcePort: 7000,
          destinationPort: syn?.sourcePort ?? 0,
          seq: 0,
          ack: iss + 1,
        });
      for (let i = 0; i < 2; i++) {
        refuse();
        expect(socket.state).toBe('SYN-SENT');
        [syn] = host.pass(10_000);
        expect(syn).toMatchObject({ flags: 'S', seq: iss });
      }
      expect(host.now - start).toBe(1000);
      refuse();
      expect(socket.error).toBe(StackError.connectionRefused);
    });

    test('SEM-CONN-08 a service that starts meanwhile is reached, and silence after a refusal is still a refusal', () => {
      for (const isAnswered of [true, false]) {
        const host = makeTcpHost();
        const socket = host.stack.openTcp(host.family.family);
        socket.refusedRetries = 2;
        must(socket.connect(peer(), 7000));
        const [syn] = host.out();
        const ports = { sourcePort: 7000, destinationPort: syn?.sourcePort ?? 0, ack: (syn?.seq ?? 0) + 1 };
        host.in({ ...ports, flags: 'R.', seq: 0 });
        host.pass(500);
        if (isAnswered) host.in({ ...ports, flags: 'S.', seq: PEER_ISN, options: PLAIN_SYN });
        else for (let i = 0; i < 60; i++) host.pass(1000);
        expect([socket.state, socket.error]).toEqual(
          isAnswered ? ['ESTABLISHED', 0] : ['CLOSED', StackError.connectionRefused],
        );
      }
    });

    test('SEM-CONN-04 after a refusal the same endpoint can connect again', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      host.in({ flags: 'R.', seq: 0, ack: iss + 1 });
      expect(socket.connect(peer(), PEER_PORT)).toBe(0);
      expect(socket.error).toBe(0);
      expect(host.out()).toMatchObject([{ flags: 'S', sourcePort: PORT }]);
    });

    test('text and FIN that come with the SYN-ACK are taken', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      host.in({ flags: 'SF.', seq: PEER_ISN, ack: iss + 1, payload: 'hi' });
      expect(host.out()).toMatchObject([{ flags: '.', ack: PEER_ISN + 4 }]);
      expect(socket.state).toBe('CLOSE-WAIT');
      expect(socket.readableBytes).toBe(2);
    });

    test('neither SYN nor RST: dropped', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      expect(host.in({ flags: '.', seq: 1, ack: iss + 1 })).toBe(DropReason.tcpOutOfWindow);
      expect(socket.state).toBe('SYN-SENT');
    });

    test('RFC 9293 MUST-10 SYNs that cross establish one connection', () => {
      const host = makeTcpHost();
      const { socket, iss } = dial(host);
      host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
      expect(socket.state).toBe('SYN-RECEIVED');
      expect(host.out()).toMatchObject([{ flags: 'S.', seq: iss, ack: PEER_ISN + 1 }]);
      host.in({ flags: 'S.', seq: PEER_ISN, ack: iss + 1, options: PLAIN_SYN });
      expect(socket.state).toBe('ESTABLISHED');
      expect(has(host.eventsOf(socket), 'connected')).toBe(true);
    });

    test('RFC 9293 MUST-10 two hosts that connect to each other at once have one connection', () => {
      const pair = new Pair();
      const ends = pair.stacks.map((stack, which) => {
        const socket = stack.openTcp(family().family);
        must(socket.bind(anyAddress(), 4000 + which));
        return socket;
      });
      const [first, second] = ends;
      if (first === undefined || second === undefined) throw new Error();
      must(first.connect(address(family().neighbor(2)), 4001));
      must(second.connect(address(family().neighbor(1)), 4000));
      expect(pair.run(() => ends.every((end) => end.state === 'ESTABLISHED'), 1000)).toBe(true);
      first.write(new Uint8Array([1, 2, 3]), 0, 3);
      expect(pair.run(() => second.readableBytes === 3, 1000)).toBe(true);
    });

    test('RFC 9293 MUST-11 a RST in SYN-RECEIVED after an active open is a refusal', () => {
      const host = makeTcpHost();
      const { socket } = dial(host);
      host.in({ flags: 'S', seq: PEER_ISN });
      host.in({ flags: 'R', seq: PEER_ISN + 1 });
      expect([socket.state, socket.error]).toEqual(['CLOSED', StackError.connectionRefused]);
    });

    test('a SYN that is not answered is retransmitted with back-off, then the connect times out', () => {
      const host = makeTcpHost();
      const { socket } = dial(host);
      const start = host.now;
      const times: number[] = [];
      for (let i = 0; i < 4; i++) {
        expect(host.pass(60_000)).toMatchObject([{ flags: 'S' }]);
        times.push(host.now - start);
      }
      expect(times).toEqual([1000, 3000, 7000, 15_000]);
      host.pass(60_000);
      expect(socket.error).toBe(StackError.timedOut);
      expect(host.stack.counters.tcpAttemptFails).toBe(1);
    });

    /** Connects, and hands in an ICMP error about the SYN, whose quote `damage` changes. @returns the socket */
    function dialAndFail(
      host: TcpHost,
      kind: IcmpErrorKind,
      damage: (syn: Uint8Array) => void = () => undefined,
    ) {
      const socket = host.stack.openTcp(host.family.family);
      must(socket.connect(peer(), 7000));
      const bytes = host.stack.takePacket(host.index);
      if (bytes === null) throw new Error('no SYN');
      damage(bytes);
      host.stack.inputPacket(host.index, host.family.error(kind, bytes));
      return socket;
    }

    test('RFC 5461 a hard ICMP error that quotes the SYN ends the attempt', () => {
      const socket = dialAndFail(makeTcpHost(), 'noPort');
      expect(socket.state).toBe('CLOSED');
      expect(socket.error).toBe(StackError.connectionRefused);
    });

    test('RFC 5927 an ICMP error whose quote was never sent is ignored', () => {
      const seqAt = family().headerLength + 4;
      const socket = dialAndFail(makeTcpHost(), 'noPort', (syn) => {
        syn[seqAt] = (syn[seqAt] as number) ^ 0x40;
      });
      expect(socket.state).toBe('SYN-SENT');
    });

    test('RFC 9293 MUST-56 a soft ICMP error is only the reason when the attempt times out', () => {
      const host = makeTcpHost();
      const socket = dialAndFail(host, 'noHost');
      expect(socket.state).toBe('SYN-SENT');
      for (let i = 0; i < 6; i++) host.pass(60_000);
      expect(socket.error).toBe(StackError.hostUnreachable);
    });

    test('closing before the answer ends it without a segment', () => {
      const host = makeTcpHost();
      const { socket } = dial(host);
      socket.close();
      expect(host.out()).toEqual([]);
      expect([...host.stack.endpoints()]).toEqual([]);
    });
  });

  describe('RFC 9293 §3.7.1 maximum segment size', () => {
    test('RFC 9293 MUST-15 without an MSS option segments carry 536 bytes, of IPv6 1220', () => {
      const host = makeTcpHost();
      const { socket, in: input } = acceptOne(host, new Uint8Array(0));
      socket.noDelay = true;
      const mss = family().family === 4 ? 536 : 1220;
      socket.write(new Uint8Array(2 * mss - 10), 0, 2 * mss - 10);
      expect(host.out().map((packet) => packet.payload.length)).toEqual([mss, mss - 10]);
      expect(input()).toBe(DropReason.none);
    });

    test('RFC 9293 MUST-16 options of every segment are subtracted', () => {
      const host = makeTcpHost();
      const { socket } = acceptOne(host, FULL_SYN);
      expect(socket.info().mss).toBe(1448);
    });

    test.each([0, 1, 47, 215])(
      'an MSS of %i is not believed: a tiny one would make us send mostly headers',
      (mss) => {
        const host = makeTcpHost();
        expect(connectOne(host, tcpOptions({ mss })).socket.info().mss).toBe(216);
      },
    );

    test('the smaller of the peer’s and the path’s is used', () => {
      const big = tcpOptions({ mss: 8960 });
      expect(acceptOne(makeTcpHost(), big).socket.info().mss).toBe(1460);
      expect(acceptOne(makeTcpHost({}, { mtu: mtuFor(9000) }), PLAIN_SYN).socket.info().mss).toBe(1460);
    });
  });

  describe('calls out of place', () => {
    test('each answers its error', () => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(host.family.family);
      const buffer = new Uint8Array(4);
      const elsewhere = address(family().family === 4 ? '192.0.2.1' : '2001:db8::1');
      expect(socket.read(buffer, 0, 4)).toBe(StackError.notConnected);
      expect(socket.write(buffer, 0, 4)).toBe(StackError.notConnected);
      expect(socket.listen(1)).toBe(StackError.invalid);
      expect(socket.shutdownWrite()).toBe(StackError.notConnected);
      expect(socket.connect(anyAddress(), 80)).toBe(StackError.addressNotAvailable);
      expect(socket.connect(peer(), 0)).toBe(StackError.addressNotAvailable);
      expect(socket.connect(elsewhere, 80)).toBe(StackError.networkUnreachable);
      expect(socket.bind(elsewhere, 80)).toBe(StackError.addressNotAvailable);
      must(socket.connect(peer(), 80));
      expect(socket.connect(peer(), 80)).toBe(StackError.inProgress);
      expect(socket.write(buffer, 0, 4)).toBe(StackError.notConnected);
      expect(socket.read(buffer, 0, 4)).toBe(StackError.notConnected);
    });

    test('SEM-CONN-03 and SEM-CONN-05 connecting a connected or listening endpoint', () => {
      const host = makeTcpHost();
      const { socket } = acceptOne(host);
      expect(socket.connect(peer(), 80)).toBe(StackError.alreadyConnected);
      const other = host.stack.openTcp(host.family.family);
      expect(other.bind(anyAddress(), PORT)).toBe(StackError.addressInUse);
      must(other.bind(anyAddress(), 81));
      must(other.listen(1));
      expect(other.connect(peer(), 80)).toBe(StackError.invalid);
      expect(other.listen(5)).toBe(0);
    });

    test('a connection whose addresses and ports exist already is refused', () => {
      const host = makeTcpHost();
      acceptOne(host);
      const other = host.stack.openTcp(host.family.family);
      must(other.bind(address(family().host), PORT, { sharing: 'reuse' }));
      expect(other.connect(peer(), PEER_PORT)).toBe(StackError.addressInUse);
    });
  });
});
