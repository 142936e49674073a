/** UDP without checksums over IPv6 (RFC 6935, RFC 6936), and raw endpoints of IPv6 that compute checksums or tap. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress, OFFLOAD_CSUM, OFFLOAD_USO } from '../../../../src/base/index.ts';
import { StackError } from '../../../../src/stack/index.ts';
import { DropReason, IPPROTO_ICMPV6 } from '../../../../src/wire/index.ts';
import { icmp6Packet, ipv6Packet, PEER6, udp6Packet } from '../../../support/segment6.ts';
import { ip, pattern, receive } from '../support.ts';
import { type Host6UnderTest, makeHost6 } from './support.ts';

let host: Host6UnderTest;

beforeEach(() => {
  host = makeHost6();
});

describe('RFC 6935 §5 datagrams without a checksum', () => {
  test('are dropped, and counted, unless the endpoint says that it takes them (RFC 6936 §4, §5)', () => {
    const udp = host.stack.openUdp(6);
    udp.bind(IpAddress.anyV6, 53);
    const packet = udp6Packet({ payload: 4, hasChecksum: false });
    expect(host.in(packet)).toBe(DropReason.udpNoChecksum);
    expect(host.stack.counters.udpInErrors).toBe(1);
    udp.takesZeroChecksum = true;
    expect(host.in(packet)).toBe(0);
    expect(receive(udp)).toHaveLength(4);
  });

  test('to a port that nobody has are refused like others', () => {
    expect(host.in(udp6Packet({ payload: 4, hasChecksum: false }))).toBe(DropReason.udpNoListener);
  });

  test('with a checksum the endpoint still has it verified', () => {
    const udp = host.stack.openUdp(6);
    udp.bind(IpAddress.anyV6, 53);
    udp.takesZeroChecksum = true;
    const packet = udp6Packet({ payload: 4 });
    packet[packet.length - 1] = 0xff;
    expect(host.in(packet)).toBe(DropReason.udpChecksum);
  });

  test('are sent by an endpoint that says so, whatever the link completes', () => {
    for (const offload of [0, OFFLOAD_CSUM | OFFLOAD_USO]) {
      const target = makeHost6({ offload });
      const udp = target.stack.openUdp(6);
      udp.sendsZeroChecksum = true;
      udp.send(pattern(9), 0, 9, ip(PEER6), 53);
      const [packet] = target.outBytes();
      expect([packet?.[46], packet?.[47]]).toEqual([0, 0]);
    }
  });
});

describe('OPT-UDP_SEND_MSG_SIZE over IPv6', () => {
  test('a link with USO cuts the same datagrams that are made without', () => {
    const sent = [0, OFFLOAD_CSUM | OFFLOAD_USO].map((offload) => {
      const target = makeHost6({ offload });
      const udp = target.stack.openUdp(6);
      udp.bind(IpAddress.anyV6, 4000);
      udp.segmentSize = 1000;
      expect(udp.send(pattern(2500), 0, 2500, ip(PEER6), 53)).toBe(2500);
      return target.out6().map(({ payload }) => payload);
    });
    expect(sent[0]?.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(sent[1]).toEqual(sent[0]);
  });
});

describe('RFC 3542 §3.1 checksums of raw endpoints', () => {
  test('are computed where the endpoint says, and verified', () => {
    const raw = host.stack.openRaw(103, 6);
    raw.checksumOffset = 4;
    expect(raw.send(pattern(5), 0, 5, ip(PEER6), 0)).toBe(StackError.invalid);
    expect(raw.send(pattern(11), 0, 11, ip(PEER6), 0)).toBe(11);
    const [sent] = host.outBytes();
    const payload = (sent as Uint8Array).slice(40);
    expect([payload[0], payload[1]]).toEqual([pattern(2)[0], pattern(2)[1]]);
    // The same sum the other way round: both addresses are in it.
    expect(host.in(ipv6Packet(103, payload))).toBe(0);
    expect(receive(raw)).toEqual(payload);
    payload[0] = (payload[0] as number) ^ 1;
    host.in(ipv6Packet(103, payload));
    expect(receive(raw)).toBe(StackError.wouldBlock);
    expect(host.stack.counters.drops[DropReason.rawChecksum]).toBe(1);
  });

  test('of ICMPv6 stay where they are; odd places and IPv4 have none', () => {
    const icmp = host.stack.openRaw(IPPROTO_ICMPV6, 6);
    icmp.checksumOffset = 8;
    expect(icmp.checksumOffset).toBe(2);
    const other = host.stack.openRaw(103, 6);
    other.checksumOffset = 3;
    expect(other.checksumOffset).toBe(-1);
    const four = host.stack.openRaw(103);
    four.checksumOffset = 4;
    expect(four.checksumOffset).toBe(-1);
  });
});

describe('SIO_RCVALL over IPv6', () => {
  test('RAW-RCVALL-01, RAW-RCVALL-02 the tap sees packets with their headers, both ways, and none of IPv4', () => {
    const raw = host.stack.openRaw(41, 6);
    expect(raw.setTap('promiscuous')).toBe(StackError.invalid);
    raw.bind(ip('fd00::2'), 0);
    expect(raw.setTap('promiscuous')).toBe(0);
    const elsewhere = udp6Packet({ dst: 'fd00::77', payload: 3 });
    const request = icmp6Packet({ payload: 8 });
    host.in(elsewhere);
    host.in(request);
    const [answer] = host.outBytes();
    expect([receive(raw), receive(raw), receive(raw)]).toEqual([elsewhere, request, answer]);
    host.in(Uint8Array.of(0x60, 0, 0));
    expect(receive(raw)).toBe(StackError.wouldBlock);
  });
});
