/** Sending and receiving at the edges: flags, lists of buffers, lengths of 0, sizes of buffers, time-outs (SEM-IO-*, SEM-BLK-07). */

import { describe, expect, test } from '@jest/globals';
import {
  IPPROTO_TCP,
  MSG_DONTROUTE,
  MSG_INTERRUPT,
  MSG_MAXIOVLEN,
  MSG_OOB,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_PUSH_IMMEDIATE,
  MSG_WAITALL,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SOL_SOCKET,
  TCP_MAXRT,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import { createLocalHost } from '../../src/app/local.ts';
import { SeededRandom } from '../../src/base/index.ts';
import { MemorySegment } from '../../src/link/index.ts';
import { VirtualTime } from '../../src/sim/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  datagramPair,
  getInt,
  int,
  listening,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  overVirtualTime,
  passTime,
  ready,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

overEveryAttachment('flags', (pair) => {
  test('SEM-IO-08 MSG_DONTROUTE is taken and changes nothing, on both kinds of sockets', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('x'), 1, MSG_DONTROUTE));
    expect(await b.recv(server, new Uint8Array(9), 9, MSG_DONTROUTE)).toBe(1);
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('y'), 1, MSG_DONTROUTE, name(ADDRESS_B, peerPort)));
    expect(await b.recv(peer, new Uint8Array(9), 9, MSG_DONTROUTE)).toBe(1);
  });

  test('SEM-IO-08 MSG_PUSH_IMMEDIATE receives what there is; MSG_INTERRUPT is of 16-bit Windows: WSAEOPNOTSUPP', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('now')));
    expect(await b.recv(server, new Uint8Array(100), 100, MSG_PUSH_IMMEDIATE)).toBe(3);
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('y'), 1, 0, name(ADDRESS_B, peerPort)));
    expect(await b.recv(peer, new Uint8Array(9), 9, MSG_PUSH_IMMEDIATE)).toBe(1);
    for (const [ws, socket] of [
      [a, client],
      [a, s],
    ] as const) {
      expect(await ws.recv(socket, new Uint8Array(1), 1, MSG_INTERRUPT)).toBe(-WSAEOPNOTSUPP);
      expect(await ws.send(socket, text('x'), 1, MSG_INTERRUPT)).toBeLessThan(0);
    }
  });

  test('SEM-IO-05 MSG_WAITALL with MSG_PEEK, MSG_OOB, MSG_PARTIAL, non-blocking or on datagrams is WSAEOPNOTSUPP', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const into = new Uint8Array(4);
    for (const other of [MSG_PEEK, MSG_OOB, MSG_PARTIAL]) {
      expect(await b.recv(server, into, 4, MSG_WAITALL | other)).toBe(-WSAEOPNOTSUPP);
    }
    const { s } = await bound(a, udp);
    expect(await a.recv(s, into, 4, MSG_WAITALL)).toBe(-WSAEOPNOTSUPP);
    const waiting = b.recv(server, into, 4, MSG_WAITALL);
    for (const byte of ['a', 'b', 'c', 'd']) await ok(a.send(client, text(byte)));
    expect([await waiting, String.fromCharCode(...into)]).toEqual([4, 'abcd']);
    await nonBlocking(b, server);
    expect(await b.recv(server, into, 4, MSG_WAITALL)).toBe(-WSAEOPNOTSUPP);
  });

  test('SEM-IO-06 lpFlags come out: MSG_PARTIAL of a cut datagram, 0 of a whole one', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const flags = { value: 0 };
    const count = { value: -1 };
    for (const message of ['longer', 'ok'])
      await ok(a.sendto(s, text(message), message.length, 0, name(ADDRESS_B, peerPort)));
    expect(await b.WSARecv(peer, [new Uint8Array(3)], 1, count, flags)).toBe(-WSAEMSGSIZE);
    expect(flags.value).toBe(MSG_PARTIAL);
    flags.value = 0;
    expect(await b.WSARecv(peer, [new Uint8Array(3)], 1, count, flags)).toBe(0);
    expect([flags.value, count.value]).toEqual([0, 2]);
  });
});

overEveryAttachment('WSARecvEx', (pair) => {
  test('API-WSARecvEx of a datagram that was cut: its length is the buffer’s, and MSG_PARTIAL is set instead of an error', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const to = name(ADDRESS_B, peerPort);
    for (const message of ['a long message', 'short'])
      await ok(a.sendto(s, text(message), message.length, 0, to));
    const into = new Uint8Array(6);
    const flags = { value: MSG_PEEK };
    expect([await b.WSARecvEx(peer, into, 6, flags), flags.value]).toEqual([6, MSG_PARTIAL]);
    expect(new TextDecoder().decode(into)).toBe('a long');
    flags.value = 0;
    expect([await b.WSARecvEx(peer, into, 6, flags), flags.value]).toEqual([6, MSG_PARTIAL]);
    flags.value = 0;
    expect([await b.WSARecvEx(peer, into, 6, flags), flags.value]).toEqual([5, 0]);
  });

  test('API-WSARecvEx of a stream is recv: it waits, and gives 0 at the end', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const flags = { value: 0 };
    const waiting = b.WSARecvEx(server, new Uint8Array(9), 9, flags);
    await ok(a.send(client, text('abc')));
    expect([await waiting, flags.value]).toEqual([3, 0]);
    await ok(a.closesocket(client));
    expect(await b.WSARecvEx(server, new Uint8Array(9), 9, flags)).toBe(0);
    expect(await b.WSARecvEx(await tcp(b), new Uint8Array(9), 9, flags)).toBe(-WSAENOTCONN);
    expect(await b.WSARecvEx(server, new Uint8Array(9), 10, flags)).toBe(-WSAEFAULT);
  });
});

overEveryAttachment('lists of buffers', (pair) => {
  test('API-WSASend, API-WSARecv, STR-WSABUF, SEM-IO-22 many buffers, empty ones among them, are one stretch of bytes', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const pieces = Array.from({ length: 4 * MSG_MAXIOVLEN }, (_, i) => text('abcdefgh'.slice(0, i % 9)));
    const whole = pieces.map((piece) => new TextDecoder().decode(piece)).join('');
    const sent = { value: -1 };
    expect([await a.WSASend(client, pieces, pieces.length, sent), sent.value]).toEqual([0, whole.length]);
    await passTime(b, 20);
    const buffers = Array.from({ length: 3 * MSG_MAXIOVLEN }, (_, i) => new Uint8Array(i % 9));
    const got = { value: -1 };
    await ok(b.WSARecv(server, buffers, buffers.length, got, { value: 0 }));
    expect(got.value).toBe(buffers.reduce((total, { length }) => total + length, 0));
    expect(buffers.map((bytes) => new TextDecoder().decode(bytes)).join('')).toBe(whole.slice(0, got.value));
    expect(await receiveText(b, server, 1000)).toBe(whole.slice(got.value));
  });

  test('API-WSASendTo, API-WSARecvFrom, SEM-IO-22 a message of many buffers is one datagram, whole or cut', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const to = name(ADDRESS_B, peerPort);
    const sent = { value: 0 };
    const list = [text('one '), new Uint8Array(0), text('two '), text('three')];
    for (let i = 0; i < 2; i++) await ok(a.WSASendTo(s, list, 4, sent, 0, to, to.length));
    expect(sent.value).toBe(13);
    const from = new Uint8Array(16);
    const [first, second] = [new Uint8Array(5), new Uint8Array(50)];
    const count = { value: 0 };
    await ok(b.WSARecvFrom(peer, [first, second], 2, count, { value: 0 }, from, { value: 16 }));
    expect(count.value).toBe(13);
    expect(new TextDecoder().decode(first) + new TextDecoder().decode(second.subarray(0, 8))).toBe(
      'one two three',
    );
    expect(nameIn(from)).toEqual({ address: ADDRESS_A, port });
    const short = [new Uint8Array(2), new Uint8Array(2)];
    expect(await b.WSARecvFrom(peer, short, 2, count, { value: 0 }, from, { value: 16 })).toBe(-WSAEMSGSIZE);
    expect(short.map((bytes) => new TextDecoder().decode(bytes))).toEqual(['on', 'e ']);
  });

  test('API-WSASend no buffer at all: a stream sends nothing, a datagram socket an empty message; the count of the list may be less', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const sent = { value: -1 };
    expect([await a.WSASend(client, [], 0, sent), sent.value]).toEqual([0, 0]);
    expect([await a.WSASend(client, [text('ab'), text('cd')], 1, sent), sent.value]).toEqual([0, 2]);
    expect(await receiveText(b, server)).toBe('ab');
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const to = name(ADDRESS_B, peerPort);
    expect([await a.WSASendTo(s, [], 0, sent, 0, to, to.length), sent.value]).toEqual([0, 0]);
    expect(await b.recv(peer, new Uint8Array(9))).toBe(0);
  });
});

overEveryAttachment('nothing', (pair) => {
  test('API-send, API-recv of 0 bytes on a stream answer 0 at once, and the peer notices nothing', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.send(client, new Uint8Array(0))).toBe(0);
    expect(await b.recv(server, new Uint8Array(0))).toBe(0);
    await ok(a.send(client, text('x')));
    expect(await b.recv(server, new Uint8Array(0))).toBe(0);
    expect(await receiveText(b, server)).toBe('x');
  });

  test('SEM-IO-11, API-sendto an empty datagram is a message, not an end; recv of 0 bytes drops one', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const to = name(ADDRESS_B, peerPort);
    for (const message of ['', 'gone', 'kept'])
      expect(await a.sendto(s, text(message), message.length, 0, to)).toBe(message.length);
    const from = new Uint8Array(16);
    expect(await b.recvfrom(peer, new Uint8Array(9), 9, 0, from)).toBe(0);
    expect(nameIn(from)).toEqual({ address: ADDRESS_A, port });
    expect(await b.recv(peer, new Uint8Array(0))).toBe(-WSAEMSGSIZE);
    expect(await receiveText(b, peer)).toBe('kept');
  });
});

overEveryAttachment('sizes of buffers', (pair) => {
  test('SEM-IO-15 an SO_RCVBUF smaller than what is queued loses nothing', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const bytes = Uint8Array.from({ length: 50_000 }, (_, i) => i * 7);
    await ok(a.send(client, bytes));
    await ready(b, server);
    await passTime(b, 50);
    await ok(b.setsockopt(server, SOL_SOCKET, SO_RCVBUF, int(1000)));
    const got = new Uint8Array(bytes.length);
    for (let at = 0; at < got.length; ) at += await ok(b.recv(server, got.subarray(at)));
    expect(Buffer.compare(got, bytes)).toBe(0);
  });

  test('SEM-IO-14 without an SO_SNDBUF a send ends when the peer has acknowledged it', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_SNDBUF, int(0)));
    const sending = a.send(client, text('synchronous'));
    expect(typeof sending).toBe('object');
    expect(await sending).toBe(11);
    expect(await receiveText(b, server)).toBe('synchronous');
    // The peer takes no more: it does not end, until the peer reads.
    const many = new Uint8Array(4 << 20);
    let isSent = false;
    const all = Promise.resolve(a.send(client, many)).then((count) => {
      isSent = true;
      return count;
    });
    await passTime(a, 100);
    expect(isSent).toBe(false);
    const into = new Uint8Array(1 << 20);
    for (let got = 0; got < many.length; ) got += await ok(b.recv(server, into));
    expect(await all).toBe(many.length);
  });

  test('SEM-IO-14 without an SO_RCVBUF a datagram is kept only for who waits', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const to = name(ADDRESS_B, peerPort);
    await ok(b.setsockopt(peer, SOL_SOCKET, SO_RCVBUF, int(0)));
    await ok(a.sendto(s, text('lost'), 4, 0, to));
    await passTime(b, 50);
    const waiting = receiveText(b, peer);
    await passTime(b, 20);
    await ok(a.sendto(s, text('awaited'), 7, 0, to));
    expect(await waiting).toBe('awaited');
    await ok(a.sendto(s, text('lost too'), 8, 0, to));
    await passTime(b, 50);
    await nonBlocking(b, peer);
    expect(await b.recv(peer, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
  });
});

overVirtualTime('time-outs', (pair) => {
  test('SEM-BLK-07, OPT-SO_RCVTIMEO a blocking receive ends with WSAETIMEDOUT when its time has run out, and not before', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const { s } = await bound(a, udp);
    for (const socket of [client, s]) {
      await ok(a.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, int(300)));
      let answer = 0;
      const receiving = Promise.resolve(a.recv(socket, new Uint8Array(1))).then((code) => {
        answer = code;
      });
      await passTime(a, 299);
      expect(answer).toBe(0);
      await passTime(a, 2);
      await receiving;
      expect(answer).toBe(-WSAETIMEDOUT);
    }
  });

  test('SEM-BLK-07, OPT-SO_SNDTIMEO a blocking send that moved nothing is WSAETIMEDOUT, one that moved something says how much', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, int(200)));
    const first = await ok(a.send(client, new Uint8Array(64 << 20)));
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(64 << 20);
    expect(await a.send(client, text('x'))).toBe(-WSAETIMEDOUT);
  });

  test('SEM-BLK-07 accept and connect know no time-out of these options', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, int(100)));
    let isDone = false;
    const accepting = Promise.resolve(a.accept(s)).then(() => {
      isDone = true;
    });
    await passTime(a, 1000);
    expect(isDone).toBe(false);
    await ok(a.closesocket(s));
    await accepting;
  });
});

describe('a peer that is not there any more', () => {
  /** Two hosts whose wire can be cut. */
  async function joined(): Promise<{
    a: Winsock;
    b: Winsock;
    cut: () => void;
    run: (ms: number) => Promise<void>;
    close: () => void;
  }> {
    const scheduler = new VirtualTime();
    const wire = new MemorySegment({ scheduler });
    const links = [wire.port(), wire.port()] as const;
    const hosts = links.map((link, i) =>
      createLocalHost({
        scheduler,
        random: new SeededRandom(i + 1),
        links: [{ link, addresses: [`10.0.0.${i + 1}/24`] }],
      }),
    );
    const started: Winsock[] = [];
    for (const host of hosts) {
      const ws = createWinsock({ port: host.openSession(), scheduler });
      await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
      started.push(ws);
    }
    const run = async (ms: number): Promise<void> => {
      const end = scheduler.now() + ms;
      while (scheduler.step(end)) await Promise.resolve();
      for (let i = 0; i < 20; i++) await Promise.resolve();
    };
    return {
      a: started[0] as Winsock,
      b: started[1] as Winsock,
      cut: () => links[1].close(),
      run,
      close: () => {
        for (const host of hosts) host.close();
      },
    };
  }

  test('SEM-IO-21 a retransmission that is never answered ends the connection with WSAECONNABORTED or WSAETIMEDOUT', async () => {
    const { a, b, cut, run, close } = await joined();
    const { s: listener, port } = await listening(b);
    const client = await tcp(a);
    const connecting = a.connect(client, name('10.0.0.2', port));
    await run(1000);
    expect(await connecting).toBe(0);
    await ok(b.accept(listener));
    await ok(a.setsockopt(client, IPPROTO_TCP, TCP_MAXRT, int(20)));
    cut();
    await ok(a.send(client, text('anybody?')));
    let answer = 1;
    const receiving = Promise.resolve(a.recv(client, new Uint8Array(1))).then((code) => {
      answer = code;
    });
    await run(10_000);
    expect(answer).toBe(1);
    await run(60_000);
    await receiving;
    expect([-WSAECONNABORTED, -WSAETIMEDOUT]).toContain(answer);
    expect([-WSAECONNABORTED, -WSAETIMEDOUT, -WSAECONNRESET]).toContain(await a.send(client, text('x')));
    close();
  });
});

overEveryAttachment('resets', (pair) => {
  test('SEM-IO-20 after RST what waits ends with WSAECONNRESET, send and recv too, and SO_ERROR stays 0', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const receiving = a.recv(client, new Uint8Array(1));
    await ok(b.setsockopt(server, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(b.closesocket(server));
    expect(await receiving).toBe(-WSAECONNRESET);
    expect(await a.send(client, text('x'))).toBe(-WSAECONNRESET);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAECONNRESET);
    expect(await getInt(a, client, SOL_SOCKET, SO_ERROR)).toBe(0);
  });
});
