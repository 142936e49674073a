/** What UDP has over IPv4 alone: broadcasts, and the TTL of groups. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
});

function send(endpoint: UdpEndpoint, payload: Uint8Array, address: IpAddress): number {
  return endpoint.send(payload, 0, payload.length, address, 53);
}

describe('sending to many', () => {
  test('a broadcast needs the option that allows it', () => {
    for (const address of ['255.255.255.255', '10.0.0.255']) {
      udp.broadcast = false;
      expect(send(udp, pattern(1), ip(address))).toBe(StackError.broadcastDenied);
      expect(udp.connect(ip(address), 9)).toBe(StackError.broadcastDenied);
      udp.broadcast = true;
      expect(send(udp, pattern(1), ip(address))).toBe(1);
      expect(host.out()).toMatchObject([{ dst: address, src: '10.0.0.2' }]);
    }
  });

  test('RFC 1112 §6.1 a multicast leaves with TTL 1 unless the endpoint says otherwise', () => {
    send(udp, pattern(1), ip('224.0.0.251'));
    udp.multicastTtl = 7;
    send(udp, pattern(1), ip('224.0.0.251'));
    expect(host.out().map((packet) => packet.ttl)).toEqual([1, 7]);
  });
});

describe('RFC 1122 §4.1 receiving what is for many', () => {
  beforeEach(() => {
    udp.bind(IpAddress.anyV4, 53);
  });

  test('§4.1.3.5 a broadcast goes to every endpoint of the port, a unicast to one', () => {
    const other = host.stack.openUdp();
    udp.close();
    const first = host.stack.openUdp();
    first.bind(IpAddress.anyV4, 53, { sharing: 'reuse' });
    other.bind(IpAddress.anyV4, 53, { sharing: 'reuse' });
    host.in(udpPacket({ dst: '10.0.0.255', payload: 1 }));
    host.in(udpPacket({ dst: '255.255.255.255', payload: 2 }));
    host.in(udpPacket({ payload: 3 }));
    expect([first.queuedBytes, other.queuedBytes]).toEqual([6, 3]);
  });

  test('a broadcast also goes to who is bound to an address of its interface, as Windows has it, and to no other', () => {
    udp.close();
    const [here, loopback] = [host.stack.openUdp(), host.stack.openUdp()];
    here.bind(ip('10.0.0.2'), 53);
    loopback.bind(IpAddress.loopbackV4, 53);
    expect(host.in(udpPacket({ dst: '255.255.255.255', payload: 2 }))).toBe(0);
    expect([here.nextLength, loopback.nextLength]).toEqual([2, -1]);
  });

  test('a broadcast that nobody takes is not answered', () => {
    expect(host.in(udpPacket({ dst: '10.0.0.255', destinationPort: 99 }))).toBe(DropReason.udpNoListener);
    expect(host.out()).toEqual([]);
  });
});
