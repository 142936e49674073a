import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  CONFIG_KEYS,
  ConfigError,
  ExitCode,
  environmentName,
  exitCodeOf,
  flagName,
  loadConfig,
  StartError,
} from '../../../src/daemon/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'wsk-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(directory, 'winsockd.jsonc');
  writeFileSync(path, text);
  return path;
}

/** What is wrong with a configuration. */
function problem(load: () => unknown): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was taken');
}

describe('loadConfig', () => {
  test('without anything gives a TUN device that the kernel numbers, and the usual paths', () => {
    expect(loadConfig()).toMatchObject({
      tun: 'tun%d',
      memory: false,
      offload: true,
      address: [],
      socket: '/run/winsockd/winsockd.sock',
      control: '/run/winsockd/control.sock',
      socketMode: '0600',
    });
  });

  test('reads a file with comments and trailing commas', () => {
    const path = file('{ // the device\n "tun": "tun7", "address": ["10.0.0.2/24",], /* no more */ }');
    expect(loadConfig({ file: path })).toMatchObject({ tun: 'tun7', address: ['10.0.0.2/24'] });
  });

  test('the file that is shipped for the service is right, and names a device and both addresses', () => {
    const config = loadConfig({ file: 'packaging/winsockd.jsonc' });
    expect(config).toMatchObject({ tun: 'wsk0', address: ['10.77.0.2/24'], hostAddress: ['10.77.0.1/24'] });
  });

  test('flags win over the environment, which wins over the file, which wins over defaults', () => {
    const path = file('{ "mtu": 1000, "logLevel": "warn", "tun": "a", "netns": "n" }');
    const environment = { WINSOCKD_MTU: '2000', WINSOCKD_LOG_LEVEL: 'error', WINSOCKD_CONFIG: path };
    const config = loadConfig({ environment, flags: { mtu: 3000, tun: undefined } });
    expect(config).toMatchObject({ mtu: 3000, logLevel: 'error', tun: 'a', netns: 'n', offload: true });
  });

  test('the flags of winsockd up win over everything, and are named as flags', () => {
    const environment = {
      WINSOCKD_CONFIG_JSON: '{ "mtu": 1280, "address": ["10.1.0.2/24"] }',
      WINSOCKD_MTU: '2000',
    };
    expect(loadConfig({ environment })).toMatchObject({ mtu: 1280, address: ['10.1.0.2/24'] });
    expect(problem(() => loadConfig({ environment: { WINSOCKD_CONFIG_JSON: '{ "mtu": 1 }' } })).path).toBe(
      '--mtu',
    );
    expect(problem(() => loadConfig({ environment: { WINSOCKD_CONFIG_JSON: '{' } })).path).toBe(
      'WINSOCKD_CONFIG_JSON',
    );
    expect(problem(() => loadConfig({ environment: { WINSOCKD_CONFIG_JSON: '[]' } })).allowed).toContain(
      'object',
    );
  });

  test('text of flags and environment is read as its type', () => {
    const environment = {
      WINSOCKD_TUN_FD: '7',
      WINSOCKD_OFFLOAD: 'false',
      WINSOCKD_ADDRESS: '10.0.0.2/24, 10.0.1.2/24',
    };
    expect(loadConfig({ environment })).toMatchObject({
      tunFd: 7,
      offload: false,
      address: ['10.0.0.2/24', '10.0.1.2/24'],
    });
    expect(loadConfig({ environment: { WINSOCKD_MEMORY: '1' }, flags: { mtu: '900' } })).toMatchObject({
      memory: true,
      mtu: 900,
    });
    expect(loadConfig({ environment: { WINSOCKD_TUN: '' } }).tun).toBe('tun%d');
  });

  test('keys, flags and variables have one name each', () => {
    expect(flagName('hostAddress')).toBe('--host-address');
    expect(environmentName('tunFd')).toBe('WINSOCKD_TUN_FD');
    expect(new Set(CONFIG_KEYS.map(environmentName)).size).toBe(CONFIG_KEYS.length);
  });

  const wrong: [string, Record<string, unknown>, string, unknown, string][] = [
    [
      'a policy without a label',
      { prefixPolicies: ['fd00::/8=45'] },
      '--prefix-policies',
      'fd00::/8=45',
      'precedence and label',
    ],
    [
      'a policy past its bounds',
      { prefixPolicies: 'fd00::/8=65536:1' },
      '--prefix-policies',
      'fd00::/8=65536:1',
      'fd00::/8=45:14',
    ],
    ['an MTU too small', { mtu: 67 }, '--mtu', 67, '68 to 65535'],
    ['an MTU of words', { mtu: 'big' }, '--mtu', 'big', 'number'],
    ['an address without a length', { address: ['10.0.0.2'] }, '--address', '10.0.0.2', 'prefix length'],
    [
      'the address of a group',
      { address: ['224.0.0.9/24'] },
      '--address',
      '224.0.0.9/24',
      'a host’s address',
    ],
    ['that of a subnet', { address: ['10.0.0.0/24'] }, '--address', '10.0.0.0/24', 'a host’s address'],
    ['a loopback address', { hostAddress: ['::1/128'] }, '--host-address', '::1/128', 'a host’s address'],
    ['a gateway that is a group', { gateway: '224.0.0.2' }, '--gateway', '224.0.0.2', 'a router’s IPv4'],
    [
      'a gateway of our own',
      { address: ['10.0.0.2/24'], gateway: '10.0.0.2' },
      '--gateway',
      '10.0.0.2',
      'another address',
    ],
    ['a gateway that is nobody', { gateway6: '::' }, '--gateway6', '::', 'a router’s IPv6'],
    [
      'a name server that is everybody',
      { nameServers: '255.255.255.255' },
      '--name-servers',
      '255.255.255.255',
      'a host',
    ],
    [
      'a port map to a group',
      { nat: 'a', portMap: ['tcp:80=224.0.0.9:80'] },
      '--port-map',
      'tcp:80=224.0.0.9:80',
      'tcp:8080=',
    ],
    ['an IPv6 gateway that is none', { gateway6: '10.0.0.1' }, '--gateway6', '10.0.0.1', 'IPv6'],
    ['a gateway that is none', { gateway: '10.0.0' }, '--gateway', '10.0.0', 'IPv4'],
    ['a device name with a slash', { tun: 'a/b' }, '--tun', 'a/b', 'interface name'],
    [
      'a socket path past the limit of the system',
      { socket: `/${'x'.repeat(107)}` },
      '--socket',
      `/${'x'.repeat(107)}`,
      '107',
    ],
    ['a mode that is not octal', { socketMode: '0999' }, '--socket-mode', '0999', 'octal'],
    ['an unknown log level', { logLevel: 'loud' }, '--log-level', 'loud', 'trace, debug, info'],
    ['an unknown key', { colour: 'red' }, '--colour', 'red', 'one of the keys'],
    ['two devices', { tun: 'a', memory: true }, '--memory', true, 'one device only'],
    ['a namespace without a device to make', { tunFd: 3, netns: 'n' }, '--netns', 'n', '--tun or --tap'],
    ['one path for both sockets', { socket: '/s', control: '/s' }, '--control', '/s', 'another path'],
    [
      'a link of unknown words',
      { link: ['tap=a speed=9'] },
      '--link',
      'tap=a speed=9',
      'tun=NAME or tap=NAME',
    ],
    ['a link without a device', { link: ['mtu=900'] }, '--link', 'mtu=900', 'one of tun=NAME and tap=NAME'],
    ['a link with two', { link: ['tun=a tap=b'] }, '--link', 'tun=a tap=b', 'one of tun=NAME and tap=NAME'],
    ['a link whose device is said twice', { link: ['tap=a tap=b'] }, '--link', 'tap=a tap=b', 'tap=NAME'],
    ['a link with a wrong value', { link: ['tap=a mtu=9'] }, '--link', 'tap=a mtu=9', 'in mtu: 68 to 65535'],
    ['a link with dhcp=', { link: ['tap=a dhcp=yes'] }, '--link', 'tap=a dhcp=yes', 'in dhcp'],
    [
      'a link of an object’s words',
      { link: ['tap=a constructor'] },
      '--link',
      'tap=a constructor',
      'tap=NAME',
    ],
    ['a link by prototype', { link: ['tap=a __proto__=b'] }, '--link', 'tap=a __proto__=b', 'tap=NAME'],
    ['a port map that is none', { nat: 'a', portMap: ['80=x'] }, '--port-map', '80=x', 'tcp:8080='],
    [
      'a port map of port 0',
      { nat: 'a', portMap: ['tcp:0=10.0.0.1:1'] },
      '--port-map',
      'tcp:0=10.0.0.1:1',
      'tcp:8080=',
    ],
    [
      'a port map without translation',
      { portMap: ['tcp:80=10.0.0.1:80'] },
      '--port-map',
      'a port map',
      'together with --nat',
    ],
    ['a negative descriptor', { tunFd: -1 }, '--tun-fd', -1, 'descriptor'],
  ];
  test.each(wrong)(
    '%s is named with its place, its value and what is allowed',
    (_what, flags, path, value, allowed) => {
      const error = problem(() => loadConfig({ flags }));
      expect(error.path).toBe(path);
      expect(error.value).toBe(value);
      expect(error.allowed).toContain(allowed);
      expect(error.message).toContain(path);
    },
  );

  test('further links and port maps are read from their words', () => {
    const words =
      'tap=lan0  address=192.168.5.1/24 address=fd05::1/64 host-address=192.168.5.2/24 netns=lab mtu=9000 no-offload';
    const config = loadConfig({
      flags: {
        tun: 'wan0',
        link: [words, 'tun=b dhcp autoconf'],
        nat: 'wan0',
        natFiltering: 'address-and-port',
      },
      environment: { WINSOCKD_PORT_MAP: 'tcp:8080=192.168.5.9:80,udp:53=192.168.5.9:5353' },
    });
    expect(config.link).toEqual([
      {
        tap: 'lan0',
        netns: 'lab',
        address: ['192.168.5.1/24', 'fd05::1/64'],
        hostAddress: ['192.168.5.2/24'],
        dhcp: false,
        dhcpInform: false,
        autoconf: false,
        mtu: 9000,
        offload: false,
        memory: false,
      },
      {
        tun: 'b',
        address: [],
        hostAddress: [],
        dhcp: true,
        dhcpInform: false,
        autoconf: true,
        offload: true,
        memory: false,
      },
    ]);
    expect(config).toMatchObject({
      nat: 'wan0',
      natFiltering: 'address-and-port',
      portMap: [
        { protocol: 'tcp', outsidePort: 8080, insideAddress: '192.168.5.9', insidePort: 80 },
        { protocol: 'udp', outsidePort: 53, insideAddress: '192.168.5.9', insidePort: 5353 },
      ],
    });
  });

  test('the place is the variable, or the file and its key, where the value came from there', () => {
    expect(problem(() => loadConfig({ environment: { WINSOCKD_MTU: '5' } })).path).toBe('WINSOCKD_MTU');
    const path = file('{ "mtu": 5 }');
    expect(problem(() => loadConfig({ file: path })).path).toBe(`${path}: mtu`);
  });

  test('a file that cannot be read, is no JSON, or no object is named', () => {
    expect(problem(() => loadConfig({ file: '/nowhere.jsonc' })).allowed).toContain(
      'a file that can be read',
    );
    const broken = file('{\n "mtu": ,\n}');
    expect(problem(() => loadConfig({ file: broken })).path).toBe(`${broken}:2`);
    expect(problem(() => loadConfig({ file: file('[]') })).allowed).toBe('a JSON object of settings');
  });
});

describe('exitCodeOf', () => {
  test.each([
    [new ConfigError('--mtu', 1, '68'), ExitCode.usage],
    [new StartError('no'), ExitCode.no],
    [new StartError('no', ExitCode.notPermitted), ExitCode.notPermitted],
    [Object.assign(new Error('no'), { code: 'EPERM' }), ExitCode.notPermitted],
    [Object.assign(new Error('no'), { code: 'EBUSY' }), ExitCode.no],
    [null, ExitCode.no],
  ])('%s', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
