/** Questions about names over a connection: the same answers as without one, counted, bounded, cancelled. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  WSA_E_CANCELLED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENOBUFS,
  WSANO_RECOVERY,
  WSASERVICE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import {
  decodeAnswer,
  decodeHost,
  decodeQuestion,
  decodeService,
  encodeAnswer,
  encodeHost,
  encodeQuestion,
  encodeService,
  type IpcServerOptions,
  MessageType,
  NameOp,
  type RemotePort,
  readCompletion,
  writeRequest,
} from '../../../src/ipc/index.ts';
import {
  AfdOp,
  type AfdRequest,
  type NameAnswer,
  type OfferedService,
  type OwnHost,
  type ResourceRecord,
} from '../../../src/port/index.ts';
import { eventually, Harness, helloMessage, message, requestOf } from './harness.ts';
import { ScriptedNames } from './scripted-names.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;

const RECORDS: readonly ResourceRecord[] = [
  { kind: 'name', name: 'www.example', type: 5, ttl: 60, target: 'host.example' },
  {
    kind: 'service',
    name: '_http._tcp.example',
    type: 33,
    ttl: 1,
    priority: 1,
    weight: 2,
    port: 8080,
    target: 'w',
  },
  { kind: 'mail', name: 'example', type: 15, ttl: 0x7fff_ffff, preference: 10, exchange: 'mail.example' },
  { kind: 'text', name: 'example', type: 16, ttl: 0, texts: [Uint8Array.of(1, 2), new Uint8Array(0)] },
  {
    kind: 'authority',
    name: '',
    type: 6,
    ttl: 5,
    soa: { mname: 'a', rname: 'b', serial: 0xffff_ffff, refresh: 1, retry: 2, expire: 3, minimum: 4 },
  },
  { kind: 'other', name: 'example', type: 65, ttl: 7, data: Uint8Array.of(0, 1, 0) },
  { kind: 'address', name: 'host.example', type: 28, ttl: 60, address: ip('fe80::1%3') },
  { kind: 'address', name: 'host.example', type: 1, ttl: 60, address: ip('192.0.2.1') },
];
const ANSWER: NameAnswer = {
  status: 'found',
  error: 0,
  name: 'xn--bcher-kva.example',
  displayName: 'bücher.example',
  canonicalName: 'host.example',
  origin: 8,
  isAuthoritative: true,
  records: RECORDS,
};
const SERVICE: OfferedService = {
  instance: 'Büro 1',
  type: '_ipp._tcp',
  subtypes: ['_color', '_a3'],
  port: 631,
  texts: [Uint8Array.of(1, 0, 255), new Uint8Array(0)],
};
const HOST: OwnHost = {
  name: 'lab',
  domain: 'example',
  addresses: [
    { address: ip('10.0.0.1'), interfaceIndex: 2 },
    { address: ip('fe80::1%2'), interfaceIndex: 2 },
  ],
};

let harness: Harness;
let names: ScriptedNames[];

async function start(options: Partial<IpcServerOptions> = {}): Promise<void> {
  names = [];
  harness = await Harness.start({
    openNames: () => {
      const port = new ScriptedNames();
      port.answers.set('www', ANSWER);
      port.answers.set('192.0.2.1', { ...ANSWER, records: [] });
      port.own = HOST;
      names.push(port);
      return port;
    },
    ...options,
  });
}

async function client(): Promise<RemotePort> {
  return (await harness.client()).port;
}

/** A REQUEST for names as bytes. */
function question(id: number, fields: Partial<Omit<AfdRequest, 'op'>> & { op: number }): Uint8Array {
  const head = new Uint8Array(512);
  const record = { ...requestOf(id, AfdOp.socket), ...fields, op: fields.op as AfdOp };
  const { data } = record;
  const end = writeRequest(head, record, data?.length ?? 0, 0);
  return message(
    MessageType.request,
    id,
    head.subarray(0, end),
    data ?? new Uint8Array(0),
    data === null ? 0 : 1,
  );
}

beforeEach(() => start());
afterEach(() => harness.close());

describe('names over IPC', () => {
  test('questions and answers cross unchanged', async () => {
    const port = await client();
    const query = { name: 'www', types: [28, 1], origins: 0x0b, flags: 3, timeoutMs: 1500 };
    expect(await port.names.resolve(query)).toEqual(ANSWER);
    expect(names[0]?.asked[0]).toEqual(query);
    const options = { origins: 1, flags: 0, timeoutMs: 0 };
    expect((await port.names.reverse(ip('192.0.2.1'), options)).displayName).toBe('bücher.example');
    expect(names[0]?.asked[1]).toEqual({ address: ip('192.0.2.1'), options });
    await port.names.reverse(ip('fe80::5%7'), options);
    expect(names[0]?.asked[2]).toEqual({ address: ip('fe80::5%7'), options });
    expect(await port.names.host()).toEqual(HOST);
    expect(await port.names.resolve({ name: 'x', types: [1] })).toMatchObject({ error: WSANO_RECOVERY });
  });

  test('sockets and names share a connection, each with its own answers', async () => {
    const caller = await harness.client();
    const [socket, answer, again] = await Promise.all([
      caller.call(AfdOp.socket),
      caller.port.names.resolve({ name: 'www', types: [1] }),
      caller.call(AfdOp.socket),
    ]);
    expect([socket.value, again.value, answer.error]).toEqual([1, 2, 0]);
    expect(caller.completed.every(({ id }) => id < 10)).toBe(true);
  });

  test('a client has a session of its own, from its first question until it goes', async () => {
    const [a, b] = [await client(), await client()];
    expect(names).toHaveLength(0);
    await a.names.host();
    await b.names.host();
    expect(names).toHaveLength(2);
    a.close();
    await eventually(() => names[0]?.isClosed === true);
    expect(names[1]?.isClosed).toBe(false);
  });

  test('a signal cancels a question', async () => {
    const port = await client();
    const abort = new AbortController();
    const asked = port.names.resolve({ name: 'wait', types: [1] }, abort.signal);
    await eventually(() => names[0]?.pending === 1);
    abort.abort();
    expect(await asked).toMatchObject({ status: 'cancelled', error: WSA_E_CANCELLED });
    expect(names[0]).toMatchObject({ cancelled: 1, pending: 0 });
    expect(await port.names.resolve({ name: 'www', types: [1] }, abort.signal)).toMatchObject({
      status: 'cancelled',
    });
    expect(harness.server.sessions[0]?.pending).toBe(0);
  });

  test('services are registered, renamed, refused and taken back', async () => {
    const port = await client();
    expect(await port.names.register(SERVICE)).toEqual({ error: 0, id: 7, instance: 'Büro 1 (2)' });
    expect(names[0]?.offered).toEqual([SERVICE]);
    expect(await port.names.deregister(7)).toBe(0);
    expect(await port.names.deregister(8)).toBe(WSASERVICE_NOT_FOUND);
    expect([await port.names.rename('büro'), await port.names.rename('refused')]).toEqual([0, 10_013]);
    expect(names[0]?.renamed).toEqual(['büro', 'refused']);
    expect(await port.names.rename('x'.repeat(1025))).toBe(WSAEINVAL);
    const abort = new AbortController();
    const waiting = port.names.register({ ...SERVICE, instance: 'wait' }, abort.signal);
    await eventually(() => names[0]?.pending === 1);
    abort.abort();
    expect(await waiting).toEqual({ error: WSA_E_CANCELLED, id: 0, instance: 'wait' });
    const many = { ...SERVICE, texts: new Array(65).fill(new Uint8Array(1)) };
    expect(await port.names.register(many)).toMatchObject({ error: WSAEINVAL });
    port.close();
    expect(await port.names.register(SERVICE)).toMatchObject({ error: WSAENETDOWN });
    expect(await port.names.deregister(7)).toBe(WSAENETDOWN);
  });

  test('what pends when the client goes is cancelled; what the client waits for ends too', async () => {
    const port = await client();
    const asked = [1, 2, 3].map((n) => port.names.resolve({ name: `wait${n}`, types: [1] }));
    await eventually(() => names[0]?.pending === 3);
    port.close();
    for (const answer of await Promise.all(asked)) expect(answer.status).toBe('cancelled');
    await eventually(() => names[0]?.cancelled === 3);
    expect(await port.names.resolve({ name: 'www', types: [1] })).toMatchObject({ error: WSAENETDOWN });
    expect(await port.names.host()).toBeNull();
  });

  test('what pends when the daemon goes ends with WSAENETDOWN', async () => {
    const port = await client();
    const asked = port.names.resolve({ name: 'wait', types: [1] });
    await eventually(() => names[0]?.pending === 1);
    await harness.server.close();
    expect([WSAENETDOWN, WSA_E_CANCELLED]).toContain((await asked).error);
    expect(names[0]?.isClosed).toBe(true);
  });

  test('questions count as pending requests', async () => {
    await harness.close();
    await start({ limits: { maxPending: 3 } });
    const port = await client();
    const abort = new AbortController();
    const asked = [1, 2, 3].map((n) => port.names.resolve({ name: `wait${n}`, types: [1] }, abort.signal));
    await eventually(() => names[0]?.pending === 3);
    expect(harness.server.sessions[0]?.pending).toBe(3);
    expect(await port.names.resolve({ name: 'www', types: [1] })).toMatchObject({ error: WSAENOBUFS });
    abort.abort();
    await Promise.all(asked);
    expect((await port.names.resolve({ name: 'www', types: [1] })).error).toBe(0);
    expect(harness.server.sessions[0]).toMatchObject({ pending: 0, queuedBytes: 0 });
  });

  test('an answer counts in the bytes that a client may hold, until it has left', async () => {
    await harness.close();
    await start({ limits: { maxQueuedBytes: 4096 } });
    const port = await client();
    await port.names.host();
    const data = new Uint8Array(5000);
    names[0]?.answers.set('large', {
      ...ANSWER,
      records: [{ kind: 'other', name: 'x', type: 65, ttl: 0, data }],
    });
    expect(await port.names.resolve({ name: 'large', types: [1] })).toMatchObject({ error: WSAENOBUFS });
    expect((await port.names.resolve({ name: 'www', types: [1] })).error).toBe(0);
    await eventually(() => harness.server.sessions[0]?.queuedBytes === 0);
  });

  test('an answer longer than maxTransfer is none', async () => {
    await harness.close();
    await start({ limits: { maxTransfer: 200 } });
    const port = await client();
    expect(await port.names.resolve({ name: 'www', types: [1] })).toMatchObject({ error: WSAENOBUFS });
  });

  test('a server without names answers WSANO_RECOVERY', async () => {
    await harness.close();
    harness = await Harness.start();
    const port = await client();
    expect(await port.names.resolve({ name: 'www', types: [1] })).toMatchObject({ error: WSANO_RECOVERY });
    expect(await port.names.reverse(ip('10.0.0.1'))).toMatchObject({ error: WSANO_RECOVERY });
    expect(await port.names.host()).toBeNull();
  });

  test('a resolver that throws costs the question, no more', async () => {
    const port = await client();
    expect(await port.names.resolve({ name: 'throw', types: [1] })).toMatchObject({ error: WSANO_RECOVERY });
    expect((await port.names.resolve({ name: 'www', types: [1] })).error).toBe(0);
  });

  test('a question that contradicts itself is answered with an error', async () => {
    const raw = await harness.raw();
    const valid = encodeQuestion({ name: 'www', types: [1] });
    const bad: [Parameters<typeof question>[1], number][] = [
      [{ op: NameOp.resolve }, WSAEINVAL],
      [{ op: NameOp.resolve, data: new Uint8Array(0) }, WSAEINVAL],
      [{ op: NameOp.resolve, data: Uint8Array.of(2, 0, 1, 0) }, WSAEINVAL],
      [{ op: NameOp.resolve, data: Uint8Array.of(0xff, 0xff, 1, 0) }, WSAEINVAL],
      [{ op: NameOp.resolve, data: new Uint8Array(2 + 1025) }, WSAEINVAL],
      [{ op: NameOp.resolve, data: valid, a: -1 }, WSAEINVAL],
      [{ op: NameOp.register }, WSAEINVAL],
      [{ op: NameOp.register, data: encodeService(SERVICE).subarray(0, 20) }, WSAEINVAL],
      [{ op: NameOp.register, data: new Uint8Array(9).fill(0xff) }, WSAEINVAL],
      [{ op: NameOp.deregister, a: -5 }, WSAEINVAL],
      [{ op: NameOp.rename }, WSAEINVAL],
      [{ op: NameOp.reverse }, WSAEFAULT],
      [{ op: NameOp.reverse, address: Uint8Array.of(2, 0) }, WSAEFAULT],
      [{ op: NameOp.reverse, address: new Uint8Array(128).fill(9) }, WSAEFAULT],
    ];
    raw.write(helloMessage(), ...bad.map(([fields], i) => question(i + 1, fields)));
    const heard = (await raw.until(1 + bad.length)).slice(1);
    const head = { error: 0, value: 0, flags: 0, address: null, dataLength: 0 };
    for (const { id, head: bytes } of heard) {
      readCompletion(bytes, 0, bytes.length, head);
      expect([id, head.error, head.dataLength]).toEqual([id, bad[id - 1]?.[1], 0]);
    }
    // CANCEL of one that pends, by hand; and of one that is done.
    raw.write(question(50, { op: NameOp.resolve, data: encodeQuestion({ name: 'wait', types: [1] }) }));
    raw.write(message(MessageType.cancel, 3), message(MessageType.cancel, 50));
    const all = await raw.until(2 + bad.length);
    expect(all.at(-1)?.id).toBe(50);
  });
});

describe('what names are on the wire', () => {
  test('each cut answer, host or question is refused, whatever its length', () => {
    const answer = encodeAnswer(ANSWER).slice();
    const host = encodeHost(HOST).slice();
    expect(decodeAnswer(answer, 0)).toEqual(ANSWER);
    expect(decodeHost(host)).toEqual(HOST);
    for (let length = 0; length < answer.length; length++)
      expect(decodeAnswer(answer.subarray(0, length), 0)).toBeNull();
    for (let length = 0; length < host.length; length++)
      expect(decodeHost(host.subarray(0, length))).toBeNull();
    expect(decodeAnswer(Buffer.concat([answer, Buffer.of(0)]), 0)).toBeNull();
    const service = encodeService(SERVICE);
    expect(decodeService(service)).toEqual(SERVICE);
    for (let length = 0; length < service.length; length++)
      expect(decodeService(service.subarray(0, length))).toBeNull();
    expect(decodeHost(Buffer.concat([host, Buffer.of(0)]))).toBeNull();
    expect(decodeQuestion(Uint8Array.of(1, 0))).toBeNull();
  });

  test('a status, a kind or a family that is unknown is refused', () => {
    const answer = encodeAnswer({ ...ANSWER, records: [] }).slice();
    expect(decodeAnswer(Uint8Array.of(6, ...answer.subarray(1)), 0)).toBeNull();
    const one = encodeAnswer({ ...ANSWER, records: RECORDS.slice(0, 1) }).slice();
    const kind = answer.length + 2;
    for (const value of [0, 8, 255]) {
      one[kind] = value;
      expect(decodeAnswer(one, 0)).toBeNull();
    }
  });
});
