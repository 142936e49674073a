/**
 * Addresses as text, and byte order by a socket's protocol: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * A 32-bit number from host order to that of the socket's protocol.
 *
 * Errors: WSAEFAULT (no place for it)
 *
 * Source: API-WSAHtonl
 * @param lpnetlong gets the number
 * @returns 0
 * @example
 * ```ts
 * const word = { value: 0 };
 * await WSAHtonl(s, 0x0a000001, word); // → 0
 * word.value; // → 0x0100000a
 * ```
 */
export const WSAHtonl = promised('WSAHtonl');

/**
 * A 16-bit number from host order to that of the socket's protocol.
 *
 * Errors: WSAEFAULT (no place for it)
 *
 * Source: API-WSAHtons
 * @param lpnetshort gets the number
 * @returns 0
 * @example
 * ```ts
 * const port = { value: 0 };
 * await WSAHtons(s, 80, port); // → 0
 * port.value; // → 0x5000
 * ```
 */
export const WSAHtons = promised('WSAHtons');

/**
 * A 32-bit number from the order of the socket's protocol to host order.
 *
 * Errors: WSAEFAULT (no place for it)
 *
 * Source: API-WSANtohl
 * @param lphostlong gets the number
 * @returns 0
 * @example
 * ```ts
 * const word = { value: 0 };
 * await WSANtohl(s, 0x0100000a, word); // → 0
 * word.value; // → 0x0a000001
 * ```
 */
export const WSANtohl = promised('WSANtohl');

/**
 * A 16-bit number from the order of the socket's protocol to host order.
 *
 * Errors: WSAEFAULT (no place for it)
 *
 * Source: API-WSANtohs
 * @param lphostshort gets the number
 * @returns 0
 * @example
 * ```ts
 * const port = { value: 0 };
 * await WSANtohs(s, 0x5000, port); // → 0
 * port.value; // → 80
 * ```
 */
export const WSANtohs = promised('WSANtohs');

/**
 * Writes an address as text: `a.b.c.d:port`, `[v6%zone]:port`; without the port when that is 0.
 *
 * Errors: WSAEFAULT (a short address, or too little room: the length says how much it takes), WSAEINVAL (another family)
 *
 * Source: API-WSAAddressToString
 * @param lpsaAddress a sockaddr of `dwAddressLength` bytes
 * @param lpProtocolInfo the entry of the provider to be asked; `null`: the family's first
 * @param lpszAddressString gets the text
 * @param lpdwAddressStringLength its room in characters with the closing zero, then its length
 * @returns 0
 * @example
 * ```ts
 * const [name, text] = [at('10.0.0.2', 80), { value: '' }];
 * await WSAAddressToString(name, name.length, null, text, { value: 30 }); // → 0
 * text.value; // → '10.0.0.2:80'
 * ```
 */
export const WSAAddressToString = promised('WSAAddressToString');

/**
 * Reads an address from numeric text with an optional port. Asks no name server.
 *
 * Errors: WSAEINVAL (no such address, or another family), WSAEFAULT (too little room: the length says how much it takes)
 *
 * Source: API-WSAStringToAddress
 * @param AddressFamily AF_INET or AF_INET6
 * @param lpProtocolInfo the entry of the provider to be asked; `null`: the family's first
 * @param lpAddress gets the sockaddr
 * @param lpAddressLength its room in bytes, then its length
 * @returns 0
 * @example
 * ```ts
 * const name = new Uint8Array(SOCKADDR_IN6_LEN);
 * await WSAStringToAddress('[2001:db8::1]:80', AF_INET6, null, name, { value: name.length }); // → 0
 * formatSockaddr(name); // → '[2001:db8::1]:80'
 * ```
 */
export const WSAStringToAddress = promised('WSAStringToAddress');

/** The narrow and wide names of what is the same here: text is text. */
export {
  WSAAddressToString as WSAAddressToStringA,
  WSAAddressToString as WSAAddressToStringW,
  WSAStringToAddress as WSAStringToAddressA,
  WSAStringToAddress as WSAStringToAddressW,
};
