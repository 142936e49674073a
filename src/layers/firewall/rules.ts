/**
 * The rules of a firewall, and which of them decides about what an application does. The first that fits does; where none fits, the
 * default of the direction.
 */

import { type IpAddress, type Prefix, prefixMask } from '../../base/index.ts';
import type { Place } from '../places.ts';

/**
 * - `connect`: a stream goes out;
 * - `send`: a datagram goes out, and a datagram socket is connected;
 * - `listen`: a stream socket listens, a datagram socket is bound to a port;
 * - `accept`: a stream comes in.
 */
export type Direction = 'connect' | 'send' | 'listen' | 'accept';
export type Protocol = 'tcp' | 'udp' | 'raw';
export type Action = 'allow' | 'deny' | 'redirect';

export const DIRECTIONS: readonly Direction[] = ['connect', 'send', 'listen', 'accept'];
export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'raw'];

/** Ports from the first to the last. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** One rule. What is `null` fits everything. */
export interface Rule {
  /** What the log calls it. */
  readonly name: string;
  readonly action: Action;
  /** Paths with `*` for any characters. */
  readonly programs: readonly RegExp[] | null;
  /** Names and numbers, as text. */
  readonly users: readonly string[] | null;
  readonly directions: readonly Direction[] | null;
  readonly protocols: readonly Protocol[] | null;
  readonly remote: readonly Prefix[] | null;
  readonly remotePorts: readonly PortRange[] | null;
  readonly local: readonly Prefix[] | null;
  readonly localPorts: readonly PortRange[] | null;
  /** Where to instead; of `redirect` only. Port 0: the one that was asked for. */
  readonly to: Place | null;
}

export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly defaults: { readonly [D in Direction]: 'allow' | 'deny' };
  /** Where decisions are told: `stderr`, or a file's path; `null`: nowhere. */
  readonly log: string | null;
}

/** Whose application it is: it is known by the program that runs, and by the script that a program runs. */
export interface Application {
  readonly programs: readonly string[];
  readonly users: readonly string[];
}

/** What an application is about to do. A side that it is not about, or that nobody knows, is `null`. */
export interface Deed {
  readonly direction: Direction;
  readonly protocol: Protocol;
  readonly remote: Place | null;
  readonly local: Place | null;
}

export interface Verdict {
  readonly action: Action;
  /** The rule that decided; `null`: the default. */
  readonly rule: Rule | null;
}

export function decide({ rules, defaults }: RuleSet, application: Application, deed: Deed): Verdict {
  for (const rule of rules) {
    if (isAbout(rule, application) && fits(rule, deed)) return { action: rule.action, rule };
  }
  return { action: defaults[deed.direction], rule: null };
}

/** Whether an address lies in a prefix; one that is mapped into IPv6 is the IPv4 one. */
export function isIn(address: IpAddress, prefix: Prefix): boolean {
  const [own, net] = [address.unmapped(), prefix.address];
  if (own.family !== net.family) return false;
  const skipped = own.family === 4 ? 3 : 0;
  const [a, b] = [wordsOf(own), wordsOf(net)];
  let left = prefix.length;
  for (let i = skipped; i < 4 && left > 0; i++, left -= 32) {
    const mask = prefixMask(Math.min(left, 32));
    if ((((a[i] as number) ^ (b[i] as number)) & mask) !== 0) return false;
  }
  return true;
}

function isAbout({ programs, users }: Rule, application: Application): boolean {
  const isProgram =
    programs === null || programs.some((pattern) => application.programs.some((path) => pattern.test(path)));
  return isProgram && (users === null || users.some((user) => application.users.includes(user)));
}

function fits(rule: Rule, { direction, protocol, remote, local }: Deed): boolean {
  return (
    (rule.directions === null || rule.directions.includes(direction)) &&
    (rule.protocols === null || rule.protocols.includes(protocol)) &&
    isAt(remote, rule.remote, rule.remotePorts) &&
    isAt(local, rule.local, rule.localPorts)
  );
}

function isAt(
  place: Place | null,
  prefixes: readonly Prefix[] | null,
  ports: readonly PortRange[] | null,
): boolean {
  if (prefixes === null && ports === null) return true;
  if (place === null) return false;
  const { address, port } = place;
  return (
    (prefixes === null || prefixes.some((prefix) => isIn(address, prefix))) &&
    (ports === null || ports.some(({ first, last }) => port >= first && port <= last))
  );
}

function wordsOf({ w0, w1, w2, w3 }: IpAddress): readonly number[] {
  return [w0, w1, w2, w3];
}
