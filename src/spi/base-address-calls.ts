/**
 * The base provider's address text: WSPAddressToString and WSPStringToAddress for IPv4. Numbers only, never a name lookup.
 */

import {
  AF_INET,
  AF_INET6,
  readSockaddr,
  sockaddrFamily,
  sockaddrLength,
  WSAEFAULT,
  WSAEINVAL,
  writeSockaddr,
} from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { readable } from './base-state.ts';
import { parseHistoricalIpv4 } from './inet-text.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer } from './types.ts';

type AddressCalls = Pick<WSPPROC_TABLE, 'WSPAddressToString' | 'WSPStringToAddress'>;

/** `a.b.c.d`, perhaps with `:port`. */
const WITH_PORT = /^([^:]*)(?::([0-9]{1,5}))?$/;
/** `[a::b]`, perhaps with `:port`, or the address alone. */
const WITH_PORT_V6 = /^(?:\[([^\]]*)\](?::([0-9]{1,5}))?|([^[\]]*))$/;

export const baseAddressCalls: AddressCalls = {
  WSPAddressToString(lpsaAddress, length, _info, lpszAddressString, lpdwAddressStringLength): Answer {
    if (lpszAddressString === null || lpdwAddressStringLength === null) return -WSAEFAULT;
    const bytes = readable(lpsaAddress, length);
    if (bytes === null) return -WSAEFAULT;
    const family = sockaddrFamily(bytes);
    if (family >= 0 && family !== AF_INET && family !== AF_INET6) return -WSAEINVAL;
    const socketAddress = readSockaddr(bytes);
    if (socketAddress === null) return -WSAEFAULT;
    const { address, port } = socketAddress;
    const text = address.family === 4 ? textOfIpv4(address, port) : textOfIpv6(address, port);
    // The length counts the closing zero, in and out.
    const room = lpdwAddressStringLength.value;
    lpdwAddressStringLength.value = text.length + 1;
    if (room < text.length + 1) return -WSAEFAULT;
    lpszAddressString.value = text;
    return 0;
  },

  WSPStringToAddress(AddressString, AddressFamily, _info, lpAddress, lpAddressLength): Answer {
    if (AddressString === null || lpAddress === null || lpAddressLength === null) return -WSAEFAULT;
    if (AddressFamily !== AF_INET && AddressFamily !== AF_INET6) return -WSAEINVAL;
    const match = (AddressFamily === AF_INET ? WITH_PORT : WITH_PORT_V6).exec(AddressString);
    if (match === null) return -WSAEINVAL;
    const address = AddressFamily === AF_INET ? readIpv4(match) : readIpv6(match);
    const port = Number(match[2] ?? 0);
    if (address === null || port > 65535) return -WSAEINVAL;
    const room = Math.min(lpAddressLength.value, lpAddress.length);
    const length = sockaddrLength(AddressFamily);
    lpAddressLength.value = length;
    if (room < length) return -WSAEFAULT;
    writeSockaddr(lpAddress, 0, address, port);
    return 0;
  },
};

function textOfIpv4(address: IpAddress, port: number): string {
  return port === 0 ? `${address}` : `${address}:${port}`;
}

/** With a port, in brackets; the scope id comes with the address. */
function textOfIpv6(address: IpAddress, port: number): string {
  return port === 0 ? `${address}` : `[${address}]:${port}`;
}

function readIpv4(match: RegExpExecArray): IpAddress | null {
  const word = parseHistoricalIpv4(match[1] as string);
  return word < 0 ? null : IpAddress.v4(word);
}

function readIpv6(match: RegExpExecArray): IpAddress | null {
  const address = IpAddress.parse(match[1] ?? match[3] ?? '');
  return address?.family === 6 ? address : null;
}
