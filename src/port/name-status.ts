/**
 * Names as the control API tells of them (`POST /v1/resolve`, `GET /v1/names`): text throughout. Types only. What applications ask is
 * `name-port.ts`.
 */

import type { ResolveStatus } from './name-port.ts';

/** A question about a name. */
export interface ResolveRequest {
  /** A name as it was typed, or an address, whose name is then asked for. */
  readonly name: string;
  /** `A`, `MX`, `TYPE65`; `ADDRESS`, the default: A and AAAA, of an address PTR. */
  readonly type?: string;
  /** Asks this address, or the `default` server, past the cache and the hosts file. */
  readonly server?: string;
  /** The server's. Default 53. */
  readonly port?: number;
  /** Asks it over TCP at once. */
  readonly tcp?: boolean;
}

/** A resource record; `data` as zone files write it. */
export interface NameRecord {
  readonly name: string;
  readonly type: string;
  readonly typeNumber: number;
  /** Seconds that are left. */
  readonly ttl: number;
  readonly data: string;
}

export interface ResolveAnswer {
  readonly status: ResolveStatus;
  /** The Winsock code of it: 0, WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY. */
  readonly error: number;
  /** The full name that was asked for, and its form for people. */
  readonly name: string;
  readonly displayName: string;
  readonly types: readonly string[];
  /** Where its aliases end. */
  readonly canonicalName: string;
  readonly source: 'local' | 'hosts' | 'cache' | 'dns' | 'mdns' | 'llmnr';
  /** Who said so, where it was asked. */
  readonly server: string | null;
  readonly isAuthoritative: boolean;
  /** Aliases in order, then what was asked for. */
  readonly records: readonly NameRecord[];
  /** The SOA record of a negative answer. */
  readonly authority: NameRecord | null;
  readonly elapsedMs: number;
}

export interface NameServerStatus {
  readonly address: string;
  readonly port: number;
  readonly queries: number;
  readonly answers: number;
  readonly timeouts: number;
  readonly malformed: number;
  readonly refusals: number;
  /** It failed of late, and others are asked first. */
  readonly isHeldBack: boolean;
  /** Smoothed; 0 while it has not answered. */
  readonly rttMs: number;
}

export interface NamesStatus {
  readonly hostName: string;
  /** In the order in which they are configured. */
  readonly servers: readonly NameServerStatus[];
  readonly searchList: readonly string[];
  readonly hostsFile: string | null;
  readonly badHostsLines: number;
  /** How often what happened to questions: `queries`, `timeouts`, `malformed`, `truncated`, … */
  readonly queries: Readonly<Record<string, number>>;
  /** The DNS proxy: where it serves now, and what it was asked. */
  readonly proxy: {
    readonly addresses: readonly string[];
    readonly counters: Readonly<Record<string, number>>;
  } | null;
  readonly cache: Readonly<Record<string, number>>;
  /** The mDNS responder: what the host is called on its links now, and where that is established. */
  readonly responder: {
    readonly hostName: string;
    readonly links: readonly {
      readonly interfaceIndex: number;
      readonly family: 4 | 6;
      readonly isReady: boolean;
    }[];
    readonly counters: Readonly<Record<string, number>>;
  } | null;
  /** The LLMNR responder: where the short name is known to be nobody else's. */
  readonly llmnrResponder: {
    readonly links: readonly {
      readonly interfaceIndex: number;
      readonly family: 4 | 6;
      readonly state: 'verifying' | 'unique' | 'lost';
    }[];
    readonly counters: Readonly<Record<string, number>>;
  } | null;
}
