/**
 * The format of recordings: what is written is read, and nothing else is believed.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bytesLine,
  cutLine,
  endLine,
  headerLine,
  parseRecording,
  RecordingError,
  recordingName,
} from '../../../src/layers/record/index.ts';

const HEADER = { role: 'client', local: '10.0.0.1:5000', remote: '10.0.0.2:80' } as const;

test('what is written is read again', () => {
  const events = fc.array(
    fc.record({
      way: fc.constantFrom('in' as const, 'out' as const),
      bytes: fc.uint8Array({ maxLength: 60 }),
    }),
  );
  fc.assert(
    fc.property(events, fc.boolean(), (list, isCut) => {
      const lines = list.map(({ way, bytes }, i) => bytesLine(i, way, bytes));
      const text = [
        headerLine(HEADER),
        ...lines,
        endLine(99, 'in', 'WSAECONNRESET'),
        endLine(99, 'out', null),
      ];
      const read = parseRecording(text.join('') + (isCut ? cutLine(100) : ''));
      expect(read).toMatchObject({ ...HEADER, isCut });
      expect(
        read.events.slice(0, list.length).map(({ way, bytes }) => ({ way, bytes: [...(bytes ?? [])] })),
      ).toEqual(list.map(({ way, bytes }) => ({ way, bytes: [...bytes] })));
      expect(read.events.slice(list.length)).toEqual([
        { t: 99, way: 'in', error: 10054 },
        { t: 99, way: 'out', isEnd: true },
      ]);
    }),
  );
});

test('a last line that is not whole is where it was cut', () => {
  const read = parseRecording(`${headerLine(HEADER)}${bytesLine(1, 'in', Uint8Array.of(65))}{"t":2,"wa`);
  expect(read).toMatchObject({ isCut: true, events: [{ t: 1 }] });
});

describe('what is refused, with the line', () => {
  test.each([
    ['', /line 1: no JSON/],
    ['{"format":"other"}\n', /line 1: this is no recording/],
    ['{"format":"winsockd-recording","version":9}\n', /version 9/],
    [`${headerLine(HEADER)}x\n`, /line 2: no JSON/],
    [`${headerLine(HEADER)}{"t":-1,"way":"in","text":""}\n`, /line 2: t has to be/],
    [`${headerLine(HEADER)}{"t":1,"way":"up","text":""}\n`, /line 2: way/],
    [`${headerLine(HEADER)}{"t":1,"way":"in","base64":"*"}\n`, /line 2: it has neither/],
    [`${headerLine(HEADER)}{"t":1,"way":"in","error":"WSAENOSUCH"}\n`, /line 2: it has neither/],
    [
      `${headerLine(HEADER)}{"t":5,"way":"in","text":""}\n{"t":4,"way":"in","text":""}\n`,
      /line 3: time goes back/,
    ],
  ])('%j', (text, message) => {
    expect(() => parseRecording(text)).toThrow(RecordingError);
    expect(() => parseRecording(text)).toThrow(message);
  });

  test('no text makes it fail in any other way', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json())), (lines) => {
        try {
          parseRecording(headerLine(HEADER) + lines.join('\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(RecordingError);
        }
      }),
    );
  });
});

test('a file’s name has nothing in it that leads anywhere else', () => {
  fc.assert(
    fc.property(fc.string(), (remote) => {
      expect(recordingName(7, { ...HEADER, remote })).toMatch(/^\d+-0007-client-[0-9A-Fa-f.-]*\.wsrec$/);
    }),
  );
  expect(recordingName(1, { ...HEADER, remote: '[fd00::1]:443' })).toMatch(/-client-fd00-1-443\.wsrec$/);
});
