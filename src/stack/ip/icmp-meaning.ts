/**
 * What a received ICMP error means to the one who sent the packet (RFC 1122 §3.2.2, §4.2.3.9).
 */

import { ICMPV4_TTL_EXPIRED, IcmpV4Type, IcmpV4Unreachable } from '../../wire/index.ts';
import { StackError } from '../api.ts';

/**
 * The error for the transport.
 * @returns 0 when the message says nothing to it: source quench (RFC 6633) and redirects
 */
export function errorOf(type: number, code: number): number {
  switch (type) {
    case IcmpV4Type.destinationUnreachable:
      return unreachableError(code);
    case IcmpV4Type.timeExceeded:
      return code === ICMPV4_TTL_EXPIRED ? StackError.networkReset : StackError.timedOut;
    case IcmpV4Type.parameterProblem:
      return StackError.invalid;
    default:
      return 0;
  }
}

/** Whether the error is hard: the destination will not answer, now or later (RFC 1122 §4.2.3.9). */
export function isHardError(type: number, code: number): boolean {
  // Code 4 too by that section's list, but it asks for smaller packets (RFC 1191) and ends nothing.
  return (
    type === IcmpV4Type.destinationUnreachable &&
    (code === IcmpV4Unreachable.protocol || code === IcmpV4Unreachable.port)
  );
}

function unreachableError(code: number): number {
  switch (code) {
    case IcmpV4Unreachable.net:
    case IcmpV4Unreachable.netUnknown:
    case IcmpV4Unreachable.netProhibited:
    case IcmpV4Unreachable.netForTos:
      return StackError.networkUnreachable;
    case IcmpV4Unreachable.protocol:
    case IcmpV4Unreachable.port:
      return StackError.connectionRefused;
    case IcmpV4Unreachable.fragmentationNeeded:
      return StackError.messageTooLong;
    default:
      return StackError.hostUnreachable;
  }
}
