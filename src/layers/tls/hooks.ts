/**
 * The functions that an application hands in, as the provider calls them, and the judgement of the peer's certificate that the
 * validation hook completes.
 *
 * C's pointers are objects here: a BLOB is its bytes, a pointer to a result a `Ref`.
 */

import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import {
  SSL_CERT_FLAG_ISSUER_UNKNOWN,
  SSL_CERT_X509,
  SSL_ERR_OKAY,
  type SSLHOOK,
  WSAECONNABORTED,
} from '../../abi/index.ts';
import { type Answer, functionAt, type Ref } from '../../spi/index.ts';
import type { TlsFailure } from './failures.ts';

/**
 * Judges a certificate.
 * @param dwType SSL_CERT_X509
 * @param pCertChain the certificates that the peer has sent, in DER, its own first; none when a client has none
 * @param dwFlags SSL_CERT_FLAG_ISSUER_UNKNOWN: the chain does not lead to a known authority, is out of date, or bears another
 *   name than SO_SSL_SET_PEERNAME said
 * @returns SSL_ERR_*
 */
export type SslValidateCertHook = (
  dwType: number,
  pvArg: number,
  dwChainLen: number,
  pCertChain: readonly Uint8Array[],
  dwFlags: number,
) => Answer;

/**
 * Hands in the certificate of this end, for a server before its first handshake, for a client before each.
 * @param pIssuerList the issuers that the peer takes, as far as that is known: none
 * @param pdwChainLen gets the number of BLOBs
 * @param ppCertChain gets the certificates in DER, the own first, and last the private key in PKCS #8
 * @returns SSL_ERR_*
 */
export type SslAuthRequestHook = (
  dwType: number,
  pvArg: number,
  pIssuerList: readonly Uint8Array[],
  pdwChainLen: Ref,
  ppCertChain: Ref<readonly Uint8Array[]>,
  dwFlags: number,
) => Answer;

/** More certificates than a chain has. */
const LONGEST_CHAIN = 16;

/** Judges the certificate of a peer as the application wants it. @returns `null` when it is taken */
export async function judgeCertificate(
  socket: TLSSocket,
  hook: SSLHOOK,
  peerName: string,
): Promise<TlsFailure | null> {
  const validate = functionAt(hook.HookFunc) as SslValidateCertHook | null;
  if (validate === null)
    return refusal('no validation hook was set, so no certificate is taken (SSL-SEQ-03)');
  const certificate = socket.getPeerCertificate(true);
  const chain = chainOf(certificate);
  const isNamed =
    peerName === '' || (chain.length > 0 && checkServerIdentity(peerName, certificate) === undefined);
  const isKnown = chain.length > 0 && isVerified(socket);
  const flags = isKnown && isNamed ? 0 : SSL_CERT_FLAG_ISSUER_UNKNOWN;
  const verdict = await answerOf(() => validate(SSL_CERT_X509, hook.pvArg, chain.length, chain, flags));
  return verdict === SSL_ERR_OKAY ? null : refusal(`the validation hook answered ${verdict}`);
}

/** Certificates and key as PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Asks an application for its certificate. @returns `null` when it has none */
export async function askIdentity(hook: SSLHOOK): Promise<Identity | null> {
  const ask = functionAt(hook.HookFunc) as SslAuthRequestHook | null;
  if (ask === null) return null;
  const length: Ref = { value: 0 };
  const chain: Ref<readonly Uint8Array[]> = { value: [] };
  const verdict = await answerOf(() => ask(SSL_CERT_X509, hook.pvArg, [], length, chain, 0));
  const blobs = Array.isArray(chain.value) ? (chain.value as readonly Uint8Array[]) : [];
  const count = Math.min(length.value, blobs.length, LONGEST_CHAIN);
  if (verdict !== SSL_ERR_OKAY || !(count >= 2)) return null;
  const certificates = blobs.slice(0, count - 1);
  return {
    certificate: certificates.map((der) => pem('CERTIFICATE', der)).join(''),
    key: pem('PRIVATE KEY', blobs[count - 1] as Uint8Array),
  };
}

/** DER as PEM (RFC 7468). */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** What a hook answers; one that throws has failed. */
async function answerOf(call: () => Answer): Promise<number | string> {
  try {
    return await call();
  } catch (thrown) {
    return `an exception: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/**
 * Whether OpenSSL has followed the chain to an authority. `authorized` says so of clients only; a server that is no `tls.Server` asks the
 * binding, as that does.
 */
function isVerified(socket: TLSSocket): boolean {
  const { ssl } = socket as { readonly ssl?: { readonly verifyError?: () => Error | null } };
  return socket.authorized || (typeof ssl?.verifyError === 'function' && ssl.verifyError() === null);
}

/** The certificates that the peer has sent, its own first. */
function chainOf(certificate: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next: DetailedPeerCertificate | undefined = certificate;
  while (next?.raw !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(new Uint8Array(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

function refusal(reason: string): TlsFailure {
  return { code: WSAECONNABORTED, reason };
}
