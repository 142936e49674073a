/**
 * One line of text about a frame, in tcpdump's shape (`tcpdump -nnSt`): for traces, for the command line and for people who
 * read those already. Not for the packet path: it builds strings.
 *
 *     IP 10.0.0.1.1025 > 10.0.0.2.80: Flags [P.], seq 1:101, ack 1, win 502, options [nop,nop,TS val 7 ecr 5], length 100
 */

import { formatMac, formatV4, type Medium, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, EthernetHeader, parseEthernet } from './ethernet.ts';
import { formatArp } from './format-arp.ts';
import { formatIcmpV4 } from './format-icmp.ts';
import { formatIpv6 } from './format-ipv6.ts';
import { formatTcp } from './format-tcp.ts';
import { formatUdp, malformed } from './format-udp.ts';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, Ipv4Header, parseIpv4 } from './ipv4.ts';

/** Describes the frame `bytes[at … at + length]`; what is malformed says how. Never throws. */
export function formatFrame(bytes: Uint8Array, at: number, length: number, medium: Medium): string {
  if (medium === 'ip') return formatPacket(bytes, at, at + length);
  const ethernet = new EthernetHeader();
  const verdict = parseEthernet(bytes, at, at + length, ethernet);
  if (verdict === DropReason.frameTruncated) return `${malformed(verdict)}, length ${length}`;
  if (ethernet.etherType === ETHERTYPE_IPV4 || ethernet.etherType === ETHERTYPE_IPV6) {
    return formatPacket(bytes, ethernet.payloadAt, at + length);
  }
  if (ethernet.etherType === ETHERTYPE_ARP) return formatArp(bytes, ethernet.payloadAt, at + length);
  const type =
    verdict === DropReason.none ? `ethertype 0x${ethernet.etherType.toString(16).padStart(4, '0')}` : '802.3';
  return `${formatMac(bytes, at + 6)} > ${formatMac(bytes, at)}, ${type}, length ${length}`;
}

function formatPacket(bytes: Uint8Array, at: number, end: number): string {
  if (end > at && (bytes[at] as number) >> 4 === 6) return formatIpv6(bytes, at, end);
  const ip = new Ipv4Header();
  const verdict = parseIpv4(bytes, at, end, ip);
  if (verdict !== DropReason.none) return `IP ${malformed(verdict)}, length ${end - at}`;
  if (ip.fragmentOffset !== 0) {
    return `IP ${formatV4(ip.src)} > ${formatV4(ip.dst)}: ${fragmentText(ip)}`;
  }
  const text = formatTransport(bytes, ip);
  return ip.moreFragments ? `${text} (${fragmentText(ip)})` : text;
}

function formatTransport(bytes: Uint8Array, ip: Ipv4Header): string {
  const length = ip.end - ip.payloadAt;
  const hosts = `IP ${formatV4(ip.src)} > ${formatV4(ip.dst)}`;
  switch (ip.protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP: {
      if (length < 4) return `${hosts}: truncated-${ip.protocol === IPPROTO_TCP ? 'tcp' : 'udp'} ${length}`;
      const from = `${formatV4(ip.src)}.${u16(bytes, ip.payloadAt)}`;
      const to = `${formatV4(ip.dst)}.${u16(bytes, ip.payloadAt + 2)}`;
      const text =
        ip.protocol === IPPROTO_TCP
          ? formatTcp(bytes, ip.payloadAt, ip.end)
          : formatUdp(bytes, ip.payloadAt, ip.end, ip.moreFragments);
      return `IP ${from} > ${to}: ${text}`;
    }
    case IPPROTO_ICMP:
      return `${hosts}: ICMP ${formatIcmpV4(bytes, ip.payloadAt, ip.end)}, length ${length}`;
    default:
      return `${hosts}: ip-proto-${ip.protocol} ${length}`;
  }
}

/** `frag 4660:1480@2960+`, as tcpdump printed them when it showed fragments by default. */
function fragmentText(ip: Ipv4Header): string {
  const more = ip.moreFragments ? '+' : '';
  return `frag ${ip.id}:${ip.end - ip.payloadAt}@${ip.fragmentOffset}${more}`;
}
