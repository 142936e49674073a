/**
 * Rules as they are written: JSON. Whatever is wrong is said with its place, all of it at once.
 *
 *     {
 *       "default": { "connect": "deny" },
 *       "log": "/var/log/winsockd-firewall.jsonl",
 *       "rules": [
 *         { "name": "web", "action": "allow", "direction": "connect", "remotePort": [80, 443] },
 *         { "action": "redirect", "remote": "192.0.2.0/24", "to": "127.0.0.1:8080" },
 *         { "action": "deny", "program": "/opt/old/*", "user": "guest", "protocol": "udp" }
 *       ]
 *     }
 */

import { IpAddress, type Prefix, parsePrefix } from '../../base/index.ts';
import type { Place } from '../places.ts';
import {
  type Action,
  DIRECTIONS,
  type Direction,
  type PortRange,
  PROTOCOLS,
  type Protocol,
  type Rule,
  type RuleSet,
} from './rules.ts';

/** Rules that cannot be read. The message has a line for each mistake. */
export class RulesError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.name = 'RulesError';
    this.mistakes = mistakes;
  }
}

/** Rules of one file; more are a mistake, or an attack. */
export const MOST_RULES = 10_000;

/** @throws {RulesError} */
export function parseRules(text: string): RuleSet {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new RulesError([`no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const reader = new Reader();
  const set = reader.ruleSet(json);
  if (reader.mistakes.length > 0) throw new RulesError(reader.mistakes);
  return set;
}

type Members = { readonly [name: string]: unknown };

const TOP_MEMBERS = ['default', 'rules', 'log'];
const RULE_MEMBERS = [
  'name',
  'action',
  'program',
  'user',
  'direction',
  'protocol',
  'remote',
  'remotePort',
  'local',
  'localPort',
  'to',
];
const ACTIONS: readonly Action[] = ['allow', 'deny', 'redirect'];
const DEFAULTS = ['allow', 'deny'] as const;

/** Reads and goes on after a mistake. */
class Reader {
  readonly mistakes: string[] = [];

  ruleSet(json: unknown): RuleSet {
    const { default: defaults, rules, log } = this.#members(json, '', TOP_MEMBERS);
    const listed = rules === undefined ? [] : rules;
    if (!Array.isArray(listed)) this.#wrong('rules', 'a list', rules);
    const list: readonly unknown[] = Array.isArray(listed) ? listed : [];
    if (list.length > MOST_RULES) this.mistakes.push(`rules: there may be ${MOST_RULES}, not ${list.length}`);
    if (log !== undefined && typeof log !== 'string')
      this.#wrong('log', '"stderr" or the path of a file', log);
    return {
      log: typeof log === 'string' ? log : null,
      defaults: this.#defaults(defaults),
      rules: list.slice(0, MOST_RULES).map((rule, i) => this.#rule(rule, `rules[${i}]`)),
    };
  }

  #defaults(json: unknown): RuleSet['defaults'] {
    const all = typeof json === 'object' && json !== null ? this.#members(json, 'default', DIRECTIONS) : null;
    const read = (direction: Direction): 'allow' | 'deny' => {
      const value = all === null ? json : all[direction];
      if (value === undefined) return 'allow';
      return this.#oneOf(value, all === null ? 'default' : `default.${direction}`, DEFAULTS) ?? 'deny';
    };
    if (all === null) {
      const value = read('connect');
      return { connect: value, send: value, listen: value, accept: value };
    }
    return {
      connect: read('connect'),
      send: read('send'),
      listen: read('listen'),
      accept: read('accept'),
    };
  }

  #rule(json: unknown, at: string): Rule {
    const members = this.#members(json, at, RULE_MEMBERS);
    const action = this.#oneOf(members['action'], `${at}.action`, ACTIONS) ?? 'deny';
    const list = <T>(name: string, read: (value: unknown, at: string) => T | null): readonly T[] | null =>
      this.#list(members[name], `${at}.${name}`, read);
    const directions = list('direction', (value, place) => this.#oneOf<Direction>(value, place, DIRECTIONS));
    const rule: Rule = {
      name: typeof members['name'] === 'string' ? members['name'] : at,
      action,
      programs: list('program', (value, place) => this.#pattern(value, place)),
      users: list('user', (value, place) => this.#user(value, place)),
      directions,
      protocols: list('protocol', (value, place) => this.#oneOf<Protocol>(value, place, PROTOCOLS)),
      remote: list('remote', (value, place) => this.#prefix(value, place)),
      remotePorts: list('remotePort', (value, place) => this.#ports(value, place)),
      local: list('local', (value, place) => this.#prefix(value, place)),
      localPorts: list('localPort', (value, place) => this.#ports(value, place)),
      to: members['to'] === undefined ? null : this.#place(members['to'], `${at}.to`),
    };
    if (members['name'] !== undefined && typeof members['name'] !== 'string') {
      this.#wrong(`${at}.name`, 'text', members['name']);
    }
    this.#checkRedirect(rule, at, members['to'] !== undefined);
    return rule;
  }

  #checkRedirect({ action, directions }: Rule, at: string, hasPlace: boolean): void {
    if (action !== 'redirect') {
      if (hasPlace) this.mistakes.push(`${at}.to: only a redirect goes anywhere else`);
      return;
    }
    if (!hasPlace) this.mistakes.push(`${at}.to: a redirect needs the address that it goes to`);
    if (directions?.some((direction) => direction === 'listen' || direction === 'accept') === true) {
      this.mistakes.push(`${at}.direction: only what goes out can be redirected: connect, send`);
    }
  }

  #members(json: unknown, at: string, known: readonly string[]): Members {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      this.#wrong(at === '' ? 'the file' : at, 'an object', json);
      return {};
    }
    for (const name of Object.keys(json)) {
      if (!known.includes(name)) {
        this.mistakes.push(
          `${at === '' ? '' : `${at}.`}${name}: there is no such member; there are ${known.join(', ')}`,
        );
      }
    }
    return json as Members;
  }

  /** One value, or a list of some. */
  #list<T>(json: unknown, at: string, read: (value: unknown, at: string) => T | null): readonly T[] | null {
    if (json === undefined) return null;
    if (!Array.isArray(json)) {
      const value = read(json, at);
      return value === null ? [] : [value];
    }
    if (json.length === 0)
      this.mistakes.push(`${at}: an empty list fits nothing; leave it out to fit everything`);
    const values: T[] = [];
    for (const [i, each] of json.entries()) {
      const value = read(each, `${at}[${i}]`);
      if (value !== null) values.push(value);
    }
    return values;
  }

  #oneOf<T extends string>(json: unknown, at: string, values: readonly T[]): T | null {
    const found = values.find((value) => value === json);
    if (found === undefined) this.#wrong(at, `one of ${values.join(', ')}`, json);
    return found ?? null;
  }

  #pattern(json: unknown, at: string): RegExp | null {
    if (typeof json !== 'string' || json === '') return this.#wrong(at, 'the path of a program', json);
    const literal = json.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${literal.replace(/\*+/g, '.*')}$`, 's');
  }

  #user(json: unknown, at: string): string | null {
    if (typeof json === 'number' && Number.isInteger(json) && json >= 0) return String(json);
    return typeof json === 'string' && json !== ''
      ? json
      : this.#wrong(at, 'the name or number of a user', json);
  }

  #prefix(json: unknown, at: string): Prefix | null {
    const prefix = typeof json === 'string' ? parsePrefix(json) : null;
    return prefix ?? this.#wrong(at, 'an address or prefix such as 10.0.0.0/8 or fd00::/8', json);
  }

  #ports(json: unknown, at: string): PortRange | null {
    const text = typeof json === 'number' ? String(json) : json;
    const match = typeof text === 'string' ? /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) : null;
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    const isRange = match !== null && first <= last && last <= 0xffff;
    return isRange
      ? { first, last }
      : this.#wrong(at, 'a port from 0 to 65535, or a range such as "8000-8010"', json);
  }

  #place(json: unknown, at: string): Place | null {
    const match = typeof json === 'string' ? /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(json) : null;
    const address = IpAddress.parse(match?.[1] ?? match?.[2] ?? '');
    const port = Number(match?.[3] ?? 0);
    if (address === null || port > 0xffff) {
      return this.#wrong(at, 'an address with a port such as 127.0.0.1:8080 or [::1]:8080', json);
    }
    return { address, port };
  }

  #wrong(at: string, expected: string, json: unknown): null {
    const is = json === undefined ? 'it is missing' : `not ${JSON.stringify(json)?.slice(0, 60)}`;
    this.mistakes.push(`${at}: it has to be ${expected}, ${is}`);
    return null;
  }
}
