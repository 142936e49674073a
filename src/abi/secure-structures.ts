/**
 * Structures of the SO_SSL_* control codes (sslsock.h), in the layout of a 32-bit device: little-endian, pointers of four bytes.
 *
 * A pointer to a function is its number; one to memory is an offset from the start of the piece, as in `packed`. Readers answer `null` for bytes
 * that are too short for what they say they hold; writers answer where they ended.
 *
 * Source: windows-mobile.md section 2.2
 */

import { i32le, putI32le } from '../base/index.ts';

export const SSLPROTOCOL_LEN = 12;
export const SSLCACHEOPTS_LEN = 12;
export const SSLCLIENTAUTHOPTS_LEN = 24;
export const SSLHOOK_LEN = 8;
export const SSLCONNECTIONINFO_LEN = 28;
const BLOB_LEN = 8;
const DWORD_LEN = 4;

/** More entries than any list of protocols, ciphers or issuers has. */
export const SSL_MAX_LIST = 256;

export interface SSLPROTOCOL {
  /** SSL_PROTOCOL_*. */
  dwProtocol: number;
  /** TLS_VERSION_*, or 0. */
  dwVersion: number;
  dwFlags: number;
}

/** Reads an SSLPROTOCOLS: a count and that many SSLPROTOCOLs. */
export function readSslProtocols(bytes: Uint8Array): SSLPROTOCOL[] | null {
  const count = countAt(bytes, 0, DWORD_LEN, SSLPROTOCOL_LEN);
  if (count < 0) return null;
  return Array.from({ length: count }, (_, i) => {
    const at = DWORD_LEN + i * SSLPROTOCOL_LEN;
    return {
      dwProtocol: u32(bytes, at),
      dwVersion: u32(bytes, at + 4),
      dwFlags: u32(bytes, at + 8),
    };
  });
}

export function sslProtocolsLength(count: number): number {
  return DWORD_LEN + count * SSLPROTOCOL_LEN;
}

export function writeSslProtocols(into: Uint8Array, protocols: readonly SSLPROTOCOL[]): number {
  putI32le(into, 0, protocols.length);
  let at = DWORD_LEN;
  for (const { dwProtocol, dwVersion, dwFlags } of protocols) {
    putI32le(into, at, dwProtocol);
    putI32le(into, at + 4, dwVersion);
    putI32le(into, at + 8, dwFlags);
    at += SSLPROTOCOL_LEN;
  }
  return at;
}

export interface SSLCIPHERS {
  /** SSL_PROTOCOL_*. */
  dwProtocol: number;
  /** ALG_IDs. */
  CipherList: number[];
}

/** Reads an SSLCIPHERS. */
export function readSslCiphers(bytes: Uint8Array): SSLCIPHERS | null {
  const count = countAt(bytes, 4, 8, DWORD_LEN);
  if (count < 0) return null;
  const CipherList = Array.from({ length: count }, (_, i) => u32(bytes, 8 + i * DWORD_LEN));
  return { dwProtocol: u32(bytes, 0), CipherList };
}

export function sslCiphersLength(count: number): number {
  return 8 + count * DWORD_LEN;
}

export function writeSslCiphers(into: Uint8Array, { dwProtocol, CipherList }: SSLCIPHERS): number {
  putI32le(into, 0, dwProtocol);
  putI32le(into, 4, CipherList.length);
  for (const [i, cipher] of CipherList.entries()) putI32le(into, 8 + i * DWORD_LEN, cipher);
  return sslCiphersLength(CipherList.length);
}

/** SSLCLIENTOPTS and SSLSERVEROPTS: how sessions are kept for resumption. */
export interface SSLCACHEOPTS {
  /** Seconds. */
  CacheTimeout: number;
  dwCacheEntries: number;
  dwFlags: number;
}

export function readSslCacheOpts(bytes: Uint8Array): SSLCACHEOPTS | null {
  if (bytes.length < SSLCACHEOPTS_LEN) return null;
  return { CacheTimeout: u32(bytes, 0), dwCacheEntries: u32(bytes, 4), dwFlags: u32(bytes, 8) };
}

export function writeSslCacheOpts(into: Uint8Array, options: SSLCACHEOPTS): number {
  putI32le(into, 0, options.CacheTimeout);
  putI32le(into, 4, options.dwCacheEntries);
  putI32le(into, 8, options.dwFlags);
  return SSLCACHEOPTS_LEN;
}

/** How a server asks its clients for certificates. */
export interface SSLCLIENTAUTHOPTS {
  dwRequestClientAuth: number;
  dwRedoHandshake: number;
  /** SSL_CERT_*. */
  dwType: number;
  /** Issuers that are taken, as DER certificates. */
  pIssuerList: Uint8Array[];
  dwFlags: number;
}

/** Reads an SSLCLIENTAUTHOPTS with the BLOBs behind it. */
export function readSslClientAuthOpts(bytes: Uint8Array): SSLCLIENTAUTHOPTS | null {
  if (bytes.length < SSLCLIENTAUTHOPTS_LEN) return null;
  const count = u32(bytes, 12);
  const list = u32(bytes, 16);
  if (count > SSL_MAX_LIST || (count > 0 && list + count * BLOB_LEN > bytes.length)) return null;
  const pIssuerList: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const size = u32(bytes, list + i * BLOB_LEN);
    const data = u32(bytes, list + i * BLOB_LEN + 4);
    if (data + size > bytes.length) return null;
    pIssuerList.push(bytes.slice(data, data + size));
  }
  return {
    dwRequestClientAuth: u32(bytes, 0),
    dwRedoHandshake: u32(bytes, 4),
    dwType: u32(bytes, 8),
    pIssuerList,
    dwFlags: u32(bytes, 20),
  };
}

export function sslClientAuthOptsLength({ pIssuerList }: SSLCLIENTAUTHOPTS): number {
  return pIssuerList.reduce((sum, { length }) => sum + BLOB_LEN + length, SSLCLIENTAUTHOPTS_LEN);
}

export function writeSslClientAuthOpts(into: Uint8Array, options: SSLCLIENTAUTHOPTS): number {
  const { pIssuerList } = options;
  putI32le(into, 0, options.dwRequestClientAuth);
  putI32le(into, 4, options.dwRedoHandshake);
  putI32le(into, 8, options.dwType);
  putI32le(into, 12, pIssuerList.length);
  putI32le(into, 16, pIssuerList.length === 0 ? 0 : SSLCLIENTAUTHOPTS_LEN);
  putI32le(into, 20, options.dwFlags);
  let at = SSLCLIENTAUTHOPTS_LEN + pIssuerList.length * BLOB_LEN;
  for (const [i, issuer] of pIssuerList.entries()) {
    putI32le(into, SSLCLIENTAUTHOPTS_LEN + i * BLOB_LEN, issuer.length);
    putI32le(into, SSLCLIENTAUTHOPTS_LEN + i * BLOB_LEN + 4, at);
    into.set(issuer, at);
    at += issuer.length;
  }
  return at;
}

/** SSLVALIDATECERTHOOK and its siblings: a function, by its pointer, and what it is handed. */
export interface SSLHOOK {
  HookFunc: number;
  pvArg: number;
}

export function readSslHook(bytes: Uint8Array): SSLHOOK | null {
  if (bytes.length < SSLHOOK_LEN) return null;
  return { HookFunc: u32(bytes, 0), pvArg: u32(bytes, 4) };
}

export function writeSslHook(into: Uint8Array, { HookFunc, pvArg }: SSLHOOK): number {
  putI32le(into, 0, HookFunc);
  putI32le(into, 4, pvArg);
  return SSLHOOK_LEN;
}

/** What a handshake has agreed on. Strengths are bits; an ALG_ID of 0 is an algorithm that has none. */
export interface SSLCONNECTIONINFO {
  /** SSL_PROT_*. */
  dwProtocol: number;
  aiCipher: number;
  dwCipherStrength: number;
  aiHash: number;
  dwHashStrength: number;
  aiExch: number;
  dwExchStrength: number;
}

export function readSslConnectionInfo(bytes: Uint8Array): SSLCONNECTIONINFO | null {
  if (bytes.length < SSLCONNECTIONINFO_LEN) return null;
  return {
    dwProtocol: u32(bytes, 0),
    aiCipher: u32(bytes, 4),
    dwCipherStrength: u32(bytes, 8),
    aiHash: u32(bytes, 12),
    dwHashStrength: u32(bytes, 16),
    aiExch: u32(bytes, 20),
    dwExchStrength: u32(bytes, 24),
  };
}

export function writeSslConnectionInfo(into: Uint8Array, info: SSLCONNECTIONINFO): number {
  putI32le(into, 0, info.dwProtocol);
  putI32le(into, 4, info.aiCipher);
  putI32le(into, 8, info.dwCipherStrength);
  putI32le(into, 12, info.aiHash);
  putI32le(into, 16, info.dwHashStrength);
  putI32le(into, 20, info.aiExch);
  putI32le(into, 24, info.dwExchStrength);
  return SSLCONNECTIONINFO_LEN;
}

/** The count of a list at `at` whose entries begin at `from`; −1 when they are not all there. */
function countAt(bytes: Uint8Array, at: number, from: number, entryLength: number): number {
  if (bytes.length < from) return -1;
  const count = u32(bytes, at);
  return count > SSL_MAX_LIST || from + count * entryLength > bytes.length ? -1 : count;
}

function u32(bytes: Uint8Array, at: number): number {
  return i32le(bytes, at) >>> 0;
}
