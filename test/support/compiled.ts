/**
 * Rooms of `src/` as plain JavaScript, for tests that start a process or a Worker: jest transforms neither. Compiled into
 * a temporary folder, so that a test depends on no build, and removed after the file's last test.
 */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { transformSync } from '@swc/core';

const folders: string[] = [];

/**
 * Compiles the rooms named and those that they import. What a room starts as a program of its own must be named, too.
 * @returns the folder that holds them: `<folder>/<room>/index.js`. The native addon is found from there.
 */
export function compileRooms(...rooms: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'winsockd-test-'));
  folders.push(root);
  chmodSync(root, 0o755); // for children with another user's rights
  const out = join(root, 'dist');
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  symlinkSync(resolve('native'), join(root, 'native'));
  const wanted = new Set(rooms);
  // A set that grows while it is walked: each room comes up once.
  for (const room of wanted) {
    for (const file of readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const target = join(out, room, file.replace(/\.ts$/, '.js'));
      mkdirSync(join(target, '..'), { recursive: true });
      const code = compile(readFileSync(join('src', room, file), 'utf8'));
      writeFileSync(target, code);
      for (const imported of roomsOf(code, relative(out, target))) wanted.add(imported);
    }
  }
  return out;
}

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The rooms that a compiled file imports, types aside. @param file its place below the folder of the rooms */
function roomsOf(code: string, file: string): string[] {
  const specifiers = [...code.matchAll(/(?:from|import\(|import)\s*['"](\.[^'"]*)['"]/g)].map(
    ([, text = '']) => text,
  );
  const rooms = specifiers.map((specifier) => join(file, '..', specifier).split('/')[0] ?? '');
  return rooms.filter((room) => room !== '..' && existsSync(join('src', room)));
}

/** Plain JavaScript of a source. */
export function compile(source: string): string {
  const { code } = transformSync(source, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return code.replace(/((?:from|import\()\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2');
}
