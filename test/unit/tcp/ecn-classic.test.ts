import { describe, expect, test } from '@jest/globals';
import { acceptEcn, CE, connectEcn, ECT0, NOT_ECT } from './ecn-support.ts';
import { family, listenOn, makeTcpHost, overBothFamilies, PEER_ISN, PLAIN_SYN, peer } from './support.ts';

const MSS = 1460;

overBothFamilies(() => {
  describe('RFC 3168 §6.1.1 TCP initialization', () => {
    test.each([
      ['passive', 'SEW', 'S.E', 'classic'],
      ['classic', 'SEW', 'S.E', 'classic'],
      ['accurate', 'SEW', 'S.E', 'classic'],
      ['off', 'SEW', 'S.', 'none'],
      ['passive', 'S', 'S.', 'none'],
      ['classic', 'SE', 'S.', 'none'],
      ['classic', 'SW', 'S.', 'none'],
      ['classic', 'SEWe', 'S.E', 'classic'],
    ] as const)('RFC 3168 §6.1.1 mode %s answers %s with %s', (ecn, syn, synAck, form) => {
      const { opening, socket } = acceptEcn({ ecn }, syn);
      expect(opening).toMatchObject({ flags: synAck, trafficClass: NOT_ECT });
      expect(socket.info().ecn).toBe(form);
    });

    test.each([
      ['off', 'S', 'S.E', 'none'],
      ['passive', 'S', 'S.E', 'none'],
      ['classic', 'SEW', 'S.E', 'classic'],
      ['classic', 'SEW', 'S.', 'none'],
      ['classic', 'SEW', 'S.EW', 'none'],
      ['classic', 'SEW', 'S.W', 'none'],
    ] as const)('RFC 3168 §6.1.1 mode %s asks with %s, and of %s makes %s', (ecn, syn, synAck, form) => {
      const { opening, socket } = connectEcn({ ecn }, synAck);
      expect(opening).toMatchObject({ flags: syn, trafficClass: NOT_ECT });
      expect(socket.info().ecn).toBe(form);
    });

    test('RFC 3168 §6.1.1 an endpoint may want something else than its stack, and children inherit it', () => {
      const host = makeTcpHost({ ecn: 'classic' });
      const listener = listenOn(host);
      expect(listener.ecn).toBe('classic');
      listener.ecn = 'off';
      host.in({ flags: 'SEW', seq: PEER_ISN, options: PLAIN_SYN });
      expect(host.out()[0]?.flags).toBe('S.');
    });

    test('RFC 3168 §6.1.1.1 a SYN that is not answered goes out again without the flags, and then no ECT is sent', () => {
      const host = makeTcpHost({ ecn: 'classic' });
      const socket = host.stack.openTcp(family().family);
      socket.connect(peer(), 1025);
      const [first] = host.out();
      const [second] = host.pass(1500);
      expect([first?.flags, second?.flags]).toEqual(['SEW', 'S']);
      expect(second?.seq).toBe(first?.seq);
      // The answer to the first arrives late.
      const ack = ((first?.seq ?? 0) + 1) | 0;
      host.in({
        flags: 'S.E',
        seq: PEER_ISN,
        ack,
        options: PLAIN_SYN,
        destinationPort: first?.sourcePort ?? 0,
      });
      host.out();
      socket.write(new Uint8Array(100), 0, 100);
      expect(host.out()).toMatchObject([{ trafficClass: NOT_ECT }]);
      expect(socket.info().ecn).toBe('classic');
    });

    test('RFC 3168 §6.1.1 a SYN without the flags after one with them means that no ECT is sent', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'SEW', seq: PEER_ISN, options: PLAIN_SYN });
      const [synAck] = host.out();
      host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
      host.out();
      host.in({ flags: '.', seq: PEER_ISN + 1, ack: ((synAck?.seq ?? 0) + 1) | 0 });
      listener.accept()?.write(new Uint8Array(100), 0, 100);
      expect(host.out()).toMatchObject([{ payload: { length: 100 }, trafficClass: NOT_ECT }]);
    });
  });

  describe('RFC 3168 §6.1.2 the TCP sender', () => {
    test('RFC 3168 §6.1.2 new text goes out as ECT(0), and its DSCP is the user’s', () => {
      const peer = acceptEcn({}, 'SEW');
      peer.socket.trafficClass = 0xb9;
      expect(peer.write(100)).toMatchObject([{ trafficClass: 0xb8 | ECT0 }]);
    });

    test('RFC 3168 §6.1.2 without ECN the user cannot set the field', () => {
      const peer = acceptEcn({}, 'S');
      peer.socket.trafficClass = 0xbb;
      expect(peer.write(100)).toMatchObject([{ trafficClass: 0xb8 }]);
    });

    test('RFC 3168 §6.1.2 an echo halves the window once a window, and the next new text says CWR', () => {
      const peer = acceptEcn({}, 'SEW');
      const sent = peer.write(40 * MSS);
      expect(sent).toHaveLength(10);
      const more = peer.send({ flags: '.E', ack: peer.ack + 2 * MSS });
      const { cwnd, ssthresh, ceDelivered } = peer.socket.info();
      expect(cwnd).toBeLessThanOrEqual(10 * MSS * 0.85);
      expect(ssthresh).toBe(cwnd);
      expect(ceDelivered).toBe(2);
      peer.send({ flags: '.E', ack: peer.ack + 4 * MSS });
      expect(peer.socket.info().cwnd).toBe(cwnd);
      // What was in flight when it was reduced is acknowledged: text fits again.
      const next = [...more, ...peer.send({ flags: '.E', ack: peer.ack + 10 * MSS })];
      expect(next.filter(({ flags }) => flags?.includes('W'))).toHaveLength(1);
      expect(next[0]?.flags).toContain('W');
      expect(next[0]?.trafficClass).toBe(ECT0);
    });

    test('RFC 3168 §6.1.2 an echo in the next window counts again', () => {
      const peer = acceptEcn({}, 'SEW');
      peer.write(40 * MSS);
      peer.send({ flags: '.E', ack: peer.ack + 10 * MSS });
      const once = peer.socket.info().cwnd;
      peer.send({ flags: '.E', ack: peer.ack + 11 * MSS });
      expect(peer.socket.info().cwnd).toBeLessThan(once);
    });

    test('RFC 3168 §6.1.5 text sent again is not ECT, and has no CWR', () => {
      const peer = acceptEcn({}, 'SEW');
      peer.write(100);
      const [again] = peer.host.pass(3000);
      expect(again).toMatchObject({ payload: { length: 100 }, trafficClass: NOT_ECT, flags: 'P.' });
    });

    test('RFC 3168 §6.1.6 a window probe is not ECT', () => {
      const peer = acceptEcn({}, 'SEW', '.', {}, { window: 0 });
      expect(peer.write(100)).toEqual([]);
      const [probe] = peer.host.pass(3000);
      expect(probe).toMatchObject({ payload: { length: 1 }, trafficClass: NOT_ECT });
    });
  });

  describe('RFC 3168 §6.1.3 the TCP receiver', () => {
    test('RFC 3168 §6.1.3 a mark is echoed at once and on every ACK until the peer says CWR', () => {
      const peer = acceptEcn({}, 'SEW');
      expect(peer.send({ payload: 100, trafficClass: ECT0 })).toMatchObject([{ flags: '.' }]);
      expect(peer.send({ payload: 100, trafficClass: CE })).toMatchObject([
        { flags: '.E', trafficClass: NOT_ECT },
      ]);
      expect(peer.send({ payload: 100, trafficClass: ECT0 })).toMatchObject([{ flags: '.E' }]);
      // Also on text of our own.
      expect(peer.write(10)).toMatchObject([{ flags: 'P.E', trafficClass: ECT0 }]);
      expect(peer.send({ payload: 100, flags: '.W', trafficClass: ECT0 })).toMatchObject([{ flags: '.' }]);
      expect(peer.socket.info().ceReceived).toBe(1);
    });

    test('RFC 3168 §6.1.3 a packet with both CWR and CE starts the next echo', () => {
      const peer = acceptEcn({}, 'SEW');
      peer.send({ payload: 100, trafficClass: CE });
      expect(peer.send({ payload: 100, flags: '.W', trafficClass: CE })).toMatchObject([{ flags: '.E' }]);
    });

    test('RFC 3168 §6.1.5 a mark on text that came before says nothing', () => {
      const peer = acceptEcn({}, 'SEW');
      peer.send({ payload: 100, trafficClass: ECT0 });
      peer.seq -= 100;
      expect(peer.send({ payload: 100, trafficClass: CE })).toMatchObject([{ flags: '.' }]);
    });

    test('RFC 3168 §6.1 without agreement a mark is not echoed, and an echo is not heard', () => {
      const peer = acceptEcn({}, 'S');
      expect(peer.send({ payload: 100, trafficClass: CE })).toMatchObject([{ flags: '.' }]);
      peer.write(20 * MSS);
      const { cwnd } = peer.socket.info();
      peer.send({ flags: '.E', ack: peer.ack + MSS });
      expect(peer.socket.info().cwnd).toBeGreaterThanOrEqual(cwnd);
    });
  });
});
