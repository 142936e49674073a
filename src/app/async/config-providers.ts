/**
 * Transport providers in the catalog: a part of `winsockd/winsock/async`. None of these functions needs WSAStartup. A running process keeps the
 * catalog that it has until its last WSACleanup; there is one catalog, so that the functions of Windows' 32-bit catalog are the same as the others.
 */

import { promised } from '../promised.ts';

/**
 * Installs a transport provider: its entries go to the end of the catalog and get ids. Its module is not loaded yet.
 *
 * Errors: WSAEFAULT (a `null`, or more entries than the list has), WSAEINVAL (an id that is no GUID, no path or one longer than MAX_PATH, an entry or a chain that cannot be), WSANO_RECOVERY (the GUID is installed already, or no right to change the catalog), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallProvider
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module; environment strings such as `%HOME%` are expanded when it is loaded
 * @param lpProtocolInfoList the entries: their `ProviderId` and `dwCatalogEntryId` are not read
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols(null, entries, room);
 * const [tcp] = entries as [WSAPROTOCOL_INFO];
 * const layer = { ...tcp, ChainLen: 0, szProtocol: 'My layer', dwProviderFlags: PFL_HIDDEN };
 * await WSCInstallProvider(id, '%HOME%/layer.mjs', [layer]); // → 0
 * await WSCInstallProvider(id, '%HOME%/layer.mjs', [layer]).catch((e) => e.code); // → WSANO_RECOVERY
 * ```
 */
export const WSCInstallProvider = promised('WSCInstallProvider');

/**
 * WSCInstallProvider for both of Windows' catalogs; here there is one.
 *
 * Errors: WSAEFAULT (a `null`, or more entries than the list has), WSAEINVAL (an id that is no GUID, no path or one longer than MAX_PATH, an entry or a chain that cannot be), WSANO_RECOVERY (the GUID is installed already, or no right to change the catalog), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallProvider64_32
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module; environment strings such as `%HOME%` are expanded when it is loaded
 * @param lpProtocolInfoList the entries: their `ProviderId` and `dwCatalogEntryId` are not read
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols(null, entries, room);
 * const [tcp] = entries as [WSAPROTOCOL_INFO];
 * const layer = { ...tcp, ChainLen: 0, szProtocol: 'My layer', dwProviderFlags: PFL_HIDDEN };
 * await WSCInstallProvider64_32(id, '%HOME%/layer.mjs', [layer]); // → 0
 * await WSCInstallProvider64_32(id, '%HOME%/layer.mjs', [layer]).catch((e) => e.code); // → WSANO_RECOVERY
 * ```
 */
export const WSCInstallProvider64_32 = promised('WSCInstallProvider64_32');

/**
 * Installs a layered provider: a hidden entry of its own, and in front of the catalog a chain over the topmost entry of each triple.
 * One of real handles (XP1_IFS_HANDLES) goes over entries of real handles only.
 *
 * Errors: WSAEINVAL (no GUID, a path, name or flags that cannot be, a GUID or name that another provider has, a triple that nothing matches), WSAEFAULT (no path or name), WSANO_RECOVERY (it is installed already, a chain would be longer than seven, or no right to change the catalog), WSAENOBUFS (the catalog is full)
 *
 * Source: CFG-WSCInstallProviderAndChains
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module
 * @param lpszLspName what people call it, up to 255 characters
 * @param dwServiceFlags 0, or XP1_IFS_HANDLES of a provider whose sockets are those of the provider below
 * @param lpProtocolInfoList the triples of family, type and protocol that it goes over; `null`: all that base entries have
 * @param lpdwCatalogEntryId gets the id of its own, hidden entry
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const entry = { value: 0 };
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0, null, 0, entry); // → 0
 * entry.value; // → 1007
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols([IPPROTO_TCP], entries, room); // → 5
 * entries[0]?.szProtocol; // → 'My layer over [MSAFD Tcpip [TCP/IP]]'
 * ```
 */
export const WSCInstallProviderAndChains = promised('WSCInstallProviderAndChains');

/**
 * WSCInstallProviderAndChains for both of Windows' catalogs; here there is one.
 *
 * Errors: WSAEINVAL (no GUID, a path, name or flags that cannot be, a GUID or name that another provider has, a triple that nothing matches), WSAEFAULT (no path or name), WSANO_RECOVERY (it is installed already, a chain would be longer than seven, or no right to change the catalog), WSAENOBUFS (the catalog is full)
 *
 * Source: CFG-WSCInstallProviderAndChains64_32
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module; behind it stands the one for 32 bits, which is not used
 * @param lpszLspName what people call it, up to 255 characters
 * @param dwServiceFlags 0, or XP1_IFS_HANDLES of a provider whose sockets are those of the provider below
 * @param lpProtocolInfoList the triples of family, type and protocol that it goes over; `null`: all that base entries have
 * @param lpdwCatalogEntryId gets the id of its own, hidden entry
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const entry = { value: 0 };
 * await WSCInstallProviderAndChains64_32(id, '/opt/layer.mjs', null, 'My layer', 0, null, 0, entry); // → 0
 * entry.value; // → 1007
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols([IPPROTO_TCP], entries, room); // → 5
 * entries[0]?.szProtocol; // → 'My layer over [MSAFD Tcpip [TCP/IP]]'
 * ```
 */
export const WSCInstallProviderAndChains64_32 = promised('WSCInstallProviderAndChains64_32');

/**
 * Removes every entry of a provider. Chains that name one of them stay, and their sockets fail with WSAEPROVIDERFAILEDINIT:
 * take the chains away, or update them, first.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (it is built in, or no right to change the catalog)
 *
 * Source: CFG-WSCDeinstallProvider, CFG-FAIL-01
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCDeinstallProvider(id); // → 0
 * await WSCDeinstallProvider(id).catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WSCDeinstallProvider = promised('WSCDeinstallProvider');

/**
 * Removes every entry of a provider. Chains that name one of them stay, and their sockets fail with WSAEPROVIDERFAILEDINIT:
 * take the chains away, or update them, first.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (it is built in, or no right to change the catalog)
 *
 * Source: CFG-WSCDeinstallProvider32, CFG-FAIL-01
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCDeinstallProvider32(id); // → 0
 * await WSCDeinstallProvider32(id).catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WSCDeinstallProvider32 = promised('WSCDeinstallProvider32');

/**
 * Gives an installed provider another path and other entries. Those that were there keep their ids and places: by the id that an
 * entry names, else in their order.
 *
 * Errors: as WSCInstallProvider, but WSAEINVAL when it is not installed
 *
 * Source: CFG-WSCUpdateProvider
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module
 * @param lpProtocolInfoList the entries
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols(null, entries, room);
 * const [tcp] = entries as [WSAPROTOCOL_INFO];
 * const layer = { ...tcp, ChainLen: 0, szProtocol: 'My layer' };
 * await WSCInstallProvider(id, '/opt/layer.mjs', [layer]);
 * await WSCUpdateProvider(id, '/opt/newer.mjs', [{ ...layer, szProtocol: 'My newer layer' }]); // → 0
 * await WSCEnumProtocols(null, entries, room); // → 7
 * entries[6]?.szProtocol; // → 'My newer layer'
 * ```
 */
export const WSCUpdateProvider = promised('WSCUpdateProvider');

/**
 * Gives an installed provider another path and other entries. Those that were there keep their ids and places: by the id that an
 * entry names, else in their order.
 *
 * Errors: as WSCInstallProvider, but WSAEINVAL when it is not installed
 *
 * Source: CFG-WSCUpdateProvider32
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath the module
 * @param lpProtocolInfoList the entries
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 1e6 }];
 * await WSCEnumProtocols(null, entries, room);
 * const [tcp] = entries as [WSAPROTOCOL_INFO];
 * const layer = { ...tcp, ChainLen: 0, szProtocol: 'My layer' };
 * await WSCInstallProvider(id, '/opt/layer.mjs', [layer]);
 * await WSCUpdateProvider32(id, '/opt/newer.mjs', [{ ...layer, szProtocol: 'My newer layer' }]); // → 0
 * await WSCEnumProtocols(null, entries, room); // → 7
 * entries[6]?.szProtocol; // → 'My newer layer'
 * ```
 */
export const WSCUpdateProvider32 = promised('WSCUpdateProvider32');

/**
 * Orders the catalog: `socket` takes the first entry that matches. The error is the result itself, and the promise does not reject.
 *
 * Errors: WSAEINVAL (not all ids, or others), WSANO_RECOVERY (no right to change the catalog), WSAEOPNOTSUPP (Windows Mobile)
 *
 * Source: CFG-WSCWriteProviderOrder, CFG-FAIL-04, WM-03
 * @param lpwdCatalogEntryId all ids, first to last
 * @returns 0, or a WSA code
 * @example
 * ```ts
 * await WSCWriteProviderOrder([1004, 1005, 1006, 1001, 1002, 1003]); // → 0
 * await WSCWriteProviderOrder([1001]); // → WSAEINVAL
 * ```
 */
export const WSCWriteProviderOrder = promised('WSCWriteProviderOrder');

/**
 * Orders the catalog: `socket` takes the first entry that matches. The error is the result itself, and the promise does not reject.
 *
 * Errors: WSAEINVAL (not all ids, or others), WSANO_RECOVERY (no right to change the catalog), WSAEOPNOTSUPP (Windows Mobile)
 *
 * Source: CFG-WSCWriteProviderOrder32, CFG-FAIL-04, WM-03
 * @param lpwdCatalogEntryId all ids, first to last
 * @returns 0, or a WSA code
 * @example
 * ```ts
 * await WSCWriteProviderOrder32([1004, 1005, 1006, 1001, 1002, 1003]); // → 0
 * await WSCWriteProviderOrder32([1001]); // → WSAEINVAL
 * ```
 */
export const WSCWriteProviderOrder32 = promised('WSCWriteProviderOrder32');

/**
 * Lists the catalog as it is kept now: layered and hidden entries too, and what was installed since this process began.
 *
 * Errors: WSAENOBUFS (too little room: the length says how much it takes), WSAEFAULT (no length), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCEnumProtocols, CAT-CHAIN-08, WM-04
 * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
 * @param lpProtocolBuffer is emptied, and gets the entries
 * @param lpdwBufferLength the room that it stands for in bytes, 628 an entry, then what is needed
 * @returns how many
 * @example
 * ```ts
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 0 }];
 * await WSCEnumProtocols(null, entries, room).catch((e) => e.code); // → WSAENOBUFS
 * await WSCEnumProtocols(null, entries, room); // → 6
 * ```
 */
export const WSCEnumProtocols = promised('WSCEnumProtocols');

/**
 * Lists the catalog as it is kept now: layered and hidden entries too, and what was installed since this process began.
 *
 * Errors: WSAENOBUFS (too little room: the length says how much it takes), WSAEFAULT (no length), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCEnumProtocols32, CAT-CHAIN-08, WM-04
 * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
 * @param lpProtocolBuffer is emptied, and gets the entries
 * @param lpdwBufferLength the room that it stands for in bytes, 628 an entry, then what is needed
 * @returns how many
 * @example
 * ```ts
 * const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 0 }];
 * await WSCEnumProtocols32(null, entries, room).catch((e) => e.code); // → WSAENOBUFS
 * await WSCEnumProtocols32(null, entries, room); // → 6
 * ```
 */
export const WSCEnumProtocols32 = promised('WSCEnumProtocols32');

/**
 * Where a provider was installed from, as it was written. Empty: it is built in.
 *
 * Errors: WSAEFAULT (a `null`, or too little room: the length says how much it takes), WSAEINVAL (it is not installed), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCGetProviderPath
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath gets the path
 * @param lpProviderDllPathLength characters that there is room for, the ending zero among them, then those that are needed
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '%HOME%/layer.mjs', 'My layer', 0);
 * const [path, room] = [{ value: '' }, { value: 4 }];
 * await WSCGetProviderPath(id, path, room).catch((e) => e.code); // → WSAEFAULT
 * await WSCGetProviderPath(id, path, room); // → 0
 * path.value; // → '%HOME%/layer.mjs'
 * ```
 */
export const WSCGetProviderPath = promised('WSCGetProviderPath');

/**
 * Where a provider was installed from, as it was written. Empty: it is built in.
 *
 * Errors: WSAEFAULT (a `null`, or too little room: the length says how much it takes), WSAEINVAL (it is not installed), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCGetProviderPath32
 * @param lpProviderId a GUID
 * @param lpszProviderDllPath gets the path
 * @param lpProviderDllPathLength characters that there is room for, the ending zero among them, then those that are needed
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '%HOME%/layer.mjs', 'My layer', 0);
 * const [path, room] = [{ value: '' }, { value: 4 }];
 * await WSCGetProviderPath32(id, path, room).catch((e) => e.code); // → WSAEFAULT
 * await WSCGetProviderPath32(id, path, room); // → 0
 * path.value; // → '%HOME%/layer.mjs'
 * ```
 */
export const WSCGetProviderPath32 = promised('WSCGetProviderPath32');

/**
 * Waits for the catalog to change: an install, a removal, another order, or anything else that is kept in it. With a handle of 0 it
 * makes one and returns at once; each later call waits for the next change, those that came between two calls included.
 *
 * Errors: WSANOTINITIALISED, WSAEFAULT (no place for the handle), WSA_INVALID_HANDLE, WSA_IO_PENDING (overlapped: told later), WSAEOPNOTSUPP (a process without a catalog), WSA_NOT_ENOUGH_MEMORY, WSAEINTR (the last WSACleanup)
 *
 * Source: API-WSAProviderConfigChange, CFG-FAIL-11
 * @param lpNotificationHandle the handle, or 0, in whose place it comes; it is closed by WSACloseEvent
 * @param lpOverlapped its event is set when there was a change; `null`: the call waits
 * @returns 0
 * @example
 * ```ts
 * const handle = { value: 0 };
 * await WSAProviderConfigChange(handle); // → 0
 * const change = WSAProviderConfigChange(handle);
 * await WSCWriteProviderOrder([1004, 1005, 1006, 1001, 1002, 1003]);
 * await change; // → 0
 * ```
 */
export const WSAProviderConfigChange = promised('WSAProviderConfigChange');
