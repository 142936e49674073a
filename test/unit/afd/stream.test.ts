import { describe, expect, test } from '@jest/globals';
import {
  IPPROTO_TCP,
  MSG_OOB,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_WAITALL,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  SIOCATMARK,
  SO_CONNECT_TIME,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_OOBINLINE,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SOL_SOCKET,
  SOMAXCONN,
  TCP_NODELAY,
  WSA_OPERATION_ABORTED,
  WSAEADDRNOTAVAIL,
  WSAEAFNOSUPPORT,
  WSAEALREADY,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAEISCONN,
  WSAENETUNREACH,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../../../src/abi/index.ts';
import { i32le } from '../../../src/base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, AfdOp } from '../../../src/port/index.ts';
import { bytesOf, CLIENT, connectPair, createRig, dword, SERVER, sockaddr, stringOf, text } from './rig.ts';

describe('connect', () => {
  test('SEM-CONN-01 a non-blocking stream answers WSAEWOULDBLOCK and connects in the background', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    const client = rig.client.client();
    const c = client.stream();
    client.nonBlocking(c);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEWOULDBLOCK);
    rig.run();
    expect(text(client.peerName(c).address)).toBe(`${SERVER}:80`);
    expect(client.send(c, 'x').error).toBe(0);
  });

  test('SEM-CONN-02 SEM-CONN-12 SEM-CONN-19 while connecting: connect is WSAEALREADY, data WSAENOTCONN, names are known', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    client.nonBlocking(c);
    client.connect(c, SERVER, 80);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEALREADY);
    expect(client.send(c, 'x').error).toBe(WSAENOTCONN);
    expect(client.recv(c).error).toBe(WSAENOTCONN);
    expect(text(client.sockName(c).address)).toMatch(new RegExp(`^${CLIENT}:[1-9]\\d+$`));
    expect(text(client.peerName(c).address)).toBe(`${SERVER}:80`);
    expect(client.listen(c)).toBe(WSAEINVAL);
  });

  test('SEM-CONN-03 connect after success is WSAEISCONN, also after shutdown', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEISCONN);
    expect(client.shutdown(c, SD_BOTH)).toBe(0);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEISCONN);
  });

  test('SEM-CONN-08 SEM-ERR-06 a refused blocking connect answers WSAECONNREFUSED and leaves SO_ERROR 0', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    const connecting = client.connect(c, SERVER, 81);
    expect(connecting.pended).toBe(true);
    rig.run(5000);
    expect(connecting.error).toBe(WSAECONNREFUSED);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(0);
  });

  test('SEM-CONN-04 SEM-ERR-05 a non-blocking failure stays in SO_ERROR until a connect succeeds', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    client.nonBlocking(c);
    client.connect(c, SERVER, 80);
    rig.run(5000);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEWOULDBLOCK);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
    rig.run();
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(0);
    expect(client.send(c, 'x').value).toBe(1);
  });

  test('SEM-CONN-18 after a failed connect the socket can listen, and SO_ERROR still tells', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    client.bind(c, '0.0.0.0', 4000);
    client.nonBlocking(c);
    client.connect(c, SERVER, 80);
    rig.run(5000);
    expect(client.listen(c)).toBe(0);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(WSAECONNREFUSED);
  });

  test('SEM-CONN-08 nobody answers: WSAETIMEDOUT; no route: WSAENETUNREACH at once', () => {
    const rig = createRig({ host: { tcp: { maxSynRetransmissions: 2 } } });
    const client = rig.client.client();
    const connecting = client.connect(client.stream(), '10.0.0.77', 80);
    rig.run(120_000);
    expect(connecting.error).toBe(WSAETIMEDOUT);
    expect(client.connect(client.stream(), '192.0.2.1', 80).error).toBe(WSAENETUNREACH);
  });

  test.each([
    ['SEM-CONN-09 the any-address', sockaddr('0.0.0.0', 80), WSAEADDRNOTAVAIL],
    ['SEM-CONN-09 port 0', sockaddr(SERVER, 0), WSAEADDRNOTAVAIL],
    ['SEM-CONN-10 another family', Uint8Array.of(23, 0, ...new Array(26).fill(0)), WSAEAFNOSUPPORT],
    ['SEM-CONN-10 a short name', sockaddr(SERVER, 80).subarray(0, 15), WSAEFAULT],
    ['SEM-CONN-10 one byte', Uint8Array.of(2), WSAEFAULT],
    ['SEM-CONN-10 no name', null, WSAEFAULT],
  ])('%s is refused at once', (_label, address, error) => {
    const client = createRig().client.client();
    expect(client.call(AfdOp.connect, client.stream(), { address }).error).toBe(error);
  });

  test('SEM-ERR-07 a value written to SO_ERROR reads back', () => {
    const client = createRig().client.client();
    const c = client.stream();
    expect(client.setOption(c, SOL_SOCKET, SO_ERROR, dword(0xdead))).toBe(0);
    expect(client.option(c, SOL_SOCKET, SO_ERROR)).toBe(0xdead);
  });

  test('a cancelled connect completes WSA_OPERATION_ABORTED, and the attempt goes on', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    const client = rig.client.client();
    const c = client.stream();
    const connecting = client.connect(c, SERVER, 80);
    client.port.cancel(connecting.id);
    expect(connecting.error).toBe(WSA_OPERATION_ABORTED);
    rig.run();
    expect(client.send(c, 'x').error).toBe(0);
  });
});

describe('listen and accept', () => {
  test('SEM-STATE-01 listen needs a bound, unconnected stream', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    expect(client.listen(client.stream())).toBe(WSAEINVAL);
    expect(client.listen(c)).toBe(WSAEISCONN);
    expect(client.listen(client.datagram())).toBe(WSAEOPNOTSUPP);
  });

  test('SEM-STATE-02 SEM-CONN-05 accept needs a listener, and a listener cannot connect', () => {
    const rig = createRig();
    const { server, listener, s } = connectPair(rig);
    expect(server.accept(server.stream()).error).toBe(WSAEINVAL);
    expect(server.accept(s).error).toBe(WSAEINVAL);
    expect(server.accept(server.datagram()).error).toBe(WSAEOPNOTSUPP);
    expect(server.connect(listener, CLIENT, 5).error).toBe(WSAEINVAL);
  });

  test('SEM-BKLG-04 listening again succeeds; SEM-BLK-01 a non-blocking accept answers WSAEWOULDBLOCK', () => {
    const rig = createRig();
    const { server, listener } = connectPair(rig);
    expect(server.listen(listener, SOMAXCONN)).toBe(0);
    server.nonBlocking(listener);
    expect(server.accept(listener).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-BKLG-05 a queue of two refuses the third connection', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l, 2);
    const client = rig.client.client();
    const attempts = [1, 2, 3].map(() => {
      const outcome = client.connect(client.stream(), SERVER, 80);
      rig.run(20);
      return outcome;
    });
    rig.run(3000);
    expect(attempts.map((attempt) => attempt.error)).toEqual([0, 0, WSAECONNREFUSED]);
  });

  test('accepts that pend are served in their order, with the peer as address', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    const first = server.accept(l);
    const second = server.accept(l);
    const client = rig.client.client();
    const one = client.stream();
    const two = client.stream();
    client.connect(one, SERVER, 80);
    rig.run();
    expect([first.isDone, second.isDone]).toEqual([true, false]);
    client.connect(two, SERVER, 80);
    rig.run();
    expect(text(first.address)).toBe(text(client.sockName(one).address));
    expect(text(second.address)).toBe(text(client.sockName(two).address));
    expect(second.value).not.toBe(first.value);
  });

  test('SEM-ACC-01 an accepted socket has the listener’s options', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    const options = [
      [SOL_SOCKET, SO_REUSEADDR, 1],
      [SOL_SOCKET, SO_KEEPALIVE, 1],
      [SOL_SOCKET, SO_OOBINLINE, 1],
      [SOL_SOCKET, SO_SNDBUF, 12_345],
      [SOL_SOCKET, SO_RCVBUF, 23_456],
      [SOL_SOCKET, SO_SNDTIMEO, 345],
      [SOL_SOCKET, SO_RCVTIMEO, 456],
      [SOL_SOCKET, SO_LINGER, 0x0007_0001],
      [IPPROTO_TCP, TCP_NODELAY, 1],
    ] as const;
    for (const [level, option, value] of options) {
      expect(server.setOption(l, level, option, dword(value))).toBe(0);
    }
    server.bind(l, SERVER, 80);
    server.listen(l);
    const accepting = server.accept(l);
    const client = rig.client.client();
    client.connect(client.stream(), SERVER, 80);
    rig.run();
    for (const [level, option, value] of options) {
      expect(server.option(accepting.value, level, option)).toBe(value);
    }
  });

  test('SEM-ACC-03 an accepted socket has the listener’s blocking mode', () => {
    const rig = createRig();
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    server.nonBlocking(l);
    const client = rig.client.client();
    client.connect(client.stream(), SERVER, 80);
    rig.run();
    const s = server.accept(l).value;
    expect(server.recv(s).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-STATE-07 getsockname needs a bound socket; bound to the any-address it tells the port', () => {
    const client = createRig().client.client();
    const c = client.stream();
    expect(client.sockName(c).error).toBe(WSAEINVAL);
    expect(client.peerName(c).error).toBe(WSAENOTCONN);
    client.bind(c, '0.0.0.0', 0);
    expect(text(client.sockName(c).address)).toMatch(/^0\.0\.0\.0:(49[2-9]|5|6)\d+$/);
  });
});

describe('send and recv', () => {
  test('SEM-STATE-04 SEM-STATE-05 an unconnected stream answers WSAENOTCONN', () => {
    const client = createRig().client.client();
    const c = client.stream();
    expect(client.recv(c).error).toBe(WSAENOTCONN);
    expect(client.send(c, 'x').error).toBe(WSAENOTCONN);
    expect(client.shutdown(c, SD_SEND)).toBe(WSAENOTCONN);
  });

  test('bytes arrive in order, and a receive that pends gets them', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receiving = server.recv(s, 100);
    expect(receiving.pended).toBe(true);
    expect(client.send(c, 'hello ').value).toBe(6);
    expect(client.send(c, 'world').value).toBe(5);
    rig.run();
    expect(stringOf(receiving.into).slice(0, receiving.value)).toMatch(/^hello /);
    expect(receiving.address).toBeNull();
  });

  test('SEM-OV-09 receives that pend are filled in posting order', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receives = [server.recv(s, 2), server.recv(s, 2), server.recv(s, 2)];
    client.send(c, 'aabbcc');
    rig.run();
    expect(receives.map((each) => stringOf(each.into))).toEqual(['aa', 'bb', 'cc']);
    expect(server.completed.slice(-3)).toEqual(receives.map((each) => each.id));
  });

  test('SEM-BLK-06 an overlapped receive pends on a non-blocking socket; AFD_NO_WAIT does not on a blocking one', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    expect(server.recv(s, 10, AFD_NO_WAIT).error).toBe(WSAEWOULDBLOCK);
    server.nonBlocking(s);
    expect(server.recv(s).error).toBe(WSAEWOULDBLOCK);
    const overlapped = server.recv(s, 10, AFD_OVERLAPPED);
    expect(overlapped.pended).toBe(true);
    client.send(c, 'now');
    rig.run();
    expect(overlapped.value).toBe(3);
  });

  test('SEM-IO-04 MSG_PEEK leaves the bytes, also for a peek that pended', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const peeking = server.recv(s, 3, MSG_PEEK);
    client.send(c, 'abcdef');
    rig.run();
    expect(stringOf(peeking.into)).toBe('abc');
    expect(stringOf(server.recv(s, 3, MSG_PEEK).into)).toBe('abc');
    expect(stringOf(server.recv(s, 6).into)).toBe('abcdef');
  });

  test('SEM-IO-05 MSG_WAITALL completes with a full buffer', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receiving = server.recv(s, 6, MSG_WAITALL);
    client.send(c, 'abc');
    rig.run();
    expect(receiving.isDone).toBe(false);
    client.send(c, 'defg');
    rig.run();
    expect([receiving.error, receiving.value, stringOf(receiving.into)]).toEqual([0, 6, 'abcdef']);
    expect(stringOf(server.recv(s, 1).into)).toBe('g');
  });

  test('SEM-IO-05 MSG_WAITALL ends with what there is when the peer closes', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receiving = server.recv(s, 6, MSG_WAITALL);
    client.send(c, 'abc');
    client.shutdown(c, SD_SEND);
    rig.run();
    expect([receiving.error, receiving.value]).toEqual([0, 3]);
  });

  test('SEM-OV-13 a cancelled MSG_WAITALL answers the bytes that it took', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receiving = server.recv(s, 6, MSG_WAITALL);
    client.send(c, 'abc');
    rig.run();
    server.port.cancel(receiving.id);
    expect([receiving.error, receiving.value, stringOf(receiving.into).slice(0, 3)]).toEqual([0, 3, 'abc']);
  });

  test.each([
    ['MSG_PEEK', MSG_PEEK],
    ['MSG_OOB', MSG_OOB],
    ['MSG_PARTIAL', MSG_PARTIAL],
  ])('SEM-IO-05 MSG_WAITALL with %s is WSAEOPNOTSUPP', (_name, flag) => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    expect(server.recv(s, 1, MSG_WAITALL | flag).error).toBe(WSAEOPNOTSUPP);
  });

  test('SEM-IO-05 MSG_WAITALL on a non-blocking socket is WSAEOPNOTSUPP', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    server.nonBlocking(s);
    expect(server.recv(s, 1, MSG_WAITALL).error).toBe(WSAEOPNOTSUPP);
  });

  test('SEM-IO-09 SEM-OV-22 a receive of nothing answers 0 at once; overlapped it waits for data and takes none', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    expect(server.recv(s, 0)).toMatchObject({ pended: false, error: 0, value: 0 });
    const waiting = server.recv(s, 0, AFD_OVERLAPPED);
    expect(waiting.pended).toBe(true);
    client.send(c, 'data');
    rig.run();
    expect([waiting.error, waiting.value]).toEqual([0, 0]);
    expect(server.recv(s, 10).value).toBe(4);
  });

  test('SEM-IO-01 a non-blocking send is taken whole when there is any room, then WSAEWOULDBLOCK', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.nonBlocking(c);
    const big = new Uint8Array(3_000_000).map((_, i) => i % 251);
    expect(client.send(c, big)).toMatchObject({ pended: false, error: 0, value: big.length });
    expect(client.send(c, 'more').error).toBe(WSAEWOULDBLOCK);
    const received = new Uint8Array(big.length);
    let at = 0;
    for (let round = 0; round < 5000 && at < big.length; round++) {
      rig.run(20);
      const n = server.recv(s, 1 << 20, AFD_NO_WAIT);
      if (n.error !== 0) continue;
      received.set((n.into as Uint8Array).subarray(0, n.value), at);
      at += n.value;
    }
    expect(at).toBe(big.length);
    expect(Buffer.compare(received, big)).toBe(0);
    rig.run(1000);
    expect(client.send(c, 'more').value).toBe(4);
    expect(rig.client.afd.sessions[0]?.bytes).toBe(0);
  });

  test('SEM-IO-02 a blocking send returns when all of its bytes are buffered', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    const big = new Uint8Array(500_000).fill(7);
    const sending = client.send(c, big);
    expect(sending.pended).toBe(true);
    let got = 0;
    for (let round = 0; round < 2000 && got < big.length; round++) {
      rig.run(20);
      const n = server.recv(s, 1 << 20, AFD_NO_WAIT);
      if (n.error === 0) got += n.value;
    }
    expect([got, sending.error, sending.value]).toEqual([big.length, 0, big.length]);
  });

  test('SEM-BLK-07 SO_RCVTIMEO ends a blocking receive with WSAETIMEDOUT and not an overlapped one (SEM-OV-14)', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVTIMEO, dword(300));
    const overlapped = server.recv(s, 10, AFD_OVERLAPPED);
    const blocking = server.recv(s, 10);
    rig.run(299);
    expect(blocking.isDone).toBe(false);
    rig.run(2);
    expect(blocking.error).toBe(WSAETIMEDOUT);
    rig.run(1000);
    expect(overlapped.isDone).toBe(false);
  });

  test('SEM-BLK-07 SO_SNDTIMEO ends a blocking send that no peer makes room for', () => {
    const rig = createRig();
    const { client, c, server, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVBUF, dword(8192));
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.setOption(c, SOL_SOCKET, SO_SNDTIMEO, dword(500));
    const filling = client.send(c, new Uint8Array(8_000_000));
    const starved = client.send(c, 'x');
    rig.run(499);
    expect(filling.isDone || starved.isDone).toBe(false);
    rig.run(2);
    expect(starved.error).toBe(WSAETIMEDOUT);
    expect(filling.error).toBe(0);
    expect(filling.value).toBeGreaterThan(0);
    expect(filling.value).toBeLessThan(8_000_000);
  });

  test('SEM-IO-20 after a reset pending and later calls answer WSAECONNRESET, and SO_ERROR stays 0', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const receiving = server.recv(s);
    client.close(c, 1);
    rig.run();
    expect(receiving.error).toBe(WSAECONNRESET);
    expect(server.recv(s).error).toBe(WSAECONNRESET);
    expect(server.send(s, 'x').error).toBe(WSAECONNRESET);
    expect(server.option(s, SOL_SOCKET, SO_ERROR)).toBe(0);
  });

  test('unknown flags and null buffers are refused, an unknown descriptor is WSAENOTSOCK', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    expect(client.send(c, 'x', 0x100).error).toBe(WSAEOPNOTSUPP);
    expect(client.recv(c, 1, 0x1000).error).toBe(WSAEOPNOTSUPP);
    expect(client.call(AfdOp.send, c).error).toBe(WSAEFAULT);
    for (const descriptor of [0, -1, 99, 1 << 30]) expect(client.recv(descriptor).error).toBe(WSAENOTSOCK);
    expect(client.call(99 as AfdOp, c).error).toBe(WSAEOPNOTSUPP);
  });

  test('SO_CONNECT_TIME counts the seconds of a connection', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    expect(client.option(client.stream(), SOL_SOCKET, SO_CONNECT_TIME)).toBe(-1);
    rig.run(2500);
    expect(client.option(c, SOL_SOCKET, SO_CONNECT_TIME)).toBe(2);
  });
});

describe('shutdown', () => {
  test.each([
    ['SEM-SHUT-01', SD_SEND, WSAESHUTDOWN, -1],
    ['SEM-SHUT-02', SD_RECEIVE, 0, WSAESHUTDOWN],
    ['SEM-SHUT-03', SD_BOTH, WSAESHUTDOWN, WSAESHUTDOWN],
  ])('%s shutdown(%i): send then answers %i and recv %i', (_id, how, sendError, recvError) => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    expect(client.shutdown(c, how)).toBe(0);
    expect(client.send(c, 'x').error).toBe(sendError);
    expect(client.recv(c).error).toBe(recvError);
    expect(client.shutdown(c, how)).toBe(0); // SEM-SHUT-04
    expect(text(client.peerName(c).address)).toBe(`${SERVER}:80`); // SEM-SHUT-10
    expect(client.sockName(c).error).toBe(0);
  });

  test('SEM-SHUT-05 SEM-SHUT-08 after the peer’s FIN a pending receive and later ones answer 0', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'last');
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(server.recv(s, 10).value).toBe(4);
    expect(server.recv(s, 10)).toMatchObject({ error: 0, value: 0 });
    const pending = client.recv(c);
    server.shutdown(s, SD_SEND);
    rig.run();
    expect(pending).toMatchObject({ isDone: true, error: 0, value: 0 });
  });

  test('SEM-SHUT-01 FIN follows sends that pend and bytes that had no room', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    const sending = client.send(c, new Uint8Array(100_000).fill(1));
    expect(client.shutdown(c, SD_SEND)).toBe(0);
    expect(client.send(c, 'x').error).toBe(WSAESHUTDOWN);
    expect(sending.isDone).toBe(false);
    let got = 0;
    for (let round = 0; round < 500; round++) {
      rig.run(20);
      const n = server.recv(s, 65_536, AFD_NO_WAIT);
      if (n.error === 0 && n.value === 0) break;
      if (n.error === 0) got += n.value;
    }
    expect([got, sending.error]).toEqual([100_000, 0]);
  });

  test('SEM-SHUT-07 a receive that pends at SD_RECEIVE completes with later data; a new one is WSAESHUTDOWN', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    const pending = server.recv(s, 10);
    expect(server.shutdown(s, SD_RECEIVE)).toBe(0);
    expect(server.recv(s, 10).error).toBe(WSAESHUTDOWN);
    client.send(c, 'late');
    rig.run();
    expect(pending).toMatchObject({ error: 0, value: 4 });
    client.send(c, 'too late');
    rig.run(500);
    expect(client.recv(c).error).toBe(WSAECONNRESET);
  });

  test('SEM-SHUT-02 data after SD_RECEIVE resets the connection', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.shutdown(s, SD_RECEIVE);
    client.send(c, 'late');
    rig.run(500);
    expect(client.recv(c).error).toBe(WSAECONNRESET);
  });

  test('SEM-SHUT-06 a send to a peer that has closed succeeds once; then recv is WSAECONNABORTED', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.close(c);
    rig.run();
    expect(server.send(s, 'x').error).toBe(0);
    rig.run();
    expect(server.recv(s).error).toBe(WSAECONNABORTED);
  });

  test('API-shutdown an unknown direction is WSAEINVAL, a listener WSAENOTCONN', () => {
    const rig = createRig();
    const { client, c, server, listener } = connectPair(rig);
    for (const how of [3, -1, 99]) expect(client.shutdown(c, how)).toBe(WSAEINVAL);
    expect(server.shutdown(listener, SD_BOTH)).toBe(WSAENOTCONN);
  });
});

describe('closesocket', () => {
  const linger = (seconds: number): Uint8Array => dword(1 | (seconds << 16));

  test('SEM-LING-01 by default all that was sent arrives, then FIN', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'goodbye');
    expect(client.close(c)).toMatchObject({ pended: false, error: 0 });
    rig.run();
    expect(server.recv(s, 20).value).toBe(7);
    expect(server.recv(s, 20)).toMatchObject({ error: 0, value: 0 });
  });

  test('SEM-LING-02 a linger time of 0 resets', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_LINGER, linger(0));
    expect(client.close(c).error).toBe(0);
    rig.run();
    expect(server.recv(s).error).toBe(WSAECONNRESET);
  });

  test('SEM-LING-03 a blocking close waits until all is acknowledged', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_LINGER, linger(5));
    client.send(c, 'bye');
    const closing = client.close(c);
    expect(closing.pended).toBe(true);
    rig.run(400);
    expect(closing).toMatchObject({ isDone: true, error: 0 });
    expect(server.recv(s, 10).value).toBe(3);
    expect(server.recv(s, 10)).toMatchObject({ error: 0, value: 0 });
  });

  test('SEM-LING-03 SEM-LING-06 at the time-out the connection is reset, and the close succeeds', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVBUF, dword(8192));
    client.setOption(c, SOL_SOCKET, SO_LINGER, linger(2));
    client.nonBlocking(c);
    client.send(c, new Uint8Array(8_000_000));
    client.ioctl(c, 0x8004_667e | 0, dword(0));
    const closing = client.close(c);
    expect(closing.pended).toBe(true);
    rig.run(1900);
    expect(closing.isDone).toBe(false);
    rig.run(200);
    expect(closing).toMatchObject({ isDone: true, error: 0 });
    rig.run();
    let error = 0;
    for (let i = 0; i < 20 && error === 0; i++) error = server.recv(s, 1 << 20, AFD_NO_WAIT).error;
    expect(error).toBe(WSAECONNRESET);
    expect(rig.client.afd.describe()).toEqual([]);
  });

  test('SEM-LING-04 a non-blocking close with bytes under way is WSAEWOULDBLOCK, and the socket stays', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_LINGER, linger(5));
    client.nonBlocking(c);
    client.send(c, 'bye');
    expect(client.close(c).error).toBe(WSAEWOULDBLOCK);
    expect(client.send(c, '!').error).toBe(0);
    rig.run(400);
    expect(client.close(c)).toMatchObject({ pended: false, error: 0 });
    expect(client.send(c, 'x').error).toBe(WSAENOTSOCK);
    rig.run();
    expect(server.recv(s, 10).value).toBe(4);
  });

  test('SEM-OV-12 SEM-BLK-08 what pends ends: overlapped receive WSAECONNABORTED, blocking call WSAEINTR', () => {
    const rig = createRig();
    const { client, c, server, listener } = connectPair(rig);
    const overlapped = client.recv(c, 10, AFD_OVERLAPPED);
    const blocking = client.recv(c, 10);
    client.close(c);
    expect(overlapped.error).toBe(WSAECONNABORTED);
    expect(blocking.error).toBe(WSAEINTR);
    const accepting = server.accept(listener, AFD_OVERLAPPED);
    server.close(listener);
    expect(accepting.error).toBe(WSA_OPERATION_ABORTED);
  });

  test('bytes beyond the send buffer still arrive after the close', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.nonBlocking(c);
    client.send(c, new Uint8Array(600_000).fill(9));
    expect(client.close(c).error).toBe(0);
    expect(rig.client.afd.describe()).toHaveLength(1);
    let got = 0;
    for (let round = 0; round < 2000 && got < 600_000; round++) {
      rig.run(20);
      const n = server.recv(s, 65_536, AFD_NO_WAIT);
      if (n.error === 0) got += n.value;
    }
    expect(got).toBe(600_000);
    rig.run(100);
    expect(rig.client.afd.describe()).toEqual([]);
    expect(rig.client.afd.sessions[0]?.bytes).toBe(0);
  });
});

describe('urgent data', () => {
  const atMark = (outcome: { into: Uint8Array | null }): number => i32le(outcome.into as Uint8Array, 0);

  test('SEM-OOB-01 SEM-OOB-02 the last byte leaves the stream, and a plain receive stops where it was', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'abcX', MSG_OOB);
    client.send(c, 'def');
    rig.run();
    expect(stringOf(server.recv(s, 1, MSG_OOB).into)).toBe('X');
    const first = server.recv(s, 10);
    expect(stringOf(first.into).slice(0, first.value)).toBe('abc');
    const second = server.recv(s, 10);
    expect(stringOf(second.into).slice(0, second.value)).toBe('def');
  });

  test('SEM-OOB-02 an urgent byte that nobody reads is not in the stream either', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'aX', MSG_OOB);
    rig.run();
    client.send(c, 'b');
    rig.run();
    expect(server.recv(s, 10).value).toBe(1);
    expect(stringOf(server.recv(s, 1).into)).toBe('b');
  });

  test('SEM-OOB-03 several unread urgent bytes are queued', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    for (const byte of ['1', '2', '3']) {
      client.send(c, byte, MSG_OOB);
      rig.run();
    }
    const read = [1, 2, 3].map(() => stringOf(server.recv(s, 1, MSG_OOB).into));
    expect(read).toEqual(['1', '2', '3']);
  });

  test('SEM-OOB-04 SEM-OOB-06 without an urgent byte: WSAEWOULDBLOCK and at the mark', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    expect(server.recv(s, 1, MSG_OOB).error).toBe(WSAEWOULDBLOCK);
    expect(atMark(server.ioctl(s, SIOCATMARK, null, 4))).toBe(1);
    client.send(c, 'X', MSG_OOB);
    rig.run();
    expect(atMark(server.ioctl(s, SIOCATMARK, null, 4))).toBe(0);
    server.recv(s, 1, MSG_OOB);
    expect(atMark(server.ioctl(s, SIOCATMARK, null, 4))).toBe(1);
  });

  test('SEM-OOB-07 FIONREAD does not count it', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'abX', MSG_OOB);
    rig.run();
    expect(atMark(server.ioctl(s, 0x4004_667f, null, 4))).toBe(2);
  });

  test('SEM-OOB-05 SEM-IO-07 inline it is read by itself, and MSG_OOB is WSAEINVAL', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_OOBINLINE, dword(1));
    client.send(c, 'abX', MSG_OOB);
    client.send(c, 'cd');
    rig.run();
    expect(server.recv(s, 1, MSG_OOB).error).toBe(WSAEINVAL);
    const read = [1, 2, 3].map(() => {
      const outcome = server.recv(s, 10);
      return stringOf(outcome.into).slice(0, outcome.value);
    });
    expect(read).toEqual(['ab', 'X', 'cd']);
  });

  test('MSG_OOB with MSG_PEEK leaves the byte', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, bytesOf('X'), MSG_OOB);
    rig.run();
    expect(stringOf(server.recv(s, 1, MSG_OOB | MSG_PEEK).into)).toBe('X');
    expect(server.recv(s, 1, MSG_OOB)).toMatchObject({ error: 0, value: 1, flags: MSG_OOB });
  });
});
