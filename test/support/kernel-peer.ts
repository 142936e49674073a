/**
 * Starts `kernel-peer.py` in a namespace and talks with it: plain kernel sockets at the other end of a test.
 */

import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.ts';

/** Bytes that passed in one direction and their SHA-256. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** What a peer with both directions answers. */
export interface ExchangeResult {
  readonly sent: Digest;
  readonly received: Digest;
}

/** The system's own, where it is: a version manager's wrapper takes longer to start than most tests take. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** One run of the program. Ends by itself, or with its namespace. */
export class KernelPeer {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #stderr = '';
  #hasEnded = false;
  #changed: () => void = () => {};

  /** @param timeoutMs when it is killed, whatever it does. @param program which, of those that lie here */
  constructor(
    space: Namespace,
    args: readonly (string | number)[],
    timeoutMs = 60_000,
    program = 'kernel-peer.py',
  ) {
    const path = fileURLToPath(new URL(program, import.meta.url));
    this.#child = space.spawn([PYTHON, path, ...args.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] });
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#changed();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin?.on('error', () => {}); // It ended before it was told to go on: `result` says so.
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        clearTimeout(limit);
        this.#hasEnded = true;
        this.#changed();
        resolve();
      });
    });
  }

  /** Waits until it printed `word` (READY: it listens; CONNECTED: it holds). @throws {Error} when it ends without. */
  async said(word: string): Promise<this> {
    while (!this.#lines.includes(word)) {
      if (this.#hasEnded) throw new Error(`the kernel's peer ended without ${word}: ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this;
  }

  /** Lets a peer that holds go on. */
  goOn(): void {
    this.#child.stdin?.write('\n');
  }

  /** Waits for its end. @returns its JSON line. @throws {Error} with its own words when it failed. */
  async result<T>(): Promise<T> {
    await this.#ended;
    const line = this.#lines.at(-1);
    if (line?.startsWith('{') !== true) throw new Error(`the kernel's peer failed: ${this.#stderr}`);
    return JSON.parse(line) as T;
  }
}
