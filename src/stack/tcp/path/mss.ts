/**
 * How large segments are (RFC 9293 §3.7.1, RFC 6691): what to announce, and SMSS from what the peer announced, the path and
 * the user want. RFC 6691 in one sentence: an announced MSS does not count options, whoever sends subtracts those of the
 * segment.
 */

import type { IpFamily } from '../../../base/index.ts';
import { TCP_HEADER_LEN, TCPOPT_TIMESTAMPS_LEN } from '../../../wire/index.ts';
import type { Path } from '../../host.ts';
import type { TcpSettings } from '../config.ts';
import { noteSmss } from '../observe/counting.ts';
import type { Tcb } from '../tcb.ts';

/** The default of an MSS that was not announced (RFC 9293 §3.7.1, MUST-15); IPv6 has 1220. */
const DEFAULT_MSS_V4 = 536;
const DEFAULT_MSS_V6 = 1220;
/** Jumbograms are not spoken: lengths have 16 bits. */
const MAX_PACKET = 65_535;

/**
 * Least text of a segment that has any, bytes: what the largest header leaves of the least MTU (RFC 791 §3.2). Options that are
 * not in every segment stay away when there would be less.
 */
export const LEAST_TEXT = 8;

/** The MSS of a peer that announces none (RFC 9293 §3.7.1, MUST-15). */
export function defaultMss(family: IpFamily): number {
  return family === 4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
}

/** The MSS to announce: what is received in one packet of the link, whatever the way out is like (RFC 6691 §2). */
export function announcedMss(path: Path, settings: TcpSettings): number {
  const fitting = textRoom(path, path.linkMtu);
  return settings.maxSegment === 0 ? fitting : Math.min(fitting, settings.maxSegment);
}

/**
 * SMSS from the peer's MSS, the path, the user's bounds and the options of every segment (RFC 9293 §3.7.1, MUST-16). Called
 * again when one of them changes.
 */
export function updateSmss(tcb: Tcb): void {
  const { path, settings, mtuSearch } = tcb;
  tcb.mtu = path.mtu;
  let size = largestUseful(tcb);
  let isFragmentable = settings.mtuDiscovery === 'dont' || path.discoveredMtu < path.mtu;
  if (mtuSearch !== null) {
    size = Math.min(size, mtuSearch.plpmtu);
    if (mtuSearch.isError) isFragmentable = true;
  }
  tcb.isFragmentable = isFragmentable;
  tcb.smss = Math.max(LEAST_TEXT, textIn(tcb, size));
  tcb.congestion.smss = tcb.smss;
  noteSmss(tcb);
}

/** The largest packet that the path, the peer and the user would let a segment have: what a search can find at most. */
export function largestUseful(tcb: Tcb): number {
  const { path, settings, config } = tcb;
  // A tiny MSS would have us send mostly headers; see `TcpOptions.minSendMss`.
  let mss = Math.max(tcb.peerMss, config.minSendMss);
  if (settings.maxSegment > 0) mss = Math.min(mss, Math.max(settings.maxSegment, config.minSendMss));
  let mtu = Math.min(path.mtu, MAX_PACKET);
  if (settings.userMtu > 0) mtu = Math.min(mtu, settings.userMtu);
  return Math.min(mtu, mss + path.ipHeaderLength + TCP_HEADER_LEN);
}

/** Most text of `tcb` in a packet of `mtu` bytes. */
export function textIn(tcb: Tcb, mtu: number): number {
  return textRoom(tcb.path, mtu) - optionsLength(tcb);
}

/** A segment with `length` bytes of text leaves at `seq`: RFC 5927 §7.2's maxsizesent. */
export function noteSizeSent(tcb: Tcb, seq: number, length: number): void {
  if (length <= tcb.maxTextSent) return;
  tcb.maxTextSent = length;
  tcb.maxTextSentEnd = (seq + length) | 0;
}

/** Bytes behind the TCP header in a packet of `mtu` bytes. */
function textRoom(path: Path, mtu: number): number {
  return Math.min(MAX_PACKET, mtu) - path.ipHeaderLength - TCP_HEADER_LEN;
}

/** Bytes of the options that every segment with text has. */
function optionsLength(tcb: Tcb): number {
  return tcb.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0;
}
