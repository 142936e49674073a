/**
 * proxy: the layered provider that sends connections through SOCKS5 (RFC 1928) and HTTP CONNECT (RFC 9110 §9.3.6) proxies, by rules of a
 * JSON file.
 *
 * A layer sees addresses, not names: the names that an application has looked up never come by here, so a proxy is asked for the address.
 * Datagrams are not carried (SOCKS5's UDP ASSOCIATE is left out), nor listeners (BIND): both are as without the layer.
 */

import { WSAEPROVIDERFAILEDINIT } from '../../abi/index.ts';
import { type WSPStartup as Startup, ws2Exports } from '../../spi/index.ts';
import { readProxyConfig } from './config.ts';
import { createProxyLayer } from './proxy-layer.ts';

export { type ProxyConfig, parseProxyConfig, readProxyConfig } from './config.ts';
export { createProxyLayer };

const { WINSOCKD_PROXY } = process.env;

/** The provider as it is installed: with the rules that WINSOCKD_PROXY names. */
export const WSPStartup: Startup = startupOf(readProxyConfig(WINSOCKD_PROXY));

function startupOf(config: ReturnType<typeof readProxyConfig>): Startup {
  if (typeof config !== 'string') return createProxyLayer(config);
  // Without its rules connections would go past the proxy: it does not start, and says why.
  return (_requested, _data, _info, upcalls) => {
    ws2Exports(upcalls)?.explain(config);
    return WSAEPROVIDERFAILEDINIT;
  };
}
