/** An nginx in a namespace, with a folder of its own: what it serves, and who has asked. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabProcess } from './lab.ts';
import { until } from './live-host.ts';
import type { Namespace } from './netns.ts';

export class Nginx {
  readonly #folder = mkdtempSync(join(tmpdir(), 'winsockd-nginx-'));
  readonly #process: LabProcess;
  readonly #space: Namespace;
  readonly #port: number;

  /** @param files by path, `/big` */
  constructor(space: Namespace, port: number, files: Readonly<Record<string, Uint8Array | string>>) {
    this.#space = space;
    this.#port = port;
    const root = join(this.#folder, 'files');
    mkdirSync(root);
    for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${this.#folder}/${name};`,
    );
    const config = join(this.#folder, 'nginx.conf');
    writeFileSync(
      config,
      `user root; daemon off; worker_processes 1; pid ${this.#folder}/pid; error_log stderr; events {}
       http { access_log ${this.#folder}/access.log; ${places.join(' ')} sendfile on; keepalive_timeout 65;
         server { listen ${port}; listen [::]:${port}; root ${root}; } }`,
    );
    this.#process = new LabProcess(space, ['nginx', '-p', this.#folder, '-e', 'stderr', '-c', config]);
  }

  /** Settled when it listens. */
  async ready(): Promise<void> {
    await until('nginx listens', () => {
      if (this.#process.hasEnded) throw new Error(`nginx has ended: ${this.#process.output}`);
      return this.#space.exec('ss', '-Hltn', `sport = :${this.#port}`) !== '';
    });
  }

  /** The addresses that have asked, in order. */
  get clients(): string[] {
    const lines = readFileSync(join(this.#folder, 'access.log'), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => line.split(' ')[0] ?? '');
  }

  end(): void {
    this.#process.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
