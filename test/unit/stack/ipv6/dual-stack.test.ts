import { beforeEach, describe, expect, test } from '@jest/globals';
import { StackError, type TcpEndpoint } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { icmpPacket, readPacket, tcpPacket, udpPacket } from '../../../support/segment.ts';
import { tcp6Packet, udp6Packet } from '../../../support/segment6.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from '../support.ts';
import { exchange } from './support.ts';

/** A host with addresses of both families. */
function makeDual(last: number): HostUnderTest {
  const host = makeHost({ addresses: [`10.0.0.${last}/24`, `fd00::${last}/64`] });
  host.stack.addRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: host.index });
  return host;
}

let host: HostUnderTest;

beforeEach(() => {
  host = makeDual(2);
});

function listen(on: string, v6Only: boolean, family: 4 | 6 = 6): TcpEndpoint {
  const listener = host.stack.openTcp(family);
  listener.v6Only = v6Only;
  expect(listener.bind(ip(on), 80)).toBe(0);
  listener.listen(4);
  return listener;
}

describe('RFC 3493 §5.3 endpoints of both families', () => {
  test('a listener at :: takes connections of IPv4, whose peers it names by v4-mapped addresses', () => {
    const listener = listen('::', false);
    const peer = makeDual(1);
    const client = peer.stack.openTcp(4);
    client.connect(ip('10.0.0.2'), 80);
    exchange(peer, host);
    const server = listener.accept();
    expect(server?.remoteAddress.toString()).toBe('::ffff:10.0.0.1');
    expect(server?.localAddress.toString()).toBe('::ffff:10.0.0.2');
    expect(server?.remoteAddress.family).toBe(6);
    client.write(pattern(5000), 0, 5000);
    exchange(peer, host);
    expect(server?.readableBytes).toBe(5000);
  });

  test('and those of IPv6', () => {
    const listener = listen('::', false);
    const peer = makeDual(1);
    peer.stack.openTcp(6).connect(ip('fd00::2'), 80);
    exchange(peer, host);
    expect(listener.accept()?.remoteAddress.toString()).toBe('fd00::1');
  });

  test('IPV6_V6ONLY, as it is at first, takes none of IPv4', () => {
    expect(host.stack.openTcp(6).v6Only).toBe(true);
    listen('::', true);
    expect(host.in(tcpPacket({ flags: 'S' }))).toBe(DropReason.tcpNoListener);
    expect(host.in(tcp6Packet({ flags: 'S' }))).toBe(0);
  });

  test('a listener of IPv4 is found before one of both', () => {
    const both = host.stack.openUdp(6);
    both.v6Only = false;
    expect(both.bind(ip('::'), 53, { sharing: 'reuse' })).toBe(0);
    const four = host.stack.openUdp(4);
    expect(four.bind(ip('0.0.0.0'), 53, { sharing: 'reuse' })).toBe(0);
    host.in(udpPacket({ payload: 'x' }));
    expect(receive(four)).toHaveLength(1);
    expect(receive(both)).toBe(StackError.wouldBlock);
    four.close();
    host.in(udpPacket({ payload: 'y' }));
    expect(receive(both)).toHaveLength(1);
  });

  test('a connect to a v4-mapped address is one of IPv4', () => {
    const client = host.stack.openTcp(6);
    client.v6Only = false;
    expect(client.connect(ip('::ffff:10.0.0.1'), 80)).toBe(0);
    const [syn] = host.outBytes() as [Uint8Array];
    expect(readPacket(syn)).toMatchObject({ src: '10.0.0.2', dst: '10.0.0.1', flags: 'S' });
    expect(client.remoteAddress.toString()).toBe('::ffff:10.0.0.1');
    expect(client.localAddress.toString()).toBe('::ffff:10.0.0.2');
  });

  test('with IPV6_V6ONLY there is no way to a v4-mapped address, and none can be bound', () => {
    const tcp = host.stack.openTcp(6);
    expect(tcp.connect(ip('::ffff:10.0.0.1'), 80)).toBe(StackError.networkUnreachable);
    expect(tcp.bind(ip('::ffff:10.0.0.2'), 80)).toBe(StackError.addressNotAvailable);
    const udp = host.stack.openUdp(6);
    expect(udp.connect(ip('::ffff:10.0.0.1'), 80)).toBe(StackError.networkUnreachable);
    expect(udp.bind(ip('::ffff:10.0.0.2'), 80)).toBe(StackError.addressNotAvailable);
    expect(udp.send(pattern(1), 0, 1, ip('::ffff:10.0.0.1'), 5)).toBe(StackError.networkUnreachable);
  });

  test('what is bound to a v4-mapped address takes IPv4 alone', () => {
    const listener = listen('::ffff:10.0.0.2', false);
    expect(listener.localAddress.toString()).toBe('::ffff:10.0.0.2');
    expect(host.in(tcpPacket({ flags: 'S' }))).toBe(0);
    expect(host.in(tcp6Packet({ flags: 'S' }))).toBe(DropReason.tcpNoListener);
  });
});

describe('datagrams of both families', () => {
  test('come to one endpoint, and are answered by it', () => {
    const udp = host.stack.openUdp(6);
    udp.v6Only = false;
    expect(udp.bind(ip('::'), 53)).toBe(0);
    host.in(udpPacket({ payload: 'four' }));
    host.in(udp6Packet({ payload: 'six' }));
    const info = makeInfo();
    expect(receive(udp, info)).toHaveLength(4);
    expect([info.source.toString(), info.destination.toString()]).toEqual([
      '::ffff:10.0.0.1',
      '::ffff:10.0.0.2',
    ]);
    expect(udp.send(pattern(3), 0, 3, info.source, info.sourcePort)).toBe(3);
    expect(host.out()).toMatchObject([
      { src: '10.0.0.2', dst: '10.0.0.1', sourcePort: 53, destinationPort: 1025 },
    ]);
    receive(udp, info);
    expect(info.source.toString()).toBe('fd00::1');
    expect(udp.send(pattern(65_508), 0, 65_508, ip('::ffff:10.0.0.1'), 5)).toBe(StackError.messageTooLong);
  });

  test('a connected endpoint hears of its peer alone, and of errors about what it sent', () => {
    const udp = host.stack.openUdp(6);
    udp.v6Only = false;
    expect(udp.connect(ip('::ffff:10.0.0.1'), 53)).toBe(0);
    expect(udp.localAddress.toString()).toBe('::ffff:10.0.0.2');
    udp.send(pattern(3), 0, 3, null, 0);
    const [sent] = host.outBytes() as [Uint8Array];
    const port = { sourcePort: 53, destinationPort: udp.localPort };
    expect(host.in(udpPacket({ ...port, src: '10.0.0.9', payload: 'x' }))).toBe(DropReason.udpWrongPeer);
    expect(host.in(udpPacket({ ...port, payload: 'x' }))).toBe(0);
    expect(host.in(icmpPacket({ type: 3, code: 3, rest: 0, payload: sent }))).toBe(0);
    expect(receive(udp)).toBe(StackError.connectionReset);
    expect(receive(udp)).toHaveLength(1);
    expect(udp.connect(ip('::'), 0)).toBe(0);
    expect(udp.localAddress.toString()).toBe('::');
  });
});

describe('SEM-BIND across families', () => {
  test.each([
    ['::, both', '0.0.0.0', 0],
    ['::, IPv6 alone', '0.0.0.0', 0],
  ])('SEM-BIND-18 %s beside %s', (how, other, expected) => {
    listen('::', how !== '::, both');
    expect(host.stack.openTcp(4).bind(ip(other), 80)).toBe(expected);
  });

  test('0.0.0.0 and then :: of both families', () => {
    listen('0.0.0.0', true, 4);
    const both = host.stack.openTcp(6);
    both.v6Only = false;
    expect(both.bind(ip('::'), 80)).toBe(StackError.addressInUse);
    expect(host.stack.openTcp(6).bind(ip('::'), 80)).toBe(0);
  });

  test('a v4-mapped address is the IPv4 address', () => {
    listen('::ffff:10.0.0.2', false);
    expect(host.stack.openTcp(4).bind(ip('10.0.0.2'), 80)).toBe(StackError.addressInUse);
    expect(host.stack.openTcp(6).bind(ip('fd00::2'), 80)).toBe(0);
  });
});
