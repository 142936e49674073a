/**
 * Names by real servers: a daemon on a TUN device asks dnsmasq in a namespace, is asked by the command line, and tshark judges
 * what it sends.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { NslookupReport } from '../../src/cli/commands/nslookup.ts';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import type { NamesStatus, ResolveAnswer } from '../../src/port/index.ts';
import { Judge } from '../support/judge.ts';
import { DEVICE, KERNEL, OURS, until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { cli, type Outcome } from '../unit/cli/harness.ts';

/** A server that answers late, and an address at which nobody listens. */
const SLOW = '10.9.0.3';
const NOBODY = '10.9.0.4';

const BIG = Array.from({ length: 8 }, (_, i) => String(i).repeat(250));
const ZONE = [
  '--host-record=www.lab.example,10.1.0.1,2001:db8::1',
  '--host-record=four.lab.example,10.1.0.4',
  '--cname=a.lab.example,b.lab.example',
  '--cname=b.lab.example,www.lab.example',
  `--txt-record=text.lab.example,${BIG.slice(0, 3).join(',')}`,
  `--txt-record=big.lab.example,${BIG.join(',')}`,
  '--mx-host=lab.example,mail.lab.example,10',
  '--srv-host=_ldap._tcp.lab.example,dc.lab.example,389,1,2',
  '--ptr-record=1.0.9.10.in-addr.arpa,dns.lab.example',
  '--local-ttl=60',
  '--local=/lab.example/',
  '--local=/corp.example/',
];

/** Answers every question with 10.2.0.1, after a while. */
const SLOW_SERVER = `
import socket, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${SLOW}', 53))
print('ready', flush=True)
def answer(q, a):
    time.sleep(2.5)
    end = q.index(0, 12) + 5
    s.sendto(q[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + q[12:end] + b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x0a\\2\\0\\1', a)
while True:
    q, a = s.recvfrom(2000)
    threading.Thread(target=answer, args=(q, a), daemon=True).start()
`;

/** A member of a group that has one name, and one address: answers by unicast, from the group's port. */
const MEMBER = `
import socket, sys
group, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', port))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton('${KERNEL}'))
print('ready', flush=True)
while True:
    q, a = s.recvfrom(2000)
    end = q.index(0, 12) + 5
    if name in q and q[end-4:end-2] == b'\\0\\1':
        s.sendto(q[:2] + b'\\x80\\0\\0\\1\\0\\1\\0\\0\\0\\0' + q[12:end] + b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x0a\\0\\4\\x0a\\4\\0\\1', a)
`;

jest.setTimeout(60_000);

describePrivileged('names by dnsmasq, over a TUN device', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-names-'));
  const control = join(folder, 'control.sock');
  const hosts = join(folder, 'hosts');
  let space: Namespace;
  let daemon: Daemon;
  let judge: Judge;
  let dnsmasqLog = '';

  const start = (nameServers: readonly string[], more: object = {}): Promise<Daemon> =>
    startDaemon(
      loadConfig({
        flags: {
          tun: DEVICE,
          netns: space.name,
          address: [`${OURS}/24`],
          hostAddress: [`${KERNEL}/24`, `${SLOW}/24`, `${NOBODY}/24`],
          gateway: KERNEL,
          offload: false,
          socket: join(folder, 'winsockd.sock'),
          control,
          log: join(folder, 'log'),
          nameServers,
          searchList: ['corp.example', 'lab.example'],
          hostsFile: hosts,
          hostName: 'stack',
          mdns: true,
          llmnr: true,
          dnsProxy: [OURS],
          dnsNames: ['phone=10.9.0.77'],
          ...more,
        },
      }),
      { giveUpPrivileges: () => false },
    );

  const run = (line: string): Promise<Outcome> => cli([...line.split(' '), '--control', control]);
  const lookup = async (line: string): Promise<ResolveAnswer> =>
    (JSON.parse((await run(`nslookup ${line} --json`)).out) as NslookupReport).answer;
  const data = ({ records }: ResolveAnswer): string[] => records.map((record) => record.data);
  const dnsmasq = async (): Promise<ChildProcess> => {
    const child = space.spawn(
      [
        'dnsmasq',
        '--no-daemon',
        '--conf-file=/dev/null',
        '--pid-file=',
        '--user=root',
        '--no-resolv',
        '--no-hosts',
        '--log-queries',
        '--port=53',
        '--bind-interfaces',
        `--listen-address=${KERNEL}`,
        '--edns-packet-max=4096',
        ...ZONE,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      dnsmasqLog += text;
    });
    await until('dnsmasq serves', () => dnsmasqLog.includes('started'));
    return child;
  };

  /** Runs a server until the end. Resolves when it serves. */
  const python = async (program: string, ...args: string[]): Promise<void> => {
    const child = space.spawn(['python3', '-c', program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout?.on('data', (part) => {
      said += part;
    });
    await until('the server serves', () => said.includes('ready'));
  };
  /** What dig prints of the proxy's answer. */
  const dig = async (...args: string[]): Promise<string> =>
    (await space.run(['dig', `@${OURS}`, '+tries=1', '+time=5', ...args])).stdout;

  /** What tshark finds in the recording, DNS dissected. */
  const dissect = async (filter: string, field = '_ws.col.Info'): Promise<string[]> => {
    const { stdout } = await space.run(
      ['tshark', '-n', '-r', judge.file, '-Y', filter, '-T', 'fields', '-e', field],
      60_000,
    );
    return stdout.split('\n').filter((line) => line !== '');
  };

  beforeAll(async () => {
    writeFileSync(hosts, '10.3.0.1 fileserver nas\n10.3.0.300 broken\n');
    space = createNamespace();
    daemon = await start([KERNEL]);
    await dnsmasq();
    judge = await Judge.start(space, DEVICE);
    await python(SLOW_SERVER);
    await python(MEMBER, '224.0.0.251', '5353', 'pc');
    await python(MEMBER, '224.0.0.252', '5355', 'oldpc');
  });

  afterAll(async () => {
    judge.remove();
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('RFC 1035 §7 both families of a name, as Windows shows them', async () => {
    const { code, out } = await run('nslookup www.lab.example');
    expect(out).toBe(
      `Server:  dns.lab.example\nAddress:  ${KERNEL}\n\nName:    www.lab.example\nAddresses:  2001:db8::1\n\t  10.1.0.1\n\n`.replace(
        'Name:',
        out.includes('Non-authoritative') ? 'Non-authoritative answer:\nName:' : 'Name:',
      ),
    );
    expect(code).toBe(0);
  });

  test('RFC 1034 §3.6.2 a chain of aliases', async () => {
    const answer = await lookup('a.lab.example -type=A');
    expect(answer.canonicalName).toBe('www.lab.example');
    expect(data(answer)).toEqual(['b.lab.example', 'www.lab.example', '10.1.0.1']);
  });

  test('RFC 6891 §6.2.3 more than 512 bytes come by UDP', async () => {
    expect(data(await lookup('text.lab.example -type=TXT'))).toEqual([
      BIG.slice(0, 3)
        .map((text) => `"${text}"`)
        .join(' '),
    ]);
  });

  test('RFC 7766 §5 more than 1232 bytes come by TCP', async () => {
    expect(data(await lookup('big.lab.example -type=TXT'))).toEqual([
      BIG.map((text) => `"${text}"`).join(' '),
    ]);
  });

  test.each([
    ['lab.example -type=MX', ['10 mail.lab.example']],
    ['_ldap._tcp.lab.example -type=SRV', ['1 2 389 dc.lab.example']],
    [KERNEL, ['dns.lab.example']],
    ['www', ['2001:db8::1', '10.1.0.1']],
    ['www.lab.example -type=A -vc', ['10.1.0.1']],
  ])('nslookup %s', async (line, expected) => {
    expect(data(await lookup(line))).toEqual(expected);
  });

  test('RFC 2308 §2 names that are not there, and those without what is asked for', async () => {
    expect(await lookup('no.lab.example')).toMatchObject({ status: 'noName', error: 11001 });
    expect(await lookup('four.lab.example -type=AAAA')).toMatchObject({ status: 'noData', error: 11004 });
    const { code, out } = await run('nslookup no.lab.example');
    expect(out).toContain("*** dns.lab.example can't find no.lab.example: Non-existent domain\n");
    expect(code).toBe(1);
  });

  test('the cache answers from then on; ipconfig shows it and forgets it', async () => {
    await run('ipconfig /flushdns');
    const asked = (): number => dnsmasqLog.split('query[A] four.lab.example').length - 1;
    const before = asked();
    expect((await lookup('four.lab.example --type=A --cache')).source).toBe('dns');
    expect((await lookup('four.lab.example --type=A --cache')).source).toBe('cache');
    expect(asked()).toBe(before + 1);
    const shown = (await run('ipconfig /displaydns')).out;
    expect(shown).toContain('    Record Name . . . . . : four.lab.example\n');
    expect(shown).toContain('    A (Host) Record . . . : 10.1.0.4\n');
    expect((await run('ipconfig /flushdns')).out).toContain('Successfully flushed the DNS Resolver Cache');
    expect((await run('ipconfig /displaydns --json')).out).toBe('[]\n');
    expect((await lookup('four.lab.example --type=A --cache')).source).toBe('dns');
  });

  test('the hosts file and the host itself come first', async () => {
    expect(await lookup('NAS --cache')).toMatchObject({ source: 'hosts', canonicalName: 'fileserver' });
    expect(data(await lookup('stack --cache'))).toEqual([OURS]);
    expect(data(await lookup('localhost --cache'))).toEqual(['::1', '127.0.0.1']);
  });

  test('RFC 6762 §5.1 a name under .local, by who is there', async () => {
    const answer = await lookup('pc.local --type=A --cache');
    expect(answer).toMatchObject({ status: 'found', source: 'mdns' });
    expect(data(answer)).toEqual(['10.4.0.1']);
  });

  test('RFC 4795 §2 a short name that no server knows, by who is there', async () => {
    const answer = await lookup('oldpc --type=A --cache');
    expect(answer).toMatchObject({ status: 'found', source: 'llmnr', name: 'oldpc' });
    expect(data(answer)).toEqual(['10.4.0.1']);
  });

  describe('the DNS proxy, asked by dig', () => {
    test('RFC 1035 §7 answers of the server, of the host and of the local network', async () => {
      expect(await dig('+short', 'a.lab.example')).toBe('b.lab.example.\nwww.lab.example.\n10.1.0.1\n');
      expect(await dig('+short', 'www.lab.example', 'AAAA')).toBe('2001:db8::1\n');
      expect(await dig('+short', 'stack')).toBe(`${OURS}\n`);
      expect(await dig('+short', 'phone')).toBe('10.9.0.77\n');
      expect(await dig('+short', 'phone.corp.example')).toBe('10.9.0.77\n');
      expect(await dig('+short', '-x', '10.9.0.77')).toBe('phone.corp.example.\n');
    });

    test('flags, codes and EDNS', async () => {
      const found = await dig('www.lab.example');
      expect(found).toMatch(/status: NOERROR/);
      expect(found).toMatch(/flags: qr rd ra; QUERY: 1, ANSWER: 1/);
      expect(found).toMatch(/EDNS: version: 0, flags:; udp: 1232/);
      expect(await dig('no.lab.example')).toMatch(/status: NXDOMAIN/);
      expect(await dig('+norecurse', 'www.lab.example')).toMatch(/status: REFUSED/);
      expect(await dig('+opcode=UPDATE', '+noedns', 'lab.example')).toMatch(/status: NOTIMP/);
      expect(await dig('+edns=1', '+noednsneg', 'www.lab.example')).toMatch(/status: BADVERS/);
      expect(await dig('AXFR', 'lab.example')).toMatch(/Transfer failed/);
    });

    test('RFC 7766 §5 what was cut off comes over TCP', async () => {
      const cut = await dig('+ignore', 'big.lab.example', 'TXT');
      expect(cut).toMatch(/flags: qr tc rd ra; QUERY: 1, ANSWER: 0/);
      expect(await dig('+short', 'big.lab.example', 'TXT')).toBe(
        `${BIG.map((text) => `"${text}"`).join(' ')}\n`,
      );
      expect(await dig('+tcp', '+keepopen', '+short', 'www.lab.example', 'text.lab.example')).toBe(
        '10.1.0.1\n',
      );
    });

    test('many at once', async () => {
      const file = join(folder, 'questions');
      writeFileSync(
        file,
        Array.from({ length: 60 }, (_, i) => `${i % 2 === 0 ? 'www' : 'four'}.lab.example A\n`).join(''),
      );
      const answers = (await dig('+short', '-f', file)).split('\n').filter((line) => line !== '');
      expect(answers).toHaveLength(60);
    });
  });

  describe('with servers that do not answer', () => {
    beforeAll(async () => {
      await judge.stop();
      await daemon.stop();
      daemon = await start([NOBODY, SLOW, KERNEL]);
    });

    test('a port that is not there costs no time, a slow one a second, and a late answer counts', async () => {
      const answer = await lookup('four.lab.example --type=A --cache');
      expect(answer.server).toBe(KERNEL);
      expect(data(answer)).toEqual(['10.1.0.4']);
      expect(answer.elapsedMs).toBeGreaterThan(900);
      const status = JSON.parse(await names(control)) as NamesStatus;
      expect(status.servers.map(({ address, answers }) => [address, answers > 0])).toEqual([
        [NOBODY, false],
        [SLOW, false],
        [KERNEL, true],
      ]);
      const late = await lookup(`late.example ${SLOW} --type=A`);
      expect(data(late)).toEqual(['10.2.0.1']);
      expect(late.elapsedMs).toBeGreaterThan(2400);
    });
  });

  test('tshark has nothing against what was sent', async () => {
    expect(await judge.complaints(OURS, { hasChecksums: true })).toEqual([]);
    // RFC 6762 §11, RFC 4795 §2.4: what goes to a group shows that it comes from the link.
    const hops = await dissect(`udp.dstport in {5353, 5355} && ip.src == ${OURS}`, 'ip.ttl');
    expect(hops.length).toBeGreaterThan(1);
    expect(new Set(hops)).toEqual(new Set(['255']));
    expect(
      await dissect(`dns && ip.src == ${OURS} && (_ws.malformed || _ws.expert.severity == "Error")`),
    ).toEqual([]);
    const ports = await dissect(`dns.flags.response == 0 && udp && ip.src == ${OURS}`, 'udp.srcport');
    expect(ports.length).toBeGreaterThan(15);
    expect(new Set(ports).size).toBeGreaterThan(ports.length - 3);
    expect(await dissect(`dns.flags.response == 0 && tcp && ip.src == ${OURS}`, 'dns.qry.name')).toEqual(
      expect.arrayContaining(['big.lab.example', 'www.lab.example']),
    );
  });
});

async function names(control: string): Promise<string> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ socketPath: control, path: '/v1/names' }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
