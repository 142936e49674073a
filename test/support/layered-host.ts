/**
 * A host of ours on a lab's LAN with layered providers above it, and programs of the lab that talk with it.
 */

import { createLocalHost, type LocalHost } from '../../src/app/local.ts';
import { RealTime } from '../../src/engine/index.ts';
import type { WSPStartup } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { layeredOptions } from './chains.ts';
import type { Lab } from './lab.ts';
import { until } from './live-host.ts';
import type { Namespace } from './netns.ts';

/** Our host's address, and the lab's. */
export const OURS = '10.9.0.2';
export const LABS = '10.9.0.1';
export const LAN = [`${LABS}/24`];

export interface LayeredHost {
  readonly host: LocalHost;
  /** A started Winsock with those providers, lowest first. */
  winsock(...layers: WSPStartup[]): Winsock;
  close(): Promise<void>;
}

export function layeredHost(lab: Lab): LayeredHost {
  const link = lab.tap();
  // Nobody else is on this LAN: its address can be used at once.
  const links = [{ link, addresses: [`${OURS}/24`], detectDuplicates: false }];
  const host = createLocalHost({ scheduler: new RealTime(), links, names: { hostName: 'ours' } });
  const started: Winsock[] = [];
  return {
    host,
    winsock(...layers): Winsock {
      const own = layers.map((startup) => ({ startup, isIfs: false }));
      const ws = createWinsock({ port: host.openSession(), names: host.openNames(), ...layeredOptions(own) });
      ws.WSAStartup(MAKEWORD(2, 2), {
        wVersion: 0,
        wHighVersion: 0,
        iMaxSockets: 0,
        iMaxUdpDg: 0,
        szDescription: '',
        szSystemStatus: '',
      });
      started.push(ws);
      return ws;
    },
    async close() {
      for (const ws of started) await ws.WSACleanup();
      host.close();
    },
  };
}

/** A program with its own input. */
export class Talker {
  readonly #child;
  output = '';
  hasEnded = false;

  constructor(space: Namespace, argv: readonly string[]) {
    this.#child = space.spawn(argv, { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#child.stdin?.on('error', () => {});
    this.#child.once('close', () => {
      this.hasEnded = true;
    });
  }

  say(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until it has said that. */
  async said(pattern: RegExp): Promise<void> {
    await until(`${pattern}`, () => {
      if (!pattern.test(this.output) && this.hasEnded) throw new Error(`it has ended: ${this.output}`);
      return pattern.test(this.output);
    });
  }

  async ended(): Promise<string> {
    await until('its end', () => this.hasEnded);
    return this.output;
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (!this.hasEnded) this.#child.kill(signal);
  }
}
