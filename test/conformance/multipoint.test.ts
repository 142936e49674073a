/** Flags of WSASocket and multipoint sessions: API-WSASocket, API-WSAJoinLeaf, SEM-MP-*. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  WSA_FLAG_MULTIPOINT_C_LEAF as C_LEAF,
  WSA_FLAG_MULTIPOINT_C_ROOT as C_ROOT,
  WSA_FLAG_MULTIPOINT_D_LEAF as D_LEAF,
  WSA_FLAG_MULTIPOINT_D_ROOT as D_ROOT,
  FD_CONNECT,
  IP_MULTICAST_LOOP,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  JL_BOTH,
  JL_RECEIVER_ONLY,
  JL_SENDER_ONLY,
  SO_GROUP_ID,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  WSA_FLAG_ACCESS_SYSTEM_SECURITY,
  WSA_FLAG_NO_HANDLE_INHERIT,
  WSA_FLAG_OVERLAPPED,
  WSAEACCES,
  WSAEADDRNOTAVAIL,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import {
  getInt,
  int,
  localName,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

const G = '239.1.2.3';

function leafSocket(ws: Winsock): Promise<number> {
  return ok(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, WSA_FLAG_OVERLAPPED | C_LEAF | D_LEAF));
}

function join(ws: Winsock, s: number, to: Uint8Array | null, role: number): Promise<number> {
  return Promise.resolve(ws.WSAJoinLeaf(s, to, to?.length ?? 0, null, null, null, null, role));
}

overEveryAttachment('flags of WSASocket', (pair) => {
  test.each([
    ['nothing', 0, 0],
    ['overlapped', WSA_FLAG_OVERLAPPED, 0],
    ['overlapped, not inherited', WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT, 0],
    ['SYSTEM_SECURITY', WSA_FLAG_ACCESS_SYSTEM_SECURITY, WSAEACCES],
    ['an unknown flag', 0x20, WSAEINVAL],
    ['an unknown flag above', 0x200, WSAEINVAL],
    ['C_LEAF, D_LEAF', C_LEAF | D_LEAF, 0],
    ['C_LEAF alone', C_LEAF, WSAEINVAL],
    ['D_LEAF alone', D_LEAF, WSAEINVAL],
    ['both C flags', C_LEAF | C_ROOT | D_LEAF, WSAEINVAL],
    ['both D flags', C_LEAF | D_LEAF | D_ROOT, WSAEINVAL],
    ['a rooted control plane, which IP has not', C_ROOT | D_LEAF, WSAEINVAL],
    ['a rooted data plane, which IP has not', C_LEAF | D_ROOT, WSAEINVAL],
  ])('API-WSASocket, SEM-MP-01 of a datagram socket: %s', async (_title, flags, code) => {
    const { a } = await pair();
    const answer = await a.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
    if (code === 0) expect(await getInt(a, answer, SOL_SOCKET, SO_TYPE)).toBe(SOCK_DGRAM);
    else expect(answer).toBe(-code);
  });

  test('SEM-MP-01 a stream cannot be multipoint', async () => {
    const { a } = await pair();
    const flags = C_LEAF | D_LEAF;
    expect(await a.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, flags)).toBe(-WSAEINVAL);
  });

  test('API-WSASocket groups are reserved: whatever is asked for, the socket is in none', async () => {
    const { a } = await pair();
    for (const group of [0, 1, 2, 77]) {
      const s = await ok(a.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, group, 0));
      expect(await getInt(a, s, SOL_SOCKET, SO_GROUP_ID)).toBe(0);
    }
  });
});

overEveryAttachment('WSAJoinLeaf', (pair) => {
  test('SEM-MP-02, SEM-MP-03 both roles: the same socket sends to the group and hears it', async () => {
    const { a, b } = await pair();
    const [s, peer] = [await leafSocket(a), await leafSocket(b)];
    await ok(b.bind(peer, name('0.0.0.0', 0)));
    const { port } = await localName(b, peer);
    expect(await join(b, peer, name(G, port), JL_RECEIVER_ONLY)).toBe(peer);
    expect(await join(a, s, name(G, port), JL_BOTH)).toBe(s);
    expect((await localName(a, s)).port).toBeGreaterThan(0);
    const named = new Uint8Array(16);
    await ok(a.getpeername(s, named));
    expect(nameIn(named)).toEqual({ address: G, port });
    await ok(a.send(s, text('to all')));
    expect(await receiveText(b, peer)).toBe('to all');
    // The group is a destination and no filter: what comes from its members is heard.
    await ok(b.sendto(peer, text('back'), 4, 0, name('10.0.0.1', (await localName(a, s)).port)));
    expect(await receiveText(a, s)).toBe('back');
  });

  test('SEM-MP-03 a sender is no member, a receiver has no peer', async () => {
    const { a, b } = await pair();
    const [sender, receiver] = [await leafSocket(a), await leafSocket(b)];
    await ok(b.bind(receiver, name('0.0.0.0', 0)));
    const { port } = await localName(b, receiver);
    await ok(join(b, receiver, name(G, port), JL_RECEIVER_ONLY));
    expect(await b.send(receiver, text('x'))).toBe(-WSAENOTCONN);
    await ok(a.bind(sender, name('0.0.0.0', port)));
    await ok(join(a, sender, name(G, port), JL_SENDER_ONLY));
    await ok(a.setsockopt(sender, IPPROTO_IP, IP_MULTICAST_LOOP, int(1)));
    await ok(a.send(sender, text('once')));
    expect(await receiveText(b, receiver)).toBe('once');
    await ok(a.ioctlsocket(sender, 0x8004667e, { value: 1 }));
    expect(await a.recv(sender, new Uint8Array(9))).toBeLessThan(0);
  });

  test('SEM-MP-03 FD_CONNECT says that it is done', async () => {
    const { a } = await pair();
    const s = await leafSocket(a);
    const event = await ok(a.WSACreateEvent());
    await ok(a.WSAEventSelect(s, event, FD_CONNECT));
    await ok(join(a, s, name(G, 5000), JL_BOTH));
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 1000)).toBe(0);
    const events: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(a.WSAEnumNetworkEvents(s, event, events));
    expect([events.lNetworkEvents, events.iErrorCode[4]]).toEqual([FD_CONNECT, 0]);
  });

  test('SEM-MP-06 joining twice is refused; connect takes the group’s place as the peer', async () => {
    const { a } = await pair();
    const s = await leafSocket(a);
    await ok(join(a, s, name(G, 5000), JL_BOTH));
    expect([-WSAEINVAL, -WSAEADDRNOTAVAIL]).toContain(await join(a, s, name(G, 5000), JL_BOTH));
    await ok(a.connect(s, name('10.0.0.2', 9)));
    const named = new Uint8Array(16);
    await ok(a.getpeername(s, named));
    expect(nameIn(named)).toEqual({ address: '10.0.0.2', port: 9 });
  });

  test('API-WSAJoinLeaf refusals in the order of their checks', async () => {
    const { a } = await pair();
    const s = await leafSocket(a);
    const plain = await udp(a);
    const group = name(G, 5000);
    expect(await join(a, 4, null, 0)).toBe(-WSAENOTSOCK);
    expect(await join(a, s, null, 0)).toBe(-WSAEFAULT);
    expect(await a.WSAJoinLeaf(s, group, 99, null, null, null, null, JL_BOTH)).toBe(-WSAEFAULT);
    expect(await join(a, await tcp(a), group, JL_BOTH)).toBe(-WSAEOPNOTSUPP);
    expect(await join(a, plain, group, JL_BOTH)).toBe(-WSAEINVAL);
    expect(await join(a, s, group, 3)).toBe(-WSAEINVAL);
    expect(await a.WSAJoinLeaf(s, group, 16, text('data'), null, null, null, JL_BOTH)).toBe(
      -WSAEPROTONOSUPPORT,
    );
    expect(await join(a, s, name('10.0.0.2', 5000), JL_BOTH)).toBe(-WSAEADDRNOTAVAIL);
    const other = name(G, 5000);
    other[0] = AF_INET6;
    expect(await join(a, s, other, JL_BOTH)).toBe(-WSAEAFNOSUPPORT);
    const callee = { value: text('room') };
    await ok(a.WSAJoinLeaf(s, group, 16, null, callee, null, null, JL_RECEIVER_ONLY));
    expect(callee.value).toHaveLength(0);
  });
});

overEveryAttachment('WSAJoinLeaf of Windows Mobile', (pair) => {
  test('WM-02 there is no multipoint: the flags are WSAEINVAL, WSAJoinLeaf is WSAEOPNOTSUPP', async () => {
    const { attachment } = await pair();
    const ws = createWinsock({ port: attachment.hosts.a.openSession(), profile: 'windows-mobile' });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, C_LEAF | D_LEAF)).toBe(-WSAEINVAL);
    expect(await join(ws, await udp(ws), name(G, 5000), JL_BOTH)).toBe(-WSAEOPNOTSUPP);
    await ok(ws.WSACleanup());
  });
});
