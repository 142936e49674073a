/**
 * Group memberships in the shape of `node:dgram`, as values of Winsock's options.
 */

import { IP_MREQ_LEN, IP_MREQ_SOURCE_LEN, writeIP_MREQ } from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { NodeStyleError } from './node-error.ts';

/**
 * The value of IP_ADD_MEMBERSHIP and its kin.
 * @param call its name, for the error
 * @throws {NodeStyleError} EINVAL when a text is no IPv4 address
 */
export function membershipValue(
  call: string,
  group: string,
  interfaceAddress: string,
  source: string | null,
): Uint8Array {
  const value = new Uint8Array(source === null ? IP_MREQ_LEN : IP_MREQ_SOURCE_LEN);
  writeIP_MREQ(value, 0, {
    imr_multiaddr: parseV4(call, group),
    imr_interface: parseV4(call, interfaceAddress),
    ...(source === null ? {} : { imr_sourceaddr: parseV4(call, source) }),
  });
  return value;
}

/** The value of IP_MULTICAST_IF, which has its address in network order. @throws as {@link membershipValue} */
export function interfaceValue(call: string, address: string): number {
  const { w3 } = parseV4(call, address);
  return (w3 << 24) | ((w3 & 0xff00) << 8) | ((w3 >>> 8) & 0xff00) | (w3 >>> 24);
}

function parseV4(call: string, text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address?.family !== 4) throw new NodeStyleError(call, 'EINVAL', 0);
  return address;
}
