/**
 * The configuration of the proxy provider: a JSON file that WINSOCKD_PROXY names. Without one every connection is direct.
 *
 *     {
 *       "proxies": {
 *         "office": { "type": "socks5", "address": "10.0.0.2", "port": 1080, "user": "me", "password": "secret" },
 *         "web": { "type": "http", "address": "10.0.0.2", "port": 8888 }
 *       },
 *       "rules": [
 *         { "to": "10.0.0.0/8", "via": "direct" },
 *         { "to": "*", "ports": "80, 8000-8999", "via": "web" },
 *         { "to": "*", "via": "office" }
 *       ],
 *       "seconds": 30
 *     }
 *
 * The first rule that fits decides. Link-local and loopback addresses are direct unless a rule other than `*` names them.
 */

import { readFileSync } from 'node:fs';
import { IpAddress, type Prefix, parsePrefix, prefixMask } from '../../base/index.ts';
import type { Credentials } from './socks5.ts';

export interface ProxyServer {
  readonly name: string;
  readonly type: 'socks5' | 'http';
  readonly address: IpAddress;
  readonly port: number;
  readonly credentials: Credentials | null;
}

export interface ProxyRule {
  /** `null`: every address. */
  readonly to: Prefix | null;
  /** Ranges of ports, both ends in them; empty: every port. */
  readonly ports: readonly (readonly [first: number, last: number])[];
  /** `null`: no proxy. */
  readonly via: ProxyServer | null;
}

export interface ProxyConfig {
  readonly rules: readonly ProxyRule[];
  /** Longest time for the talk with a proxy, ms. */
  readonly limit: number;
}

export const NO_PROXIES: ProxyConfig = { rules: [], limit: 30_000 };

/** Longest name or password (RFC 1929 §2). */
const LONGEST = 255;
const MOST_PORT = 0xffff;
const MOST_SECONDS = 3600;

/** @returns the configuration, or what is wrong with it */
export function readProxyConfig(path: string | undefined): ProxyConfig | string {
  if (path === undefined || path === '') return NO_PROXIES;
  try {
    return parseProxyConfig(JSON.parse(readFileSync(path, 'utf8')) as unknown);
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** @throws {Error} with what is wrong */
export function parseProxyConfig(value: unknown): ProxyConfig {
  const {
    proxies = {},
    rules = [],
    seconds = NO_PROXIES.limit / 1000,
    ...others
  } = object(value, 'the file');
  none(others, 'the file');
  if (!Array.isArray(rules)) throw new Error('rules is a list');
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new Error(`seconds is a number up to ${MOST_SECONDS}`);
  }
  const servers = new Map<string, ProxyServer>();
  for (const [name, entry] of Object.entries(object(proxies, 'proxies')))
    servers.set(name, server(name, entry));
  return { rules: rules.map((entry: unknown) => rule(entry, servers)), limit: seconds * 1000 };
}

/** The proxy for a destination; `null`: none. */
export function proxyFor({ rules }: ProxyConfig, address: IpAddress, port: number): ProxyServer | null {
  const target = address.unmapped();
  const isNear = target.isLoopback || target.isLinkLocal;
  const found = rules.find(
    ({ to, ports }) =>
      (to === null ? !isNear : isIn(to, target)) &&
      (ports.length === 0 || ports.some(([first, last]) => port >= first && port <= last)),
  );
  return found?.via ?? null;
}

function server(name: string, entry: unknown): ProxyServer {
  const where = `proxy "${name}"`;
  const { type, address, port, user, password, ...others } = object(entry, where);
  none(others, where);
  if (type !== 'socks5' && type !== 'http') throw new Error(`${where}: type is socks5 or http`);
  const parsed = typeof address === 'string' ? IpAddress.parse(address) : null;
  if (parsed === null) throw new Error(`${where}: address is an IP address`);
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MOST_PORT) {
    throw new Error(`${where}: port is a number from 1 to ${MOST_PORT}`);
  }
  return { name, type, address: parsed, port, credentials: credentials(user, password, where) };
}

function credentials(user: unknown, password: unknown, where: string): Credentials | null {
  if (user === undefined && password === undefined) return null;
  const isText = (value: unknown): value is string =>
    typeof value === 'string' && Buffer.byteLength(value) <= LONGEST && !/[\r\n]/.test(value);
  if (!isText(user) || !isText(password) || user === '') {
    throw new Error(`${where}: user and password are texts of up to ${LONGEST} bytes`);
  }
  return { user, password };
}

function rule(entry: unknown, servers: ReadonlyMap<string, ProxyServer>): ProxyRule {
  const { to, ports = '', via, ...others } = object(entry, 'a rule');
  none(others, 'a rule');
  const prefix = typeof to === 'string' && to !== '*' ? parsePrefix(to) : null;
  if (to !== '*' && prefix === null)
    throw new Error(`a rule: to is "*" or a prefix, not ${JSON.stringify(to)}`);
  const chosen = via === 'direct' ? null : servers.get(String(via));
  if (chosen === undefined) throw new Error(`a rule: there is no proxy ${JSON.stringify(via)}`);
  if (typeof ports !== 'string') throw new Error('a rule: ports is a text such as "80, 8000-8999"');
  return { to: prefix, ports: ports.trim() === '' ? [] : ports.split(',').map(range), via: chosen };
}

function range(text: string): readonly [number, number] {
  const [, first = '', last = first] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (first === '' || low > high || high > MOST_PORT)
    throw new Error(`a rule: "${text}" is no range of ports`);
  return [low, high];
}

function isIn({ address, length }: Prefix, target: IpAddress): boolean {
  if (address.family !== target.family) return false;
  if (address.family === 4) return ((address.w3 ^ target.w3) & prefixMask(length)) === 0;
  const pairs = [
    [address.w0, target.w0],
    [address.w1, target.w1],
    [address.w2, target.w2],
    [address.w3, target.w3],
  ] as const;
  return pairs.every(([a, b], i) => ((a ^ b) & prefixMask(Math.max(0, Math.min(32, length - 32 * i)))) === 0);
}

function object(value: unknown, where: string): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${where} is no JSON object`);
  }
  return value as { readonly [name: string]: unknown };
}

function none(others: object, where: string): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw new Error(`${where}: there is no member "${name}"`);
}
