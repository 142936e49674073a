/**
 * The layers that ship, all together: chains of every length in any order that can stand, a sample of them. Each application that
 * echoes through one gets its bytes back, and nothing of it is left.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBelow, SeededRandom } from '../../../src/base/index.ts';
import { firewall, parseRules } from '../../../src/layers/firewall/index.ts';
import { createProxyLayer, parseProxyConfig } from '../../../src/layers/proxy/index.ts';
import { record } from '../../../src/layers/record/index.ts';
import { parseShapes, shape } from '../../../src/layers/shape/index.ts';
import { createTlsLayer } from '../../../src/layers/tls/index.ts';
import { trace } from '../../../src/layers/trace/index.ts';
import type { TestLayer } from '../../support/chains.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../../support/echo-models.ts';
import { type LayeredHosts, layeredHosts } from '../../support/layered-hosts.ts';
import { socksServer } from '../../support/socks-server.ts';
import { ADDRESS_A, ADDRESS_B } from '../attachment.ts';
import { bound, listening, name, ok, passTime, receiveText, text, udp } from '../support.ts';
import { nextChunk, nodeServer, secured, tlsHosts } from '../tls-support.ts';

/** Chains of each length. */
const SAMPLES = 4;
/** As long as a stream layer lets a socket live that was closed, ms. */
const LINGERING = 5000;
/** Where every chain's proxy is; the server tells it the port. */
const PROXY_PORT = 1080;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'together-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const application = { programs: ['/opt/app'], users: ['somebody'] };
const MAKE: Readonly<Record<string, () => TestLayer>> = {
  trace: () => ({ startup: trace({ sink: () => {} }), isIfs: true }),
  firewall: () => ({
    startup: firewall({
      rules: parseRules(
        '{ "default": { "connect": "allow" }, "rules": [{ "action": "deny", "remotePort": 9 }] }',
      ),
      application,
      log: () => {},
    }),
    isIfs: true,
  }),
  record: () => ({ startup: record({ folder }), isIfs: false }),
  shape: () => ({
    startup: shape({
      shapes: parseShapes(
        '{ "seed": 3, "shapes": [{ "latencyMs": 20, "jitterMs": 5, "shortWrites": 0.3 }] }',
      ),
      application,
    }),
    isIfs: false,
  }),
  proxy: () => ({
    startup: createProxyLayer(
      parseProxyConfig({
        proxies: { test: { type: 'socks5', address: ADDRESS_B, port: PROXY_PORT } },
        rules: [{ to: `${ADDRESS_B}/32`, via: 'test' }],
      }),
    ),
    isIfs: false,
  }),
  tls: () => ({ startup: createTlsLayer(), isIfs: false }),
};
const NAMES = Object.keys(MAKE);

/** Chains by the names of their layers, lowest first: those of system handles stand below. */
function sample(): string[][] {
  const random = new SeededRandom(2026);
  const chains = new Set<string>();
  for (let layers = 1; layers <= NAMES.length; layers++) {
    for (let i = 0; i < SAMPLES; i++) {
      const left = [...NAMES];
      const taken = Array.from(
        { length: layers },
        () => left.splice(randomBelow(random, left.length), 1)[0] ?? '',
      );
      const isIfs = (each: string): boolean => each === 'trace' || each === 'firewall';
      chains.add([...taken.filter(isIfs), ...taken.filter((each) => !isIfs(each))].join(' '));
    }
  }
  return [...chains].map((chain) => chain.split(' '));
}

let hosts: LayeredHosts | null = null;
afterEach(async () => {
  await hosts?.close();
  hosts = null;
});

describe('layers that ship', () => {
  test('CAT-CHAIN-01, CAT-CHAIN-06, CAT-LOAD-08, CAT-LOAD-09 echo through every chain of 2 to 7: all bytes, no fault, nothing left', async () => {
    const bytes = pattern(4000);
    let nth = 0;
    let isCounted = false;
    const lengths = new Set<number>();
    for (const chain of sample()) {
      lengths.add(chain.length + 1);
      const own = layeredHosts(chain.map((each) => (MAKE[each] as () => TestLayer)()));
      hosts = own;
      const { a, b } = own;
      await socksServer(b, PROXY_PORT);
      const exchange = async (): Promise<void> => {
        const [model = '', client] = ECHO_CLIENTS[nth++ % ECHO_CLIENTS.length] ?? [];
        if (client === undefined) return;
        const how = `${chain.join(' ')}, ${model}`;
        const went = await echoOver(a, b, client, ADDRESS_B, bytes);
        expect([how, Buffer.compare(went, bytes)]).toEqual([how, 0]);
        const came = await echoOver(b, a, client, ADDRESS_A, bytes);
        expect([how, Buffer.compare(came, bytes)]).toEqual([how, 0]);
        await datagrams(own);
        await passTime(own.bare, LINGERING);
        expect([how, own.faults, own.failures]).toEqual([how, [], []]);
      };
      await exchange();
      expect([chain, own.held().sockets]).toEqual([chain, 0]);
      if (chain.length === NAMES.length && !isCounted) {
        isCounted = true;
        // Layers keep some events for the operations to come: as many as were under way at once, and no more.
        for (const _model of ECHO_CLIENTS) await exchange();
        const before = own.held();
        for (const _model of ECHO_CLIENTS) await exchange();
        expect(own.held()).toEqual(before);
      }
      await own.close();
      hosts = null;
    }
    expect([...lengths].sort()).toEqual([2, 3, 4, 5, 6, 7]);
    expect(readdirSync(folder).length).toBeGreaterThan(0);
  });
});

describe('a secured connection', () => {
  /** Where the TLS layer may stand, lowest layer first: above the proxy, or that would be who it speaks with. */
  const ORDERS = [
    ['record', 'tls'],
    ['tls', 'record'],
    ['shape', 'record', 'proxy', 'tls'],
    ['proxy', 'tls', 'shape', 'record'],
  ];

  test('CAT-CHAIN-06, CAT-LOAD-08 is secured wherever the layer stands: those below it see what is on the wire, those above what is meant', async () => {
    const secure = await tlsHosts();
    const certificate = join(folder, 'server.pem');
    const key = join(folder, 'server.key');
    const made = ['-keyout', key, '-out', certificate, '-subj', '/CN=server', '-days', '2', '-nodes'];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    execFileSync('openssl', ['req', '-x509', ...ec, ...made], { stdio: 'pipe' });
    const identity = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    const b = await secure.winsock('b');
    await socksServer(b, PROXY_PORT);
    for (const order of ORDERS) {
      const recordings = mkdtempSync(join(folder, 'secure-'));
      const layers = ['trace', 'firewall', ...order].map((each) =>
        each === 'record' ? record({ folder: recordings }) : (MAKE[each] as () => TestLayer)().startup,
      );
      const a = await secure.winsock('a', ...layers);
      const { s: listener, port } = await listening(b);
      const served = Promise.resolve(b.accept(listener)).then((s) => nodeServer(b, s, identity));
      const s = await secured(a);
      expect([order, await a.connect(s, name(ADDRESS_B, port))]).toEqual([order, 0]);
      await ok(a.send(s, text('asked in secret')));
      const peer = await served;
      expect(await nextChunk(peer)).toBe('asked in secret');
      peer.write('answered in secret');
      expect(await receiveText(a, s)).toBe('answered in secret');
      peer.end();
      expect(await a.recv(s, new Uint8Array(1))).toBe(0);
      await ok(a.closesocket(s));
      await ok(b.closesocket(listener));
      const kept = readdirSync(recordings).map((file) => readFileSync(join(recordings, file), 'utf8'));
      const isAbove = order.indexOf('record') > order.indexOf('tls');
      expect([order, kept.join('').includes('asked in secret')]).toEqual([order, isAbove]);
      expect([order, secure.reasons]).toEqual([order, []]);
    }
    await secure.close();
  });
});

/** Datagrams both ways, through the layers and back. */
async function datagrams({ a, b }: LayeredHosts): Promise<void> {
  const { s, port } = await bound(a, udp, ADDRESS_A);
  const { s: peer, port: peerPort } = await bound(b, udp, ADDRESS_B);
  for (const word of ['one', 'two']) {
    await ok(a.sendto(s, text(word), word.length, 0, name(ADDRESS_B, peerPort)));
    expect(await receiveText(b, peer)).toBe(word);
    await ok(b.sendto(peer, text(`${word} back`), word.length + 5, 0, name(ADDRESS_A, port)));
    expect(await receiveText(a, s)).toBe(`${word} back`);
  }
  await ok(a.closesocket(s));
  await ok(b.closesocket(peer));
}
