/**
 * The protocols and ciphers of SO_SSL_* in terms of what can be negotiated today, and back.
 *
 * TLS 1.2 and 1.3 are what a socket speaks. TLS 1.0 and 1.1 need two wishes: the application's, by SO_SSL_SET_PROTOCOLS, and the
 * machine's, by the provider's configuration. SSL 2.0 (RFC 6176), SSL 3.0 (RFC 7568) and PCT are names only.
 */

import type { CipherNameAndProtocol, EphemeralKeyInfo, SecureVersion } from 'node:tls';
import {
  CALG_3DES,
  CALG_AES_128,
  CALG_AES_256,
  CALG_DH_EPHEM,
  CALG_ECDH_EPHEM,
  CALG_RSA_KEYX,
  CALG_SHA_256,
  CALG_SHA_384,
  CALG_SHA1,
  SSL_PROT_TLS1_1_CLIENT,
  SSL_PROT_TLS1_1_SERVER,
  SSL_PROT_TLS1_2_CLIENT,
  SSL_PROT_TLS1_2_SERVER,
  SSL_PROT_TLS1_3_CLIENT,
  SSL_PROT_TLS1_3_SERVER,
  SSL_PROT_TLS1_CLIENT,
  SSL_PROT_TLS1_SERVER,
  SSL_PROTOCOL_TLS1,
  type SSLCONNECTIONINFO,
  type SSLPROTOCOL,
  TLS_VERSION_1_0,
  TLS_VERSION_1_1,
  TLS_VERSION_1_2,
  TLS_VERSION_1_3,
} from '../../abi/index.ts';

/** The versions that a handshake may choose from. */
export interface VersionRange {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

const VERSIONS: readonly [wire: number, name: SecureVersion][] = [
  [TLS_VERSION_1_0, 'TLSv1'],
  [TLS_VERSION_1_1, 'TLSv1.1'],
  [TLS_VERSION_1_2, 'TLSv1.2'],
  [TLS_VERSION_1_3, 'TLSv1.3'],
];
/** Index of the first version that needs no permission. */
const FIRST_MODERN = 2;

/** What an application gets that asked for nothing. */
export const DEFAULT_PROTOCOLS: readonly SSLPROTOCOL[] = [
  { dwProtocol: SSL_PROTOCOL_TLS1, dwVersion: TLS_VERSION_1_2, dwFlags: 0 },
  { dwProtocol: SSL_PROTOCOL_TLS1, dwVersion: TLS_VERSION_1_3, dwFlags: 0 },
];

/**
 * The range of versions that a list asks for: TLS without a version is all that is allowed.
 * @returns why there is none
 */
export function versionsOf(protocols: readonly SSLPROTOCOL[], allowsOld: boolean): VersionRange | string {
  const lowest = allowsOld ? 0 : FIRST_MODERN;
  const asked = new Set<number>();
  let isOldAsked = false;
  for (const { dwProtocol, dwVersion } of protocols) {
    if (dwProtocol !== SSL_PROTOCOL_TLS1) continue;
    if (dwVersion === 0) for (let i = lowest; i < VERSIONS.length; i++) asked.add(i);
    const index = VERSIONS.findIndex(([wire]) => wire === dwVersion);
    if (index >= lowest) asked.add(index);
    isOldAsked ||= index >= 0 && index < lowest;
  }
  if (asked.size === 0) {
    return isOldAsked
      ? 'TLS 1.0 and 1.1 are not allowed by the configuration of the provider (oldVersions)'
      : 'only PCT, SSL 2.0 or SSL 3.0 was asked for, which must not be negotiated (RFC 6176, RFC 7568)';
  }
  const [, minVersion] = VERSIONS[Math.min(...asked)] as [number, SecureVersion];
  const [, maxVersion] = VERSIONS[Math.max(...asked)] as [number, SecureVersion];
  return { minVersion, maxVersion };
}

/** Whether a range reaches below TLS 1.2, where OpenSSL needs to be told that SHA-1 may sign. */
export function isOld({ minVersion }: VersionRange): boolean {
  return minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
}

/** The bulk ciphers that there are, with what selects each up to TLS 1.2, and its suites of TLS 1.3. */
const CIPHERS: readonly [id: number, selector: string, suites: readonly string[]][] = [
  [CALG_AES_256, 'AES256', ['TLS_AES_256_GCM_SHA384']],
  [CALG_AES_128, 'AES128', ['TLS_AES_128_GCM_SHA256']],
];

/** The ciphers of a socket that asked for none. */
export const DEFAULT_CIPHERS: readonly number[] = CIPHERS.map(([id]) => id);

/**
 * What OpenSSL is told for a list of ALG_IDs, in their order; those that cannot be negotiated any more are passed over.
 * @returns `null` when none is left
 */
export function cipherText(ids: readonly number[]): string | null {
  const chosen = ids.flatMap((id) => CIPHERS.filter(([known]) => known === id));
  if (chosen.length === 0) return null;
  const suites = chosen.flatMap(([, , names]) => names);
  const older = chosen.map(([, selector]) => `ECDHE+${selector}:DHE+${selector}:RSA+${selector}`);
  return [...suites, ...older, '!aNULL', '!eNULL'].join(':');
}

const PROTOCOL_BITS: ReadonlyMap<string, readonly [server: number, client: number]> = new Map([
  ['TLSv1', [SSL_PROT_TLS1_SERVER, SSL_PROT_TLS1_CLIENT]],
  ['TLSv1.1', [SSL_PROT_TLS1_1_SERVER, SSL_PROT_TLS1_1_CLIENT]],
  ['TLSv1.2', [SSL_PROT_TLS1_2_SERVER, SSL_PROT_TLS1_2_CLIENT]],
  ['TLSv1.3', [SSL_PROT_TLS1_3_SERVER, SSL_PROT_TLS1_3_CLIENT]],
]);
const BULK: readonly [pattern: RegExp, id: number, strength: number][] = [
  [/AES_?256/, CALG_AES_256, 256],
  [/AES_?128/, CALG_AES_128, 128],
  [/3DES|DES-CBC3/, CALG_3DES, 168],
  [/CHACHA20/, 0, 256],
];
const HASHES: readonly [pattern: RegExp, id: number, strength: number][] = [
  [/SHA384$/, CALG_SHA_384, 384],
  [/SHA256$/, CALG_SHA_256, 256],
  [/SHA$|SHA1$/, CALG_SHA1, 160],
];

/** What was agreed on, as SO_SSL_GET_CONNECTION_INFO tells it. @param keyBits of a certificate's RSA key, where that carries the exchange */
export function connectionInfo(
  protocol: string | null,
  { name, standardName }: CipherNameAndProtocol,
  exchange: EphemeralKeyInfo | object | null,
  isServer: boolean,
  keyBits: number,
): SSLCONNECTIONINFO {
  const bits = PROTOCOL_BITS.get(protocol ?? '') ?? [0, 0];
  const [, aiCipher, dwCipherStrength] = BULK.find(([pattern]) => pattern.test(name)) ?? [null, 0, 0];
  const [, aiHash, dwHashStrength] = HASHES.find(([pattern]) => pattern.test(standardName)) ?? [null, 0, 0];
  const { type, size } = (exchange ?? {}) as Partial<EphemeralKeyInfo>;
  const isEphemeral = protocol === 'TLSv1.3' || /DHE/.test(standardName);
  const ephemeral = type === 'DH' || /_DHE_/.test(standardName) ? CALG_DH_EPHEM : CALG_ECDH_EPHEM;
  return {
    dwProtocol: bits[isServer ? 0 : 1] as number,
    aiCipher,
    dwCipherStrength,
    aiHash,
    dwHashStrength,
    aiExch: isEphemeral ? ephemeral : CALG_RSA_KEYX,
    dwExchStrength: isEphemeral ? (size ?? 0) : keyBits,
  };
}
