/** One line of text about an IPv6 packet, in tcpdump's shape. */

import { u16 } from '../base/index.ts';
import { pseudoHeaderSumV6 } from './checksum.ts';
import { DropReason } from './drop-reason.ts';
import { addressTextAt, formatIcmpV6 } from './format-icmpv6.ts';
import { formatTcp } from './format-tcp.ts';
import { formatUdp, malformed } from './format-udp.ts';
import { IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from './ipv4.ts';
import {
  IPV6_DESTINATION_OPTIONS,
  IPV6_FRAGMENT,
  IPV6_HOP_BY_HOP,
  IPV6_NO_NEXT_HEADER,
  IPV6_ROUTING,
  Ipv6Header,
  parseIpv6,
} from './ipv6.ts';
import { Ipv6Extensions, isIpv6Extension, walkIpv6Extensions } from './ipv6-extensions.ts';

/** How tcpdump calls the extension headers. */
const EXTENSION_NAMES = new Map<number, string>([
  [IPV6_HOP_BY_HOP, 'HBH'],
  [IPV6_ROUTING, 'RT'],
  [IPV6_FRAGMENT, 'frag'],
  [IPV6_DESTINATION_OPTIONS, 'DSTOPT'],
]);

/** The packet `at … end`; it need not be well-formed. */
export function formatIpv6(bytes: Uint8Array, at: number, end: number): string {
  const ip = new Ipv6Header();
  const verdict = parseIpv6(bytes, at, end, ip);
  if (verdict !== DropReason.none) return `IP6 ${malformed(verdict)}, length ${end - at}`;
  const extensions = new Ipv6Extensions();
  const walked = walkIpv6Extensions(bytes, ip, extensions);
  const names = extensionNames(bytes, ip, extensions);
  if (walked !== DropReason.none) {
    return `IP6 ${hosts(bytes, at)}: ${names}${malformed(walked)}, length ${ip.end - ip.payloadAt}`;
  }
  if (extensions.isFragment && extensions.fragmentOffset > 0) {
    return `IP6 ${hosts(bytes, at)}: ${names}${fragmentText(extensions, ip.end)}`;
  }
  const text = formatUpper(bytes, ip, extensions, names);
  return extensions.isFragment ? `${text} (${fragmentText(extensions, ip.end)})` : text;
}

function formatUpper(bytes: Uint8Array, ip: Ipv6Header, extensions: Ipv6Extensions, names: string): string {
  const { protocol, payloadAt } = extensions;
  const { headerAt, end } = ip;
  const length = end - payloadAt;
  switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP: {
      if (length < 4) {
        return `IP6 ${hosts(bytes, headerAt)}: ${names}truncated-${protocol === IPPROTO_TCP ? 'tcp' : 'udp'} ${length}`;
      }
      const from = `${addressTextAt(bytes, headerAt + 8)}.${u16(bytes, payloadAt)}`;
      const to = `${addressTextAt(bytes, headerAt + 24)}.${u16(bytes, payloadAt + 2)}`;
      const text =
        protocol === IPPROTO_TCP
          ? formatTcp(bytes, payloadAt, end)
          : formatUdp(bytes, payloadAt, end, extensions.isFragment);
      return `IP6 ${from} > ${to}: ${names}${text}`;
    }
    case IPPROTO_ICMPV6: {
      // A first fragment's checksum is over bytes that are not here.
      const pseudo = extensions.isFragment ? null : pseudoSum(ip, length);
      const text = formatIcmpV6(bytes, payloadAt, end, pseudo);
      return `IP6 ${hosts(bytes, headerAt)}: ${names}ICMP6, ${text}, length ${length}`;
    }
    case IPV6_NO_NEXT_HEADER:
      return `IP6 ${hosts(bytes, headerAt)}: ${names}no next header`;
    default:
      return `IP6 ${hosts(bytes, headerAt)}: ${names}ip-proto-${protocol} ${length}`;
  }
}

function hosts(bytes: Uint8Array, at: number): string {
  return `${addressTextAt(bytes, at + 8)} > ${addressTextAt(bytes, at + 24)}`;
}

/** The extension headers by name, each followed by a space, up to where the walk ended. */
function extensionNames(bytes: Uint8Array, ip: Ipv6Header, extensions: Ipv6Extensions): string {
  let names = '';
  let protocol = ip.nextHeader;
  for (let at = ip.payloadAt; at < extensions.payloadAt && isIpv6Extension(protocol); ) {
    // Fragments say more in their own words.
    if (protocol !== IPV6_FRAGMENT) names += `${EXTENSION_NAMES.get(protocol) ?? ''} `;
    const length = protocol === IPV6_FRAGMENT ? 8 : ((bytes[at + 1] as number) + 1) << 3;
    protocol = bytes[at] as number;
    at += length;
  }
  return names;
}

/** As for IPv4: `frag 4660:1448@1448+`. */
function fragmentText(extensions: Ipv6Extensions, end: number): string {
  const { id, payloadAt, fragmentOffset, moreFragments } = extensions;
  return `frag ${id >>> 0}:${end - payloadAt}@${fragmentOffset}${moreFragments ? '+' : ''}`;
}

function pseudoSum(ip: Ipv6Header, length: number): number {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = ip;
  return pseudoHeaderSumV6(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IPPROTO_ICMPV6, length);
}
