/** One line of text about an ICMPv4 message, in tcpdump's shape. */

import { formatV4, i32, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import {
  ICMPV4_REASSEMBLY_EXPIRED,
  IcmpV4Header,
  IcmpV4Type,
  IcmpV4Unreachable,
  parseIcmpV4,
} from './icmpv4.ts';
import { IPPROTO_TCP, IPPROTO_UDP, Ipv4Header, parseQuotedIpv4 } from './ipv4.ts';

/** Types whose text is their name and the identifier and sequence number. */
const QUERY_NAMES = new Map<number, string>([
  [IcmpV4Type.echoRequest, 'echo request'],
  [IcmpV4Type.echoReply, 'echo reply'],
  [IcmpV4Type.timestampRequest, 'time stamp query'],
  [IcmpV4Type.timestampReply, 'time stamp reply'],
  [IcmpV4Type.informationRequest, 'information request'],
  [IcmpV4Type.informationReply, 'information reply'],
  [IcmpV4Type.addressMaskRequest, 'address mask request'],
  [IcmpV4Type.addressMaskReply, 'address mask reply'],
]);

/** The message `at … end` without addresses. It need not be well-formed. */
export function formatIcmpV4(bytes: Uint8Array, at: number, end: number): string {
  const icmp = new IcmpV4Header();
  const verdict = parseIcmpV4(bytes, at, end, icmp);
  if (verdict === DropReason.icmpTruncated) return 'truncated';
  const note = verdict === DropReason.icmpChecksum ? ' (wrong icmp cksum)' : '';
  if (note !== '') return `type ${bytes[at] as number} code ${bytes[at + 1] as number}${note}`;
  const query = QUERY_NAMES.get(icmp.type);
  if (query !== undefined) return `${query}, id ${icmp.id}, seq ${icmp.sequence}`;
  switch (icmp.type) {
    case IcmpV4Type.destinationUnreachable:
      return formatUnreachable(bytes, icmp);
    case IcmpV4Type.timeExceeded:
      return icmp.code === ICMPV4_REASSEMBLY_EXPIRED
        ? 'ip reassembly time exceeded'
        : 'time exceeded in-transit';
    case IcmpV4Type.redirect:
      return `redirect ${quotedDestination(bytes, icmp)} to host ${formatV4(icmp.gateway)}`;
    case IcmpV4Type.parameterProblem:
      return `parameter problem - octet ${icmp.pointer}`;
    case IcmpV4Type.sourceQuench:
      return 'source quench';
    case IcmpV4Type.routerSolicitation:
      return 'router solicitation';
    case IcmpV4Type.routerAdvertisement:
      return 'router advertisement';
    default:
      return `type-#${icmp.type}`;
  }
}

function formatUnreachable(bytes: Uint8Array, icmp: IcmpV4Header): string {
  const destination = quotedDestination(bytes, icmp);
  switch (icmp.code) {
    case IcmpV4Unreachable.net:
      return `net ${destination} unreachable`;
    case IcmpV4Unreachable.host:
      return `host ${destination} unreachable`;
    case IcmpV4Unreachable.protocol:
      return `${destination} protocol ${bytes[icmp.payloadAt + 9] ?? 0} unreachable`;
    case IcmpV4Unreachable.port:
      return `${destination} ${quotedPort(bytes, icmp)} unreachable`;
    case IcmpV4Unreachable.fragmentationNeeded:
      return icmp.mtu === 0
        ? `${destination} unreachable - need to frag`
        : `${destination} unreachable - need to frag (mtu ${icmp.mtu})`;
    case IcmpV4Unreachable.communicationProhibited:
      return `host ${destination} unreachable - admin prohibited filter`;
    case IcmpV4Unreachable.hostProhibited:
      return `host ${destination} unreachable - admin prohibited`;
    case IcmpV4Unreachable.netProhibited:
      return `net ${destination} unreachable - admin prohibited`;
    default:
      return `${destination} unreachable - #${icmp.code}`;
  }
}

function quotedDestination(bytes: Uint8Array, icmp: IcmpV4Header): string {
  return icmp.end - icmp.payloadAt < 20 ? '?' : formatV4(i32(bytes, icmp.payloadAt + 16));
}

function quotedPort(bytes: Uint8Array, icmp: IcmpV4Header): string {
  const quoted = new Ipv4Header();
  if (parseQuotedIpv4(bytes, icmp.payloadAt, icmp.quoteEnd, quoted) !== DropReason.none) return 'port ?';
  const port = u16(bytes, quoted.payloadAt + 2);
  if (quoted.protocol === IPPROTO_UDP) return `udp port ${port}`;
  if (quoted.protocol === IPPROTO_TCP) return `tcp port ${port}`;
  return `protocol ${quoted.protocol} port ${port}`;
}
