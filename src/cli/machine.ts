/** The real machine behind {@link Machine}, and the {@link Context} of a process. */

import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Context, Machine } from './context.ts';

/** The context of this process. */
export function processContext(signal: AbortSignal): Context {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    signal,
    machine: processMachine(),
    now: () => performance.now(),
    sleep: (ms) => delay(ms, undefined, { signal }).catch(() => undefined),
  };
}

function processMachine(): Machine {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    access,
    readText,
    readBytes,
    findProgram: (name) => findProgram(name, process.env['PATH'] ?? ''),
    daemonEntry: besides('../daemon/main.js'),
    addonCandidates: [
      besides('../../native/build/Release/winsockd.node'),
      besides(`../../native/prebuilds/${process.platform}-${process.arch}/winsockd.node`),
    ],
    packageFile: besides('../../package.json'),
    spawn: (program, args, options) => spawn(program, args, options),
    onSignals,
  };
}

function access(path: string): ReturnType<Machine['access']> {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return 'usable';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'denied';
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Whatever it is, a device without end too. */
function readBytes(path: string, most: number): Uint8Array | null {
  let fd = -1;
  try {
    fd = openSync(path, 'r');
    const chunks: Uint8Array[] = [];
    for (let length = 0; length <= most; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = readSync(fd, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return Buffer.concat(chunks);
  } catch {
    return null;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** Debian keeps `ip` in a folder that is not on every user's PATH. */
function findProgram(name: string, searchPath: string): string | null {
  const folders = [...searchPath.split(delimiter).filter((folder) => folder !== ''), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

function onSignals(listener: (signal: NodeJS.Signals) => void): () => void {
  const listeners = SIGNALS.map((signal) => [signal, () => listener(signal)] as const);
  for (const [signal, call] of listeners) process.on(signal, call);
  return () => {
    for (const [signal, call] of listeners) process.off(signal, call);
  };
}

/** A path relative to this file, as source and as build result. */
function besides(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const CHUNK = 1 << 20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
