/**
 * The SO_SSL_* control codes that only read or write the settings of a socket.
 *
 * A code of the family that is none, and the hooks that would do RSA in the application, are WSAEOPNOTSUPP: the library underneath does the
 * cryptography itself. Settings can be changed as long as no handshake was begun; later it is WSAEISCONN.
 */

import {
  readSslCacheOpts,
  readSslCiphers,
  readSslClientAuthOpts,
  readSslHook,
  readSslProtocols,
  SO_SSL_GET_AUTH_REQUEST_HOOK,
  SO_SSL_GET_CAPABILITIES,
  SO_SSL_GET_CIPHERS,
  SO_SSL_GET_CLIENT_AUTH_OPTS,
  SO_SSL_GET_CLIENT_OPTS,
  SO_SSL_GET_FLAGS,
  SO_SSL_GET_PROTOCOLS,
  SO_SSL_GET_SERVER_OPTS,
  SO_SSL_GET_VALIDATE_CERT_HOOK,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_CIPHERS,
  SO_SSL_SET_CLIENT_AUTH_OPTS,
  SO_SSL_SET_CLIENT_OPTS,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_PEERNAME,
  SO_SSL_SET_PEERNAME_OUT,
  SO_SSL_SET_PROTOCOLS,
  SO_SSL_SET_SERVER_OPTS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_CAP_CLIENT,
  SSL_CAP_CLIENT_AUTH,
  SSL_CAP_SERVER,
  SSL_CERT_X509,
  SSL_FLAG_AUTH_CLIENT,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_FLAG_SERVER,
  SSL_PROTOCOL_TLS1,
  SSLCACHEOPTS_LEN,
  SSLHOOK_LEN,
  sslCiphersLength,
  sslClientAuthOptsLength,
  sslProtocolsLength,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAEOPNOTSUPP,
  writeSslCacheOpts,
  writeSslCiphers,
  writeSslClientAuthOpts,
  writeSslHook,
  writeSslProtocols,
} from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';
import { functionAt, type Ref } from '../../spi/index.ts';
import type { SslSettings } from './settings.ts';

/** What a call has handed in. */
export interface SslIoctl {
  /** The readable bytes of the parameter. */
  readonly input: Uint8Array;
  /** The room for the result. */
  readonly output: Uint8Array;
  /** Takes the length of a result that did not fit. */
  readonly needed: Ref | null;
  /** A handshake was begun. */
  readonly isBegun: boolean;
}

type Handler = (settings: SslSettings, call: SslIoctl) => number;

const CAPABILITIES = SSL_CAP_CLIENT | SSL_CAP_SERVER | SSL_CAP_CLIENT_AUTH;
const FLAGS = SSL_FLAG_SERVER | SSL_FLAG_AUTH_CLIENT | SSL_FLAG_DEFER_HANDSHAKE;
const DWORD_LEN = 4;
/** Longest name of a host (RFC 1035 §2.3.4). */
const LONGEST_NAME = 255;

/** Answers a control code of the family. @returns the bytes written, or minus a WSA code */
export function sslIoctl(code: number, settings: SslSettings, call: SslIoctl): number {
  const setter = SETTERS.get(code);
  if (setter !== undefined) return call.isBegun ? -WSAEISCONN : setter(settings, call);
  return GETTERS.get(code)?.(settings, call) ?? -WSAEOPNOTSUPP;
}

/** A name without its closing zero; `null` for what is no name. */
export function readHostName(bytes: Uint8Array): string | null {
  const zero = bytes.indexOf(0);
  const text = bytes.subarray(0, zero < 0 ? bytes.length : zero);
  const isName = text.length <= LONGEST_NAME && text.every((byte) => byte > 0x20 && byte < 0x7f);
  return isName ? String.fromCharCode(...text) : null;
}

function setPeerName(settings: SslSettings, { input }: SslIoctl): number {
  const name = readHostName(input);
  if (name === null) return -WSAEINVAL;
  settings.peerName = name;
  return 0;
}

const SETTERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [
    SO_SSL_SET_FLAGS,
    (settings, { input }) => {
      if (input.length < DWORD_LEN) return -WSAEFAULT;
      const flags = i32le(input, 0);
      if ((flags & ~FLAGS) !== 0) return -WSAEINVAL;
      settings.flags = flags;
      return 0;
    },
  ],
  [
    SO_SSL_SET_PROTOCOLS,
    (settings, { input }) => {
      const protocols = readSslProtocols(input);
      if (protocols === null) return -WSAEFAULT;
      const isKnown = protocols.every(({ dwProtocol }) => dwProtocol > 0 && dwProtocol <= SSL_PROTOCOL_TLS1);
      if (protocols.length === 0 || !isKnown) return -WSAEINVAL;
      settings.protocols = protocols;
      return 0;
    },
  ],
  [
    SO_SSL_SET_CIPHERS,
    (settings, { input }) => {
      const ciphers = readSslCiphers(input);
      if (ciphers === null) return -WSAEFAULT;
      if (ciphers.CipherList.length === 0) return -WSAEINVAL;
      settings.ciphers = ciphers.CipherList;
      settings.choosesCiphers = true;
      return 0;
    },
  ],
  [
    SO_SSL_SET_CLIENT_OPTS,
    (settings, { input }) => {
      const options = readSslCacheOpts(input);
      if (options === null) return -WSAEFAULT;
      settings.clientOpts = options;
      return 0;
    },
  ],
  [
    SO_SSL_SET_SERVER_OPTS,
    (settings, { input }) => {
      const options = readSslCacheOpts(input);
      if (options === null) return -WSAEFAULT;
      settings.serverOpts = options;
      return 0;
    },
  ],
  [
    SO_SSL_SET_CLIENT_AUTH_OPTS,
    (settings, { input }) => {
      const options = readSslClientAuthOpts(input);
      if (options === null) return -WSAEFAULT;
      if (options.dwType !== 0 && options.dwType !== SSL_CERT_X509) return -WSAEINVAL;
      // A second handshake on a connection is what TLS 1.3 has given up, and what this provider refuses.
      if (options.dwRedoHandshake !== 0) return -WSAEOPNOTSUPP;
      settings.clientAuthOpts = options;
      return 0;
    },
  ],
  [
    SO_SSL_SET_VALIDATE_CERT_HOOK,
    (settings, { input }) => {
      const hook = readSslHook(input);
      if (hook === null || !isHook(hook.HookFunc)) return -WSAEFAULT;
      settings.validateHook = hook;
      return 0;
    },
  ],
  [
    SO_SSL_SET_AUTH_REQUEST_HOOK,
    (settings, { input }) => {
      const hook = readSslHook(input);
      if (hook === null || !isHook(hook.HookFunc)) return -WSAEFAULT;
      settings.authRequestHook = hook;
      return 0;
    },
  ],
  [SO_SSL_SET_PEERNAME, setPeerName],
  [SO_SSL_SET_PEERNAME_OUT, setPeerName],
]);

const GETTERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [SO_SSL_GET_CAPABILITIES, (_settings, call) => putDword(call, CAPABILITIES)],
  [SO_SSL_GET_FLAGS, ({ flags }, call) => putDword(call, flags)],
  [
    SO_SSL_GET_PROTOCOLS,
    ({ protocols }, call) =>
      put(call, sslProtocolsLength(protocols.length), (into) => writeSslProtocols(into, protocols)),
  ],
  [
    SO_SSL_GET_CIPHERS,
    ({ ciphers }, call) => {
      if (call.input.length < DWORD_LEN) return -WSAEFAULT;
      const dwProtocol = i32le(call.input, 0);
      if (dwProtocol < 1 || dwProtocol > SSL_PROTOCOL_TLS1) return -WSAEINVAL;
      // Of protocols that are names only there is nothing to choose from.
      const CipherList = dwProtocol === SSL_PROTOCOL_TLS1 ? [...ciphers] : [];
      return put(call, sslCiphersLength(CipherList.length), (into) =>
        writeSslCiphers(into, { dwProtocol, CipherList }),
      );
    },
  ],
  [
    SO_SSL_GET_CLIENT_OPTS,
    ({ clientOpts }, call) => put(call, SSLCACHEOPTS_LEN, (into) => writeSslCacheOpts(into, clientOpts)),
  ],
  [
    SO_SSL_GET_SERVER_OPTS,
    ({ serverOpts }, call) => put(call, SSLCACHEOPTS_LEN, (into) => writeSslCacheOpts(into, serverOpts)),
  ],
  [
    SO_SSL_GET_CLIENT_AUTH_OPTS,
    ({ clientAuthOpts }, call) =>
      put(call, sslClientAuthOptsLength(clientAuthOpts), (into) =>
        writeSslClientAuthOpts(into, clientAuthOpts),
      ),
  ],
  [
    SO_SSL_GET_VALIDATE_CERT_HOOK,
    ({ validateHook }, call) => put(call, SSLHOOK_LEN, (into) => writeSslHook(into, validateHook)),
  ],
  [
    SO_SSL_GET_AUTH_REQUEST_HOOK,
    ({ authRequestHook }, call) => put(call, SSLHOOK_LEN, (into) => writeSslHook(into, authRequestHook)),
  ],
]);

/** A hook is a function, or NULL, which takes it away. */
function isHook(pointer: number): boolean {
  return pointer === 0 || functionAt(pointer) !== null;
}

/** Writes a result when there is room for it. */
export function put(
  { output, needed }: Pick<SslIoctl, 'output' | 'needed'>,
  length: number,
  write: (into: Uint8Array) => number,
): number {
  if (output.length >= length) return write(output);
  if (needed !== null) needed.value = length;
  return -WSAEFAULT;
}

function putDword(call: SslIoctl, value: number): number {
  return put(call, DWORD_LEN, (into) => {
    putI32le(into, 0, value);
    return DWORD_LEN;
  });
}
