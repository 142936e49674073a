/**
 * The running daemon as plain data, for the control API. Every shape here is part of the API's stable JSON.
 */

import type { Afd } from '../afd/index.ts';
import { formatMac } from '../base/index.ts';
import type { SessionView } from '../ipc/index.ts';
import type { Endpoint, Stack, StackCounters, TcpEndpoint } from '../stack/index.ts';
import { dropReasons } from '../wire/index.ts';

/** One socket, for netstat. */
export interface SocketRow {
  readonly id: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'raw';
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly sendQueue: number;
  readonly receiveQueue: number;
  /** −1 when no session made it. */
  readonly uid: number;
  readonly pids: readonly number[];
  /** What the first of these processes calls itself. */
  readonly program: string;
}

export interface InterfaceRow {
  readonly index: number;
  readonly name: string;
  readonly medium: string;
  readonly mtu: number;
  readonly mac: string | null;
  readonly isUp: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
  readonly inPackets: number;
  readonly inBytes: number;
  readonly outPackets: number;
  readonly outBytes: number;
}

export interface RouteRow {
  readonly destination: string;
  readonly prefixLength: number;
  readonly gateway: string | null;
  readonly interfaceIndex: number;
  readonly metric: number;
}

export interface DropRow {
  readonly reason: string;
  readonly count: number;
  /** The rule, such as `RFC 1122 §3.2.1.2`. */
  readonly source: string;
  readonly text: string;
}

export interface ClientRow {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly sockets: number;
  readonly pending: number;
  readonly queuedBytes: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function socketRows(stack: Stack, afd: Afd, clients: readonly SessionView[]): SocketRow[] {
  const held = new Map(afd.describe().map((view) => [view.id, view]));
  const names = new Map(clients.map(({ identity, name }) => [identity.pid, name]));
  return [...stack.endpoints()].map((endpoint) => {
    const view = held.get(endpoint.id);
    const pids = view?.pids ?? [];
    return {
      id: endpoint.id,
      protocol: endpoint.kind,
      state: isTcp(endpoint) ? endpoint.state : '',
      localAddress: endpoint.localAddress.toString(),
      localPort: endpoint.localPort,
      remoteAddress: endpoint.remoteAddress.toString(),
      remotePort: endpoint.remotePort,
      sendQueue: view?.sendQueue ?? (isTcp(endpoint) ? endpoint.unsentBytes : 0),
      receiveQueue: view?.receiveQueue ?? (isTcp(endpoint) ? endpoint.readableBytes : 0),
      uid: view?.uid ?? -1,
      pids,
      program: names.get(pids[0] ?? -1) ?? '',
    };
  });
}

export function interfaceRows(stack: Stack): InterfaceRow[] {
  return stack.interfaces.map((view) => ({
    index: view.index,
    name: view.name,
    medium: view.medium,
    mtu: view.mtu,
    mac: view.mac === null ? null : formatMac(view.mac),
    isUp: view.isUp,
    addresses: view.addresses.map(({ address, prefixLength }) => ({
      address: address.toString(),
      prefixLength,
    })),
    inPackets: view.inPackets,
    inBytes: view.inBytes,
    outPackets: view.outPackets,
    outBytes: view.outBytes,
  }));
}

export function routeRows(stack: Stack): RouteRow[] {
  return stack.routes.map(({ destination, prefixLength, gateway, interfaceIndex, metric }) => ({
    destination: destination.toString(),
    prefixLength,
    gateway: gateway?.toString() ?? null,
    interfaceIndex,
    metric,
  }));
}

/** @param isAll whether reasons that never occurred are listed too. */
export function dropRows(counters: StackCounters, isAll: boolean): DropRow[] {
  return dropReasons()
    .map(({ number, name, source, text }) => ({
      reason: name,
      count: counters.drops[number] ?? 0,
      source,
      text,
    }))
    .filter(({ count }) => isAll || count > 0);
}

/** The MIB counters by name. */
export function counterValues(counters: StackCounters): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, value] of Object.entries(counters)) if (typeof value === 'number') values[name] = value;
  return values;
}

export function clientRows(sessions: readonly SessionView[]): ClientRow[] {
  return sessions.map(({ identity, name, sockets, pending, queuedBytes, requests, bytesIn, bytesOut }) => ({
    ...identity,
    name,
    sockets,
    pending,
    queuedBytes,
    requests,
    bytesIn,
    bytesOut,
  }));
}

function isTcp(endpoint: Endpoint): endpoint is TcpEndpoint {
  return endpoint.kind === 'tcp';
}
