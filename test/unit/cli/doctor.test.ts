import { afterEach, describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../src/cli/commands/doctor.ts';
import type { Machine } from '../../../src/cli/context.ts';
import { LINK, STATUS } from './answers.ts';
import { cli, FakeDaemon, type Route, refuse } from './harness.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const NOBODY = '/nonexistent/control.sock';

/** What the doctor finds on `machine`, by check, with its exit code. */
async function examine(
  machine: Partial<Machine>,
  routes?: Readonly<Record<string, Route>>,
): Promise<{ readonly code: number; readonly found: Readonly<Record<string, Finding>> }> {
  if (routes !== undefined) daemon = await FakeDaemon.start(routes);
  const { code, out } = await cli(`doctor --json --control ${daemon?.path ?? NOBODY}`, { machine });
  return {
    code,
    found: Object.fromEntries((JSON.parse(out) as Finding[]).map((finding) => [finding.check, finding])),
  };
}

/** /proc files of a machine whose process has `capabilities`. */
function files(
  capabilities: string,
  others: Readonly<Record<string, string>> = {},
): (path: string) => string | null {
  return (path) => (path === '/proc/self/status' ? `CapEff:\t${capabilities}\n` : (others[path] ?? null));
}

const NO_RIGHTS = files('0000000000000000');

describe('winsockd doctor', () => {
  test('where all is well each line says ok, and a missing daemon is a note', async () => {
    const { code, out } = await cli(`doctor --control ${NOBODY}`);
    expect(out.split('\n')).toEqual([
      'ok       system     Linux',
      'ok       device     /dev/net/tun is there and may be opened',
      'ok       privilege  root',
      'ok       addon      /package/native/build/Release/winsockd.node',
      'ok       ip         /usr/sbin/ip',
      `note     daemon     none answers at ${NOBODY}`,
      `                    type: winsockd up --daemon --control ${NOBODY}`,
      '',
    ]);
    expect(code).toBe(0);
  });

  test('a missing device node is a problem with the command that helps', async () => {
    const { code, found } = await examine({
      access: (path) => (path === '/dev/net/tun' ? 'missing' : 'usable'),
    });
    expect(found['device']).toMatchObject({ result: 'problem', remedy: 'sudo modprobe tun' });
    expect(code).toBe(1);
  });

  test('a node that this user may not open is another problem', async () => {
    const { code, found } = await examine({
      access: (path) => (path === '/dev/net/tun' ? 'denied' : 'usable'),
    });
    expect(found['device']).toMatchObject({
      result: 'problem',
      remedy: expect.stringContaining('sudo winsockd up'),
    });
    expect(code).toBe(1);
  });

  test('CAP_NET_ADMIN alone is enough', async () => {
    const { code, found } = await examine({ uid: 1000, readText: files('0000000000001000') });
    expect(found['privilege']).toMatchObject({ result: 'ok', text: 'CAP_NET_ADMIN' });
    expect(code).toBe(0);
  });

  test('other capabilities are not', async () => {
    const { code, found } = await examine({ uid: 1000, readText: files('000001ffffffefff') });
    expect(found['privilege']).toMatchObject({ result: 'problem', remedy: expect.stringContaining('sudo') });
    expect(code).toBe(1);
  });

  test('root in a container without CAP_NET_ADMIN is told apart', async () => {
    const { found } = await examine({ uid: 0, readText: NO_RIGHTS });
    expect(found['privilege']).toMatchObject({
      result: 'problem',
      text: expect.stringContaining('container'),
    });
  });

  test('an addon that is not built is a problem, one that only root may write is none', async () => {
    const isAddon = (path: string): boolean => path.endsWith('winsockd.node');
    const absent = await examine({ access: (path) => (isAddon(path) ? 'missing' : 'usable') });
    expect(absent.found['addon']).toMatchObject({ result: 'problem', remedy: 'npm run build:native' });
    const rootOnly = await examine({ access: (path) => (isAddon(path) ? 'denied' : 'usable') });
    expect(rootOnly.found['addon']).toMatchObject({ result: 'ok' });
  });

  test('a machine without the ip command is only noted', async () => {
    const { code, found } = await examine({ findProgram: () => null });
    expect(found['ip']).toMatchObject({ result: 'note', remedy: 'sudo apt install iproute2' });
    expect(code).toBe(0);
  });

  test('once a daemon runs, what a start needs is no problem', async () => {
    const { code, found } = await examine(
      { uid: 1000, readText: NO_RIGHTS, access: () => 'denied' },
      { 'GET /v1/status': STATUS },
    );
    expect([found['device']?.result, found['privilege']?.result, found['daemon']?.result]).toEqual([
      'note',
      'note',
      'ok',
    ]);
    expect(code).toBe(0);
  });

  test('a daemon that refuses this user is a problem, and what it needed to start is none', async () => {
    const { code, found } = await examine(
      { uid: 1000, readText: NO_RIGHTS },
      { 'GET /v1/status': (_asked, response) => refuse(response, 403, 'x', 'not you') },
    );
    expect(found['daemon']).toMatchObject({ result: 'problem', text: 'not you' });
    expect(found['privilege']?.result).toBe('note');
    expect(code).toBe(1);
  });

  test.each([
    ['0', '0', 'ok', 'off'],
    ['0', '1', 'note', 'strict'],
    ['1', '0', 'note', 'strict'],
    ['1', '2', 'ok', 'loose'],
    ['2', '0', 'ok', 'loose'],
  ])('rp_filter all=%s, device=%s: %s, %s', async (all, device, result, text) => {
    const readText = files('ffffffff', {
      '/proc/sys/net/ipv4/conf/all/rp_filter': `${all}\n`,
      '/proc/sys/net/ipv4/conf/tun0/rp_filter': `${device}\n`,
    });
    const { code, found } = await examine({ readText }, { 'GET /v1/status': STATUS });
    expect(found['rp_filter']).toMatchObject({ result, text: expect.stringContaining(text) });
    expect(code).toBe(0);
  });

  test('the filter of a device in a namespace is not seen, and how to look is said', async () => {
    const status = { ...STATUS, links: [{ ...LINK, namespace: 'lab' }] };
    const { found } = await examine({}, { 'GET /v1/status': status });
    expect(found['rp_filter']?.remedy).toBe('ip netns exec lab sysctl net.ipv4.conf.tun0.rp_filter');
  });

  test('a link in memory has no filter', async () => {
    const status = { ...STATUS, links: [{ ...LINK, kind: 'memory' }] };
    expect((await examine({}, { 'GET /v1/status': status })).found['rp_filter']).toBeUndefined();
  });

  test('off Linux the way without a device is named', async () => {
    const { code, found } = await examine({ platform: 'darwin', uid: 501 });
    expect(found['system']).toMatchObject({ result: 'problem', remedy: 'winsockd up --memory' });
    expect(found['device']).toBeUndefined();
    expect(code).toBe(1);
  });
});
