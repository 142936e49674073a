import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MOST_SLOTS, SentColumnsPool } from '../../../../src/stack/tcp/loss/sent-columns.ts';
import { NONE, SentList, SentState } from '../../../../src/stack/tcp/loss/sent-list.ts';

/** One byte of sequence space, as the model sees it. */
interface ModelByte {
  state: number;
  sentAt: number;
  resent: number;
}

/** Everything that the list says, byte by byte. */
function bytesOf(list: SentList): Map<number, ModelByte> {
  const bytes = new Map<number, ModelByte>();
  const { columns: c } = list;
  for (let slot = list.first; slot !== NONE; slot = c.next[slot] as number) {
    for (let seq = c.start[slot] as number; seq !== (c.end[slot] as number); seq = (seq + 1) | 0) {
      bytes.set(seq, {
        state: c.state[slot] as number,
        sentAt: c.sentAt[slot] as number,
        resent: c.resent[slot] as number,
      });
    }
  }
  return bytes;
}

/** The sums, the chains and the order of sending hold together. */
function expectSound(list: SentList): void {
  const { columns: c } = list;
  const sums = [0, 0, 0];
  let count = 0;
  let before = NONE;
  let sacked = 0;
  for (let slot = list.first; slot !== NONE; slot = c.next[slot] as number) {
    expect(c.previous[slot]).toBe(before);
    if (before !== NONE) expect(c.start[slot]).toBe(c.end[before]);
    expect(list.lengthOf(slot)).toBeGreaterThan(0);
    const state = c.state[slot] as number;
    sums[state] = (sums[state] as number) + list.lengthOf(slot);
    if (state === SentState.sacked) sacked++;
    before = slot;
    count++;
  }
  expect(list.last).toBe(before);
  expect([list.inFlightBytes, list.sackedBytes, list.lostBytes]).toEqual(sums);
  expect([list.count, list.sackedCount]).toEqual([count, sacked]);
  let flying = 0;
  let earlier = NONE;
  for (let slot = list.oldest; slot !== NONE; slot = c.later[slot] as number) {
    expect(c.state[slot]).toBe(SentState.inFlight);
    expect(c.earlier[slot]).toBe(earlier);
    if (earlier !== NONE) expect(c.sentAt[slot]).toBeGreaterThanOrEqual(c.sentAt[earlier] as number);
    flying += list.lengthOf(slot);
    earlier = slot;
  }
  expect(list.newest).toBe(earlier);
  expect(flying).toBe(list.inFlightBytes);
}

const START = 0x7fffffff - 60;

describe('RFC 6675 §3 the scoreboard', () => {
  test('any order of sending, SACKs, losses and acknowledgements keeps each byte as it should be', () => {
    const step = fc.record({
      kind: fc.constantFrom('send', 'sack', 'lose', 'resend', 'ack'),
      at: fc.nat(200),
      length: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const list = new SentList(new SentColumnsPool());
        const model = new Map<number, ModelByte>();
        let una = START;
        let nxt = START;
        let now = 0;
        for (const { kind, at, length } of steps) {
          now++;
          const outstanding = (nxt - una) | 0;
          const from = (una + (outstanding === 0 ? 0 : at % outstanding)) | 0;
          const to = (from + Math.min(length, (nxt - from) | 0)) | 0;
          if (kind === 'send') {
            list.append(nxt, (nxt + length) | 0, now);
            for (let i = 0; i < length; i++) {
              model.set((nxt + i) | 0, { state: SentState.inFlight, sentAt: now, resent: 0 });
            }
            nxt = (nxt + length) | 0;
          } else if (outstanding === 0) continue;
          else if (kind === 'ack') {
            while (list.first !== NONE && ((to - (list.columns.start[list.first] as number)) | 0) > 0) {
              const end = list.columns.end[list.first] as number;
              list.trimFirst(((to - end) | 0) < 0 ? to : end);
            }
            for (let seq = una; seq !== to; seq = (seq + 1) | 0) model.delete(seq);
            una = to;
          } else {
            const wanted = kind === 'resend' ? SentState.lost : SentState.inFlight;
            for (let slot = list.find(from); slot !== NONE; ) {
              if (((to - (list.columns.start[slot] as number)) | 0) <= 0) break;
              if (list.columns.state[slot] === wanted) {
                const first = Math.max(0, (from - (list.columns.start[slot] as number)) | 0);
                slot = list.split(slot, ((list.columns.start[slot] as number) + first) | 0);
                if (((to - (list.columns.end[slot] as number)) | 0) < 0) list.split(slot, to);
                if (kind === 'sack') list.markSacked(slot);
                else if (kind === 'lose') list.markLost(slot);
                else list.markResent(slot, now);
              }
              slot = list.columns.next[slot] as number;
            }
            for (let seq = from; seq !== to; seq = (seq + 1) | 0) {
              const byte = model.get(seq);
              if (byte === undefined || byte.state !== wanted) continue;
              if (kind === 'sack') byte.state = SentState.sacked;
              else if (kind === 'lose') byte.state = SentState.lost;
              else Object.assign(byte, { state: SentState.inFlight, sentAt: now, resent: byte.resent + 1 });
            }
          }
          expectSound(list);
          expect(bytesOf(list)).toEqual(model);
          const lost = [...model].filter(([, byte]) => byte.state === SentState.lost);
          const first =
            lost.length === 0 ? null : lost.reduce((a, b) => (((b[0] - a[0]) | 0) < 0 ? b : a))[0];
          expect(list.firstLost === NONE ? null : list.columns.start[list.firstLost]).toBe(first);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('its memory is bounded: past the bound what is sent joins the last entry', () => {
    const list = new SentList(new SentColumnsPool());
    for (let i = 0; i < MOST_SLOTS + 100; i++) list.append(i, i + 1, i);
    expect([list.count, list.inFlightBytes]).toEqual([MOST_SLOTS, MOST_SLOTS + 100]);
    expect(list.columns.sentAt[list.last]).toBe(MOST_SLOTS + 99);
    expect(list.split(list.last, MOST_SLOTS + 50)).toBe(NONE);
  });

  test('an empty list gives its memory back, and the next one takes it', () => {
    const pool = new SentColumnsPool();
    const list = new SentList(pool);
    list.append(0, 10, 1);
    const { columns } = list;
    list.trimFirst(10);
    expect(list.columns.capacity).toBe(0);
    const other = new SentList(pool);
    other.append(0, 10, 1);
    expect(other.columns).toBe(columns);
  });

  test('what was lost and was not is in flight again, before what was sent later', () => {
    const list = new SentList(new SentColumnsPool());
    const slots = [0, 10, 20, 30].map((seq) => list.append(seq, seq + 10, seq));
    for (const slot of slots.slice(0, 3)) list.markLost(slot);
    for (const slot of slots.slice(0, 3).reverse()) list.markFound(slot);
    expectSound(list);
    expect([list.oldest, list.lostBytes]).toEqual([slots[0], 0]);
  });
});

test('whole segments that leave together are one entry; a small one ends it, and so does time', () => {
  const list = new SentList(new SentColumnsPool());
  list.append(0, 1000, 1);
  expect(list.extendLast(1000, 2000, 1000, 1)).toBe(true);
  expect(list.extendLast(2000, 2500, 1000, 1)).toBe(true);
  expect(list.extendLast(2500, 3500, 1000, 1)).toBe(false);
  list.append(2500, 3500, 1);
  expect(list.extendLast(3500, 4500, 1000, 2)).toBe(false);
  expectSound(list);
  expect([list.count, list.inFlightBytes]).toEqual([2, 3500]);
});
