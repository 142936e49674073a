/** The functions of ws2tcpip.h that are short for options and control codes. */

import { expect, test } from '@jest/globals';
import * as abi from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { INDEX } from './ioctl-support.ts';
import {
  bound,
  getInt,
  int,
  name,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

const GROUP = '239.9.9.9';
const inAddr = (address: string): Uint8Array => name(address, 0).subarray(4, 8);
const list4 = (...addresses: string[]): Uint8Array => Buffer.concat(addresses.map(inAddr));
const stored = (address: string): Uint8Array => Buffer.concat([name(address, 0), new Uint8Array(112)]);

overEveryAttachment('source filters', (pair) => {
  test('API-setipv4sourcefilter, API-getipv4sourcefilter set and read from whom a group is heard', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(b, udp);
    const [any, group] = [inAddr('0.0.0.0'), inAddr(GROUP)];
    expect(
      await b.setipv4sourcefilter(s, any, group, abi.MCAST_INCLUDE, 2, list4(ADDRESS_A, '10.0.0.7')),
    ).toBe(0);
    const [mode, count]: [Ref, Ref] = [{ value: 9 }, { value: 4 }];
    const list = new Uint8Array(16);
    expect(await b.getipv4sourcefilter(s, any, group, mode, count, list)).toBe(0);
    expect([mode.value, count.value, list.subarray(0, 8).join('.')]).toEqual([0, 2, '10.0.0.1.10.0.0.7']);
    const { s: sender } = await bound(a, udp, ADDRESS_A);
    await ok(a.sendto(sender, text('heard'), 5, 0, name(GROUP, port)));
    expect(await receiveText(b, s)).toBe('heard');
    // A list that is too short: how many there are, and WSAENOBUFS; with no room the mode alone.
    count.value = 1;
    expect(await b.getipv4sourcefilter(s, any, group, mode, count, new Uint8Array(4))).toBe(-abi.WSAENOBUFS);
    expect(count.value).toBe(2);
    count.value = 0;
    expect(await b.getipv4sourcefilter(s, any, group, mode, count, null)).toBe(0);
    expect([mode.value, count.value]).toEqual([0, 2]);
    expect(await b.setipv4sourcefilter(s, any, group, abi.MCAST_INCLUDE, 0, null)).toBe(0);
  });

  test('API-setsourcefilter, API-getsourcefilter the same by the index of the interface', async () => {
    const { b } = await pair();
    const { s } = await bound(b, udp);
    const group = name(GROUP, 0);
    expect(await b.setsourcefilter(s, INDEX, group, 16, abi.MCAST_EXCLUDE, 1, stored(ADDRESS_A))).toBe(0);
    const [mode, count]: [Ref, Ref] = [{ value: 9 }, { value: 2 }];
    const list = new Uint8Array(256);
    expect(await b.getsourcefilter(s, INDEX, group, 16, mode, count, list)).toBe(0);
    expect([mode.value, count.value, list.subarray(4, 8).join('.')]).toEqual([1, 1, ADDRESS_A]);
    expect(await b.setsourcefilter(s, 99, group, 16, abi.MCAST_EXCLUDE, 0, null)).toBe(-abi.WSAEADDRNOTAVAIL);
    expect(await b.setsourcefilter(s, INDEX, group, 16, 7, 0, null)).toBe(-abi.WSAEINVAL);
  });

  test('API-setsourcefilter, API-getipv4sourcefilter pointers, counts and lengths that are wrong', async () => {
    const { b } = await pair();
    const { s } = await bound(b, udp);
    const [any, group, full] = [inAddr('0.0.0.0'), inAddr(GROUP), name(GROUP, 0)];
    const one: Ref = { value: 1 };
    const F = -abi.WSAEFAULT;
    expect(await b.setipv4sourcefilter(s, null, group, 0, 0, null)).toBe(F);
    expect(await b.setipv4sourcefilter(s, any, new Uint8Array(3), 0, 0, null)).toBe(F);
    expect(await b.setipv4sourcefilter(s, any, group, 0, 2, new Uint8Array(7))).toBe(F);
    expect(await b.setipv4sourcefilter(s, any, group, 0, -1, new Uint8Array(7))).toBe(F);
    expect(await b.setipv4sourcefilter(s, any, group, 0, 0x7fff_ffff, new Uint8Array(7))).toBe(F);
    expect(await b.getipv4sourcefilter(s, any, group, null, one, new Uint8Array(4))).toBe(F);
    expect(await b.getipv4sourcefilter(s, any, group, one, null, new Uint8Array(4))).toBe(F);
    expect(await b.setsourcefilter(s, INDEX, null, 16, 0, 0, null)).toBe(F);
    expect(await b.setsourcefilter(s, INDEX, full, 17, 0, 0, null)).toBe(F);
    expect(await b.setsourcefilter(s, INDEX, full, 1, 0, 0, null)).toBe(F);
    expect(await b.getsourcefilter(s, INDEX, full, 16, one, one, null)).toBe(F);
    expect(await b.setsourcefilter(4444, INDEX, full, 16, 0, 0, null)).toBe(-abi.WSAENOTSOCK);
    expect(await b.setsourcefilter(await tcp(b), INDEX, full, 16, 0, 0, null)).toBe(-abi.WSAEOPNOTSUPP);
  });
});

overEveryAttachment('functions that are short for options', (pair) => {
  test('API-WSAGetIPUserMtu, API-WSASetIPUserMtu, API-WSAGetRecvIPEcn, API-WSASetRecvIPEcn take the level of the family', async () => {
    const { a } = await pair();
    for (const [family, level] of [
      [abi.AF_INET, abi.IPPROTO_IP],
      [abi.AF_INET6, abi.IPPROTO_IPV6],
    ] as const) {
      const s = await ok(a.socket(family, abi.SOCK_DGRAM, 0));
      const value: Ref = { value: 0 };
      expect([await a.WSAGetIPUserMtu(s, value), value.value]).toEqual([0, 0xffff_ffff]);
      expect(await a.WSASetIPUserMtu(s, 1280)).toBe(0);
      expect(await getInt(a, s, level, abi.IP_USER_MTU)).toBe(1280);
      expect(await a.WSASetRecvIPEcn(s, 1)).toBe(0);
      expect([await a.WSAGetRecvIPEcn(s, value), value.value]).toEqual([0, 1]);
      expect(await getInt(a, s, level, abi.IP_RECVECN)).toBe(1);
    }
    expect(await a.WSASetIPUserMtu(4444, 1280)).toBe(-abi.WSAENOTSOCK);
    expect(await a.WSAGetIPUserMtu(await udp(a), null)).toBe(-abi.WSAEFAULT);
  });

  test('API-WSAGetFailConnectOnIcmpError, API-WSASetFailConnectOnIcmpError, API-WSAGetIcmpErrorInfo', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const value: Ref = { value: 9 };
    expect([await a.WSAGetFailConnectOnIcmpError(s, value), value.value]).toEqual([0, 0]);
    expect(await a.WSASetFailConnectOnIcmpError(s, 1)).toBe(0);
    expect([await a.WSAGetFailConnectOnIcmpError(s, value), value.value]).toEqual([0, 1]);
    const info = new Uint8Array(abi.ICMP_ERROR_INFO_LEN).fill(0xee);
    expect(await a.WSAGetIcmpErrorInfo(s, info)).toBe(0);
    expect(info[0]).toBe(0xee);
    expect(await a.WSAGetIcmpErrorInfo(s, null)).toBe(-abi.WSAEFAULT);
    expect(await a.WSASetFailConnectOnIcmpError(await udp(a), 1)).toBe(-abi.WSAENOPROTOOPT);
  });

  test('API-WSAGetUdpRecvMaxCoalescedSize, API-WSASetUdpRecvMaxCoalescedSize, API-WSAGetUdpSendMessageSize, API-WSASetUdpSendMessageSize', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(b, udp, ADDRESS_B);
    const value: Ref = { value: 9 };
    expect(await b.WSASetUdpRecvMaxCoalescedSize(s, 9000)).toBe(0);
    expect([await b.WSAGetUdpRecvMaxCoalescedSize(s, value), value.value]).toEqual([0, 9000]);
    const sender = await udp(a);
    expect(await a.WSASetUdpSendMessageSize(sender, 2)).toBe(0);
    expect([await a.WSAGetUdpSendMessageSize(sender, value), value.value]).toEqual([0, 2]);
    await ok(a.sendto(sender, text('abc'), 3, 0, name(ADDRESS_B, port)));
    expect([await receiveText(b, s), await receiveText(b, s)]).toEqual(['ab', 'c']);
    expect(await a.setsockopt(sender, abi.IPPROTO_UDP, abi.UDP_SEND_MSG_SIZE, int(0))).toBe(0);
  });
});

overEveryAttachment('interfaces by name and number', (pair) => {
  test('if_nametoindex and if_indextoname are each other’s opposite; what is not there is 0', async () => {
    const { a, attachment } = await pair();
    for (const { index, name: known } of attachment.hosts.a.host.stack.interfaces) {
      const found: Ref<string> = { value: '' };
      expect(await a.if_nametoindex(known)).toBe(index);
      expect([await a.if_indextoname(index, found), found.value]).toEqual([1, known]);
    }
    for (const none of ['', 'nosuch', 'x'.repeat(300), 'ä']) expect(await a.if_nametoindex(none)).toBe(0);
    for (const none of [0, 99, -1]) expect(await a.if_indextoname(none, { value: '' })).toBe(0);
    expect(await a.if_indextoname(1, null)).toBe(-abi.WSAEFAULT);
    const mobile = await attachment.processOn('a', 0, 'windows-mobile');
    await ok(mobile.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await mobile.if_nametoindex('lo')).toBe(0);
    await mobile.WSACleanup();
  });
});
