/**
 * The proxy provider: connections that a rule names go through a SOCKS5 or an HTTP proxy; the application sees the destination only.
 */

import { channel } from 'node:diagnostics_channel';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  readSockaddr,
  sockaddrFamily,
  sockaddrOf,
} from '../../abi/index.ts';
import {
  type Answer,
  defineLayer,
  type LayerCalls,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../spi/index.ts';
import { PipeCodec, type StreamPlan, type StreamTables, streamLayer } from '../stream/index.ts';
import { type ProxyConfig, type ProxyServer, proxyFor } from './config.ts';
import { httpConnect } from './http-connect.ts';
import { Reader } from './reader.ts';
import { socks5Connect } from './socks5.ts';

/** Where people can hear why a proxy did not serve: each message is a `ProxyFailure` with the proxy's name. */
const failures = channel('winsockd:proxy');

/** Makes the one export of the provider. */
export function createProxyLayer(config: ProxyConfig): WSPStartup {
  return defineLayer(proxyCalls(config), { name: 'proxy', handles: 'own' });
}

function proxyCalls(config: ProxyConfig): LayerCalls {
  const tables: StreamTables = new WeakMap();
  return (next, layer) =>
    streamLayer(next, layer, tables, {
      connect(s, name) {
        const to = readSockaddr(name);
        const proxy = to === null ? null : proxyFor(config, to.address, to.port);
        return proxy === null ? null : planOf(next, config, proxy, s, name);
      },
    }).table;
}

function planOf(
  next: WSPPROC_TABLE,
  { limit }: ProxyConfig,
  proxy: ProxyServer,
  s: number,
  name: Uint8Array,
): StreamPlan | null {
  const to = readSockaddr(name);
  if (to === null) return null;
  const isIpv6 = sockaddrFamily(name) === AF_INET6;
  const isMapped = isIpv6 && proxy.address.family === 4;
  const address = sockaddrOf(isMapped ? proxy.address.mapped() : proxy.address, proxy.port);
  return {
    address,
    peer: name,
    limit,
    ...(isMapped ? { prepare: () => takeIpv4(next, s) } : {}),
    async open(pipe) {
      const reader = new Reader(pipe);
      const talk = proxy.type === 'socks5' ? socks5Connect : httpConnect;
      const failure = await talk(pipe, reader, to.address.unmapped(), to.port, proxy.credentials);
      if (failure === null) return new PipeCodec(pipe, reader.rest);
      if (failures.hasSubscribers) failures.publish({ proxy: proxy.name, ...failure });
      return -failure.code;
    },
  };
}

/** A socket of AF_INET6 reaches an IPv4 proxy by a v4-mapped address. */
function takeIpv4(next: WSPPROC_TABLE, s: number): Answer {
  const off = new Uint8Array(4);
  return next.WSPSetSockOpt(s, IPPROTO_IPV6, IPV6_V6ONLY, off, off.length);
}
