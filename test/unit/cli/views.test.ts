import { afterEach, describe, expect, test } from '@jest/globals';
import { CHAIN_ENTRY, DROPS, INTERFACES, LINK, ROUTES, SOCKETS, STATUS, TCP_ENTRY } from './answers.ts';
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

describe('winsockd status', () => {
  test('a running daemon is shown with its devices and what it holds', async () => {
    const { code, out, err } = await (await fake({ 'GET /v1/status': STATUS })).cli('status');
    expect(out).toBe(
      [
        'daemon   winsockd 0.1.0, process 4711, up 1 d 2 h',
        'user     990, privileges dropped',
        'socket   /run/winsockd/winsockd.sock',
        'control  /run/winsockd/control.sock',
        'link     tun0 (tun), mtu 1500, offload csum tso4, kernel’s side 10.77.0.1/24',
        'held     4 sockets of 2 sessions',
        'memory   50.0 MiB',
        '',
      ].join('\n'),
    );
    expect([code, err]).toEqual([0, '']);
  });

  test('a link in a namespace without offload, and kept privileges, are said', async () => {
    const link = { ...LINK, namespace: 'lab', offload: [], hostAddresses: [] };
    const status = { ...STATUS, links: [link], hasPrivileges: true, uptimeSeconds: 0.4 };
    const { out } = await (await fake({ 'GET /v1/status': status })).cli('status');
    expect(out).toContain('link     tun0 (tun, in namespace lab), mtu 1500, offload none\n');
    expect(out).toContain('with privileges');
    expect(out).toContain('up 0 s');
  });

  test('--json is the API’s answer', async () => {
    expect(await (await fake({ 'GET /v1/status': STATUS })).json('status')).toEqual(STATUS);
  });

  test('a name with control characters cannot move the terminal’s cursor', async () => {
    const status = { ...STATUS, socketPath: '/run/\u001b[2Jx' };
    const { out } = await (await fake({ 'GET /v1/status': status })).cli('status');
    expect(out).toContain('/run/\\x1b[2Jx');
    expect(out).not.toContain('\u001b');
  });

  test('WINSOCKD_CONTROL names the socket when no flag does', async () => {
    const { path } = await fake({ 'GET /v1/status': STATUS });
    expect((await cli('status', { environment: { WINSOCKD_CONTROL: path } })).code).toBe(0);
  });
});

describe('winsockd netstat', () => {
  test('without -a sockets that wait are left out', async () => {
    const { out } = await (await fake({ 'GET /v1/sockets': SOCKETS })).cli('netstat');
    expect(out.split('\n')).toEqual([
      'Active Connections',
      '',
      'Proto  Local Address   Foreign Address  State        Recv-Q  Send-Q',
      'TCP    10.77.0.2:80    10.77.0.1:40000  ESTABLISHED      17    2920',
      'UDP    [fd00::2]:5000  [fd00::1]:53                       0       0',
      '',
    ]);
  });

  test('-ano lists all, with their processes', async () => {
    const { out } = await (await fake({ 'GET /v1/sockets': SOCKETS })).cli('netstat -ano');
    const rows = out
      .split('\n')
      .slice(3, -1)
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['TCP', '0.0.0.0:80', '0.0.0.0:0', 'LISTEN', '0', '0', '501'],
      ['TCP', '10.77.0.2:80', '10.77.0.1:40000', 'ESTABLISHED', '17', '2920', '501, 502'],
      ['UDP', '0.0.0.0:7', '*:*', '0', '0', '-'],
      ['UDP', '[fd00::2]:5000', '[fd00::1]:53', '0', '0', '503'],
    ]);
  });

  test('-e tells what TCP knows of a connection', async () => {
    const { out } = await (await fake({ 'GET /v1/sockets': SOCKETS })).cli('netstat -e');
    expect(out).toContain('cwnd 14600 srtt 1.3 ms rto 200 ms retransmits 3');
  });

  test('Windows’ /ano and -p choose as there', async () => {
    const fakeDaemon = await fake({ 'GET /v1/sockets': SOCKETS });
    expect(await fakeDaemon.json('netstat /an /p UDP')).toEqual(SOCKETS.slice(2));
    expect(await fakeDaemon.json('netstat -a -p tcp')).toEqual(SOCKETS.slice(0, 2));
  });

  test('-p with an unknown protocol is a usage error that lists the known', async () => {
    const { code, err } = await cli('netstat -p sctp');
    expect(code).toBe(2);
    expect(err).toContain('"sctp" is not one of tcp, udp, icmp, raw');
  });

  test('-s lists the counters by their MIB names', async () => {
    const fakeDaemon = await fake({ 'GET /v1/counters': { ipInReceives: 1200, tcpRetransSegs: 3 } });
    expect((await fakeDaemon.cli('netstat -s')).out).toBe(
      'Counter         Count\nipInReceives     1200\ntcpRetransSegs      3\n',
    );
    expect(await fakeDaemon.json('netstat -s')).toEqual({ ipInReceives: 1200, tcpRetransSegs: 3 });
  });

  test('-r is route print', async () => {
    const fakeDaemon = await fake({ 'GET /v1/routes': ROUTES });
    const { out } = await fakeDaemon.cli('netstat -r');
    expect(out).toBe((await fakeDaemon.cli('route print')).out);
    expect(out.split('\n')).toEqual([
      'Network Destination  Gateway    Interface  Metric',
      '10.77.0.0/24         On-link    tap0          281',
      '0.0.0.0/0            10.77.0.1  tap0           35',
      '',
    ]);
  });

  test('titles are bold on a terminal, unless NO_COLOR is set', async () => {
    const fakeDaemon = await fake({ 'GET /v1/sockets': SOCKETS });
    const shown = await fakeDaemon.cli('netstat', { isTerminal: true });
    const plain = await fakeDaemon.cli('netstat', { isTerminal: true, environment: { NO_COLOR: '1' } });
    expect(shown.out).toContain('\u001b[1mProto\u001b[22m  ');
    expect(plain.out).not.toContain('\u001b');
  });
});

describe('winsockd route and ipconfig', () => {
  test('route print --json is the API’s answer', async () => {
    expect(await (await fake({ 'GET /v1/routes': ROUTES })).json('route print')).toEqual(ROUTES);
  });

  test('ipconfig lists addresses with masks and leaves the loopback out', async () => {
    const { out } = await (await fake({ 'GET /v1/interfaces': INTERFACES })).cli('ipconfig');
    expect(out).toBe(
      [
        '',
        'IP Configuration',
        '',
        '',
        'Ethernet adapter tap0:',
        '',
        '   IPv4 Address. . . . . . . . . . . : 10.77.0.2',
        '   Subnet Mask . . . . . . . . . . . : 255.255.255.0',
        '   IPv6 Address. . . . . . . . . . . : fd00::2/64',
        '   Default Gateway . . . . . . . . . : 10.77.0.1',
        '',
      ].join('\n'),
    );
  });

  test.each(['--all', '/all', '/ALL', '-all'])(
    'ipconfig %s tells everything, the loopback too',
    async (flag) => {
      const routes = { 'GET /v1/interfaces': INTERFACES, 'GET /v1/dhcp': [] };
      const { out } = await (await fake(routes)).cli(`ipconfig ${flag}`);
      expect(out).toContain('Loopback adapter lo:');
      expect(out).toContain('   Description . . . . . . . . . . . : winsockd software lo\n');
      expect(out).toContain('   DHCP Enabled. . . . . . . . . . . : No\n');
      expect(out).toContain('   Physical Address. . . . . . . . . : 02-00-0A-4D-00-02\n');
      expect(out).toContain('   MTU . . . . . . . . . . . . . . . : 1500\n');
      expect(out).toContain('   Received. . . . . . . . . . . . . : 12 packets, 3400 bytes\n');
    },
  );

  test('an interface that is down says so', async () => {
    const down = INTERFACES.map((each) => ({ ...each, isUp: false }));
    const { out } = await (await fake({ 'GET /v1/interfaces': down })).cli('ipconfig');
    expect(out).toContain('Media State . . . . . . . . . . . : Media disconnected');
  });

  test('ipconfig --json is the API’s answer, the loopback included', async () => {
    expect(await (await fake({ 'GET /v1/interfaces': INTERFACES })).json('ipconfig')).toEqual(INTERFACES);
  });
});

describe('winsockd drops', () => {
  test('each reason comes with its count, its rule and its meaning', async () => {
    const { out } = await (await fake({ 'GET /v1/drops': DROPS })).cli('drops');
    expect(out.split('\n')).toEqual([
      'Count  Reason       Source           Meaning',
      '   12  tcpChecksum  RFC 9293 §3.1    The TCP checksum is wrong.',
      '    3  ipNotForUs   RFC 1122 §3.3.1  The destination is no address of this host.',
      '',
    ]);
  });

  test('no drop at all is said in words, and in JSON as an empty list', async () => {
    const fakeDaemon = await fake({ 'GET /v1/drops': [] });
    expect((await fakeDaemon.cli('drops')).out).toBe('no packet was dropped\n');
    expect(await fakeDaemon.json('drops')).toEqual([]);
  });

  test('--watch shows it again after each pause until it is interrupted', async () => {
    let count = 0;
    const fakeDaemon = await fake({ 'GET /v1/drops': () => [{ ...DROPS[0], count: ++count }] });
    const interruption = new AbortController();
    const sleeps: number[] = [];
    const onSleep = (ms: number): void => {
      if (sleeps.push(ms) === 3) interruption.abort();
    };
    const { code, out } = await fakeDaemon.cli('drops --watch 0.5 --json', { interruption, onSleep });
    expect(sleeps).toEqual([500, 500, 500]);
    expect(
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { count: number }[])[0]?.count),
    ).toEqual([1, 2, 3]);
    expect(code).toBe(0);
  });

  test('--watch clears a terminal, and a pipe gets blank lines between', async () => {
    const fakeDaemon = await fake({ 'GET /v1/drops': [] });
    const watch = (isTerminal: boolean): Promise<{ out: string }> => {
      const interruption = new AbortController();
      let sleeps = 0;
      const onSleep = (): void => {
        if (++sleeps === 2) interruption.abort();
      };
      return fakeDaemon.cli('drops --watch', { interruption, onSleep, isTerminal });
    };
    expect((await watch(true)).out).toBe('\u001b[H\u001b[Jno packet was dropped\n'.repeat(2));
    expect((await watch(false)).out).toBe('no packet was dropped\n\nno packet was dropped\n');
  });
});

const NO_NAME_SPACES = { 'GET /v1/catalog/snapshot': { nameSpaces: [], skipped: [] } };

describe('winsockd netsh winsock show catalog', () => {
  test('an entry is listed as Windows lists it', async () => {
    const { out } = await (await fake({ 'GET /v1/catalog': [TCP_ENTRY], ...NO_NAME_SPACES })).cli(
      'netsh winsock show catalog',
    );
    expect(out).toBe(`
Winsock Catalog Provider Entry
------------------------------------------------------
Entry Type:                         Base Service Provider
Description:                        MSAFD Tcpip [TCP/IP]
Provider ID:                        {E70F1AA0-AB8B-11CF-8CA3-00805F48A192}
Provider Path:                      %SystemRoot%\\system32\\mswsock.dll
Catalog Entry ID:                   1001
Version:                            2
Address Family:                     2
Max Address Length:                 16
Min Address Length:                 16
Socket Type:                        1
Protocol:                           6
Service Flags:                      0x20066
Protocol Chain Length:              1
`);
  });

  test('a chain lists its entries in order, and flags are unsigned', async () => {
    const fakeDaemon = await fake({ 'GET /v1/catalog': [TCP_ENTRY, CHAIN_ENTRY], ...NO_NAME_SPACES });
    const { out } = await fakeDaemon.cli('NETSH winsock show catalog');
    expect(out).toContain(
      'Protocol Chain Length:              2\nProtocol Chain:                     1009 : 1001\n',
    );
    expect(out).toContain('Service Flags:                      0x80020066\n');
    expect(out.match(/Winsock Catalog Provider Entry/g)).toHaveLength(2);
    expect(await fakeDaemon.json('netsh winsock show catalog')).toEqual([TCP_ENTRY, CHAIN_ENTRY]);
  });
});
