/**
 * What a command sees of the world: streams, environment, the machine. Handed in, so that every command runs in a test as it
 * runs in a terminal.
 */

import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Standard output or error. */
export type Output = Writable & { readonly isTTY?: boolean };

export interface Context {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Against this, relative paths are read. */
  readonly directory: string;
  /** Aborted by SIGINT or SIGTERM: what runs on ends in good order, what waits for an answer gives up. */
  readonly signal: AbortSignal;
  readonly machine: Machine;
  /** Waits; returns at once, without an error, when `signal` is aborted. */
  sleep(ms: number): Promise<void>;
  /** A monotonic clock, ms. */
  now(): number;
}

/** The machine that the command line runs on. */
export interface Machine {
  readonly platform: string;
  /** The user; -1 where there are none. */
  readonly uid: number;
  /** Whether a file is there and may be read and written. */
  access(path: string): 'usable' | 'denied' | 'missing';
  /** @returns `null` when it cannot be read. */
  readText(path: string): string | null;
  /** The first `most` bytes and perhaps some more. @returns `null` when it cannot be read. */
  readBytes(path: string, most: number): Uint8Array | null;
  /** The path of a program on PATH, or `null`. */
  findProgram(name: string): string | null;
  /** The daemon's entry file and the addon's candidates, best first. */
  readonly daemonEntry: string;
  readonly addonCandidates: readonly string[];
  /** The package's `package.json`. */
  readonly packageFile: string;
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Calls `listener` for each signal that asks this process to end. @returns what stops it */
  onSignals(listener: (signal: NodeJS.Signals) => void): () => void;
}
