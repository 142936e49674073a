import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { run } from '../../../src/cli/program.ts';
import { IMPAIRMENT, INTERFACES, reply, STATUS } from './answers.ts';
import { Collector, cli, FakeDaemon, type Route, refuse, testContext } from './harness.ts';

let daemon: FakeDaemon | undefined;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

/** Answers of a ping, one after the other. */
function pings(...answers: unknown[]): Readonly<Record<string, Route>> {
  let next = 0;
  return { 'POST /v1/ping': () => answers[next++] };
}

describe('winsockd ping', () => {
  test('each answer is a line, and the statistics come last', async () => {
    const { code, out } = await (await fake(pings(reply(1), reply(2), reply(3)))).cli('ping 10.77.0.1 -c 3');
    expect(out).toBe(
      [
        'PING 10.77.0.1: 56 data bytes',
        '56 bytes from 10.77.0.1: icmp_seq=1 ttl=64 time=1.000 ms',
        '56 bytes from 10.77.0.1: icmp_seq=2 ttl=64 time=2.000 ms',
        '56 bytes from 10.77.0.1: icmp_seq=3 ttl=64 time=3.000 ms',
        '',
        '--- 10.77.0.1 ping statistics ---',
        '3 packets transmitted, 3 received, 0% packet loss, time 2000 ms',
        'rtt min/avg/max/mdev = 1.000/2.000/3.000/0.816 ms',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  test('a name is looked up by the daemon, of the family that is asked for; one that nobody knows is the end', async () => {
    const asked: unknown[] = [];
    const records = [
      { name: 'example.org', type: 'A', ttl: 60, data: '10.77.0.1' },
      { name: 'example.org', type: 'AAAA', ttl: 60, data: 'fd00::1' },
    ];
    const daemon = await fake({
      'POST /v1/resolve': ({ body }) => ({
        records: (body as { name: string }).name === 'example.org' ? records : [],
      }),
      'POST /v1/ping': ({ body }) => {
        asked.push((body as { address: string }).address);
        return reply(1);
      },
    });
    const { code, out } = await daemon.cli('ping -c 1 example.org');
    expect([code, out.split('\n')[0]]).toEqual([0, 'PING example.org (10.77.0.1): 56 data bytes']);
    expect((await daemon.cli('ping -6 -c 1 example.org')).code).toBe(0);
    expect(asked).toEqual(['10.77.0.1', 'fd00::1']);
    expect(await daemon.cli('ping nobody.example')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such name'),
    });
  });

  test('RFC 4007 §11 the zone of an address may be the name of an interface', async () => {
    const asked: unknown[] = [];
    const daemon = await fake({
      'GET /v1/interfaces': INTERFACES,
      'POST /v1/ping': ({ body }) => {
        asked.push((body as { address: string }).address);
        return reply(1);
      },
    });
    for (const address of ['fe80::1%tap0', 'fe80::1%7']) await daemon.cli(`ping -c 1 ${address}`);
    expect(asked).toEqual(['fe80::1%2', 'fe80::1%7']);
    expect(await daemon.cli('ping fe80::1%tap9')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no interface tap9; there is lo, tap0'),
    });
  });

  test('nothing back is exit code 1, and no times are given', async () => {
    const lost = { result: 'timeout', from: null, bytes: 0, ttl: 0, rttMs: 0, message: 'no answer' };
    const { code, out } = await (await fake(pings(lost, lost))).cli('ping 10.77.0.9 -n 2');
    expect(code).toBe(1);
    expect(out).toContain('no answer for icmp_seq 2\n');
    expect(out).toContain('2 packets transmitted, 0 received, 100% packet loss');
    expect(out).not.toContain('rtt');
  });

  test('an ICMP error is told with its sender, and one reply among losses is success', async () => {
    const expired = {
      result: 'ttl-expired',
      from: '10.0.0.1',
      bytes: 0,
      ttl: 0,
      rttMs: 0,
      message: 'time to live exceeded',
    };
    const { code, out } = await (await fake(pings(expired, reply(1), expired))).cli('ping 10.77.0.1 -n 3');
    expect(out).toContain('from 10.0.0.1: icmp_seq=1 time to live exceeded\n');
    expect(out).toContain('66.7% packet loss');
    expect(code).toBe(0);
  });

  test('size, time to live, wait and sequence reach the daemon', async () => {
    const fakeDaemon = await fake(pings(reply(1), reply(1)));
    await fakeDaemon.cli('ping 10.77.0.1 -c 2 -s 1000 -t 3 -W 0.5 -i 200ms');
    const common = { address: '10.77.0.1', size: 1000, ttl: 3, timeoutMs: 500 };
    expect(fakeDaemon.asked.map(({ body }) => body)).toEqual([
      { ...common, sequence: 1 },
      { ...common, sequence: 2 },
    ]);
  });

  test('Windows’ /n /l /i /w mean count, size, time to live and milliseconds', async () => {
    const fakeDaemon = await fake(pings(reply(1)));
    await fakeDaemon.cli('ping /n 1 /l 32 /i 9 /w 250 10.77.0.1');
    expect(fakeDaemon.asked.map(({ body }) => body)).toEqual([
      { address: '10.77.0.1', size: 32, ttl: 9, timeoutMs: 250, sequence: 1 },
    ]);
  });

  test('requests keep their pace: there is a pause between two and none after the last', async () => {
    const sleeps: number[] = [];
    await (await fake(pings(reply(1), reply(1), reply(1)))).cli('ping 10.77.0.1 -c 3 -i 0.2', {
      onSleep: (ms) => void sleeps.push(ms),
    });
    expect(sleeps).toEqual([200, 200]);
  });

  test('four requests are sent unless told otherwise', async () => {
    const fakeDaemon = await fake({ 'POST /v1/ping': () => reply(1) });
    await fakeDaemon.cli('ping 10.77.0.1');
    expect(fakeDaemon.asked).toHaveLength(4);
  });

  test('-n 0 goes on until interrupted, and then tells the statistics', async () => {
    const interruption = new AbortController();
    let sleeps = 0;
    const onSleep = (): void => {
      if (++sleeps === 7) interruption.abort();
    };
    const { code, out } = await (await fake({ 'POST /v1/ping': () => reply(1) })).cli('ping 10.77.0.1 -n 0', {
      interruption,
      onSleep,
    });
    expect(out).toContain('7 packets transmitted, 7 received');
    expect(code).toBe(0);
  });

  test('--json answers one document with every answer', async () => {
    const report = await (await fake(pings(reply(1), reply(3)))).json('ping 10.77.0.1 -n 2');
    expect(report).toEqual({
      address: '10.77.0.1',
      transmitted: 2,
      received: 2,
      loss: 0,
      rtt: { min: 1, avg: 2, max: 3, mdev: 1 },
      answers: [reply(1), reply(3)],
    });
  });

  test.each([
    ['ping 10.0.0.1 -s 65508', 'whole number from 0 to 65507'],
    ['ping 10.0.0.1 -t 0', 'whole number from 1 to 255'],
    ['ping 10.0.0.1 -i soon', 'a duration such as'],
    ['ping', "missing required argument 'target'"],
  ])('%s is a usage error', async (line, message) => {
    const { code, err } = await cli(line);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('winsockd capture', () => {
  const status = { path: '/here/out.pcapng', isRunning: true, packets: 0, bytes: 0 };

  test('-w FILE begins a file with an absolute path and returns', async () => {
    const fakeDaemon = await fake({ 'POST /v1/capture': status });
    const { code, out } = await fakeDaemon.cli('capture -w out.pcapng --max-bytes 4096');
    expect(fakeDaemon.asked[0]?.body).toEqual({ path: '/here/out.pcapng', maxBytes: 4096 });
    expect(out).toBe('capturing to /here/out.pcapng; end it: winsockd capture --stop\n');
    expect(code).toBe(0);
  });

  test('--stop ends it and tells what was written', async () => {
    const ended = { ...status, isRunning: false, packets: 1, bytes: 2340 };
    const fakeDaemon = await fake({ 'DELETE /v1/capture': ended });
    expect((await fakeDaemon.cli('capture --stop')).out).toBe('/here/out.pcapng: 1 packet, 2340 bytes\n');
    expect(await fakeDaemon.json('capture --stop')).toEqual(ended);
  });

  test('-w - streams the bytes as they are', async () => {
    const packets = Buffer.from([0x0a, 0x0d, 0x0d, 0x0a, 0xff, 0x00, 0x80]);
    const fakeDaemon = await fake({ 'GET /v1/capture': (_asked, response) => void response.end(packets) });
    const { code, bytes } = await fakeDaemon.cli('capture -w - --seconds 2.5');
    expect(bytes).toEqual(packets);
    expect(fakeDaemon.asked[0]?.url).toBe('/v1/capture?seconds=2.5');
    expect(code).toBe(0);
  });

  test('--follow writes the file on this side', async () => {
    const fakeDaemon = await fake({ 'GET /v1/capture': (_asked, response) => void response.end('packets') });
    const file = join(fakeDaemon.folder, 'out.pcapng');
    expect(
      (await fakeDaemon.cli('capture -w out.pcapng --follow', { directory: fakeDaemon.folder })).code,
    ).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('packets');
  });

  test('interrupting is how a stream ends, and what came is kept', async () => {
    const interruption = new AbortController();
    const stdout = new Collector(false);
    stdout.onChunk = () => interruption.abort();
    const fakeDaemon = await fake({ 'GET /v1/capture': (_asked, response) => void response.write('some') });
    const args = ['capture', '-w', '-', '--control', fakeDaemon.path];
    expect(await run(args, testContext(stdout, new Collector(false), { interruption }))).toBe(0);
    expect(Buffer.concat(stdout.chunks).toString()).toBe('some');
  });

  test('interrupting a stream that has not begun is no failure either', async () => {
    const interruption = new AbortController();
    const fakeDaemon = await fake({ 'GET /v1/capture': () => interruption.abort() });
    expect(await fakeDaemon.cli('capture -w -', { interruption })).toMatchObject({ code: 0, err: '' });
  });

  test('a daemon that goes away ends a stream with exit code 3', async () => {
    const fakeDaemon = await fake({
      'GET /v1/capture': (_asked, response) => {
        response.write('some', () => response.destroy());
      },
    });
    const { code, err } = await fakeDaemon.cli('capture -w -');
    expect(err).toContain('the daemon went away');
    expect(code).toBe(3);
  });

  test('a file that the daemon may not write is exit code 4, with the daemon’s words', async () => {
    const fakeDaemon = await fake({
      'POST /v1/capture': (_asked, response) =>
        refuse(response, 403, 'notPermitted', 'cannot write; use --follow'),
    });
    expect(await fakeDaemon.cli('capture -w /root/x')).toMatchObject({
      code: 4,
      err: 'winsockd: cannot write; use --follow\n',
    });
  });

  test.each([
    ['capture', 'name a file with -w FILE'],
    ['capture --stop -w x', 'takes no -w'],
    ['capture -w x --seconds no', '--seconds: "no" is not a number'],
  ])('%s is a usage error', async (line, message) => {
    const { code, err } = await cli(line);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('winsockd impair', () => {
  const clean = { link: 'tun0', settings: {}, fates: {} };
  const echo = ({ body }: { body: unknown }): unknown => ({ ...clean, settings: body });

  test('add takes units that people use', async () => {
    const fakeDaemon = await fake({ 'GET /v1/impairments': [clean], 'PUT /v1/impairments/tun0': echo });
    const { code, out } = await fakeDaemon.cli(
      'impair add --delay 50ms --jitter 0.01s --loss 1% --duplicate 0.5 --reorder 2% --corrupt 0.1% --mark 3% --rate 1mbit --mark-above 30000 --seed 7',
    );
    expect(fakeDaemon.asked[1]?.body).toEqual({
      delay: 50,
      jitter: 10,
      loss: 0.01,
      duplicate: 0.5,
      reorder: 0.02,
      corrupt: 0.001,
      mark: 0.03,
      rateBytesPerSec: 125_000,
      markAboveBytes: 30_000,
      seed: 7,
    });
    expect(out).toBe(
      'tun0: delay 50ms, jitter 10ms, loss 1%, duplicate 50%, reorder 2%, corrupt 0.1%, mark 3%, rate 1mbit, mark above 30000 bytes, seed 7\n',
    );
    expect(code).toBe(0);
  });

  test('add keeps what it does not name', async () => {
    const fakeDaemon = await fake({ 'GET /v1/impairments': [IMPAIRMENT], 'PUT /v1/impairments/tun0': echo });
    await fakeDaemon.cli('impair add --loss 0%');
    expect(fakeDaemon.asked[1]?.body).toEqual({ ...IMPAIRMENT.settings, loss: 0 });
  });

  test('with several links one has to be chosen, and an unknown one is refused with the names', async () => {
    const fakeDaemon = await fake({
      'GET /v1/impairments': [clean, { ...clean, link: 'a/b' }],
      'PUT /v1/impairments/a%2Fb': (asked: { body: unknown }) => ({
        ...clean,
        link: 'a/b',
        settings: asked.body,
      }),
    });
    expect(await fakeDaemon.cli('impair add --loss 1%')).toMatchObject({ code: 2 });
    const unknown = await fakeDaemon.cli('impair add --loss 1% --link eth9');
    expect(unknown.err).toContain('there is no link "eth9"; choose one with --link: tun0, a/b');
    expect((await fakeDaemon.cli('impair add --loss 1% --link a/b')).out).toBe('a/b: loss 1%\n');
  });

  test('show tells settings and the fates that occurred', async () => {
    const fakeDaemon = await fake({
      'GET /v1/impairments': [IMPAIRMENT],
      'GET /v1/impairments/tun0': IMPAIRMENT,
    });
    const text = 'tun0: delay 50ms, loss 1%, rate 1mbit, seed 7\n  packets: 90 passed, 1 lost, 90 delayed\n';
    expect((await fakeDaemon.cli('impair show')).out).toBe(text);
    expect((await fakeDaemon.cli('impair show --link tun0')).out).toBe(text);
    expect(await fakeDaemon.json('impair show')).toEqual([IMPAIRMENT]);
  });

  test('remove leaves the link alone again', async () => {
    const fakeDaemon = await fake({
      'GET /v1/impairments': [IMPAIRMENT],
      'DELETE /v1/impairments/tun0': clean,
    });
    expect(await fakeDaemon.cli('impair remove')).toMatchObject({ code: 0, out: 'tun0: not impaired\n' });
  });

  test('a daemon without a link to impair says so', async () => {
    const fakeDaemon = await fake({ 'GET /v1/impairments': [] });
    expect((await fakeDaemon.cli('impair show')).out).toBe('there is no link to impair\n');
    expect(await fakeDaemon.cli('impair remove')).toMatchObject({ code: 1 });
  });

  test.each([
    ['impair add', 'say how'],
    ['impair add --loss 101%', '--loss: "101%" is not a probability'],
    ['impair add --delay 5parsec', '--delay: "5parsec" is not a duration'],
    ['impair add --rate fast', '--rate: "fast" is not a rate'],
    ['impair add --seed -1', '--seed'],
    ['impair', 'Usage: winsockd impair'],
  ])('%s is a usage error', async (line, message) => {
    const { code, err } = await cli(line);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('winsockd down', () => {
  test('it waits until the control socket has gone', async () => {
    let looks = 0;
    const access = (): 'usable' | 'missing' => (++looks === 3 ? 'missing' : 'usable');
    const fakeDaemon = await fake({ 'GET /v1/status': STATUS, 'POST /v1/shutdown': {} });
    const { code, out } = await fakeDaemon.cli('down', { machine: { access } });
    expect(fakeDaemon.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/status',
      'POST /v1/shutdown',
      'GET /v1/status',
      'GET /v1/status',
    ]);
    expect(looks).toBe(3);
    expect(out).toBe('winsockd, process 4711, has ended\n');
    expect(code).toBe(0);
  });

  test('a socket that stays behind with nobody to answer is no daemon', async () => {
    let hasEnded = false;
    const fakeDaemon = await fake({
      'GET /v1/status': (_asked, response) => {
        if (hasEnded) response.destroy();
        else response.end(JSON.stringify(STATUS));
      },
      'POST /v1/shutdown': (_asked, response) => {
        hasEnded = true;
        response.end('{}');
      },
    });
    const { code, out } = await fakeDaemon.cli('down', { machine: { access: () => 'usable' } });
    expect([code, out]).toEqual([0, 'winsockd, process 4711, has ended\n']);
  });

  test('a socket that was left behind and where nobody answers is no daemon any more', async () => {
    let isDown = false;
    const fakeDaemon = await fake({
      'GET /v1/status': (_asked, response) => (isDown ? void response.destroy() : STATUS),
      'POST /v1/shutdown': () => {
        isDown = true;
        return {};
      },
    });
    expect(await fakeDaemon.cli('down')).toMatchObject({ code: 0, err: '' });
  });

  test('a daemon that stays is exit code 1, with the process to end', async () => {
    const fakeDaemon = await fake({ 'GET /v1/status': STATUS, 'POST /v1/shutdown': {} });
    const { code, err } = await fakeDaemon.cli('down --timeout 100ms');
    expect(err).toContain('kill 4711');
    expect(code).toBe(1);
  });

  test('a daemon that has gone before it answered the request has ended all the same', async () => {
    const fakeDaemon = await fake({
      'GET /v1/status': STATUS,
      'POST /v1/shutdown': (_asked, response) => void response.destroy(),
    });
    const { code } = await fakeDaemon.cli('down', { machine: { access: () => 'missing' } });
    expect(code).toBe(0);
  });

  test('without a daemon there is nothing to end: exit code 3', async () => {
    const path = '/tmp/winsockd-nobody/control.sock';
    expect(existsSync(path)).toBe(false);
    expect((await cli(`down --control ${path}`)).code).toBe(3);
  });
});

describe('winsockd drill', () => {
  const PASSES = 'test/packet/scripts/active-open.pkt';
  const directory = process.cwd();

  async function script(text: string): Promise<{ folder: string; file: string }> {
    const { folder } = await fake({});
    const file = join(folder, 'x.pkt');
    writeFileSync(file, text);
    return { folder, file };
  }

  const FAILS = [
    '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3',
    '+0 bind(3, ..., ...) = 0',
    '+0 listen(3, 1) = 0',
    '+0 < S 0:0(0) win 1000',
    '+0 > R 5:5(0)',
  ].join('\n');

  test('a script that holds is ok', async () => {
    const { code, out } = await cli(`drill ${PASSES}`, { directory });
    expect(out).toMatch(/^ok test\/packet\/scripts\/active-open\.pkt \(\d+\.\d{3} s of virtual time\)\n$/);
    expect(code).toBe(0);
  });

  test('one that does not is failed, with its line, what was expected and what was seen', async () => {
    const { folder } = await script(FAILS);
    const { code, out } = await cli('drill x.pkt', { directory: folder });
    expect(out).toMatch(/^failed x\.pkt/);
    expect(out).toContain('x.pkt:5: ');
    expect(out).toMatch(/expected: .*R/);
    expect(out).toMatch(/seen: .*S\./);
    expect(code).toBe(1);
  });

  test('of several, each is told, and one failure is exit code 1', async () => {
    const { file } = await script(FAILS);
    const { code, out } = await cli(`drill ${PASSES} ${file}`, { directory });
    expect(out).toContain('1 ok, 1 failed\n');
    expect(code).toBe(1);
  });

  test('--trace shows every packet', async () => {
    const { out } = await cli(`drill --trace ${PASSES}`, { directory });
    expect(out).toMatch(/^ {2}\d\.\d{6} > S 0:0\(0\)/m);
  });

  test('of a folder all scripts run, and --summary counts them; --kernel does not judge what only a kernel has', async () => {
    const { folder, file } = await script(FAILS);
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b', 'y.pkt'), '0 epoll_create(1) = 3\n');
    writeFileSync(join(folder, 'b', 'z.pkt'), '0 socket(..., SOCK_STREAM, 0) = 7\n');
    const { code, out } = await cli('drill --summary .', { directory: folder });
    expect(out.split('\n').map((line) => line.replace(/ {2,}/g, ' '))).toEqual([
      'verdict script because',
      "not judged b/y.pkt 1: there is no call 'epoll_create'",
      'ok b/z.pkt',
      expect.stringMatching(
        /^failed x\.pkt 5: the flags differs: 0\.000000 S\. .* for 0\.000000 R 5:5\(0\)$/,
      ),
      '',
      'folder ok failed not judged',
      'b 1 0 1',
      '. 0 1 0',
      'all 1 1 1',
      '',
    ]);
    expect(code).toBe(1);
    expect(await cli('drill --json b', { directory: folder })).toMatchObject({ code: 1 });
    expect(await cli('drill --kernel b', { directory: folder })).toMatchObject({ code: 0 });
    rmSync(file);
  });

  test('--json names the line, what was expected and what was seen', async () => {
    const { folder } = await script(FAILS);
    const { out } = await cli('drill x.pkt --json', { directory: folder });
    expect(JSON.parse(out)).toMatchObject([
      {
        file: 'x.pkt',
        passed: false,
        error: { line: 5, expected: expect.stringContaining('R'), seen: expect.stringContaining('S.') },
      },
    ]);
  });

  test('a script that is no script is failed where reading stopped', async () => {
    const { folder } = await script('0 socket(\n');
    expect(await cli('drill x.pkt', { directory: folder })).toMatchObject({
      code: 1,
      out: expect.stringContaining('x.pkt:2: '),
    });
  });

  test.each([
    ['drill nowhere.pkt', 'nowhere.pkt: there is no such file'],
    ['drill src', 'src: there is no script in this folder'],
    ['drill', "missing required argument 'file'"],
  ])('%s is a usage error', async (line, message) => {
    const { code, err } = await cli(line, { directory });
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});
