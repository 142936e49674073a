/**
 * firewall: a layer that allows, denies and redirects what an application does, by rules in a file.
 *
 * The lesson: a layer that decides. It judges before a call goes down, changes the arguments of some, and comes between the
 * application and the ways around the table: extension functions, and connections that are there before anybody has asked.
 *
 *     export const WSPStartup = firewall({ rulesPath: '/etc/winsockd/firewall.json' });
 *
 * Installed as `winsockd/layers/firewall` it reads `/etc/winsockd/firewall.json`, or what `WINSOCKD_FIREWALL_RULES` names. See
 * {@link parseRules} for how rules are written. Without rules that can be read the layer does not start, and no socket is made.
 *
 * It runs in the application's process with the application's rights: it holds applications that go astray, and not one that sets out
 * to get around it. Datagrams that come in are not judged, nor is registered I/O, which goes past every layer.
 */

import { userInfo } from 'node:os';
import { env, geteuid, pid as ownPid } from 'node:process';
import { formatSockaddr, sockaddrOf } from '../../abi/index.ts';
import { defineLayer, type Layer, type WSPStartup as Startup } from '../../spi/index.ts';
import { programsOf } from '../application.ts';
import { linesToFile, linesToStderr, type WriteLine } from '../lines.ts';
import type { Place } from '../places.ts';
import { type FirewallState, firewallCalls } from './calls.ts';
import type { Judge } from './gate.ts';
import { type Application, type Deed, decide, type RuleSet, type Verdict } from './rules.ts';
import { RulesFile } from './rules-file.ts';

export type { Place } from '../places.ts';
export { MOST_RULES, parseRules, RulesError } from './parse-rules.ts';
export * from './rules.ts';
export { CHECK_EVERY, RulesFile } from './rules-file.ts';

/** One line of the log. */
export interface FirewallRecord {
  /** When, ms on the process's clock. */
  readonly t: number;
  readonly pid: number;
  readonly program: string;
  readonly action: Verdict['action'];
  readonly direction: Deed['direction'];
  readonly protocol: Deed['protocol'];
  readonly remote?: string;
  readonly local?: string;
  /** Where to instead. */
  readonly to?: string;
  /** Absent: the default decided. */
  readonly rule?: string;
}

export interface FirewallOptions {
  /** The file of rules; what the environment names when neither this nor `rules` is given. */
  readonly rulesPath?: string;
  /** Rules that stay as they are, in place of a file. */
  readonly rules?: RuleSet;
  /** Whose application it is; the one whose calls come when absent. */
  readonly application?: Application;
  /** Is told every decision; what the rules name as their log when absent. */
  readonly log?: (record: FirewallRecord) => void;
}

const DEFAULT_PATH = '/etc/winsockd/firewall.json';

/** Makes the layer. All its chains in a process have the same rules. */
export function firewall(options: FirewallOptions = {}): Startup {
  let state: FirewallState | null = null;
  return defineLayer(
    (next, layer) => {
      state ??= {
        judge: judgeOf(options, layer),
        gates: new WeakMap(),
        wrappers: new WeakMap(),
      };
      return firewallCalls(next, layer, state);
    },
    { name: 'firewall' },
  );
}

/** The layer as it is installed. */
export const WSPStartup: Startup = firewall();

function judgeOf(options: FirewallOptions, layer: Layer): Judge {
  const { scheduler: clock, application: calling } = layer.ws2;
  const pid = calling?.pid ?? ownPid;
  const { rulesPath = env['WINSOCKD_FIREWALL_RULES'] || DEFAULT_PATH } = options;
  const application = options.application ?? { programs: programsOf(layer), users: ownUsers() };
  const complain = (reason: string): void =>
    void linesToStderr()(`firewall: the old rules stay: ${reason}\n`);
  const file = options.rules === undefined ? new RulesFile(rulesPath, clock, complain) : null;
  const log = options.log ?? logAsNamed(() => (options.rules ?? file?.current())?.log ?? null);
  return (direction, protocol, remote, local) => {
    const rules = options.rules ?? file?.current();
    if (rules === undefined) return { action: 'deny', rule: null };
    const verdict = decide(rules, application, { direction, protocol, remote, local });
    const { action, rule } = verdict;
    log({
      t: Math.round(clock.now() * 1000) / 1000,
      pid,
      program: application.programs.at(-1) ?? '',
      action,
      direction,
      protocol,
      ...(remote === null ? {} : { remote: textOf(remote) }),
      ...(local === null ? {} : { local: textOf(local) }),
      ...(action !== 'redirect' || rule === null || rule.to === null ? {} : { to: textOf(rule.to) }),
      ...(rule === null ? {} : { rule: rule.name }),
    });
    return verdict;
  };
}

/** Writes to the log that the rules name now. */
function logAsNamed(named: () => string | null): (record: FirewallRecord) => void {
  let name: string | null = null;
  let write: WriteLine | null = null;
  return (record) => {
    const wanted = named();
    if (wanted !== name) {
      name = wanted;
      write = wanted === null ? null : wanted === 'stderr' ? linesToStderr() : linesToFile(wanted);
    }
    write?.(`${JSON.stringify(record)}\n`);
  };
}

function textOf({ address, port }: Place): string {
  return formatSockaddr(sockaddrOf(address, port));
}

/** Who runs it. A provider host runs under its application's user. */
function ownUsers(): readonly string[] {
  const uid = geteuid?.();
  return [...nameOfUser(), ...(uid === undefined ? [] : [String(uid)])];
}

/** A user without an entry has no name. */
function nameOfUser(): readonly string[] {
  try {
    return [userInfo().username];
  } catch {
    return [];
  }
}
