/**
 * From the settings of a socket to its handshake: versions, ciphers, certificates, the session to resume.
 */

import { constants } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { isIP } from 'node:net';
import {
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import {
  SSL_FLAG_AUTH_CLIENT,
  SSL_FLAG_SERVER,
  WSAECONNABORTED,
  WSAEPROTONOSUPPORT,
} from '../../abi/index.ts';
import type { Layer } from '../../spi/index.ts';
import type { Pipe, StreamPlan } from '../stream/index.ts';
import type { TlsConfig } from './config.ts';
import { openTls, type TlsCodec, type TlsOffer } from './engine.ts';
import type { TlsFailure } from './failures.ts';
import { askIdentity, type Identity, judgeCertificate, pem } from './hooks.ts';
import { SessionCache } from './session-cache.ts';
import type { SslSettings } from './settings.ts';
import { cipherText, isOld, versionsOf } from './versions.ts';

/** Where people can hear why a handshake has failed: each message is a {@link TlsFailure}. */
const failures = channel('winsockd:tls');

/** What all sockets of the provider share. */
export interface TlsProvider {
  readonly layer: Layer;
  readonly config: TlsConfig;
  readonly sessions: SessionCache;
  /** Of servers, by their settings: what resumption needs to be the same from one connection to the next. */
  readonly contexts: WeakMap<SslSettings, SecureContext>;
}

export function tlsProvider(layer: Layer, config: TlsConfig): TlsProvider {
  return { layer, config, sessions: new SessionCache(layer.ws2.scheduler), contexts: new WeakMap() };
}

/**
 * The plan of a connection that is to be secure.
 * @param peer who it goes to, for the cache of sessions
 * @param owner the settings that contexts are kept by: of an accepted connection the listener's
 * @param opened is handed the codec
 */
export function handshakePlan(
  provider: TlsProvider,
  settings: SslSettings,
  owner: SslSettings,
  peer: string,
  opened: (codec: TlsCodec) => void,
): StreamPlan {
  return {
    limit: provider.config.handshakeLimit,
    async open(pipe) {
      const result = await handshake(provider, settings, owner, peer, pipe);
      if ('code' in result) {
        if (failures.hasSubscribers) failures.publish(result);
        return -result.code;
      }
      opened(result);
      return result;
    },
  };
}

async function handshake(
  provider: TlsProvider,
  settings: SslSettings,
  owner: SslSettings,
  peer: string,
  pipe: Pipe,
): Promise<TlsCodec | TlsFailure> {
  const isServer = (settings.flags & SSL_FLAG_SERVER) !== 0;
  const context = provider.contexts.get(owner) ?? (await contextOf(provider, settings, isServer));
  if ('code' in context) return context;
  if (isServer) provider.contexts.set(owner, context);
  const wantsCertificate =
    (settings.flags & SSL_FLAG_AUTH_CLIENT) !== 0 || settings.clientAuthOpts.dwRequestClientAuth !== 0;
  const offer: TlsOffer = {
    isServer,
    context,
    wantsCertificate,
    ...(isServer ? {} : clientOffer(provider, settings, peer)),
  };
  return openTls(pipe, offer, (socket) =>
    isServer && !wantsCertificate
      ? null
      : judgeCertificate(socket, settings.validateHook, isServer ? '' : settings.peerName),
  );
}

function clientOffer(
  { sessions }: TlsProvider,
  { clientOpts, peerName, authRequestHook }: SslSettings,
  peer: string,
): Partial<TlsOffer> {
  const serverName = peerName !== '' && isIP(peerName) === 0 ? { serverName: peerName } : {};
  const { CacheTimeout, dwCacheEntries } = clientOpts;
  if (dwCacheEntries === 0) return serverName;
  const key = `${peer} ${peerName} ${authRequestHook.HookFunc} ${authRequestHook.pvArg}`;
  const session = sessions.take(key);
  return {
    ...serverName,
    ...(session === undefined ? {} : { session }),
    onSession: (made) => sessions.put(key, made, CacheTimeout, dwCacheEntries),
  };
}

async function contextOf(
  { config }: TlsProvider,
  settings: SslSettings,
  isServer: boolean,
): Promise<SecureContext | TlsFailure> {
  const versions = versionsOf(settings.protocols, config.oldVersions);
  if (typeof versions === 'string') return { code: WSAEPROTONOSUPPORT, reason: versions };
  const options: SecureContextOptions = { ...versions, secureOptions: NO_RENEGOTIATION };
  if (settings.choosesCiphers) {
    const ciphers = cipherText(settings.ciphers);
    if (ciphers === null)
      return { code: WSAEPROTONOSUPPORT, reason: 'no cipher that was asked for is in use any more' };
    options.ciphers = ciphers;
  }
  // OpenSSL's level 1 has no SHA-1, which TLS 1.0 and 1.1 sign with.
  if (isOld(versions)) options.ciphers = `${options.ciphers ?? 'DEFAULT'}:@SECLEVEL=0`;
  const identity = (await askIdentity(settings.authRequestHook)) ?? configured(config);
  if (identity !== null) {
    options.cert = identity.certificate;
    options.key = identity.key;
  } else if (isServer) {
    return {
      code: WSAECONNABORTED,
      reason: 'this server has no certificate: neither a hook nor the configuration gives one',
    };
  }
  const issuers = isServer ? settings.clientAuthOpts.pIssuerList.map((der) => pem('CERTIFICATE', der)) : [];
  if (issuers.length > 0) options.ca = issuers;
  else options.ca = config.ca ?? [...rootCertificates];
  if (isServer) {
    const { CacheTimeout, dwCacheEntries } = settings.serverOpts;
    if (CacheTimeout > 0) options.sessionTimeout = Math.min(CacheTimeout, LONGEST_SESSION);
    if (dwCacheEntries === 0) options.secureOptions = NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET;
    options.sessionIdContext = 'winsockd';
  }
  try {
    return createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      code: WSAECONNABORTED,
      reason: `the certificate, its key or the ciphers are of no use: ${reason}`,
    };
  }
}

function configured({ certificate, key }: TlsConfig): Identity | null {
  return certificate === undefined || key === undefined ? null : { certificate, key };
}

const NO_RENEGOTIATION = constants.SSL_OP_NO_RENEGOTIATION;
/** Seconds: a week, as long as a ticket may live (RFC 8446 §4.6.1). */
const LONGEST_SESSION = 604_800;
