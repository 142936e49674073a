/**
 * Rooms of `src/` as plain JavaScript, for tests that start a process or a Worker: jest transforms neither. Compiled into
 * a temporary folder, so that a test depends on no build, and removed after the file's last test.
 */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { transformSync } from '@swc/core';

const folders: string[] = [];

/**
 * Compiles the rooms named, each with what it imports named too.
 * @returns the folder that holds them: `<folder>/<room>/index.js`. The native addon is found from there.
 */
export function compileRooms(...rooms: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'winsockd-test-'));
  folders.push(root);
  chmodSync(root, 0o755); // for children with another user's rights
  const out = join(root, 'dist');
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  symlinkSync(resolve('native'), join(root, 'native'));
  for (const room of rooms) {
    for (const file of readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const target = join(out, room, file.replace(/\.ts$/, '.js'));
      mkdirSync(join(target, '..'), { recursive: true });
      writeFileSync(target, compile(readFileSync(join('src', room, file), 'utf8')));
    }
  }
  return out;
}

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Plain JavaScript of a source. */
export function compile(source: string): string {
  const { code } = transformSync(source, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return code.replace(/(from\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2');
}
