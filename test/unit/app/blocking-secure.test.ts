/** Secure sockets with blocking calls: the provider in the chain thread, the hook in the thread that sleeps in connect. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { WSAECONNABORTED } from '../../../src/abi/index.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';

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

test('SSL-SEQ-01, SSL-VALIDATE_CERT_HOOK, SSL-SEQ-03 connect sleeps through the handshake, and runs the hook', async () => {
  const { certificateFile: certificate, keyFile: key } = certificates.server;
  const config = join(certificates.folder, 'tls.json');
  writeFileSync(config, JSON.stringify({ certificate, key, ca: certificates.authority.certificateFile }));
  const lines = await programs.run(
    'secure',
    `
    process.env.WINSOCKD_TLS = ${JSON.stringify(config)};
    const { pointerOf } = await load('../spi/index');
    const dword = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
    const control = (s, code, value) => ws.WSAIoctl(s, code, value, value.length, null, 0, { value: 0 });
    const secured = () => {
      const s = ws.socket(2, 1, 6);
      ws.setsockopt(s, 0xffff, 0x2001, dword(0x2004));
      return s;
    };
    if (!isMainThread) {
      ws.WSAStartup(0x202, data);
      const listener = secured();
      control(listener, 0x90730002, dword(2));
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
      const hook = (verdict) => {
        const bytes = Buffer.alloc(8);
        bytes.writeUInt32LE(pointerOf((type, argument, length, chain, flags) => {
          say('hook', type, argument, length === chain.length, chain[0].length > 200, flags, isMainThread);
          return verdict;
        }));
        bytes.writeUInt32LE(7, 4);
        return bytes;
      };
      for (const verdict of [0, 10, null]) {
        const s = secured();
        if (verdict !== null) control(s, 0x90730008, hook(verdict));
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
