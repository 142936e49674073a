/** Names on a LAN between our daemon and avahi: each finds the other, neither takes the other's name. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import { connectRemote, type RemotePort } from '../../src/ipc/index.ts';
import { RecordType, recordText } from '../../src/names/index.ts';
import type { NameAnswer, OfferedService } from '../../src/port/index.ts';
import { Avahi } from '../support/avahi.ts';
import { describeLab, Lab, type Recording } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import type { Namespace } from '../support/netns.ts';

const OURS = '10.9.0.2';
const OURS6 = 'fd09::2';
const KERNEL = '10.9.0.1';
const PROGRAMS = {
  'avahi-daemon': 'avahi-daemon',
  'avahi-browse': 'avahi-utils',
  'dbus-daemon': 'dbus',
  dig: 'bind9-dnsutils',
  tshark: 'tshark',
  tcpdump: 'tcpdump',
};
const PRINTER: OfferedService = {
  instance: 'Büro 1',
  type: '_ipp._tcp',
  subtypes: ['_color'],
  port: 631,
  texts: [Buffer.from('rp=queue'), Buffer.from('note=2nd floor')],
};
/** Asks the group for an A record from a port of its own; prints who answers, the id, and how many questions and answers there are. */
const ASK_GROUP = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[1]))
name = b''.join(bytes([len(each)]) + each.encode() for each in sys.argv[4:]) + b'\\0'
s.sendto(struct.pack('!6H', 4242, 0, 1, 0, 0, 0) + name + struct.pack('!2H', 1, 1), (sys.argv[2], int(sys.argv[3])))
b, (host, port) = s.recvfrom(2000)
id, flags, questions, answers = struct.unpack('!4H', b[:8])
print(host, port, id, questions, answers)
`;
const { A, AAAA, PTR, SRV, TXT } = RecordType;

jest.setTimeout(60_000);

describeLab('mDNS with avahi on the same LAN', PROGRAMS, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-mdns-'));
  let lab: Lab;
  let kernel: Namespace;
  let avahi: Avahi;
  let recording: Recording;
  let daemon: Daemon;
  let application: RemotePort;

  const start = async (hostName: string): Promise<void> => {
    daemon = await startDaemon(
      loadConfig({
        flags: {
          tap: 'tap0',
          netns: lab.space.name,
          address: [`${OURS}/24`, `${OURS6}/64`],
          socket: join(folder, 'winsockd.sock'),
          control: join(folder, 'control.sock'),
          log: join(folder, 'log'),
          hostName,
          offload: false,
          mdns: true,
          mdnsResponder: true,
          llmnrResponder: true,
        },
      }),
      { giveUpPrivileges: () => false },
    );
    lab.plug('tap0');
    application = await connectRemote(join(folder, 'winsockd.sock'));
  };
  const stop = async (): Promise<void> => {
    application.close();
    await daemon.stop();
  };
  const ask = (name: string, ...types: number[]): Promise<NameAnswer> =>
    application.names.resolve({ name, types });
  const data = async (name: string, ...types: number[]): Promise<string[]> =>
    (await ask(name, ...types)).records.map((record) => recordText(record));
  const resolves = async (option: string, name: string): Promise<string> => {
    let said = '';
    await until(`avahi knows ${name}`, async () => {
      said = await avahi.ask('avahi-resolve', option, name);
      return !said.includes('Failed');
    });
    return said;
  };

  beforeAll(async () => {
    lab = new Lab();
    kernel = lab.kernelHost(`${KERNEL}/24`, 'fd09::1/64');
    recording = await lab.record();
    avahi = await Avahi.start(kernel, 'kernel');
    await start('stack.example');
    await avahi.name();
  });

  afterAll(async () => {
    await stop();
    avahi.close();
    lab.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test('RFC 6762 §3, §4 avahi finds our name in both families, and our addresses', async () => {
    expect(await resolves('-4n', 'stack.local')).toBe(`stack.local\t${OURS}\n`);
    expect(await resolves('-6n', 'stack.local')).toMatch(/^stack\.local\t(fd09::2|fe80::[0-9a-f:]+)\n$/);
    expect(await resolves('-a', OURS)).toBe(`${OURS}\tstack.local\n`);
    expect(await resolves('-a', OURS6)).toBe(`${OURS6}\tstack.local\n`);
  });

  test('we find avahi’s', async () => {
    expect(await data('kernel.local', A)).toEqual([KERNEL]);
    expect(await data('kernel.local', AAAA)).toContain('fd09::1');
    expect((await ask('nobody.local', A)).status).toBe('noName');
  });

  test('RFC 6763 §4, §6, §7.1 avahi finds what an application of ours offers, until it takes it back', async () => {
    const offered = await application.names.register(PRINTER);
    expect(offered).toMatchObject({ error: 0, instance: 'Büro 1' });
    const shown = await avahi.ask('avahi-browse', '-rtpk', '_ipp._tcp');
    const line = shown.split('\n').find((each) => each.startsWith('=') && each.includes(';IPv4;')) ?? '';
    expect(line).toBe(
      `=;veth0;IPv4;B\\195\\188ro\\0321;_ipp._tcp;local;stack.local;${OURS};631;"note=2nd floor" "rp=queue"`,
    );
    expect(await avahi.ask('avahi-browse', '-tp', '_color._sub._ipp._tcp')).toContain('B\\195\\188ro\\0321');
    expect(await avahi.ask('avahi-browse', '-atpk')).toContain('_ipp._tcp');
    expect(await application.names.deregister(offered.id)).toBe(0);
    await until(
      'avahi has forgotten it',
      async () => !(await avahi.ask('avahi-browse', '-tp', '_ipp._tcp')).includes('ro'),
    );
  });

  test('RFC 6763 §4 we find what avahi offers', async () => {
    const publisher = avahi.run(['avahi-publish', '-s', 'Kernel Web', '_http._tcp', '8080', 'path=/a']);
    await until('it is offered', () => publisher.output.includes('Established'));
    expect(await data('_http._tcp.local', PTR)).toEqual(['Kernel Web._http._tcp.local']);
    expect(await data('Kernel Web._http._tcp.local', SRV)).toEqual(['0 0 8080 kernel.local']);
    expect(await data('Kernel Web._http._tcp.local', TXT)).toEqual(['"path=/a"']);
    const taken = await application.names.register({
      ...PRINTER,
      instance: 'Kernel Web',
      type: '_http._tcp',
    });
    expect(taken).toMatchObject({ error: 0, instance: 'Kernel Web (2)' });
    publisher.end();
  });

  test('RFC 6762 §9 avahi, which comes later with a service of our name, takes another', async () => {
    const offered = await application.names.register({ ...PRINTER, type: '_ssh._tcp' });
    const publisher = avahi.run(['avahi-publish', '-s', 'Büro 1', '_ssh._tcp', '22']);
    await until('it is offered', () => publisher.output.includes("Established under name 'Büro 1 #2'"));
    expect(offered.instance).toBe('Büro 1');
    publisher.end();
  });

  test('RFC 6762 §5.5, §6.7 who asks from a port of its own, the group or us alone: dig, and a socket', async () => {
    const dig = async (...args: string[]): Promise<string> =>
      (await kernel.run(['dig', '-p', '5353', '+tries=1', '+time=3', '+noedns', ...args])).stdout;
    expect(await dig(`@${OURS}`, '+short', 'stack.local')).toBe(`${OURS}\n`);
    const answer = await dig(`@${OURS}`, 'stack.local', 'AAAA');
    expect(answer).toMatch(/flags: qr aa(?: rd)?;/);
    expect(answer).toMatch(/stack\.local\.\s+10\s+IN\s+AAAA\s+fd09::2/);
    expect(await dig(`@${OURS}`, '+short', '-x', OURS)).toBe('stack.local.\n');
    // dig takes no answer to what it asks a group: it comes from another address.
    const heard = await kernel.run([
      'python3',
      '-c',
      ASK_GROUP,
      KERNEL,
      '224.0.0.251',
      '5353',
      'stack',
      'local',
    ]);
    expect(heard.stdout).toBe(`${OURS} 5353 4242 1 1\n`);
  });

  test('RFC 4795 §2.3 our short name, by LLMNR', async () => {
    const heard = await kernel.run(['python3', '-c', ASK_GROUP, KERNEL, '224.0.0.252', '5355', 'stack']);
    expect(heard.stdout).toBe(`${OURS} 5355 4242 1 1\n`);
    const { stdout } = await kernel.run([
      'dig',
      '-p',
      '5355',
      '+tcp',
      '+tries=1',
      '+time=3',
      '+noedns',
      '+short',
      `@${OURS}`,
      'stack',
    ]);
    expect(stdout).toBe(`${OURS}\n`);
  });

  test('RFC 6762 §8.1, §9 a name that avahi has is not taken; RFC 6762 §10.1 ours is given back', async () => {
    await stop();
    await until('avahi has forgotten us', async () =>
      (await avahi.ask('avahi-resolve', '-4n', 'stack.local')).includes('Failed'),
    );
    await start('kernel');
    expect(await resolves('-4n', 'kernel-2.local')).toBe(`kernel-2.local\t${OURS}\n`);
    expect(await avahi.name()).toBe('kernel.local');
    expect(await data('kernel.local', A)).toEqual([KERNEL]);
  });

  test('RFC 6762 §11 tshark has nothing against what was sent, from port 5353 with 255 hops', async () => {
    const own = `(ip.src == ${OURS} || ipv6.src == ${OURS6}) && udp.dstport == 5353`;
    const hops = await recording.fields(own, 'ip.ttl', 'ipv6.hlim', 'udp.srcport', 'dns.id');
    const seen = new Set(hops.map((each) => each.join(' ').trim()));
    expect(hops.length).toBeGreaterThan(20);
    for (const each of seen) expect(each).toMatch(/255/);
    const said = await recording.complaints(
      `udp.port == 5353 && (ip.src == ${OURS} || ipv6.src == ${OURS6})`,
    );
    // All have the identifier 0 (§18.1): tshark takes them for repetitions, which is a remark of its own and no fault.
    expect(said.filter((each) => !/\| DNS (query|response) retransmission\. [^|,]*$/.test(each))).toEqual([]);
  });
});
