import { beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { ethernetFrame, udpPacket } from '../../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, receive } from '../support.ts';

const G = ip('239.1.1.1');
const H = ip('239.2.2.2');
const PORT = 5000;
const [A, B] = ['10.0.0.11', '10.0.0.12'];

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

function bound(address = '0.0.0.0', port = PORT): UdpEndpoint {
  const udp = host.stack.openUdp();
  expect(udp.bind(ip(address), port, { sharing: 'reuse' })).toBe(0);
  return udp;
}

function arrives(dst = G.toString(), src = A, payload = 'x'): number {
  return host.in(udpPacket({ src, dst, sourcePort: 9, destinationPort: PORT, payload }));
}

function received(udp: UdpEndpoint): string[] {
  const all: string[] = [];
  for (let got = receive(udp); typeof got !== 'number'; got = receive(udp))
    all.push(Buffer.from(got).toString());
  return all;
}

/** Sends one byte to a group, from a socket of its own. */
function sendTo(group: IpAddress, prepare: (udp: UdpEndpoint) => void = () => {}): void {
  const udp = host.stack.openUdp();
  prepare(udp);
  expect(udp.send(Uint8Array.of(120), 0, 1, group, PORT)).toBe(1);
}

describe('RFC 1112 §7.1 datagrams to groups', () => {
  test('reach who is bound to the port and has joined, and nobody else', () => {
    const [member, other, elsewhere] = [bound(), bound(), bound('0.0.0.0', 5001)];
    member.joinGroup(G);
    elsewhere.joinGroup(G);
    expect(arrives()).toBe(DropReason.none);
    expect([received(member), received(other), received(elsewhere)]).toEqual([['x'], [], []]);
  });

  test('SEM-BIND-23 every member that shares the port gets a copy', () => {
    const members = [bound(), bound(), bound('10.0.0.2')];
    for (const member of members) member.joinGroup(G);
    arrives();
    expect(members.map(received)).toEqual([['x'], ['x'], ['x']]);
  });

  test('are for nobody before the join, after leaving, and after closing', () => {
    const udp = bound();
    expect(arrives()).toBe(DropReason.ipNotForUs);
    udp.joinGroup(G);
    udp.leaveGroup(G);
    expect(arrives()).toBe(DropReason.ipNotForUs);
    udp.joinGroup(G);
    expect(arrives('239.1.1.2')).toBe(DropReason.ipNotForUs);
    udp.close();
    expect(arrives()).toBe(DropReason.ipNotForUs);
  });

  test('to 224.0.0.1 are for who has joined it, though the host always listens', () => {
    const udp = bound();
    expect(arrives('224.0.0.1')).toBe(DropReason.udpNoListener);
    expect(udp.joinGroup(ip('224.0.0.1'))).toBe(0);
    expect(arrives('224.0.0.1')).toBe(DropReason.none);
  });

  test('a port without a member is no reason for an ICMP error (RFC 1122 §3.2.2)', () => {
    bound('0.0.0.0', 5001).joinGroup(G);
    host.pass(5000);
    host.outBytes();
    expect(arrives()).toBe(DropReason.udpNoListener);
    expect(host.out()).toEqual([]);
  });

  test('tell the group as their destination', () => {
    const udp = bound();
    udp.joinGroup(G);
    arrives();
    const info = makeInfo();
    receive(udp, info);
    expect([info.destination.toString(), info.interfaceIndex]).toEqual([G.toString(), host.index]);
  });

  test('reach a connected member only from its peer', () => {
    const udp = bound();
    udp.joinGroup(G);
    udp.connect(ip(A), 9);
    arrives(G.toString(), A);
    expect(arrives(G.toString(), B)).toBe(DropReason.udpNoListener);
    expect(received(udp)).toEqual(['x']);
  });

  test('are taken on the interface of the membership only', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    const [first, other] = [bound(), bound()];
    first.joinGroup(G, { interfaceAddress: ip('10.0.0.2') });
    other.joinGroup(G, { interfaceIndex: second });
    arrives();
    expect([received(first), received(other)]).toEqual([['x'], []]);
    const packet = udpPacket({ src: '10.1.0.9', dst: G.toString(), destinationPort: PORT, payload: 'y' });
    host.stack.inputPacket(second, packet);
    expect([received(first), received(other)]).toEqual([[], ['y']]);
  });

  test('a socket that is bound to an address of another interface gets none', () => {
    host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    const udp = bound('10.1.0.2');
    udp.joinGroup(G, { interfaceIndex: host.index });
    expect(arrives()).toBe(DropReason.udpNoListener);
  });

  test('RFC 1112 §6.4 over Ethernet they come to the MAC address of the group', () => {
    host = makeHost({ medium: 'ethernet', mac: Uint8Array.of(2, 0, 0, 0, 0, 2) });
    const udp = bound();
    udp.joinGroup(G);
    const packet = udpPacket({ src: A, dst: G.toString(), destinationPort: PORT, payload: 'x' });
    expect(host.in(ethernetFrame(packet, '01005e010101'))).toBe(DropReason.none);
    expect(received(udp)).toEqual(['x']);
  });
});

describe('RFC 3376 §3.1 filters of a socket', () => {
  test('INCLUDE takes only what comes from its sources', () => {
    const udp = bound();
    udp.joinGroup(G, {}, ip(A));
    arrives(G.toString(), A);
    expect(arrives(G.toString(), B)).toBe(DropReason.udpNoListener);
    udp.joinGroup(G, {}, ip(B));
    arrives(G.toString(), B, 'b');
    expect(received(udp)).toEqual(['x', 'b']);
  });

  test('EXCLUDE takes all but what comes from its sources', () => {
    const udp = bound();
    udp.joinGroup(G);
    udp.blockSource(G, ip(A));
    expect(arrives(G.toString(), A)).toBe(DropReason.udpNoListener);
    arrives(G.toString(), B, 'b');
    udp.unblockSource(G, ip(A));
    arrives(G.toString(), A, 'a');
    expect(received(udp)).toEqual(['b', 'a']);
  });

  test('one socket’s filter is not another’s', () => {
    const [one, two] = [bound(), bound()];
    one.joinGroup(G, {}, ip(A));
    two.setSourceFilter(G, { mode: 'exclude', sources: [ip(A)] });
    arrives(G.toString(), A, 'a');
    arrives(G.toString(), B, 'b');
    expect([received(one), received(two)]).toEqual([['a'], ['b']]);
  });
});

describe('RFC 3678 §4.1 calls and their errors', () => {
  const { invalid, addressNotAvailable, noBuffers } = StackError;

  test('what is no group, or not of the family, is invalid', () => {
    const udp = bound();
    expect(udp.joinGroup(ip('10.0.0.9'))).toBe(invalid);
    expect(udp.joinGroup(ip('ff02::5'))).toBe(invalid);
    expect(udp.joinGroup(G, {}, H)).toBe(invalid);
    expect(udp.joinGroup(G, {}, IpAddress.anyV4)).toBe(invalid);
  });

  test('an interface that there is not', () => {
    const udp = bound();
    expect(udp.joinGroup(G, { interfaceIndex: 99 })).toBe(addressNotAvailable);
    expect(udp.joinGroup(G, { interfaceAddress: ip('10.9.9.9') })).toBe(addressNotAvailable);
  });

  test('SEM-MP-06 joining twice is invalid, leaving what was not joined not available', () => {
    const udp = bound();
    expect([udp.joinGroup(G), udp.joinGroup(G)]).toEqual([0, invalid]);
    expect([udp.leaveGroup(G), udp.leaveGroup(G)]).toEqual([0, addressNotAvailable]);
  });

  test('the two ways of joining exclude each other', () => {
    const udp = bound();
    udp.joinGroup(G);
    expect(udp.joinGroup(G, {}, ip(A))).toBe(invalid);
    expect(udp.leaveGroup(G, {}, ip(A))).toBe(invalid);
    udp.joinGroup(H, {}, ip(A));
    expect([udp.joinGroup(H), udp.blockSource(H, ip(B)), udp.unblockSource(H, ip(A))]).toEqual([
      invalid,
      invalid,
      invalid,
    ]);
  });

  test('a source twice, or one that is not there', () => {
    const udp = bound();
    expect([udp.joinGroup(G, {}, ip(A)), udp.joinGroup(G, {}, ip(A))]).toEqual([0, addressNotAvailable]);
    expect(udp.leaveGroup(G, {}, ip(B))).toBe(addressNotAvailable);
    expect(udp.leaveGroup(G, {}, ip(A))).toBe(0);
    expect(udp.leaveGroup(G, {}, ip(A))).toBe(addressNotAvailable);
    udp.joinGroup(H);
    expect([udp.blockSource(H, ip(A)), udp.blockSource(H, ip(A))]).toEqual([0, addressNotAvailable]);
    expect([udp.unblockSource(H, ip(A)), udp.unblockSource(H, ip(A))]).toEqual([0, addressNotAvailable]);
  });

  test('RFC 4604 §2.1 a group for single sources is not joined from all', () => {
    const udp = bound();
    const ssm = ip('232.1.1.1');
    expect(udp.joinGroup(ssm)).toBe(invalid);
    expect(udp.setSourceFilter(ssm, { mode: 'exclude', sources: [ip(A)] })).toBe(invalid);
    expect(udp.joinGroup(ssm, {}, ip(A))).toBe(0);
  });

  test('leaving without an interface means the one that was joined', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    const udp = bound();
    udp.joinGroup(G, { interfaceIndex: second });
    expect(udp.leaveGroup(G, { interfaceIndex: host.index })).toBe(addressNotAvailable);
    expect(udp.leaveGroup(G)).toBe(0);
  });

  test('the whole filter is set and read; INCLUDE of nothing leaves', () => {
    const udp = bound();
    expect(udp.setSourceFilter(G, { mode: 'exclude', sources: [ip(A), ip(A)] })).toBe(0);
    expect(udp.getSourceFilter(G)).toMatchObject({ mode: 'exclude', sources: { length: 1 } });
    expect(udp.setSourceFilter(G, { mode: 'include', sources: [] })).toBe(0);
    expect(udp.getSourceFilter(G)).toEqual({ mode: 'include', sources: [] });
    expect(host.stack.groups).toEqual([]);
  });

  test('memberships and sources are bounded', () => {
    const udp = bound();
    const groups = Array.from({ length: 1025 }, (_, i) => ip(`239.8.${i >> 8}.${i & 255}`));
    expect(groups.map((group) => udp.joinGroup(group)).at(-1)).toBe(noBuffers);
    udp.close();
    const other = bound();
    const sources = Array.from({ length: 129 }, (_, i) => ip(`10.8.0.${i}`));
    expect(sources.map((source) => other.joinGroup(G, {}, source)).at(-1)).toBe(noBuffers);
    expect(other.setSourceFilter(H, { mode: 'include', sources })).toBe(noBuffers);
  });

  test('after the close nothing can be joined', () => {
    const udp = bound();
    udp.close();
    expect(udp.joinGroup(G)).toBe(invalid);
  });
});

describe('RFC 1112 §6.1 sending to groups', () => {
  const outOf = (index: number): Uint8Array[] => {
    const packets: Uint8Array[] = [];
    for (let p = host.stack.takePacket(index); p !== null; p = host.stack.takePacket(index)) packets.push(p);
    return packets.filter((packet) => packet[9] === 17);
  };

  test('the interface may be named; its address is the source', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    sendTo(G);
    sendTo(G, (udp) => {
      udp.multicastInterface = second;
    });
    const [first, other] = [outOf(host.index), outOf(second)];
    expect([first.length, other.length]).toEqual([1, 1]);
    expect([...(other[0] as Uint8Array).subarray(12, 16)]).toEqual([10, 1, 0, 2]);
  });

  test('the interface may be changed between two datagrams of one socket', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    const udp = host.stack.openUdp();
    for (const index of [second, 0]) {
      udp.multicastInterface = index;
      udp.send(Uint8Array.of(1), 0, 1, G, PORT);
    }
    expect([outOf(second).length, outOf(host.index).length]).toEqual([1, 1]);
  });

  test('members on this host get a copy as if it had come by the interface', () => {
    const udp = bound();
    udp.joinGroup(G);
    sendTo(G);
    const packets = outOf(host.index);
    host.pass(0);
    const info = makeInfo();
    expect(receive(udp, info)).toEqual(Uint8Array.of(120));
    expect([info.source.toString(), info.interfaceIndex, packets.length]).toEqual([
      '10.0.0.2',
      host.index,
      1,
    ]);
  });

  test('without members there is no copy, and members elsewhere get none', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['10.1.0.2/24'] });
    const udp = bound();
    udp.joinGroup(G, { interfaceIndex: second });
    sendTo(G);
    host.pass(0);
    expect(received(udp)).toEqual([]);
  });

  test('SEM-MP-05 the receiver says whether it wants what its host has sent', () => {
    const [willing, unwilling] = [bound(), bound()];
    for (const udp of [willing, unwilling]) udp.joinGroup(G);
    unwilling.multicastLoop = false;
    sendTo(G, (udp) => {
      udp.multicastLoop = false;
    });
    host.pass(0);
    expect([received(willing), received(unwilling)]).toEqual([['x'], []]);
    arrives();
    expect(received(unwilling)).toEqual(['x']);
  });

  test('with a TTL of 0 only the members on this host get it', () => {
    const udp = bound();
    udp.joinGroup(G);
    host.pass(5000);
    host.outBytes();
    sendTo(G, (sender) => {
      sender.multicastTtl = 0;
    });
    host.pass(0);
    expect([outOf(host.index), received(udp)]).toEqual([[], ['x']]);
  });

  test('without a route to the group the first interface takes it', () => {
    const bare = makeHost({ addresses: ['10.0.0.2/24'] });
    expect(bare.stack.openUdp().send(Uint8Array.of(1), 0, 1, G, PORT)).toBe(1);
    expect(bare.out()).toMatchObject([{ dst: G.toString(), src: '10.0.0.2' }]);
  });

  test('a large datagram leaves in fragments and its copy stays whole', () => {
    const udp = bound();
    udp.joinGroup(G);
    host.stack.openUdp().send(new Uint8Array(5000), 0, 5000, G, PORT);
    host.pass(0);
    expect(outOf(host.index).length).toBe(4);
    host.pass(0);
    expect((receive(udp) as Uint8Array).length).toBe(5000);
  });
});

describe('raw endpoints and groups', () => {
  test('a raw endpoint gets datagrams to groups that it has joined', () => {
    const raw = host.stack.openRaw(17);
    arrives();
    expect(receive(raw)).toBe(StackError.wouldBlock);
    raw.joinGroup(G);
    arrives();
    expect((receive(raw) as Uint8Array).length).toBe(29);
  });

  test('what it sends to a group comes back to members', () => {
    const raw = host.stack.openRaw(99);
    raw.joinGroup(G);
    expect(raw.send(Uint8Array.of(7), 0, 1, G, 0)).toBe(1);
    host.pass(0);
    host.outBytes();
    host.pass(0);
    expect((receive(raw) as Uint8Array).at(-1)).toBe(7);
  });
});
