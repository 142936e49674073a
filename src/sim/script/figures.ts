/**
 * `%{ … }%` in scripts: assertions about the figures of the connection under test, under Linux's names for them.
 */

import type { TcpInfo, TcpState } from '../../stack/index.ts';
import { evaluate, type Value } from './formula.ts';

/** Linux's numbers of the states, and their names without the prefix. */
const STATES: Readonly<Record<TcpState, readonly [number, string]>> = {
  ESTABLISHED: [1, 'TCP_ESTABLISHED'],
  'SYN-SENT': [2, 'TCP_SYN_SENT'],
  'SYN-RECEIVED': [3, 'TCP_SYN_RECV'],
  'FIN-WAIT-1': [4, 'TCP_FIN_WAIT1'],
  'FIN-WAIT-2': [5, 'TCP_FIN_WAIT2'],
  'TIME-WAIT': [6, 'TCP_TIME_WAIT'],
  CLOSED: [7, 'TCP_CLOSE'],
  'CLOSE-WAIT': [8, 'TCP_CLOSE_WAIT'],
  'LAST-ACK': [9, 'TCP_LAST_ACK'],
  LISTEN: [10, 'TCP_LISTEN'],
  CLOSING: [11, 'TCP_CLOSING'],
};

/** What Linux says for a threshold that was never set, and from where on ours is none: more than any window. */
const INFINITE = 0x7fffffff;
const UNSET = 0x3fff_ffff;

const CONSTANTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.values(STATES).map(([number, name]) => [name, number])),
  TCP_INFINITE_SSTHRESH: INFINITE,
  TCPI_OPT_TIMESTAMPS: 1,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_WSCALE: 4,
  TCPI_OPT_ECN: 8,
};

/** Bytes as Linux counts congestion control: in segments. */
function segments(bytes: number, info: TcpInfo): number {
  return bytes >= UNSET ? INFINITE : Math.ceil(bytes / Math.max(1, info.mss));
}

const FIGURES: Readonly<Record<string, (info: TcpInfo) => number>> = {
  tcpi_state: (info) => STATES[info.state][0],
  tcpi_options: (info) =>
    (info.timestampsEnabled ? 1 : 0) |
    (info.sackEnabled ? 2 : 0) |
    (info.sndWindShift > 0 || info.rcvWindShift > 0 ? 4 : 0) |
    (info.ecn === 'none' ? 0 : 8),
  tcpi_delivered_ce: (info) => info.ceDelivered,
  tcpi_received_ce: (info) => info.ceReceived,
  tcpi_snd_wscale: (info) => info.sndWindShift,
  tcpi_rcv_wscale: (info) => info.rcvWindShift,
  tcpi_rto: (info) => Math.round(info.rto * 1000),
  tcpi_rtt: (info) => Math.round(info.srtt * 1000),
  tcpi_rttvar: (info) => Math.round(info.rttvar * 1000),
  tcpi_min_rtt: (info) => Math.round(info.minRtt * 1000),
  tcpi_snd_mss: (info) => info.mss,
  tcpi_rcv_mss: (info) => info.receiveMss,
  tcpi_advmss: (info) => info.receiveMss,
  tcpi_unacked: (info) => segments(info.flightSize, info),
  tcpi_cwnd: (info) => segments(info.cwnd, info),
  tcpi_snd_cwnd: (info) => segments(info.cwnd, info),
  tcpi_snd_ssthresh: (info) => segments(info.ssthresh, info),
  tcpi_total_retrans: (info) => info.retransSegs,
  tcpi_bytes_received: (info) => info.bytesIn,
  tcpi_bytes_sent: (info) => info.bytesOut,
  tcpi_bytes_retrans: (info) => info.bytesRetrans,
  tcpi_segs_in: (info) => info.segmentsIn,
  tcpi_segs_out: (info) => info.segmentsOut,
  tcpi_snd_wnd: (info) => info.sndWnd,
  tcpi_rwnd_limited: (info) => Math.round(info.sndLimTimeRwin * 1000),
  tcpi_rcv_space: (info) => info.rcvWnd,
};

/** The value of a name in an assertion: Linux's figure, a constant, or a field of `TcpInfo` itself. */
export function figure(name: string, info: TcpInfo): Value | undefined {
  const known = FIGURES[name];
  if (known !== undefined) return known(info);
  if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name];
  return Object.hasOwn(info, name) ? (info[name as keyof TcpInfo] as Value) : undefined;
}

/** What came of a block of code. */
export interface CodeOutcome {
  /** The first assertion that failed, and the values of the names in it. */
  readonly failed: { readonly assertion: string; readonly values: string } | null;
  /** Statements that were not carried out. */
  readonly ignored: readonly string[];
}

/** Carries out the assertions in `code`. @throws {FormulaError} when one cannot be read */
export function runCode(code: string, info: TcpInfo): CodeOutcome {
  const ignored: string[] = [];
  for (const statement of statements(code)) {
    const assertion = /^assert\b(.*)$/s.exec(statement)?.[1]?.trim();
    if (assertion === undefined) {
      ignored.push(statement);
      continue;
    }
    const value = evaluate(assertion, (name) => figure(name, info));
    if (value === false || value === 0 || value === '') {
      return { failed: { assertion, values: valuesIn(assertion, info) }, ignored };
    }
  }
  return { failed: null, ignored };
}

/** Statements end at a line's end or `;`; a line that leaves a parenthesis open goes on. */
function statements(code: string): string[] {
  const found: string[] = [];
  let open = '';
  for (const line of code.split(/[\n;]/)) {
    open = open === '' ? line.replace(/#.*$/, '').trim() : `${open} ${line.replace(/#.*$/, '').trim()}`;
    const depth = open.split('(').length - open.split(')').length;
    if (depth > 0 || open.endsWith('\\')) {
      open = open.replace(/\\$/, '');
      continue;
    }
    if (open !== '') found.push(open);
    open = '';
  }
  if (open !== '') found.push(open);
  return found;
}

function valuesIn(assertion: string, info: TcpInfo): string {
  const names = new Set(assertion.match(/[a-zA-Z_]\w*/g) ?? []);
  const known = [...names].filter(
    (name) => figure(name, info) !== undefined && !Object.hasOwn(CONSTANTS, name),
  );
  return known.map((name) => `${name} = ${figure(name, info)}`).join(', ');
}
