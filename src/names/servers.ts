/**
 * Which name servers there are, in which order they are asked, and what is known of each.
 */

import type { IpAddress } from '../base/index.ts';
import { foldName } from './name.ts';

export const DNS_PORT = 53;

/** What one source says about names: the shape of the stack's `NameConfiguration`. */
export interface NameSource {
  readonly origin: 'manual' | 'dhcp' | 'dhcpv6' | 'router';
  readonly servers: readonly IpAddress[];
  readonly searchList: readonly string[];
}

/** An interface, and what its network says about names. */
export interface NameInterface {
  readonly index: number;
  /** The lower the sooner its servers are asked. */
  readonly metric: number;
  readonly isUp: boolean;
  readonly names: readonly NameSource[];
}

export interface NameSettings {
  readonly servers: readonly IpAddress[];
  readonly searchList: readonly string[];
}

/**
 * One list from all sources: what was set by hand for the host first, then interface by interface in order of their metrics. On
 * an interface manual servers stand in for those of DHCP and of routers, as Windows has it; each server and domain counts once.
 */
export function mergeSettings(own: NameSettings, interfaces: readonly NameInterface[]): NameSettings {
  const servers: IpAddress[] = [];
  const searchList: string[] = [];
  const add = (source: NameSettings, hasServers: boolean): void => {
    for (const server of hasServers ? source.servers : []) {
      if (servers.length < MAX_SERVERS && !server.isAny && !servers.some((other) => other.equals(server)))
        servers.push(server);
    }
    for (const domain of source.searchList) {
      const bare = domain.replace(/\.$/, '');
      const isKnown = searchList.some((other) => foldName(other) === foldName(bare));
      if (searchList.length < MAX_SEARCH && bare !== '' && !isKnown) searchList.push(bare);
    }
  };
  add(own, true);
  const sorted = interfaces
    .filter(({ isUp }) => isUp)
    .sort((a, b) => a.metric - b.metric || a.index - b.index);
  for (const { names } of sorted) {
    const byOrigin = [...names].sort((a, b) => ORIGINS.indexOf(a.origin) - ORIGINS.indexOf(b.origin));
    const manual = byOrigin.some(({ origin, servers: those }) => origin === 'manual' && those.length > 0);
    for (const source of byOrigin) add(source, !manual || source.origin === 'manual');
  }
  return { servers, searchList };
}

/** What is known of a server. */
export interface ServerState {
  readonly address: IpAddress;
  readonly port: number;
  queries: number;
  answers: number;
  timeouts: number;
  malformed: number;
  /** Answers that said that the server can't answer: SERVFAIL, REFUSED, NOTIMP, lame. */
  refusals: number;
  /** Failures in a row. */
  failures: number;
  /** Until then others are asked first. */
  heldUntil: number;
  /** Until then it is asked without EDNS: it answered FORMERR to it. */
  plainUntil: number;
  /** Ours for it, and what it answered to that (RFC 7873); `null` while there is none. */
  clientCookie: Uint8Array | null;
  serverCookie: Uint8Array | null;
  /** Smoothed time to an answer, ms; 0 while none came. */
  rttMs: number;
}

export class ServerList {
  #servers: ServerState[] = [];

  /** The servers in their configured order. */
  get all(): readonly ServerState[] {
    return this.#servers;
  }

  /** Takes a new list; what is known of servers that stay is kept. @returns whether anything is different */
  set(addresses: readonly IpAddress[], port = DNS_PORT): boolean {
    const old = this.#servers;
    const servers = addresses.map(
      (address) =>
        old.find((server) => server.address.equals(address) && server.port === port) ??
        newServer(address, port),
    );
    const isChanged = old.length !== servers.length || servers.some((server, i) => server !== old[i]);
    if (isChanged) this.#servers = servers;
    return isChanged;
  }

  /** Cookies belong to an address of ours: with another one they would tell who we are (RFC 9018 §8.1). */
  forgetCookies(): void {
    for (const server of this.#servers) {
      server.clientCookie = null;
      server.serverCookie = null;
    }
  }

  /** In which order to ask: as configured, but those last that failed of late. */
  order(now: number): ServerState[] {
    const isHeld = (server: ServerState): boolean => server.heldUntil > now;
    return [...this.#servers.filter((each) => !isHeld(each)), ...this.#servers.filter(isHeld)];
  }
}

export function newServer(address: IpAddress, port = DNS_PORT): ServerState {
  return {
    address,
    port,
    queries: 0,
    answers: 0,
    timeouts: 0,
    malformed: 0,
    refusals: 0,
    failures: 0,
    heldUntil: 0,
    plainUntil: 0,
    clientCookie: null,
    serverCookie: null,
    rttMs: 0,
  };
}

/** A server answered. */
export function serverAnswered(server: ServerState, rttMs: number): void {
  server.answers++;
  server.failures = 0;
  server.heldUntil = 0;
  server.rttMs = server.rttMs === 0 ? rttMs : server.rttMs * 0.875 + rttMs * 0.125;
}

/** A server did not answer, or not with an answer: from the second time in a row on it is held back, longer each time. */
export function serverFailed(server: ServerState, now: number): void {
  server.failures++;
  if (server.failures < 2) return;
  server.heldUntil = now + Math.min(HOLD_MS * 2 ** (server.failures - 2), MAX_HOLD_MS);
}

const ORIGINS: readonly NameSource['origin'][] = ['manual', 'dhcp', 'dhcpv6', 'router'];
const MAX_SERVERS = 16;
const MAX_SEARCH = 32;
const HOLD_MS = 15_000;
const MAX_HOLD_MS = 300_000;
