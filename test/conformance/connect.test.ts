/** The other ways to connect: WSAConnect with its extras, WSAConnectByList; and what a socket may not do before or after. */

import { expect, test } from '@jest/globals';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NOSYNRETRIES,
  WSAEADDRNOTAVAIL,
  WSAEALREADY,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEHOSTUNREACH,
  WSAEINVAL,
  WSAENETUNREACH,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  WSAHOST_NOT_FOUND,
  WSATYPE_NOT_FOUND,
} from '../../src/abi/index.ts';
import type { FLOWSPEC, QOS } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  getInt,
  int,
  listening,
  localName,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  overVirtualTime,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const BEST_EFFORT: FLOWSPEC = {
  TokenRate: -1,
  TokenBucketSize: -1,
  PeakBandwidth: -1,
  Latency: -1,
  DelayVariation: -1,
  ServiceType: 1,
  MaxSduSize: -1,
  MinimumPolicedSize: -1,
};

function qosOf(ServiceType: number): QOS {
  const flow = { ...BEST_EFFORT, ServiceType };
  return { SendingFlowspec: flow, ReceivingFlowspec: BEST_EFFORT, ProviderSpecific: null };
}

/** A stream socket that gives up at the first refusal. */
async function impatient(ws: Winsock): Promise<number> {
  const s = await tcp(ws);
  await ok(ws.setsockopt(s, IPPROTO_TCP, TCP_NOSYNRETRIES, int(1)));
  return s;
}

/** A port where nobody listens. */
async function closedPort(ws: Winsock): Promise<number> {
  const { s, port } = await listening(ws);
  await ok(ws.closesocket(s));
  return port;
}

overEveryAttachment('WSAConnect', (pair) => {
  test('API-WSAConnect connects; there is no data of the callee’s, whatever room there is', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const client = await tcp(a);
    const callee = { value: new Uint8Array(20) };
    const peer = name(ADDRESS_B, port);
    await ok(a.WSAConnect(client, peer, peer.length, null, callee, qosOf(1), null));
    expect(callee.value).toHaveLength(0);
    await ok(a.send(client, text('through')));
    expect(await receiveText(b, await ok(b.accept(listener)))).toBe('through');
  });

  test.each([
    ['caller data: WSAEPROTONOSUPPORT', text('hello'), null, WSAEPROTONOSUPPORT],
    ['controlled load: WSAEOPNOTSUPP', null, qosOf(2), WSAEOPNOTSUPP],
    ['guaranteed service: WSAEOPNOTSUPP', null, qosOf(3), WSAEOPNOTSUPP],
  ])('API-WSAConnect what TCP cannot do: %s, and nothing has begun', async (_title, data, qos, code) => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const client = await tcp(a);
    const peer = name(ADDRESS_B, port);
    expect(await a.WSAConnect(client, peer, peer.length, data, null, qos, null)).toBe(-code);
    expect(await a.getsockname(client, new Uint8Array(16))).toBe(-WSAEINVAL);
    await ok(a.WSAConnect(client, peer, peer.length, new Uint8Array(0), null, null, null));
  });

  test('API-WSAConnect refusals of connect itself: a dead handle first, then the name', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.WSAConnect(4, null)).toBe(-WSAENOTSOCK);
    expect(await a.WSAConnect(s, null)).toBe(-WSAEFAULT);
    expect(await a.WSAConnect(s, name('0.0.0.0', 9))).toBe(-WSAEADDRNOTAVAIL);
    await nonBlocking(a, s);
    expect(await a.WSAConnect(s, name(ADDRESS_B, 9))).toBe(-WSAEWOULDBLOCK);
    expect(await a.WSAConnect(s, name(ADDRESS_B, 9))).toBe(-WSAEALREADY);
  });
});

overEveryAttachment('WSAConnectByList', (pair) => {
  test('API-WSAConnectByList goes on past a refusal and a network without a route, and names both ends', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const closed = await closedPort(b);
    const client = await impatient(a);
    const [local, remote] = [new Uint8Array(28), new Uint8Array(28)];
    const [localLength, remoteLength] = [{ value: 28 }, { value: 28 }];
    const list = [
      name('192.0.2.1', port),
      name(ADDRESS_B, closed),
      name('fe80::1', port),
      name(ADDRESS_B, port),
    ];
    expect(
      await a.WSAConnectByList(client, list, localLength, local, remoteLength, remote, {
        tv_sec: 30,
        tv_usec: 0,
      }),
    ).toBe(1);
    expect([localLength.value, remoteLength.value]).toEqual([16, 16]);
    expect(nameIn(remote.subarray(0, 16))).toEqual({ address: ADDRESS_B, port });
    expect(nameIn(local.subarray(0, 16))).toEqual(await localName(a, client));
    const server = await ok(b.accept(listener));
    await ok(b.send(server, text('list')));
    expect(await receiveText(a, client)).toBe('list');
  });

  test('API-WSAConnectByList waits on a non-blocking socket too', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const closed = await closedPort(b);
    const client = await impatient(a);
    await nonBlocking(a, client);
    const list = [name(ADDRESS_B, closed), name(ADDRESS_B, port)];
    expect(await a.WSAConnectByList(client, list)).toBe(1);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
  });

  test('API-WSAConnectByList when nobody answers the last reason counts, and another list may be tried', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const closed = await closedPort(b);
    const client = await impatient(a);
    const list = [name('192.0.2.1', port), name(ADDRESS_B, closed)];
    expect(await a.WSAConnectByList(client, list)).toBe(-WSAECONNREFUSED);
    expect([-WSAENETUNREACH, -WSAEHOSTUNREACH]).toContain(
      await a.WSAConnectByList(client, [name('192.0.2.1', port)]),
    );
    expect(await a.WSAConnectByList(client, [name(ADDRESS_B, port)])).toBe(1);
  });

  test('API-WSAConnectByList an AF_INET6 socket without V6ONLY takes v4-mapped addresses', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const client = await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    await ok(a.setsockopt(client, IPPROTO_IPV6, IPV6_V6ONLY, int(0)));
    expect(await a.WSAConnectByList(client, [name(`::ffff:${ADDRESS_B}`, port)])).toBe(1);
  });

  test('API-WSAConnectByList refusals: the handle, an empty list, a name without a length, another kind of socket', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const list = [name(ADDRESS_B, 9)];
    expect(await a.WSAConnectByList(4, null)).toBe(-WSAENOTSOCK);
    expect(await a.WSAConnectByList(s, null)).toBe(-WSAEINVAL);
    expect(await a.WSAConnectByList(s, [])).toBe(-WSAEINVAL);
    expect(await a.WSAConnectByList(s, list, null, new Uint8Array(16))).toBe(-WSAEFAULT);
    expect(await a.WSAConnectByList(s, list, { value: 17 }, new Uint8Array(16))).toBe(-WSAEFAULT);
    expect(await a.WSAConnectByList(await udp(a), list)).toBe(-WSAEINVAL);
    const timeout = { tv_sec: -1, tv_usec: 0 };
    expect(await a.WSAConnectByList(s, list, null, null, null, null, timeout)).toBe(-WSAEINVAL);
  });
});

overEveryAttachment('WSAConnectByName', (pair) => {
  test('API-WSAConnectByName connects to a name and a service, and names both ends', async () => {
    const { a } = await pair();
    const { s: listener, port } = await listening(a);
    const client = await tcp(a);
    const [local, remote] = [new Uint8Array(28), new Uint8Array(28)];
    const [localLength, remoteLength] = [{ value: 28 }, { value: 28 }];
    expect(
      await a.WSAConnectByName(client, 'localhost', `${port}`, localLength, local, remoteLength, remote),
    ).toBe(1);
    expect([localLength.value, remoteLength.value]).toEqual([16, 16]);
    expect(nameIn(remote.subarray(0, 16))).toEqual({ address: '127.0.0.1', port });
    expect(nameIn(local.subarray(0, 16))).toEqual(await localName(a, client));
    await ok(a.send(await ok(a.accept(listener)), text('by name')));
    expect(await receiveText(a, client)).toBe('by name');
  });

  test('API-WSAConnectByName a numeric address serves, and an AF_INET6 socket without V6ONLY reaches IPv4', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    expect(await a.WSAConnectByName(await tcp(a), ADDRESS_B, `${port}`)).toBe(1);
    const dual = await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    await ok(a.setsockopt(dual, IPPROTO_IPV6, IPV6_V6ONLY, int(0)));
    const remote = new Uint8Array(28);
    expect(await a.WSAConnectByName(dual, ADDRESS_B, `${port}`, null, null, { value: 28 }, remote)).toBe(1);
    expect(nameIn(remote)).toEqual({ address: `::ffff:${ADDRESS_B}`, port });
  });

  test('API-WSAConnectByName refusals: the handle, missing names, an unknown one, nobody there', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.WSAConnectByName(4, null, null)).toBe(-WSAENOTSOCK);
    expect(await a.WSAConnectByName(s, null, '80')).toBe(-WSAEINVAL);
    expect(await a.WSAConnectByName(s, 'localhost', null)).toBe(-WSAEINVAL);
    expect(await a.WSAConnectByName(s, 'localhost', '80', null, new Uint8Array(16))).toBe(-WSAEFAULT);
    expect(await a.WSAConnectByName(s, 'localhost', 'no such service')).toBe(-WSATYPE_NOT_FOUND);
    expect(await a.WSAConnectByName(s, 'nobody.invalid', '80')).toBe(-WSAHOST_NOT_FOUND);
    expect(await a.WSAConnectByName(await udp(a), 'localhost', '80')).toBe(-WSAEINVAL);
    const closed = await closedPort(a);
    expect(await a.WSAConnectByName(await impatient(a), 'localhost', `${closed}`)).toBe(-WSAECONNREFUSED);
  });
});

overVirtualTime('WSAConnectByList in time', (pair) => {
  test.each([
    ['blocking', false],
    ['non-blocking', true],
  ])(
    'API-WSAConnectByList, SEM-CONN-08 of a %s socket: WSAETIMEDOUT when the time for all has run out',
    async (_t, isNonBlocking) => {
      const { a, b } = await pair();
      const { port } = await listening(b);
      const client = await tcp(a);
      if (isNonBlocking) await nonBlocking(a, client);
      // An address of the link that nobody has.
      const list = [name('10.0.0.77', 9), name(ADDRESS_B, port)];
      const timeout = { tv_sec: 0, tv_usec: 200_000 };
      expect(await a.WSAConnectByList(client, list, null, null, null, null, timeout)).toBe(-WSAETIMEDOUT);
    },
  );
});

overEveryAttachment('connect and the state of the socket', (pair) => {
  test('SEM-CONN-18 after a failed connect the socket can be bound to listen, and SO_ERROR still shows the failure', async () => {
    const { a, b } = await pair();
    const client = await impatient(a);
    await nonBlocking(a, client);
    expect(await a.connect(client, name(ADDRESS_B, await closedPort(b)))).toBe(-WSAEWOULDBLOCK);
    await ready(a, client, 'except');
    await ok(a.listen(client, 1));
    expect(await getInt(a, client, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
    const { port } = await localName(a, client);
    await ok(b.connect(await tcp(b), name(ADDRESS_A, port)));
  });

  test('SEM-CONN-04, SEM-ERR-05 a non-blocking connect after a blocking failure; only success clears SO_ERROR', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const closed = await closedPort(b);
    const [client, other] = [await impatient(a), await impatient(a)];
    for (const s of [client, other]) {
      expect(await a.connect(s, name(ADDRESS_B, closed))).toBe(-WSAECONNREFUSED);
      await nonBlocking(a, s);
      expect(await a.connect(s, name(ADDRESS_B, closed))).toBe(-WSAEWOULDBLOCK);
      await ready(a, s, 'except');
    }
    expect(await a.connect(client, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
    await ready(a, client, 'write');
    expect(await getInt(a, client, SOL_SOCKET, SO_ERROR)).toBe(0);
    // An address of the link that nobody has: the attempt is under way.
    expect(await a.connect(other, name('10.0.0.77', port))).toBe(-WSAEWOULDBLOCK);
    expect(await getInt(a, other, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
  });

  test('SEM-CONN-04, SEM-CONN-18, API-WSAConnectByList a failed attempt leaves no address of its own behind', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const loopback = name('127.0.0.1', await closedPort(a));
    // By another way now, from another address.
    const client = await impatient(a);
    expect(await a.connect(client, loopback)).toBe(-WSAECONNREFUSED);
    expect(await a.connect(client, name(ADDRESS_B, port))).toBe(0);
    expect((await localName(a, client)).address).toBe(ADDRESS_A);
    const dual = await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    await ok(a.setsockopt(dual, IPPROTO_IPV6, IPV6_V6ONLY, int(0)));
    await ok(a.setsockopt(dual, IPPROTO_TCP, TCP_NOSYNRETRIES, int(1)));
    const list = [name('::1', 9), name(`::ffff:${ADDRESS_B}`, port)];
    expect(await a.WSAConnectByList(dual, list, null, null, null, null, null)).toBe(1);
    // A listener that it becomes hears everybody.
    const listener = await impatient(a);
    expect(await a.connect(listener, loopback)).toBe(-WSAECONNREFUSED);
    await ok(a.listen(listener, 1));
    const { address, port: own } = await localName(a, listener);
    expect(address).toBe('0.0.0.0');
    await ok(b.connect(await tcp(b), name(ADDRESS_A, own)));
  });

  test('SEM-CONN-13 a datagram socket that connects to another peer sends from the address of that way', async () => {
    const { a, b } = await pair();
    const { port } = await bound(b, udp, ADDRESS_B);
    const s = await udp(a);
    for (const [peer, from] of [
      ['127.0.0.1', '127.0.0.1'],
      [ADDRESS_B, ADDRESS_A],
      ['127.0.0.1', '127.0.0.1'],
    ] as const) {
      await ok(a.connect(s, name(peer, port)));
      expect((await localName(a, s)).address).toBe(from);
    }
  });

  test('SEM-CONN-09 the any-address and port 0 are WSAEADDRNOTAVAIL', async () => {
    const { a } = await pair();
    expect(await a.connect(await tcp(a), name('0.0.0.0', 9))).toBe(-WSAEADDRNOTAVAIL);
    expect(await a.connect(await tcp(a), name(ADDRESS_B, 0))).toBe(-WSAEADDRNOTAVAIL);
  });

  test('SEM-CONN-13 a datagram socket may connect again: what others had sent is gone', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(a, udp, ADDRESS_A);
    const [first, second] = [await bound(b, udp, ADDRESS_B), await bound(b, udp, ADDRESS_B)];
    await ok(a.connect(s, name(ADDRESS_B, first.port)));
    await ok(b.sendto(first.s, text('old'), 3, 0, name(ADDRESS_A, port)));
    await ready(a, s);
    await ok(a.connect(s, name(ADDRESS_B, second.port)));
    await ok(b.sendto(second.s, text('new'), 3, 0, name(ADDRESS_A, port)));
    expect(await receiveText(a, s)).toBe('new');
  });

  test('SEM-CONN-14 connecting to nobody, by an all-zero address or AF_UNSPEC, disconnects', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(a, udp, ADDRESS_A);
    const peer = await bound(b, udp, ADDRESS_B);
    const unspecified = new Uint8Array(16);
    for (const nobody of [name('0.0.0.0', 0), unspecified]) {
      await ok(a.connect(s, name(ADDRESS_B, peer.port)));
      await ok(a.connect(s, nobody));
      expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
      expect(await a.getpeername(s, new Uint8Array(16))).toBe(-WSAENOTCONN);
    }
    const other = await bound(b, udp, ADDRESS_B);
    await ok(b.sendto(other.s, text('anybody'), 7, 0, name(ADDRESS_A, port)));
    expect(await receiveText(a, s)).toBe('anybody');
  });

  test('SEM-CONN-16 a connected socket is writable only, a failed one exceptional only', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const [good, bad] = [await tcp(a), await impatient(a)];
    for (const s of [good, bad]) await nonBlocking(a, s);
    await a.connect(good, name(ADDRESS_B, port));
    await a.connect(bad, name(ADDRESS_B, await closedPort(b)));
    await ready(a, good, 'write');
    await ready(a, bad, 'except');
    const sets = [0, 1, 2].map(() => ({ fd_array: [good, bad] })) as [
      { fd_array: number[] },
      { fd_array: number[] },
      { fd_array: number[] },
    ];
    expect(await a.select(0, sets[0], sets[1], sets[2], { tv_sec: 0, tv_usec: 0 })).toBe(2);
    expect(sets.map((set) => set.fd_array)).toEqual([[], [good], [bad]]);
  });
});

overEveryAttachment('services that no provider here has', (pair) => {
  test('API-WSASetSocketSecurity, API-WSAQuerySocketSecurity, API-WSASetSocketPeerTargetName, API-WSADeleteSocketPeerTargetName, API-WSAImpersonateSocketPeer, API-WSARevertImpersonation are WSAEOPNOTSUPP', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const calls = (s: number) => [
      a.WSASetSocketSecurity(s),
      a.WSAQuerySocketSecurity(s),
      a.WSASetSocketPeerTargetName(s),
      a.WSADeleteSocketPeerTargetName(s),
      a.WSAImpersonateSocketPeer(s),
    ];
    for (const answer of calls(client)) expect(await answer).toBe(-WSAEOPNOTSUPP);
    for (const answer of calls(4)) expect(await answer).toBe(-WSAENOTSOCK);
    expect(await a.WSARevertImpersonation()).toBe(-WSAEOPNOTSUPP);
  });

  test('API-SetSocketMediaStreamingMode succeeds and does nothing, also before WSAStartup', async () => {
    const { a, processOn } = await pair();
    expect(await a.SetSocketMediaStreamingMode(true)).toBe(0);
    expect(await (await processOn('a')).SetSocketMediaStreamingMode(false)).toBe(0);
  });
});
