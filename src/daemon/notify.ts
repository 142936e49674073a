/**
 * Telling whoever started the daemon how it is: systemd (`Type=notify`), and a descriptor (`--ready-fd`).
 */

import { execFile } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import type { ReadyMessage, WaitingMessage } from '../port/index.ts';

export class Notifier {
  readonly #readyFd: number | undefined;
  readonly #hasSystemd: boolean;
  #isTold = false;

  constructor(readyFd: number | undefined, environment: Readonly<Record<string, string | undefined>>) {
    this.#readyFd = readyFd;
    this.#hasSystemd = environment['NOTIFY_SOCKET'] !== undefined;
  }

  /** It serves, but is not ready: what it waits for. */
  waiting(missing: readonly string[]): void {
    this.#systemd(`STATUS=waiting: ${missing.join('; ')}`);
    this.#write({ waiting: missing });
  }

  /** The daemon is ready, or never will be. The descriptor is closed after. */
  ready(message: ReadyMessage): void {
    if (!message.ready) this.#systemd(`STATUS=${message.error}`);
    else if (message.missing === undefined) this.#systemd('READY=1', 'STATUS=serving');
    else this.#systemd('READY=1', `STATUS=serving, but ${message.missing.join('; ')}`);
    this.#write(message);
    if (this.#readyFd === undefined || this.#isTold) return;
    this.#isTold = true;
    try {
      closeSync(this.#readyFd);
    } catch {
      // It was none.
    }
  }

  stopping(): void {
    this.#systemd('STOPPING=1');
  }

  #write(message: ReadyMessage | WaitingMessage): void {
    if (this.#readyFd === undefined || this.#isTold) return;
    try {
      writeSync(this.#readyFd, `${JSON.stringify(message)}\n`);
    } catch {
      // Whoever asked has gone; that is no reason not to serve.
    }
  }

  /** Node has no datagram sockets of the Unix kind: systemd's own tool speaks for us (hence NotifyAccess=all in the unit). */
  #systemd(...lines: string[]): void {
    if (!this.#hasSystemd) return;
    execFile('systemd-notify', lines, () => {});
  }
}
