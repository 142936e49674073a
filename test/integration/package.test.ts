/** The package as a user gets it: packed, installed in an empty project elsewhere, and run there. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = process.cwd();
const INSTALL_MS = 120_000;
let project = '';

const run = (command: string, args: readonly string[], cwd = project): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_MS,
  });

/** Runs a module in the project, with the package by its name. */
function module(source: string): string {
  writeFileSync(join(project, 'program.mjs'), source);
  return run(process.execPath, ['program.mjs']);
}

describe('the packed package', () => {
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'winsockd-package-'));
    run('npm', ['pack', '--silent', '--pack-destination', project], ROOT);
    const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'user', private: true, type: 'module' }),
    );
    run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`]);
  }, INSTALL_MS);

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('every subpath export can be imported', () => {
    const paths = [
      '',
      '/wire',
      '/stack',
      '/link',
      '/capture',
      '/sim',
      '/native',
      '/abi',
      '/spi',
      '/spi/streams',
      '/layers/tls',
      '/layers/proxy',
      '/icmp',
      '/winsock/async',
      '/net',
      '/dgram',
    ];
    const imports = paths.map((path, i) => `import * as m${i} from 'winsockd${path}';`).join('\n');
    const sizes = paths.map((_, i) => `Object.keys(m${i}).length`).join(', ');
    const counts = JSON.parse(module(`${imports}\nconsole.log(JSON.stringify([${sizes}]));`)) as number[];
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test('a network of two hosts runs in virtual time', () => {
    const output = module(`
      import { createNetwork } from 'winsockd/sim';
      const network = createNetwork({ seed: 7 });
      const segment = network.segment();
      const a = network.host({ name: 'a', segment, addresses: ['10.0.0.1/24'], impair: { delay: 50 } });
      network.host({ name: 'b', segment, addresses: ['10.0.0.2/24'] });
      const reply = await network.run(a.ping('10.0.0.2'));
      console.log(reply.source.toString(), Math.round(network.now));
    `);
    expect(output).toBe('10.0.0.2 100\n');
  });

  test('the command says its version, and what to type when there is no daemon', () => {
    expect(run('npx', ['--no-install', 'winsockd', '--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
    try {
      run('npx', ['--no-install', 'winsockd', 'status', '--control', join(project, 'nobody.sock')]);
      throw new Error('the command succeeded');
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      expect(status).toBe(3);
      expect(stderr).toContain('winsockd up');
    }
  });
});
