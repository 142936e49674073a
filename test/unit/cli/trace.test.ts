/** `winsockd trace` and `winsockd netstat --tcp-info`: what the daemon knows of TCP connections. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { run } from '../../../src/cli/program.ts';
import type { TcpConnectionStatus, TcpEventStatus } from '../../../src/port/index.ts';
import { Collector, cli, FakeDaemon, type Route, testContext } from './harness.ts';

let daemon: FakeDaemon | undefined;
async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const EVENT: TcpEventStatus = {
  time: Date.UTC(2024, 0, 1, 12, 30, 15, 250) + 0.4,
  endpoint: 3,
  local: '10.77.0.2:80',
  remote: '10.77.0.1:40000',
  event: 'state',
  from: 'SYN-RECEIVED',
  to: 'ESTABLISHED',
  text: 'SYN-RECEIVED → ESTABLISHED',
};
const LINES = `${JSON.stringify({ dropped: 0 })}\n${JSON.stringify(EVENT)}\n${JSON.stringify({ dropped: 2 })}\n`;

describe('winsockd trace', () => {
  test('each event is a line: time, connection, what happened; gaps are told', async () => {
    const fakeDaemon = await fake({ 'GET /v1/trace': (_asked, response) => void response.end(LINES) });
    const { code, out } = await fakeDaemon.cli('trace --port 80 --events state,rtt --seconds 2');
    expect(out).toBe(
      '12:30:15.250  10.77.0.2:80 ↔ 10.77.0.1:40000  SYN-RECEIVED → ESTABLISHED\n' +
        '… 2 events missing: this reader was too slow\n',
    );
    expect(code).toBe(0);
    expect(fakeDaemon.asked[0]?.url).toBe('/v1/trace?port=80&events=state%2Crtt&seconds=2');
  });

  test('--json passes the daemon’s lines on, however they are cut', async () => {
    const fakeDaemon = await fake({
      'GET /v1/trace': (_asked, response) => {
        const cut = LINES.indexOf('↔') + 40;
        response.write(LINES.slice(0, cut), () => response.end(LINES.slice(cut)));
      },
    });
    expect((await fakeDaemon.cli('trace --json')).out).toBe(LINES);
  });

  test('interrupting is how it ends', async () => {
    const interruption = new AbortController();
    const stdout = new Collector(false);
    stdout.onChunk = () => interruption.abort();
    const fakeDaemon = await fake({ 'GET /v1/trace': (_asked, response) => void response.write(LINES) });
    const args = ['trace', '--control', fakeDaemon.path];
    expect(await run(args, testContext(stdout, new Collector(false), { interruption }))).toBe(0);
  });

  test('a daemon that goes away ends it with exit code 3', async () => {
    const fakeDaemon = await fake({
      'GET /v1/trace': (_asked, response) => void response.write(LINES, () => response.destroy()),
    });
    const { code, err, out } = await fakeDaemon.cli('trace');
    expect([code, out.split('\n').length]).toEqual([3, 3]);
    expect(err).toContain('the daemon went away');
  });

  test.each([
    ['trace --events state,colour', '"colour" is not one of state, window'],
    ['trace --port 0', 'whole number from 1 to 65535'],
    ['trace --seconds soon', 'not a number'],
  ])('%s is a usage error', async (line, message) => {
    expect(await cli(line)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('winsockd netstat --tcp-info', () => {
  const CONNECTION: TcpConnectionStatus = {
    id: 3,
    localAddress: '10.77.0.2',
    localPort: 80,
    remoteAddress: '10.77.0.1',
    remotePort: 40_000,
    state: 'ESTABLISHED',
    pids: [501],
    info: { cwnd: 14_600, srtt: 1.23456, timestampsEnabled: true },
    perf: { segsOut: 12 },
    path: { countRtt: 4 },
    stack: { congestionControl: 'cubic' },
    app: { curAppWQueue: 0 },
  };

  test('a block for each connection, a list for each table', async () => {
    const fakeDaemon = await fake({ 'GET /v1/tcp': [CONNECTION] });
    const { out } = await fakeDaemon.cli('netstat --tcp-info --port 80');
    expect(out).toBe(
      [
        '10.77.0.2:80 ↔ 10.77.0.1:40000  ESTABLISHED',
        '',
        'Connection (TCP_INFO)',
        '  cwnd               14600',
        '  srtt               1.235',
        '  timestampsEnabled  true',
        '',
        'Performance (RFC 4898 tcpEStatsPerf)',
        '  segsOut  12',
        '',
        'Path (RFC 4898 tcpEStatsPath)',
        '  countRtt  4',
        '',
        'Algorithms (RFC 4898 tcpEStatsStack)',
        '  congestionControl  cubic',
        '',
        'Application (RFC 4898 tcpEStatsApp)',
        '  curAppWQueue  0',
        '',
      ].join('\n'),
    );
    expect(fakeDaemon.asked[0]?.url).toBe('/v1/tcp?port=80');
    expect(await fakeDaemon.json('netstat -i')).toEqual([CONNECTION]);
  });
});
