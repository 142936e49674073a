/**
 * The names of hosts, services and protocols, as BSD asks for them: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * This host's name, which gethostbyname can resolve.
 *
 * Errors: WSAEFAULT (no place, or too little room)
 *
 * Source: API-gethostname
 * @param name gets it
 * @param namelen the room in characters, with the closing zero
 * @returns 0
 * @example
 * ```ts
 * const name = { value: '' };
 * await gethostname(name, 256); // → 0
 * name.value; // → 'alpha'
 * ```
 */
export const gethostname = promised('gethostname');

/**
 * Calls this host something else, to its applications and on its links: of Windows Mobile alone.
 *
 * Errors: WSAEOPNOTSUPP (another profile than `windows-mobile`), WSAEACCES (not root, and not the user of the host), WSAEINVAL (no name of a
 * host), WSAEFAULT (no name, or a length beyond it)
 *
 * Source: windows-mobile.md 1.3
 * @param name letters, digits and hyphens
 * @param namelen how many characters of it; the closing zero may be counted
 * @returns 0
 * @example
 * ```ts
 * await sethostname('pocket', 6).catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const sethostname = promised('sethostname');

/**
 * `gethostname` in wide characters: the same, as text is text.
 *
 * Errors: WSAEFAULT (no place, or too little room)
 *
 * Source: API-GetHostNameW
 * @param name gets it
 * @param namelen the room in characters, with the closing zero
 * @returns 0
 * @example
 * ```ts
 * const name = { value: '' };
 * await GetHostNameW(name, 256); // → 0
 * name.value; // → 'alpha'
 * ```
 */
export const GetHostNameW = promised('GetHostNameW');

/**
 * The IPv4 addresses of a name.
 *
 * Errors: WSAHOST_NOT_FOUND, WSATRY_AGAIN (no name server answers), WSANO_RECOVERY (it refuses), WSANO_DATA (the name has no such address)
 *
 * Source: API-gethostbyname
 * @param name a name or a numeric address; `null` and '': this host
 * @returns a structure of the caller's own
 * @example
 * ```ts
 * const host = await gethostbyname('lp');
 * [host.h_name, host.h_addr_list[0]?.join('.')]; // → ['printer.example.test', '10.0.0.7']
 * ```
 */
export const gethostbyname = promised('gethostbyname');

/**
 * The names of an address.
 *
 * Errors: WSAHOST_NOT_FOUND, WSATRY_AGAIN (no name server answers), WSANO_RECOVERY (it refuses), WSANO_DATA (the name has no such address),
 * WSAEAFNOSUPPORT (another family), WSAEFAULT (a wrong length)
 *
 * Source: API-gethostbyaddr
 * @param addr its bytes in network order
 * @param len 4 or 16
 * @param type AF_INET or AF_INET6
 * @returns a structure of the caller's own
 * @example
 * ```ts
 * const host = await gethostbyaddr(Buffer.from([10, 0, 0, 7]), 4, AF_INET);
 * host.h_name; // → 'printer.example.test'
 * ```
 */
export const gethostbyaddr = promised('gethostbyaddr');

/**
 * The service of a name.
 *
 * Errors: WSANO_DATA (there is none), WSAEFAULT (no name)
 *
 * Source: API-getservbyname
 * @param name as the services file has it, or an alias
 * @param proto `tcp`, `udp`; `null`: the first one there is
 * @returns its port is in network order
 * @example
 * ```ts
 * const service = await getservbyname('http', 'tcp');
 * ntohs(service.s_port); // → 80
 * ```
 */
export const getservbyname = promised('getservbyname');

/**
 * The service at a port.
 *
 * Errors: WSANO_DATA (there is none)
 *
 * Source: API-getservbyport
 * @param port in network order
 * @param proto `tcp`, `udp`; `null`: the first one there is
 * @example
 * ```ts
 * const service = await getservbyport(htons(69), null);
 * [service.s_name, service.s_proto]; // → ['tftp', 'udp']
 * ```
 */
export const getservbyport = promised('getservbyport');

/**
 * The protocol of a name.
 *
 * Errors: WSANO_DATA (there is none), WSAEFAULT (no name)
 *
 * Source: API-getprotobyname
 * @example
 * ```ts
 * const protocol = await getprotobyname('udp');
 * protocol.p_proto; // → 17
 * ```
 */
export const getprotobyname = promised('getprotobyname');

/**
 * The protocol of a number.
 *
 * Errors: WSANO_DATA (there is none)
 *
 * Source: API-getprotobynumber
 * @param number in host order
 * @example
 * ```ts
 * const protocol = await getprotobynumber(6);
 * protocol.p_name; // → 'tcp'
 * ```
 */
export const getprotobynumber = promised('getprotobynumber');
