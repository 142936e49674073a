/** The room around the addon: what needs neither privilege nor device. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as frames from '../../../src/base/frames.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { addressFromBytes, bytesFromAddress } from '../../../src/native/address-bytes.ts';
import { DeviceError, deviceError, explain, explained } from '../../../src/native/errors.ts';
import { Device, deviceHolder, OFFLOAD_ALL } from '../../../src/native/index.ts';
import { addonCandidates, load } from '../../../src/native/load.ts';
import { leftovers, parseThreadStatus, threadPrivileges } from '../../../src/native/privileges.ts';

/** The error that `work` ends with. */
function failure(work: () => unknown): DeviceError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(DeviceError);
    return error as DeviceError;
  }
  throw new Error('nothing was thrown');
}

describe('load', () => {
  test.each(['darwin', 'win32', 'freebsd'])('on %s it is ENOSYS and names what works instead', (platform) => {
    const error = failure(() => load(platform, []));
    expect(error.code).toBe('ENOSYS');
    expect(error.message).toContain(`this is ${platform}`);
    expect(error.message).toContain('createNetwork');
  });

  test('an addon that is not built is ENOSYS with the command that builds it', () => {
    const error = failure(() => load('linux', ['/nowhere/winsockd.node']));
    expect(error).toMatchObject({ code: 'ENOSYS', message: expect.stringContaining('npm run build:native') });
  });

  test('a file that is no addon is ENOSYS, and what the loader said is its cause', () => {
    const path = new URL('../../../package.json', import.meta.url).pathname;
    const wrong = `${path.slice(0, -'package.json'.length)}LICENSE`;
    const error = failure(() => load('linux', ['/nowhere', wrong]));
    expect(error.code).toBe('ENOSYS');
    expect(error.message).toContain('build it again');
    expect(error.cause).toBeDefined();
  });

  test('the addon is looked for where it is built, then among those shipped for the platform', () => {
    expect(addonCandidates().map((path) => path.replace(/^.*\/native\//, 'native/'))).toEqual([
      'native/build/Release/winsockd.node',
      `native/prebuilds/${process.platform}-${process.arch}/winsockd.node`,
    ]);
  });
});

describe('DeviceError', () => {
  const context = { action: 'open the TUN device tun7', device: 'tun7', namespace: 'blue' };

  test.each([
    ['ENOENT', 'open /dev/net/tun', /modprobe tun.*mknod \/dev\/net\/tun c 10 200/],
    ['ENODEV', 'open /dev/net/tun', /modprobe tun/],
    ['ENXIO', 'open /dev/net/tun', /modprobe tun/],
    ['EACCES', 'open /dev/net/tun', /run as root/],
    ['ENOENT', 'open namespace', /ip netns add blue/],
    ['EACCES', 'open namespace', /namespace blue.*run as root/],
    ['EPERM', 'setns', /CAP_SYS_ADMIN/],
    ['EPERM', 'TUNSETIFF', /run as root or with CAP_NET_ADMIN/],
    ['EACCES', 'RTM_NEWLINK', /CAP_NET_ADMIN/],
    ['EBUSY', 'TUNSETIFF', /tun7 is in use by another process; choose another name/],
    ['EINVAL', 'TUNSETIFF', /ip link show/],
    ['EINVAL', 'RTM_NEWLINK', /RTM_NEWLINK refused a value/],
    ['EBADFD', 'read', /tun7 was removed; open it again/],
    ['ENODEV', 'RTM_GETLINK', /not there/],
    ['EPROTO', 'IFF_NO_PI', /open it with IFF_NO_PI/],
    ['EMFILE', 'open /dev/net/tun', /ulimit -n/],
    ['ENOTTY', 'TUNGETIFF', /\/dev\/net\/tun/],
  ])('%s of %s: the message is what was tried, the cause and what to type', (code, syscall, remedy) => {
    const error = deviceError(code, syscall, context);
    expect(error).toMatchObject({ name: 'DeviceError', code, syscall });
    expect(error.message).toMatch(/^cannot open the TUN device tun7: /);
    expect(error.message).toMatch(remedy);
  });

  test('a code without a text of its own still says which call failed with what', () => {
    expect(deviceError('EIO', 'RTM_NEWADDR', context).message).toMatch(/: RTM_NEWADDR failed with EIO$/);
  });

  test('who holds the device is named when it is known', () => {
    const error = deviceError('EBUSY', 'TUNSETIFF', { ...context, holder: 'pid 12 (winsockd)' });
    expect(error.message).toContain('in use by pid 12 (winsockd)');
  });

  test('explain turns only failed system calls into it, and asks for the context only then', () => {
    const bug = new RangeError('mine');
    expect(() => explain(context, () => fail(bug))).toThrow(bug);
    expect(
      explain(
        () => fail(new Error('not asked')),
        () => 7,
      ),
    ).toBe(7);
    const cause = Object.assign(new Error('x'), { code: 'EBUSY', syscall: 'TUNSETIFF' });
    expect(explained(cause, () => context)).toMatchObject({ name: 'DeviceError', code: 'EBUSY', cause });
  });

  function fail(error: Error): never {
    throw error;
  }
});

describe('Device.open checks what it is given before it looks for a device', () => {
  test.each(['', 'a b', 'a/b', 'a:b', 'abcdefghijklmnop', 'tun%s', 'tun%d%d', '.', '..', '%', 'äöüäöüäö'])(
    'the name %j is EINVAL',
    (name) => {
      const error = failure(() => Device.open('tun', { name }));
      expect(error).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('1 to 15 bytes') });
    },
  );

  test.each(['', '.', '..', 'a/b', '../1', 'a\0b'])('the namespace %j is EINVAL', (namespace) => {
    const error = failure(() => Device.open('tun', { namespace }));
    expect(error).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('ip netns list') });
  });
});

describe('tables', () => {
  const source = readFileSync(new URL('../../../native/batch.c', import.meta.url), 'utf8');
  const bodies = [...source.matchAll(/enum \{([^}]*)\}/g)].map(
    ([, body]) => (body as string).match(/\w+/g) ?? [],
  );

  test.each([
    ['FRAME_OFFSET', 0],
    ['TX_HEADER_OFFSET', 1],
  ])('the columns from %s on are numbered alike in C and in base/frames', (first, which) => {
    const columns = bodies[which] as string[];
    expect(columns[0]).toBe(first);
    expect(columns.length).toBeGreaterThan(8);
    for (const [index, name] of columns.entries()) {
      expect([name, (frames as Record<string, unknown>)[name]]).toEqual([name, index]);
    }
  });

  test('so are the bits of offload', () => {
    const header = readFileSync(new URL('../../../native/winsockd.h', import.meta.url), 'utf8');
    const defines = [...header.matchAll(/#define (OFFLOAD_\w+) (\d+)u/g)].map(([, name, value]) => [
      name,
      Number(value),
    ]);
    expect(defines).toHaveLength(4);
    for (const [name, value] of defines)
      expect((frames as Record<string, unknown>)[name as string]).toBe(value);
    expect(defines.reduce((bits, [, value]) => bits | (value as number), 0)).toBe(OFFLOAD_ALL);
  });
});

describe('addresses as bytes', () => {
  test('an IPv4 address has four, an IPv6 address sixteen, in network order', () => {
    expect(Array.from(bytesFromAddress(IpAddress.parse('10.1.2.255') as IpAddress))).toEqual([10, 1, 2, 255]);
    expect(Buffer.from(bytesFromAddress(IpAddress.parse('2001:db8::ff') as IpAddress)).toString('hex')).toBe(
      '20010db80000000000000000000000ff',
    );
  });

  test('every address survives the way to bytes and back', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        const address = addressFromBytes(raw);
        expect(address.family).toBe(raw.length === 4 ? 4 : 6);
        expect(Array.from(bytesFromAddress(address))).toEqual(Array.from(raw));
      }),
    );
  });
});

describe('privileges of threads', () => {
  const zero = '0000000000000000';
  const clean = {
    tid: 7,
    uids: [9, 9, 9, 9],
    gids: [8, 8, 8, 8],
    groups: [],
    inheritable: zero,
    permitted: zero,
    effective: zero,
    bounding: zero,
    ambient: zero,
    hasNoNewPrivileges: true,
  };
  const target = { uid: 9, gid: 8, groups: [] };

  test('the text of proc(5) is read, with empty groups and tabs', () => {
    const text =
      'Name:\tnode\nUid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t7\nGroups:\t \nCapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n' +
      'CapEff:\t0000000000000003\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n';
    expect(parseThreadStatus(3, text)).toEqual({
      tid: 3,
      uids: [0, 1, 2, 3],
      gids: [4, 5, 6, 7],
      groups: [],
      inheritable: '0000000000000001',
      permitted: '0000000000000002',
      effective: '0000000000000003',
      bounding: '000001ffffffffff',
      ambient: zero,
      hasNoNewPrivileges: false,
    });
    expect(parseThreadStatus(3, 'Groups:\t4 24 1000 \n').groups).toEqual([4, 24, 1000]);
  });

  test('a thread that has nothing more than the target leaves nothing to say', () => {
    expect(leftovers(clean, target, true)).toEqual([]);
  });

  test.each([
    ['one saved uid', { uids: [9, 9, 0, 9] }, 'has uids 9 9 0 9'],
    ['one gid', { gids: [8, 8, 8, 0] }, 'has gids 8 8 8 0'],
    ['a group', { groups: [27] }, 'is in groups 27'],
    ['an inheritable capability', { inheritable: '0000000000000400' }, 'inheritable'],
    ['a permitted capability', { permitted: '0000000000000400' }, 'permitted'],
    ['an effective capability', { effective: '0000000000001000' }, 'effective'],
    ['an ambient capability', { ambient: '0000000000001000' }, 'ambient'],
    ['a bounding capability', { bounding: '000001ffffffffff' }, 'bounding'],
    ['the right to gain more', { hasNoNewPrivileges: false }, 'by exec'],
  ])('%s is told, with the thread', (_what, change, text) => {
    const left = leftovers({ ...clean, ...change }, target, true);
    expect(left).toHaveLength(1);
    expect(left[0]).toContain('thread 7');
    expect(left[0]).toContain(text);
  });

  test('a bounding set that could not be changed is not held against it', () => {
    expect(leftovers({ ...clean, bounding: '000001ffffffffff' }, target, false)).toEqual([]);
  });

  test('ids that were not asked for may be any', () => {
    expect(leftovers(clean, {}, true)).toEqual([]);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('this process’s own threads are all read', () => {
    const threads = threadPrivileges();
    expect(threads.map(({ tid }) => tid)).toContain(process.pid);
    expect(threads[0]).toMatchObject({
      uids: Array(4).fill(process.getuid?.()),
      effective: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });
});

test('nobody holds a device that does not exist', () => {
  expect(deviceHolder('wsk-none')).toBeUndefined();
});
