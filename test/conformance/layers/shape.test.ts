/**
 * The shape layer in a chain: paths that are slow, narrow and faulty, the same every time from one seed.
 */

import { afterEach, describe, expect, test } from '@jest/globals';
import { WSAECONNREFUSED, WSAECONNRESET, WSAENOTCONN, WSAEWOULDBLOCK } from '../../../src/abi/index.ts';
import { parseShapes, ShapesError, shape } from '../../../src/layers/shape/index.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../../support/layered-hosts.ts';
import { ADDRESS_A, ADDRESS_B } from '../attachment.ts';
import {
  bound,
  connected,
  listening,
  name,
  nonBlocking,
  ok,
  passTime,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from '../support.ts';

let hosts: LayeredHosts | null = null;
afterEach(async () => {
  await hosts?.close();
  hosts = null;
});

/** Host a on a path of that shape. */
function shaped(path: object, seed = 1): LayeredHosts {
  const startup = shape({
    shapes: parseShapes(JSON.stringify({ seed, shapes: [path] })),
    application: { programs: ['/opt/app'], users: [] },
  });
  hosts = layeredHosts([{ startup, isIfs: false }]);
  return hosts;
}

describe('streams', () => {
  test.each(ECHO_CLIENTS)(
    'an echo exchange with %s arrives whole on a slow, narrow, uneven path',
    async (_model, client) => {
      const { a, b, faults, time } = shaped({
        latencyMs: 50,
        jitterMs: 20,
        bytesPerSecond: 20_000,
        shortWrites: 0.5,
      });
      const bytes = pattern(20_000);
      const began = time.now();
      expect(await echoOver(a, b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
      // A second for 20,000 bytes each way, which overlap, and twice the latency.
      expect(time.now() - began).toBeGreaterThan(1100);
      expect(faults).toEqual([]);
    },
  );

  test('latency: bytes come out that much later, each way, and not a moment sooner', async () => {
    const { a, b, time } = shaped({ latencyMs: 200 });
    const { client, server } = await connected({ a, b });
    const sent = time.now();
    await ok(a.send(client, text('ping')));
    expect(time.now() - sent).toBeLessThan(1);
    expect(await receiveText(b, server)).toBe('ping');
    const arrived = time.now();
    expect(arrived - sent).toBeGreaterThanOrEqual(200);
    expect(arrived - sent).toBeLessThan(250);
    await ok(b.send(server, text('pong')));
    await nonBlocking(a, client);
    expect(await a.recv(client, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
    await ready(a, client);
    expect(time.now() - arrived).toBeGreaterThanOrEqual(200);
    expect(await receiveText(a, client)).toBe('pong');
  });

  test('what is on its way is what was sent, whatever becomes of the memory', async () => {
    const { a, b } = shaped({ latencyMs: 200 });
    const { client, server } = await connected({ a, b });
    const lent = Buffer.from('ping');
    await ok(a.send(client, lent));
    lent.fill(0);
    expect(await receiveText(b, server)).toBe('ping');
  });

  test('rate: a socket that has filled the narrow path is not writable until that takes more', async () => {
    const { a, b, time } = shaped({ bytesPerSecond: 10_000 });
    const { client } = await connected({ a, b });
    await nonBlocking(a, client);
    let sent = 0;
    for (;;) {
      const count = await a.send(client, pattern(16_384));
      if (count < 0) {
        expect(count).toBe(-WSAEWOULDBLOCK);
        break;
      }
      sent += count;
      expect(sent).toBeLessThan(1_000_000);
    }
    const full = time.now();
    await ready(a, client, 'write');
    expect(time.now() - full).toBeGreaterThan(500);
  });

  test('a refused connect is WSAECONNREFUSED, and nothing is sent', async () => {
    const { a, b, frames } = shaped({ refuse: 1 });
    const { port } = await listening(b);
    expect(await a.connect(await tcp(a), name(ADDRESS_B, port))).toBe(-WSAECONNREFUSED);
    expect(frames).toEqual([]);
  });

  test('a connection breaks after so many bytes: every call says so, and the peer is reset when the socket is closed', async () => {
    const { a, b } = shaped({ resetAfterBytes: 10 });
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('0123456789')));
    expect(await receiveText(b, server)).toBe('0123456789');
    await ok(b.send(server, text('x')));
    expect(await a.recv(client, new Uint8Array(9))).toBe(-WSAECONNRESET);
    expect(await a.send(client, text('y'))).toBe(-WSAECONNRESET);
    await ok(a.closesocket(client));
    expect([-WSAECONNRESET, -WSAENOTCONN]).toContain(await b.recv(server, new Uint8Array(9)));
  });

  test('short writes: a non-blocking send takes a part, a blocking one all', async () => {
    const { a, b } = shaped({ shortWrites: 1 });
    const { client } = await connected({ a, b });
    expect(await a.send(client, pattern(1000))).toBe(1000);
    await nonBlocking(a, client);
    const count = await a.send(client, pattern(1000));
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(1000);
    expect(await a.send(client, pattern(1))).toBe(1);
  });

  test('other destinations and programs are left alone', async () => {
    const { a, b, time } = shaped({ remote: '192.0.2.0/24', refuse: 1, latencyMs: 500 });
    const { client, server } = await connected({ a, b });
    const sent = time.now();
    await ok(a.send(client, text('now')));
    await receiveText(b, server);
    expect(time.now() - sent).toBeLessThan(50);
    await hosts?.close();
    const other = shaped({ program: '/opt/other', refuse: 1 });
    await connected(other);
  });
});

describe('datagrams', () => {
  test('are late by the latency, and go out as they were when the call returned', async () => {
    const { a, b, time } = shaped({ latencyMs: 300 });
    const { s: peer, port } = await bound(b, udp);
    const s = await udp(a);
    const bytes = text('early');
    const sent = time.now();
    expect(await a.sendto(s, bytes, 5, 0, name(ADDRESS_B, port))).toBe(5);
    bytes.fill(0);
    expect(await receiveText(b, peer)).toBe('early');
    expect(time.now() - sent).toBeGreaterThanOrEqual(300);
  });

  test('are lost as often as asked, the same ones from the same seed', async () => {
    const arrivals = async (seed: number): Promise<string> => {
      const { a, b } = shaped({ drop: 0.5 }, seed);
      const { s: peer, port } = await bound(b, udp);
      await nonBlocking(b, peer);
      const s = await udp(a);
      await ok(a.connect(s, name(ADDRESS_B, port)));
      for (let i = 0; i < 40; i++) expect(await a.send(s, text(`${i} `))).toBeGreaterThan(0);
      await passTime(b, 100);
      let all = '';
      for (;;) {
        const room = new Uint8Array(9);
        const count = await b.recv(peer, room);
        if (count < 0) break;
        all += new TextDecoder().decode(room.subarray(0, count));
      }
      await hosts?.close();
      hosts = null;
      return all;
    };
    const [one, again, other] = [await arrivals(1), await arrivals(1), await arrivals(2)];
    expect(one).toBe(again);
    expect(one).not.toBe(other);
    const count = one.trim().split(' ').length;
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(32);
  });

  test('that come in are lost before the application sees them: a blocking receive goes on, a non-blocking one would wait', async () => {
    const { a, b } = shaped({ drop: 1 });
    const { s, port } = await bound(a, udp, ADDRESS_A);
    const peer = await udp(b);
    await ok(b.sendto(peer, text('x'), 1, 0, name(ADDRESS_A, port)));
    await nonBlocking(a, s);
    await passTime(a, 50);
    expect(await a.recvfrom(s, new Uint8Array(9), 9, 0, new Uint8Array(16), { value: 16 })).toBe(
      -WSAEWOULDBLOCK,
    );
  });

  test('a socket that is closed sends nothing that was under way, nor does the next one with its handle', async () => {
    const { a, b } = shaped({ latencyMs: 100 });
    const { s: peer, port } = await bound(b, udp);
    await nonBlocking(b, peer);
    const s = await udp(a);
    await ok(a.sendto(s, text('gone'), 4, 0, name(ADDRESS_B, port)));
    await ok(a.closesocket(s));
    await udp(a);
    await passTime(a, 500);
    expect(await b.recv(peer, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
  });
});

test.each([
  ['{', /no JSON/],
  ['{"shapes":[{"latency":5}]}', /shapes\[0\]: there is no latency; there are .*latencyMs/],
  ['{"shapes":[{"drop":1.5}]}', /shapes\[0\]\.drop: it has to be a number from 0 to 1/],
  ['{"shapes":[{"latencyMs":-1}]}', /latencyMs/],
  ['{"shapes":[{"remote":"x"}]}', /remote: it has to be an address or prefix, not "x"/],
  ['{"shapes":[{"remotePort":[80,"9-1"]}]}', /remotePort: .*"9-1"/],
  ['{"seed":"x","shapes":{}}', /seed[\s\S]*shapes/],
])('shapes that cannot be read are refused with the place: %s', (json, message) => {
  expect(() => parseShapes(json)).toThrow(ShapesError);
  expect(() => parseShapes(json)).toThrow(message);
});
