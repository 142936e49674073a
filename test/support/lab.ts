/**
 * A LAN for tests: a bridge of the kernel's in a namespace of its own, with hosts of ours on TAP devices, hosts of the kernel's in
 * further namespaces, and the servers of a network administrator: dnsmasq, radvd. Everything that is started is ended by its own
 * process, and nothing of it is left after the last test.
 *
 * @example
 * const lab = new Lab(['192.168.5.1/24']);
 * const server = await lab.dnsmasq('--dhcp-range=192.168.5.100,192.168.5.150,1h');
 * const host = lab.host();
 * host.stack.startDhcp(host.index);
 * await until('a lease', () => host.stack.dhcpStatus(host.index).v4?.state === 'BOUND');
 * lab.remove();
 */

import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { PoolAllocator } from '../../src/base/index.ts';
import { createHost, RealTime, type RunningHost } from '../../src/engine/index.ts';
import { TapLink } from '../../src/link/device/index.ts';
import type { Endpoint, Stack } from '../../src/stack/index.ts';
import { until } from './live-host.ts';
import { createNamespace, type Namespace } from './netns.ts';
import { describePrivileged } from './privileged.ts';

/** The bridge's name. */
const BRIDGE = 'br0';

/** How long such a test may take while others run. */
const LAB_TEST_MS = 120_000;

/** Everything that tshark calls wrong about a packet. */
const COMPLAINT =
  '_ws.malformed || _ws.expert.severity == "Error" || _ws.expert.severity == "Warning" || ' +
  'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad"';

/** Between two ports that no protocol owns there is data: random bytes look like some protocol now and then. */
const NO_GUESSES = ['tcp', 'udp'].flatMap((name) => ['-d', `${name}.port==10000-65535,data`]);

/**
 * A block of tests that need root, `/dev/net/tun` and these programs. @param packages by program
 * @throws {Error} in CI, when they cannot run: there that is part of the set-up
 */
export function describeLab(
  name: string,
  packages: Readonly<Record<string, string>>,
  body: () => void,
): void {
  const missing = Object.keys(packages).filter((program) => !isInstalled(program));
  if (missing.length === 0) {
    describePrivileged(name, body);
    return;
  }
  const reason = `not installed: ${missing.join(', ')} (apt-get install ${missing.map((each) => packages[each]).join(' ')})`;
  if (process.env['CI'] !== undefined) throw new Error(`${name}: ${reason}`);
  process.stderr.write(`SKIPPED ${name}: ${reason}\n`);
  describe.skip(name, () => {
    test(`skipped: ${reason}`, () => {});
  });
}

/**
 * A test with a lab of its own. It runs beside the others of its file: a LAN waits most of the time, for probes, for timers, for servers.
 * @param addresses of the bridge
 */
export function testInLab(
  name: string,
  addresses: readonly string[],
  body: (lab: Lab) => Promise<void>,
  timeoutMs = LAB_TEST_MS,
): void {
  test.concurrent(
    name,
    async () => {
      const lab = new Lab(addresses);
      try {
        await body(lab);
      } finally {
        lab.remove();
      }
    },
    timeoutMs,
  );
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export class Lab {
  /** Where the bridge, the devices and the servers are. */
  readonly space: Namespace;
  /** Files of servers and recordings. */
  readonly folder = mkdtempSync(join(tmpdir(), 'winsockd-lab-'));
  readonly #hosts: LabHost[] = [];
  readonly #spaces: Namespace[] = [];
  readonly #processes: LabProcess[] = [];
  #made = 0;

  /** @param addresses of the bridge, which is the router and the server of the LAN */
  constructor(addresses: readonly string[] = []) {
    this.space = createNamespace();
    const ip = (...args: string[]): string => this.space.exec('ip', ...args);
    // No waiting for a spanning tree, no listening for groups: a frame goes through at once.
    ip('link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
    for (const address of addresses) {
      ip('address', 'add', address, 'dev', BRIDGE, ...(address.includes(':') ? ['nodad'] : []));
    }
    ip('link', 'set', BRIDGE, 'up');
  }

  /** A TAP device whose kernel's end is a port of the bridge. The link belongs to the caller. */
  tap(options: { readonly mac?: Uint8Array; readonly offload?: number } = {}): TapLink {
    const name = `tap${++this.#made}`;
    const link = TapLink.create({ name, namespace: this.space.name, mtu: 1500, ...options });
    this.plug(name);
    return link;
  }

  /** Makes a device of the LAN's namespace a port of the bridge. */
  plug(device: string): void {
    this.space.exec('ip', 'link', 'set', device, 'master', BRIDGE, 'up');
  }

  /** A host of ours on a TAP device, without an address unless some are given. */
  host(
    options: {
      readonly addresses?: readonly string[];
      readonly gateway?: string;
      readonly mac?: Uint8Array;
      readonly observer?: (endpoint: Endpoint, events: number) => void;
    } = {},
  ): LabHost {
    const host = new LabHost(this.tap(options.mac === undefined ? {} : { mac: options.mac }), options);
    this.#hosts.push(host);
    return host;
  }

  /** A host of the kernel's: a namespace whose `veth0` is on the LAN. */
  kernelHost(...addresses: readonly string[]): Namespace {
    const space = createNamespace();
    this.#spaces.push(space);
    const port = `port${++this.#made}`;
    this.space.exec('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', space.name);
    this.plug(port);
    for (const address of addresses) {
      space.exec(
        'ip',
        'address',
        'add',
        address,
        'dev',
        'veth0',
        ...(address.includes(':') ? ['nodad'] : []),
      );
    }
    space.exec('ip', 'link', 'set', 'veth0', 'up');
    return space;
  }

  /** A server, of the LAN's namespace unless another is named; ready once it has said `readiness`. */
  async run(argv: readonly string[], readiness: RegExp, space = this.space): Promise<LabProcess> {
    const started = new LabProcess(space, argv);
    this.#processes.push(started);
    await until(`${argv[0]} is ready`, () => {
      if (started.hasEnded) throw new Error(`${argv[0]} has ended: ${started.output}`);
      return readiness.test(started.output);
    });
    return started;
  }

  /** dnsmasq on the bridge: DHCP, DHCPv6, router advertisements, DNS as the arguments say. */
  async dnsmasq(...args: readonly string[]): Promise<Dnsmasq> {
    const leases = join(this.folder, `leases-${++this.#made}`);
    writeFileSync(leases, '');
    const fixed = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--user=root',
      '--log-facility=-',
      '--log-dhcp',
    ];
    const own = [
      `--dhcp-leasefile=${leases}`,
      `--interface=${BRIDGE}`,
      '--bind-interfaces',
      '--no-resolv',
      '--no-hosts',
    ];
    const pid = `--pid-file=${join(this.folder, `pid-${this.#made}`)}`;
    const process = await this.run(['dnsmasq', ...fixed, ...own, pid, ...args], /started, version/);
    return {
      process,
      leases: () =>
        readFileSync(leases, 'utf8')
          .split('\n')
          .filter((line) => line !== ''),
    };
  }

  /**
   * radvd on the bridge, or on `veth0` of a host of the kernel's.
   * @param options of the interface, in its configuration's language
   */
  async radvd(options: string, space = this.space): Promise<LabProcess> {
    const file = join(this.folder, `radvd-${++this.#made}.conf`);
    const device = space === this.space ? BRIDGE : 'veth0';
    writeFileSync(file, `interface ${device} { AdvSendAdvert on; ${options} };\n`);
    const argv = ['radvd', '--nodaemon', '--logmethod', 'stderr', '--debug', '1', '--config', file];
    return this.run([...argv, '--pidfile', `${file}.pid`], /version .* started|config file/i, space);
  }

  /** Records what passes the bridge from now on. */
  async record(): Promise<Recording> {
    const file = join(this.folder, `lan-${++this.#made}.pcap`);
    const argv = ['tcpdump', '-Z', 'root', '-n', '-U', '-i', BRIDGE, '-w', file];
    const process = await this.run(argv, /listening on/);
    return new Recording(this.space, file, process);
  }

  /** Ends everything. Idempotent. */
  remove(): void {
    for (const host of this.#hosts.splice(0)) host.close();
    for (const each of this.#processes.splice(0)) each.end();
    for (const space of this.#spaces.splice(0)) space.remove();
    this.space.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A running dnsmasq. */
export interface Dnsmasq {
  readonly process: LabProcess;
  /** The lines of its lease file: `expiry mac address name client-id`. */
  leases(): string[];
}

/** A host of ours on the LAN, on the machine's clock. */
export class LabHost {
  readonly stack: Stack;
  readonly link: TapLink;
  readonly index: number;
  readonly #host: RunningHost;

  constructor(
    link: TapLink,
    options: {
      readonly addresses?: readonly string[];
      readonly gateway?: string;
      readonly observer?: (endpoint: Endpoint, events: number) => void;
    },
  ) {
    this.link = link;
    this.#host = createHost({
      scheduler: new RealTime(),
      allocator: new PoolAllocator(),
      ...(options.observer === undefined ? {} : { observer: options.observer }),
    });
    this.stack = this.#host.stack;
    this.index = this.#host.driver.attach(link, {
      ...(options.addresses === undefined ? {} : { addresses: options.addresses }),
      ...(options.gateway === undefined ? {} : { gateway: options.gateway }),
    });
  }

  /** `aa:bb:cc:dd:ee:ff` */
  get mac(): string {
    return Array.from(this.link.mac ?? [], (byte) => byte.toString(16).padStart(2, '0')).join(':');
  }

  /** The interface's addresses with prefix lengths. */
  get addresses(): string[] {
    const view = this.stack.interfaces.find(({ index }) => index === this.index);
    return view?.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`) ?? [];
  }

  /** Removes the device. Idempotent. */
  close(): void {
    this.#host.close();
  }
}

/** A process in a namespace, and what it has said. */
export class LabProcess {
  readonly #child: ChildProcess;
  #output = '';
  #hasEnded = false;

  constructor(space: Namespace, argv: readonly string[]) {
    this.#child = space.spawn(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const take = (text: string): void => {
      this.#output += text;
    };
    this.#child.stdout?.setEncoding('utf8').on('data', take);
    this.#child.stderr?.setEncoding('utf8').on('data', take);
    this.#child.once('error', (error) => take(error.message));
    this.#child.once('close', () => {
      this.#hasEnded = true;
    });
  }

  /** Standard output and error together. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (!this.#hasEnded) this.#child.kill(signal);
  }
}

/** What passes the bridge, as tshark reads it. */
export class Recording {
  readonly file: string;
  readonly #space: Namespace;
  readonly #process: LabProcess;

  constructor(space: Namespace, file: string, process: LabProcess) {
    this.#space = space;
    this.file = file;
    this.#process = process;
  }

  /** The values of `fields` of every packet that matches a display filter, so far. */
  async fields(filter: string, ...fields: readonly string[]): Promise<string[][]> {
    const columns = fields.flatMap((field) => ['-e', field]);
    const checks = ['ip', 'udp', 'tcp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const format = ['-T', 'fields', '-E', 'separator=|', ...columns];
    const argv = ['tshark', '-n', '-r', this.file, ...NO_GUESSES, ...checks, '-Y', filter, ...format];
    const { stdout } = await this.#space.run(argv, 60_000);
    // What tshark says of a file that is being written goes to standard error: the packets before are right.
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('|'));
  }

  /** Waits until `count` packets match. @throws {Error} when they never come */
  async waitFor(filter: string, count: number): Promise<void> {
    for (let round = 0; round < 50; round++) {
      if ((await this.fields(filter, 'frame.number')).length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`there are no ${count} packets ${filter}`);
  }

  /** What tshark has to say against packets that match. */
  async complaints(filter: string): Promise<string[]> {
    const rows = await this.fields(
      `(${filter}) && (${COMPLAINT})`,
      'frame.number',
      '_ws.col.Info',
      '_ws.expert.message',
    );
    return rows.map((row) => row.join(' | '));
  }

  end(): void {
    this.#process.end('SIGINT');
  }
}
