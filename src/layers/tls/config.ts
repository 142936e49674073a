/**
 * The configuration of the TLS provider: a JSON file that WINSOCKD_TLS names. Without one the defaults hold.
 *
 *     { "ca": "roots.pem", "certificate": "server.pem", "key": "server.key", "oldVersions": false, "handshakeSeconds": 30 }
 *
 * Paths are taken from the file's folder.
 */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface TlsConfig {
  /** PEM of the authorities whose certificates are known; absent: those of Node. */
  readonly ca?: string;
  /** PEM of the own certificate with its chain, and of its key: for servers, and for clients that are asked. */
  readonly certificate?: string;
  readonly key?: string;
  /** Whether an application that asks for TLS 1.0 and 1.1 gets them. */
  readonly oldVersions: boolean;
  /** Longest time for a handshake, ms. */
  readonly handshakeLimit: number;
}

export const DEFAULT_TLS_CONFIG: TlsConfig = { oldVersions: false, handshakeLimit: 30_000 };

const TEXTS = ['ca', 'certificate', 'key'] as const;
const MEMBERS: readonly string[] = [...TEXTS, 'oldVersions', 'handshakeSeconds'];
/** Longest handshake that can be asked for, seconds. */
const LONGEST = 3600;

/** @returns the configuration, or what is wrong with it */
export function readTlsConfig(path: string | undefined): TlsConfig | string {
  if (path === undefined || path === '') return DEFAULT_TLS_CONFIG;
  try {
    return check(JSON.parse(readFileSync(path, 'utf8')) as unknown, dirname(resolve(path)));
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function check(read: unknown, folder: string): TlsConfig {
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Error('it is no JSON object');
  const members = read as { readonly [name: string]: unknown };
  for (const name of Object.keys(members)) {
    if (!MEMBERS.includes(name)) throw new Error(`there is no member "${name}"`);
  }
  const { oldVersions = false, handshakeSeconds = DEFAULT_TLS_CONFIG.handshakeLimit / 1000 } = members;
  if (typeof oldVersions !== 'boolean') throw new Error('oldVersions is true or false');
  if (typeof handshakeSeconds !== 'number' || !(handshakeSeconds > 0 && handshakeSeconds <= LONGEST)) {
    throw new Error(`handshakeSeconds is a number up to ${LONGEST}`);
  }
  const texts: { -readonly [name in (typeof TEXTS)[number]]?: string } = {};
  for (const name of TEXTS) {
    const file = members[name];
    if (file === undefined) continue;
    if (typeof file !== 'string') throw new Error(`${name} is the path of a PEM file`);
    texts[name] = readFileSync(resolve(folder, file), 'utf8');
  }
  if ((texts.certificate === undefined) !== (texts.key === undefined)) {
    throw new Error('a certificate needs its key, and a key its certificate');
  }
  return { ...texts, oldVersions, handshakeLimit: handshakeSeconds * 1000 };
}
