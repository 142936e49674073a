import { describe, expect, test } from '@jest/globals';
import type { TcpFields } from '../../support/segment.ts';
import {
  accEcn,
  acceptEcn,
  ace,
  aceOf,
  CE,
  connectEcn,
  ECT0,
  ECT1,
  type EcnPeer,
  NOT_ECT,
} from './ecn-support.ts';
import {
  FULL_SYN,
  family,
  listenOn,
  makeTcpHost,
  overBothFamilies,
  PEER_ISN,
  PLAIN_SYN,
  peer,
} from './support.ts';

const MSS = 1460;
/** A server whose peer speaks AccECN, with nothing unusual about the handshake. */
const server = (ack: TcpFields = { options: accEcn(1) }): EcnPeer => acceptEcn({}, 'SEWe', '.W', {}, ack);
/** A client of such a server. */
const client = (synAck: TcpFields = {}): EcnPeer =>
  connectEcn({ ecn: 'accurate' }, 'S.W', {
    options: new Uint8Array([...PLAIN_SYN, ...accEcn(1)]),
    ...synAck,
  });

overBothFamilies(() => {
  describe('RFC 9768 §3.1 Negotiating to use AccECN', () => {
    test.each([
      ['Not-ECT', NOT_ECT, 'S.W'],
      ['ECT(1)', ECT1, 'S.EW'],
      ['ECT(0)', ECT0, 'S.e'],
      ['CE', CE, 'S.We'],
    ] as const)(
      'RFC 9768 §3.1.1 a SYN that arrived as %s is fed back in the SYN-ACK',
      (_name, trafficClass, flags) => {
        const { opening, socket } = acceptEcn({}, 'SEWe', '.W', { trafficClass });
        expect(opening).toMatchObject({ flags, trafficClass: NOT_ECT });
        expect(socket.info()).toMatchObject({ ecn: 'accurate', ceReceived: 0 });
      },
    );

    test.each(['Se', 'SEe', 'SWe', 'SE', 'SW'])(
      'RFC 9768 §3.1.3 a SYN with %s, which has no meaning yet, is taken as one for AccECN',
      (flags) => {
        expect(acceptEcn({}, flags, '.W').opening.flags).toBe('S.W');
      },
    );

    test.each([
      ['S.W', 'accurate', ECT0],
      ['S.EW', 'accurate', NOT_ECT],
      ['S.e', 'accurate', NOT_ECT],
      ['S.We', 'accurate', NOT_ECT],
      ['S.Ee', 'accurate', ECT0],
      ['S.E', 'classic', ECT0],
      ['S.', 'none', NOT_ECT],
      ['S.EWe', 'none', NOT_ECT],
    ] as const)(
      'RFC 9768 §3.1.2 of the answer %s a client makes %s, and sends text as %i',
      (flags, form, ecn) => {
        const peer = connectEcn({ ecn: 'accurate' }, flags);
        expect(peer.opening).toMatchObject({ flags: 'SEWe', trafficClass: NOT_ECT });
        expect(peer.opening.options).not.toContain('accecn');
        expect(peer.socket.info().ecn).toBe(form);
        expect(peer.write(10)[0]?.trafficClass).toBe(ecn);
      },
    );

    test('RFC 9768 §3.1.4.1 the first SYN sent again asks once more, the next no longer', () => {
      const host = makeTcpHost({ ecn: 'accurate' });
      host.stack.openTcp(family().family).connect(peer(), 1025);
      const syns = [host.out(), host.pass(1500), host.pass(3000), host.pass(5000)].flat();
      expect(syns.map(({ flags }) => flags)).toEqual(['SEWe', 'SEWe', 'S', 'S']);
      expect(new Set(syns.map(({ seq }) => seq)).size).toBe(1);
    });

    test('RFC 9768 §3.1.4.2 §3.2.3.2.2 the SYN-ACK goes out again without the option, then without the flags, and then no ECT is sent', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'SEWe', seq: PEER_ISN, options: FULL_SYN });
      const all = [host.out(), host.pass(1500), host.pass(3000)].flat();
      expect(all.map(({ flags }) => flags)).toEqual(['S.W', 'S.W', 'S.']);
      expect(all.map(({ options }) => options?.includes('accecn'))).toEqual([true, false, false]);
      const options = accEcn(1);
      host.in({
        flags: '.W',
        seq: PEER_ISN + 1,
        ack: ((all[0]?.seq ?? 0) + 1) | 0,
        options: stamped(options),
      });
      const socket = listener.accept();
      socket?.write(new Uint8Array(10), 0, 10);
      // It stays in AccECN's form all the same.
      expect(host.out()).toMatchObject([{ trafficClass: NOT_ECT, flags: `P${ace(5)}` }]);
    });

    test('RFC 9768 §3.1.5 a SYN without the flags is answered with them, and no ECT is sent after it', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      host.in({ flags: 'SEWe', seq: PEER_ISN, options: PLAIN_SYN });
      const [first] = host.out();
      host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN, trafficClass: ECT0 });
      expect(host.out()).toMatchObject([{ flags: 'S.e' }]);
      host.in({ flags: '.W', seq: PEER_ISN + 1, ack: ((first?.seq ?? 0) + 1) | 0 });
      listener.accept()?.write(new Uint8Array(10), 0, 10);
      expect(host.out()).toMatchObject([{ trafficClass: NOT_ECT }]);
    });

    test('RFC 9768 §3.1.2 SYNs that cross are answered as a listener answers them', () => {
      const host = makeTcpHost({ ecn: 'accurate' });
      const socket = host.stack.openTcp(family().family);
      socket.connect(peer(), 1025);
      const [syn] = host.out();
      const to = { destinationPort: syn?.sourcePort ?? 0 };
      host.in({ flags: 'SEWe', seq: PEER_ISN, options: PLAIN_SYN, trafficClass: ECT1, ...to });
      const [synAck] = host.out();
      expect(synAck?.flags).toBe('S.EW');
      host.in({ flags: 'S.We', seq: PEER_ISN, ack: ((syn?.seq ?? 0) + 1) | 0, options: PLAIN_SYN, ...to });
      // The flags of a SYN-ACK are no counter.
      expect(socket.info()).toMatchObject({ state: 'ESTABLISHED', ecn: 'accurate', ceDelivered: 0 });
    });
  });

  describe('RFC 9768 §3.2.2.1 ACE Field on the ACK of the SYN/ACK', () => {
    test.each([
      ['Not-ECT', NOT_ECT, 0b010],
      ['ECT(1)', ECT1, 0b011],
      ['ECT(0)', ECT0, 0b100],
      ['CE', CE, 0b110],
    ] as const)(
      'RFC 9768 §3.2.2.1 a SYN-ACK that arrived as %s is fed back, r.cep comes next',
      (_name, trafficClass, code) => {
        const { first, send } = client({ trafficClass });
        expect(first).toHaveLength(1);
        expect(aceOf(first[0])).toBe(code);
        expect(aceOf(send({ payload: 100, flags: ace(5) })[0])).toBe(trafficClass === CE ? 6 : 5);
      },
    );

    test('RFC 9768 §3.2.2.1 text that waits does not take the place of that ACK', () => {
      const host = makeTcpHost({ ecn: 'accurate' });
      const socket = host.stack.openTcp(family().family);
      socket.connect(peer(), 1025);
      const [syn] = host.out();
      const fields = { destinationPort: syn?.sourcePort ?? 0, ack: ((syn?.seq ?? 0) + 1) | 0, seq: PEER_ISN };
      host.in({ flags: 'S.W', options: PLAIN_SYN, trafficClass: ECT0, ...fields });
      socket.write(new Uint8Array(10), 0, 10);
      const sent = host.out();
      expect(sent.map(({ payload }) => payload.length)).toEqual([0, 10]);
      expect(sent.map(aceOf)).toEqual([0b100, 5]);
      // The SYN-ACK again: its ACK was lost.
      host.in({ flags: 'S.W', options: PLAIN_SYN, ...fields });
      expect(host.out().map(aceOf)).toEqual([0b010]);
    });

    test.each([
      [0b010, ECT0, 0],
      [0b001, ECT0, 0],
      [0b101, ECT0, 0],
      [0b111, ECT0, 0],
      [0b011, NOT_ECT, 0],
      [0b100, NOT_ECT, 0],
      [0b110, NOT_ECT, 1],
      [0b000, NOT_ECT, 0],
    ] as const)(
      'RFC 9768 §3.2.2.1 §3.2.2.3 §3.2.2.4 of ACE %i on it a server sends text as %i',
      (code, ecn, marked) => {
        const peer = acceptEcn({}, 'SEWe', ace(code));
        expect(peer.write(10)[0]?.trafficClass).toBe(ecn);
        expect(peer.socket.info().ceDelivered).toBe(marked);
        // s.cep is what the client's counter is: nothing new with the next segment.
        peer.send({ flags: ace(marked === 1 ? 6 : 5), ack: peer.ack + 10 });
        expect(peer.socket.info().ceDelivered).toBe(marked);
      },
    );

    test('RFC 9768 §3.2.2.2 a mark on the handshake halves the first window', () => {
      const whole = acceptEcn({}, 'SEWe', ace(0b010)).socket.info().cwnd;
      expect(acceptEcn({}, 'SEWe', ace(0b110)).socket.info().cwnd).toBe(whole / 2);
      expect(client({ flags: 'S.We' }).socket.info().cwnd).toBe(whole / 2);
    });

    test('RFC 9768 §3.2.2.2 text that completes the handshake has the counter', () => {
      const peer = acceptEcn({}, 'SEWe', ace(7), {}, { payload: 10 });
      expect(peer.socket.info().ceDelivered).toBe(2);
    });

    test('RFC 9768 §3.2.2.4 zero in the first segment of a server turns ECT and the reaction off', () => {
      const peer = client();
      peer.write(20 * MSS);
      const { cwnd } = peer.socket.info();
      peer.send({ flags: '.', ack: peer.ack + MSS });
      peer.send({ flags: ace(3), ack: peer.ack + 2 * MSS });
      expect(peer.socket.info()).toMatchObject({ ceDelivered: 0 });
      expect(peer.socket.info().cwnd).toBeGreaterThanOrEqual(cwnd);
      expect(peer.send({ flags: ace(3), ack: peer.ack + 5 * MSS })[0]?.trafficClass).toBe(NOT_ECT);
    });
  });

  describe('RFC 9768 §3.2.2 the ACE field', () => {
    test('RFC 9768 §3.2.2.2 every packet with CE counts, whatever it carries', () => {
      const peer = server();
      expect(aceOf(peer.send({ payload: 100, trafficClass: ECT0, flags: ace(5) })[0])).toBe(5);
      expect(aceOf(peer.send({ payload: 100, trafficClass: CE, flags: ace(5) })[0])).toBe(6);
      expect(aceOf(peer.send({ payload: 100, trafficClass: CE, flags: ace(5) })[0])).toBe(7);
      expect(aceOf(peer.send({ payload: 100, trafficClass: CE, flags: ace(5) })[0])).toBe(0);
      expect(peer.socket.info().ceReceived).toBe(3);
      // Text of our own tells it too, and CWR is never said.
      expect(peer.write(10)).toMatchObject([{ flags: 'P.', trafficClass: ECT0 }]);
    });

    test('RFC 9768 §3.2.2.5.1 a mark after none is acknowledged at once', () => {
      const peer = server();
      for (let i = 0; i < 40; i++) peer.send({ payload: 100, trafficClass: ECT0, flags: ace(5) });
      // Delayed by now: the first of two.
      expect(peer.send({ payload: 100, trafficClass: ECT0, flags: ace(5) })).toEqual([]);
      peer.host.pass(100);
      expect(peer.send({ payload: 100, trafficClass: CE, flags: ace(5) })).toHaveLength(1);
    });

    test('RFC 9768 §3.2.2.5.1 three marked packets without text are acknowledged, two are not', () => {
      const peer = server();
      const marked = { trafficClass: CE, flags: ace(5), options: accEcn(1) };
      expect([peer.send(marked), peer.send(marked)]).toEqual([[], []]);
      expect(peer.send(marked)).toMatchObject([{ payload: { length: 0 }, flags: ace(0) }]);
    });

    test('RFC 9768 §3.2.2.5.2 marks reduce the window once a window, and never say CWR', () => {
      const peer = server();
      peer.write(40 * MSS);
      const before = peer.socket.info().cwnd;
      const sent = peer.send({ flags: ace(6), ack: peer.ack + MSS });
      const { cwnd, ceDelivered } = peer.socket.info();
      expect([cwnd < before, ceDelivered]).toEqual([true, 1]);
      sent.push(...peer.send({ flags: ace(0), ack: peer.ack + 4 * MSS }));
      expect(peer.socket.info()).toMatchObject({ cwnd, ceDelivered: 3 });
      sent.push(...peer.send({ flags: ace(0), ack: peer.ack + 10 * MSS }));
      expect(sent.length).toBeGreaterThan(0);
      expect(sent.every((packet) => aceOf(packet) === 5 && packet.trafficClass === ECT0)).toBe(true);
    });

    test('RFC 9768 §3.2.2.2 an ACK that was overtaken is not read: its counter would have gone round', () => {
      const peer = server();
      peer.write(40 * MSS);
      peer.send({ flags: ace(7), ack: peer.ack + 4 * MSS });
      peer.send({ flags: ace(6), ack: peer.ack + 2 * MSS });
      peer.send({ flags: ace(6), ack: peer.ack + 4 * MSS });
      expect(peer.socket.info().ceDelivered).toBe(2);
    });

    test.each([
      ['is believed when nothing was marked', 5, 5, 0],
      ['may have gone round when something was', 6, 6, 9],
      ['has moved by as much as it can', 5, 6, 9],
    ])(
      'RFC 9768 §3.2.2.5.2 without the option, a counter that is the same after nine packets %s',
      (_name, first, second, marks) => {
        const peer = server({ options: new Uint8Array(0) });
        peer.write(40 * MSS);
        peer.send({ flags: ace(first), ack: peer.ack + MSS });
        peer.send({ flags: ace(second), ack: peer.ack + 10 * MSS });
        expect(peer.socket.info().ceDelivered).toBe(marks);
      },
    );
  });

  describe('RFC 9768 §3.2.3 the option in use', () => {
    test('RFC 9768 §3.2.3.2.1 it is on the SYN-ACK with its first values', () => {
      expect(server().opening.options).toContain('accecn e0b 1 ceb 0 e1b 1');
      expect(
        acceptEcn({}, 'SEWe', '.W', { options: FULL_SYN }, { options: stamped(accEcn(1)) }).opening.options,
      ).toContain('accecn e0b 1 ceb 0 e1b 1');
    });

    test('RFC 9768 §3.2.3.2.1 a client has it on its first ACK and on its first text', () => {
      const peer = client();
      peer.socket.noDelay = true;
      expect(peer.first[0]?.options).toContain('accecn e0b 1 ceb 0 e1b 1');
      expect(peer.write(10)[0]?.options).toContain('accecn');
      expect(peer.write(10)[0]?.options).not.toContain('accecn');
    });

    test('RFC 9768 §3.2.3.2.2 a client whose first text is lost sends it no more', () => {
      const peer = client();
      peer.write(10);
      expect(peer.host.pass(3000)[0]?.options).toBe('');
      expect(peer.send({ payload: 100, trafficClass: ECT0, flags: ace(5) })[0]?.options).toBe('');
    });

    test('RFC 9768 §3.2.3.3 an ACK has every counter that has ever grown, when one has since', () => {
      const peer = server();
      const text = (trafficClass: number, flags = ace(5)): string | undefined =>
        peer.send({ payload: 100, trafficClass, flags })[0]?.options;
      expect(text(NOT_ECT)).toBe('');
      expect(text(ECT0)).toBe('accecn e0b 101 ceb 0');
      expect(text(CE)).toBe('accecn e0b 101 ceb 100');
      expect(text(NOT_ECT)).toBe('');
      expect(text(ECT1)).toBe('accecn e0b 101 ceb 100 e1b 101,nop');
    });

    test('RFC 9768 §3.2.3.3 ECT(1) alone is told in the other order', () => {
      const peer = server();
      const [ack] = peer.send({ payload: 100, trafficClass: ECT1, flags: ace(5) });
      expect(ack?.options).toBe('accecn e1b 101 ceb 0');
    });

    test('RFC 9768 §3.2.3.3 two SACK blocks have room beside it', () => {
      const peer = acceptEcn({}, 'SEWe', '.W', { options: FULL_SYN }, { options: stamped(accEcn(1)) });
      const early = (from: number): string | undefined =>
        peer.send({
          seq: peer.seq + from,
          payload: new Uint8Array(10),
          trafficClass: ECT0,
          flags: ace(5),
          options: stamped(new Uint8Array(0)),
        })[0]?.options;
      early(100);
      early(200);
      const options = early(300);
      expect(options).toContain('sack 2 ');
      expect(options).toContain('accecn e0b 31 ceb 0');
    });

    test('RFC 9768 §3.2.3.1 its bytes tell how often the counter has gone round', () => {
      const peer = server();
      peer.write(40 * MSS);
      // All of ten packets: ACE has moved by two.
      peer.send({ flags: ace(7), ack: peer.ack + 10 * MSS, options: accEcn(1, 10 * MSS) });
      expect(peer.socket.info().ceDelivered).toBe(10);
    });

    test('RFC 9768 §3.2.3.2.4 one that starts with zeros is not read', () => {
      const peer = server({ options: accEcn(0, 0, 0) });
      peer.write(40 * MSS);
      peer.send({ flags: ace(6), ack: peer.ack + 10 * MSS, options: accEcn(0, 3 * MSS, 0) });
      expect(peer.socket.info().ceDelivered).toBe(9);
    });

    test('RFC 9768 §3.2.3.2.5 marked bytes without a marked packet mean that no ECT is sent any more', () => {
      const peer = server();
      peer.write(40 * MSS);
      const next = peer.send({ flags: ace(5), ack: peer.ack + 2 * MSS, options: accEcn(1, MSS) });
      expect(next.map(({ trafficClass }) => trafficClass)).toEqual(next.map(() => NOT_ECT));
      expect(next.length).toBeGreaterThan(0);
    });

    test('RFC 9768 §3.2.2.3 when every packet of the first rounds is marked, neither ECT nor the reaction goes on', () => {
      const peer = server();
      const buffer = new Uint8Array(400 * MSS);
      peer.socket.write(buffer, 0, buffer.length);
      let packets = peer.host.out();
      let cep = 5;
      for (let round = 0; round < 6; round++) {
        cep += packets.length;
        peer.ack += packets.length * MSS;
        packets = peer.send({ flags: ace(cep & 7), options: accEcn(1, ((cep - 5) * MSS) & 0xffffff) });
      }
      expect(packets.every(({ trafficClass }) => trafficClass === NOT_ECT)).toBe(true);
      const { cwnd } = peer.socket.info();
      peer.ack += packets.length * MSS;
      peer.send({ flags: ace((cep + packets.length) & 7) });
      expect(peer.socket.info().cwnd).toBeGreaterThanOrEqual(cwnd);
    });
  });

  /** Options of a segment behind timestamps, as FULL_SYN's connections need them. */
  function stamped(options: Uint8Array): Uint8Array {
    return new Uint8Array([1, 1, 8, 10, 0, 0, 4, 0, 0, 0, 0, 0, ...options]);
  }
});
