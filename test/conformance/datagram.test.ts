import { expect, test } from '@jest/globals';
import {
  MSG_OOB,
  MSG_PARTIAL,
  MSG_PEEK,
  SD_RECEIVE,
  SD_SEND,
  SO_BROADCAST,
  SOL_SOCKET,
  WSAEACCES,
  WSAEADDRNOTAVAIL,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  datagramPair,
  int,
  localName,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  text,
  udp,
} from './support.ts';

overEveryAttachment('sendto and recvfrom', (pair) => {
  test('API-recvfrom names the sender and sets the length', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    expect(await a.sendto(s, text('ping'), 4, 0, name(ADDRESS_B, peerPort))).toBe(4);
    const [bytes, from, length] = [new Uint8Array(100), new Uint8Array(40), { value: 40 }];
    expect(await b.recvfrom(peer, bytes, 100, 0, from, length)).toBe(4);
    expect(nameIn(from)).toEqual({ address: ADDRESS_A, port });
    expect(length.value).toBe(16);
  });

  test('API-recvfrom with too little room for the sender is WSAEFAULT', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.recvfrom(s, new Uint8Array(9), 9, 0, new Uint8Array(16), { value: 15 })).toBe(-WSAEFAULT);
    expect(await a.recvfrom(s, new Uint8Array(9), 9, 0, new Uint8Array(16), null)).toBe(-WSAEFAULT);
  });

  test('API-sendto binds an unbound socket to ANY and an ephemeral port', async () => {
    const { a } = await pair();
    const s = await udp(a);
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, 9)));
    const { address, port } = await localName(a, s);
    expect(address).toBe('0.0.0.0');
    expect(port).toBeGreaterThanOrEqual(49152);
  });

  test('SEM-STATE-03 recv on an unbound datagram socket is WSAEINVAL', async () => {
    const { a } = await pair();
    expect(await a.recv(await udp(a), new Uint8Array(1))).toBe(-WSAEINVAL);
  });

  test.each([
    ['address ANY', '0.0.0.0', 99],
    ['port 0', ADDRESS_B, 0],
  ])('a destination with %s is WSAEADDRNOTAVAIL', async (_what, address, port) => {
    const { a } = await pair();
    expect(await a.sendto(await udp(a), text('x'), 1, 0, name(address, port))).toBe(-WSAEADDRNOTAVAIL);
  });

  test('SEM-IO-03 a datagram larger than the buffer fills it and fails with WSAEMSGSIZE', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('0123456789'), 10, 0, name(ADDRESS_B, peerPort)));
    const [bytes, from] = [new Uint8Array(4), new Uint8Array(16)];
    expect(await b.recvfrom(peer, bytes, 4, 0, from, { value: 16 })).toBe(-WSAEMSGSIZE);
    expect(String.fromCharCode(...bytes)).toBe('0123');
    expect(nameIn(from).port).toBe(port);
    await nonBlocking(b, peer);
    expect(await b.recv(peer, bytes)).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-IO-03, SEM-IO-06 WSARecv of such a datagram says MSG_PARTIAL', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('0123456789'), 10, 0, name(ADDRESS_B, peerPort)));
    const [first, second, flags] = [new Uint8Array(3), new Uint8Array(3), { value: 0 }];
    expect(await b.WSARecv(peer, [first, second], 2, { value: 0 }, flags)).toBe(-WSAEMSGSIZE);
    expect(String.fromCharCode(...first, ...second)).toBe('012345');
    expect(flags.value & MSG_PARTIAL).toBe(MSG_PARTIAL);
  });

  test('SEM-IO-04 repeated MSG_PEEK gives the same message', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('same'), 4, 0, name(ADDRESS_B, peerPort)));
    const bytes = new Uint8Array(10);
    expect(await b.recv(peer, bytes, 10, MSG_PEEK)).toBe(4);
    expect(await b.recv(peer, bytes, 10, MSG_PEEK)).toBe(4);
    expect(await receiveText(b, peer)).toBe('same');
  });

  test('SEM-IO-11 a datagram of no bytes is received as 0', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    expect(await a.sendto(s, new Uint8Array(0), 0, 0, name(ADDRESS_B, peerPort))).toBe(0);
    expect(await b.recv(peer, new Uint8Array(10))).toBe(0);
  });

  test('SEM-IO-12 a closed port fails the next receive with WSAECONNRESET, once', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp, ADDRESS_A);
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, 9)));
    await ready(a, s);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAECONNRESET);
    await nonBlocking(a, s);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
  });

  test('messages keep their boundaries and their order', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    for (const message of ['one', 'two', 'three']) {
      await ok(a.sendto(s, text(message), message.length, 0, name(ADDRESS_B, peerPort)));
    }
    expect([await receiveText(b, peer), await receiveText(b, peer), await receiveText(b, peer)]).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('a message past the largest datagram is WSAEMSGSIZE; one of many fragments arrives whole', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    expect(await a.sendto(s, new Uint8Array(65508), 65508, 0, name(ADDRESS_B, peerPort))).toBe(-WSAEMSGSIZE);
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
    expect(await a.sendto(s, bytes, bytes.length, 0, name(ADDRESS_B, peerPort))).toBe(20_000);
    const received = new Uint8Array(20_000);
    expect(await b.recv(peer, received)).toBe(20_000);
    expect(Buffer.compare(received, bytes)).toBe(0);
  });

  test('MSG_OOB on a datagram socket is WSAEOPNOTSUPP', async () => {
    const { a } = await pair();
    expect(await a.sendto(await udp(a), text('x'), 1, MSG_OOB, name(ADDRESS_B, 9))).toBe(-WSAEOPNOTSUPP);
  });

  test('a broadcast without SO_BROADCAST is WSAEACCES, with it heard', async () => {
    const { a, b } = await pair();
    const { s: peer, port } = await bound(b, udp);
    const { s } = await bound(a, udp, ADDRESS_A);
    const everybody = name('10.0.0.255', port);
    expect(await a.sendto(s, text('x'), 1, 0, everybody)).toBe(-WSAEACCES);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_BROADCAST, int(1)));
    expect(await a.sendto(s, text('all'), 3, 0, everybody)).toBe(3);
    expect(await receiveText(b, peer)).toBe('all');
  });
});

overEveryAttachment('connected datagram sockets', (pair) => {
  test('SEM-CONN-13, SEM-IO-24 connect names the peer and drops what others send', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const { s: stranger } = await bound(b, udp, ADDRESS_B);
    await ok(a.connect(s, name(ADDRESS_B, peerPort)));
    await ok(b.sendto(stranger, text('other'), 5, 0, name(ADDRESS_A, port)));
    await ok(b.sendto(peer, text('mine'), 4, 0, name(ADDRESS_A, port)));
    expect(await receiveText(a, s)).toBe('mine');
    await ok(a.send(s, text('back')));
    expect(await receiveText(b, peer)).toBe('back');
  });

  test.each([
    ['the zero address', 2],
    ['AF_UNSPEC', 0],
  ])('SEM-CONN-14 connect to %s disconnects', async (_what, family) => {
    const { a, b } = await pair();
    const { s, peerPort } = await datagramPair({ a, b });
    await ok(a.connect(s, name(ADDRESS_B, peerPort)));
    const nobody = new Uint8Array(16);
    nobody[0] = family;
    expect(await a.connect(s, nobody)).toBe(0);
    expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
    expect(await a.getpeername(s, new Uint8Array(16), { value: 16 })).toBe(-WSAENOTCONN);
  });

  test('SEM-CONN-15 connect to a broadcast address without SO_BROADCAST is WSAEACCES', async () => {
    const { a } = await pair();
    expect(await a.connect(await udp(a), name('255.255.255.255', 9))).toBe(-WSAEACCES);
  });

  test('SEM-IO-17 sendto on a connected socket goes where it says, and the peer stays', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const { s: third, port: thirdPort } = await bound(b, udp, ADDRESS_B);
    await ok(a.connect(s, name(ADDRESS_B, peerPort)));
    await ok(a.sendto(s, text('third'), 5, 0, name(ADDRESS_B, thirdPort)));
    await ok(a.send(s, text('peer')));
    expect([await receiveText(b, third), await receiveText(b, peer)]).toEqual(['third', 'peer']);
  });

  test('SEM-IO-18 send without a peer is WSAENOTCONN', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
  });

  test('SEM-SHUT-09 shutdown works unconnected, each way', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.shutdown(s, SD_RECEIVE)).toBe(0);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAESHUTDOWN);
    expect(await a.shutdown(s, SD_SEND)).toBe(0);
    expect(await a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, 9))).toBe(-WSAESHUTDOWN);
  });

  test('WSASendTo and WSARecvFrom carry lists of buffers', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const sent: Ref = { value: 0 };
    expect(await a.WSASendTo(s, [text('ab'), text('cd')], 2, sent, 0, name(ADDRESS_B, peerPort))).toBe(0);
    const [bytes, count, from] = [new Uint8Array(10), { value: 0 }, new Uint8Array(16)];
    expect(await b.WSARecvFrom(peer, [bytes], 1, count, { value: 0 }, from, { value: 16 })).toBe(0);
    expect([sent.value, count.value, nameIn(from).port]).toEqual([4, 4, port]);
  });
});
