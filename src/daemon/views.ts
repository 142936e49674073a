/**
 * The running daemon in the shapes of `port/control-api.ts`.
 */

import type { Afd } from '../afd/index.ts';
import { formatMac } from '../base/index.ts';
import type {
  CatalogEntry,
  CatalogEntryStatus,
  CounterStatus,
  DropStatus,
  InterfaceStatus,
  RouteStatus,
  SocketStatus,
  TcpConnectionStatus,
} from '../port/index.ts';
import { baseProviderPath } from '../spi/index.ts';
import type { Endpoint, Stack, StackCounters, TcpEndpoint } from '../stack/index.ts';
import { dropReasons } from '../wire/index.ts';

/** States in which a connection has no figures worth showing; nor have half-open ones and what is left in TIME-WAIT. */
const NO_FIGURES: ReadonlySet<string> = new Set(['CLOSED', 'LISTEN']);

export function socketStatus(stack: Stack, afd: Afd): SocketStatus[] {
  const held = new Map(afd.describe().map((view) => [view.id, view]));
  return [...stack.endpoints()].map((endpoint) => {
    const view = held.get(endpoint.id);
    const tcp = isTcp(endpoint) ? endpoint : null;
    return {
      protocol: endpoint.kind,
      localAddress: endpoint.localAddress.toString(),
      localPort: endpoint.localPort,
      remoteAddress: endpoint.remoteAddress.toString(),
      remotePort: endpoint.remotePort,
      state: tcp?.state ?? (isTimeWait(endpoint) ? 'TIME-WAIT' : null),
      pids: view?.pids ?? [],
      receiveQueue: view?.receiveQueue ?? tcp?.readableBytes ?? 0,
      sendQueue: view?.sendQueue ?? tcp?.unsentBytes ?? 0,
      tcp: tcp === null || NO_FIGURES.has(tcp.state) || !('info' in tcp) ? null : figures(tcp),
    };
  });
}

/** TCP connections with all their figures. @param port on one of the sides; 0: any */
export function tcpStatus(stack: Stack, afd: Afd, port = 0): TcpConnectionStatus[] {
  const held = new Map(afd.describe().map((view) => [view.id, view]));
  const found: TcpConnectionStatus[] = [];
  for (const endpoint of stack.endpoints()) {
    const { localPort, remotePort } = endpoint;
    if (!isTcp(endpoint) || NO_FIGURES.has(endpoint.state)) continue;
    if (port !== 0 && localPort !== port && remotePort !== port) continue;
    const tables = endpoint.statistics();
    if (tables === null) continue;
    const { perf, path, stack: algorithms, app } = tables;
    found.push({
      id: endpoint.id,
      localAddress: endpoint.localAddress.toString(),
      localPort,
      remoteAddress: endpoint.remoteAddress.toString(),
      remotePort,
      state: endpoint.state,
      pids: held.get(endpoint.id)?.pids ?? [],
      info: { ...endpoint.info() },
      perf: { ...perf },
      path: { ...path },
      stack: { ...algorithms },
      app: { ...app },
    });
  }
  return found;
}

export function interfaceStatus(stack: Stack): InterfaceStatus[] {
  const { routes } = stack;
  return stack.interfaces.map((view) => {
    const gateways = routes
      .filter((one) => one.interfaceIndex === view.index && one.prefixLength === 0)
      .flatMap(({ gateway }) => gateway?.toString() ?? []);
    return {
      index: view.index,
      name: view.name,
      medium: view.medium,
      mtu: view.mtu,
      mac: view.mac === null ? null : formatMac(view.mac),
      isUp: view.isUp,
      addresses: view.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      addressDetails: view.addresses.map(({ address, prefixLength, origin, state }) => ({
        address: address.toString(),
        prefixLength,
        origin,
        state,
      })),
      gateway: gateways[0] ?? null,
      gateways,
      metric: view.metric,
      isForwarding: view.isForwarding,
      weakHostSend: view.weakHostSend,
      weakHostReceive: view.weakHostReceive,
      sendsRedirects: view.sendsRedirects,
      acceptsRedirects: view.acceptsRedirects,
      isLoopback: view.isLoopback,
      // Of several origins that name the same one, the first counts.
      dnsServers: [...new Set(view.names.flatMap(({ servers }) => servers.map(String)))],
      searchList: [...new Set(view.names.flatMap(({ searchList }) => searchList))],
      inPackets: view.inPackets,
      inBytes: view.inBytes,
      outPackets: view.outPackets,
      outBytes: view.outBytes,
    };
  });
}

export function routeStatus(stack: Stack): RouteStatus[] {
  const interfaces = new Map(stack.interfaces.map((view) => [view.index, view]));
  return stack.routes.map((route) => {
    const { destination, prefixLength, gateway, interfaceIndex, metric, origin, validUntil, isSilent } =
      route;
    const view = interfaces.get(interfaceIndex);
    return {
      destination: `${destination}/${prefixLength}`,
      gateway: gateway?.toString() ?? null,
      interface: view?.name ?? String(interfaceIndex),
      interfaceIndex,
      metric: metric + (view?.metric ?? 0),
      origin,
      lifetimeSec: Number.isFinite(validUntil) ? Math.max(0, (validUntil - stack.now) / 1000) : null,
      isSilent,
    };
  });
}

/** The reasons that occurred, the most frequent first. */
export function dropStatus(counters: StackCounters): DropStatus[] {
  return dropReasons()
    .map(({ number, name, source, text }) => ({
      reason: name,
      count: counters.drops[number] ?? 0,
      source,
      text,
    }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

/** The MIB counters by name. */
export function counterStatus(counters: StackCounters): CounterStatus {
  const values: Record<string, number> = {};
  for (const [name, value] of Object.entries(counters)) if (typeof value === 'number') values[name] = value;
  return values;
}

export function catalogEntryStatus({ info: entry, path }: CatalogEntry): CatalogEntryStatus {
  const { ChainLen } = entry;
  return {
    entryType:
      ChainLen === 1
        ? 'Base Service Provider'
        : ChainLen === 0
          ? 'Layered Service Provider'
          : 'Layered Chain Entry',
    description: entry.szProtocol,
    providerId: entry.ProviderId,
    providerPath: path === '' ? baseProviderPath(entry.ProviderId) : path,
    catalogEntryId: entry.dwCatalogEntryId,
    version: entry.iVersion,
    addressFamily: entry.iAddressFamily,
    maxAddressLength: entry.iMaxSockAddr,
    minAddressLength: entry.iMinSockAddr,
    socketType: entry.iSocketType,
    protocol: entry.iProtocol,
    serviceFlags: entry.dwServiceFlags1,
    protocolChainLength: ChainLen,
    protocolChain: ChainLen > 1 ? entry.ChainEntries : [],
  };
}

function figures(endpoint: TcpEndpoint): NonNullable<SocketStatus['tcp']> {
  const { cwnd, srtt, rto, retransSegs } = endpoint.info();
  return { cwnd, srttMs: srtt, rtoMs: rto, retransmits: retransSegs };
}

/** Not for what is left of a connection in TIME-WAIT whose user has gone: it has no figures. */
function isTcp(endpoint: Endpoint): endpoint is TcpEndpoint {
  return endpoint.kind === 'tcp' && 'info' in endpoint;
}

function isTimeWait(endpoint: Endpoint): boolean {
  return endpoint.kind === 'tcp' && !isTcp(endpoint);
}
