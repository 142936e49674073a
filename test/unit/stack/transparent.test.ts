/** A gateway that ends connections to any host: interfaces that take what is for others, endpoints on foreign addresses and all ports. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY, IpAddress } from '../../../src/base/index.ts';
import { EndpointEvent, StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { icmpPacket, tcpPacket, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
  host.stack.setInterface(host.index, { isTransparent: true });
});

describe('TCP', () => {
  test('a listener on all ports is asked about a SYN to any host and port, and refuses in that host’s name', () => {
    const listener = host.stack.openTcp();
    listener.conditionalAccept = true;
    expect(listener.bind(IpAddress.anyV4, 0, { allPorts: true })).toBe(0);
    expect(listener.listen(10)).toBe(0);
    host.in(tcpPacket({ dst: '203.0.113.7', destinationPort: 443, flags: 'S', seq: 5 }));
    host.in(tcpPacket({ dst: '198.51.100.9', destinationPort: 80, flags: 'S', seq: 9 }));
    host.stack.flushEvents();
    expect(host.events.at(-1)).toEqual({ endpoint: listener, events: EndpointEvent.requested });
    expect(listener.requests.map((one) => `${one.localAddress}:${one.localPort}`)).toEqual([
      '203.0.113.7:443',
      '198.51.100.9:80',
    ]);
    const [first, second] = listener.requests;
    second?.reject();
    expect(host.out()).toMatchObject([{ src: '198.51.100.9', sourcePort: 80, flags: 'R.', ack: 10 }]);
    const accepted = first?.accept();
    const [synAck] = host.out();
    expect(synAck).toMatchObject({ src: '203.0.113.7', sourcePort: 443, flags: 'S.', ack: 6 });
    expect(listener.requests).toEqual([]);
    host.in(
      tcpPacket({
        dst: '203.0.113.7',
        destinationPort: 443,
        seq: 6,
        ack: (synAck?.seq ?? 0) + 1,
        payload: pattern(10),
      }),
    );
    expect(accepted).toMatchObject({ state: 'ESTABLISHED', readableBytes: 10 });
  });

  test('a port that somebody has is his', () => {
    const all = host.stack.openTcp();
    all.bind(IpAddress.anyV4, 0, { allPorts: true });
    all.listen(10);
    const one = host.stack.openTcp();
    expect(one.bind(IpAddress.anyV4, 80)).toBe(0);
    one.listen(10);
    host.in(tcpPacket({ dst: '203.0.113.7', destinationPort: 80, flags: 'S' }));
    const again = host.stack.openTcp();
    expect(again.bind(IpAddress.anyV4, 0, { allPorts: true })).toBe(StackError.addressInUse);
    expect([...host.stack.endpoints()].filter(({ remotePort }) => remotePort !== 0)).toHaveLength(1);
  });
});

describe('UDP', () => {
  test('an endpoint on all ports learns where a datagram was sent; one of the flow’s own takes the next and answers', () => {
    const all = host.stack.openUdp();
    expect(all.bind(IpAddress.anyV4, 0, { allPorts: true })).toBe(0);
    host.in(udpPacket({ dst: '203.0.113.7', sourcePort: 1025, destinationPort: 5000, payload: 4 }));
    const info = makeInfo();
    expect(receive(all, info)).toHaveLength(4);
    expect([`${info.destination}`, info.destinationPort]).toEqual(['203.0.113.7', 5000]);
    const flow = host.stack.openUdp();
    expect(flow.bind(info.destination, 5000)).toBe(StackError.addressNotAvailable);
    expect(flow.bind(info.destination, 5000, { isForeign: true, sharing: 'reuse' })).toBe(0);
    expect(flow.connect(info.source, info.sourcePort)).toBe(0);
    expect(flow.send(pattern(3), 0, 3, null, 0)).toBe(3);
    expect(host.out()).toMatchObject([
      { src: '203.0.113.7', sourcePort: 5000, dst: '10.0.0.1', destinationPort: 1025 },
    ]);
    host.in(udpPacket({ dst: '203.0.113.7', sourcePort: 1025, destinationPort: 5000, payload: 2 }));
    expect([flow.nextLength, all.nextLength]).toEqual([2, -1]);
  });
});

describe('what it does not take', () => {
  test('an echo request to another host is not answered in its name: prohibited', () => {
    expect(host.in(icmpPacket({ dst: '203.0.113.7' }))).toBe(DropReason.ipNotForUs);
    expect(host.out()).toMatchObject([{ type: 3, code: 13 }]);
    expect(host.in(icmpPacket({}))).toBe(0);
    expect(host.out()).toMatchObject([{ src: '10.0.0.2', type: 0 }]);
  });

  test.each(['127.0.0.1', '169.254.3.4', '224.0.1.1', '0.1.2.3', '240.0.0.1', '10.0.0.255'])('%s', (dst) => {
    const all = host.stack.openUdp();
    all.bind(IpAddress.anyV4, 0, { allPorts: true });
    host.in(udpPacket({ dst, destinationPort: 9 }));
    expect(host.outBytes().filter((packet) => packet[9] !== 1)).toEqual([]);
    expect(all.nextLength).toBe(-1);
  });

  test('anything, while it is off', () => {
    host.stack.setInterface(host.index, { isTransparent: false });
    expect(host.in(udpPacket({ dst: '203.0.113.7' }))).toBe(DropReason.ipNotForUs);
    const flow = host.stack.openUdp();
    flow.bind(ip('203.0.113.7'), 5000, { isForeign: true });
    expect(flow.send(EMPTY, 0, 0, ip('10.0.0.1'), 9)).toBe(StackError.networkUnreachable);
  });
});
