import { describe, expect, test } from '@jest/globals';
import {
  MSG_OOB,
  SD_SEND,
  SO_OOBINLINE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
} from '../../../src/abi/index.ts';
import { i32le } from '../../../src/base/index.ts';
import { AFD_NO_WAIT, AfdOp, AfdPollEvent } from '../../../src/port/index.ts';
import { connectPair, createRig, datagramPair, dword, type Outcome, SERVER } from './rig.ts';

const { receive, receiveExpedited, send, disconnect, abort, localClose, connect, accept, connectFail } =
  AfdPollEvent;
const ALL = 0x1ff;

/** {descriptor, events, error} of each entry that was true. */
function entries(outcome: Outcome): number[][] {
  const bytes = outcome.into as Uint8Array;
  return Array.from({ length: outcome.value }, (_, i) => [0, 4, 8].map((at) => i32le(bytes, 12 * i + at)));
}

describe('what is true', () => {
  test('SEM-SEL-09 a fresh stream is neither readable nor writable; SEM-SEL-12 an unbound datagram socket is writable', () => {
    const client = createRig().client.client();
    expect(client.ready(client.stream())).toBe(0);
    expect(client.ready(client.datagram())).toBe(send);
  });

  test('SEM-SEL-09 SEM-CONN-16 a connected stream is writable, level-triggered', () => {
    const rig = createRig();
    const { client, c } = connectPair(rig);
    for (let i = 0; i < 3; i++) expect(client.ready(c)).toBe(send | connect);
  });

  test('SEM-SEL-09 a full send buffer is not writable, and no connect either', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.setOption(s, SOL_SOCKET, SO_RCVBUF, dword(8192));
    client.setOption(c, SOL_SOCKET, SO_SNDBUF, dword(4096));
    client.nonBlocking(c);
    client.send(c, new Uint8Array(100_000));
    expect(client.ready(c)).toBe(0);
    const polling = client.poll([[c, send]], -1);
    expect(polling.pended).toBe(true);
    for (let i = 0; i < 100 && !polling.isDone; i++) {
      server.recv(s, 65_536, AFD_NO_WAIT);
      rig.run(20);
    }
    expect(entries(polling)).toEqual([[c, send, 0]]);
  });

  test('SEM-SEL-08 data, FIN and a queued connection are readable', () => {
    const rig = createRig();
    const { server, client, listener, c, s } = connectPair(rig);
    client.send(c, 'x');
    rig.run();
    expect(server.ready(s)).toBe(receive | send | connect);
    server.recv(s);
    expect(server.ready(s, receive)).toBe(0);
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(server.ready(s)).toBe(disconnect | send | connect);
    expect(server.ready(listener)).toBe(0);
    client.connect(client.stream(), SERVER, 80);
    rig.run();
    expect(server.ready(listener)).toBe(accept);
    server.accept(listener);
    expect(server.ready(listener)).toBe(0);
  });

  test('SEM-SEL-08 what came before the accept is true right after it', () => {
    const rig = createRig();
    const { server, client, listener } = connectPair(rig);
    const c = client.stream();
    client.connect(c, SERVER, 80);
    rig.run();
    client.send(c, 'x');
    client.shutdown(c, SD_SEND);
    rig.run();
    const s = server.accept(listener).value;
    expect(server.ready(s)).toBe(receive | disconnect | send | connect);
  });

  test('SEM-SEL-10 a reset connection is an abort with its code', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.close(c, 1);
    rig.run();
    expect(entries(server.poll([[s, ALL]]))).toEqual([[s, abort, WSAECONNRESET]]);
  });

  test('SEM-SEL-10 SEM-SEL-11 a failed non-blocking connect stays connectFail until one succeeds', () => {
    const rig = createRig();
    const client = rig.client.client();
    const c = client.stream();
    client.nonBlocking(c);
    client.connect(c, SERVER, 80);
    rig.run(5000);
    for (let i = 0; i < 3; i++) {
      expect(entries(client.poll([[c, ALL]]))).toEqual([[c, connectFail, WSAECONNREFUSED]]);
    }
    const server = rig.server.client();
    const l = server.stream();
    server.bind(l, SERVER, 80);
    server.listen(l);
    client.connect(c, SERVER, 80);
    rig.run();
    expect(client.ready(c)).toBe(send | connect);
  });

  test('SEM-SEL-10 SEM-POLL-04 urgent data is expedited; inline it is data', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    client.send(c, 'X', MSG_OOB);
    rig.run();
    expect(server.ready(s, receive | receiveExpedited)).toBe(receiveExpedited);
    const other = connectPair(createRig());
    const inline = createRig();
    const pair = connectPair(inline);
    pair.server.setOption(pair.s, SOL_SOCKET, SO_OOBINLINE, dword(1));
    pair.client.send(pair.c, 'X', MSG_OOB);
    inline.run();
    expect(pair.server.ready(pair.s, receive | receiveExpedited)).toBe(receive);
    expect(other.server.ready(other.s, receiveExpedited)).toBe(0);
  });

  test('SEM-SEL-13 a poll consumes and re-arms nothing', () => {
    const rig = createRig();
    const { server, client, c, s } = connectPair(rig);
    server.select(s, 1);
    client.send(c, 'x');
    rig.run();
    server.ready(s);
    expect(server.enumEvents(s).value).toBe(1);
    server.ready(s);
    expect(server.enumEvents(s).value).toBe(0);
  });
});

describe('waiting', () => {
  test('it completes with every entry that is true then, of several sockets', () => {
    const rig = createRig();
    const { server, client, s, c } = connectPair(rig);
    const { server: other, s: d, c: e, client: sender } = datagramPair(rig);
    const polling = server.poll(
      [
        [s, receive],
        [s, disconnect],
      ],
      -1,
    );
    const udp = other.poll([[d, receive]], -1);
    client.send(c, 'x');
    client.shutdown(c, SD_SEND);
    sender.sendTo(e, 'x', SERVER, 53);
    rig.run();
    expect(entries(polling).flatMap(([, events]) => events)).toContain(receive);
    expect(entries(udp)).toEqual([[d, receive, 0]]);
  });

  test('only what was asked for ends it', () => {
    const rig = createRig();
    const { server, client, s, c } = connectPair(rig);
    const polling = server.poll([[s, disconnect]], -1);
    client.send(c, 'x');
    rig.run();
    expect(polling.isDone).toBe(false);
    client.shutdown(c, SD_SEND);
    rig.run();
    expect(entries(polling)).toEqual([[s, disconnect, 0]]);
  });

  test('a time-out of 0 answers at once, a longer one with nothing when it is over', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    expect(server.poll([[s, receive]], 0)).toMatchObject({ pended: false, error: 0, value: 0 });
    const polling = server.poll([[s, receive]], 250);
    rig.run(249);
    expect(polling.isDone).toBe(false);
    rig.run(2);
    expect(polling).toMatchObject({ isDone: true, error: 0, value: 0 });
  });

  test('SEM-SEL-08 SEM-POLL-08 a socket closed meanwhile ends it as localClose without a code', () => {
    const rig = createRig();
    const { server, s, listener } = connectPair(rig);
    const polling = server.poll(
      [
        [listener, accept],
        [s, receive],
      ],
      -1,
    );
    server.close(s);
    expect(entries(polling)).toEqual([[s, localClose, 0]]);
  });

  test('SEM-SEL-03 SEM-POLL-03 a descriptor that is not open is localClose with WSAENOTSOCK at once', () => {
    const rig = createRig();
    const { server, s } = connectPair(rig);
    const polling = server.poll(
      [
        [77, receive],
        [s, receive],
      ],
      -1,
    );
    expect(polling.pended).toBe(false);
    expect(entries(polling)).toEqual([[77, localClose, WSAENOTSOCK]]);
  });

  test('no entries, half an entry, or no room for the answer are refused', () => {
    const client = createRig().client.client();
    expect(client.poll([], -1).error).toBe(WSAEINVAL);
    const half = { data: new Uint8Array(12), into: new Uint8Array(24), a: 0 };
    expect(client.call(AfdOp.poll, 0, half).error).toBe(WSAEINVAL);
    const short = { data: new Uint8Array(16), into: new Uint8Array(23), a: 0 };
    expect(client.call(AfdOp.poll, 0, short).error).toBe(WSAEFAULT);
    expect(client.call(AfdOp.poll, 0).error).toBe(WSAEINVAL);
  });

  test('SEM-SEL-04 a thousand sockets are polled at once, and a cancelled poll leaves nothing behind', () => {
    const rig = createRig();
    const client = rig.client.client();
    const sockets = Array.from({ length: 1000 }, () => client.datagram());
    const polling = client.poll(
      sockets.map((socket) => [socket, receive] as const),
      -1,
    );
    expect(polling.pended).toBe(true);
    expect(rig.client.afd.sessions[0]?.pendingRequests).toBe(1);
    client.port.cancel(polling.id);
    expect(polling.error).toBe(995);
    expect(rig.client.afd.sessions[0]).toMatchObject({ pendingRequests: 0, bytes: 0 });
  });
});
