/** Reports of calls on the wire: what is written is read, and nothing else is. */

import { describe, expect, test } from '@jest/globals';
import {
  REPORT_MAX,
  readReport,
  VALUE_LIMITS,
  ValueReader,
  ValueWriter,
  writeCalls,
  writeFigures,
} from '../../../src/ipc/index.ts';
import type { CallRecord, ChainFigures, WatchValue } from '../../../src/port/index.ts';

function bytesOf(...values: readonly WatchValue[]): Uint8Array {
  const writer = new ValueWriter(1);
  for (const value of values) writer.write(value);
  return writer.bytes;
}

function back(value: WatchValue): WatchValue | 'wrong' {
  const reader = new ValueReader(bytesOf(value));
  const read = reader.read();
  return reader.isWrong || !reader.isAtEnd ? 'wrong' : read;
}

const CALL: CallRecord = {
  time: 1_700_000_000_000.25,
  n: 7,
  event: 'call',
  depth: 1,
  layer: 'MSAFD base provider',
  chain: 'layer 0 over [MSAFD Tcpip [TCP/IP]]',
  call: 'WSPSend',
  s: 264,
  args: { s: 264, lpBuffers: [{ len: 5, text: 'hello' }], dwBufferCount: 1, lpOverlapped: null },
  result: 5,
  us: 12,
};

const ROW: ChainFigures = {
  s: 264,
  protocol: 'MSAFD Tcpip [TCP/IP]',
  depth: 0,
  layer: 'tls',
  calls: 3,
  errors: 1,
  bytesSent: 5_000_000_000,
  bytesReceived: 0,
  us: 100,
  busyUs: 40,
};

const oneByOne = (calls: readonly CallRecord[]): (() => CallRecord | null) => {
  const left = [...calls];
  return () => left.shift() ?? null;
};

describe('values', () => {
  test.each<[string, WatchValue]>([
    ['null', null],
    ['booleans', [true, false]],
    ['whole numbers', [0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)]],
    ['numbers past 32 bits and fractions', [2 ** 31, -(2 ** 31) - 1, 0.5, 1e300, 2 ** 53]],
    ['texts, the same again', ['a', '', 'ä€😀', 'a', 'a']],
    ['structures', { a: { b: [{ c: 1 }, []] }, d: {} }],
    ['a name that objects have by themselves', JSON.parse('{"__proto__": 1, "constructor": 2}')],
  ])('%s come back', (_what, value) => {
    expect(back(value)).toEqual(value);
  });

  test('a text that came before takes two bytes', () => {
    expect(bytesOf('lpBuffers', 'lpBuffers').length - bytesOf('lpBuffers').length).toBe(2);
  });

  test('a long text is cut, what is too deep is left out', () => {
    expect(back('x'.repeat(5000))).toBe('x'.repeat(VALUE_LIMITS.text / 4));
    let deep: WatchValue = 1;
    for (let i = 0; i < VALUE_LIMITS.depth + 5; i++) deep = [deep];
    expect(JSON.stringify(back(deep))).toBe(`${'['.repeat(12)}null${']'.repeat(12)}`);
  });

  test.each([
    ['an unknown tag', [9]],
    ['a text past the end', [5, 4, 0x61]],
    ['a text that is no UTF-8', [5, 1, 0xff]],
    ['a text that has not come before', [6, 0]],
    ['a list of more than there is', [7, 0xff, 0xff, 3, 0]],
    ['a count past 32 bits', [7, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a name that is no text', [8, 1, 3, 0, 0]],
    ['half a double', [4, 0, 0, 0]],
    ['nothing', []],
  ])('%s is no value', (_what, bytes) => {
    const reader = new ValueReader(Uint8Array.from(bytes));
    expect(reader.read()).toBeNull();
    expect(reader.isWrong).toBe(true);
  });

  test('more values than allowed are none', () => {
    const many = new Uint8Array(VALUE_LIMITS.values + 2);
    many.set([7, 0x81, 0x80, 0x04]); // a list of 65,537 nulls
    const reader = new ValueReader(many);
    expect(reader.read()).toBeNull();
    expect(reader.isWrong).toBe(true);
  });

  test('a few bytes do not become very many: a text that is referred to counts each time', () => {
    const text = 'x'.repeat(VALUE_LIMITS.text);
    const bytes = new Uint8Array(text.length + 3 + 2 * 2000 + 3);
    bytes.set([7, 0xd1, 0x0f, 5, 0x80, 0x08, ...Buffer.from(text)]); // a list of 2001: the text, then it again
    for (let at = 6 + text.length; at + 1 < bytes.length; at += 2) bytes.set([6, 0], at);
    const reader = new ValueReader(bytes);
    expect(reader.read()).toBeNull();
    expect(reader.isWrong).toBe(true);
  });

  test('a number that is none on paper is null', () => {
    expect(back(Number.NaN)).toBeNull();
    expect(back(Number.POSITIVE_INFINITY)).toBeNull();
  });
});

describe('reports', () => {
  test('calls come back with what is missing before them', () => {
    const failed: CallRecord = { ...CALL, n: 8, event: 'end', error: 'WSAECONNRESET' };
    const bytes = writeCalls(3, oneByOne([CALL, failed]));
    expect(readReport(bytes)).toEqual({ kind: 'calls', lost: 3, calls: [CALL, failed] });
  });

  test('a report takes as many calls as have room', () => {
    const wide = { ...CALL, args: { data: Array.from({ length: 200 }, (_, i) => i * 1.5) } };
    const calls = Array.from({ length: 100 }, (_, i) => ({ ...wide, n: i }));
    const take = oneByOne(calls);
    const first = writeCalls(0, take);
    expect(first.length).toBeLessThanOrEqual(REPORT_MAX);
    const second = readReport(writeCalls(0, take));
    const begun = readReport(first);
    expect(begun?.kind === 'calls' && begun.calls.length).toBeGreaterThan(10);
    const told = begun?.kind === 'calls' && second?.kind === 'calls' ? [...begun.calls, ...second.calls] : [];
    expect(told.map(({ n }) => n)).toEqual(told.map((_, i) => i));
  });

  test('figures come back, and how many had no room', () => {
    expect(readReport(writeFigures([ROW], true))).toEqual({
      kind: 'figures',
      rows: [ROW],
      omitted: 0,
      isLast: true,
    });
    const many = Array.from({ length: 20_000 }, (_, s) => ({ ...ROW, s }));
    const bytes = writeFigures(many, false);
    const report = readReport(bytes);
    expect(bytes.length).toBeLessThanOrEqual(REPORT_MAX);
    expect(report?.kind === 'figures' && report.rows.length + report.omitted).toBe(20_000);
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['another version', bytesOf([2, 1, 0])],
    ['another kind', bytesOf([1, 3, 0])],
    ['less than nothing missing', bytesOf([1, 1, -1])],
    ['a call without a time', bytesOf([1, 1, 0], { ...CALL, time: 'now' })],
    ['an event that does not exist', bytesOf([1, 1, 0], { ...CALL, event: 'never' })],
    ['a negative depth', bytesOf([1, 1, 0], { ...CALL, depth: -1 })],
    ['arguments that are none', bytesOf([1, 1, 0], { ...CALL, args: [1] })],
    ['figures without an end', bytesOf([1, 2, true], { ...ROW })],
    ['figures that go on behind their end', bytesOf([1, 2, true], 0, { ...ROW })],
    ['a row without calls', bytesOf([1, 2, true], { ...ROW, calls: null }, 0)],
    ['too much', new Uint8Array(REPORT_MAX + 1)],
  ])('%s is no report', (_what, bytes) => {
    expect(readReport(bytes)).toBeNull();
  });

  test('members that nobody knows are left out', () => {
    const report = readReport(bytesOf([1, 1, 0], { ...CALL, more: 'than asked' }));
    expect(report).toEqual({ kind: 'calls', lost: 0, calls: [CALL] });
  });
});
