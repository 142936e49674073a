/** `traceroute` and `tracert`, and the flags of `ping` that note the way. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { normaliseWindowsFlags } from '../../../src/cli/windows-flags.ts';
import type { PingAnswer, PingRequest } from '../../../src/port/index.ts';
import { reply } from './answers.ts';
import { cli, FakeDaemon, type Route } from './harness.ts';

let daemon: FakeDaemon | undefined;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const answer = (result: PingAnswer['result'], from: string | null, message = ''): PingAnswer => ({
  result,
  from,
  bytes: 0,
  ttl: 60,
  rttMs: 1.5,
  message,
});

/** A path of two routers, the second of which is silent, and the destination. */
function path(asked: PingRequest[] = []): Readonly<Record<string, Route>> {
  const hops = [
    answer('ttl-expired', '10.77.0.1', 'TTL expired in transit'),
    answer('timeout', null),
    answer('reply', '192.0.2.9'),
  ];
  return {
    'POST /v1/ping': ({ body }) => {
      asked.push(body as PingRequest);
      return hops[((body as PingRequest).ttl ?? 1) - 1];
    },
    'POST /v1/resolve': ({ body }) => {
      const { name, type } = body as { name: string; type?: string };
      const isKnown = type === 'PTR' ? name === '10.77.0.1' : name === 'there.example';
      const data = type === 'PTR' ? 'gate.example' : '192.0.2.9';
      const records = isKnown ? [{ name, type: type ?? 'A', ttlSeconds: 60, data }] : [];
      return { status: isKnown ? 'found' : 'noName', records, types: [], server: null, displayName: name };
    },
  };
}

describe('winsockd traceroute', () => {
  test('a line for each hop, with the names of those who have one, until the destination answers', async () => {
    const { code, out } = await (await fake(path())).cli('traceroute 192.0.2.9 -q 2');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'Tracing route to 192.0.2.9, 30 hops at most, 32 data bytes',
        '',
        '  1   1.500 ms   1.500 ms  gate.example [10.77.0.1]',
        '  2          *          *  no answer in time',
        '  3   1.500 ms   1.500 ms  192.0.2.9',
        '',
        'Trace complete.',
        '',
      ].join('\n'),
    );
  });

  test('sends datagrams, each to the next port, or echo requests with -I', async () => {
    const asked: PingRequest[] = [];
    await (await fake(path(asked))).cli('traceroute 192.0.2.9 -n -q 2 -p 40000 -w 2 -F');
    expect(asked.slice(0, 3)).toMatchObject([
      { method: 'udp', ttl: 1, port: 40_000, timeoutMs: 2000, dontFragment: true },
      { method: 'udp', ttl: 1, port: 40_001 },
      { method: 'udp', ttl: 2, port: 40_002 },
    ]);
    asked.length = 0;
    await daemon?.cli('traceroute 192.0.2.9 -n -I');
    expect(asked[0]).toEqual({ address: '192.0.2.9', ttl: 1, size: 32, timeoutMs: 5000, sequence: 0 });
  });

  test('a name is looked up by the daemon; one that nobody knows is the end', async () => {
    const known = await (await fake(path())).cli('traceroute there.example -n -q 1');
    expect(known.out).toContain('Tracing route to there.example [192.0.2.9]');
    const unknown = await daemon?.cli('traceroute nowhere.example');
    expect(unknown?.code).toBe(1);
    expect(unknown?.err).toContain('nowhere.example: no such name');
  });

  test('it ends where the way ends, and says why', async () => {
    const routes = { 'POST /v1/ping': () => answer('unreachable', '10.77.0.1', 'host unreachable') };
    const { code, out } = await (await fake(routes)).cli('traceroute 192.0.2.9 -n -q 1');
    expect(code).toBe(1);
    expect(out).toContain('  1   1.500 ms  10.77.0.1  host unreachable\n');
    expect(out).toContain('The destination was not reached.');
  });

  test('it looks no further than it is told, from where it is told', async () => {
    const asked: PingRequest[] = [];
    const { code } = await (await fake(path(asked))).cli('traceroute 192.0.2.9 -n -q 1 -f 2 -m 2');
    expect([code, asked.map(({ ttl }) => ttl)]).toEqual([1, [2]]);
  });

  test('--json is the whole report', async () => {
    const report = await (await fake(path())).json('traceroute 192.0.2.9 -q 1');
    expect(report).toMatchObject({ address: '192.0.2.9', method: 'udp', isReached: true });
    expect((report as { hops: unknown[] }).hops[0]).toMatchObject({
      ttl: 1,
      from: [{ address: '10.77.0.1', name: 'gate.example' }],
    });
  });

  test.each([
    ['traceroute 192.0.2.9 -6', 'an IPv6 address, as asked for'],
    ['tracert 2001:db8::1 /4', 'an IPv4 address, as asked for'],
    ['traceroute 192.0.2.9 -m 300', 'whole number from 1 to 255'],
    ['traceroute 192.0.2.9 -w 3601', 'a duration from 1 ms to 3600 s'],
    ['traceroute', "missing required argument 'target'"],
  ])('%s is refused', async (line, text) => {
    const { code, err } = await cli(line);
    expect([code, err.includes(text)]).toEqual([2, true]);
  });
});

describe('winsockd tracert', () => {
  test('speaks Windows’ dialect: echo requests, -d, -h, and -w in milliseconds', async () => {
    const asked: PingRequest[] = [];
    await (await fake(path(asked))).cli('tracert -d -h 2 -w 250 192.0.2.9');
    expect(asked).toHaveLength(6);
    expect(asked[0]).toEqual({ address: '192.0.2.9', ttl: 1, size: 32, timeoutMs: 250, sequence: 0 });
    expect(normaliseWindowsFlags(['tracert', '/d', '/h', '5', '/w', '100', 'x'])).toEqual([
      'tracert',
      '--numeric',
      '--max-hops',
      '5',
      '--timeout',
      '100ms',
      'x',
    ]);
  });
});

describe('winsockd ping', () => {
  test('asks for routes, times and whole packets, and shows what came back', async () => {
    const asked: PingRequest[] = [];
    const noted = {
      ...(reply(1) as PingAnswer),
      route: ['10.77.0.1', '10.77.0.2'],
      stamps: [{ address: '10.77.0.1', time: 5, isOfDay: false }],
    };
    const routes: Readonly<Record<string, Route>> = {
      'POST /v1/ping': ({ body }) => {
        asked.push(body as PingRequest);
        return noted;
      },
    };
    const { out } = await (await fake(routes)).cli('ping /n 1 /r 9 /f 10.77.0.1');
    await daemon?.cli('ping /n 1 /s 4 /4 10.77.0.1');
    expect(asked).toMatchObject([{ recordRoute: 9, dontFragment: true }, { timestamps: 4 }]);
    expect(out).toContain('    Route: 10.77.0.1 ->\n           10.77.0.2\nTimestamp: 10.77.0.1 : 5\n');
  });

  test.each([
    ['ping -6 10.77.0.1', 'an IPv6 address, as asked for'],
    ['ping -4 ::1', 'an IPv4 address, as asked for'],
    ['ping -r 10 10.77.0.1', 'whole number from 1 to 9'],
    ['ping -W 0 10.77.0.1', 'a duration from 1 ms to 3600 s'],
    ['ping -i 90000 10.77.0.1', 'a duration from 0 ms to 86400 s'],
    ['down --timeout 9999999', 'a duration from 0 ms to 86400 s'],
  ])('%s is refused', async (line, text) => {
    const { code, err } = await cli(line);
    expect([code, err.includes(text)]).toEqual([2, true]);
  });
});
