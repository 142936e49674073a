/**
 * Which options a connection uses: offered in its SYN, agreed by the peer's (RFC 7323 §1.3, RFC 2018 §2, RFC 9293 §3.7.1).
 */

import {
  fastOpenOptionLength,
  TCP_OPTION_MSS,
  TCP_OPTION_SACK_PERMITTED,
  TCP_OPTION_TIMESTAMPS,
  TCP_OPTION_WINDOW_SCALE,
  TCPOPT_MSS_LEN,
  TCPOPT_SACK_PERMITTED_LEN,
  TCPOPT_TIMESTAMPS_LEN,
  TCPOPT_WINDOW_SCALE_LEN,
  writeFastOpenOption,
  writeMssOption,
  writeSackPermittedOption,
  writeTimestampsOption,
  writeWindowScaleOption,
} from '../../wire/index.ts';
import type { TcpConfig, TcpSettings } from './config.ts';
import { ecnSynOptionLength, writeEcnOption } from './ecn/accurate-option.ts';
import { announcedMss, defaultMss, updateSmss } from './path/mss.ts';
import { beginSearch } from './path/mtu-search.ts';
import type { Segment } from './segment.ts';
import type { Tcb } from './tcb.ts';

/** Windows up to 16 MB, so that a buffer enlarged later can be offered. */
const LEAST_SHIFT = 8;
const MAX_SHIFT = 14;

/** The shift that lets a receive buffer be offered whole, at the largest that it may become (RFC 7323 §2.3). */
export function windowShiftFor(bufferSize: number): number {
  let shift = LEAST_SHIFT;
  while (shift < MAX_SHIFT && 0xffff << shift < bufferSize) shift++;
  return shift;
}

/** The shift to offer: for what the receive buffer may grow to. */
export function offeredShift(settings: TcpSettings, config: TcpConfig): number {
  const { receiveBufferSize, isReceiveBufferFixed } = settings;
  return windowShiftFor(
    isReceiveBufferFixed ? receiveBufferSize : Math.max(receiveBufferSize, config.receiveBufferMax),
  );
}

/** What to offer in the first SYN of a connection. */
export function offerOptions(tcb: Tcb): void {
  const { config } = tcb;
  tcb.rmss = announcedMss(tcb.path, tcb.settings);
  tcb.isTimestamped = tcb.settings.timestamps;
  tcb.isSackEnabled = config.sack;
  tcb.rcvWindShift = config.windowScaling ? offeredShift(tcb.settings, config) : 0;
  tcb.peerMss = defaultMss(tcb.path.source.family);
}

/** Narrows what was offered to what the peer's SYN has too, and takes its MSS. */
export function agreeOptions(tcb: Tcb, seg: Segment): void {
  const { options } = seg;
  tcb.isTimestamped = tcb.isTimestamped && (options & TCP_OPTION_TIMESTAMPS) !== 0;
  tcb.isSackEnabled = tcb.isSackEnabled && (options & TCP_OPTION_SACK_PERMITTED) !== 0;
  if (tcb.config.windowScaling && (options & TCP_OPTION_WINDOW_SCALE) !== 0) {
    tcb.sndWindShift = seg.windowShift;
  } else {
    tcb.sndWindShift = 0;
    tcb.rcvWindShift = 0;
  }
  if ((options & TCP_OPTION_MSS) !== 0) tcb.peerMss = seg.mss;
  if (tcb.isTimestamped) {
    tcb.tsRecent = seg.tsVal;
    tcb.tsRecentAt = tcb.host.now;
  }
  updateSmss(tcb);
  beginSearch(tcb);
}

/** Bytes of the options of a SYN of this connection. */
export function synOptionsLength(tcb: Tcb): number {
  const length = agreedOptionsLength(tcb) + fastOpenOptionLength(tcb.fastOpenOption);
  return length + ecnSynOptionLength(tcb, length);
}

/** Of them, those of RFC 9293, 2018 and 7323. */
function agreedOptionsLength(tcb: Tcb): number {
  return (
    TCPOPT_MSS_LEN +
    (tcb.rcvWindShift > 0 ? TCPOPT_WINDOW_SCALE_LEN : 0) +
    (tcb.isSackEnabled ? TCPOPT_SACK_PERMITTED_LEN : 0) +
    (tcb.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0)
  );
}

/** Writes the options of a SYN. @returns the end */
export function writeSynOptions(tcb: Tcb, into: Uint8Array, at: number): number {
  let end = writeMssOption(into, at, tcb.rmss);
  if (tcb.isSackEnabled) end = writeSackPermittedOption(into, end);
  if (tcb.isTimestamped) end = writeTimestampsOption(into, end, timestampNow(tcb), tcb.tsRecent);
  if (tcb.rcvWindShift > 0) end = writeWindowScaleOption(into, end, tcb.rcvWindShift);
  const { ecn, fastOpenOption } = tcb;
  if (fastOpenOption !== null) end = writeFastOpenOption(into, end, fastOpenOption);
  const ecnLength = ecnSynOptionLength(tcb, end - at);
  return ecn === null || ecnLength === 0 ? end : writeEcnOption(ecn, into, end, ecnLength);
}

/** TSval now: a clock of 1 ms with an offset of the connection's own (RFC 7323 §5.4, §7.1). */
export function timestampNow(tcb: Tcb): number {
  return timestampAt(tcb.host.now, tcb.tsOffset);
}

/** TSval at `now` of a connection whose clock has `offset`. */
export function timestampAt(now: number, offset: number): number {
  return (Math.floor(now) + offset) | 0;
}
