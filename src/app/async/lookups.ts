/**
 * Lookups in the name spaces, and their providers: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Takes a question to every name space that it is for.
 *
 * Errors: WSAEINVAL (no class, or a bad GUID or flags), WSASERVICE_NOT_FOUND (no name space takes it), WSANO_DATA, WSAEFAULT, WSA_NOT_ENOUGH_MEMORY
 * (too many lookups are open)
 *
 * Source: API-WSALookupServiceBegin, NSP-RULE-*
 * @param lpqsRestrictions the question: of `querySet`
 * @param dwControlFlags LUP_*: what the results carry
 * @param lphLookup gets the lookup's handle
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * const asked = querySet({ lpServiceClassId: SVCID_HOSTNAME });
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle); // → 0
 * await WSALookupServiceEnd(handle.value); // → 0
 * ```
 */
export const WSALookupServiceBegin = promised('WSALookupServiceBegin');

/**
 * The next result of a lookup.
 *
 * Errors: WSA_E_NO_MORE (that was the last one), WSAEFAULT (too little room: the length says how much it takes, and the result is kept),
 * WSA_INVALID_HANDLE, WSA_E_CANCELLED (the lookup was ended meanwhile), WSASERVICE_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN
 *
 * Source: API-WSALookupServiceNext, NSP-RULE-*
 * @param dwControlFlags LUP_FLUSHPREVIOUS skips a result; 0: none
 * @param lpdwBufferLength the room that the result stands for in bytes, then what is needed
 * @param lpqsResults gets the result
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * const asked = querySet({ lpServiceClassId: SVCID_HOSTNAME });
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle); // → 0
 * const found = querySet();
 * await WSALookupServiceNext(handle.value, 0, { value: 4096 }, found); // → 0
 * found.lpszServiceInstanceName; // → 'alpha'
 * await WSALookupServiceNext(handle.value, 0, { value: 4096 }, found).catch((e) => e.code); // → WSA_E_NO_MORE
 * ```
 */
export const WSALookupServiceNext = promised('WSALookupServiceNext');

/**
 * `WSALookupServiceNext`, with lengths counted in the narrow form.
 *
 * Errors: WSA_E_NO_MORE (that was the last one), WSAEFAULT (too little room: the length says how much it takes, and the result is kept),
 * WSA_INVALID_HANDLE, WSA_E_CANCELLED (the lookup was ended meanwhile), WSASERVICE_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN
 *
 * Source: API-WSALookupServiceNext
 * @param lpdwBufferLength the room that the result stands for in bytes, then what is needed
 * @param lpqsResults gets the result
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * const asked = querySet({ lpServiceClassId: SVCID_HOSTNAME });
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle); // → 0
 * const found = querySet();
 * await WSALookupServiceNextA(handle.value, 0, { value: 4096 }, found); // → 0
 * found.lpszServiceInstanceName; // → 'alpha'
 * await WSALookupServiceNextA(handle.value, 0, { value: 4096 }, found).catch((e) => e.code); // → WSA_E_NO_MORE
 * ```
 */
export const WSALookupServiceNextA = promised('WSALookupServiceNextA');

/**
 * Ends a lookup. A Next that waits ends with WSA_E_CANCELLED.
 *
 * Errors: WSA_INVALID_HANDLE
 *
 * Source: API-WSALookupServiceEnd
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * const asked = querySet({ lpServiceClassId: SVCID_HOSTNAME });
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle); // → 0
 * await WSALookupServiceEnd(handle.value); // → 0
 * await WSALookupServiceEnd(handle.value).catch((e) => e.code); // → WSA_INVALID_HANDLE
 * ```
 */
export const WSALookupServiceEnd = promised('WSALookupServiceEnd');

/**
 * Asks a name space to tell of changes of a lookup's results.
 *
 * Errors: WSA_IO_PENDING (the completion will tell), WSAEWOULDBLOCK (nothing has changed yet), WSA_INVALID_HANDLE, WSAEOPNOTSUPP (another code, or
 * nobody can tell), WSAEINVAL, WSAEFAULT
 *
 * Source: API-WSANSPIoctl
 * @param hLookup a lookup
 * @param dwControlCode SIO_NSP_NOTIFY_CHANGE
 * @param lpcbBytesReturned gets 0
 * @param lpCompletion how to tell: NSP_NOTIFY_*; `null`: the call waits for a change
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * const asked = querySet({ lpServiceClassId: SVCID_TCP(8080), dwNameSpace: NS_TCPIP_LOCAL });
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle).catch(() => 0);
 * const change = WSANSPIoctl(handle.value, 1, null, 0, null, 0, { value: 0 });
 * await change.catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const WSANSPIoctl = promised('WSANSPIoctl');

/**
 * Lists the name-space providers, inactive ones too.
 *
 * Errors: WSAEFAULT (too little room: the length says how much it takes)
 *
 * Source: API-WSAEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the list stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets the entries
 * @returns how many
 * @example
 * ```ts
 * const [providers, room] = [[] as WSANAMESPACE_INFO[], { value: 0 }];
 * await WSAEnumNameSpaceProviders(room, providers).catch((e) => e.code); // → WSAEFAULT
 * const count = await WSAEnumNameSpaceProviders(room, providers);
 * count === providers.length; // → true
 * ```
 */
export const WSAEnumNameSpaceProviders = promised('WSAEnumNameSpaceProviders');

/**
 * `WSAEnumNameSpaceProviders`, with lengths counted in the narrow form.
 *
 * Errors: WSAEFAULT (too little room: the length says how much it takes)
 *
 * Source: API-WSAEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the list stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets the entries
 * @returns how many
 * @example
 * ```ts
 * const [providers, room] = [[] as WSANAMESPACE_INFO[], { value: 0 }];
 * await WSAEnumNameSpaceProvidersA(room, providers).catch((e) => e.code); // → WSAEFAULT
 * const count = await WSAEnumNameSpaceProvidersA(room, providers);
 * count === providers.length; // → true
 * ```
 */
export const WSAEnumNameSpaceProvidersA = promised('WSAEnumNameSpaceProvidersA');

/**
 * Lists the name-space providers with their own data.
 *
 * Errors: WSAEFAULT (too little room: the length says how much it takes)
 *
 * Source: API-WSAEnumNameSpaceProvidersEx
 * @param lpdwBufferLength the room that the list stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets the entries
 * @returns how many
 * @example
 * ```ts
 * const [providers, room] = [[] as WSANAMESPACE_INFOEX[], { value: 0 }];
 * await WSAEnumNameSpaceProvidersEx(room, providers).catch((e) => e.code); // → WSAEFAULT
 * const count = await WSAEnumNameSpaceProvidersEx(room, providers);
 * count === providers.length; // → true
 * ```
 */
export const WSAEnumNameSpaceProvidersEx = promised('WSAEnumNameSpaceProvidersEx');

/**
 * `WSAEnumNameSpaceProvidersEx`, with lengths counted in the narrow form.
 *
 * Errors: WSAEFAULT (too little room: the length says how much it takes)
 *
 * Source: API-WSAEnumNameSpaceProvidersEx
 * @param lpdwBufferLength the room that the list stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets the entries
 * @returns how many
 * @example
 * ```ts
 * const [providers, room] = [[] as WSANAMESPACE_INFOEX[], { value: 0 }];
 * await WSAEnumNameSpaceProvidersExA(room, providers).catch((e) => e.code); // → WSAEFAULT
 * const count = await WSAEnumNameSpaceProvidersExA(room, providers);
 * count === providers.length; // → true
 * ```
 */
export const WSAEnumNameSpaceProvidersExA = promised('WSAEnumNameSpaceProvidersExA');

/** The narrow and wide names of what is the same here: text is text. */
export {
  WSAEnumNameSpaceProviders as WSAEnumNameSpaceProvidersW,
  WSAEnumNameSpaceProvidersEx as WSAEnumNameSpaceProvidersExW,
  WSALookupServiceBegin as WSALookupServiceBeginA,
  WSALookupServiceBegin as WSALookupServiceBeginW,
  WSALookupServiceNext as WSALookupServiceNextW,
};

/**
 * Announces a name-space provider of version 2 to this process: from now on lookups call its table.
 *
 * Errors: WSAEINVAL (a table with a hole, of another size or version; an id that the catalog does not have as one of version 2),
 * WSANO_RECOVERY (announced already), WSA_NOT_ENOUGH_MEMORY
 *
 * Source: API-WSAAdvertiseProvider, NSP2-Advertise
 * @param puuidProviderId its GUID in the catalog, as text: it is installed, by this process or another
 * @param pNSPv2Routine its seven functions: write them, or let `defineNameSpace` make them
 * @returns 0
 * @example
 * ```ts
 * const id = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F11';
 * await WSCInstallNameSpaceEx('Phone book', '/opt/phone-book.mjs', NS_NIS, 2, id, null); // → 0
 * const { NSPv2Routine } = defineNameSpace({ find: () => [{ addresses: [{ address: '10.0.0.21' }] }] });
 * await WSAAdvertiseProvider(id, NSPv2Routine); // → 0
 * const alice = await gethostbyname('alice');
 * alice.h_addr_list; // → [Uint8Array.of(10, 0, 0, 21)]
 * await WSAUnadvertiseProvider(id); // → 0
 * ```
 */
export const WSAAdvertiseProvider = promised('WSAAdvertiseProvider');

/**
 * Takes a name-space provider back that was announced. Its sessions are over; lookups that it still had part in go on without it.
 *
 * Errors: WSAEINVAL (not announced)
 *
 * Source: API-WSAUnadvertiseProvider, NSP2-Advertise
 * @returns 0
 * @example
 * ```ts
 * const id = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F11';
 * await WSAUnadvertiseProvider(id).catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WSAUnadvertiseProvider = promised('WSAUnadvertiseProvider');

/**
 * Ends a call that a name-space provider of version 2 finishes later: NSPv2LookupServiceNextEx and NSPv2SetServiceEx.
 *
 * Errors: WSAEINVAL (no such call, or it has ended; no code)
 *
 * Source: API-WSAProviderCompleteAsyncCall, NSP2-Complete
 * @param hAsyncCall the handle that came with the call
 * @param iRetCode 0, or a WSA code
 * @returns 0
 * @example
 * ```ts
 * const id = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F11';
 * await WSCInstallNameSpaceEx('Phone book', '/opt/phone-book.mjs', NS_NIS, 2, id, null); // → 0
 * const { NSPv2Routine } = defineNameSpace({ find: () => [] });
 * const slow = {
 *   ...NSPv2Routine,
 *   NSPv2LookupServiceNextEx(hAsyncCall: number) {
 *     void WSAProviderCompleteAsyncCall(hAsyncCall, WSATRY_AGAIN);
 *     return undefined;
 *   },
 * };
 * await WSAAdvertiseProvider(id, slow); // → 0
 * const asked = querySet({ lpServiceClassId: SVCID_TCP(80), lpszServiceInstanceName: 'alice', lpNSProviderId: id });
 * const handle = { value: 0 };
 * await WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle); // → 0
 * await WSALookupServiceNext(handle.value, 0, { value: 4096 }, querySet()).catch((e) => e.code); // → WSATRY_AGAIN
 * ```
 */
export const WSAProviderCompleteAsyncCall = promised('WSAProviderCompleteAsyncCall');
