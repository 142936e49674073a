/**
 * What an application has said about one socket with SO_SECURE and SO_SSL_*; the connections of a listener begin with the listener's.
 */

import type { SSLCACHEOPTS, SSLCLIENTAUTHOPTS, SSLHOOK, SSLPROTOCOL } from '../../abi/index.ts';
import { DEFAULT_CIPHERS, DEFAULT_PROTOCOLS } from './versions.ts';

export interface SslSettings {
  /** SO_SECURE is SO_SEC_SSL. */
  isSecure: boolean;
  /** SSL_FLAG_*. */
  flags: number;
  protocols: readonly SSLPROTOCOL[];
  /** ALG_IDs. */
  ciphers: readonly number[];
  /** Whether the application chose them. */
  choosesCiphers: boolean;
  clientOpts: SSLCACHEOPTS;
  serverOpts: SSLCACHEOPTS;
  clientAuthOpts: SSLCLIENTAUTHOPTS;
  validateHook: SSLHOOK;
  authRequestHook: SSLHOOK;
  /** The name that the peer's certificate must bear; empty: any. */
  peerName: string;
}

const NO_HOOK: SSLHOOK = { HookFunc: 0, pvArg: 0 };

/** Of a new socket: plain, and without a cache of sessions unless the application wants one. */
export function newSettings(): SslSettings {
  return {
    isSecure: false,
    flags: 0,
    protocols: DEFAULT_PROTOCOLS,
    ciphers: DEFAULT_CIPHERS,
    choosesCiphers: false,
    clientOpts: { CacheTimeout: 0, dwCacheEntries: 0, dwFlags: 0 },
    serverOpts: { CacheTimeout: 0, dwCacheEntries: 0, dwFlags: 0 },
    clientAuthOpts: { dwRequestClientAuth: 0, dwRedoHandshake: 0, dwType: 0, pIssuerList: [], dwFlags: 0 },
    validateHook: NO_HOOK,
    authRequestHook: NO_HOOK,
    peerName: '',
  };
}
