/**
 * avahi in a namespace: another's responder and another's questions. It talks to its tools over D-Bus: a bus of its own is started
 * for it, on a socket in its folder, and its fixed directory under /run is hidden from the machine's by a mount namespace.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabProcess } from './lab.ts';
import { until } from './live-host.ts';
import type { Namespace } from './netns.ts';

/** A bus on which everybody may do everything. */
const BUS = (
  socket: string,
): string => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`;

const RUN = `mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon &&
exec avahi-daemon -f "$1" --no-drop-root --no-chroot --no-rlimits --no-proc-title --debug`;

/** One host that avahi answers for. */
export class Avahi {
  readonly space: Namespace;
  readonly #folder = mkdtempSync(join(tmpdir(), 'winsockd-avahi-'));
  readonly #processes: LabProcess[] = [];

  /** @param device the interface that it uses */
  private constructor(space: Namespace, hostName: string, device: string) {
    this.space = space;
    writeFileSync(this.#path('bus.conf'), BUS(this.#path('bus')));
    writeFileSync(
      this.#path('avahi.conf'),
      `[server]\nhost-name=${hostName}\nallow-interfaces=${device}\nenable-dbus=yes\nuse-ipv4=yes\nuse-ipv6=yes\n` +
        '[publish]\npublish-workstation=no\npublish-hinfo=no\n',
    );
  }

  /** Starts it. Its name may not be established yet. */
  static async start(space: Namespace, hostName: string, device = 'veth0'): Promise<Avahi> {
    const avahi = new Avahi(space, hostName, device);
    const bus = avahi.run([
      'dbus-daemon',
      `--config-file=${avahi.#path('bus.conf')}`,
      '--nofork',
      '--nopidfile',
      '--print-address',
    ]);
    await until('the bus is there', () => bus.output.includes('unix:'));
    avahi.run(['unshare', '-m', 'sh', '-c', RUN, 'sh', avahi.#path('avahi.conf')]);
    return avahi;
  }

  /** What the daemon has said. */
  get log(): string {
    return this.#processes[1]?.output ?? '';
  }

  /** The name that it has taken, once that is its own. */
  async name(): Promise<string> {
    const said = (): RegExpMatchArray[] => [
      ...this.log.matchAll(/Server startup complete\. Host name is (\S+)\./g),
    ];
    await until('avahi has a name', () => said().length > 0);
    return said().at(-1)?.[1] ?? '';
  }

  /** A program of avahi's that goes on: `avahi-publish`, `avahi-browse`. */
  run(argv: readonly string[]): LabProcess {
    const started = new LabProcess(this.space, this.#withBus(argv));
    this.#processes.push(started);
    return started;
  }

  /** A program of avahi's, to its end. */
  async ask(...argv: readonly string[]): Promise<string> {
    const { stdout, stderr } = await this.space.run(this.#withBus(argv), 30_000);
    return stdout + stderr;
  }

  close(): void {
    for (const each of this.#processes.splice(0).reverse()) each.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #withBus(argv: readonly string[]): string[] {
    return ['env', `DBUS_SYSTEM_BUS_ADDRESS=unix:path=${this.#path('bus')}`, ...argv];
  }
}
