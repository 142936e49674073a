import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sockaddrOf, WSAEMSGSIZE, type WSAPROTOCOL_INFO } from '../../../src/abi/index.ts';
import { Mailbox, NEW } from '../../../src/app/mailbox.ts';
import {
  bool,
  inout,
  input,
  inputs,
  number,
  numbers,
  output,
  outputs,
  reference,
  text,
  textReference,
} from '../../../src/app/marshal.ts';
import {
  data,
  info,
  infoReference,
  infos,
  networkEvents,
  pollfds,
  set,
  time,
} from '../../../src/app/marshal-structures.ts';
import { SIGNATURES } from '../../../src/app/signatures.ts';
import type { Slot } from '../../../src/app/slot.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { DEFAULT_CATALOG } from '../../../src/spi/index.ts';
import { createWinsock } from '../../../src/winsock/index.ts';
import { FakePort } from '../spi/fake-port.ts';

/** What the chain thread gets of an argument, at some place in a mailbox with old bytes in it. */
function arrives<T>(slot: Slot<T>, value: T): T {
  const box = Mailbox.create(0, 1 << 16);
  box.body.fill(0xaa);
  slot.put(box, 64, value);
  return slot.take(box, 64);
}

/** A round trip: the caller's value after the chain thread changed its own with `change`. */
function comesBack<T>(slot: Slot<T>, value: T, change: (taken: T) => void, received = 0): T {
  const box = Mailbox.create(0, 1 << 16);
  box.body.fill(0xaa);
  slot.put(box, 8, value);
  const taken = slot.take(box, 8);
  change(taken);
  slot.give?.(box, 8, taken);
  box.received = received;
  slot.collect?.(box, 8, value);
  return value;
}

describe('arguments on their way in', () => {
  test('numbers, booleans, texts and bytes arrive as they were, null and left-out ones too', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.boolean(),
        fc.option(fc.string()),
        fc.option(fc.uint8Array({ maxLength: 2000 })),
        (n, b, t, bytes) => {
          expect(arrives(number, n)).toBe(n);
          expect(arrives(bool, b)).toBe(b);
          expect(arrives(text, t)).toBe(t);
          expect(arrives(input, bytes)).toEqual(bytes);
        },
      ),
    );
    expect(arrives(number, undefined)).toBeUndefined();
    expect(arrives(reference, undefined as unknown as null)).toBeUndefined();
    expect(arrives(reference, null)).toBeNull();
  });

  test('lists of buffers, of numbers, sets and times arrive as they were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 70 }),
        fc.integer(),
        (buffers, values, seconds) => {
          expect(arrives(inputs, buffers)).toEqual(buffers);
          expect(arrives(numbers, values)).toEqual(values);
          expect(arrives(set, { fd_array: values })).toEqual({ fd_array: values });
          expect(arrives(time, { tv_sec: seconds, tv_usec: 5 })).toEqual({ tv_sec: seconds, tv_usec: 5 });
        },
      ),
    );
  });

  test('a size is a multiple of 8, and arguments behind one another don’t touch', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (first, second) => {
        const box = Mailbox.create(0, 1 << 12);
        const at = input.size(first);
        expect(at % 8).toBe(0);
        input.put(box, 0, first);
        input.put(box, at, second);
        expect([input.take(box, 0), input.take(box, at)]).toEqual([first, second]);
      }),
    );
  });

  test('a catalog entry arrives whole', () => {
    for (const entry of DEFAULT_CATALOG) expect(arrives(info, entry)).toEqual(entry);
  });
});

describe('results on their way back', () => {
  test('a received buffer gets what was received, and its rest stays', () => {
    const bytes = new Uint8Array(8).fill(1);
    comesBack(output, bytes, (taken) => taken?.set([7, 7, 7]), 3);
    expect([...bytes]).toEqual([7, 7, 7, 1, 1, 1, 1, 1]);
  });

  test('scattered buffers get it in their order', () => {
    const buffers = [new Uint8Array(2), new Uint8Array(0), new Uint8Array(3).fill(9)];
    comesBack(
      outputs,
      buffers,
      (taken) => {
        taken?.[0]?.set([1, 2]);
        taken?.[2]?.set([3, 4, 5]);
      },
      4,
    );
    expect(buffers.map((buffer) => [...buffer])).toEqual([[1, 2], [], [3, 4, 9]]);
  });

  test('a structure that was written in part comes back with the rest as it was', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    comesBack(inout, bytes, (taken) => taken?.set([9], 1));
    expect([...bytes]).toEqual([1, 9, 3, 4]);
  });

  test('references, texts, sets, poll entries and events come back', () => {
    expect(
      comesBack(reference, { value: 5 }, (taken) => taken && Object.assign(taken, { value: -7 })),
    ).toEqual({ value: -7 });
    expect(
      comesBack(
        textReference,
        { value: '' },
        (taken) => taken && Object.assign(taken, { value: '10.0.0.1:80' }),
      ),
    ).toEqual({ value: '10.0.0.1:80' });
    expect(
      comesBack(set, { fd_array: [4, 8, 12] }, (taken) => taken && Object.assign(taken, { fd_array: [8] })),
    ).toEqual({
      fd_array: [8],
    });
    const fds = [
      { fd: 256, events: 0x100, revents: 0 },
      { fd: -1, events: 0, revents: 0 },
    ];
    comesBack(pollfds, fds, (taken) => {
      for (const [i, fd] of (taken ?? []).entries()) fd.revents = i + 4;
    });
    expect(fds.map((fd) => fd.revents)).toEqual([4, 5]);
    const events = { lNetworkEvents: 0, iErrorCode: [] as number[] };
    comesBack(
      networkEvents,
      events,
      (taken) => taken && Object.assign(taken, { lNetworkEvents: 3, iErrorCode: [0, 10054] }),
    );
    expect([events.lNetworkEvents, events.iErrorCode.slice(0, 2)]).toEqual([3, [0, 10054]]);
  });

  test('catalog entries come back, alone and as a list', () => {
    const [entry] = DEFAULT_CATALOG as [WSAPROTOCOL_INFO];
    const place: { value: WSAPROTOCOL_INFO | null } = { value: null };
    comesBack(infoReference, place, (taken) => taken && Object.assign(taken, { value: entry }));
    expect(place.value).toEqual(entry);
    const listed: WSAPROTOCOL_INFO[] = [];
    comesBack(infos, listed, (taken) => taken?.push(...DEFAULT_CATALOG));
    expect(listed).toEqual(DEFAULT_CATALOG);
  });

  test('WSADATA comes back with its texts', () => {
    const filled = {
      wVersion: 0,
      wHighVersion: 0,
      iMaxSockets: 0,
      iMaxUdpDg: 0,
      szDescription: '',
      szSystemStatus: '',
    };
    comesBack(
      data,
      filled,
      (taken) => taken && Object.assign(taken, { wVersion: 0x0101, iMaxSockets: 32767 }),
    );
    expect(filled).toMatchObject({ wVersion: 0x0101, iMaxSockets: 32767, szDescription: 'WinSock 2.0' });
  });
});

/** Calls that do not travel: what looks at its arguments only, and what is for providers. */
const PROMISING = new Set(['GetAcceptExSockaddrs', 'WPUCompleteOverlappedRequest']);

describe('the table of calls', () => {
  test('names every call of Winsock that carries no overlapped record alone', () => {
    const calls = Object.keys(createWinsock({ port: new FakePort() })).filter((name) => !PROMISING.has(name));
    expect(SIGNATURES.map(({ name }) => name).sort()).toEqual(calls.sort());
  });

  test('a receive’s count is its answer, the whole buffer when it was cut, nothing when it failed', () => {
    const received = SIGNATURES.find(({ name }) => name === 'recv')?.received;
    const args = [256, new Uint8Array(9), 5, 0];
    expect([received?.(args, 4), received?.(args, -WSAEMSGSIZE), received?.(args, -10035)]).toEqual([
      4, 5, 0,
    ]);
  });
});

describe('mailboxes', () => {
  test('a new one is not served yet, and its answer is any number', () => {
    const box = Mailbox.create(0);
    expect(box.state).toBe(NEW);
    for (const answer of [0, -10093, 0xffffffff, 2 ** 40]) {
      box.answer = answer;
      expect(box.answer).toBe(answer);
    }
  });

  test('what a callback is told is read as it was written', () => {
    const box = Mailbox.create(0);
    const [caller, callee] = [sockaddrOf(IpAddress.loopbackV4, 1), sockaddrOf(IpAddress.anyV6, 2)];
    box.setCallback({ kind: 7, numbers: [42, -1, 2 ** 40], first: caller, second: callee });
    expect(box.callback()).toEqual({
      kind: 7,
      numbers: [42, -1, 2 ** 40, 0, 0, 0],
      first: caller,
      second: callee,
    });
  });

  test('whoever waits for a change learns of it, from the state that it was', async () => {
    const box = Mailbox.create(0);
    const changed = box.changeFrom(NEW);
    box.setState(0);
    expect(await changed).toBe(0);
    expect(await box.changeFrom(5)).toBe(0);
    expect(box.sleepWhile(0, 1)).toBe(0);
  });
});
