/**
 * tls: the layered provider that secures connections, with the interface of Windows Mobile's SSL provider (ssllsp.dll).
 *
 * An application sets SO_SECURE on an ordinary socket, hands in a function that judges certificates (SO_SSL_SET_VALIDATE_CERT_HOOK), and
 * connects: what it sends and receives from then on is encrypted on the wire. `node:tls` speaks TLS 1.2 and 1.3.
 *
 * Source: winsock-surface.md section 14, windows-mobile.md section 2
 */

import { WSAEPROVIDERFAILEDINIT } from '../../abi/index.ts';
import { type WSPStartup as Startup, ws2Exports } from '../../spi/index.ts';
import { readTlsConfig } from './config.ts';
import { createTlsLayer } from './tls-layer.ts';

export type { TlsConfig } from './config.ts';
export { DEFAULT_TLS_CONFIG, readTlsConfig } from './config.ts';
export type { SslAuthRequestHook, SslValidateCertHook } from './hooks.ts';
export { createTlsLayer };

const { WINSOCKD_TLS } = process.env;

/** The provider as it is installed: with the configuration that WINSOCKD_TLS names. */
export const WSPStartup: Startup = startupOf(readTlsConfig(WINSOCKD_TLS));

function startupOf(config: ReturnType<typeof readTlsConfig>): Startup {
  if (typeof config !== 'string') return createTlsLayer(config);
  // A provider without its configuration would have servers without certificates: it does not start, and says why.
  return (_requested, _data, _info, upcalls) => {
    ws2Exports(upcalls)?.explain(config);
    return WSAEPROVIDERFAILEDINIT;
  };
}
