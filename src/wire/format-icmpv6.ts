/** One line of text about an ICMPv6 message, in tcpdump's shape. */

import { IpAddress, i32, u16 } from '../base/index.ts';
import { isChecksumRight } from './checksum.ts';
import { DropReason } from './drop-reason.ts';
import { ICMPV6_HEADER_LEN, ICMPV6_REASSEMBLY_EXPIRED, IcmpV6Type, IcmpV6Unreachable } from './icmpv6.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from './ipv4.ts';
import { Ipv6Header, parseQuotedIpv6 } from './ipv6.ts';
import { IcmpV6Problem, Ipv6Extensions, skipIpv6Extensions } from './ipv6-extensions.ts';

/** Types that say nothing but their name here. */
const NAMES = new Map<number, string>([
  [IcmpV6Type.listenerQuery, 'multicast listener query'],
  [IcmpV6Type.listenerReport, 'multicast listener report'],
  [IcmpV6Type.listenerDone, 'multicast listener done'],
  [IcmpV6Type.routerSolicitation, 'router solicitation'],
  [IcmpV6Type.routerAdvertisement, 'router advertisement'],
  [IcmpV6Type.listenerReportV2, 'multicast listener report v2'],
]);

const UNREACHABLE_NAMES = new Map<number, string>([
  [IcmpV6Unreachable.noRoute, 'unreachable route'],
  [IcmpV6Unreachable.prohibited, 'unreachable prohibited'],
  [IcmpV6Unreachable.beyondScope, 'beyond scope of source address'],
  [IcmpV6Unreachable.address, 'unreachable address'],
  [IcmpV6Unreachable.sourcePolicy, 'source address failed ingress policy'],
  [IcmpV6Unreachable.rejectRoute, 'reject route'],
]);

const PROBLEM_NAMES = new Map<number, string>([
  [IcmpV6Problem.headerField, 'erroneous'],
  [IcmpV6Problem.nextHeader, 'next header'],
  [IcmpV6Problem.option, 'option'],
  [IcmpV6Problem.incompleteChain, 'incomplete header chain'],
]);

/**
 * The message `at … end` without addresses. It need not be well-formed.
 * @param pseudoSum of the pseudo-header; `null` when the checksum can't be verified
 */
export function formatIcmpV6(bytes: Uint8Array, at: number, end: number, pseudoSum: number | null): string {
  if (end - at < ICMPV6_HEADER_LEN) return 'truncated';
  const type = bytes[at] as number;
  const code = bytes[at + 1] as number;
  if (pseudoSum !== null && !isChecksumRight(bytes, at, end - at, pseudoSum)) {
    return `type ${type} code ${code} (wrong icmp6 cksum)`;
  }
  const name = NAMES.get(type);
  if (name !== undefined) return name;
  switch (type) {
    case IcmpV6Type.echoRequest:
      return `echo request, id ${u16(bytes, at + 4)}, seq ${u16(bytes, at + 6)}`;
    case IcmpV6Type.echoReply:
      return `echo reply, id ${u16(bytes, at + 4)}, seq ${u16(bytes, at + 6)}`;
    case IcmpV6Type.destinationUnreachable:
      return `destination unreachable, ${unreachable(bytes, at, end, code)}`;
    case IcmpV6Type.packetTooBig:
      return `packet too big, mtu ${i32(bytes, at + 4) >>> 0}`;
    case IcmpV6Type.timeExceeded:
      return code === ICMPV6_REASSEMBLY_EXPIRED ? 'time exceeded in-reassembly' : 'time exceeded in-transit';
    case IcmpV6Type.parameterProblem:
      return `parameter problem, ${PROBLEM_NAMES.get(code) ?? `code ${code}`} - octet ${i32(bytes, at + 4) >>> 0}`;
    case IcmpV6Type.neighborSolicitation:
      return `neighbor solicitation, who has ${target(bytes, at, end)}`;
    case IcmpV6Type.neighborAdvertisement:
      return `neighbor advertisement, tgt is ${target(bytes, at, end)}`;
    case IcmpV6Type.redirect:
      return `redirect, to ${target(bytes, at, end)}`;
    default:
      return `type-#${type}`;
  }
}

function unreachable(bytes: Uint8Array, at: number, end: number, code: number): string {
  if (code === IcmpV6Unreachable.port) return `unreachable port, ${quotedPort(bytes, at, end)}`;
  return UNREACHABLE_NAMES.get(code) ?? `code ${code}`;
}

function quotedPort(bytes: Uint8Array, at: number, end: number): string {
  const quoted = new Ipv6Header();
  const chain = new Ipv6Extensions();
  if (
    parseQuotedIpv6(bytes, at + ICMPV6_HEADER_LEN, end, quoted) !== DropReason.none ||
    skipIpv6Extensions(bytes, quoted, chain) !== DropReason.none ||
    quoted.end - chain.payloadAt < 4
  ) {
    return 'port ?';
  }
  const port = u16(bytes, chain.payloadAt + 2);
  const host = addressTextAt(bytes, quoted.headerAt + 24);
  if (chain.protocol === IPPROTO_UDP) return `${host} udp port ${port}`;
  if (chain.protocol === IPPROTO_TCP) return `${host} tcp port ${port}`;
  return `${host} protocol ${chain.protocol} port ${port}`;
}

/** The address that a neighbour discovery message is about. */
function target(bytes: Uint8Array, at: number, end: number): string {
  return end - at < ICMPV6_HEADER_LEN + 16 ? '?' : addressTextAt(bytes, at + ICMPV6_HEADER_LEN);
}

/** The IPv6 address in the 16 bytes at `at`. */
export function addressTextAt(bytes: Uint8Array, at: number): string {
  const words = [0, 4, 8, 12].map((offset) => i32(bytes, at + offset)) as [number, number, number, number];
  return new IpAddress(6, ...words).toString();
}
