/**
 * `ChainPort` against the contract of `AfdPort`, where the Winsock conformance suite does not come: sockets with layers beside sockets
 * without, flags that only other clients set, hostile descriptors, the end of a session.
 */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  FD_READ,
  FIONBIO,
  SIO_BASE_HANDLE,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
  WSA_OPERATION_ABORTED,
  WSAEACCES,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../../../src/abi/index.ts';
import { ChainPort } from '../../../src/app/hosted/chain-port.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { IpAddress, i32le, putI32le } from '../../../src/base/index.ts';
import {
  AFD_NO_WAIT,
  AFD_OVERLAPPED,
  type AfdCompletion,
  AfdOp,
  AfdPollEvent,
  type AfdPort,
  type AfdRequest,
} from '../../../src/port/index.ts';
import { layeredOptions, passThrough } from '../../support/chains.ts';

/** Where descriptors of sockets with layers begin. */
const FIRST_LAYERED = 0x4000_0000;
const APPLICATION = { pid: 4321, uid: 1000, gid: 1000 };

/** Promises over a port, which copy what a completion refers to. */
class Client {
  readonly port: AfdPort;
  readonly pended: number[] = [];
  readonly completed: number[] = [];
  readonly #waiting = new Map<number, (completion: AfdCompletion) => void>();
  #lastId = 0;

  constructor(port: AfdPort) {
    this.port = port;
    port.onPend = (id) => this.pended.push(id);
    port.onComplete = (completion) => {
      this.completed.push(completion.id);
      const { address, data } = completion;
      const kept = { ...completion, address: address?.slice() ?? null, data: data?.slice() ?? null };
      this.#waiting.get(completion.id)?.(kept);
      this.#waiting.delete(completion.id);
    };
  }

  get lastId(): number {
    return this.#lastId;
  }

  call(op: AfdOp, descriptor: number, fields: Partial<AfdRequest> = {}): Promise<AfdCompletion> {
    const id = ++this.#lastId;
    const request = {
      id,
      op,
      descriptor,
      flags: 0,
      a: 0,
      b: 0,
      address: null,
      data: null,
      into: null,
      ...fields,
    };
    return new Promise((resolve) => {
      const done = this.port.submit(request);
      if (done === null) this.#waiting.set(id, resolve);
      else resolve({ ...done, address: done.address?.slice() ?? null, data: done.data?.slice() ?? null });
    });
  }

  /** The value, or minus the code. */
  async value(op: AfdOp, descriptor: number, fields: Partial<AfdRequest> = {}): Promise<number> {
    const { error, value } = await this.call(op, descriptor, fields);
    return error === 0 ? value : -error;
  }

  socket(type: number): Promise<number> {
    return this.value(AfdOp.socket, 0, { a: AF_INET, b: type, flags: type === SOCK_STREAM ? 6 : 17 });
  }

  /** A socket with a port of 127.0.0.1, and its name. */
  async bound(type: number): Promise<{ s: number; name: Uint8Array }> {
    const s = await this.socket(type);
    expect(await this.value(AfdOp.bind, s, { address: sockaddrOf(LOOPBACK, 0) })).toBe(0);
    const { address } = await this.call(AfdOp.getSockName, s);
    return { s, name: address ?? new Uint8Array(0) };
  }

  async listening(): Promise<{ s: number; name: Uint8Array }> {
    const listener = await this.bound(SOCK_STREAM);
    expect(await this.value(AfdOp.listen, listener.s, { a: 5 })).toBe(0);
    return listener;
  }

  /** A poll of {descriptor, events}. @returns {descriptor, events, error} of those that are true */
  async poll(asked: readonly (readonly [number, number])[], timeout: number): Promise<number[][]> {
    const data = new Uint8Array(asked.length * 8);
    asked.forEach(([descriptor, events], i) => {
      putI32le(data, 8 * i, descriptor);
      putI32le(data, 8 * i + 4, events);
    });
    const into = new Uint8Array(asked.length * 12);
    const count = await this.value(AfdOp.poll, 0, { data, into, a: timeout });
    return Array.from({ length: count }, (_, i) => [0, 4, 8].map((at) => i32le(into, 12 * i + at)));
  }
}

const LOOPBACK = IpAddress.parse('127.0.0.1') as IpAddress;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const dword = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);

describe('sockets of a provider host', () => {
  let host: LocalHost;
  let client: Client;
  const ports: AfdPort[] = [];

  /** A host whose TCP has a layer, and whose UDP has none. */
  function open(pid = APPLICATION.pid): Client {
    const { catalog, loadProvider } = layeredOptions([passThrough()]);
    const port = new ChainPort({
      port: host.openSession({ ...APPLICATION, pid }),
      pid,
      catalog,
      loadProvider,
      isDirect: ({ iSocketType }) => iSocketType !== SOCK_STREAM,
    });
    ports.push(port);
    return new Client(port);
  }

  beforeEach(() => {
    host = createLocalHost();
    client = open();
  });

  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
    host.close();
  });

  test('those with layers are told apart by their descriptors', async () => {
    expect(await client.socket(SOCK_STREAM)).toBeGreaterThanOrEqual(FIRST_LAYERED);
    expect(await client.socket(SOCK_DGRAM)).toBeLessThan(FIRST_LAYERED);
  });

  test('a descriptor beneath a chain, and any other number, is no socket', async () => {
    await client.socket(SOCK_STREAM); // the daemon's descriptor 1
    for (const descriptor of [0, -1, 1, 2, FIRST_LAYERED + 1, 0x7fff_ffff, -0x8000_0000]) {
      for (const op of [AfdOp.close, AfdOp.recv, AfdOp.getSockName, AfdOp.superAccept, AfdOp.waitEvents]) {
        expect(await client.value(op, descriptor, { into: new Uint8Array(40) })).toBe(-WSAENOTSOCK);
      }
    }
  });

  test('what no entry of the catalog serves has the daemon’s error', async () => {
    expect(await client.value(AfdOp.socket, 0, { a: 99, b: 1, flags: 6 })).toBe(-WSAEAFNOSUPPORT);
  });

  test('an unknown operation is WSAEOPNOTSUPP', async () => {
    const s = await client.socket(SOCK_STREAM);
    expect(await client.value(99 as AfdOp, s)).toBe(-WSAEOPNOTSUPP);
  });

  test('handles and functions of the host are nobody else’s', async () => {
    const s = await client.socket(SOCK_STREAM);
    for (const code of [SIO_BASE_HANDLE, SIO_GET_EXTENSION_FUNCTION_POINTER]) {
      const asked = { a: code | 0, data: new Uint8Array(16), into: new Uint8Array(8) };
      expect(await client.value(AfdOp.ioctl, s, asked)).toBe(-WSAEOPNOTSUPP);
    }
  });

  test('one poll asks about both kinds', async () => {
    const { s: listener, name } = await client.listening();
    const { s: udp, name: place } = await client.bound(SOCK_DGRAM);
    const asked = [
      [udp, AfdPollEvent.receive],
      [listener, AfdPollEvent.accept],
    ] as const;
    expect(await client.poll(asked, 0)).toEqual([]);
    const polling = client.poll(asked, 10_000);
    expect(
      await client.value(AfdOp.send, await client.socket(SOCK_DGRAM), { data: bytes('x'), address: place }),
    ).toBe(1);
    expect(await polling).toEqual([[udp, AfdPollEvent.receive, 0]]);
    expect(await client.value(AfdOp.recv, udp, { into: new Uint8Array(1) })).toBe(1);
    const again = client.poll(asked, 10_000);
    expect(await client.value(AfdOp.connect, await client.socket(SOCK_STREAM), { address: name })).toBe(0);
    expect(await again).toEqual([[listener, AfdPollEvent.accept, 0]]);
  });

  test('a poll tells the end of a stream from data, and a socket that is closed here or was never', async () => {
    const { s: listener, name } = await client.listening();
    const c = await client.socket(SOCK_STREAM);
    expect(await client.value(AfdOp.connect, c, { address: name })).toBe(0);
    const s = await client.value(AfdOp.accept, listener);
    const { receive, disconnect, localClose, send } = AfdPollEvent;
    const ended = client.poll([[c, disconnect]], 10_000);
    expect(await client.value(AfdOp.send, s, { data: bytes('x') })).toBe(1);
    expect(await client.value(AfdOp.shutdown, s, { a: 1 })).toBe(0);
    expect(await ended).toEqual([[c, disconnect, 0]]);
    expect(await client.poll([[c, receive | disconnect | send]], 0)).toEqual([
      [c, receive | disconnect | send, 0],
    ]);
    const waiting = client.poll([[listener, AfdPollEvent.accept]], -1);
    expect(await client.value(AfdOp.close, listener)).toBe(0);
    expect(await waiting).toEqual([[listener, localClose, 0]]);
    expect(await client.poll([[listener, receive]], 0)).toEqual([[listener, localClose, WSAENOTSOCK]]);
  });

  test('a poll’s hostile buffers are codes', async () => {
    await client.socket(SOCK_STREAM);
    const into = new Uint8Array(12);
    expect(await client.value(AfdOp.poll, 0, { into })).toBe(-WSAEINVAL);
    expect(await client.value(AfdOp.poll, 0, { data: new Uint8Array(9), into })).toBe(-WSAEINVAL);
    expect(await client.value(AfdOp.poll, 0, { data: new Uint8Array(16), into })).toBe(-WSAEFAULT);
    expect(await client.value(AfdOp.poll, 0, { data: new Uint8Array(8) })).toBe(-WSAEFAULT);
  });

  test('a poll can be cancelled', async () => {
    const { s } = await client.listening();
    const data = new Uint8Array(8);
    putI32le(data, 0, s);
    putI32le(data, 4, AfdPollEvent.accept);
    const polling = client.value(AfdOp.poll, 0, { data, into: new Uint8Array(12), a: -1 });
    await Promise.resolve();
    client.port.cancel(client.lastId);
    expect(await polling).toBe(-WSA_OPERATION_ABORTED);
  });

  test.each([
    ['with a layer', SOCK_STREAM],
    ['without', SOCK_DGRAM],
  ])('a blocking call that is cancelled is aborted, and takes nothing, %s', async (_how, type) => {
    const { s, name } = type === SOCK_STREAM ? await client.listening() : await client.bound(type);
    const op = type === SOCK_STREAM ? AfdOp.accept : AfdOp.recv;
    const waiting = client.value(op, s, { into: new Uint8Array(8) });
    client.port.cancel(client.lastId);
    expect(await waiting).toBe(-WSA_OPERATION_ABORTED);
    const other = await client.socket(type);
    const fields = { address: name, data: type === SOCK_STREAM ? null : bytes('x') };
    expect(
      await client.value(type === SOCK_STREAM ? AfdOp.connect : AfdOp.send, other, fields),
    ).toBeGreaterThanOrEqual(0);
    expect(await client.value(op, s, { into: new Uint8Array(8) })).toBeGreaterThan(0);
  });

  test('a request with leave not to wait is answered at once, and changes nothing', async () => {
    const { s, name } = await client.listening();
    expect(await client.value(AfdOp.accept, s, { flags: AFD_NO_WAIT })).toBe(-WSAEWOULDBLOCK);
    const waiting = client.value(AfdOp.accept, s);
    expect(await client.value(AfdOp.connect, await client.socket(SOCK_STREAM), { address: name })).toBe(0);
    const accepted = await waiting;
    expect(accepted).toBeGreaterThanOrEqual(FIRST_LAYERED);
    const fields = { flags: AFD_NO_WAIT, into: new Uint8Array(8) };
    expect(await client.value(AfdOp.recv, accepted, fields)).toBe(-WSAEWOULDBLOCK);
  });

  test('an overlapped request pends on a non-blocking socket, and says so once it does', async () => {
    const { s, name } = await client.listening();
    expect(await client.value(AfdOp.ioctl, s, { a: FIONBIO | 0, data: dword(1) })).toBe(0);
    expect(await client.value(AfdOp.accept, s)).toBe(-WSAEWOULDBLOCK);
    const accepting = client.value(AfdOp.accept, s, { flags: AFD_OVERLAPPED });
    const c = await client.socket(SOCK_STREAM);
    expect(await client.value(AfdOp.connect, c, { address: name })).toBe(0);
    const accepted = await accepting;
    expect(accepted).toBeGreaterThanOrEqual(FIRST_LAYERED);
    expect(await client.value(AfdOp.accept, s)).toBe(-WSAEWOULDBLOCK);
    const into = new Uint8Array(8);
    const receiving = client.call(AfdOp.recv, accepted, { flags: AFD_OVERLAPPED, into });
    const id = client.lastId;
    await new Promise((done) => setImmediate(done));
    expect(client.pended).toContain(id);
    expect(await client.value(AfdOp.send, c, { data: bytes('late') })).toBe(4);
    expect([(await receiving).value, into.subarray(0, 4)]).toEqual([4, bytes('late')]);
  });

  test('SEM-COND-02 decisions: a caller is the listener’s alone, and can be decided about once', async () => {
    const { s, name } = await client.listening();
    const { s: other } = await client.listening();
    const asking = client.call(AfdOp.acceptRequest, s);
    const c = await client.socket(SOCK_STREAM);
    expect(await client.value(AfdOp.connect, c, { address: name })).toBe(0);
    const { value: number, data } = await asking;
    expect([number, data]).toEqual([1, name]);
    expect(await client.value(AfdOp.accept, other, { a: number })).toBe(-WSAEACCES);
    expect(await client.value(AfdOp.refuse, s, { a: 77 })).toBe(-WSAEINVAL);
    expect(await client.value(AfdOp.refuse, s, { a: number, b: 1 })).toBe(0);
    const again = await client.value(AfdOp.acceptRequest, s);
    expect(await client.value(AfdOp.accept, s, { a: again })).toBeGreaterThanOrEqual(FIRST_LAYERED);
    expect(await client.value(AfdOp.refuse, s, { a: again })).toBe(-WSAEINVAL);
  });

  test('a duplicate has the layers of the process that opens it', async () => {
    const { s, name } = await client.listening();
    const other = open(4322);
    const { data: token } = await client.call(AfdOp.duplicate, s, { a: process.pid });
    expect(token?.length).toBe(16);
    expect(await other.value(AfdOp.open, 0, { data: token })).toBe(-WSAEINVAL);
    const third = open(process.pid);
    const opened = await third.call(AfdOp.open, 0, { data: token });
    expect([opened.error, opened.flags]).toEqual([0, 1]);
    expect(opened.value).toBeGreaterThanOrEqual(FIRST_LAYERED);
    expect((await third.call(AfdOp.getSockName, opened.value)).address).toEqual(name);
    const { s: udp } = await client.bound(SOCK_DGRAM);
    const passed = await client.call(AfdOp.duplicate, udp, { a: process.pid });
    expect(await third.value(AfdOp.open, 0, { data: passed.data })).toBeLessThan(FIRST_LAYERED);
    expect(await third.value(AfdOp.open, 0, { data: passed.data })).toBe(-WSAEINVAL);
    expect(await third.value(AfdOp.open, 0)).toBe(-WSAEFAULT);
  });

  test('hostile lengths of control data are codes', async () => {
    const { s } = await client.bound(SOCK_DGRAM);
    const stream = await client.socket(SOCK_STREAM);
    for (const a of [-1, 1, 3, 9, 0x7fff_ffff]) {
      expect(await client.value(AfdOp.recv, stream, { a, into: new Uint8Array(8) })).toBeLessThan(0);
      expect(await client.value(AfdOp.send, stream, { a, data: new Uint8Array(2) })).toBeLessThan(0);
    }
    expect(await client.value(AfdOp.close, s)).toBe(0);
    expect(await client.value(AfdOp.close, s)).toBe(-WSAENOTSOCK);
  });

  test('the session’s end aborts all that pends, once, and closes everything', async () => {
    const { s, name } = await client.listening();
    const { s: udp, name: place } = await client.bound(SOCK_DGRAM);
    expect(await client.value(AfdOp.eventSelect, s, { a: FD_READ })).toBe(0);
    const { s: blocking } = await client.listening();
    const all = [
      client.value(AfdOp.accept, blocking),
      client.value(AfdOp.acceptRequest, blocking),
      client.value(AfdOp.waitEvents, s, { into: new Uint8Array(40) }),
      client.value(AfdOp.recv, udp, { into: new Uint8Array(8) }),
      client.value(AfdOp.poll, 0, {
        data: Uint8Array.of(1, 0, 0, 0x40, 0, 0, 0, 0),
        into: new Uint8Array(12),
        a: -1,
      }),
    ];
    const before = client.completed.length;
    client.port.close();
    expect(new Set(await Promise.all(all))).toEqual(new Set([-WSA_OPERATION_ABORTED]));
    await new Promise((done) => setImmediate(done));
    expect(client.completed.length - before).toBe(all.length);
    expect(await client.socket(SOCK_STREAM)).toBe(-WSAENETDOWN);
    const next = open();
    for (const [type, address] of [
      [SOCK_STREAM, name],
      [SOCK_DGRAM, place],
    ] as const) {
      expect(await next.value(AfdOp.bind, await next.socket(type), { address })).toBe(0);
    }
  });

  test('an id that is in use is refused', async () => {
    const { s } = await client.listening();
    const waiting = client.value(AfdOp.accept, s);
    const id = client.lastId;
    const request = {
      id,
      op: AfdOp.listen,
      descriptor: s,
      flags: 0,
      a: 1,
      b: 0,
      address: null,
      data: null,
      into: null,
    };
    expect(client.port.submit(request)?.error).toBe(WSAEINVAL);
    client.port.cancel(id);
    expect(await waiting).toBe(-WSA_OPERATION_ABORTED);
  });
});
