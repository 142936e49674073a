/** Streams that were valid once, changed at random, against a live server: it survives, and a neighbour notices nothing. */

import { describe, expect, test } from '@jest/globals';
import { IpAddress, randomBelow, SeededRandom } from '../../src/base/index.ts';
import {
  decodeAnswer,
  decodeHost,
  decodeQuestion,
  encodeAnswer,
  encodeHost,
  encodeQuestion,
  MessageType,
  NameOp,
  writeRequest,
} from '../../src/ipc/index.ts';
import { AfdOp } from '../../src/port/index.ts';
import { Harness, helloMessage, message, RawClient, requestOf } from '../unit/ipc/harness.ts';
import { ScriptedNames } from '../unit/ipc/scripted-names.ts';

const SEED = Number(process.env['WINSOCKD_SEED'] ?? 20_261);
const ROUNDS = Number(process.env['WINSOCKD_FUZZ_ROUNDS'] ?? 300);

function request(
  id: number,
  op: AfdOp,
  descriptor: number,
  data: Uint8Array | null,
  into: number,
): Uint8Array {
  const head = new Uint8Array(512);
  const record = { ...requestOf(id, op), descriptor };
  const end = writeRequest(head, record, data?.length ?? 0, into);
  const flags = (data === null ? 0 : 1) | (into === 0 ? 0 : 2);
  return message(MessageType.request, id, head.subarray(0, end), data ?? new Uint8Array(0), flags);
}

/** A session that uses every message type of a client. */
function validStream(): Uint8Array {
  return Buffer.concat([
    helloMessage(),
    request(1, AfdOp.socket, 0, null, 0),
    request(2, AfdOp.connect, 1, null, 0),
    request(3, AfdOp.recv, 1, null, 100),
    request(4, AfdOp.send, 1, new Uint8Array(50), 0),
    request(5, AfdOp.ioctl, 1, null, 40),
    message(MessageType.cancel, 5),
    message(MessageType.credit, 0, Uint8Array.of(0, 1, 0, 0)),
    request(6, AfdOp.getPeerName, 1, null, 0),
    request(7, AfdOp.close, 1, null, 0),
    request(
      8,
      NameOp.resolve as number as AfdOp,
      0,
      encodeQuestion({ name: 'wait.example', types: [1, 28] }),
      0,
    ),
    request(9, NameOp.resolve as number as AfdOp, 0, encodeQuestion({ name: 'www', types: [16] }), 0),
    request(10, NameOp.reverse as number as AfdOp, 0, null, 0),
    request(11, NameOp.host as number as AfdOp, 0, null, 0),
    message(MessageType.cancel, 8),
  ]);
}

function mutate(stream: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = Uint8Array.from(stream);
  // Half of the streams keep their HELLO, so that what lies behind it is reached.
  const from = randomBelow(random, 2) === 0 ? 0 : 39;
  for (let n = 1 + randomBelow(random, 4); n > 0; n--) {
    const at = from + randomBelow(random, bytes.length - from);
    const kind = randomBelow(random, 4);
    if (kind === 0) bytes[at] = random.next();
    else if (kind === 1) bytes[at] = (bytes[at] as number) ^ (1 << randomBelow(random, 8));
    else if (kind === 2) bytes.fill(0xff, at, at + 4);
    else bytes.copyWithin(at, from + randomBelow(random, bytes.length - from), bytes.length);
  }
  return randomBelow(random, 4) === 0 ? bytes.subarray(0, randomBelow(random, bytes.length)) : bytes;
}

describe('IPC server', () => {
  test(`${ROUNDS} changed streams (seed ${SEED}) end in answers or GOODBYE, never in an exception`, async () => {
    const random = new SeededRandom(SEED);
    const names: ScriptedNames[] = [];
    const harness = await Harness.start({
      limits: { maxQueuedBytes: 1_000_000 },
      handshakeTimeoutMs: 2000,
      openNames: () => {
        const port = new ScriptedNames();
        names.push(port);
        return port;
      },
    });
    try {
      const neighbour = await harness.client();
      const descriptor = (await neighbour.call(AfdOp.socket)).value;
      const stream = validStream();
      for (let round = 0; round < ROUNDS; round++) {
        const raw = await RawClient.connect(harness.path);
        const changed = mutate(stream, random);
        const cut = randomBelow(random, changed.length + 1);
        raw.write(changed.subarray(0, cut));
        raw.write(changed.subarray(cut));
        raw.socket.end();
        await raw.closed;
        if (round % 20 === 0) {
          expect(await neighbour.call(AfdOp.getPeerName, { descriptor })).toMatchObject({ error: 0 });
        }
      }
      expect(await neighbour.call(AfdOp.getPeerName, { descriptor })).toMatchObject({ error: 0 });
      // An exception on our side is logged as such; a client's breach is not one.
      expect(harness.events.filter(({ event }) => event === 'request failed')).toEqual([]);
      for (const port of harness.ports.slice(1)) expect(port.isClosed).toBe(true);
      expect(names.length).toBeGreaterThan(0);
      for (const port of names) expect(port).toMatchObject({ isClosed: true, pending: 0 });
    } finally {
      await harness.close();
    }
  }, 60_000);
});

describe('names on the wire', () => {
  test(`${ROUNDS * 20} changed answers, hosts and questions (seed ${SEED}) are read or refused, never thrown at`, () => {
    const random = new SeededRandom(SEED);
    const valid = [
      encodeAnswer({
        status: 'found',
        error: 0,
        name: 'www.example',
        displayName: 'www.example',
        canonicalName: 'host.example',
        origin: 8,
        isAuthoritative: false,
        records: [
          { kind: 'address', name: 'a', type: 1, ttl: 1, address: IpAddress.loopbackV4 },
          { kind: 'text', name: 'a', type: 16, ttl: 1, texts: [new Uint8Array(20)] },
          { kind: 'service', name: 'a', type: 33, ttl: 1, priority: 1, weight: 1, port: 1, target: 'b' },
        ],
      }).slice(),
      encodeHost({
        name: 'a',
        domain: 'b',
        addresses: [{ address: IpAddress.loopbackV6, interfaceIndex: 1 }],
      }).slice(),
      encodeQuestion({ name: 'www.example', types: [1, 28] }),
    ];
    let refused = 0;
    for (let round = 0; round < ROUNDS * 20; round++) {
      const bytes = Uint8Array.from(valid[round % 3] as Uint8Array);
      for (let n = randomBelow(random, 4); n >= 0; n--)
        bytes[randomBelow(random, bytes.length)] = random.next();
      const cut = bytes.subarray(
        0,
        randomBelow(random, 4) === 0 ? randomBelow(random, bytes.length) : bytes.length,
      );
      const answer = decodeAnswer(cut, 0);
      if (answer === null) refused++;
      // What was read is no more than what came.
      else expect(answer.records.length * 12).toBeLessThanOrEqual(cut.length);
      decodeHost(cut);
      decodeQuestion(cut);
    }
    expect(refused).toBeGreaterThan(ROUNDS);
  });
});
