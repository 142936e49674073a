import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MSG_OOB, MSG_PEEK, MSG_WAITALL } from '../../../src/abi/index.ts';
import { EMBEDDED_POLICY } from '../../../src/afd/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdOp, type AfdRequest } from '../../../src/port/index.ts';
import { CLIENT, createRig, type Outcome, SERVER, sockaddr } from './rig.ts';

/** Numbers that calls are likely to stumble over. */
const number = fc.oneof(
  fc.nat(6),
  fc.constantFrom(-1, 255, 0xffff, 0x1001, 0x1005, 0x1006, 0x80, -129, 0x7fff_ffff, -0x8000_0000),
  fc.integer(),
);
const flags = fc.oneof(
  fc.constant(0),
  fc
    .subarray([MSG_OOB, MSG_PEEK, MSG_WAITALL, AFD_OVERLAPPED, AFD_NO_WAIT])
    .map((bits) => bits.reduce((all, bit) => all | bit, 0)),
  fc.integer(),
);
const address = fc.oneof(
  fc.constant(null),
  fc
    .tuple(
      fc.constantFrom(SERVER, CLIENT, '0.0.0.0', '127.0.0.1', '255.255.255.255'),
      fc.constantFrom(0, 80, 81),
    )
    .map(([host, port]) => sockaddr(host, port)),
  fc.uint8Array({ maxLength: 30 }),
);
const buffer = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 24 }),
  fc.constantFrom(4, 12, 40, 100, 70_000).map((length) => new Uint8Array(length).fill(1)),
);

const step = fc.record({
  host: fc.boolean(),
  op: fc.integer({ min: 0, max: 23 }),
  descriptor: fc.nat(5),
  flags,
  a: number,
  b: number,
  address,
  data: buffer,
  into: buffer,
  wait: fc.nat(3),
  cancel: fc.nat(20),
});

describe('whatever a client asks for', () => {
  test('no request throws, each completes once, and the end of the sessions leaves nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const rig = createRig({ policy: EMBEDDED_POLICY });
        const sides = [rig.server.client({ pid: 1 }), rig.client.client({ pid: 2 })] as const;
        for (const side of sides) {
          // Some life to begin with: a listener, a connection on its way, a datagram socket.
          const listener = side.stream();
          side.bind(listener, '0.0.0.0', 80);
          side.listen(listener);
          side.bind(side.datagram(), '0.0.0.0', 81);
          side.nonBlocking(side.stream());
        }
        sides[0].connect(3, CLIENT, 80);
        sides[1].connect(3, SERVER, 80);
        const outcomes: Outcome[] = [];
        for (const { host, wait, cancel, op, descriptor, ...fields } of steps) {
          const side = host ? sides[0] : sides[1];
          const request: Partial<AfdRequest> = fields;
          outcomes.push(side.call(op as AfdOp, descriptor, request));
          if (cancel > 15) side.port.cancel(outcomes.length);
          rig.run(wait * 30);
        }
        for (const side of sides) side.port.close();
        expect(outcomes.filter((outcome) => !outcome.isDone)).toEqual([]);
        rig.run(1_000_000);
        for (const { afd, host } of [rig.server, rig.client]) {
          expect(afd.describe()).toEqual([]);
          expect(afd.sessions).toEqual([]);
          expect([...host.stack.endpoints()].filter((endpoint) => endpoint.context !== null)).toEqual([]);
          expect(host.allocator.inUse).toBe(0);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('bytes come out as they went in, whatever the sizes, modes and buffers', () => {
    const piece = fc.record({
      size: fc.constantFrom(1, 3, 100, 1460, 5000, 30_000),
      isOverlapped: fc.boolean(),
      room: fc.constantFrom(1, 7, 1000, 65_536),
      wait: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 25 }), fc.boolean(), (pieces, isNonBlocking) => {
        const rig = createRig();
        const server = rig.server.client();
        const client = rig.client.client();
        const l = server.stream();
        server.bind(l, SERVER, 80);
        server.listen(l);
        server.setOption(l, 0xffff, 0x1002, Uint8Array.of(0, 16, 0, 0));
        const c = client.stream();
        client.setOption(c, 0xffff, 0x1001, Uint8Array.of(0, 16, 0, 0));
        client.connect(c, SERVER, 80);
        rig.run();
        const s = server.accept(l).value;
        if (isNonBlocking) client.nonBlocking(c);
        let next = 0;
        let expected = 0;
        const take = (outcome: Outcome): void => {
          for (let i = 0; i < outcome.value; i++) {
            if (outcome.into?.[i] !== expected++ % 251) throw new Error(`wrong byte at ${expected - 1}`);
          }
        };
        for (const { size, isOverlapped, room, wait } of pieces) {
          const data = new Uint8Array(size).map((_, i) => (next + i) % 251);
          const sending = client.send(c, data, isOverlapped ? AFD_OVERLAPPED : 0);
          if (sending.pended) next += size;
          else if (sending.error === 0) next += sending.value;
          rig.run(wait * 10);
          const receiving = server.recv(s, room, AFD_NO_WAIT);
          if (receiving.error === 0) take(receiving);
        }
        client.shutdown(c, 1);
        for (let i = 0; i < 3000; i++) {
          const receiving = server.recv(s, 65_536, AFD_NO_WAIT);
          if (receiving.error === 0 && receiving.value === 0) break;
          if (receiving.error === 0) take(receiving);
          else rig.run(20);
        }
        expect(expected).toBe(next);
      }),
      { numRuns: 60 },
    );
  });
});
