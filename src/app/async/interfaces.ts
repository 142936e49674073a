/**
 * Interfaces, and from whom a socket hears groups on them: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * The index of the interface of that name.
 *
 * Errors: none; no such interface is 0
 *
 * Source: RFC 3493 §4.1
 * @returns the index, or 0
 * @example
 * ```ts
 * const name = { value: '' };
 * await if_indextoname(1, name);
 * await if_nametoindex(name.value); // → 1
 * await if_nametoindex('none'); // → 0
 * ```
 */
export const if_nametoindex = promised('if_nametoindex');

/**
 * The name of the interface of that index.
 *
 * Errors: WSAEFAULT (no place for it); no such interface is 0
 *
 * Source: RFC 3493 §4.2
 * @param InterfaceName gets the name
 * @returns 1, or 0
 * @example
 * ```ts
 * await if_indextoname(1, { value: '' }); // → 1
 * await if_indextoname(999, { value: '' }); // → 0
 * ```
 */
export const if_indextoname = promised('if_indextoname');

/**
 * Sets from whom a socket hears an IPv4 group, which it joins or leaves with it.
 *
 * Errors: WSAEFAULT (no address, or a short list), WSAEINVAL (a bad mode), WSAEADDRNOTAVAIL (no group, or no such interface), WSAENOBUFS
 * (more sources than are kept), WSAEOPNOTSUPP (a stream)
 *
 * Source: API-setipv4sourcefilter, RFC 3678 §4.2
 * @param Interface 4 bytes: an address of the interface; 0.0.0.0: the usual one
 * @param Group 4 bytes
 * @param FilterMode MCAST_INCLUDE: those of the list; MCAST_EXCLUDE: all but those
 * @param SourceCount how many addresses are in the list
 * @param SourceList 4 bytes each; `null`: none
 * @returns 0
 * @example
 * ```ts
 * const [here, group] = [Buffer.from([10, 0, 0, 1]), Buffer.from([239, 1, 2, 3])];
 * await setipv4sourcefilter(u, here, group, MCAST_INCLUDE, 1, Buffer.from([10, 0, 0, 2])); // → 0
 * const count = { value: 0 };
 * await getipv4sourcefilter(u, here, group, { value: 0 }, count, null); // → 0
 * count.value; // → 1
 * ```
 */
export const setipv4sourcefilter = promised('setipv4sourcefilter');

/**
 * Reads from whom a socket hears an IPv4 group.
 *
 * Errors: WSAEFAULT (no address or place), WSAEADDRNOTAVAIL (not joined), WSAENOBUFS (the list is too short: `SourceCount` says how many
 * there are)
 *
 * Source: API-getipv4sourcefilter, RFC 3678 §4.2
 * @param FilterMode gets MCAST_INCLUDE or MCAST_EXCLUDE
 * @param SourceCount the list's room in addresses, then how many there are; room 0 asks for mode and count alone
 * @param SourceList gets 4 bytes each; `null`: not asked for
 * @returns 0
 * @example
 * ```ts
 * const [here, group] = [Buffer.from([10, 0, 0, 1]), Buffer.from([239, 1, 2, 3])];
 * await setipv4sourcefilter(u, here, group, MCAST_INCLUDE, 1, Buffer.from([10, 0, 0, 2]));
 * const [mode, count, list] = [{ value: -1 }, { value: 2 }, Buffer.alloc(8)];
 * await getipv4sourcefilter(u, here, group, mode, count, list); // → 0
 * [mode.value, count.value, list.readUInt32BE(0)]; // → [MCAST_INCLUDE, 1, 0x0a000002]
 * ```
 */
export const getipv4sourcefilter = promised('getipv4sourcefilter');

/**
 * Sets from whom a socket hears a group of either family, which it joins or leaves with it.
 *
 * Errors: those of `setipv4sourcefilter`
 *
 * Source: API-setsourcefilter, RFC 3678 §5.2
 * @param Interface the interface's index
 * @param Group a sockaddr of `GroupLength` bytes
 * @param FilterMode MCAST_INCLUDE: those of the list; MCAST_EXCLUDE: all but those
 * @param SourceCount how many addresses are in the list
 * @param SourceList sockaddrs, in 128 bytes (SOCKADDR_STORAGE) each; `null`: none
 * @returns 0
 * @example
 * ```ts
 * const group = at('239.1.2.3', 0);
 * const sources = Buffer.alloc(SOCKADDR_STORAGE_LEN);
 * sources.set(at('10.0.0.2', 0));
 * await setsourcefilter(u, 2, group, group.length, MCAST_EXCLUDE, 1, sources); // → 0
 * ```
 */
export const setsourcefilter = promised('setsourcefilter');

/**
 * Reads from whom a socket hears a group of either family.
 *
 * Errors: those of `getipv4sourcefilter`
 *
 * Source: API-getsourcefilter, RFC 3678 §5.2
 * @param FilterMode gets MCAST_INCLUDE or MCAST_EXCLUDE
 * @param SourceCount the list's room in addresses, then how many there are; room 0 asks for mode and count alone
 * @param SourceList gets 128 bytes each; `null`: not asked for
 * @returns 0
 * @example
 * ```ts
 * const group = at('239.1.2.3', 0);
 * await setsourcefilter(u, 2, group, group.length, MCAST_EXCLUDE, 0, null);
 * const [mode, count] = [{ value: -1 }, { value: 0 }];
 * await getsourcefilter(u, 2, group, group.length, mode, count, null); // → 0
 * [mode.value, count.value]; // → [MCAST_EXCLUDE, 0]
 * ```
 */
export const getsourcefilter = promised('getsourcefilter');
