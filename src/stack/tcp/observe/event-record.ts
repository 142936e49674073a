/**
 * Events of `trace.ts` as records and as text: for tests, traces and dashboards, which may spend an object on each.
 */

import type { Endpoint } from '../../api.ts';
import { TCP_STATES, type TcpState } from '../state.ts';
import { LossReason, TcpEvent } from './trace.ts';

/** Whose event it is and when, ms of stack time. */
interface RecordHead {
  readonly at: number;
  /** The endpoint's id, unique in its stack, and its addresses: `10.0.0.1:80`. */
  readonly endpoint: number;
  readonly local: string;
  readonly remote: string;
}

/** What happened. Sizes are bytes, times ms. */
export type TcpEventFields =
  | { readonly event: 'state'; readonly from: TcpState; readonly to: TcpState }
  | { readonly event: 'window'; readonly cwnd: number; readonly ssthresh: number }
  | { readonly event: 'rtt'; readonly srtt: number; readonly sample: number }
  | { readonly event: 'lossStart'; readonly reason: LossReasonName; readonly lost: number }
  | { readonly event: 'lossEnd'; readonly reason: LossReasonName; readonly isSpurious: boolean }
  | { readonly event: 'timeout'; readonly rto: number; readonly times: number }
  | { readonly event: 'tailProbe'; readonly seq: number; readonly length: number }
  | { readonly event: 'congestionEcho'; readonly marked: number; readonly cwnd: number }
  | { readonly event: 'pathMtu'; readonly mtu: number; readonly smss: number }
  | { readonly event: 'buffer'; readonly send: number; readonly receive: number };

/** One event of one connection. */
export type TcpEventRecord = RecordHead & TcpEventFields;

/** Names of `TcpEvent` and of `LossReason`. */
export type TcpEventName = keyof typeof TcpEvent;
export type LossReasonName = keyof typeof LossReason;

/** All kinds of events, by number. */
export const TCP_EVENT_NAMES = Object.keys(TcpEvent) as readonly TcpEventName[];
const LOSS_REASON_NAMES = Object.keys(LossReason) as readonly LossReasonName[];

/**
 * What a `TcpObserver` was told, as an object of its own.
 * @param at the stack's time of the event
 */
export function tcpEventRecord(
  at: number,
  endpoint: Endpoint,
  event: number,
  a: number,
  b: number,
): TcpEventRecord {
  return {
    at,
    endpoint: endpoint.id,
    local: addressText(endpoint.localAddress.toString(), endpoint.localPort),
    remote: addressText(endpoint.remoteAddress.toString(), endpoint.remotePort),
    ...fieldsOf(event, a, b),
  };
}

/** One line about an event, without its time and endpoint: `cwnd 14600 ssthresh 7300`. */
export function formatTcpEvent(record: TcpEventFields): string {
  switch (record.event) {
    case 'state':
      return `${record.from} → ${record.to}`;
    case 'window':
      return `cwnd ${sizeText(record.cwnd)} ssthresh ${sizeText(record.ssthresh)}`;
    case 'rtt':
      return `rtt ${timeText(record.sample)} smoothed ${timeText(record.srtt)}`;
    case 'lossStart':
      return `loss episode begins: ${LOSS_TEXT[record.reason]}, ${record.lost} bytes lost`;
    case 'lossEnd':
      return `loss episode over: ${LOSS_TEXT[record.reason]}${record.isSpurious ? ', and nothing was lost' : ''}`;
    case 'timeout':
      return `retransmission timeout after ${timeText(record.rto)}, ${record.times} in a row`;
    case 'tailProbe':
      return `tail-loss probe: ${record.length} bytes at ${record.seq}`;
    case 'congestionEcho':
      return `congestion echoed: ${record.marked} bytes marked, cwnd ${sizeText(record.cwnd)}`;
    case 'pathMtu':
      return `path MTU ${record.mtu}, segments of ${record.smss}`;
    case 'buffer':
      return `buffers: send ${record.send}, receive ${record.receive}`;
  }
}

function fieldsOf(event: number, a: number, b: number): TcpEventFields {
  switch (event) {
    case TcpEvent.state:
      return { event: 'state', from: TCP_STATES[a] ?? 'CLOSED', to: TCP_STATES[b] ?? 'CLOSED' };
    case TcpEvent.window:
      return { event: 'window', cwnd: a, ssthresh: b };
    case TcpEvent.rtt:
      return { event: 'rtt', srtt: a, sample: b };
    case TcpEvent.lossStart:
      return { event: 'lossStart', reason: reasonName(a), lost: b };
    case TcpEvent.lossEnd:
      return { event: 'lossEnd', reason: reasonName(a), isSpurious: b !== 0 };
    case TcpEvent.timeout:
      return { event: 'timeout', rto: a, times: b };
    case TcpEvent.tailProbe:
      return { event: 'tailProbe', seq: a >>> 0, length: b };
    case TcpEvent.congestionEcho:
      return { event: 'congestionEcho', marked: a, cwnd: b };
    case TcpEvent.pathMtu:
      return { event: 'pathMtu', mtu: a, smss: b };
    case TcpEvent.buffer:
      return { event: 'buffer', send: a, receive: b };
    default:
      throw new RangeError(`${event} is no TcpEvent`);
  }
}

function reasonName(reason: number): LossReasonName {
  return LOSS_REASON_NAMES[reason] ?? 'timeout';
}

/** A threshold that was never set is "arbitrarily high" (RFC 5681 §3.1). */
function sizeText(bytes: number): string {
  return bytes >= NO_THRESHOLD ? '∞' : String(Math.round(bytes));
}

function timeText(ms: number): string {
  return `${Math.round(ms * 1000) / 1000} ms`;
}

/** `10.0.0.1:80`, `[::1]:80` */
function addressText(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

const NO_THRESHOLD = 0x3fffffff;

const LOSS_TEXT: Readonly<Record<LossReasonName, string>> = {
  duplicateAcks: 'duplicate ACKs (RFC 6582)',
  sack: 'SACK scoreboard (RFC 6675)',
  rack: 'RACK (RFC 8985)',
  tailProbe: 'tail-loss probe (RFC 8985)',
  timeout: 'retransmission timeout (RFC 6298)',
};
