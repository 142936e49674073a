/**
 * `winsockd up`: starts the daemon, in this terminal or in the background.
 *
 * The daemon is a process of its own (`daemon/main`). Its settings are the flags given here, handed over as JSON in
 * WINSOCKD_CONFIG_JSON under the keys of the configuration file; they win over file and environment. The daemon checks
 * them all, and says on a descriptor when it is ready or why it is not.
 */

import type { ChildProcess, SpawnOptions, StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import { CONFIG_JSON_VARIABLE, type ReadyMessage, type WaitingMessage } from '../../port/index.ts';
import { durationOption, type Invocation, leaf, type Session } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitCode, usageError } from '../exit-codes.ts';
import { readInteger } from '../units.ts';

/** The flags that are settings of the daemon, by its names for them. */
interface DaemonFlags {
  readonly tun?: string | true;
  readonly tap?: string | true;
  readonly tunFd?: number;
  readonly memory?: boolean;
  readonly netns?: string;
  readonly address?: readonly string[];
  readonly hostAddress?: readonly string[];
  readonly gateway?: string;
  readonly gateway6?: string;
  readonly share?: boolean;
  readonly shareLoopback?: boolean;
  readonly dhcp?: boolean;
  readonly dhcpInform?: boolean;
  readonly autoconf?: boolean;
  readonly prefixPolicies?: readonly string[];
  readonly mtu?: number;
  readonly offload?: boolean;
  readonly link?: readonly string[];
  readonly forwarding?: boolean;
  readonly nat?: string;
  readonly natFiltering?: string;
  readonly portMap?: readonly string[];
  readonly socket?: string;
  readonly control?: string;
  readonly user?: string;
  readonly group?: string;
  readonly nameServers?: readonly string[];
  readonly searchList?: readonly string[];
  readonly hostsFile?: string;
  readonly hostName?: string;
  readonly profile?: string;
  readonly mdns?: boolean;
  readonly llmnr?: boolean;
  readonly mdnsResponder?: boolean;
  readonly llmnrResponder?: boolean;
  readonly dnsProxy?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly capture?: string;
  readonly stateDirectory?: string;
  readonly catalog?: string;
  readonly catalogWriters?: readonly string[];
  readonly log?: string;
  readonly logLevel?: string;
  readonly readyFd?: number;
  readonly readyWait?: number;
}

interface UpOptions extends DaemonFlags {
  readonly control: string;
  readonly config?: string;
  readonly daemon?: boolean;
  /** ms */
  readonly timeout: number;
}

export function upCommand(session: Session): Command {
  return leaf<UpOptions>(session, 'up', 'start the daemon, here or in the background', (invocation) =>
    invocation.options.daemon === true ? startInBackground(invocation) : runInForeground(invocation),
  )
    .option('--daemon', 'in the background; returns when it serves')
    .addOption(durationOption('--timeout <time>', 'with --daemon: how long it may take to be ready', 30_000))
    .option(
      '--ready-wait <seconds>',
      'say that it is ready after so long, though its addresses can’t be used yet',
      (text) => readInteger('--ready-wait', text, 0, 600),
    )
    .option('--config <file>', 'settings as JSON with comments; flags win over it')
    .option('--tun [name]', 'a TUN device; without a name the kernel chooses one')
    .option('--tap [name]', 'a TAP device')
    .option('--tun-fd <number>', 'a TUN device that is already open as this descriptor', (text) =>
      readInteger('--tun-fd', text, 0, 65_535),
    )
    .option('--memory', 'no device: a segment in the daemon’s memory')
    .option('--netns <name>', 'the network namespace that the device is made in')
    .addOption(repeatable('--address <address/length>', 'an address of the stack; repeatable'))
    .addOption(
      repeatable(
        '--host-address <address/length>',
        'the kernel’s address on its side of the device; repeatable',
      ),
    )
    .option('--gateway <address>', 'where everything else goes')
    .option('--gateway6 <address>', 'and what is of IPv6')
    .option('--share', 'applications reach the world through this machine’s own sockets')
    .option('--share-loopback', 'with --share: 10.0.2.2 is this machine’s loopback address')
    .option('--dhcp', 'ask for address, routes and name servers on the device’s network')
    .option('--dhcp-inform', 'ask for name servers only; the addresses are those given')
    .option('--autoconf', 'take IPv6 addresses, routes and name servers that its routers advertise')
    .addOption(
      repeatable(
        '--prefix-policies <prefix=precedence:label>',
        'a row of the table of address selection, which replaces the default one; repeatable',
      ),
    )
    .option('--mtu <bytes>', 'the device’s MTU', (text) => readInteger('--mtu', text, 68, 65_535))
    .option('--no-offload', 'no checksum and segmentation offload')
    .addOption(
      repeatable('--link <words>', 'a further device: "tap=lan0 address=192.168.5.1/24"; repeatable'),
    )
    .option('--forwarding', 'pass on what is for others, between all devices')
    .option('--nat <interface>', 'what is passed on by it leaves from its address')
    .addOption(
      new Option('--nat-filtering <kind>', 'with --nat: whose packets come in').choices(NAT_FILTERINGS),
    )
    .addOption(
      repeatable(
        '--port-map <map>',
        'with --nat: a port that leads inside, tcp:80=192.168.5.9:80; repeatable',
      ),
    )
    .option('--socket <path>', 'the socket that applications use')
    .option('--user <name>', 'who to be once the device is open')
    .option('--group <name>', 'its group, unless it is the user’s own')
    .addOption(repeatable('--name-servers <address>', 'whom to ask for names; repeatable'))
    .addOption(repeatable('--search-list <domain>', 'a domain to append to short names; repeatable'))
    .option('--hosts-file <file>', 'a hosts file that is looked into first')
    .option('--mdns', 'ask by multicast for names under .local')
    .option('--llmnr', 'ask by multicast for short names that no server knows')
    .option('--mdns-responder', 'answer by multicast for this host under .local')
    .option('--llmnr-responder', 'answer by multicast for this host’s short name')
    .addOption(
      repeatable(
        '--dns-proxy <address>',
        'an own address on which the local network is answered; repeatable',
      ),
    )
    .addOption(repeatable('--dns-names <name=address>', 'what the DNS proxy answers by itself; repeatable'))
    .option('--host-name <name>', 'what the stack’s host is called')
    .option('--profile <name>', 'whose behaviour applications see: windows or windows-mobile')
    .option('--capture <file>', 'a pcapng file to write from the start')
    .option('--state-directory <directory>', 'where identity and leases are kept for the next start')
    .option(
      '--catalog <directory>',
      'where the provider catalog is kept; in the state directory unless given',
    )
    .addOption(
      repeatable('--catalog-writers <user>', 'who may change it: a user number, owner or anyone; repeatable'),
    )
    .option('--log <file>', 'where the log goes; standard error unless given')
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS));
}

/** In this process's place: the same terminal, signals handed on, its exit code ours. */
async function runInForeground(invocation: Invocation<UpOptions>): Promise<ExitCode> {
  const { context, options } = invocation;
  const child = start(context, options, {
    // Its own process group: a terminal's ^C reaches it once, through us, and not a second time as "at once".
    detached: true,
    stdio:
      options.tunFd === undefined
        ? 'inherit'
        : ['inherit', 'inherit', 'inherit', ...inheritedUpTo(options.tunFd)],
    env: daemonEnvironment(context, settingsOf(invocation)),
  });
  const stop = context.machine.onSignals((signal) => child.kill(signal));
  try {
    return await exitOf(child);
  } finally {
    stop();
  }
}

/** On its own, in a session of its own. Returns when it is ready, or says why it is not. */
async function startInBackground(invocation: Invocation<UpOptions>): Promise<ExitCode> {
  const { context, options, print } = invocation;
  const settings = settingsOf(invocation);
  const readyFd = Math.max(READY_FD, (options.tunFd ?? 0) + 1);
  // What is written before there is a log, or past it, goes where the log goes.
  const output = settings.log === undefined ? 'ignore' : openLog(settings.log);
  try {
    const child = start(context, options, {
      detached: true,
      stdio: backgroundStdio(output, options.tunFd, readyFd),
      env: daemonEnvironment(context, { ...settings, readyFd }),
      cwd: '/',
    });
    const message = await readiness(context, child, readyFd, options.timeout);
    child.unref();
    if (!message.ready) throw new CliError(message.exitCode, 'not-started', message.error);
    if (message.missing !== undefined) tell(context, 'ready, but', message.missing);
    print(message, () => `winsockd, process ${message.pid}, serves at ${message.socket}\n`);
    return ExitCode.ok;
  } finally {
    if (typeof output === 'number') closeSync(output);
  }
}

/** The flags that were given, as settings. Defaults are the daemon's. Paths are made absolute: in the background it works in `/`. */
function settingsOf({ context, options, isGiven }: Invocation<UpOptions>): DaemonFlags {
  const settings: Record<string, unknown> = {};
  for (const key of SETTINGS) {
    if (!isGiven(key)) continue;
    const value = options[key];
    settings[key] = PATHS.has(key) ? resolve(context.directory, String(value)) : value;
  }
  if (settings['tun'] === true) settings['tun'] = 'tun%d';
  if (settings['tap'] === true) settings['tap'] = 'tap%d';
  return settings;
}

/** @throws {CliError} when there is no such process to be, or no such descriptor to hand on */
function start(context: Context, options: UpOptions, how: SpawnOptions): ChildProcess {
  try {
    return context.machine.spawn(process.execPath, daemonArguments(context, options), how);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBADF' && options.tunFd !== undefined)
      throw usageError('--tun-fd', String(options.tunFd), 'a descriptor that is open here');
    throw notStarted(error as Error);
  }
}

function daemonArguments({ machine, directory }: Context, { config }: UpOptions): string[] {
  return [machine.daemonEntry, ...(config === undefined ? [] : ['--config', resolve(directory, config)])];
}

function daemonEnvironment({ environment }: Context, settings: DaemonFlags): NodeJS.ProcessEnv {
  return { ...environment, [CONFIG_JSON_VARIABLE]: JSON.stringify(settings) };
}

/** @returns the daemon's exit code; 128 + n when signal n ended it, as shells have it */
function exitOf(child: ChildProcess): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(error)));
    child.once('exit', (code, signal) => resolve(code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0)));
  });
}

/** What the daemon says on its ready descriptor; if nothing, what its end or the time says. */
async function readiness(
  context: Context,
  child: ChildProcess,
  readyFd: number,
  timeoutMs: number,
): Promise<ReadyMessage> {
  const onWaiting = ({ waiting }: WaitingMessage): void => tell(context, 'waiting:', waiting);
  const line = await lastLine(context, child, child.stdio[readyFd] as Readable, timeoutMs, onWaiting);
  if (line === null) {
    child.kill('SIGTERM');
    const cause = context.signal.aborted
      ? 'interrupted'
      : `the daemon was not ready after ${timeoutMs / 1000} s`;
    return {
      ready: false,
      error: cause,
      exitCode: context.signal.aborted ? ExitCode.interrupted : ExitCode.no,
    };
  }
  try {
    return JSON.parse(line) as ReadyMessage;
  } catch {
    const exitCode = child.exitCode ?? ExitCode.no;
    return {
      ready: false,
      error: `the daemon ended (exit code ${exitCode}) before it was ready; see its log, or start it without --daemon`,
      exitCode: exitCode === 0 ? ExitCode.no : exitCode,
    };
  }
}

/** What keeps the daemon's addresses from being used, for people: on standard error, a line each. */
function tell({ stderr }: Context, word: string, missing: readonly string[]): void {
  for (const each of missing) stderr.write(`winsockd: ${word} ${each}\n`);
}

/** @returns the first line that is no {@link WaitingMessage}, or the text to the end of the process; `null` when the time is over */
function lastLine(
  context: Context,
  child: ChildProcess,
  from: Readable,
  timeoutMs: number,
  onWaiting: (message: WaitingMessage) => void,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => finish(null), timeoutMs);
    const onAbort = (): void => finish(null);
    const finish = (line: string | null): void => {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', onAbort);
      from.destroy();
      resolve(line);
    };
    context.signal.addEventListener('abort', onAbort);
    from.setEncoding('utf8');
    from.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        const message = readWaiting(line);
        if (message === null) return finish(line);
        onWaiting(message);
        text = text.slice(end + 1);
      }
    });
    // 'close' comes after both its exit and the end of its streams.
    child.once('close', () => finish(text));
    child.once('error', (error) => {
      reject(notStarted(error));
      finish(null);
    });
  });
}

/** @returns `null` when the line is another message, or none */
function readWaiting(line: string): WaitingMessage | null {
  try {
    const message = JSON.parse(line) as Partial<WaitingMessage>;
    return Array.isArray(message.waiting) ? { waiting: message.waiting.map(String) } : null;
  } catch {
    return null;
  }
}

function notStarted({ message }: Error): CliError {
  return new CliError(ExitCode.no, 'not-started', `the daemon cannot be started: ${message}`);
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const exitCode = code === 'EACCES' || code === 'EPERM' ? ExitCode.notPermitted : ExitCode.usage;
    throw new CliError(exitCode, 'log', `the log cannot be written: ${message}`);
  }
}

function backgroundStdio(
  output: 'ignore' | number,
  tunFd: number | undefined,
  readyFd: number,
): StdioOptions {
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', output, output];
  while (stdio.length < readyFd) stdio.push(stdio.length === tunFd ? tunFd : 'ignore');
  return [...stdio, 'pipe'];
}

/** Descriptors 3 … last: a device that was handed to us is handed on under its number. */
function inheritedUpTo(last: number): ('ignore' | number)[] {
  return Array.from({ length: Math.max(0, last - 2) }, (_, index) => (index + 3 === last ? last : 'ignore'));
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text, before: readonly string[] | undefined) => [
    ...(before ?? []),
    text,
  ]);
}

/** Descriptor 3, the first after the standard ones. */
const READY_FD = 3;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const NAT_FILTERINGS = ['endpoint-independent', 'address', 'address-and-port'];
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const PATHS: ReadonlySet<string> = new Set([
  'socket',
  'control',
  'hostsFile',
  'capture',
  'stateDirectory',
  'catalog',
  'log',
]);
const SETTINGS = [
  'tun',
  'tap',
  'tunFd',
  'memory',
  'netns',
  'address',
  'hostAddress',
  'gateway',
  'gateway6',
  'share',
  'shareLoopback',
  'dhcp',
  'dhcpInform',
  'autoconf',
  'prefixPolicies',
  'mtu',
  'offload',
  'link',
  'forwarding',
  'nat',
  'natFiltering',
  'portMap',
  'socket',
  'control',
  'user',
  'group',
  'nameServers',
  'searchList',
  'hostsFile',
  'hostName',
  'profile',
  'mdns',
  'llmnr',
  'mdnsResponder',
  'llmnrResponder',
  'dnsProxy',
  'dnsNames',
  'capture',
  'stateDirectory',
  'catalog',
  'catalogWriters',
  'log',
  'logLevel',
  'readyWait',
] as const satisfies readonly (keyof DaemonFlags)[];
