/**
 * The trace layer in a chain: what applications get and what crosses the wire is as without it, and every call is told.
 */

import { afterEach, describe, expect, test } from '@jest/globals';
import { WSAECONNREFUSED, WSAENOTSOCK } from '../../../src/abi/index.ts';
import { type TraceRecord, textLine, trace } from '../../../src/layers/trace/index.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../../support/layered-hosts.ts';
import { ADDRESS_B } from '../attachment.ts';
import { packet, pending, portOf, record, recordWithEvent } from '../overlapped-support.ts';
import { bound, connected, name, nonBlocking, ok, tcp, text, udp } from '../support.ts';

let hosts: LayeredHosts;
afterEach(() => hosts.close());

/** Host a with a trace layer, or several; the records go to `records`. */
function traced(layers = 1): TraceRecord[] {
  const records: TraceRecord[] = [];
  hosts = layeredHosts(
    Array.from({ length: layers }, (_, i) => ({
      startup: trace({ sink: (each) => void records.push(each), name: `trace ${i}` }),
      isIfs: true,
    })),
  );
  return records;
}

describe('what an application gets', () => {
  test.each(ECHO_CLIENTS)(
    'CAT-LOAD-05, CAT-LOAD-10 an echo exchange with %s is the same on the wire, to the byte, with one trace layer, with two, and with none',
    async (_model, client) => {
      const bytes = pattern(20_000);
      const wires: string[][] = [];
      for (const layers of [0, 1, 2]) {
        const records = traced(layers);
        expect(await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
        expect(records.length > 0).toBe(layers > 0);
        expect(hosts.faults).toEqual([]);
        wires.push([...hosts.frames]);
        if (layers < 2) await hosts.close();
      }
      expect(wires[0]?.length).toBeGreaterThan(20);
      expect(wires[1]).toEqual(wires[0]);
      expect(wires[2]).toEqual(wires[0]);
    },
  );
});

describe('what is told', () => {
  test('calls with their arguments by name, in the order of the calls', async () => {
    const records = traced();
    const s = await tcp(hosts.a);
    await nonBlocking(hosts.a, s);
    await ok(hosts.a.setsockopt(s, 0xffff, 8, Uint8Array.of(1, 0, 0, 0), 4));
    await ok(hosts.a.bind(s, name('10.0.0.1', 5000)));
    expect(records.map(({ call }) => call)).toEqual(['WSPSocket', 'WSPIoctl', 'WSPSetSockOpt', 'WSPBind']);
    expect(records[0]?.args).toMatchObject({
      af: 'AF_INET',
      type: 'SOCK_STREAM',
      protocol: 'IPPROTO_TCP',
      dwFlags: 'WSA_FLAG_OVERLAPPED',
    });
    expect(records[0]?.result).toBe(s);
    expect(records[1]?.args).toMatchObject({ s, dwIoControlCode: 'FIONBIO', lpvInBuffer: 1 });
    expect(records[2]?.args).toMatchObject({ level: 'SOL_SOCKET', optname: 'SO_KEEPALIVE', optval: true });
    expect(records[3]?.args).toEqual({ s, name: '10.0.0.1:5000', namelen: 16 });
    expect(records[3]).toMatchObject({ event: 'call', n: 4, layer: 'trace 0', result: 0 });
    expect(textLine(records[3] as TraceRecord)).toMatch(
      /^\d+\.\d{3} trace 0 #4 WSPBind\(s=\d+, name=10\.0\.0\.1:5000, namelen=16\) = 0 {2}\d+ µs$/,
    );
  });

  test('a call that waits begins and ends, with an error name and the time between', async () => {
    const records = traced();
    const s = await tcp(hosts.a);
    expect(await hosts.a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAECONNREFUSED);
    const [begin, end] = records.slice(1);
    expect(begin).toMatchObject({ event: 'begin', call: 'WSPConnect', args: { name: '10.0.0.2:9' } });
    expect(begin?.us).toBeUndefined();
    expect(end).toMatchObject({ event: 'end', n: begin?.n, error: 'WSAECONNREFUSED' });
    expect(end?.us).toBe(Math.round(((end?.t ?? 0) - (begin?.t ?? 0)) * 1000));
    expect(end?.us).toBeGreaterThan(0);
    expect(end?.args).toBeUndefined();
  });

  test('SPI-GEN-01 an error of the layer below is told by its name, and stays the same', async () => {
    const records = traced();
    const s = await tcp(hosts.a);
    await ok(hosts.a.closesocket(s));
    expect(await hosts.a.closesocket(s)).toBe(-WSAENOTSOCK);
    const t = await tcp(hosts.a);
    expect(await hosts.a.listen(t, 5)).toBeLessThan(0);
    expect(records.at(-1)).toMatchObject({ call: 'WSPListen', error: 'WSAEINVAL' });
  });

  test('received bytes are shown after the call, sent ones before', async () => {
    const records = traced();
    const { client, server } = await connected(hosts);
    records.length = 0;
    await ok(hosts.a.send(client, text('GET / HTTP/1.1\r\n')));
    expect(records[0]?.args?.['lpBuffers']).toEqual([{ len: 16, text: 'GET / HTTP/1.1\r\n' }]);
    await ok(hosts.b.send(server, Uint8Array.of(0xff, 0, 1)));
    await ok(hosts.a.recv(client, new Uint8Array(100)));
    const last = records.at(-1);
    expect(last).toMatchObject({ result: 3, out: { lpBuffers: [{ len: 3, hex: 'ff0001' }], lpFlags: '0' } });
  });

  test('CAT-LOAD-09, SPI-GEN-07, SPI-GEN-08 operations under way are told when they end, by event, routine and port', async () => {
    const records = traced();
    const { client, server } = await connected(hosts);
    records.length = 0;
    const withEvent = await recordWithEvent(hosts.a);
    const room = new Uint8Array(9);
    const receive = (lpOverlapped: ReturnType<typeof record>, routine: (() => void) | null) =>
      hosts.a.WSARecv(client, [room], 1, null, { value: 0 }, lpOverlapped, routine);
    await pending(receive(withEvent, null));
    await ok(hosts.b.send(server, text('event')));
    await ok(hosts.a.WSAWaitForMultipleEvents(1, [withEvent.hEvent], true, 5000));
    await ok(hosts.a.WSAResetEvent(withEvent.hEvent));

    let ran = '';
    await pending(
      receive(record(), () => {
        ran = new TextDecoder().decode(room.subarray(0, 7));
      }),
    );
    await ok(hosts.b.send(server, text('routine')));
    await hosts.a.SleepEx(5000, true);
    expect(ran).toBe('routine');

    const port = await portOf(hosts.a, client);
    const own = record();
    await pending(receive(own, null));
    await ok(hosts.b.send(server, text('port')));
    expect(await packet(hosts.a, port)).toMatchObject({ answer: 1, bytes: 4, lpOverlapped: own });
    expect(own.hEvent).toBe(0);
    expect((await packet(hosts.a, port, 0)).lpOverlapped).toBeNull();

    const begun = records.filter(({ error }) => error === 'WSA_IO_PENDING');
    const done = records.filter(({ event }) => event === 'done');
    expect(done.map(({ n }) => n)).toEqual(begun.map(({ n }) => n));
    expect(done.map(({ out }) => out?.['lpBuffers'])).toEqual([
      [{ len: 5, text: 'event' }],
      [{ len: 7, text: 'routine' }],
      [{ len: 4, text: 'port' }],
    ]);
  });

  test('an operation that is cancelled by its record ends as ever, and is told', async () => {
    const records = traced();
    const { client } = await connected(hosts);
    const own = record();
    await pending(hosts.a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, own, null));
    expect(await hosts.a.CancelIoEx(client, own)).toBe(1);
    await hosts.a.SleepEx(1, true);
    expect(records.at(-1)).toMatchObject({ event: 'done', call: 'WSPRecv', error: 'WSA_OPERATION_ABORTED' });
    expect(own.hEvent).toBe(0);
  });

  test('CAT-LOAD-08 extension functions are seen though they are reached by pointers', async () => {
    const records = traced();
    const { s, port } = await bound(hosts.b, tcp);
    await ok(hosts.b.listen(s, 5));
    const { s: client } = await bound(hosts.a, tcp);
    const own = await recordWithEvent(hosts.a);
    await pending(hosts.a.ConnectEx(client, name(ADDRESS_B, port), 16, text('hi'), 2, null, own));
    await ok(hosts.a.WSAWaitForMultipleEvents(1, [own.hEvent], true, 5000));
    const [asked, called, done] = records.slice(-3);
    expect(asked?.args).toMatchObject({
      dwIoControlCode: 'SIO_GET_EXTENSION_FUNCTION_POINTER',
      lpvInBuffer: 'WSAID_CONNECTEX',
    });
    expect(called).toMatchObject({
      call: 'ConnectEx',
      error: 'WSA_IO_PENDING',
      args: { name: `${ADDRESS_B}:${port}`, lpSendBuffer: { len: 2, text: 'hi' } },
    });
    expect(done).toMatchObject({ call: 'ConnectEx', event: 'done', result: 2, n: called?.n });
  });

  test('datagrams with the addresses that they go to and come from', async () => {
    const records = traced();
    const { s: peer, port } = await bound(hosts.b, udp, ADDRESS_B);
    const { s, port: own } = await bound(hosts.a, udp, '10.0.0.1');
    await ok(hosts.a.sendto(s, text('ping'), 4, 0, name(ADDRESS_B, port)));
    expect(records.at(-1)?.args).toMatchObject({ lpTo: `${ADDRESS_B}:${port}`, iTolen: 16 });
    await ok(hosts.b.sendto(peer, text('pong'), 4, 0, name('10.0.0.1', own)));
    await ok(hosts.a.recvfrom(s, new Uint8Array(9), 9, 0, new Uint8Array(16), { value: 16 }));
    expect(records.at(-1)?.out).toMatchObject({
      lpFrom: `${ADDRESS_B}:${port}`,
      lpBuffers: [{ len: 4, text: 'pong' }],
    });
  });
});
