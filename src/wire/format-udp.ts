/** One line of text about a UDP datagram, and about what is malformed, in tcpdump's shape. */

import { u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { dropReasonInfo } from './drop-reason-info.ts';
import { parseUdp, UDP_HEADER_LEN, UdpHeader } from './udp.ts';

/**
 * The datagram `at … end` without addresses and ports. It need not be well-formed.
 * @param isFirstFragment it ends before its length says
 */
export function formatUdp(bytes: Uint8Array, at: number, end: number, isFirstFragment: boolean): string {
  if (isFirstFragment && end - at >= UDP_HEADER_LEN) {
    return `UDP, length ${u16(bytes, at + 4) - UDP_HEADER_LEN}`;
  }
  const udp = new UdpHeader();
  const verdict = parseUdp(bytes, at, end, udp);
  return verdict === DropReason.none ? `UDP, length ${udp.end - udp.payloadAt}` : malformed(verdict);
}

/** A verdict in words. */
export function malformed(verdict: DropReason): string {
  return `malformed (${dropReasonInfo(verdict)?.name ?? verdict})`;
}
