/**
 * An application that asks its provider host for anything at all: random operations with random arguments on sockets with layers and
 * without. Each is answered once, with a code or a value that a client can take; nothing is thrown, and a socket of the same host that
 * was there before works afterwards.
 */

import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
} from '../../src/abi/index.ts';
import { ChainPort } from '../../src/app/hosted/chain-port.ts';
import { createLocalHost } from '../../src/app/local.ts';
import { IpAddress, randomBelow, SeededRandom } from '../../src/base/index.ts';
import {
  AFD_NO_WAIT,
  AFD_OVERLAPPED,
  type AfdCompletion,
  AfdOp,
  type AfdRequest,
} from '../../src/port/index.ts';
import { layeredOptions, passThrough } from '../support/chains.ts';

const SEED = Number(process.env['WINSOCKD_SEED'] ?? 20_261);
const ROUNDS = Number(process.env['WINSOCKD_FUZZ_ROUNDS'] ?? 40);
/** Requests of one application. */
const REQUESTS = 40;
const FIRST_LAYERED = 0x4000_0000;
const OPS = [...Object.values(AfdOp), 0, 28, 63, 0xffff];
/** Numbers at which something begins or ends, and codes that are known to calls. */
const NUMBERS = [
  0,
  1,
  2,
  6,
  17,
  -1,
  0x7fff_ffff,
  -0x8000_0000,
  0xffff,
  0x8004_667e | 0,
  0xc800_0006 | 0,
  0x4800_001b,
];
const LOOPBACK = IpAddress.parse('127.0.0.1') ?? IpAddress.anyV4;

class Chance {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return randomBelow(this.#random, limit);
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(most: number): Uint8Array | null {
    if (this.below(3) === 0) return null;
    const bytes = new Uint8Array(this.below(most));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.below(8) === 0 ? this.below(256) : 0;
    return bytes;
  }
}

describe('a provider host', () => {
  test.each([
    ['of system handles', 'system' as const],
    ['with its own handles', 'own' as const],
  ])(
    `${ROUNDS} applications that ask at random (seed ${SEED}), a layer %s`,
    async (_kind, handles) => {
      const host = createLocalHost();
      for (let round = 0; round < ROUNDS; round++) {
        const chance = new Chance(SEED + round);
        const port = new ChainPort({
          port: host.openSession({ pid: 4321, uid: 1000, gid: 1000 }),
          pid: 4321,
          ...layeredOptions([passThrough({ handles })]),
          isDirect: ({ iSocketType }) => iSocketType !== SOCK_STREAM,
        });
        const answers = new Map<number, number>();
        const waiting = new Map<number, (completion: AfdCompletion) => void>();
        const take = (completion: AfdCompletion): void => {
          const { id, error, value } = completion;
          answers.set(id, (answers.get(id) ?? 0) + 1);
          expect(Number.isInteger(error) && error >= 0 && Number.isInteger(value)).toBe(true);
          waiting.get(id)?.(completion);
        };
        port.onComplete = take;
        const submit = (id: number, op: number, fields: Partial<AfdRequest> = {}): void => {
          const request = { id, op: op as AfdOp, descriptor: 0, flags: 0, a: 0, b: 0, ...NONE, ...fields };
          const done = port.submit(request);
          if (done !== null) take(done);
        };
        const value = (id: number, op: number, fields: Partial<AfdRequest> = {}): Promise<number> =>
          new Promise((resolve) => {
            waiting.set(id, ({ error, value: answered }) => resolve(error === 0 ? answered : -error));
            submit(id, op, fields);
          });

        const own = [
          await value(1, AfdOp.socket, { a: AF_INET, b: SOCK_STREAM, flags: IPPROTO_TCP }),
          await value(2, AfdOp.socket, { a: AF_INET, b: SOCK_DGRAM, flags: IPPROTO_UDP }),
        ];
        const spared = await value(3, AfdOp.socket, { a: AF_INET, b: SOCK_STREAM, flags: IPPROTO_TCP });
        const others = [0, -1, 1, 2, 3, FIRST_LAYERED + 7, 0x7fff_ffff];
        for (let id = 4; id < 4 + REQUESTS; id++) {
          submit(id, chance.of(OPS), {
            descriptor: chance.below(3) === 0 ? chance.of(others) : chance.of(own),
            flags: chance.of([0, 0, AFD_OVERLAPPED, AFD_NO_WAIT, 2, -1]),
            a: chance.of(NUMBERS),
            b: chance.of(NUMBERS),
            address: chance.below(2) === 0 ? sockaddrOf(LOOPBACK, chance.below(3)) : chance.bytes(130),
            data: chance.bytes(200),
            into: chance.bytes(200),
          });
          if (chance.below(4) === 0) port.cancel(chance.below(id + 2));
          if (chance.below(8) === 0) await new Promise((done) => setImmediate(done));
        }
        expect(await value(100, AfdOp.bind, { descriptor: spared, address: sockaddrOf(LOOPBACK, 0) })).toBe(
          0,
        );
        port.close();
        await new Promise((done) => setImmediate(done));
        expect([...answers.values()].filter((count) => count !== 1)).toEqual([]);
        expect(answers.size).toBe(4 + REQUESTS);
      }
      host.close();
    },
    60_000,
  );
});

const NONE = { address: null, data: null, into: null };
