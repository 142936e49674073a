/**
 * The name functions of an application over IPC: a daemon on a TUN device, whose names are those of a real dnsmasq in a namespace.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  AI_CANONNAME,
  type addrinfo,
  addrinfos,
  type hostent,
  LUP_RETURN_ADDR,
  LUP_RETURN_BLOB,
  LUP_RETURN_NAME,
  NI_NAMEREQD,
  noHints,
  querySet,
  readSockaddr,
  SVCID_TCP,
  sockaddrOf,
  WSAHOST_NOT_FOUND,
  type WSAQUERYSET,
} from '../../src/abi/index.ts';
import { createConnection } from '../../src/app/net.ts';
import { type AsyncWinsock, asyncWinsock } from '../../src/app/promised.ts';
import { IpAddress } from '../../src/base/index.ts';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import { connectRemote, type RemotePort } from '../../src/ipc/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { describeLab } from '../support/lab.ts';
import { DEVICE, KERNEL, OURS, until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';

jest.setTimeout(60_000);

const ZONE = [
  `--host-record=www.lab.example,${KERNEL},2001:db8::1`,
  '--host-record=four.lab.example,10.1.0.4',
  '--cname=alias.lab.example,www.lab.example',
  '--txt-record=text.lab.example,hello',
  '--mx-host=lab.example,mail.lab.example,10',
  '--host-record=dc.lab.example,10.1.0.5',
  '--srv-host=_ldap._tcp.lab.example,dc.lab.example,389,1,2',
  `--ptr-record=${KERNEL.split('.').reverse().join('.')}.in-addr.arpa,dns.lab.example`,
  '--local=/lab.example/',
];

const GREETER = `
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('${KERNEL}', 7070))
s.listen(5)
print('ready', flush=True)
while True:
    c, _ = s.accept()
    c.sendall(b'hello')
    c.close()
`;

describeLab('the name functions, by dnsmasq', { dnsmasq: 'dnsmasq', python3: 'python3' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-wnames-'));
  let space: Namespace;
  let daemon: Daemon;
  let port: RemotePort;
  let winsock: Winsock;
  let ws: AsyncWinsock;

  beforeAll(async () => {
    space = createNamespace();
    daemon = await startDaemon(
      loadConfig({
        flags: {
          tun: DEVICE,
          netns: space.name,
          address: [`${OURS}/24`],
          hostAddress: [`${KERNEL}/24`],
          gateway: KERNEL,
          offload: false,
          socket: join(folder, 'winsockd.sock'),
          control: join(folder, 'control.sock'),
          log: join(folder, 'log'),
          nameServers: [KERNEL],
          searchList: ['lab.example'],
          hostName: 'stack',
        },
      }),
      { giveUpPrivileges: () => false },
    );
    let said = '';
    const spawn = (command: string[]): void => {
      const child = space.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      }
    };
    const fixed = [
      '--no-daemon',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=root',
      '--no-resolv',
      '--no-hosts',
    ];
    spawn(['dnsmasq', ...fixed, '--bind-interfaces', `--listen-address=${KERNEL}`, ...ZONE]);
    await until('dnsmasq serves', () => said.includes('started'));
    spawn(['python3', '-c', GREETER]);
    await until('the greeter listens', () => said.includes('ready'));
    port = await connectRemote(join(folder, 'winsockd.sock'));
    winsock = createWinsock({ port, names: port.names });
    ws = asyncWinsock(winsock);
    await ws.WSAStartup(MAKEWORD(2, 2), {} as never);
  });

  afterAll(async () => {
    await ws.WSACleanup();
    port.close();
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const addresses = (list: addrinfo | null): string[] =>
    addrinfos(list).map(({ ai_addr }) => `${readSockaddr(ai_addr ?? new Uint8Array(0))?.address}`);

  test('API-getaddrinfo a short name, both families, its canonical name', async () => {
    const res: Ref<addrinfo | null> = { value: null };
    expect(await ws.getaddrinfo('alias', '80', { ...noHints(), ai_flags: AI_CANONNAME }, res)).toBe(0);
    expect(addresses(res.value).toSorted()).toEqual([KERNEL, '2001:db8::1']);
    expect(res.value?.ai_canonname).toBe('www.lab.example');
    await ws.getaddrinfo('www', null, { ...noHints(), ai_family: AF_INET6 }, res);
    expect(addresses(res.value)).toEqual(['2001:db8::1']);
  });

  test('ERR-WSAHOST_NOT_FOUND what dnsmasq does not know', async () => {
    await expect(ws.getaddrinfo('none.lab.example', null, null, { value: null })).rejects.toMatchObject({
      code: WSAHOST_NOT_FOUND,
      name: 'WSAHOST_NOT_FOUND',
      syscall: 'getaddrinfo',
    });
  });

  test('API-gethostbyname, API-gethostbyaddr, API-getnameinfo', async () => {
    const host: hostent = await ws.gethostbyname('alias.lab.example');
    expect(host).toMatchObject({ h_name: 'www.lab.example', h_aliases: ['alias.lab.example'] });
    const kernel = KERNEL.split('.').map(Number);
    expect(host.h_addr_list).toEqual([Uint8Array.from(kernel)]);
    expect((await ws.gethostbyaddr(Uint8Array.from(kernel), 4, AF_INET)).h_name).toBe('dns.lab.example');
    const name: Ref<string> = { value: '' };
    const sa = sockaddrOf(IpAddress.parse(KERNEL) as IpAddress, 443);
    const service: Ref<string> = { value: '' };
    await ws.getnameinfo(sa, sa.length, name, 256, service, 32, NI_NAMEREQD);
    expect([name.value, service.value]).toEqual(['dns.lab.example', 'https']);
    await ws.gethostname(name, 256);
    expect(name.value).toBe('stack');
  });

  test('API-WSALookupServiceBegin, NSP-RULE-09 SRV, MX and TXT records', async () => {
    const flags = LUP_RETURN_NAME | LUP_RETURN_ADDR | LUP_RETURN_BLOB;
    const first = async (rrType: number, lpszServiceInstanceName: string): Promise<WSAQUERYSET> => {
      const handle: Ref = { value: 0 };
      const question = querySet({ lpServiceClassId: SVCID_TCP(53, rrType), lpszServiceInstanceName });
      await ws.WSALookupServiceBegin(question, flags, handle);
      const result = querySet();
      await ws.WSALookupServiceNext(handle.value, 0, { value: 4096 }, result);
      await ws.WSALookupServiceEnd(handle.value);
      return result;
    };
    const service = await first(33, '_ldap._tcp.lab.example');
    expect(service.lpszServiceInstanceName).toBe('dc.lab.example');
    const end = readSockaddr(service.lpcsaBuffer?.[0]?.RemoteAddr ?? new Uint8Array(0));
    expect(`${end?.address} ${end?.port}`).toBe('10.1.0.5 389');
    expect((await first(15, 'lab.example')).lpszServiceInstanceName).toBe('mail.lab.example');
    const text = await first(16, 'text.lab.example');
    expect(Buffer.from(text.lpBlob ?? []).toString('latin1')).toBe('\x05hello');
  });

  test('net.connect by name', async () => {
    const socket = createConnection({ host: 'www.lab.example', port: 7070, winsock });
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    expect([received, socket.bytesRead]).toEqual(['hello', 5]);
  });
});
