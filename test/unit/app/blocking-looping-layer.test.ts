/**
 * A layer that loops in the chain thread: its application's thread sleeps in a call, names the layer, ends the chain thread, and goes
 * on.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WSAENETDOWN } from '../../../src/abi/index.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
}, 60_000);
afterAll(() => programs.dispose());

test('SEM-C-02 a layer that loops is named and ended with its chain thread; every socket is WSAENETDOWN, and Winsock can be started anew', async () => {
  const spi = pathToFileURL(join(programs.rooms, 'spi/index.js')).href;
  programs.write(
    'looping.mjs',
    `import { defineLayer } from '${spi}';
     export const WSPStartup = defineLayer(() => ({ WSPListen() { for (;;); } }), { name: 'looping' });`,
  );
  const said = await programs.run(
    'loops',
    `
    process.env.WINSOCKD_LOOP_LIMIT = '300';
    const { fileURLToPath } = await import('node:url');
    const module = fileURLToPath(new URL('./looping.mjs', here));
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const attempt = (call) => (call() === -1 ? -ws.WSAGetLastError() : 0);
    ws.WSAStartup(0x0202, data);
    const id = 'B0000000-0000-0000-0000-000000000001';
    say('installed', attempt(() => ws.WSCInstallProviderAndChains(id, module, 'looping', 0x20000)));
    ws.WSACleanup();
    ws.WSAStartup(0x0202, data);
    const s = ws.socket(2, 1, 6);
    ws.bind(s, at(0));
    say('listen', attempt(() => ws.listen(s, 1)));
    const { code, message } = await warned;
    say('warned', code, message);
    say('socket', attempt(() => ws.getsockname(s, new Uint8Array(16), { value: 16 })) < 0);
    say('again', ws.WSAStartup(0x0202, data));
    say('closed', ws.WSACleanup());
    `,
  );
  const lines = new Map(said.map(([what, ...words]) => [what, words]));
  expect(lines.get('installed')).toEqual([0]);
  expect(lines.get('listen')).toEqual([-WSAENETDOWN]);
  const [code, message] = lines.get('warned') ?? [];
  expect(code).toBe('WINSOCKD_LAYER_LOOPS');
  expect(message).toContain('looping does not come back from WSPListen');
  expect(lines.get('socket')).toEqual([true]);
  expect(lines.get('again')).toEqual([0]);
}, 60_000);
