/** Which application a process is: in its main thread, in a Worker, and for a layer in the chain thread. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { withoutNodeOptions } from '../../../src/app/own-application.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
});
afterAll(() => programs.dispose());

test.each([
  [
    ['node', 'app.mjs'],
    ['node', '/w/app.mjs'],
  ],
  [
    ['node', '/opt/app.mjs', '-x', 'y'],
    ['node', '/opt/app.mjs', '-x', 'y'],
  ],
  [
    ['node', '--import', 'x.mjs', '-r', 'y', '--no-warnings', 'app.mjs', 'z'],
    ['node', '/w/app.mjs', 'z'],
  ],
  [
    ['node', '--import=x.mjs', '--', '-odd.mjs'],
    ['node', '/w/-odd.mjs'],
  ],
  [['node', '--input-type=module', '-e', 'code', 'word'], ['node']],
  [['node', '-'], ['node']],
  [['node'], ['node']],
  [[], ['']],
])('CAT-LSPCAT-01 a command line of Node %j is the program %j', (words, expected) => {
  expect(withoutNodeOptions(words, '/w')).toEqual(expected);
});

test('CAT-LSPCAT-01 a Worker is known by the script of its process, whether that has loaded Winsock or not', () => {
  const module = pathToFileURL(join(programs.rooms, 'app/own-application.js')).href;
  const worker = join(programs.folder, 'worker.mjs');
  writeFileSync(
    worker,
    `import { ownApplication } from ${JSON.stringify(module)}; console.log(JSON.stringify(ownApplication()));`,
  );
  for (const first of ['', `await import(${JSON.stringify(module)}); process.title = 'renamed';`]) {
    const main = join(programs.folder, 'main.mjs');
    writeFileSync(
      main,
      `${first} const { Worker } = await import('node:worker_threads');
       new Worker(new URL('worker.mjs', import.meta.url), { argv: ['others'], execArgv: [] });`,
    );
    const output = execFileSync(process.execPath, ['--no-warnings', main, 'one', 'two'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual({
      path: main,
      extra: 'one two',
      pid: expect.any(Number),
      programs: [process.execPath, main],
    });
  }
});

test('a layer on the blocking face is told whose calls it sees, not which thread it runs in', async () => {
  const told = join(programs.folder, 'told.json');
  const spi = pathToFileURL(join(programs.rooms, 'spi/index.js')).href;
  programs.write(
    'telling.mjs',
    `import { writeFileSync } from 'node:fs';
     import { defineLayer } from ${JSON.stringify(spi)};
     export const WSPStartup = defineLayer((next, { ws2: { application } }) => {
       writeFileSync(${JSON.stringify(told)}, JSON.stringify([application, process.argv[1]]));
       return {};
     });`,
  );
  await programs.run(
    'application',
    `
    ws.WSAStartup(0x202, data);
    const path = new URL('telling.mjs', here).pathname;
    say(ws.WSCInstallProviderAndChains('7C6C2D0A-0B52-4D3C-9A3B-111111111111', path, 'telling', 0x20000, null, 0, { value: 0 }));
    ws.WSACleanup();
    ws.WSAStartup(0x202, data);
    say(ws.socket(2, 1, 6) > 0);
    process.exit();
    `,
  );
  const [application, thread] = JSON.parse(readFileSync(told, 'utf8')) as [object, string];
  const script = join(programs.folder, 'application.mjs');
  expect(application).toMatchObject({ path: script, programs: [process.execPath, script] });
  expect(thread).not.toBe(script);
});
