/**
 * `winsockd/spi/streams`: the example layer in every way of moving bytes, and what becomes of a connection whose codec breaks its contract.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WSPStartup as rot13 } from '../../examples/rot13-layer.ts';
import {
  FIONREAD,
  MSG_PEEK,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEINVAL,
  WSAENETDOWN,
  WSAETIMEDOUT,
} from '../../src/abi/index.ts';
import {
  type Codec,
  type Pipe,
  PipeCodec,
  type StreamFault,
  type StreamPlan,
  type StreamRules,
  type StreamTables,
  streamLayer,
} from '../../src/layers/stream/index.ts';
import { defineLayer, type WSPStartup } from '../../src/spi/index.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../support/layered-hosts.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ended, packet, pending, portOf, record, recordWithEvent } from './overlapped-support.ts';
import { bound, listening, name, ok, receiveText, tcp, text } from './support.ts';

let hosts: LayeredHosts;
afterEach(() => hosts.close());

const over = (startup: WSPStartup): void => {
  hosts = layeredHosts([{ startup, isIfs: false }]);
};

const throwing = (): never => {
  throw new Error('on purpose');
};

/** A layer of one plan for all that connects. */
function layerOf(rules: StreamRules): WSPStartup {
  const tables: StreamTables = new WeakMap();
  return defineLayer((next, layer) => streamLayer(next, layer, tables, rules).table, {
    name: 'test',
    handles: 'own',
  });
}

/** A client on host a through the layer, and its plain peer on host b. */
async function connectedOver(startup: WSPStartup): Promise<{ s: number; peer: number; answer: number }> {
  over(startup);
  const { s: listener, port } = await listening(hosts.b);
  const s = await tcp(hosts.a);
  const accepted = Promise.resolve(hosts.b.accept(listener));
  return { s, answer: await hosts.a.connect(s, name(ADDRESS_B, port)), peer: await accepted };
}

describe('examples/rot13-layer.ts', () => {
  test('what the application sends is turned on the wire, and what it receives is turned back', async () => {
    const { s, peer, answer } = await connectedOver(rot13);
    expect(answer).toBe(0);
    await ok(hosts.a.send(s, text('Hello, 13!')));
    expect(await receiveText(hosts.b, peer)).toBe('Uryyb, 13!');
    await ok(hosts.b.send(peer, text('Jbeyq')));
    expect(await hosts.a.recv(s, new Uint8Array(9), 9, MSG_PEEK)).toBe(5);
    const waiting = { value: 0 };
    await ok(hosts.a.ioctlsocket(s, FIONREAD, waiting));
    expect(waiting.value).toBe(5);
    expect(await receiveText(hosts.a, s)).toBe('World');
    expect(hosts.faults).toEqual([]);
  });

  test.each(ECHO_CLIENTS)('an echo exchange with %s loses nothing', async (_model, client) => {
    over(rot13);
    const bytes = pattern(70_000);
    expect(await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
  });

  test('AcceptEx and TransmitFile go through the codec, and complete at the port of the application', async () => {
    over(rot13);
    const { s: listener, port } = await listening(hosts.a);
    const queue = await portOf(hosts.a, listener);
    const target = await tcp(hosts.a);
    const buffer = new Uint8Array(20 + 64);
    const accepting = record();
    await pending(hosts.a.AcceptEx(listener, target, buffer, 20, 32, 32, null, accepting));
    const client = await tcp(hosts.b);
    await ok(hosts.b.connect(client, name(ADDRESS_A, port)));
    await ok(hosts.b.send(client, text('Uryyb')));
    expect(await packet(hosts.a, queue)).toMatchObject({ answer: 1, bytes: 5, lpOverlapped: accepting });
    expect(Buffer.from(buffer.subarray(0, 5)).toString()).toBe('Hello');
    const around = { Head: text('abc'), Tail: text('XYZ') };
    expect(await hosts.a.TransmitFile(target, null, 0, 0, null, around)).toBe(1);
    expect(await receiveText(hosts.b, client)).toMatch(/^nop/);
  });
});

describe('a codec that breaks its contract', () => {
  const told: StreamFault[] = [];
  const hear = (fault: unknown): void => void told.push(fault as StreamFault);
  const broken = async (plan: StreamPlan): ReturnType<typeof connectedOver> => {
    told.length = 0;
    subscribe('winsockd:streams', hear);
    return connectedOver(layerOf({ connect: () => plan }));
  };
  afterEach(() => void unsubscribe('winsockd:streams', hear));

  const fails: readonly (readonly [string, StreamPlan['open']])[] = [
    ['throws', throwing],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
    ['answers nothing', async () => undefined as never],
    ['answers a code that is none', async () => 5],
    ['answers half a codec', async () => ({ read: () => 0 }) as never],
  ];
  test.each(fails)('open that %s: WSAECONNABORTED, told', async (_what, open) => {
    const { answer, s } = await broken({ limit: 1000, open });
    expect(answer).toBe(-WSAECONNABORTED);
    expect(told.map(({ call }) => call)).toEqual(['open']);
    expect(await hosts.a.closesocket(s)).toBe(0);
  });

  test('open that does not answer: WSAETIMEDOUT at the limit; what it opens later is destroyed, and its pipe leads nowhere', async () => {
    let destroyed = 0;
    let late: ((codec: Codec) => void) | null = null;
    let kept: Pipe | null = null;
    const open = (pipe: Pipe): Promise<Codec> => {
      kept = pipe;
      return new Promise((resolve) => {
        late = resolve;
      });
    };
    const { answer } = await broken({ limit: 50, open });
    expect(answer).toBe(-WSAETIMEDOUT);
    const pipe = kept as unknown as Pipe;
    const codec = new PipeCodec(pipe);
    codec.destroy = () => void destroyed++;
    (late as unknown as (codec: Codec) => void)(codec);
    expect(await pipe.write(text('x'))).toBeLessThan(0);
    expect(await pipe.read(new Uint8Array(4))).toBeLessThan(0);
    expect(destroyed).toBe(1);
  });

  const reads: readonly (readonly [string, Codec['read']])[] = [
    ['throws', throwing],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
    ['answers more than there is room for', async () => 0x7fff_ffff],
    ['answers no number', async () => Number.NaN],
  ];
  test.each(reads)(
    'read that %s: the connection fails, the process and other sockets live',
    async (_what, read) => {
      const { s, answer } = await broken({
        limit: 1000,
        open: async (pipe) => Object.assign(new PipeCodec(pipe), { read }),
      });
      expect(answer).toBe(0);
      expect(await hosts.a.recv(s, new Uint8Array(9))).toBe(-WSAECONNABORTED);
      expect(await hosts.a.send(s, text('x'))).toBe(-WSAECONNABORTED);
      expect(told.map(({ call }) => call)).toEqual(['read']);
      await ok(hosts.a.closesocket(s));
      await ok(tcp(hosts.a));
      expect(hosts.faults).toEqual([]);
    },
  );

  test('write, end and destroy that throw: the send after it fails, and closing goes on', async () => {
    const { s } = await broken({
      limit: 1000,
      open: async (pipe) =>
        Object.assign(new PipeCodec(pipe), { write: throwing, end: throwing, destroy: throwing }),
    });
    const overlapped = await recordWithEvent(hosts.a);
    await ok(hosts.a.send(s, text('x')));
    await pending(hosts.a.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    expect(await hosts.a.send(s, text('y'))).toBe(-WSAECONNABORTED);
    await ok(hosts.a.closesocket(s));
    await ended(hosts.a, s, overlapped).catch(() => {});
    expect(told.map(({ call }) => call)).toEqual(['write', 'destroy']);
  });

  test('rules: a number refuses a connection; one that throws is a fault of the layer', async () => {
    const refused = await (async () => {
      over(layerOf({ connect: () => -WSAECONNREFUSED }));
      const { port } = await listening(hosts.b);
      return hosts.a.connect(await tcp(hosts.a), name(ADDRESS_B, port));
    })();
    expect(refused).toBe(-WSAECONNREFUSED);
    await hosts.close();
    over(
      layerOf({
        connect: () => {
          throw new Error('on purpose');
        },
        accept: () => -WSAEINVAL,
        keepsAccepted: () => true,
      }),
    );
    const s = await tcp(hosts.a);
    expect(await hosts.a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAENETDOWN);
    expect(hosts.faults).toMatchObject([{ call: 'WSPConnect', kind: 'threw' }]);
    // Those who come are turned away, by accept and by AcceptEx.
    const { s: listener } = await bound(hosts.a, tcp, ADDRESS_A, 81);
    await ok(hosts.a.listen(listener, 5));
    const accepting = await recordWithEvent(hosts.a);
    const target = await tcp(hosts.a);
    await pending(hosts.a.AcceptEx(listener, target, new Uint8Array(64), 0, 32, 32, null, accepting));
    await ok(hosts.b.connect(await tcp(hosts.b), name(ADDRESS_A, 81)));
    expect(await ended(hosts.a, listener, accepting)).toEqual([WSAEINVAL, 0]);
    await ok(hosts.b.connect(await tcp(hosts.b), name(ADDRESS_A, 81)));
    expect(await hosts.a.accept(listener)).toBe(-WSAEINVAL);
  });
});
