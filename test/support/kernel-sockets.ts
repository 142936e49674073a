/**
 * Starts `kernel-sockets.py` in a namespace: a kernel socket that a test drives call by call.
 */

import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.ts';

/** What a call answers; fields of other calls are absent. */
export interface CallAnswer {
  readonly accepted?: boolean;
  readonly sent?: number;
  readonly unread?: number;
  /** The name of the error, when the call failed. */
  readonly error?: string;
}

const PROGRAM = fileURLToPath(new URL('./kernel-sockets.py', import.meta.url));
/** The system's own, where it is: a version manager's wrapper takes longer to start than most tests take. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

export class KernelSockets {
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: CallAnswer) => void)[] = [];

  constructor(space: Namespace) {
    this.#child = space.spawn([PYTHON, PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no pipe');
    createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  /** Makes one call. */
  call(...words: readonly (string | number)[]): Promise<CallAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${words.join(' ')}\n`);
    });
  }

  /** Ends the program; what it held is closed. */
  close(): void {
    this.#child.stdin?.end();
  }
}
