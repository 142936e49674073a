/**
 * TUN and TAP devices as the machine sees them: opening, settings, errors with their remedies, and that nothing is left.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { createFrameBatch, IpAddress, type Prefix, parsePrefix } from '../../src/base/index.ts';
import {
  Device,
  DeviceError,
  type DeviceOptions,
  OFFLOAD_ALL,
  peerCredentials,
  READABLE,
  Tap,
  Tun,
} from '../../src/native/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

/** What `ip -j` says of an interface, as far as tests look. */
interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly txqlen: number;
  readonly flags: string[];
  readonly address?: string;
  readonly addr_info: { local: string; prefixlen: number; broadcast?: string }[];
}

let space: Namespace;
const open: { close(): void }[] = [];

afterEach(() => {
  for (const device of open.splice(0)) device.close();
});

function openDevice(kind: 'tun' | 'tap', options: DeviceOptions = {}): Device {
  const device = Device.open(kind, { namespace: space.name, ...options });
  open.push(device);
  return device;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
}

function address(text: string): IpAddress {
  const parsed = IpAddress.parse(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
}

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

const linkOf = (name: string): IpLink => space.ipJson<IpLink>('addr', 'show', 'dev', name)[0] as IpLink;
const deviceNames = (): string[] => space.ipJson<IpLink>('link').map(({ ifname }) => ifname);

describePrivileged('Device in a namespace', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  test('a pattern gives the next free name, in the namespace asked for and not in ours', () => {
    const first = openDevice('tun', { name: 'wsk%d' });
    const second = openDevice('tun', { name: 'wsk%d' });
    expect([first.name, second.name]).toEqual(['wsk0', 'wsk1']);
    expect(deviceNames()).toEqual(expect.arrayContaining(['wsk0', 'wsk1']));
    expect(readdirSync('/sys/class/net')).not.toContain('wsk0');
  });

  test('the calling thread stays in its own namespace, also when opening fails inside the other', () => {
    const before = execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' });
    openDevice('tun', { name: 'wskns' });
    failure(() => openDevice('tun', { name: 'lo' }));
    expect(execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' })).toBe(before);
  });

  test('a namespace can be named by an absolute path', () => {
    const device = openDevice('tun', { namespace: space.path, name: 'wskpath' });
    expect(deviceNames()).toContain(device.name);
  });

  test('every offload is granted by this kernel, none when none is asked for, and segmentation brings checksums', () => {
    expect(openDevice('tun').offload).toBe(OFFLOAD_ALL);
    expect(openDevice('tun', { offload: 0 }).offload).toBe(0);
    expect(openDevice('tap', { offload: 2 }).offload).toBe(3);
  });

  test('MTU, queue length and up are what ip shows', () => {
    const device = openDevice('tun', { name: 'wskset' });
    device.mtu = 9000;
    device.queueLength = 1234;
    expect(device.isUp).toBe(false);
    device.isUp = true;
    expect(linkOf('wskset')).toMatchObject({
      mtu: 9000,
      txqlen: 1234,
      flags: expect.arrayContaining(['UP']),
    });
    expect([device.mtu, device.queueLength, device.isUp]).toEqual([9000, 1234, true]);
    device.isUp = false;
    expect(linkOf('wskset').flags).not.toContain('UP');
  });

  test('MTU 65535 is the largest a TUN takes; more is EINVAL that names the number', () => {
    const device = openDevice('tun');
    device.mtu = 65535;
    expect(device.mtu).toBe(65535);
    const error = failure(() => {
      device.mtu = 65536;
    });
    expect(error.code).toBe('EINVAL');
    expect(error.message).toContain('MTU 65536');
  });

  test('IPv4 and IPv6 addresses are what ip shows, with the broadcast address of a real network', () => {
    const device = openDevice('tun', { name: 'wskaddr' });
    device.addAddress(prefix('10.20.30.1/24'));
    device.addAddress(prefix('10.20.40.1/31'));
    device.addAddress(prefix('fd00:1::1/64'));
    expect(linkOf('wskaddr').addr_info).toEqual([
      expect.objectContaining({ local: '10.20.30.1', prefixlen: 24, broadcast: '10.20.30.255' }),
      expect.not.objectContaining({ broadcast: expect.anything() }),
      expect.objectContaining({ local: 'fd00:1::1', prefixlen: 64 }),
    ]);
    expect(device.addresses.map(({ address: own, length }) => `${own}/${length}`)).toEqual([
      '10.20.30.1/24',
      '10.20.40.1/31',
      'fd00:1::1/64',
    ]);
  });

  test('an address that is there is EEXIST, one that is not is EADDRNOTAVAIL, a removed one is gone', () => {
    const device = openDevice('tun', { name: 'wskaddr' });
    device.addAddress(prefix('10.20.30.1/24'));
    expect(failure(() => device.addAddress(prefix('10.20.30.1/24'))).code).toBe('EEXIST');
    device.removeAddress(prefix('10.20.30.1/24'));
    expect(linkOf('wskaddr').addr_info).toEqual([]);
    expect(failure(() => device.removeAddress(prefix('10.20.30.1/24'))).code).toBe('EADDRNOTAVAIL');
  });

  test('routes of both families are what ip shows, and go when removed', () => {
    const device = openDevice('tun', { name: 'wskroute' });
    device.addAddress(prefix('10.20.30.1/24'));
    device.isUp = true;
    const routes = [
      { destination: prefix('192.0.2.0/24') },
      { destination: prefix('198.51.100.0/24'), gateway: address('10.20.30.2'), metric: 77 },
      { destination: prefix('2001:db8::/32'), metric: 5 },
    ];
    for (const route of routes) device.addRoute(route);
    const v4 = space.ipJson('route', 'show', 'dev', 'wskroute');
    expect(v4).toContainEqual(expect.objectContaining({ dst: '192.0.2.0/24', scope: 'link' }));
    expect(v4).toContainEqual(
      expect.objectContaining({ dst: '198.51.100.0/24', gateway: '10.20.30.2', metric: 77 }),
    );
    expect(space.ipJson('-6', 'route', 'show', 'dev', 'wskroute')).toContainEqual(
      expect.objectContaining({ dst: '2001:db8::/32', metric: 5 }),
    );
    for (const route of routes) device.removeRoute(route);
    expect(space.ipJson('route', 'show', 'dev', 'wskroute')).toHaveLength(1); // 10.20.30.0/24 of the address
    expect(failure(() => device.removeRoute({ destination: prefix('192.0.2.0/24') })).code).toBe('ESRCH');
  });

  test('a route through an interface that is down is ENETDOWN, through an unknown gateway ENETUNREACH', () => {
    const device = openDevice('tun');
    expect(failure(() => device.addRoute({ destination: prefix('192.0.2.0/24') })).code).toBe('ENETDOWN');
    device.isUp = true;
    const error = failure(() =>
      device.addRoute({ destination: prefix('192.0.2.0/24'), gateway: address('203.0.113.9') }),
    );
    expect(error.code).toBe('ENETUNREACH');
    expect(error.message).toContain('192.0.2.0/24');
  });

  test('a gateway of the other family is a RangeError', () => {
    const device = openDevice('tun');
    expect(() =>
      device.addRoute({ destination: prefix('192.0.2.0/24'), gateway: address('fd00::1') }),
    ).toThrow(expect.objectContaining({ name: 'RangeError' }));
  });

  test('the hardware address of a TAP can be set; a TUN has none and setting it is ENOTSUP', () => {
    const tap = openDevice('tap', { name: 'wsktap' });
    tap.mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    expect(linkOf('wsktap').address).toBe('02:00:00:00:00:09');
    expect(Array.from(tap.mac)).toEqual([2, 0, 0, 0, 0, 9]);
    const tun = openDevice('tun');
    expect(tun.mac).toBeNull();
    const error = failure(() => {
      tun.mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    });
    expect(error.code).toBe('ENOTSUP');
    expect(error.message).toContain('use a TAP');
  });

  test('a name in use is EBUSY and says by whom', () => {
    openDevice('tun', { name: 'wskbusy' });
    const error = failure(() => openDevice('tun', { name: 'wskbusy' }));
    expect(error.code).toBe('EBUSY');
    expect(error.message).toContain(`in use by pid ${process.pid}`);
    expect(error.message).toContain('choose another name');
  });

  test('an interface of another kind is EINVAL with a look at ip link, of the other device kind too', () => {
    expect(failure(() => openDevice('tun', { name: 'lo' }))).toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('ip link show'),
    });
    openDevice('tun', { name: 'wskkind', persist: true }).close();
    expect(failure(() => openDevice('tap', { name: 'wskkind' })).code).toBe('EINVAL');
    space.exec('ip', 'link', 'delete', 'wskkind');
  });

  test('a namespace that does not exist is ENOENT with the command that makes it', () => {
    const error = failure(() => Device.open('tun', { namespace: 'wsk-nowhere' }));
    expect(error).toMatchObject({
      code: 'ENOENT',
      message: expect.stringContaining('ip netns add wsk-nowhere'),
    });
  });

  test('a namespace path that is no namespace is EINVAL', () => {
    const path = join(tmpdir(), `wsk-${process.pid}`);
    writeFileSync(path, '');
    expect(failure(() => Device.open('tun', { namespace: path })).code).toBe('EINVAL');
    execFileSync('rm', [path]);
  });

  test('without privilege it is EPERM or EACCES, and says which rights are missing', () => {
    const code = `
      const { Device } = await import(${JSON.stringify(join(compileRooms('native'), 'native/index.js'))});
      try { Device.open('tun'); } catch (error) { console.log(error.name, error.code, error.message); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      uid: 65534,
      gid: 65534,
    });
    expect(stdout).toMatch(/^DeviceError (EPERM|EACCES) cannot open the TUN device tun%d: .*run as root/);
  });

  test('a persistent device outlives its descriptor, keeps its name, and is attached to again', () => {
    const first = openDevice('tun', { name: 'wskkeep', persist: true });
    first.mtu = 1400;
    first.close();
    expect(deviceNames()).toContain('wskkeep');
    const second = openDevice('tun', { name: 'wskkeep' });
    expect([second.isPersist, second.mtu]).toEqual([true, 1400]);
    second.isPersist = false;
    second.close();
    expect(deviceNames()).not.toContain('wskkeep');
  });

  test('a renamed interface keeps working and tells its new name', () => {
    const device = openDevice('tun', { name: 'wskold' });
    space.exec('ip', 'link', 'set', 'wskold', 'name', 'wsknew');
    expect(device.name).toBe('wsknew');
    device.mtu = 1300;
    expect(linkOf('wsknew').mtu).toBe(1300);
  });

  test('after close everything is EBADF, close again is nothing, and the name is remembered', () => {
    const device = openDevice('tun', { name: 'wskgone' });
    device.close();
    device.close();
    expect(device.name).toBe('wskgone');
    expect(device.isClosed).toBe(true);
    expect(failure(() => device.mtu).code).toBe('EBADF');
    expect(failure(() => device.watch(READABLE, () => {})).code).toBe('EBADF');
    expect(() => device.readBatch(createFrameBatch(1, 70_000))).toThrow(
      expect.objectContaining({ code: 'EBADF' }),
    );
    expect(deviceNames()).not.toContain('wskgone');
  });

  test('an interface that is deleted under us is EBADFD on read, ENODEV on settings, and readiness says so', async () => {
    const device = openDevice('tun', { name: 'wskdel' });
    device.isUp = true;
    const gone = new Promise<number>((resolve) => {
      device.watch(READABLE, (events) => {
        // What the kernel sent while the interface came up is read first.
        if (events === 0) resolve(events);
        else device.readBatch(createFrameBatch(64, 2 << 20));
      });
    });
    space.exec('ip', 'link', 'delete', 'wskdel');
    expect(await gone).toBe(0);
    const error = failure(() => device.readBatch(createFrameBatch(1, 70_000)));
    expect(error).toMatchObject({ code: 'EBADFD', message: expect.stringContaining('was removed') });
    expect(failure(() => device.mtu).code).toBe('ENODEV');
    device.close();
  });
});

describePrivileged('Device.adopt', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  /** What a child makes of the descriptor of `device`, with root's rights or with nobody's. */
  function adoptInChild(device: Device, ids: { uid?: number; gid?: number }): unknown {
    const rooms = compileRooms('native');
    const code = `
      const { Device } = await import(${JSON.stringify(join(rooms, 'native/index.js'))});
      const { createFrameBatch } = await import(${JSON.stringify(join(rooms, 'base/index.js'))});
      const device = Device.adopt(3);
      const attempt = (work) => { try { return work() ?? 'done'; } catch (error) { return error.code; } };
      const batch = createFrameBatch(64, 2 << 20);
      console.log(JSON.stringify({
        kind: device.kind, name: device.name, offload: device.offload, mtu: attempt(() => device.mtu),
        setMtu: attempt(() => { device.mtu = 1280; }), hasFrames: device.readBatch(batch) > 0,
      }));
      device.close();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'pipe', device.fd],
      encoding: 'utf8',
      timeout: 10_000,
      ...ids,
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  test('a child with root’s rights takes over a descriptor of another namespace, settings included', () => {
    const device = openDevice('tap', { name: 'wskfd' });
    device.isUp = true; // the kernel sends its multicast reports
    expect(adoptInChild(device, {})).toEqual({
      kind: 'tap',
      name: 'wskfd',
      offload: OFFLOAD_ALL,
      mtu: 1500,
      setMtu: 'done',
      hasFrames: true,
    });
    expect(linkOf('wskfd').mtu).toBe(1280);
  });

  test('a child with nobody’s rights moves frames, and is told that it cannot see the interface', () => {
    const device = openDevice('tap', { name: 'wskfd' });
    device.isUp = true;
    expect(adoptInChild(device, { uid: 65534, gid: 65534 })).toEqual({
      kind: 'tap',
      name: 'wskfd',
      offload: OFFLOAD_ALL,
      mtu: 'ENODEV',
      setMtu: 'ENODEV',
      hasFrames: true,
    });
  });

  test.each([
    ['a descriptor that is no device', () => openSync('/dev/null', 'r'), 'ENOTTY'],
    ['a TUN descriptor that is attached to nothing', () => openSync('/dev/net/tun', 'r+'), 'EBADFD'],
  ])('%s is refused and stays the caller’s', (_what, make, code) => {
    const fd = make();
    expect(failure(() => Device.adopt(fd)).code).toBe(code);
    closeSync(fd);
  });

  test('a descriptor that is not open is EBADF', () => {
    expect(failure(() => Device.adopt(987_654)).code).toBe('EBADF');
  });
});

describePrivileged('Tun and Tap', () => {
  beforeAll(() => {
    space = createNamespace();
  });

  test('the properties of tuntap2 set and show the interface, down as it is', () => {
    const tun = new Tun({ namespace: space.name, name: 'wsks0' });
    tun.mtu = 1400;
    tun.ipv4 = '10.0.0.100/24';
    tun.ipv6 = 'fd12:1:2:3::1/64';
    expect([
      tun.name,
      tun.mtu,
      tun.ipv4,
      tun.ipv6,
      tun.mac,
      tun.isUp,
      tun.isTun,
      tun.isTap,
      tun.isPersist,
    ]).toEqual(['wsks0', 1400, '10.0.0.100/24', 'fd12:1:2:3::1/64', null, false, true, false, false]);
    tun.isUp = true;
    tun.ipv4 = '10.0.1.1/16';
    expect(linkOf('wsks0').addr_info.filter(({ local }) => local.includes('.'))).toEqual([
      expect.objectContaining({ local: '10.0.1.1', prefixlen: 16 }),
    ]);
    expect(tun.ipv6).toBe('fd12:1:2:3::1/64'); // and not the link-local one that came with "up"
    tun.release();
  });

  test('a value that is no address is EINVAL and shows one that is', () => {
    const tap = new Tap({ namespace: space.name });
    for (const [property, value, shown] of [
      ['ipv4', 'fd00::1/64', '10.0.0.1/24'],
      ['ipv6', '10.0.0.1/24', 'fd00::1/64'],
      ['mac', '1:2:3', '02:00:00:00:00:01'],
    ] as const) {
      const error = failure(() => {
        tap[property] = value;
      });
      expect(error).toMatchObject({ code: 'EINVAL', message: expect.stringContaining(shown) });
    }
    tap.mac = '02:00:00:00:00:07';
    expect(tap.mac).toBe('02:00:00:00:00:07');
    tap.release();
  });

  test('one data event is one packet and one write is one, also with a pipe', async () => {
    const tun = new Tun({ namespace: space.name, name: 'wsks1' });
    tun.ipv4 = '10.0.0.1/24';
    tun.isUp = true;
    const seen: number[] = [];
    tun.on('data', (packet: Buffer) => {
      if (packet.readUInt8(0) >> 4 !== 4) return;
      seen.push(packet.length);
      const reply = Buffer.from(packet);
      packet.copy(reply, 12, 16, 20);
      packet.copy(reply, 16, 12, 16);
      reply[20] = 0; // echo request → reply; the checksum grows by what the type lost
      reply.writeUInt16BE((reply.readUInt16BE(22) + 0x0800) % 0xffff, 22);
      tun.write(reply);
    });
    const ping = await space.run(['ping', '-c3', '-i0.2', '-W2', '-s', '100', '10.0.0.2']);
    expect(ping.stdout).toContain('3 received');
    expect(seen).toEqual([128, 128, 128]);
    await new Promise<void>((resolve) => tun.release(resolve));
    expect(deviceNames()).not.toContain('wsks1');
  });

  test('destroying a stream whose interface was deleted reports it once and closes', async () => {
    const tun = new Tun({ namespace: space.name, name: 'wsks2' });
    tun.isUp = true;
    tun.resume();
    const error = new Promise<Error>((resolve) => tun.once('error', resolve));
    space.exec('ip', 'link', 'delete', 'wsks2');
    expect(await error).toMatchObject({ name: 'DeviceError', code: 'EBADFD' });
    expect(tun.destroyed).toBe(true);
  });
});

describePrivileged('peerCredentials', () => {
  test('tells pid, uid and gid of whoever connected', async () => {
    const path = join(tmpdir(), `wsk-${process.pid}.sock`);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const accepted = new Promise<{ _handle: { fd: number }; destroy(): void }>((resolve) =>
      server.once('connection', (socket) => resolve(socket as never)),
    );
    const client = createConnection(path);
    const socket = await accepted;
    expect(peerCredentials(socket._handle.fd)).toEqual({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    client.destroy();
    socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
