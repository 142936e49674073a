/**
 * The TLS provider under load, with curl and openssl as clients and Node's TLS as a peer: handshakes by the hundred, bytes both ways at
 * once, and what is left of it: nothing.
 */

import { getHeapSnapshot } from 'node:v8';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  SO_SEC_SSL,
  SO_SECURE,
  SO_SSL_SET_FLAGS,
  SOCK_STREAM,
  SOL_SOCKET,
  SSL_FLAG_SERVER,
  sockaddrOf,
} from '../../src/abi/index.ts';
import { IpAddress, putI32le } from '../../src/base/index.ts';
import { createTlsLayer } from '../../src/layers/tls/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { describeLab, Lab } from '../support/lab.ts';
import { LAN, type LayeredHost, layeredHost, OURS, Talker } from '../support/layered-host.ts';
import { until } from '../support/live-host.ts';
import { gigabits, measured, soak } from './report.ts';

const AT_A_TIME = 200;
const REQUESTS = Math.max(AT_A_TIME, Math.round(soak.connections / 100));
const BODY = Buffer.alloc(10_000, 'x');
const DUPLEX_BYTES = 100 << 20;
/** What one connection may hold of memory: its queues, those of TLS, the buffers of TCP. */
const DUPLEX_MEMORY = 48 << 20;
/** Retained bytes a connection that would be a leak. */
const LEAK_BYTES = 2000;

/** What is held now, the youngest garbage aside. */
const held = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
/** The same, without all that nobody needs: a snapshot collects what a plain collection leaves. */
const needed = async (): Promise<number> => {
  getHeapSnapshot().destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return held();
};

describeLab('TLS under load', { openssl: 'openssl', curl: 'curl' }, () => {
  let certificates: Certificates;
  let lab: Lab;
  let ours: LayeredHost;
  let ws: Winsock;

  beforeAll(() => {
    certificates = makeCertificates();
    lab = new Lab(LAN);
    ours = layeredHost(lab);
    const { certificate, key } = certificates.server;
    ws = ours.winsock(createTlsLayer({ certificate, key, oldVersions: false, handshakeLimit: 60_000 }));
  });
  afterAll(async () => {
    await ours.close();
    lab.remove();
    certificates.remove();
  });

  const dword = (value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    putI32le(bytes, 0, value);
    return bytes;
  };
  const listening = async (port: number): Promise<number> => {
    const s = await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    await ws.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL));
    await ws.WSAIoctl(s, SO_SSL_SET_FLAGS, dword(SSL_FLAG_SERVER), 4, null, 0, { value: 0 });
    expect(await ws.bind(s, sockaddrOf(IpAddress.parse(OURS) ?? IpAddress.anyV4, port))).toBe(0);
    expect(await ws.listen(s, 0x7fff_ffff)).toBe(0);
    return s;
  };
  /** Serves a page to each that asks, until the listener is closed. @returns how many were served */
  const serving = async (listener: number): Promise<number> => {
    let served = 0;
    const head = Buffer.from(`HTTP/1.0 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`);
    const serve = async (s: number): Promise<void> => {
      const into = new Uint8Array(4096);
      if ((await ws.recv(s, into)) > 0) {
        await ws.send(s, head);
        if ((await ws.send(s, BODY)) === BODY.length) served++;
      }
      await ws.closesocket(s);
    };
    // Each waiter does one handshake at a time, within its accept.
    const waiters = Array.from({ length: AT_A_TIME }, async () => {
      for (;;) {
        const s = await ws.accept(listener);
        if (s >= 0) await serve(s);
        else if ((await ws.getsockname(listener, new Uint8Array(16))) < 0) return;
      }
    });
    await Promise.all(waiters);
    return served;
  };
  const endpoints = (): number => [...ours.host.host.stack.endpoints()].length;
  const run = async (...argv: string[]): Promise<string> => {
    const talker = new Talker(lab.space, argv);
    await until('its end', () => talker.hasEnded, 120_000);
    return talker.output;
  };

  test(`curl --cacert, ${REQUESTS} requests, ${AT_A_TIME} at a time: all served, nothing left`, () =>
    measured({ what: 'curl', count: REQUESTS }, async () => {
      const ca = certificates.authority.certificateFile;
      const curl = (count: number): Promise<string> =>
        run(
          ...[
            'curl',
            '-Z',
            '--parallel-immediate',
            '--parallel-max',
            String(AT_A_TIME),
            '--no-progress-meter',
          ],
          ...['--max-time', '100', '--cacert', ca, '--resolve', `server.test:4433:${OURS}`],
          ...['--write-out', '%{http_code} %{size_download}\\n', '--output', '/dev/null'],
          `https://server.test:4433/[1-${count}]`,
        );
      let listener = await listening(4433);
      let served = serving(listener);
      await curl(AT_A_TIME);
      await ws.closesocket(listener);
      await served;
      await until('connections ended', () => endpoints() === 0, 120_000);
      const before = await needed();
      listener = await listening(4433);
      served = serving(listener);
      const start = performance.now();
      const lines = (await curl(REQUESTS)).trim().split('\n');
      const rate = Math.round((REQUESTS / (performance.now() - start)) * 1000);
      await ws.closesocket(listener);
      expect(await served).toBe(REQUESTS);
      expect(new Set(lines)).toEqual(new Set([`200 ${BODY.length}`]));
      expect(lines).toHaveLength(REQUESTS);
      await until('connections ended', () => endpoints() === 0, 120_000);
      const grown = (await needed()) - before;
      expect(grown).toBeLessThan(LEAK_BYTES * Math.max(REQUESTS, 2000));
      return { rate: `${rate}/s`, 'memory growth': `${Math.round(grown / 1024)} KiB` };
    }));

  test('openssl s_time: new handshakes one after the other', () =>
    measured({ what: 's_time', count: 0 }, async () => {
      const listener = await listening(4434);
      const served = serving(listener);
      const output = await run(
        'openssl',
        's_time',
        '-connect',
        `${OURS}:4434`,
        '-new',
        '-time',
        '5',
        '-www',
        '/',
      );
      await ws.closesocket(listener);
      await served;
      const [, count = '0'] = /(\d+) connections in [\d.]+ real seconds/.exec(output) ?? [];
      expect(Number(count)).toBeGreaterThan(10);
      return { rate: `${Math.round(Number(count) / 5)}/s` };
    }));

  test('100 MB both ways at once, to a reader that is slow: memory is bounded', () =>
    measured({ what: 'both ways', count: 1 }, async () => {
      const listener = await listening(4435);
      const peer = new Talker(lab.space, [
        process.execPath,
        'test/soak/programs/tls-duplex.mjs',
        certificates.authority.certificateFile,
        OURS,
        '4435',
        String(DUPLEX_BYTES),
      ]);
      const s = await ws.accept(listener);
      expect(s).toBeGreaterThan(0);
      const before = held();
      let most = 0;
      const look = setInterval(() => {
        most = Math.max(most, held() - before);
      }, 500);
      const start = performance.now();
      const piece = new Uint8Array(1 << 20);
      const sending = (async () => {
        for (let sent = 0; sent < DUPLEX_BYTES; sent += piece.length) {
          expect(await ws.send(s, piece)).toBe(piece.length);
        }
        await ws.shutdown(s, 1);
      })();
      let received = 0;
      const into = new Uint8Array(1 << 16);
      for (let count = 1; count > 0; received += count) count = Math.max(await ws.recv(s, into), 0);
      await sending;
      await until('its end', () => peer.hasEnded, 120_000);
      expect(peer.output).toBe(`${DUPLEX_BYTES}\n`);
      clearInterval(look);
      expect(received).toBe(DUPLEX_BYTES);
      expect(most).toBeLessThan(DUPLEX_MEMORY);
      await ws.closesocket(s);
      await ws.closesocket(listener);
      return {
        rate: gigabits(2 * DUPLEX_BYTES, performance.now() - start),
        'memory growth': `${Math.round(most / 1024)} KiB`,
      };
    }));
});
