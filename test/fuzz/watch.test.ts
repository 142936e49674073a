/** Reports of calls that were changed at random, and random bytes: what is read is a report or nothing, never an exception. */

import { expect, test } from '@jest/globals';
import { randomBelow, SeededRandom } from '../../src/base/index.ts';
import { readReport, ValueReader, writeCalls, writeFigures } from '../../src/ipc/index.ts';
import { CALL_EVENTS, type CallRecord } from '../../src/port/index.ts';

const SEED = Number(process.env['WINSOCKD_SEED'] ?? 20_261);
const ROUNDS = 20 * Number(process.env['WINSOCKD_FUZZ_ROUNDS'] ?? 300);

function validReport(random: SeededRandom): Uint8Array {
  const row = { calls: 1, errors: 0, bytesSent: 2, bytesReceived: 0, us: 7, busyUs: 3 };
  if (randomBelow(random, 4) === 0) {
    return writeFigures([{ s: 8, protocol: 'TCP', depth: 0, layer: 'base', ...row }], true);
  }
  let left = randomBelow(random, 5);
  return writeCalls(randomBelow(random, 3), () => {
    if (left-- === 0) return null;
    const event = CALL_EVENTS[randomBelow(random, CALL_EVENTS.length)] ?? 'call';
    const args = {
      s: randomBelow(random, 1 << 30),
      name: '10.0.0.1:80',
      sets: [1, 2, null],
      more: { x: 0.5 },
    };
    return {
      time: 1.5,
      n: left,
      event,
      depth: 0,
      layer: 'a',
      chain: 'b',
      call: 'WSPSend',
      s: 8,
      args,
      us: 3,
    };
  });
}

/** What may be passed on to people. */
function isSound(record: CallRecord): boolean {
  const { time, n, depth, layer, call } = record;
  return (
    [time, n, depth].every((value) => Number.isFinite(value)) && typeof layer + typeof call === 'stringstring'
  );
}

test(`changed reports are read soundly or not at all, seed ${SEED}`, () => {
  const random = new SeededRandom(SEED);
  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = validReport(random);
    const changes = randomBelow(random, 4);
    for (let i = 0; i < changes; i++) bytes[randomBelow(random, bytes.length)] = randomBelow(random, 256);
    const cut =
      randomBelow(random, 3) === 0 ? bytes.subarray(0, randomBelow(random, bytes.length + 1)) : bytes;
    const report = readReport(cut);
    if (report === null) continue;
    read++;
    if (report.kind === 'calls') expect(report.calls.every(isSound)).toBe(true);
    else expect(report.omitted).toBeGreaterThanOrEqual(0);
  }
  expect(read).toBeGreaterThan(ROUNDS / 8);
});

test(`random bytes end, seed ${SEED}`, () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Uint8Array.from({ length: randomBelow(random, 200) }, () => randomBelow(random, 12));
    const reader = new ValueReader(bytes);
    let values = 0;
    while (!reader.isAtEnd) {
      reader.read();
      values++;
    }
    expect(values).toBeLessThanOrEqual(bytes.length + 1);
  }
});
