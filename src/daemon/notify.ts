/**
 * Telling whoever started the daemon how it is: systemd (`Type=notify`), and a descriptor (`--ready-fd`).
 */

import { execFile } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import type { ReadyMessage } from '../port/index.ts';

export class Notifier {
  readonly #readyFd: number | undefined;
  readonly #hasSystemd: boolean;
  #isTold = false;

  constructor(readyFd: number | undefined, environment: Readonly<Record<string, string | undefined>>) {
    this.#readyFd = readyFd;
    this.#hasSystemd = environment['NOTIFY_SOCKET'] !== undefined;
  }

  /** The daemon serves, or never will. The descriptor is closed after. */
  ready(message: ReadyMessage): void {
    if (message.ready) this.#systemd('READY=1', 'STATUS=serving');
    else this.#systemd(`STATUS=${message.error}`);
    if (this.#readyFd === undefined || this.#isTold) return;
    this.#isTold = true;
    try {
      writeSync(this.#readyFd, `${JSON.stringify(message)}\n`);
      closeSync(this.#readyFd);
    } catch {
      // Whoever asked has gone; that is no reason not to serve.
    }
  }

  stopping(): void {
    this.#systemd('STOPPING=1');
  }

  /** Node has no datagram sockets of the Unix kind: systemd's own tool speaks for us (hence NotifyAccess=all in the unit). */
  #systemd(...lines: string[]): void {
    if (!this.#hasSystemd) return;
    execFile('systemd-notify', lines, () => {});
  }
}
