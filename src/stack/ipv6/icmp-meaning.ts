/**
 * What a received ICMPv6 error means to the one who sent the packet (RFC 4443 §3).
 */

import { ICMPV6_HOP_LIMIT_EXCEEDED, IcmpV6Problem, IcmpV6Type, IcmpV6Unreachable } from '../../wire/index.ts';
import { StackError } from '../api.ts';

/** The error for the transport; 0 when the message says nothing to it. */
export function errorOf(type: number, code: number): number {
  switch (type) {
    case IcmpV6Type.destinationUnreachable:
      return unreachableError(code);
    case IcmpV6Type.packetTooBig:
      return StackError.messageTooLong;
    case IcmpV6Type.timeExceeded:
      return code === ICMPV6_HOP_LIMIT_EXCEEDED ? StackError.networkReset : StackError.timedOut;
    case IcmpV6Type.parameterProblem:
      return code === IcmpV6Problem.nextHeader ? StackError.connectionRefused : StackError.invalid;
    default:
      return 0;
  }
}

/**
 * Whether the error is hard: the destination will not answer, now or later. RFC 4443 has port unreachable for it, and an
 * unknown next header in the place of IPv4's protocol unreachable (RFC 1122 §4.2.3.9).
 */
export function isHardError(type: number, code: number): boolean {
  if (type === IcmpV6Type.destinationUnreachable) return code === IcmpV6Unreachable.port;
  return type === IcmpV6Type.parameterProblem && code === IcmpV6Problem.nextHeader;
}

function unreachableError(code: number): number {
  switch (code) {
    case IcmpV6Unreachable.noRoute:
    case IcmpV6Unreachable.rejectRoute:
      return StackError.networkUnreachable;
    case IcmpV6Unreachable.port:
      return StackError.connectionRefused;
    default:
      return StackError.hostUnreachable;
  }
}
