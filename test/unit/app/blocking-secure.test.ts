/**
 * Secure sockets with blocking calls: the provider in the chain thread, the hooks in the threads that have set them and sleep in connect
 * and accept.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { WSAECONNABORTED } from '../../../src/abi/index.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';
import { type Certificates, derOf, makeCertificates, type TestIdentity } from '../../support/certificates.ts';

jest.setTimeout(60_000);

let certificates: Certificates;
let programs: BlockingPrograms;
beforeAll(() => {
  certificates = makeCertificates();
  programs = blockingPrograms('{}', 'layers');
});
afterAll(() => {
  programs.dispose();
  certificates.remove();
});

/** Source of what a hook hands in. */
const blobsOf = ({ certificate, key }: TestIdentity): string =>
  JSON.stringify([certificate, key].map((pem) => Buffer.from(derOf(pem)).toString('base64')));

test('SSL-SEQ-01, SSL-VALIDATE_CERT_HOOK, SSL-AUTH_REQUEST_HOOK, SSL-SEQ-03 connect and accept sleep through the handshake, and run the hooks of both', async () => {
  const config = join(certificates.folder, 'tls.json');
  writeFileSync(config, JSON.stringify({ ca: certificates.authority.certificateFile }));
  const lines = await programs.run(
    'secure',
    `
    process.env.WINSOCKD_TLS = ${JSON.stringify(config)};
    const { pointerOf } = await load('../spi/index');
    const dword = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
    const control = (s, code, value) => ws.WSAIoctl(s, code, value, value.length, null, 0, { value: 0 });
    const hookOf = (call, argument = 0) => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32LE(pointerOf(call));
      bytes.writeUInt32LE(argument, 4);
      return bytes;
    };
    const handIn = (blobs) => hookOf((type, argument, issuers, length, chain) => {
      chain.value = blobs.map((blob) => new Uint8Array(Buffer.from(blob, 'base64')));
      length.value = chain.value.length;
      return 0;
    });
    const secured = () => {
      const s = ws.socket(2, 1, 6);
      ws.setsockopt(s, 0xffff, 0x2001, dword(0x2004));
      return s;
    };
    if (!isMainThread) {
      ws.WSAStartup(0x202, data);
      const listener = secured();
      control(listener, 0x90730002, dword(6));
      control(listener, 0x90730009, handIn(${blobsOf(certificates.server)}));
      control(listener, 0x90730008, hookOf((type, argument, length, chain, flags) => (length > 0 && flags === 0 ? 0 : 6)));
      ws.bind(listener, at(4433));
      ws.listen(listener, 5);
      parentPort.postMessage('ready');
      for (let i = 0; i < 3; i++) {
        const s = ws.accept(listener);
        if (s < 0) continue;
        const into = new Uint8Array(100);
        const count = ws.recv(s, into);
        if (count > 0) ws.send(s, into.subarray(0, count).reverse());
        ws.closesocket(s);
      }
    } else {
      ws.WSAStartup(0x202, data);
      const path = ${JSON.stringify(join(programs.rooms, 'layers/tls/index.js'))};
      say('install', ws.WSCInstallProviderAndChains('7C6C2D0A-0B52-4D3C-9A3B-111111111111', path, 'TLS', 0, null, 0, { value: 0 }));
      ws.WSACleanup();
      ws.WSAStartup(0x202, data);
      const server = new Worker(here);
      await new Promise((resolve) => server.once('message', resolve));
      const hook = (verdict) => hookOf((type, argument, length, chain, flags) => {
        say('hook', type, argument, length === chain.length, chain[0].length > 200, flags, isMainThread);
        return verdict;
      }, 7);
      for (const verdict of [0, 10, null]) {
        const s = secured();
        if (verdict !== null) control(s, 0x90730008, hook(verdict));
        control(s, 0x90730009, handIn(${blobsOf(certificates.client)}));
        const connected = ws.connect(s, at(4433));
        say('connect', verdict, connected, connected < 0 ? ws.WSAGetLastError() : 0);
        if (connected === 0) {
          ws.send(s, Buffer.from('secret'));
          const into = new Uint8Array(100);
          say('recv', text(into, ws.recv(s, into)));
        }
        ws.closesocket(s);
      }
      await server.terminate();
      process.exit();
    }
    `,
  );
  expect(lines).toEqual([
    ['install', 0],
    ['hook', 1, 7, true, true, 0, true],
    ['connect', 0, 0, 0],
    ['recv', 'terces'],
    ['hook', 1, 7, true, true, 0, true],
    ['connect', 10, -1, WSAECONNABORTED],
    ['connect', null, -1, WSAECONNABORTED],
  ]);
});
