/** The proxy provider and Debian's proxies: microsocks and tinyproxy in a namespace, in front of a server on that one's loopback. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  readSockaddr,
  SOCK_STREAM,
  sockaddrOf,
  WSAEACCES,
  WSAECONNREFUSED,
  WSAEHOSTUNREACH,
} from '../../src/abi/index.ts';
import { IpAddress } from '../../src/base/index.ts';
import { createProxyLayer, parseProxyConfig } from '../../src/layers/proxy/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { describeLab, Lab } from '../support/lab.ts';
import { LABS, LAN, type LayeredHost, layeredHost } from '../support/layered-host.ts';
import { until } from '../support/live-host.ts';

jest.setTimeout(60_000);

const PROGRAMS = { microsocks: 'microsocks', tinyproxy: 'tinyproxy', socat: 'socat' };

describeLab('proxies', PROGRAMS, () => {
  let lab: Lab;
  let ours: LayeredHost;
  beforeEach(async () => {
    lab = new Lab(LAN);
    lab.space.exec('ip', 'link', 'set', 'lo', 'up');
    ours = layeredHost(lab);
    const echo = 'TCP-LISTEN:7070,fork,reuseaddr,bind=127.0.0.1';
    await lab.run(['socat', '-d', '-d', echo, 'EXEC:cat'], /listening on/);
  });
  afterEach(async () => {
    await ours.close();
    lab.remove();
  });

  const name = (port: number): Uint8Array => sockaddrOf(IpAddress.loopbackV4, port);
  const through = (type: string, port: number, more: object = {}): Winsock => {
    const proxies = { lab: { type, address: LABS, port, ...more } };
    const rules = [{ to: '127.0.0.0/8', via: 'lab' }];
    return ours.winsock(createProxyLayer(parseProxyConfig({ proxies, rules })));
  };
  /** What a connection to the lab's loopback comes to: its echo, or the code of connect. */
  const echoed = async (ws: Winsock, port: number): Promise<string | number> => {
    const s = await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    const connected = await ws.connect(s, name(port));
    if (connected < 0) return connected;
    const peer = new Uint8Array(16);
    await ws.getpeername(s, peer);
    expect(readSockaddr(peer)?.address.toString()).toBe('127.0.0.1');
    await ws.send(s, Buffer.from('to and fro'));
    const into = new Uint8Array(100);
    const count = await ws.recv(s, into);
    await ws.shutdown(s, 1);
    expect(await ws.recv(s, new Uint8Array(9))).toBe(0);
    await ws.closesocket(s);
    return Buffer.from(into.subarray(0, Math.max(count, 0))).toString();
  };
  /** Waits for a server that says nothing when it is ready. */
  const listens = (port: number): Promise<void> =>
    until(`port ${port}`, () => lab.space.exec('ss', '-ltn').includes(`:${port}`));

  test('RFC 1928 §4, RFC 1929 §2 microsocks with name and password; a wrong one, a port where nobody listens', async () => {
    void lab
      .run(['microsocks', '-i', LABS, '-p', '1080', '-u', 'me', '-P', 'secret'], /never/)
      .catch(() => {});
    await listens(1080);
    const ws = through('socks5', 1080, { user: 'me', password: 'secret' });
    expect(await echoed(ws, 7070)).toBe('to and fro');
    expect(await echoed(ws, 7071)).toBe(-WSAECONNREFUSED);
    expect(await echoed(through('socks5', 1080, { user: 'me', password: 'wrong' }), 7070)).toBe(-WSAEACCES);
    expect(await echoed(through('socks5', 1080), 7070)).toBe(-WSAEACCES);
  });

  test('RFC 9110 §9.3.6, RFC 7617 §2 tinyproxy with Basic authentication; a wrong one, a port that it does not allow', async () => {
    const file = join(lab.folder, 'tinyproxy.conf');
    const lines = ['Port 8888', `Listen ${LABS}`, 'Timeout 60', 'Allow 10.9.0.0/24', 'BasicAuth me secret'];
    writeFileSync(file, [...lines, 'ConnectPort 7070', 'ConnectPort 7072', 'LogLevel Info', ''].join('\n'));
    void lab.run(['tinyproxy', '-d', '-c', file], /never/).catch(() => {});
    await listens(8888);
    const ws = through('http', 8888, { user: 'me', password: 'secret' });
    expect(await echoed(ws, 7070)).toBe('to and fro');
    expect(await echoed(ws, 7071)).toBe(-WSAEACCES);
    expect(await echoed(ws, 7072)).toBe(-WSAEHOSTUNREACH);
    expect(await echoed(through('http', 8888, { user: 'me', password: 'wrong' }), 7070)).toBe(-WSAEACCES);
  });
});
