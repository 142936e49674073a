/**
 * Addresses as text, and byte order by a socket's protocol.
 */

import {
  AF_INET,
  AF_INET6,
  LITTLEENDIAN,
  sockaddrFamily,
  WSA_INVALID_PARAMETER,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSANOTINITIALISED,
  type WSAPROTOCOL_INFO,
} from '../abi/index.ts';
import { asNumber, IpAddress, i32, isBytes, isPlace, putI32 } from '../base/index.ts';
import type { Answer, Ref, StartedProvider, WSPPROC_TABLE } from '../spi/index.ts';
import { htonl, htons } from './byte-order.ts';
import type { WinsockProcess } from './process.ts';

const IN_ADDR_LEN = 4;
const IN6_ADDR_LEN = 16;

export function addressCalls(process: WinsockProcess) {
  const convert = (s: number, value: number, into: Ref | null, swap: (value: number) => number): Answer => {
    const socket = process.socket(s);
    if (socket === null) return process.whyNoSocket();
    if (into === null) return -WSAEFAULT;
    into.value = socket.provider.entry.iNetworkByteOrder === LITTLEENDIAN ? value : swap(value);
    return 0;
  };

  /** Who reads and writes addresses of a family: the provider of `info`, else the family's first. */
  const withProvider = (
    family: number,
    info: WSAPROTOCOL_INFO | null,
    call: (table: WSPPROC_TABLE) => Answer,
  ): Answer => {
    const entry =
      info === null ? process.catalog.byFamily(family) : process.catalog.byId(info.dwCatalogEntryId);
    if (entry === null) return -WSAEINVAL;
    const run = (provider: StartedProvider | number): Answer =>
      typeof provider === 'number' ? provider : call(provider.table);
    const started = process.providers.start(entry);
    return started instanceof Promise ? started.then(run) : run(started);
  };

  return {
    /** To the order of the socket's protocol. */
    WSAHtonl: (s: number, hostlong: number, lpnetlong: Ref | null): Answer =>
      convert(s, hostlong, lpnetlong, htonl),
    WSAHtons: (s: number, hostshort: number, lpnetshort: Ref | null): Answer =>
      convert(s, hostshort, lpnetshort, htons),
    /** And back. */
    WSANtohl: (s: number, netlong: number, lphostlong: Ref | null): Answer =>
      convert(s, netlong, lphostlong, htonl),
    WSANtohs: (s: number, netshort: number, lphostshort: Ref | null): Answer =>
      convert(s, netshort, lphostshort, htons),

    /** Writes `a.b.c.d` with `:port` unless that is 0; the length counts the closing zero, in and out. */
    WSAAddressToString(
      lpsaAddress: Uint8Array | null,
      dwAddressLength: number,
      lpProtocolInfo: WSAPROTOCOL_INFO | null,
      lpszAddressString: Ref<string> | null,
      lpdwAddressStringLength: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpsaAddress === null) return -WSAEFAULT;
      return withProvider(sockaddrFamily(lpsaAddress), lpProtocolInfo, (table) =>
        table.WSPAddressToString(
          lpsaAddress,
          dwAddressLength,
          lpProtocolInfo,
          lpszAddressString,
          lpdwAddressStringLength,
        ),
      );
    },

    /** Reads numeric text with an optional port; never asks a name server. */
    WSAStringToAddress(
      AddressString: string | null,
      AddressFamily: number,
      lpProtocolInfo: WSAPROTOCOL_INFO | null,
      lpAddress: Uint8Array | null,
      lpAddressLength: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return withProvider(AddressFamily, lpProtocolInfo, (table) =>
        table.WSPStringToAddress(AddressString, AddressFamily, lpProtocolInfo, lpAddress, lpAddressLength),
      );
    },
  };
}

/**
 * Reads a strict numeric address (four decimal numbers, or IPv6 without a zone) into 4 or 16 bytes.
 * @returns 1, 0 when the text is no address, or minus a WSA code
 */
export function inet_pton(Family: number, pszAddrString: string | null, pAddrBuf: Uint8Array | null): number {
  const length = addressLength(Family);
  if (length < 0) return length;
  if (typeof pszAddrString !== 'string' || !isBytes(pAddrBuf, length)) return -WSAEFAULT;
  const address = pszAddrString.includes('%') ? null : IpAddress.parse(pszAddrString);
  if (address === null || address.family !== (Family === AF_INET ? 4 : 6)) return 0;
  if (address.family === 4) {
    putI32(pAddrBuf, 0, address.w3);
  } else {
    putI32(pAddrBuf, 0, address.w0);
    putI32(pAddrBuf, 4, address.w1);
    putI32(pAddrBuf, 8, address.w2);
    putI32(pAddrBuf, 12, address.w3);
  }
  return 1;
}

/**
 * Writes the text of a 4- or 16-byte address.
 * @param StringBufSize room in characters, with the closing zero
 * @returns 0, or minus a WSA code
 */
export function inet_ntop(
  Family: number,
  pAddr: Uint8Array | null,
  pStringBuf: Ref<string>,
  StringBufSize: number,
): number {
  const length = addressLength(Family);
  if (length < 0) return length;
  if (!isBytes(pAddr, length) || !isPlace(pStringBuf)) return -WSAEFAULT;
  const address =
    Family === AF_INET
      ? IpAddress.v4(i32(pAddr, 0))
      : new IpAddress(6, i32(pAddr, 0), i32(pAddr, 4), i32(pAddr, 8), i32(pAddr, 12));
  const text = address.toString();
  if (!(asNumber(StringBufSize) >= text.length + 1)) return -WSA_INVALID_PARAMETER;
  pStringBuf.value = text;
  return 0;
}

function addressLength(family: number): number {
  if (family === AF_INET) return IN_ADDR_LEN;
  return family === AF_INET6 ? IN6_ADDR_LEN : -WSAEAFNOSUPPORT;
}
