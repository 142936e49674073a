/** The control codes of section 5 of the surface reference. */

import { expect, test } from '@jest/globals';
import * as abi from '../../src/abi/index.ts';
import { IpAddress, i32le } from '../../src/base/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ROWS, type Row } from './ioctl-rows.ts';
import { BYTE, INDEX, ioctl, outcome, socketsOf, WORDS } from './ioctl-support.ts';
import {
  bound,
  connected,
  datagramPair,
  getInt,
  int,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  overSystemHandles,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const { WSAEFAULT: F, WSAEINVAL: I, WSAENOPROTOOPT: N, WSAEOPNOTSUPP: O, WSAEADDRNOTAVAIL: A } = abi;

overEveryAttachment('the control codes', (pair) => {
  test.each(
    ROWS.map((row): [string, Row] => [
      `${row[0]} ${(row[1] >>> 0).toString(16)} in ${row[2]?.length ?? 0} out ${row[3]}`,
      row,
    ]),
  )('%s on fresh sockets of each kind', async (_title, [, code, input, room, answers, count]) => {
    const { a } = await pair();
    for (const [kind, s] of (await socketsOf(a, abi.AF_INET)).entries()) {
      const expected = answers[kind] as number;
      expect([kind, ...(await outcome(a, s, code, input, room))]).toEqual([
        kind,
        expected,
        expected === 0 ? (count ?? 0) : 0,
      ]);
    }
  });

  test('SEM-IOC-01 without a place for the count, or on a dead handle, no code is carried out', async () => {
    const { a } = await pair();
    const s = await udp(a);
    for (const [, code] of ROWS) expect(await a.WSAIoctl(s, code, null, 0, null, 0, null)).toBe(-F);
    await ok(a.closesocket(s));
    for (const [, code] of ROWS) expect((await ioctl(a, s, code)).answer).toBe(-abi.WSAENOTSOCK);
  });

  test('IOC-SIO_GET_BROADCAST_ADDRESS, IOC-SIO_GET_INTERFACE_LIST are IPv4’s', async () => {
    const { a } = await pair();
    const { out } = await ioctl(a, await udp(a), abi.SIO_GET_BROADCAST_ADDRESS, null, 16);
    expect(nameIn(out)).toEqual({ address: '255.255.255.255', port: 0 });
    const [s] = await socketsOf(a, abi.AF_INET6);
    expect(await outcome(a, s as number, abi.SIO_GET_BROADCAST_ADDRESS, null, 28)).toEqual([-N, 0]);
    expect(await outcome(a, s as number, abi.SIO_GET_INTERFACE_LIST, null, 1024)).toEqual([-I, 0]);
  });

  test('IOC-SIO_GET_INTERFACE_LIST, STR-INTERFACE_INFO lists loopback and the address with its mask', async () => {
    const { a } = await pair();
    const { out } = await ioctl(a, await udp(a), abi.SIO_GET_INTERFACE_LIST, null, 1024);
    const [loopback, own] = [abi.readINTERFACE_INFO(out), abi.readINTERFACE_INFO(out, 76)];
    expect([`${loopback?.iiAddress}`, `${own?.iiAddress}`, `${own?.iiNetmask}`]).toEqual([
      '127.0.0.1',
      ADDRESS_A,
      '255.255.255.0',
    ]);
    expect((loopback?.iiFlags ?? 0) & abi.IFF_LOOPBACK).not.toBe(0);
  });

  test('IOC-SIO_ROUTING_INTERFACE_QUERY answers the local address, and each of its errors', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const ask = (input: Uint8Array | null, room: number) =>
      ioctl(a, s, abi.SIO_ROUTING_INTERFACE_QUERY, input, room);
    const right = await ask(name(ADDRESS_B, 80), 16);
    expect([right.answer, right.count, nameIn(right.out)]).toEqual([0, 16, { address: ADDRESS_A, port: 0 }]);
    const unspecified = name(ADDRESS_B, 0);
    unspecified[0] = 0;
    const rows: readonly [Uint8Array | null, number, number, number][] = [
      [null, 16, -I, 0],
      [new Uint8Array(15), 16, -I, 0],
      [name('0.0.0.0', 0), 16, -I, 0],
      [unspecified, 16, -abi.WSAEAFNOSUPPORT, 0],
      [name(ADDRESS_B, 0), 15, -F, 16],
      [name('192.0.2.1', 0), 16, -abi.WSAENETUNREACH, 0],
    ];
    for (const [input, room, answer, count] of rows)
      expect(await ask(input, room)).toMatchObject({ answer, count });
  });

  test('IOC-SIO_ADDRESS_LIST_QUERY, STR-SOCKET_ADDRESS_LIST says what it needs, whatever it is given', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const ask = (room: number) => ioctl(a, s, abi.SIO_ADDRESS_LIST_QUERY, null, room);
    const need = 8 + 16 + 16;
    const right = await ask(100);
    expect([right.answer, right.count]).toEqual([0, need]);
    expect(abi.readSocketAddressList(right.out)?.map(({ address }) => `${address}`)).toEqual([ADDRESS_A]);
    for (const room of [1, 2, 3]) expect(await ask(room)).toMatchObject({ answer: -I, count: 0 });
    for (const room of [0, 4, need - 1]) expect(await ask(room)).toMatchObject({ answer: -F, count: need });
  });

  test('IOC-SIO_ADDRESS_LIST_SORT puts a peer’s addresses in the order of RFC 6724', async () => {
    const { a } = await pair();
    const [s] = await socketsOf(a, abi.AF_INET6);
    const addresses = ['2001:db8::1', '::1'].map((each) => IpAddress.parse(each) ?? IpAddress.anyV6);
    const list = new Uint8Array(abi.socketAddressListLength(addresses));
    abi.writeSocketAddressList(list, addresses);
    const { answer, count, out } = await ioctl(a, s as number, abi.SIO_ADDRESS_LIST_SORT, list, list.length);
    expect([answer, count]).toEqual([0, list.length]);
    expect(abi.readSocketAddressList(out)?.map(({ address }) => `${address}`)).toEqual([
      '::1',
      '2001:db8::1',
    ]);
    expect(await outcome(a, s as number, abi.SIO_ADDRESS_LIST_SORT, list, 9)).toEqual([-F, list.length]);
    list.fill(0xff, 0, 4);
    expect(await outcome(a, s as number, abi.SIO_ADDRESS_LIST_SORT, list, list.length)).toEqual([-F, 0]);
    expect(await outcome(a, await udp(a), abi.SIO_ADDRESS_LIST_SORT, list, list.length)).toEqual([-O, 0]);
  });

  test('IOC-SIO_KEEPALIVE_VALS, STR-tcp_keepalive sets the three, and leaves times of zero', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const times = async () => [
      await getInt(a, s, abi.SOL_SOCKET, abi.SO_KEEPALIVE),
      await getInt(a, s, abi.IPPROTO_TCP, abi.TCP_KEEPIDLE),
      await getInt(a, s, abi.IPPROTO_TCP, abi.TCP_KEEPINTVL),
    ];
    await ioctl(a, s, abi.SIO_KEEPALIVE_VALS, WORDS(1, 30_000, 2000));
    expect(await times()).toEqual([1, 30, 2]);
    await ioctl(a, s, abi.SIO_KEEPALIVE_VALS, WORDS(0, 0, 0));
    expect(await times()).toEqual([0, 30, 2]);
  });

  test('IOC-SIO_SET_PRIORITY_HINT very low priority yields to all others, until it is taken back', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const algorithm = () => getInt(a, s, abi.IPPROTO_TCP, abi.TCP_CONGESTION_ALGORITHM);
    const usual = await algorithm();
    for (const hint of [
      abi.SocketPriorityHintVeryLow,
      abi.SocketPriorityHintLow,
      abi.SocketPriorityHintNormal,
    ]) {
      expect(await outcome(a, s, abi.SIO_SET_PRIORITY_HINT, int(hint), 0)).toEqual([0, 0]);
      expect((await algorithm()) === usual).toBe(hint !== abi.SocketPriorityHintVeryLow);
    }
  });

  test('IOC-SIO_TCP_INITIAL_RTO, IOC-SIO_CPU_AFFINITY come too late once the socket is in use', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await outcome(a, client, abi.SIO_TCP_INITIAL_RTO, int(300), 0)).toEqual([-I, 0]);
    const { s } = await bound(a, udp);
    expect(await outcome(a, s, abi.SIO_CPU_AFFINITY, new Uint8Array(2), 0)).toEqual([-I, 0]);
  });

  test('IOC-SIO_TCP_SET_ICW, IOC-SIO_TCP_INFO a connection begins with the window that was asked for', async () => {
    const { a, b } = await pair();
    const windowOf = async (level: number): Promise<number> => {
      const { port } = await connected({ a, b });
      const s = await tcp(a);
      await ioctl(a, s, abi.SIO_TCP_SET_ICW, int(level));
      await ok(a.connect(s, name(ADDRESS_B, port)));
      const info = abi.readTcpInfoV0((await ioctl(a, s, abi.SIO_TCP_INFO, int(0), 88)).out);
      return (info?.Cwnd ?? 0) / (info?.Mss ?? 1);
    };
    expect(await windowOf(abi.TCP_ICW_LEVEL_COMPAT)).toBe(4);
    expect(await windowOf(abi.TCP_ICW_LEVEL_EXPERIMENTAL)).toBe(128);
  });

  test('IOC-SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE is another for each socket', async () => {
    const { a } = await pair();
    const handles = [await tcp(a), await tcp(a)].map((s) =>
      ioctl(a, s, abi.SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE, null, 8),
    );
    const [first, second] = await Promise.all(handles);
    expect(i32le(first?.out ?? BYTE(0), 0)).not.toBe(i32le(second?.out ?? BYTE(0), 0));
  });

  test('IOC-SIO_ENABLE_CIRCULAR_QUEUEING, SEM-IO-16 the oldest datagrams are dropped rather than the newest', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(b.setsockopt(peer, abi.SOL_SOCKET, abi.SO_RCVBUF, int(4096)));
    expect((await ioctl(b, peer, abi.SIO_ENABLE_CIRCULAR_QUEUEING)).answer).toBe(0);
    for (const what of ['1', '2', '3', '4', '5']) {
      const bytes = text(what.repeat(1400));
      expect(await a.sendto(s, bytes, bytes.length, 0, name(ADDRESS_B, peerPort))).toBe(1400);
    }
    const count: Ref = { value: 0 };
    const first = new Uint8Array(1);
    for (let i = 0; i < 500 && first[0] !== 0x34; i++) {
      await b.recv(peer, first, 1, abi.MSG_PEEK);
      await b.select(0, { fd_array: [await udp(b)] }, null, null, { tv_sec: 0, tv_usec: 1000 });
    }
    await ok(b.ioctlsocket(peer, abi.FIONREAD, count));
    expect(count.value).toBe(2800);
    expect([(await receiveText(b, peer, 1400))[0], (await receiveText(b, peer, 1400))[0]]).toEqual([
      '4',
      '5',
    ]);
  });

  test('IOC-SIO_INDEX groups are joined and left by the interface’s index', async () => {
    const { a, b } = await pair();
    const { s } = await bound(a, udp, ADDRESS_A);
    const { s: member, port } = await bound(b, udp);
    const mreq = WORDS(0, INDEX);
    mreq.set([239, 1, 2, 3]);
    expect(await outcome(b, member, abi.SIO_INDEX_ADD_MCAST, mreq, 0)).toEqual([0, 0]);
    expect((await ioctl(b, member, abi.SIO_INDEX_ADD_MCAST, mreq)).answer).toBe(-I);
    await ok(a.sendto(s, text('all'), 3, 0, name('239.1.2.3', port)));
    expect(await receiveText(b, member)).toBe('all');
    expect(await outcome(b, member, abi.SIO_INDEX_DEL_MCAST, mreq, 0)).toEqual([0, 0]);
    expect((await ioctl(b, member, abi.SIO_INDEX_DEL_MCAST, mreq)).answer).toBe(-A);
  });

  test('IOC-SIO_INDEX, OPT-IP_IFLIST a socket of one interface hears no other', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const loopback = 1;
    await ok(b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_IFLIST, int(1)));
    expect(await b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_ADD_IFLIST, int(99))).toBe(-A);
    await ok(b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_ADD_IFLIST, int(loopback)));
    await ok(a.sendto(s, text('no'), 2, 0, name(ADDRESS_B, peerPort)));
    const { s: own, port } = await bound(b, udp, ADDRESS_B);
    // Behind the other: that one was here.
    await ok(a.sendto(s, text('mark'), 4, 0, name(ADDRESS_B, port)));
    expect(await receiveText(b, own)).toBe('mark');
    await ok(b.sendto(own, text('own'), 3, 0, name(ADDRESS_B, peerPort)));
    expect(await receiveText(b, peer)).toBe('own');
    const list = new Uint8Array(8);
    const length: Ref = { value: 8 };
    await ok(b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_ADD_IFLIST, int(INDEX)));
    await ok(b.getsockopt(peer, abi.IPPROTO_IP, abi.IP_GET_IFLIST, list, length));
    expect([length.value, i32le(list, 0), i32le(list, 4)]).toEqual([8, loopback, INDEX]);
    await ok(b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_DEL_IFLIST, int(loopback)));
    expect(await b.setsockopt(peer, abi.IPPROTO_IP, abi.IP_DEL_IFLIST, int(loopback))).toBe(-A);
    await ok(a.sendto(s, text('yes'), 3, 0, name(ADDRESS_B, peerPort)));
    expect(await receiveText(b, peer)).toBe('yes');
  });
});

overSystemHandles('codes that name a socket', (pair) => {
  test('IOC-SIO_BASE_HANDLE, IOC-SIO_BSP_HANDLE, IOC-SIO_QUERY_TARGET_PNP_HANDLE all name the socket where no layer is above', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const codes = [
      abi.SIO_BASE_HANDLE,
      abi.SIO_BSP_HANDLE,
      abi.SIO_BSP_HANDLE_SELECT,
      abi.SIO_QUERY_TARGET_PNP_HANDLE,
    ];
    for (const code of codes) expect(i32le((await ioctl(a, s, code, null, 8)).out, 0)).toBe(s);
  });
});
