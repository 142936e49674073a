/**
 * Group memberships in the shape of `node:dgram`, as values of Winsock's options.
 */

import {
  GROUP_SOURCE_REQ_LEN,
  IP_MREQ_LEN,
  IP_MREQ_SOURCE_LEN,
  IPV6_MREQ_LEN,
  writeGROUP_REQ,
  writeIP_MREQ,
  writeIPV6_MREQ,
} from '../abi/index.ts';
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

/**
 * The value of IPV6_ADD_MEMBERSHIP and its kin; with a source, that of MCAST_JOIN_SOURCE_GROUP and its kin.
 * @param scope `::%index` of the interface, or an empty text: the system chooses
 * @throws {NodeStyleError} EINVAL when a text is no IPv6 address
 */
export function membershipValueV6(
  call: string,
  group: string,
  scope: string,
  source: string | null,
): Uint8Array {
  const index = scope === '' ? 0 : interfaceIndex(call, scope);
  const address = parseV6(call, group);
  if (source === null) {
    const value = new Uint8Array(IPV6_MREQ_LEN);
    writeIPV6_MREQ(value, 0, { ipv6mr_multiaddr: address, ipv6mr_interface: index });
    return value;
  }
  const value = new Uint8Array(GROUP_SOURCE_REQ_LEN);
  writeGROUP_REQ(value, 0, { gr_interface: index, gr_group: address, gsr_source: parseV6(call, source) });
  return value;
}

/** The value of IPV6_MULTICAST_IF: the index in `::%index`. @throws as {@link membershipValueV6} */
export function interfaceIndex(call: string, scope: string): number {
  const at = scope.indexOf('%');
  const digits = at < 0 ? '0' : scope.slice(at + 1);
  parseV6(call, at < 0 ? scope : scope.slice(0, at));
  if (!/^\d{1,9}$/.test(digits)) throw new NodeStyleError(call, 'EINVAL', 0);
  return Number(digits);
}

function parseV6(call: string, text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address?.family !== 6) throw new NodeStyleError(call, 'EINVAL', 0);
  return address;
}

function parseV4(call: string, text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address?.family !== 4) throw new NodeStyleError(call, 'EINVAL', 0);
  return address;
}
