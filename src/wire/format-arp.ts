/** One line of text about an ARP message, in tcpdump's shape. */

import { formatMac, formatV4 } from '../base/index.ts';
import { ArpMessage, ArpOperation, parseArp } from './arp.ts';
import { DropReason } from './drop-reason.ts';

/** The message `at … end`. It need not be well-formed. */
export function formatArp(bytes: Uint8Array, at: number, end: number): string {
  const arp = new ArpMessage();
  const verdict = parseArp(bytes, at, end, arp);
  const length = `length ${end - at}`;
  if (verdict === DropReason.arpTruncated) return `ARP, truncated, ${length}`;
  if (verdict !== DropReason.none) return `ARP, not for IPv4 over Ethernet, ${length}`;
  const sender = formatV4(arp.sender);
  const target = formatV4(arp.target);
  if (arp.operation === ArpOperation.reply) {
    return `ARP, Reply ${sender} is-at ${formatMac(bytes, at + 8)}, ${length}`;
  }
  const known = arp.targetHigh === 0 && arp.targetLow === 0 ? '' : ` (${formatMac(bytes, at + 18)})`;
  return `ARP, Request who-has ${target}${known} tell ${sender}, ${length}`;
}
