/**
 * The base provider's address text: WSPAddressToString and WSPStringToAddress for IPv4. Numbers only, never a name lookup.
 */

import {
  AF_INET,
  readSockaddr,
  SOCKADDR_IN_LEN,
  sockaddrFamily,
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

export const baseAddressCalls: AddressCalls = {
  WSPAddressToString(lpsaAddress, length, _info, lpszAddressString, lpdwAddressStringLength): Answer {
    if (lpszAddressString === null || lpdwAddressStringLength === null) return -WSAEFAULT;
    const bytes = readable(lpsaAddress, length);
    if (bytes === null) return -WSAEFAULT;
    const family = sockaddrFamily(bytes);
    if (family >= 0 && family !== AF_INET) return -WSAEINVAL;
    const socketAddress = readSockaddr(bytes);
    if (socketAddress === null) return -WSAEFAULT;
    const { address, port } = socketAddress;
    const text = port === 0 ? `${address}` : `${address}:${port}`;
    // The length counts the closing zero, in and out.
    const room = lpdwAddressStringLength.value;
    lpdwAddressStringLength.value = text.length + 1;
    if (room < text.length + 1) return -WSAEFAULT;
    lpszAddressString.value = text;
    return 0;
  },

  WSPStringToAddress(AddressString, AddressFamily, _info, lpAddress, lpAddressLength): Answer {
    if (AddressString === null || lpAddress === null || lpAddressLength === null) return -WSAEFAULT;
    if (AddressFamily !== AF_INET) return -WSAEINVAL;
    const match = WITH_PORT.exec(AddressString);
    const word = match === null ? -1 : parseHistoricalIpv4(match[1] as string);
    const port = Number(match?.[2] ?? 0);
    if (word < 0 || port > 65535) return -WSAEINVAL;
    const room = Math.min(lpAddressLength.value, lpAddress.length);
    lpAddressLength.value = SOCKADDR_IN_LEN;
    if (room < SOCKADDR_IN_LEN) return -WSAEFAULT;
    writeSockaddr(lpAddress, 0, IpAddress.v4(word), port);
    return 0;
  },
};
