/**
 * Addresses of names and names of addresses: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Addresses of a name and a service, in the order in which to try them.
 *
 * Errors: WSAHOST_NOT_FOUND (EAI_NONAME: no names, or no such host), WSAEINVAL (EAI_BADFLAGS), WSAEAFNOSUPPORT (EAI_FAMILY), WSAESOCKTNOSUPPORT
 * (EAI_SOCKTYPE), WSATYPE_NOT_FOUND (EAI_SERVICE), WSATRY_AGAIN (EAI_AGAIN), WSANO_RECOVERY (EAI_FAIL: bad hints, or the server refuses),
 * WSANO_DATA (no such address), WSAEFAULT (no `res`)
 *
 * Source: API-getaddrinfo, SEM-GAI-01 … SEM-GAI-10
 * @param nodename a name or a numeric address; '': this host's addresses; `null`: loopback, or any with AI_PASSIVE
 * @param servname a service's name or a port; `null`: port 0
 * @param hints `ai_flags`, family, socket type and protocol of what is wanted; `null`: all
 * @param res gets the list, linked by `ai_next`
 * @returns 0
 * @example
 * ```ts
 * const res = { value: null as addrinfo | null };
 * await getaddrinfo('printer', '80', null, res); // → 0
 * const names: string[] = [];
 * for (let info = res.value; info !== null; info = info.ai_next) names.push(formatSockaddr(info.ai_addr ?? at('0.0.0.0', 0)));
 * names.includes('10.0.0.7:80'); // → true
 * ```
 */
export const getaddrinfo = promised('getaddrinfo');

/**
 * `getaddrinfo` in wide characters: the same, as text is text.
 *
 * Errors: those of `getaddrinfo`
 *
 * Source: API-GetAddrInfoW
 * @param nodename a name or a numeric address; '': this host's addresses; `null`: loopback, or any with AI_PASSIVE
 * @param servname a service's name or a port; `null`: port 0
 * @param hints `ai_flags`, family, socket type and protocol of what is wanted; `null`: all
 * @param res gets the list, linked by `ai_next`
 * @returns 0
 * @example
 * ```ts
 * const res = { value: null as addrinfo | null };
 * await GetAddrInfoW('printer', '80', null, res); // → 0
 * const names: string[] = [];
 * for (let info = res.value; info !== null; info = info.ai_next) names.push(formatSockaddr(info.ai_addr ?? at('0.0.0.0', 0)));
 * names.includes('10.0.0.7:80'); // → true
 * ```
 */
export const GetAddrInfoW = promised('GetAddrInfoW');

/**
 * Addresses of a name in chosen name spaces, with a time limit, at once or overlapped.
 *
 * Errors: those of `getaddrinfo`, and WSAETIMEDOUT, WSA_E_CANCELLED, WSAEINVAL (a bad limit or GUID, or a routine without a record),
 * WSASERVICE_NOT_FOUND (no such name space), WSA_IO_PENDING (begun), WSA_NOT_ENOUGH_MEMORY (too many are under way)
 *
 * Source: API-GetAddrInfoEx, SEM-GAI-*
 * @param pName as `getaddrinfo`
 * @param pServiceName as `getaddrinfo`
 * @param dwNameSpace NS_ALL or one name space
 * @param lpNspId one provider's GUID; `null`: all of the name space
 * @param hints as `getaddrinfo`; `null`: all
 * @param ppResult gets the list, linked by `ai_next`
 * @param timeout the limit; `null`: none
 * @param lpOverlapped the record; `null`: the call waits
 * @param lpCompletionRoutine is called at the end, when the record has no event
 * @param lpHandle gets what `GetAddrInfoExCancel` takes
 * @returns 0
 * @example
 * ```ts
 * const result = { value: null as ADDRINFOEX | null };
 * await GetAddrInfoEx('printer', '80', NS_ALL, null, null, result, { tv_sec: 5, tv_usec: 0 }); // → 0
 * result.value?.ai_addr !== undefined; // → true
 * ```
 */
export const GetAddrInfoEx = promised('GetAddrInfoEx');

/**
 * The narrow form of `GetAddrInfoEx`, which cannot be overlapped and has no limit.
 *
 * Errors: those of `getaddrinfo`, and WSAEINVAL (a limit, record, routine or handle is given)
 *
 * Source: API-GetAddrInfoEx
 * @param pName as `getaddrinfo`
 * @param pServiceName as `getaddrinfo`
 * @param dwNameSpace NS_ALL or one name space
 * @param lpNspId one provider's GUID; `null`: all of the name space
 * @param hints as `getaddrinfo`; `null`: all
 * @param ppResult gets the list, linked by `ai_next`
 * @returns 0
 * @example
 * ```ts
 * const result = { value: null as ADDRINFOEX | null };
 * await GetAddrInfoExA('printer', '80', NS_ALL, null, null, result); // → 0
 * ```
 */
export const GetAddrInfoExA = promised('GetAddrInfoExA');

/**
 * Cancels an overlapped GetAddrInfoEx, which then ends with WSA_E_CANCELLED.
 *
 * Errors: WSA_INVALID_HANDLE (unknown, or done)
 *
 * Source: API-GetAddrInfoExCancel
 * @param lpHandle what GetAddrInfoEx gave
 * @returns 0
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const [result, handle] = [{ value: null as ADDRINFOEX | null }, { value: 0 }];
 * const begun = GetAddrInfoEx('slow.test', '80', NS_ALL, null, null, result, null, record, null, handle);
 * await begun.catch((e) => e.code); // → WSA_IO_PENDING
 * await GetAddrInfoExCancel(handle); // → 0
 * await WSAWaitForMultipleEvents(1, [record.hEvent], false, WSA_INFINITE);
 * await GetAddrInfoExOverlappedResult(record).catch((e) => e.code); // → WSA_E_CANCELLED
 * ```
 */
export const GetAddrInfoExCancel = promised('GetAddrInfoExCancel');

/**
 * How an overlapped GetAddrInfoEx ended.
 *
 * Errors: WSAEINPROGRESS (under way), WSAEINVAL (no record), and its own
 *
 * Source: API-GetAddrInfoExOverlappedResult
 * @param lpOverlapped its record
 * @returns 0
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const [result, handle] = [{ value: null as ADDRINFOEX | null }, { value: 0 }];
 * const begun = GetAddrInfoEx('slow.test', '80', NS_ALL, null, null, result, null, record, null, handle);
 * await begun.catch((e) => e.code); // → WSA_IO_PENDING
 * await GetAddrInfoExOverlappedResult(record).catch((e) => e.code); // → WSAEINPROGRESS
 * ```
 */
export const GetAddrInfoExOverlappedResult = promised('GetAddrInfoExOverlappedResult');

/**
 * Registers a name with addresses in one name space, or takes it back when there are none.
 *
 * Errors: WSAEINVAL (no name, NS_ALL without a provider, or what is reserved is not null), WSAEFAULT (a bad count), WSANO_DATA (no such
 * provider), WSAEOPNOTSUPP (it keeps nothing)
 *
 * Source: API-SetAddrInfoEx
 * @param pName the name
 * @param pServiceName a service's name or a port; `null`: port 0
 * @param pAddresses sockaddrs, the first `dwAddressCount` of which count
 * @param lpBlob the provider's own; `null`: none
 * @param dwFlags the provider's own
 * @param dwNameSpace one name space; then `lpNspId`, one provider's GUID, or `null` for all of the name space
 * @returns 0
 * @example
 * ```ts
 * const addresses = [at('10.0.0.1', 8080)];
 * await SetAddrInfoEx('shop', '8080', addresses, 1, null, 0, NS_TCPIP_LOCAL, null); // → 0
 * await SetAddrInfoEx('shop', '8080', null, 0, null, 0, NS_TCPIP_LOCAL, null); // → 0
 * ```
 */
export const SetAddrInfoEx = promised('SetAddrInfoEx');

/**
 * The names of a sockaddr's host and service; numbers where there are none, unless NI_NAMEREQD.
 *
 * Errors: WSAHOST_NOT_FOUND (EAI_NONAME: nothing is asked, or NI_NAMEREQD and no name), WSAEINVAL (EAI_BADFLAGS), WSAEAFNOSUPPORT (EAI_FAMILY),
 * WSAEFAULT (a short sockaddr), ERROR_INSUFFICIENT_BUFFER (122: too little room)
 *
 * Source: API-getnameinfo, SEM-GAI-09
 * @param sa the sockaddr
 * @param salen its length in bytes
 * @param host gets the host's name; `null`: not asked for
 * @param hostlen its room in characters, with the closing zero
 * @param serv gets the service's name; `null`: not asked for
 * @param servlen its room likewise
 * @param flags NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_NOFQDN, NI_DGRAM
 * @returns 0
 * @example
 * ```ts
 * const [sa, host, serv] = [at('10.0.0.7', 80), { value: '' }, { value: '' }];
 * await getnameinfo(sa, sa.length, host, NI_MAXHOST, serv, NI_MAXSERV, 0); // → 0
 * [host.value, serv.value]; // → ['printer.example.test', 'http']
 * ```
 */
export const getnameinfo = promised('getnameinfo');

/**
 * `getnameinfo` in wide characters: the same, as text is text.
 *
 * Errors: those of `getnameinfo`
 *
 * Source: API-GetNameInfoW
 * @param sa the sockaddr
 * @param salen its length in bytes
 * @param host gets the host's name; `null`: not asked for
 * @param hostlen its room in characters, with the closing zero
 * @param serv gets the service's name; `null`: not asked for
 * @param servlen its room likewise
 * @param flags NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_NOFQDN, NI_DGRAM
 * @returns 0
 * @example
 * ```ts
 * const [sa, host, serv] = [at('10.0.0.7', 80), { value: '' }, { value: '' }];
 * await GetNameInfoW(sa, sa.length, host, NI_MAXHOST, serv, NI_MAXSERV, 0); // → 0
 * [host.value, serv.value]; // → ['printer.example.test', 'http']
 * ```
 */
export const GetNameInfoW = promised('GetNameInfoW');

/** The narrow and wide names of what is the same here: text is text. */
export {
  GetAddrInfoEx as GetAddrInfoExW,
  getaddrinfo as GetAddrInfoA,
  getnameinfo as GetNameInfoA,
  SetAddrInfoEx as SetAddrInfoExA,
  SetAddrInfoEx as SetAddrInfoExW,
};
