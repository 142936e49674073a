/**
 * What a failed handshake or a broken connection is to an application: a WSA code, and a reason for people.
 */

import { WSAECONNABORTED, WSAECONNRESET, WSAEPROTONOSUPPORT } from '../../abi/index.ts';

/** Errors of OpenSSL that say: no version or cipher in common. */
const NOTHING_IN_COMMON =
  /UNSUPPORTED_PROTOCOL|UNKNOWN_PROTOCOL|WRONG_VERSION|PROTOCOL_VERSION|NO_SHARED_CIPHER|NO_PROTOCOLS|NO_CIPHERS|HANDSHAKE_FAILURE|VERSION_TOO_LOW|NO_SUITABLE_/;

export interface TlsFailure {
  /** A WSA code. */
  readonly code: number;
  readonly reason: string;
}

/** @param lowerCode what the socket below has failed with, a WSA code; 0: it has not */
export function failureOf(error: unknown, lowerCode: number): TlsFailure {
  if (lowerCode !== 0) return { code: lowerCode, reason: `the connection below failed with ${lowerCode}` };
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const reason = message.trim() || String(error);
  if (NOTHING_IN_COMMON.test(code)) return { code: WSAEPROTONOSUPPORT, reason };
  return { code: code === 'ECONNRESET' ? WSAECONNRESET : WSAECONNABORTED, reason };
}
