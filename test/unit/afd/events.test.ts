import { describe, expect, test } from '@jest/globals';
import {
  FD_ACCEPT,
  FD_ACCEPT_BIT,
  FD_ALL_EVENTS,
  FD_CLOSE,
  FD_CLOSE_BIT,
  FD_CONNECT,
  FD_CONNECT_BIT,
  FD_OOB,
  FD_READ,
  FD_WRITE,
  MSG_OOB,
  SD_SEND,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEINVAL,
  WSAEWOULDBLOCK,
} from '../../../src/abi/index.ts';
import { EVENT_RULES } from '../../../src/afd/index.ts';
import { i32le } from '../../../src/base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, AfdOp } from '../../../src/port/index.ts';
import { connectPair, createRig, datagramPair, dword, type Outcome, type Rig, SERVER } from './rig.ts';

const FIONBIO = 0x8004_667e | 0;

/** The error code of an event in a report. */
function errorOf(outcome: Outcome, bit: number): number {
  return i32le(outcome.into as Uint8Array, 4 * bit);
}

/** A listener with a registration, and a client that connects on demand. */
function listening(rig: Rig, mask: number, isByMessage = false) {
  const server = rig.server.client();
  const listener = server.stream();
  server.bind(listener, SERVER, 80);
  server.listen(listener, 50);
  server.select(listener, mask, isByMessage);
  const client = rig.client.client({ pid: 200 });
  return {
    server,
    listener,
    client,
    connect(): number {
      const c = client.stream();
      client.connect(c, SERVER, 80);
      rig.run();
      return c;
    },
  };
}

describe('the registration', () => {
  test('SEM-BLK-04 it makes the socket non-blocking, whatever the mask', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    expect(server.select(s, 0)).toBe(0);
    expect(server.recv(s).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-BLK-05 FIONBIO 0 is WSAEINVAL while it is active, FIONBIO 1 is not', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    server.select(s, FD_READ);
    expect(server.ioctl(s, FIONBIO, dword(0)).error).toBe(WSAEINVAL);
    expect(server.ioctl(s, FIONBIO, dword(1)).error).toBe(0);
    server.select(s, 0);
    expect(server.ioctl(s, FIONBIO, dword(0)).error).toBe(0);
    expect(server.recv(s).pended).toBe(true);
  });

  test('unknown events are WSAEINVAL; waiting without a registration too; short buffers WSAEFAULT', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    expect(server.select(s, FD_ALL_EVENTS + 1)).toBe(WSAEINVAL);
    expect(server.waitEvents(s).error).toBe(WSAEINVAL);
    server.select(s, FD_READ);
    expect(server.call(AfdOp.waitEvents, s, { into: new Uint8Array(39) }).error).toBe(WSAEFAULT);
    expect(server.call(AfdOp.enumEvents, s, { into: new Uint8Array(39) }).error).toBe(WSAEFAULT);
  });

  test('SEM-EV-12 a new registration ends the wait of the old one', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    server.select(s, FD_READ);
    const waiting = server.waitEvents(s);
    server.select(s, FD_CLOSE);
    expect(waiting.error).toBe(WSA_OPERATION_ABORTED);
  });

  test('SEM-EV-21 an event that is recorded is reported again to a new registration', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_READ);
    client.send(c, 'x');
    rig.run();
    expect(server.waitEvents(s).value).toBe(FD_READ);
    expect(server.waitEvents(s).pended).toBe(true);
    server.select(s, FD_READ);
    expect(server.waitEvents(s).value).toBe(FD_READ);
  });

  test('SEM-EV-23 unselected events stay recorded', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_READ);
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(server.enumEvents(s).value).toBe(0);
    server.select(s, FD_CLOSE);
    expect(server.enumEvents(s).value).toBe(FD_CLOSE);
  });

  test('SEM-EV-14 re-registering: messages repeat what is true, an event object what was not fetched', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'x');
    rig.run();
    server.select(s, FD_READ | FD_WRITE);
    expect(server.enumEvents(s).value).toBe(FD_READ | FD_WRITE);
    server.select(s, FD_READ | FD_WRITE);
    expect(server.enumEvents(s).value).toBe(0);
    for (let i = 0; i < 2; i++) {
      server.select(s, FD_READ | FD_WRITE, true);
      expect(server.waitEvents(s).value).toBe(FD_READ | FD_WRITE);
    }
  });
});

describe('each event', () => {
  test.each([
    ['SEM-EV-01', FD_READ, 'level', 'recv'],
    ['SEM-EV-02', FD_WRITE, 'edge', 'blocked send'],
    ['SEM-EV-03', FD_OOB, 'level', 'recv'],
    ['SEM-EV-04', FD_ACCEPT, 'level', 'accept'],
    ['SEM-EV-05', FD_CONNECT, 'once', 'nothing'],
    ['SEM-EV-06', FD_CLOSE, 'once', 'nothing'],
    ['SEM-EV-07', 0x40, 'edge', 'ioctl'],
    ['SEM-EV-09', 0x100, 'edge', 'ioctl'],
    ['SEM-EV-10', 0x200, 'edge', 'ioctl'],
  ])('%s is in the table: %i is %s, re-enabled by %s', (_id, event, trigger, reenabledBy) => {
    expect(EVENT_RULES.find((rule) => rule.event === event)).toEqual({ event, trigger, reenabledBy });
  });

  test('SEM-EV-01 FD_READ at registration, and after a receive that leaves data', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'abcd');
    rig.run();
    server.select(s, FD_READ);
    expect(server.enumEvents(s).value).toBe(FD_READ);
    expect(server.enumEvents(s).value).toBe(0);
    server.recv(s, 2);
    expect(server.enumEvents(s).value).toBe(FD_READ);
    server.recv(s, 2);
    expect(server.enumEvents(s).value).toBe(0);
  });

  test('SEM-EV-15 with an event object new data signals again without a receive; with messages it does not', () => {
    for (const isByMessage of [false, true]) {
      const rig = createRig();
      const { server, client, c, s } = connectPair(rig);
      server.select(s, FD_READ, isByMessage);
      client.send(c, 'a');
      rig.run();
      expect(server.waitEvents(s).value).toBe(FD_READ);
      if (!isByMessage) server.enumEvents(s);
      const again = server.waitEvents(s);
      client.send(c, 'b');
      rig.run();
      expect(again.isDone).toBe(!isByMessage);
      if (isByMessage) {
        server.recv(s, 1);
        expect(again).toMatchObject({ isDone: true, value: FD_READ });
      }
    }
  });

  test('SEM-EV-11 a receive that fails re-enables all the same', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_READ, true);
    client.send(c, 'a');
    rig.run();
    server.waitEvents(s);
    server.recv(s, 1);
    expect(server.recv(s, 1).error).toBe(WSAEWOULDBLOCK);
    const waiting = server.waitEvents(s);
    client.send(c, 'b');
    rig.run();
    expect(waiting).toMatchObject({ isDone: true, value: FD_READ });
  });

  test('SEM-EV-22 what a pending receive takes gives no FD_READ', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_READ);
    const receiving = server.recv(s, 10, AFD_OVERLAPPED);
    client.send(c, 'abc');
    rig.run();
    expect(receiving.value).toBe(3);
    expect(server.enumEvents(s).value).toBe(0);
  });

  test('SEM-EV-02 SEM-EV-16 FD_WRITE at registration, kept over a send, again only after WSAEWOULDBLOCK', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVBUF, dword(8192));
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.select(c, FD_WRITE);
    client.send(c, 'x');
    expect(client.enumEvents(c).value).toBe(FD_WRITE);
    client.send(c, 'y');
    rig.run(1000);
    expect(client.enumEvents(c).value).toBe(0);
    client.send(c, new Uint8Array(100_000));
    expect(client.send(c, 'z').error).toBe(WSAEWOULDBLOCK);
    rig.run(1000);
    expect(client.enumEvents(c).value).toBe(0);
    for (let i = 0; i < 200; i++) {
      server.recv(s, 65_536, AFD_NO_WAIT);
      rig.run(20);
    }
    expect(client.enumEvents(c).value).toBe(FD_WRITE);
  });

  test('SEM-EV-03 FD_OOB when an urgent byte arrives, and while more remain', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_OOB);
    client.send(c, '1', MSG_OOB);
    rig.run();
    expect(server.enumEvents(s).value).toBe(FD_OOB);
    client.send(c, '2', MSG_OOB);
    rig.run();
    server.enumEvents(s);
    server.recv(s, 1, MSG_OOB);
    expect(server.enumEvents(s).value).toBe(FD_OOB);
    server.recv(s, 1, MSG_OOB);
    expect(server.enumEvents(s).value).toBe(0);
  });

  test('SEM-EV-04 SEM-EV-15 FD_ACCEPT for a connection, a further one, and while some remain', () => {
    const rig = createRig();
    const { server, listener, connect } = listening(rig, FD_ACCEPT);
    connect();
    const report = server.enumEvents(listener);
    expect([report.value, errorOf(report, FD_ACCEPT_BIT)]).toEqual([FD_ACCEPT, 0]);
    connect();
    expect(server.enumEvents(listener).value).toBe(FD_ACCEPT);
    expect(server.accept(listener).error).toBe(0);
    expect(server.enumEvents(listener).value).toBe(FD_ACCEPT);
    expect(server.accept(listener).error).toBe(0);
    expect(server.enumEvents(listener).value).toBe(0);
    expect(server.accept(listener).error).toBe(WSAEWOULDBLOCK);
  });

  test('SEM-EV-05 SEM-CONN-17 a connect reports FD_CONNECT and FD_WRITE, once', () => {
    const rig = createRig();
    const { client } = listening(rig, 0);
    const c = client.stream();
    client.select(c, FD_CONNECT | FD_WRITE | FD_READ | FD_CLOSE);
    expect(client.connect(c, SERVER, 80).error).toBe(WSAEWOULDBLOCK);
    expect(client.enumEvents(c).value).toBe(0);
    rig.run();
    const report = client.enumEvents(c);
    expect([report.value, errorOf(report, FD_CONNECT_BIT)]).toEqual([FD_CONNECT | FD_WRITE, 0]);
    expect(client.enumEvents(c).value).toBe(0);
  });

  test('SEM-EV-25 SEM-CONN-17 a failed connect reports FD_CONNECT with its code and nothing else', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    client.select(c, FD_ALL_EVENTS);
    const waiting = client.waitEvents(c);
    client.connect(c, SERVER, 81);
    rig.run(5000);
    expect([waiting.value, errorOf(waiting, FD_CONNECT_BIT)]).toEqual([FD_CONNECT, WSAECONNREFUSED]);
  });

  test('SEM-EV-06 SEM-EV-19 SEM-EV-20 FD_CLOSE with 0 at FIN, before all is read, and only once', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_CLOSE | FD_READ);
    client.send(c, 'abc');
    client.shutdown(c, SD_SEND);
    rig.run();
    const report = server.enumEvents(s);
    expect([report.value, errorOf(report, FD_CLOSE_BIT)]).toEqual([FD_READ | FD_CLOSE, 0]);
    expect(server.recv(s).value).toBe(3);
    expect(server.recv(s)).toMatchObject({ error: 0, value: 0 });
    expect(server.enumEvents(s).value).toBe(0);
  });

  test('SEM-EV-19 after a reset FD_CLOSE has WSAECONNABORTED', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_CLOSE);
    client.close(c, 1);
    rig.run();
    const report = server.enumEvents(s);
    expect([report.value, errorOf(report, FD_CLOSE_BIT)]).toEqual([FD_CLOSE, WSAECONNABORTED]);
  });

  test('SEM-EV-06 a reset after FIN gives no second FD_CLOSE', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, FD_CLOSE);
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(server.enumEvents(s).value).toBe(FD_CLOSE);
    client.close(c, 1);
    rig.run();
    expect(server.enumEvents(s).value).toBe(0);
  });

  test('SEM-EV-01 recvfrom re-enables FD_READ of a datagram socket', () => {
    const rig = createRig();
    const { server, client, s, c } = datagramPair(rig);
    server.select(s, FD_READ, true);
    for (const text of ['one', 'two', 'three']) client.sendTo(c, text, SERVER, 53);
    rig.run();
    expect(server.waitEvents(s).value).toBe(FD_READ);
    const second = server.waitEvents(s);
    expect(second.pended).toBe(true);
    server.recv(s);
    expect(second).toMatchObject({ isDone: true, value: FD_READ });
    server.recv(s);
    server.recv(s);
    const fourth = server.waitEvents(s);
    client.sendTo(c, 'four', SERVER, 53);
    rig.run();
    expect(fourth).toMatchObject({ isDone: true, value: FD_READ });
  });

  test('SEM-SHUT-11 SEM-LING-07 the own shutdown gives no FD_CLOSE', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    client.select(c, FD_CLOSE);
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(client.enumEvents(c).value).toBe(0);
  });

  test('SEM-EV-17 a connected socket reports FD_CONNECT to an event object, not to messages', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    client.select(c, FD_CONNECT | FD_WRITE);
    expect(client.enumEvents(c).value).toBe(FD_CONNECT | FD_WRITE);
    const other = connectPair(createRig());
    other.client.select(other.c, FD_CONNECT | FD_WRITE, true);
    expect(other.client.waitEvents(other.c).value).toBe(FD_WRITE);
  });

  test('SEM-EV-18 a datagram socket reports FD_WRITE at once, and after connect FD_CONNECT too', () => {
    const rig = createRig();
    const { client, c } = datagramPair(rig);
    client.select(c, FD_CONNECT | FD_WRITE | FD_READ);
    expect(client.enumEvents(c).value).toBe(FD_WRITE);
    client.connect(c, SERVER, 53);
    expect(client.enumEvents(c).value).toBe(FD_CONNECT | FD_WRITE);
  });

  test('SEM-ACC-02 an accepted socket has the listener’s registration, and FD_WRITE at once', () => {
    const rig = createRig();
    const { server, listener, client, connect } = listening(rig, FD_ACCEPT | FD_READ | FD_WRITE | FD_CLOSE);
    const c = connect();
    const s = server.accept(listener).value;
    expect(server.enumEvents(s).value).toBe(FD_WRITE);
    client.send(c, 'x');
    rig.run();
    expect(server.enumEvents(s).value).toBe(FD_READ);
  });

  test('SEM-EV-24 closing ends the wait', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    server.select(s, FD_READ);
    const waiting = server.waitEvents(s);
    server.close(s);
    expect(waiting.error).toBe(WSA_OPERATION_ABORTED);
  });
});
