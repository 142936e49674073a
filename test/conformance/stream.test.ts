import { expect, test } from '@jest/globals';
import {
  CF_ACCEPT,
  CF_DEFER,
  CF_REJECT,
  IPPROTO_TCP,
  MSG_PEEK,
  MSG_WAITALL,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVTIMEO,
  SOL_SOCKET,
  TCP_NODELAY,
  WSAEADDRNOTAVAIL,
  WSAEAFNOSUPPORT,
  WSAEALREADY,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAEISCONN,
  WSAENETUNREACH,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  WSATRY_AGAIN,
} from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
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
  ready,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

overEveryAttachment('connect', (pair) => {
  test('SEM-CONN-01 the first non-blocking connect is WSAEWOULDBLOCK', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const s = await tcp(a);
    await nonBlocking(a, s);
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
    await ready(a, s, 'write');
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
  });

  test('SEM-CONN-02 a connect while one is pending is WSAEALREADY', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await nonBlocking(a, s);
    await a.connect(s, name('10.0.0.9', 1));
    expect(await a.connect(s, name('10.0.0.9', 1))).toBe(-WSAEALREADY);
  });

  test('SEM-CONN-03 a connect after success is WSAEISCONN, after shutdown too', async () => {
    const { a, b } = await pair();
    const { client, port } = await connected({ a, b });
    expect(await a.connect(client, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
    await ok(a.shutdown(client, SD_BOTH));
    expect(await a.connect(client, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
  });

  test('SEM-CONN-04 a refused socket connects to somebody else', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const s = await tcp(a);
    expect(await a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAECONNREFUSED);
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(0);
  });

  test('SEM-CONN-05 a listening socket cannot connect: WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    expect(await a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEINVAL);
  });

  test('SEM-CONN-08 a closed port is WSAECONNREFUSED, a network without a route WSAENETUNREACH', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAECONNREFUSED);
    expect(await a.connect(s, name('192.0.2.1', 9))).toBe(-WSAENETUNREACH);
  });

  test.each([
    ['address ANY', '0.0.0.0', 80],
    ['port 0', ADDRESS_B, 0],
  ])('SEM-CONN-09 %s is WSAEADDRNOTAVAIL', async (_what, address, port) => {
    const { a } = await pair();
    expect(await a.connect(await tcp(a), name(address, port))).toBe(-WSAEADDRNOTAVAIL);
  });

  test('SEM-CONN-10 another family is WSAEAFNOSUPPORT, a short or unreadable name WSAEFAULT', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const address = name(ADDRESS_B, 9);
    expect(await a.connect(s, address, 15)).toBe(-WSAEFAULT);
    expect(await a.connect(s, address, 17)).toBe(-WSAEFAULT);
    expect(await a.connect(s, null)).toBe(-WSAEFAULT);
    address[0] = 23;
    expect(await a.connect(s, address)).toBe(-WSAEAFNOSUPPORT);
  });

  test('SEM-CONN-11 an unbound socket gets an ephemeral port and its route’s address', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const { address, port } = await localName(a, client);
    expect(address).toBe(ADDRESS_A);
    expect(port).toBeGreaterThanOrEqual(49152);
  });

  test('SEM-CONN-12 send and recv while connecting are WSAENOTCONN', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await nonBlocking(a, s);
    await a.connect(s, name('10.0.0.9', 1));
    expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAENOTCONN);
  });

  test('SEM-CONN-19 getsockname while connecting gives the real port', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await nonBlocking(a, s);
    await a.connect(s, name('10.0.0.9', 1));
    expect((await localName(a, s)).port).toBeGreaterThan(0);
  });

  test('SEM-ERR-06 a refused blocking connect leaves SO_ERROR 0', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await a.connect(s, name(ADDRESS_B, 9));
    expect(await getInt(a, s, SOL_SOCKET, SO_ERROR)).toBe(0);
  });

  test('SEM-ERR-05 a refused non-blocking connect leaves SO_ERROR, which reading does not clear', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await nonBlocking(a, s);
    await a.connect(s, name(ADDRESS_B, 9));
    await ready(a, s, 'except');
    expect(await getInt(a, s, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
    expect(await getInt(a, s, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
  });

  test('API-getpeername names the peer, and is WSAENOTCONN before its pointers without one', async () => {
    const { a, b } = await pair();
    const { client, port } = await connected({ a, b });
    const bytes = new Uint8Array(16);
    const length: Ref = { value: 16 };
    expect(await a.getpeername(client, bytes, length)).toBe(0);
    expect(nameIn(bytes)).toEqual({ address: ADDRESS_B, port });
    expect(await a.getpeername(await tcp(a), null, null)).toBe(-WSAENOTCONN);
    length.value = 15;
    expect(await a.getpeername(client, bytes, length)).toBe(-WSAEFAULT);
    expect(length.value).toBe(15);
  });

  test('API-getsockname of an unbound socket is WSAEINVAL', async () => {
    const { a } = await pair();
    expect(await a.getsockname(await tcp(a), new Uint8Array(16), { value: 16 })).toBe(-WSAEINVAL);
  });
});

overEveryAttachment('listen and accept', (pair) => {
  test('SEM-STATE-01 listen on an unbound socket is WSAEINVAL, on a connected one WSAEISCONN', async () => {
    const { a, b } = await pair();
    expect(await a.listen(await tcp(a), 1)).toBe(-WSAEINVAL);
    const { client } = await connected({ a, b });
    expect(await a.listen(client, 1)).toBe(-WSAEISCONN);
  });

  test('API-listen on a datagram socket is WSAEOPNOTSUPP', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.listen(s, 1)).toBe(-WSAEOPNOTSUPP);
  });

  test('SEM-BKLG-04 listen on a listening socket succeeds', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    expect(await a.listen(s, 50)).toBe(0);
  });

  test('SEM-STATE-02 accept on a socket that does not listen is WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await bound(a, tcp);
    expect(await a.accept(s)).toBe(-WSAEINVAL);
  });

  test('API-accept on a non-blocking listener with nobody waiting is WSAEWOULDBLOCK', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    await nonBlocking(a, s);
    expect(await a.accept(s)).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-ACC-04 accept names the caller and sets the true length; too little room is WSAEFAULT', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    const bytes = new Uint8Array(40);
    expect(await b.accept(s, bytes, { value: 15 })).toBe(-WSAEFAULT);
    const length: Ref = { value: 40 };
    await ok(b.accept(s, bytes, length));
    expect(length.value).toBe(16);
    expect(nameIn(bytes)).toEqual(await localName(a, client));
  });

  test('SEM-ACC-01 the accepted socket has the listener’s options', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(b.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, int(1)));
    await ok(b.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, int(1234)));
    await ok(b.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, int(1)));
    const accepting = b.accept(s);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    const server = await ok(accepting);
    expect(await getInt(b, server, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
    expect(await getInt(b, server, SOL_SOCKET, SO_RCVTIMEO)).toBe(1234);
    expect(await getInt(b, server, IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  });

  test('connections are accepted in the order in which they came', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const ports: number[] = [];
    for (let i = 0; i < 3; i++) {
      const client = await tcp(a);
      await ok(a.connect(client, name(ADDRESS_B, port)));
      ports.push((await localName(a, client)).port);
    }
    const accepted: number[] = [];
    for (let i = 0; i < 3; i++) {
      const bytes = new Uint8Array(16);
      await ok(b.accept(s, bytes, { value: 16 }));
      accepted.push(nameIn(bytes).port);
    }
    expect(accepted).toEqual(ports);
  });

  test('SEM-BLK-08 closesocket ends an accept that waits', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    const accepting = a.accept(s);
    await ok(a.closesocket(s));
    expect(await accepting).toBe(-WSAEINTR);
  });
});

overEveryAttachment('WSAAccept', (pair) => {
  test('SEM-COND-02, SEM-COND-05 CF_ACCEPT gives the socket; the function is told both addresses and its context', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    const told: unknown[] = [];
    const server = await ok(
      b.WSAAccept(
        s,
        null,
        null,
        (caller, callerData, sqos, gqos, callee, _calleeData, _g, context) => {
          told.push(nameIn(caller), callerData, sqos, gqos, nameIn(callee), context);
          return CF_ACCEPT;
        },
        77,
      ),
    );
    expect(told).toEqual([await localName(a, client), null, null, null, { address: ADDRESS_B, port }, 77]);
    await ok(b.send(server, text('ok')));
    expect(await receiveText(a, client)).toBe('ok');
  });

  test('SEM-COND-02, SEM-COND-03 CF_REJECT is WSAECONNREFUSED, and the caller is reset', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    expect(await b.WSAAccept(s, null, null, () => CF_REJECT)).toBe(-WSAECONNREFUSED);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAECONNRESET);
  });

  test('SEM-COND-02 CF_DEFER is WSATRY_AGAIN, and the connection stays first', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const [first, second] = [await tcp(a), await tcp(a)];
    await ok(a.connect(first, name(ADDRESS_B, port)));
    await ok(a.connect(second, name(ADDRESS_B, port)));
    expect(await b.WSAAccept(s, null, null, () => CF_DEFER)).toBe(-WSATRY_AGAIN);
    const bytes = new Uint8Array(16);
    await ok(b.accept(s, bytes, { value: 16 }));
    expect(nameIn(bytes)).toEqual(await localName(a, first));
  });

  test('SEM-COND-01 any other result is WSAEINVAL, and so is a function that throws', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect(await b.WSAAccept(s, null, null, () => 7)).toBe(-WSAEINVAL);
    const failing = (): number => {
      throw new RangeError('no decision');
    };
    expect(await b.WSAAccept(s, null, null, failing)).toBe(-WSAEINVAL);
  });
});

overEveryAttachment('send and recv', (pair) => {
  test('SEM-STATE-04, SEM-STATE-05 on an unconnected stream are WSAENOTCONN', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAENOTCONN);
  });

  test('SEM-BLK-01, SEM-BLK-02 a blocking recv waits for data', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const receiving = a.recv(client, new Uint8Array(10));
    await ok(b.send(server, text('abc')));
    expect(await receiving).toBe(3);
  });

  test('a non-blocking recv with nothing there is WSAEWOULDBLOCK', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await nonBlocking(a, client);
    expect(await a.recv(client, new Uint8Array(10))).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-BLK-07 SO_RCVTIMEO ends a blocking recv with WSAETIMEDOUT', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, int(30)));
    expect(await a.recv(client, new Uint8Array(10))).toBe(-WSAETIMEDOUT);
  });

  test('SEM-BLK-08 closesocket ends a recv that waits', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const receiving = a.recv(client, new Uint8Array(10));
    await ok(a.closesocket(client));
    expect(await receiving).toBe(-WSAEINTR);
  });

  test('SEM-IO-04 MSG_PEEK leaves the bytes', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.send(server, text('abc')));
    const bytes = new Uint8Array(2);
    expect(await a.recv(client, bytes, 2, MSG_PEEK)).toBe(2);
    expect(await receiveText(a, client)).toBe('abc');
  });

  test('SEM-IO-05 MSG_WAITALL completes with a full buffer, or with what came before the end', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const receiving = a.recv(client, new Uint8Array(6), 6, MSG_WAITALL);
    await ok(b.send(server, text('abc')));
    await ok(b.send(server, text('def')));
    expect(await receiving).toBe(6);
    const cutShort = a.recv(client, new Uint8Array(6), 6, MSG_WAITALL);
    await ok(b.send(server, text('gh')));
    await ok(b.shutdown(server, SD_SEND));
    expect(await cutShort).toBe(2);
  });

  test('SEM-IO-09 recv of no bytes on a connected stream returns 0 at once', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.recv(client, new Uint8Array(0))).toBe(0);
  });

  test('SEM-IO-10 a negative or unreadable length is WSAEFAULT', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.recv(client, new Uint8Array(4), -1)).toBe(-WSAEFAULT);
    expect(await a.recv(client, new Uint8Array(4), 5)).toBe(-WSAEFAULT);
    expect(await a.send(client, null, 1)).toBe(-WSAEFAULT);
  });

  test('SEM-IO-22 buffers of WSASend are one message, and WSARecv fills its own in order', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const sent: Ref = { value: 0 };
    expect(await a.WSASend(client, [text('ab'), text('cde')], 2, sent)).toBe(0);
    expect(sent.value).toBe(5);
    const [first, second, received] = [new Uint8Array(3), new Uint8Array(9), { value: 0 }];
    expect(await b.WSARecv(server, [first, second], 2, received, { value: 0 })).toBe(0);
    expect([
      received.value,
      String.fromCharCode(...first),
      String.fromCharCode(...second.subarray(0, 2)),
    ]).toEqual([5, 'abc', 'de']);
  });

  test('API-WSARecv with no buffer is WSAEINVAL; with no place for the count or the flags WSAEFAULT', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const [count, flags] = [{ value: 0 }, { value: 0 }];
    expect(await a.WSARecv(client, [], 0, count, flags)).toBe(-WSAEINVAL);
    expect(await a.WSARecv(client, [new Uint8Array(1)], 1, null, flags)).toBe(-WSAEFAULT);
    expect(await a.WSARecv(client, [new Uint8Array(1)], 1, count, null)).toBe(-WSAEFAULT);
    expect(await a.WSARecv(client, [new Uint8Array(1)], 2, count, flags)).toBe(-WSAEFAULT);
  });

  test('API-recvfrom on a stream leaves the address and its length alone', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.send(server, text('x')));
    const [from, length] = [new Uint8Array(16), { value: 3 }];
    expect(await a.recvfrom(client, new Uint8Array(5), 5, 0, from, length)).toBe(1);
    expect([from, length.value]).toEqual([new Uint8Array(16), 3]);
  });

  test('API-sendto on a stream ignores even a wrong address', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.sendto(client, text('y'), 1, 0, new Uint8Array(3), 99)).toBe(1);
    expect(await receiveText(b, server)).toBe('y');
  });

  test('a flag that no application may pass is WSAEINVAL', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.send(client, text('x'), 1, 0x2000_0000)).toBe(-WSAEINVAL);
    expect(await a.recv(client, new Uint8Array(1), 1, 0x4000_0000)).toBe(-WSAEINVAL);
  });

  test('two megabytes cross whole and in order', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const bytes = Uint8Array.from({ length: 2 << 20 }, (_, i) => (i * 31) ^ (i >> 8));
    const sending = ok(a.send(client, bytes)).then(() => a.shutdown(client, SD_SEND));
    const received = new Uint8Array(bytes.length);
    let at = 0;
    for (;;) {
      const count = await ok(b.recv(server, received.subarray(at)));
      if (count === 0) break;
      at += count;
    }
    await sending;
    expect(at).toBe(bytes.length);
    expect(Buffer.compare(received, bytes)).toBe(0);
  });
});

overEveryAttachment('shutdown and closesocket', (pair) => {
  test('SEM-SHUT-01 after SD_SEND a send is WSAESHUTDOWN, and the peer reads the rest and then 0', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('last')));
    await ok(a.shutdown(client, SD_SEND));
    expect(await a.send(client, text('x'))).toBe(-WSAESHUTDOWN);
    expect(await receiveText(b, server)).toBe('last');
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('SEM-SHUT-02 after SD_RECEIVE a recv is WSAESHUTDOWN', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await ok(a.shutdown(client, SD_RECEIVE));
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAESHUTDOWN);
  });

  test('SEM-SHUT-03, SEM-SHUT-04 SD_BOTH ends both, and may be repeated', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.shutdown(client, SD_BOTH)).toBe(0);
    expect(await a.shutdown(client, SD_BOTH)).toBe(0);
    expect(await a.send(client, text('x'))).toBe(-WSAESHUTDOWN);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAESHUTDOWN);
  });

  test('API-shutdown with another number is WSAEINVAL, on an unconnected stream WSAENOTCONN', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.shutdown(client, 3)).toBe(-WSAEINVAL);
    expect(await a.shutdown(await tcp(a), SD_SEND)).toBe(-WSAENOTCONN);
  });

  test('SEM-SHUT-10 names are still known after shutdown', async () => {
    const { a, b } = await pair();
    const { client, port } = await connected({ a, b });
    await ok(a.shutdown(client, SD_BOTH));
    const bytes = new Uint8Array(16);
    expect(await a.getpeername(client, bytes, { value: 16 })).toBe(0);
    expect(nameIn(bytes).port).toBe(port);
  });

  test('the graceful sequence: half-closed, the other side goes on, then both close', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.shutdown(client, SD_SEND));
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
    await ok(b.send(server, text('rest')));
    await ok(b.shutdown(server, SD_SEND));
    expect(await receiveText(a, client)).toBe('rest');
    expect(await a.recv(client, new Uint8Array(1))).toBe(0);
    expect([await a.closesocket(client), await b.closesocket(server)]).toEqual([0, 0]);
  });

  test('SEM-LING-01 closesocket without linger is graceful: the peer gets everything', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('bye')));
    expect(await a.closesocket(client)).toBe(0);
    expect(await receiveText(b, server)).toBe('bye');
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('SEM-LING-02 linger with 0 seconds resets the connection', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(a.closesocket(client));
    expect(await b.recv(server, new Uint8Array(1))).toBe(-WSAECONNRESET);
  });

  test('SEM-LING-03 linger with time returns when the data is acknowledged', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 5, 0)));
    await ok(a.send(client, text('slow')));
    const closing = a.closesocket(client);
    expect(await receiveText(b, server)).toBe('slow');
    expect(await closing).toBe(0);
  });

  test('API-WSASendDisconnect ends sending; API-WSARecvDisconnect ends receiving', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.WSASendDisconnect(client)).toBe(0);
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
    expect(await a.WSARecvDisconnect(client)).toBe(0);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAESHUTDOWN);
  });
});

overEveryAttachment('Winsock 1.1', (pair) => {
  test('SEM-CONN-02 a connect while one is pending is WSAEINVAL for an application of 1.1', async () => {
    const ws = await (await pair()).processOn('a');
    await ok(ws.WSAStartup(MAKEWORD(1, 1), wsadata()));
    const s = await tcp(ws);
    await nonBlocking(ws, s);
    await ws.connect(s, name('10.0.0.9', 1));
    expect(await ws.connect(s, name('10.0.0.9', 1))).toBe(-WSAEINVAL);
  });
});
