/**
 * What this process is called in the provider catalog and in rules of layers: the script that it runs, or the program itself, and the
 * command line behind it.
 *
 * In a Worker `process.argv` names the Worker's file. The thread that loads this first leaves what it knows to the threads that it
 * starts; a Worker that nobody has told asks the system.
 */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argv, cwd, execPath, pid } from 'node:process';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import type { Application } from '../spi/index.ts';

/** Where the words of the command line lie in the environment data. */
const KEY = 'winsockd.command';

if (isMainThread) setEnvironmentData(KEY, [...argv]);

export function ownApplication(): Application {
  return applicationOf(isMainThread ? argv : (inherited() ?? wordsOfProcess() ?? [execPath]));
}

/** @param words the program, the script if it runs one, and what stands behind them */
function applicationOf([, script, ...rest]: readonly string[]): Application {
  const programs = script === undefined ? [execPath] : [execPath, script];
  return { path: script ?? execPath, extra: rest.join(' '), pid, programs };
}

function inherited(): readonly string[] | null {
  const words = getEnvironmentData(KEY) as unknown;
  return Array.isArray(words) ? (words as readonly string[]) : null;
}

/** What the system says that this process was started with; `null` where it does not say. */
function wordsOfProcess(): readonly string[] | null {
  try {
    const words = readFileSync('/proc/self/cmdline', 'utf8').replace(/\0$/, '').split('\0');
    return withoutNodeOptions(words, cwd());
  } catch {
    return null;
  }
}

/** Options of Node whose value is the next word. */
const WITH_VALUE =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|--title)$/;
/** Options that bring a program which is no file. */
const TEXT = /^(-$|-[ep]+$|--(eval|print)(=|$))/;

/** A command line of Node as `process.argv` has it in the main thread: the script's path is absolute. */
export function withoutNodeOptions([program = '', ...words]: readonly string[], folder: string): string[] {
  let at = 0;
  for (let word = words[at]; word?.startsWith('-') === true; word = words[at]) {
    if (TEXT.test(word)) return [program];
    at += WITH_VALUE.test(word) ? 2 : 1;
    if (word === '--') break;
  }
  const [script, ...rest] = words.slice(at);
  return script === undefined ? [program] : [program, resolve(folder, script), ...rest];
}
