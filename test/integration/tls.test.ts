/** The TLS provider on a real wire: openssl and curl in a namespace, our host on a TAP device. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  SO_SEC_SSL,
  SO_SECURE,
  SO_SSL_PERFORM_HANDSHAKE,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_PEERNAME,
  SO_SSL_SET_PROTOCOLS,
  SO_SSL_SET_SERVER_OPTS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SOCK_STREAM,
  SOL_SOCKET,
  SSL_CERT_FLAG_ISSUER_UNKNOWN,
  SSL_ERR_CERT_UNKNOWN,
  SSL_ERR_OKAY,
  SSL_FLAG_AUTH_CLIENT,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_FLAG_SERVER,
  SSL_PROTOCOL_TLS1,
  sockaddrOf,
  sslProtocolsLength,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEPROTONOSUPPORT,
  writeSslCacheOpts,
  writeSslHook,
  writeSslProtocols,
} from '../../src/abi/index.ts';
import { IpAddress, putI32le } from '../../src/base/index.ts';
import {
  createTlsLayer,
  type SslAuthRequestHook,
  type SslValidateCertHook,
} from '../../src/layers/tls/index.ts';
import { pointerOf } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, derOf, makeCertificates } from '../support/certificates.ts';
import { describeLab, Lab } from '../support/lab.ts';
import { LABS, LAN, type LayeredHost, layeredHost, OURS, Talker } from '../support/layered-host.ts';
import { until } from '../support/live-host.ts';

jest.setTimeout(60_000);

const OLD_VERSIONS = [
  ['-tls1', 0x301],
  ['-tls1_1', 0x302],
] as const;

describeLab('TLS on a wire', { openssl: 'openssl', curl: 'curl' }, () => {
  let certificates: Certificates;
  let lab: Lab;
  let ours: LayeredHost;
  let ws: Winsock;
  let talkers: Talker[] = [];
  const reasons: string[] = [];
  const hear = (failure: unknown): void => void reasons.push((failure as { reason: string }).reason);

  beforeAll(() => {
    certificates = makeCertificates();
    subscribe('winsockd:tls', hear);
  });
  afterAll(() => {
    unsubscribe('winsockd:tls', hear);
    certificates.remove();
  });
  beforeEach(() => {
    lab = new Lab(LAN);
    ours = layeredHost(lab);
    const { certificate, key } = certificates.server;
    const ca = certificates.authority.certificate;
    ws = ours.winsock(createTlsLayer({ ca, certificate, key, oldVersions: false, handshakeLimit: 20_000 }));
    reasons.length = 0;
  });
  afterEach(async () => {
    for (const talker of talkers) talker.end('SIGKILL');
    talkers = [];
    await ours.close();
    lab.remove();
  });

  /** Has the machine's consent to TLS 1.0 and 1.1, too. */
  const withOldVersions = (): void => {
    const { certificate, key } = certificates.server;
    const ca = certificates.authority.certificate;
    ws = ours.winsock(createTlsLayer({ ca, certificate, key, oldVersions: true, handshakeLimit: 20_000 }));
  };
  const asking = (version: number): Uint8Array => {
    const wish = new Uint8Array(sslProtocolsLength(1));
    writeSslProtocols(wish, [{ dwProtocol: SSL_PROTOCOL_TLS1, dwVersion: version, dwFlags: 0 }]);
    return wish;
  };

  const start = (...argv: string[]): Talker => {
    const talker = new Talker(lab.space, argv);
    talkers.push(talker);
    return talker;
  };
  const name = (address: string, port: number): Uint8Array =>
    sockaddrOf(IpAddress.parse(address) ?? IpAddress.anyV4, port);
  const ok = async (answer: number | Promise<number>): Promise<number> => {
    const value = await answer;
    expect([value, reasons]).toEqual([Math.max(value, 0), reasons]);
    return value;
  };
  const dword = (value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    putI32le(bytes, 0, value);
    return bytes;
  };
  const set = (s: number, code: number, value: Uint8Array): number | Promise<number> =>
    ws.WSAIoctl(s, code, value, value.length, null, 0, { value: 0 });
  const hookBytes = (hook: (...args: never[]) => unknown): Uint8Array => {
    const bytes = new Uint8Array(8);
    writeSslHook(bytes, { HookFunc: pointerOf(hook), pvArg: 0 });
    return bytes;
  };
  const careful: SslValidateCertHook = (_type, _argument, _length, _chain, flags) =>
    flags === 0 ? SSL_ERR_OKAY : SSL_ERR_CERT_UNKNOWN;
  const secured = async (hook: SslValidateCertHook = careful, flags = 0): Promise<number> => {
    const s = await ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    await ok(ws.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL)));
    await ok(set(s, SO_SSL_SET_VALIDATE_CERT_HOOK, hookBytes(hook)));
    await ok(set(s, SO_SSL_SET_FLAGS, dword(flags)));
    await ok(set(s, SO_SSL_SET_PEERNAME, Buffer.from('server.test')));
    return s;
  };
  const listening = async (flags = 0, hook: SslValidateCertHook = careful): Promise<number> => {
    const s = await secured(hook, SSL_FLAG_SERVER | flags);
    await ok(ws.bind(s, name(OURS, 4433)));
    await ok(ws.listen(s, 5));
    return s;
  };
  const text = async (s: number): Promise<string | number> => {
    const into = new Uint8Array(4096);
    const count = await ws.recv(s, into);
    return count < 0 ? count : Buffer.from(into.subarray(0, count)).toString('latin1');
  };
  const line = async (s: number): Promise<string> => {
    let all = '';
    while (!all.endsWith('\n')) {
      const more = await text(s);
      if (typeof more === 'number' || more === '') throw new Error(`${all} ${more}`);
      all += more;
    }
    return all;
  };
  const say = (s: number, words: string): Promise<number> => ok(ws.send(s, Buffer.from(words)));

  /** `openssl s_server` that sends back what it gets, turned around, and is ready. */
  const server = async (which: 'server' | 'expired' | 'selfSigned', ...more: string[]): Promise<Talker> => {
    const { certificateFile, keyFile } = certificates[which];
    const argv = [
      'openssl',
      's_server',
      '-accept',
      `${LABS}:4433`,
      '-cert',
      certificateFile,
      '-key',
      keyFile,
    ];
    const talker = start(...argv, '-CAfile', certificates.authority.certificateFile, '-rev', ...more);
    await talker.said(/ACCEPT/);
    return talker;
  };
  const client = (...more: string[]): Talker =>
    start(
      'openssl',
      's_client',
      '-connect',
      `${OURS}:4433`,
      '-CAfile',
      certificates.authority.certificateFile,
      ...more,
    );

  test.each(['-tls1_2', '-tls1_3'])('SSL-SEQ-01 our client and openssl s_server %s', async (version) => {
    await server('server', version);
    const s = await secured();
    await ok(ws.connect(s, name(LABS, 4433)));
    await say(s, 'hello\n');
    expect(await line(s)).toBe('olleh\n');
    await ok(ws.closesocket(s));
  });

  test.each(['expired', 'selfSigned'] as const)(
    'SSL-VALIDATE_CERT_HOOK our client refuses a certificate that is %s',
    async (which) => {
      await server(which);
      let seen = 0;
      const s = await secured((type, argument, length, chain, flags) => {
        seen = flags;
        return careful(type, argument, length, chain, flags);
      });
      expect(await ws.connect(s, name(LABS, 4433))).toBe(-WSAECONNABORTED);
      expect(seen).toBe(SSL_CERT_FLAG_ISSUER_UNKNOWN);
    },
  );

  test('SSL-SET_PEERNAME our client refuses another name', async () => {
    await server('server');
    const s = await secured();
    await ok(set(s, SO_SSL_SET_PEERNAME, Buffer.from('other.test')));
    expect(await ws.connect(s, name(LABS, 4433))).toBe(-WSAECONNABORTED);
  });

  test('SSL-AUTH_REQUEST_HOOK our client shows its certificate to s_server -Verify', async () => {
    await server('server', '-Verify', '1', '-verify_return_error');
    const s = await secured();
    const hook: SslAuthRequestHook = (_type, _argument, _issuers, length, chain) => {
      chain.value = [derOf(certificates.client.certificate), derOf(certificates.client.key)];
      length.value = 2;
      return SSL_ERR_OKAY;
    };
    await ok(set(s, SO_SSL_SET_AUTH_REQUEST_HOOK, hookBytes(hook)));
    await ok(ws.connect(s, name(LABS, 4433)));
    await say(s, 'abc\n');
    expect(await line(s)).toBe('cba\n');
  });

  test('SSL-PROTOCOLS TLS 1.0 alone is refused by our client; a server of TLS 1.1 has nothing in common with it', async () => {
    await server('server', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
    const s = await secured();
    expect(await ws.connect(s, name(LABS, 4433))).toBe(-WSAEPROTONOSUPPORT);
    const old = await secured();
    const wish = new Uint8Array(sslProtocolsLength(1));
    writeSslProtocols(wish, [{ dwProtocol: SSL_PROTOCOL_TLS1, dwVersion: 0x301, dwFlags: 0 }]);
    await ok(set(old, SO_SSL_SET_PROTOCOLS, wish));
    expect(await ws.connect(old, name(LABS, 4433))).toBe(-WSAEPROTONOSUPPORT);
  });

  test('SSL-PROTOCOLS TLS 1.0 and 1.1 with the consent of both, our client and s_server', async () => {
    withOldVersions();
    for (const [flag, version] of OLD_VERSIONS) {
      const talker = await server('server', flag, '-cipher', 'ALL:@SECLEVEL=0');
      const s = await secured();
      await ok(set(s, SO_SSL_SET_PROTOCOLS, asking(version)));
      await ok(ws.connect(s, name(LABS, 4433)));
      await say(s, 'hello\n');
      expect(await line(s)).toBe('olleh\n');
      await ok(ws.closesocket(s));
      talker.end('SIGKILL');
      await talker.ended();
    }
  });

  test('SSL-PROTOCOLS TLS 1.0 and 1.1 with the consent of both, our server and s_client; without it nothing in common', async () => {
    for (const [flag, version] of OLD_VERSIONS) {
      withOldVersions();
      const listener = await secured(careful, SSL_FLAG_SERVER);
      await ok(set(listener, SO_SSL_SET_PROTOCOLS, asking(version)));
      await ok(ws.bind(listener, name(OURS, 4433)));
      await ok(ws.listen(listener, 5));
      const talker = client(flag, '-quiet', '-cipher', 'ALL:@SECLEVEL=0');
      const s = await ok(ws.accept(listener));
      talker.say('hello\n');
      expect(await line(s)).toBe('hello\n');
      await ok(ws.closesocket(s));
      await talker.ended();
      // A listener that asked for nothing speaks 1.2 and 1.3 only.
      await ok(ws.closesocket(listener));
      const modern = await listening();
      const refused = client(flag, '-quiet', '-cipher', 'ALL:@SECLEVEL=0');
      expect(await ws.accept(modern)).toBe(-WSAEPROTONOSUPPORT);
      expect(await refused.ended()).toMatch(/alert protocol version|unsupported protocol/);
      await ok(ws.closesocket(modern));
    }
  });

  test('SSL-SEQ-04 s_client changes its keys, and asks us to: bytes go on both ways', async () => {
    const listener = await listening();
    const talker = client('-tls1_3');
    const s = await ok(ws.accept(listener));
    await talker.said(/Verify return code: 0/);
    for (const [i, round] of ['one', 'two'].entries()) {
      talker.say('K\n');
      // What it reads together with a command is lost.
      await talker.said(new RegExp(`(KEYUPDATE[^]*){${i + 1}}`));
      talker.say(`${round}\n`);
      expect(await line(s)).toBe(`${round}\n`);
      await say(s, `back ${round}\n`);
      await talker.said(new RegExp(`back ${round}`));
    }
  });

  test('SSL-SERVER_OPTS s_client resumes its session of TLS 1.2 and 1.3', async () => {
    const listener = await secured(careful, SSL_FLAG_SERVER);
    const options = new Uint8Array(12);
    writeSslCacheOpts(options, { CacheTimeout: 60, dwCacheEntries: 5, dwFlags: 0 });
    await ok(set(listener, SO_SSL_SET_SERVER_OPTS, options));
    await ok(ws.bind(listener, name(OURS, 4433)));
    await ok(ws.listen(listener, 5));
    for (const version of ['-tls1_2', '-tls1_3']) {
      const file = join(certificates.folder, `session${version}`);
      for (const [how, expected] of [
        ['-sess_out', /New, TLSv1/],
        ['-sess_in', /Reused, TLSv1/],
      ] as const) {
        const talker = client(version, how, file);
        const s = await ok(ws.accept(listener));
        talker.say('ask\n');
        expect(await line(s)).toBe('ask\n');
        await say(s, 'answer\n');
        await talker.said(/answer/);
        await talker.said(expected);
        await ok(ws.closesocket(s));
        await talker.ended();
      }
    }
  });

  test('SSL-SEQ-01 a server that is killed: WSAECONNRESET, not a good end', async () => {
    const talker = await server('server');
    const s = await secured();
    await ok(ws.connect(s, name(LABS, 4433)));
    await say(s, 'hello\n');
    await line(s);
    talker.end('SIGKILL');
    expect(await text(s)).toBe(-WSAECONNRESET);
  });

  test.each(['-tls1_2', '-tls1_3'])(
    'SSL-SEQ-01, SSL-FLAGS our server and openssl s_client %s',
    async (version) => {
      const listener = await listening();
      const talker = client(version, '-quiet', '-verify_return_error', '-verify_hostname', 'server.test');
      const s = await ok(ws.accept(listener));
      talker.say('hello\n');
      expect(await line(s)).toBe('hello\n');
      await say(s, 'and back\n');
      await talker.said(/and back/);
      await ok(ws.closesocket(s));
      await talker.ended();
    },
  );

  test('SSL-FLAGS, SSL-VALIDATE_CERT_HOOK our server asks s_client for its certificate', async () => {
    const seen: number[] = [];
    const listener = await listening(SSL_FLAG_AUTH_CLIENT, (_type, _argument, length, _chain, flags) => {
      seen.push(length, flags);
      return SSL_ERR_OKAY;
    });
    const { certificateFile, keyFile } = certificates.client;
    client('-quiet', '-cert', certificateFile, '-key', keyFile);
    await ok(ws.accept(listener));
    expect(seen).toEqual([expect.any(Number), 0]);
    expect(seen[0]).toBeGreaterThan(0);
  });

  test('SSL-SEQ-02, SSL-PERFORM_HANDSHAKE s_client -starttls smtp and our deferred handshake', async () => {
    const listener = await listening(SSL_FLAG_DEFER_HANDSHAKE);
    const talker = client('-starttls', 'smtp', '-quiet');
    const s = await ok(ws.accept(listener));
    await say(s, '220 ours ESMTP\r\n');
    expect(await line(s)).toMatch(/^EHLO/);
    await say(s, '250-ours\r\n250 STARTTLS\r\n');
    expect(await line(s)).toBe('STARTTLS\r\n');
    await say(s, '220 go on\r\n');
    await ok(set(s, SO_SSL_PERFORM_HANDSHAKE, new Uint8Array(0)));
    talker.say('NOOP\n');
    expect(await line(s)).toMatch(/^NOOP/);
  });

  test('SSL-SEQ-04 our server refuses to negotiate anew', async () => {
    const listener = await listening();
    const talker = client('-tls1_2');
    await ok(ws.accept(listener));
    await talker.said(/Verify return code: 0/);
    talker.say('R\n');
    await talker.said(/RENEGOTIATING/);
    expect(await talker.ended()).toMatch(/no renegotiation|:error:/);
  });

  test('SSL-SEQ-01 a client that is killed: WSAECONNRESET', async () => {
    const listener = await listening();
    const talker = client('-quiet');
    const s = await ok(ws.accept(listener));
    talker.say('half');
    expect(await text(s)).toBe('half');
    talker.end('SIGKILL');
    expect(await text(s)).toBe(-WSAECONNRESET);
  });

  test('SSL-SEQ-01 curl --cacert, 20 requests at once: all are served, and no connection is left', async () => {
    const count = 20;
    const listener = await listening();
    const serve = async (): Promise<void> => {
      const s = await ok(ws.accept(listener));
      await text(s);
      await say(s, 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await ok(ws.closesocket(s));
    };
    const served = Promise.all(Array.from({ length: count }, serve));
    const ca = certificates.authority.certificateFile;
    const talker = start(
      ...['curl', '-Z', '--parallel-immediate', '--no-progress-meter', '--max-time', '20', '--cacert', ca],
      ...['--resolve', `server.test:4433:${OURS}`, '--write-out', ' %{http_code}'],
      `https://server.test:4433/[1-${count}]`,
    );
    await served;
    expect((await talker.ended()).match(/ 200/g)).toHaveLength(count);
    await ok(ws.closesocket(listener));
    await until('all sockets are gone', () => ours.host.afd.describe().length === 0);
  });

  test('SSL-SEQ-01 curl --cacert fetches from an HTTP server over the provider', async () => {
    const listener = await listening();
    const body = 'x'.repeat(100_000);
    const serving = (async () => {
      const s = await ok(ws.accept(listener));
      expect(await text(s)).toMatch(/^GET \/index.html HTTP\/1.1\r\nHost: server.test:4433\r\n/);
      await say(s, `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
      await ok(ws.closesocket(s));
    })();
    const ca = certificates.authority.certificateFile;
    const to = ['--resolve', `server.test:4433:${OURS}`, 'https://server.test:4433/index.html'];
    const talker = start('curl', '--silent', '--show-error', '--max-time', '20', '--cacert', ca, ...to);
    await serving;
    expect(await talker.ended()).toBe(body);
  });
});
