/**
 * The decoder of calls: by tables, and safe for whatever is passed.
 */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OPTION_LAYOUTS, sockaddrOf } from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import {
  decodeArguments,
  decodeResults,
  fileSink,
  jsonLine,
  portSink,
  type TraceRecord,
  textLine,
} from '../../../src/layers/trace/index.ts';
import { EXTENSION_IDS, type ExtensionFunctions, WSP_ENTRIES } from '../../../src/spi/index.ts';

const CALLS = [...WSP_ENTRIES, ...(EXTENSION_IDS.values() as Iterable<keyof ExtensionFunctions>)];
const addr = sockaddrOf(IpAddress.parse('fd00::2') ?? IpAddress.anyV6, 443);

describe('arguments', () => {
  test.each([
    [
      'WSPSocket',
      [2, 2, 17, null, 0, 1],
      { af: 'AF_INET', type: 'SOCK_DGRAM', protocol: 'IPPROTO_UDP', dwFlags: 'WSA_FLAG_OVERLAPPED' },
    ],
    ['WSPConnect', [8, addr, 28, null, null, null, null], { name: '[fd00::2]:443', namelen: 28 }],
    ['WSPConnect', [8, addr, 99, null, null, null, null], { name: '[fd00::2]:443', namelen: 99 }],
    ['WSPConnect', [8, addr, 3, null, null, null, null], { name: '<family 23>' }],
    ['WSPConnect', [8, null, 16, null, null, null, null], { name: null }],
    ['WSPShutdown', [8, 1], { how: 'SD_SEND' }],
    ['WSPShutdown', [8, 7], { how: '7' }],
    ['WSPEventSelect', [8, 12, 0x23], { lNetworkEvents: 'FD_READ|FD_WRITE|FD_CLOSE' }],
    [
      'WSPSend',
      [8, [Uint8Array.of(0)], 1, 0x8003, null, null, null],
      { dwFlags: 'MSG_OOB|MSG_PEEK|MSG_PARTIAL' },
    ],
    ['WSPSend', [8, [Uint8Array.of(0)], 1, -1, null, null, null], { lpBuffers: [{ len: 1, hex: '00' }] }],
    [
      'WSPIoctl',
      [8, 0x9800000c, Uint8Array.of(1, 0, 0, 0), 4, null, 0, null, null, null],
      { dwIoControlCode: 'SIO_UDP_CONNRESET', lpvInBuffer: 1 },
    ],
    [
      'WSPIoctl',
      [8, 0x9800000c | 0, null, 0, null, 0, null, null, null],
      { dwIoControlCode: 'SIO_UDP_CONNRESET' },
    ],
    ['WSPIoctl', [8, 0x12345678, null, 0, null, 0, null, null, null], { dwIoControlCode: '0x12345678' }],
    [
      'WSPSetSockOpt',
      [8, 6, 1, Uint8Array.of(1), 1],
      { level: 'IPPROTO_TCP', optname: 'TCP_NODELAY', optval: true },
    ],
    [
      'WSPSetSockOpt',
      [8, 0xffff, 0x80, Uint8Array.of(1, 0, 9, 0), 4],
      { optname: 'SO_LINGER', optval: { l_onoff: 1, l_linger: 9 } },
    ],
    [
      'WSPSetSockOpt',
      [8, 5, 77, Uint8Array.of(1, 2), 2],
      { level: 'IPPROTO_ST', optname: '77', optval: { len: 2, hex: '0102' } },
    ],
    [
      'WSPSelect',
      [0, { fd_array: [4, 8] }, null, null, { tv_sec: 1, tv_usec: 5 }],
      { readfds: [4, 8], writefds: null, timeout: { tv_sec: 1, tv_usec: 5 } },
    ],
    ['DisconnectEx', [8, null, 2, 0], { dwFlags: 'TF_REUSE_SOCKET' }],
  ] as const)('%s %#', (call, args, expected) => {
    expect(decodeArguments(call, args)).toMatchObject(expected);
  });

  test('every option that has a layout is shown by its name', () => {
    for (const { level, option } of OPTION_LAYOUTS) {
      const { optname } = decodeArguments('WSPSetSockOpt', [8, level, option, null, 0]);
      const shown = OPTION_LAYOUTS.filter((layout) => layout.name === optname);
      expect(shown.some((layout) => layout.level === level && layout.option === option)).toBe(true);
    }
  });

  test('no more bytes of a buffer are shown than asked for, and none for 0', () => {
    const bytes = new TextEncoder().encode('a secret that is long enough to be cut off somewhere');
    const shown = (most: number) =>
      decodeArguments('WSPSend', [8, [bytes], 1, 0, null, null, null], most)['lpBuffers'];
    expect(shown(4)).toEqual([{ len: 52, text: 'a se' }]);
    expect(shown(0)).toEqual([{ len: 52 }]);
  });

  test('long lists are cut, and say how much is missing', () => {
    const buffers = Array.from({ length: 20 }, () => Uint8Array.of(65));
    const { lpBuffers } = decodeArguments('WSPSend', [8, buffers, 20, 0, null, null, null]);
    expect((lpBuffers as unknown[]).length).toBe(17);
    expect((lpBuffers as unknown[]).at(-1)).toBe('… 4 more');
  });
});

describe('results', () => {
  test('of a receive only the bytes that came, over all buffers', () => {
    const [one, two] = [new TextEncoder().encode('abc'), new TextEncoder().encode('defgh')];
    const out = decodeResults('WSPRecv', [8, [one, two], 2, { value: 0x8000 }, null, null, null], 5);
    expect(out).toEqual({
      lpBuffers: [
        { len: 3, text: 'abc' },
        { len: 2, text: 'de' },
      ],
      lpFlags: 'MSG_PARTIAL',
    });
  });

  test('network events with the errors of those that failed', () => {
    const events = { lNetworkEvents: 0x11, iErrorCode: [0, 0, 0, 0, 10061, 0, 0, 0, 0, 0] };
    expect(decodeResults('WSPEnumNetworkEvents', [8, 0, events], 0)).toEqual({
      lpNetworkEvents: {
        lNetworkEvents: 'FD_READ|FD_CONNECT',
        iErrorCode: { FD_CONNECT: 'WSAECONNREFUSED' },
      },
    });
  });

  test('none of a call that failed', () => {
    expect(decodeResults('WSPGetSockName', [8, addr, { value: 28 }], -10022)).toEqual({});
  });
});

test('whatever an application passes is shown as JSON and as a line, and nothing throws', () => {
  const anything = fc.oneof(
    fc.constant(null),
    fc.constant(undefined),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 4 }),
    fc.record({ value: fc.oneof(fc.integer(), fc.string(), fc.uint8Array(), fc.constant(null)) }),
    fc.record({ fd_array: fc.array(fc.integer()) }),
    fc.record({ lNetworkEvents: fc.integer(), iErrorCode: fc.constant(null) }),
    fc.record({
      name: fc.anything(),
      lpBuffers: fc.anything(),
      Control: fc.anything(),
      namelen: fc.anything(),
    }),
    fc.anything(),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...CALLS),
      fc.array(anything, { maxLength: 11 }),
      fc.integer({ min: -20_000, max: 5000 }),
      (call, args, answer) => {
        const record: TraceRecord = {
          t: 1,
          n: 1,
          event: 'call',
          layer: 'l',
          chain: 'c',
          call,
          args: decodeArguments(call, args),
          out: decodeResults(call, args, answer),
          result: answer,
          us: 3,
        };
        expect(JSON.parse(jsonLine(record)).call).toBe(call);
        expect(textLine(record)).toContain(`#1 ${call}(`);
      },
    ),
    { numRuns: 2000 },
  );
});

describe('sinks', () => {
  const record: TraceRecord = {
    t: 1.5,
    n: 1,
    event: 'call',
    layer: 'trace',
    chain: 'c',
    call: 'WSPListen',
    args: { s: 8, backlog: 5 },
    result: 0,
    us: 2,
  };

  test('a file gets a line for each record, and is its owner’s only', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trace-'));
    const path = join(folder, 'calls-%p.jsonl');
    const sink = fileSink(path);
    sink(record);
    sink({ ...record, n: 2 });
    const real = path.replace('%p', String(process.pid));
    const lines = readFileSync(real, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).n)).toEqual([1, 2]);
    expect(statSync(real).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });

  test('what cannot be written does not stop the application', () => {
    const sink = fileSink('/nowhere/at/all/trace.jsonl');
    expect(() => sink(record)).not.toThrow();
  });

  test('a port gets lines of text', async () => {
    const lines = new Promise<string>((resolve) => {
      const server = createServer((socket) => {
        socket.once('data', (data) => {
          resolve(String(data));
          socket.destroy();
          server.close();
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        portSink('127.0.0.1', port, 'text')(record);
      });
    });
    expect(await lines).toBe('1.500 trace #1 WSPListen(s=8, backlog=5) = 0  2 µs\n');
  });
});
