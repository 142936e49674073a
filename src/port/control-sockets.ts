/**
 * The control API's shapes of what applications have open: sockets, TCP's figures, events and settings, processes and their calls. Described in
 * `control-api`.
 */

import type { CallRecord, ChainFigures } from './watch-port.ts';

export interface SocketStatus {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'raw';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** TCP only. */
  readonly state: string | null;
  /** Processes that hold it. */
  readonly pids: readonly number[];
  readonly receiveQueue: number;
  readonly sendQueue: number;
  /** TCP connections only. */
  readonly tcp: {
    readonly cwnd: number;
    readonly srttMs: number;
    readonly rtoMs: number;
    readonly retransmits: number;
  } | null;
}

/** One row of a table: names and values. */
export type Figures = Readonly<Record<string, number | string | boolean>>;

/** All that is known of one TCP connection. Sizes are bytes, times ms. */
export interface TcpConnectionStatus {
  /** Unique, and the same in a trace. */
  readonly id: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: string;
  readonly pids: readonly number[];
  /** What SIO_TCP_INFO is made of. */
  readonly info: Figures;
  /** RFC 4898's tables, under its names without `tcpEStats` and the table's. */
  readonly perf: Figures;
  readonly path: Figures;
  readonly stack: Figures;
  readonly app: Figures;
}

/** Kinds of events in a trace. */
export const TCP_TRACE_EVENTS = [
  'state',
  'window',
  'rtt',
  'lossStart',
  'lossEnd',
  'timeout',
  'tailProbe',
  'congestionEcho',
  'pathMtu',
  'buffer',
] as const;
export type TcpEventName = (typeof TCP_TRACE_EVENTS)[number];

/** Something that happened inside of a TCP connection. */
export interface TcpEventStatus {
  /** ms since 1970, with fractions. */
  readonly time: number;
  /** {@link TcpConnectionStatus} `id`. */
  readonly endpoint: number;
  /** `10.0.0.2:80` */
  readonly local: string;
  readonly remote: string;
  readonly event: TcpEventName;
  /** In words. */
  readonly text: string;
  /** The event's own figures, such as `cwnd` and `ssthresh`: see docs/observing.md. */
  readonly [figure: string]: number | string | boolean;
}

/** A line of a trace: an event, or how many are missing here because the reader was slow; 0 on the first line, which says that it has begun. */
export type TcpTraceLine = TcpEventStatus | { readonly dropped: number };

/** TCP's settings that can be changed while the daemon runs. They count for what is opened or accepted from then on. */
export interface TcpSettingsStatus {
  /** Bytes: where buffers begin, and up to where they grow by themselves; no further than they begin: they are not tuned. */
  readonly sendBufferSize: number;
  readonly sendBufferMax: number;
  readonly receiveBufferSize: number;
  readonly receiveBufferMax: number;
  /** ms, of a connect's first SYN. */
  readonly initialRto: number;
  readonly maxSynRetransmissions: number;
  readonly timestamps: boolean;
  /** `passive`: agreed to when the peer asks; `classic` and `accurate`: asked for. */
  readonly ecn: 'off' | 'passive' | 'classic' | 'accurate';
  readonly fastOpen: boolean;
  /** `cubic`, `newreno`, `bbr`, `ledbat`. */
  readonly congestionControl: string;
  readonly pacing: boolean;
}

/** A process whose calls can be watched. */
export interface ProcessStatus {
  readonly pid: number;
  readonly uid: number;
  /** What it calls itself. */
  readonly name: string;
  /** Of its faces, each has one. */
  readonly connections: number;
  readonly isWatched: boolean;
}

/**
 * A line of watched calls: a call and which of the process's connections has made it; how many are missing here; at the beginning, whom it
 * is about; at the end, that the process is gone.
 */
export type CallLine =
  | (CallRecord & { readonly client: number })
  | { readonly lost: number }
  | { readonly watching: number }
  | { readonly gone: true };

/** What went through the chains of a process. */
export interface ChainStatus {
  readonly pid: number;
  readonly seconds: number;
  readonly rows: readonly (ChainFigures & { readonly client: number })[];
  /** Rows that had no room. */
  readonly omitted: number;
}
