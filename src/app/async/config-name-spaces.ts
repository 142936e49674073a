/**
 * Name-space providers in the catalog: a part of `winsockd/winsock/async`. All but the listings work without WSAStartup. A process that has asked for a
 * name keeps the list that it has; there is one catalog, so that the functions of Windows' 32-bit catalog are the same as the others.
 */

import { promised } from '../promised.ts';

/**
 * Installs a name-space provider: at the end of the list, active.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (no GUID, one that is installed, a name or path that cannot be, NS_ALL), WSAEACCES (no right to change the catalog; on Windows Mobile WSANO_RECOVERY), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallNameSpace
 * @param lpszIdentifier what people call it
 * @param lpszPathName the module
 * @param dwNameSpace NS_*
 * @param dwVersion its own
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCInstallNameSpace('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001'); // → 0
 * await WSCInstallNameSpace('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001').catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WSCInstallNameSpace = promised('WSCInstallNameSpace');

/**
 * Installs a name-space provider: at the end of the list, active.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (no GUID, one that is installed, a name or path that cannot be, NS_ALL), WSAEACCES (no right to change the catalog; on Windows Mobile WSANO_RECOVERY), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallNameSpace
 * @param lpszIdentifier what people call it
 * @param lpszPathName the module
 * @param dwNameSpace NS_*
 * @param dwVersion its own
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCInstallNameSpace32('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001'); // → 0
 * await WSCInstallNameSpace32('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001').catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WSCInstallNameSpace32 = promised('WSCInstallNameSpace32');

/**
 * The same, with data of the provider's own. A `dwVersion` of 2 says that it has the functions of NSPv2.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (no GUID, one that is installed, a name or path that cannot be, NS_ALL), WSAEACCES (no right to change the catalog; on Windows Mobile WSANO_RECOVERY), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallNameSpaceEx
 * @param lpszIdentifier what people call it
 * @param lpszPathName the module
 * @param dwNameSpace NS_*
 * @param dwVersion 2 of a provider of NSPv2
 * @param lpProviderId a GUID
 * @param lpProviderInfo what WSAEnumNameSpaceProvidersEx tells as `ProviderSpecific`
 * @returns 0
 * @example
 * ```ts
 * await WSCInstallNameSpaceEx('My names', '/opt/names.mjs', NS_DNS, 2, '0C7B4E5D-5D53-4C5C-9E0B-000000000001', Uint8Array.of(7)); // → 0
 * const list: WSANAMESPACE_INFOEX[] = [];
 * await WSAEnumNameSpaceProvidersEx({ value: 1e5 }, list); // → 4
 * list[3]?.ProviderSpecific; // → Uint8Array.of(7)
 * ```
 */
export const WSCInstallNameSpaceEx = promised('WSCInstallNameSpaceEx');

/**
 * The same, with data of the provider's own. A `dwVersion` of 2 says that it has the functions of NSPv2.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (no GUID, one that is installed, a name or path that cannot be, NS_ALL), WSAEACCES (no right to change the catalog; on Windows Mobile WSANO_RECOVERY), WSA_NOT_ENOUGH_MEMORY (the catalog is full)
 *
 * Source: CFG-WSCInstallNameSpaceEx
 * @param lpszIdentifier what people call it
 * @param lpszPathName the module
 * @param dwNameSpace NS_*
 * @param dwVersion 2 of a provider of NSPv2
 * @param lpProviderId a GUID
 * @param lpProviderInfo what WSAEnumNameSpaceProvidersEx tells as `ProviderSpecific`
 * @returns 0
 * @example
 * ```ts
 * await WSCInstallNameSpaceEx32('My names', '/opt/names.mjs', NS_DNS, 2, '0C7B4E5D-5D53-4C5C-9E0B-000000000001', Uint8Array.of(7)); // → 0
 * const list: WSANAMESPACE_INFOEX[] = [];
 * await WSAEnumNameSpaceProvidersEx({ value: 1e5 }, list); // → 4
 * list[3]?.ProviderSpecific; // → Uint8Array.of(7)
 * ```
 */
export const WSCInstallNameSpaceEx32 = promised('WSCInstallNameSpaceEx32');

/**
 * Removes a name-space provider.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCUnInstallNameSpace
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCUnInstallNameSpace('0C7B4E5D-5D53-4C5C-9E0B-000000000001').catch((e) => e.code); // → WSAEINVAL
 * await WSCInstallNameSpace('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001');
 * await WSCUnInstallNameSpace('0C7B4E5D-5D53-4C5C-9E0B-000000000001'); // → 0
 * ```
 */
export const WSCUnInstallNameSpace = promised('WSCUnInstallNameSpace');

/**
 * Removes a name-space provider.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCUnInstallNameSpace
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCUnInstallNameSpace32('0C7B4E5D-5D53-4C5C-9E0B-000000000001').catch((e) => e.code); // → WSAEINVAL
 * await WSCInstallNameSpace('My names', '/opt/names.mjs', NS_DNS, 1, '0C7B4E5D-5D53-4C5C-9E0B-000000000001');
 * await WSCUnInstallNameSpace32('0C7B4E5D-5D53-4C5C-9E0B-000000000001'); // → 0
 * ```
 */
export const WSCUnInstallNameSpace32 = promised('WSCUnInstallNameSpace32');

/**
 * Switches a name-space provider on or off: one that is off is listed, and not asked.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCEnableNSProvider, NSP-RULE-07
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCEnableNSProvider('22059D40-7E9E-11CF-AE5A-00AA00A7112B', false); // → 0
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders({ value: 1e5 }, list);
 * list[0]?.fActive; // → false
 * ```
 */
export const WSCEnableNSProvider = promised('WSCEnableNSProvider');

/**
 * Switches a name-space provider on or off: one that is off is listed, and not asked.
 *
 * Errors: WSAEFAULT (no id), WSAEINVAL (it is not installed), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCEnableNSProvider, NSP-RULE-07
 * @param lpProviderId a GUID
 * @returns 0
 * @example
 * ```ts
 * await WSCEnableNSProvider32('22059D40-7E9E-11CF-AE5A-00AA00A7112B', false); // → 0
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders({ value: 1e5 }, list);
 * list[0]?.fActive; // → false
 * ```
 */
export const WSCEnableNSProvider32 = promised('WSCEnableNSProvider32');

/**
 * Orders the name-space providers. The error is the result itself, and the promise does not reject.
 *
 * Errors: WSAEINVAL (not all ids, or others), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCWriteNameSpaceOrder
 * @param lpProviderId all GUIDs, first to last
 * @returns 0, or a WSA code
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders({ value: 1e5 }, list);
 * const ids = list.map(({ NSProviderId }) => NSProviderId);
 * await WSCWriteNameSpaceOrder(ids.reverse()); // → 0
 * await WSCWriteNameSpaceOrder(ids.slice(1)); // → WSAEINVAL
 * ```
 */
export const WSCWriteNameSpaceOrder = promised('WSCWriteNameSpaceOrder');

/**
 * Orders the name-space providers. The error is the result itself, and the promise does not reject.
 *
 * Errors: WSAEINVAL (not all ids, or others), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCWriteNameSpaceOrder
 * @param lpProviderId all GUIDs, first to last
 * @returns 0, or a WSA code
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders({ value: 1e5 }, list);
 * const ids = list.map(({ NSProviderId }) => NSProviderId);
 * await WSCWriteNameSpaceOrder32(ids.reverse()); // → 0
 * await WSCWriteNameSpaceOrder32(ids.slice(1)); // → WSAEINVAL
 * ```
 */
export const WSCWriteNameSpaceOrder32 = promised('WSCWriteNameSpaceOrder32');

/**
 * WSAEnumNameSpaceProviders: lists the name-space providers, inactive ones too.
 *
 * Errors: WSANOTINITIALISED, WSAEFAULT (no length, or too little room: the length says how much it takes)
 *
 * Source: CFG-WSCEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the buffer stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets them
 * @returns how many
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders({ value: 0 }, list).catch((e) => e.code); // → WSAEFAULT
 * await WSCEnumNameSpaceProviders({ value: 1e5 }, list); // → 3
 * ```
 */
export const WSCEnumNameSpaceProviders = promised('WSCEnumNameSpaceProviders');

/**
 * WSAEnumNameSpaceProviders: lists the name-space providers, inactive ones too.
 *
 * Errors: WSANOTINITIALISED, WSAEFAULT (no length, or too little room: the length says how much it takes)
 *
 * Source: CFG-WSCEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the buffer stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets them
 * @returns how many
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFO[] = [];
 * await WSCEnumNameSpaceProviders32({ value: 0 }, list).catch((e) => e.code); // → WSAEFAULT
 * await WSCEnumNameSpaceProviders32({ value: 1e5 }, list); // → 3
 * ```
 */
export const WSCEnumNameSpaceProviders32 = promised('WSCEnumNameSpaceProviders32');

/**
 * WSAEnumNameSpaceProvidersEx: lists the name-space providers, inactive ones too.
 *
 * Errors: WSANOTINITIALISED, WSAEFAULT (no length, or too little room: the length says how much it takes)
 *
 * Source: CFG-WSCEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the buffer stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets them
 * @returns how many
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFOEX[] = [];
 * await WSCEnumNameSpaceProvidersEx({ value: 0 }, list).catch((e) => e.code); // → WSAEFAULT
 * await WSCEnumNameSpaceProvidersEx({ value: 1e5 }, list); // → 3
 * ```
 */
export const WSCEnumNameSpaceProvidersEx = promised('WSCEnumNameSpaceProvidersEx');

/**
 * WSAEnumNameSpaceProvidersEx: lists the name-space providers, inactive ones too.
 *
 * Errors: WSANOTINITIALISED, WSAEFAULT (no length, or too little room: the length says how much it takes)
 *
 * Source: CFG-WSCEnumNameSpaceProviders
 * @param lpdwBufferLength the room that the buffer stands for in bytes, then what is needed
 * @param lpnspBuffer is emptied, and gets them
 * @returns how many
 * @example
 * ```ts
 * const list: WSANAMESPACE_INFOEX[] = [];
 * await WSCEnumNameSpaceProvidersEx32({ value: 0 }, list).catch((e) => e.code); // → WSAEFAULT
 * await WSCEnumNameSpaceProvidersEx32({ value: 1e5 }, list); // → 3
 * ```
 */
export const WSCEnumNameSpaceProvidersEx32 = promised('WSCEnumNameSpaceProvidersEx32');
