/**
 * Programs over the blocking face, each a process of its own: the face sleeps in its thread, and jest transforms no Workers.
 *
 * A program sees `ws` (the face), `data` (a WSADATA), `say(...words)` (a line of what the test gets), `at(port)` (the loopback
 * address), `text(bytes, length)`, `load(module)` (another module of app/), `isMainThread`, `Worker`, `workerData`, `parentPort` and `here` (its own URL).
 */

import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileRooms } from './compiled.ts';

/** A program that runs. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** What it has said, when it has ended by itself. */
  readonly said: Promise<unknown[][]>;
}

export interface BlockingPrograms {
  /** Where programs lie, and the daemon's socket may. */
  readonly folder: string;
  /** Where the rooms lie that were compiled. */
  readonly rooms: string;
  /**
   * Runs a program until it ends by itself.
   * @param attachment source of what `attachTo` is given; the sockets of a host in the process when absent
   * @returns what it said
   */
  run(name: string, body: string, attachment?: string): Promise<unknown[][]>;
  /**
   * Starts a program, as `run`.
   * @param attachment `null`: the program itself says where the sockets are
   */
  start(name: string, body: string, attachment?: string | null): RunningProgram;
  /** Puts a file beside the programs. */
  write(name: string, source: string): void;
  dispose(): void;
}

const HEAD = `
  import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
  const data = {};
  const lines = [];
  const say = (...words) => lines.push(words);
  const here = new URL(import.meta.url);
  function at(port) { return Uint8Array.of(2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0); }
  function text(bytes, length) { return Buffer.from(bytes.subarray(0, length)).toString(); }
  process.on('exit', () => isMainThread && console.log(JSON.stringify(lines)));
`;

/**
 * Compiles what programs load.
 * @param host source of what `createLocalHost` is told; it sees the rooms `base` and `names`
 * @param more rooms that programs load beside `app` and what it imports
 */
export function blockingPrograms(host = '{}', ...more: string[]): BlockingPrograms {
  const rooms = compileRooms('app', ...more);
  symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules'));
  const folder = mkdtempSync(join(tmpdir(), 'wsk-programs-'));
  const url = (path: string): string => JSON.stringify(pathToFileURL(join(rooms, path)).href);
  writeFileSync(
    join(folder, 'sockets.mjs'),
    `import { createLocalHost } from ${url('app/local.js')};
     import * as base from ${url('base/index.js')};
     import * as names from ${url('names/index.js')};
     export const sockets = () => createLocalHost(${host});`,
  );
  const face = pathToFileURL(join(rooms, 'app/blocking.js')).href;
  const running = new Set<ChildProcess>();
  return {
    folder,
    rooms,
    start(name, body, attachment = `{ module: new URL('./sockets.mjs', here) }`) {
      const file = join(folder, `${name}.mjs`);
      const attach = attachment === null ? '' : `if (isMainThread) ws.attachTo(${attachment});`;
      writeFileSync(
        file,
        `import * as ws from ${JSON.stringify(face)};\nconst load = (module) => import(new URL(module + '.js', ${JSON.stringify(face)}));\n${HEAD}\n${attach}\n${body}`,
      );
      let end: (output: string) => void;
      let fail: (error: Error) => void;
      const output = new Promise<string>((resolve, reject) => {
        [end, fail] = [resolve, reject];
      });
      const child = execFile(process.execPath, [file], { timeout: 30_000 }, (error, stdout, stderr) => {
        running.delete(child);
        if (error === null) end(stdout);
        else fail(new Error(`${error.message}\n${stderr}`));
      });
      running.add(child);
      const said = output.then((text) => JSON.parse(text) as unknown[][]);
      // Nobody has to ask what one said that was killed.
      said.catch(() => {});
      return { child, said };
    },
    run(name, body, attachment) {
      return this.start(name, body, attachment).said;
    },
    write: (name, source) => writeFileSync(join(folder, name), source),
    dispose() {
      for (const child of running) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
