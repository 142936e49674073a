/**
 * Registration of services and their classes, and how Winsock 1.1 did it: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

export type { PROTOCOL_INFO } from '../../winsock/index.ts';

/**
 * Registers a service in the name spaces, takes its addresses back, or deletes it.
 *
 * Errors: WSAEINVAL (no name or class, a bad GUID, operation or flags), WSAEFAULT, WSASERVICE_NOT_FOUND (nothing to take back), WSANO_DATA (no such
 * provider), WSAEOPNOTSUPP (it keeps nothing), WSA_NOT_ENOUGH_MEMORY
 *
 * Source: API-WSASetService, NSP-REG-*
 * @param lpqsRegInfo the service: of `querySet`
 * @param essOperation RNRSERVICE_REGISTER, RNRSERVICE_DEREGISTER, RNRSERVICE_DELETE
 * @param dwControlFlags SERVICE_MULTIPLE: these addresses alone; 0: all
 * @returns 0
 * @example
 * ```ts
 * const lpcsaBuffer = [{ LocalAddr: at('10.0.0.1', 8080), RemoteAddr: null, iSocketType: SOCK_STREAM, iProtocol: IPPROTO_TCP }];
 * const lpServiceClassId = SVCID_TCP(8080);
 * const shop = querySet({ lpszServiceInstanceName: 'shop', lpServiceClassId, dwNumberOfCsAddrs: 1, lpcsaBuffer });
 * await WSASetService(shop, RNRSERVICE_REGISTER, 0); // → 0
 * await WSASetService(shop, RNRSERVICE_DELETE, 0); // → 0
 * ```
 */
export const WSASetService = promised('WSASetService');

/**
 * Makes a class of services known to the name spaces.
 *
 * Errors: WSAEALREADY (there is such a class), WSAEINVAL (no GUID or name), WSAEFAULT, WSAEOPNOTSUPP (nobody keeps any)
 *
 * Source: API-WSAInstallServiceClass
 * @param lpServiceClassInfo its GUID, name and data
 * @returns 0
 * @example
 * ```ts
 * const id = '5F7E1A11-0000-4000-8000-000000000001';
 * const shops = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
 * await WSAInstallServiceClass(shops); // → 0
 * await WSAInstallServiceClass(shops).catch((e) => e.code); // → WSAEALREADY
 * ```
 */
export const WSAInstallServiceClass = promised('WSAInstallServiceClass');

/**
 * Takes a class of services back.
 *
 * Errors: WSATYPE_NOT_FOUND (no such class), WSAEINVAL (no GUID), WSAEFAULT
 *
 * Source: API-WSARemoveServiceClass
 * @param lpServiceClassId its GUID, as text
 * @returns 0
 * @example
 * ```ts
 * const id = '5F7E1A11-0000-4000-8000-000000000001';
 * const shops = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
 * await WSAInstallServiceClass(shops);
 * await WSARemoveServiceClass(id); // → 0
 * await WSARemoveServiceClass(id).catch((e) => e.code); // → WSATYPE_NOT_FOUND
 * ```
 */
export const WSARemoveServiceClass = promised('WSARemoveServiceClass');

/**
 * What a name-space provider knows of a class of services.
 *
 * Errors: WSATYPE_NOT_FOUND (it knows no such class), WSAEFAULT (too little room: the length says how much it takes), WSAEINVAL (no GUID),
 * WSAEOPNOTSUPP (it keeps none)
 *
 * Source: API-WSAGetServiceClassInfo
 * @param lpProviderId the provider's GUID
 * @param lpServiceClassId the class's
 * @param lpdwBufSize the room that the result stands for in bytes, then what is needed
 * @param lpServiceClassInfo gets the class
 * @returns 0
 * @example
 * ```ts
 * const id = '5F7E1A11-0000-4000-8000-000000000001';
 * const shops = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
 * await WSAInstallServiceClass(shops);
 * const providers: WSANAMESPACE_INFO[] = [];
 * await WSAEnumNameSpaceProviders({ value: 65_536 }, providers);
 * const known: string[] = [];
 * for (const { NSProviderId } of providers) {
 *   const info = { lpServiceClassId: id, lpszServiceClassName: '', lpClassInfos: [] };
 *   await WSAGetServiceClassInfo(NSProviderId, id, { value: 4096 }, info).catch(() => 0);
 *   known.push(info.lpszServiceClassName);
 * }
 * known.includes('Shops'); // → true
 * ```
 */
export const WSAGetServiceClassInfo = promised('WSAGetServiceClassInfo');

/**
 * `WSAGetServiceClassInfo`, with lengths counted in the narrow form.
 *
 * Errors: WSATYPE_NOT_FOUND (it knows no such class), WSAEFAULT (too little room: the length says how much it takes), WSAEINVAL (no GUID),
 * WSAEOPNOTSUPP (it keeps none)
 *
 * Source: API-WSAGetServiceClassInfo
 * @param lpProviderId the provider's GUID
 * @param lpServiceClassId the class's
 * @param lpdwBufSize the room that the result stands for in bytes, then what is needed
 * @param lpServiceClassInfo gets the class
 * @returns 0
 * @example
 * ```ts
 * const id = '5F7E1A11-0000-4000-8000-000000000001';
 * const shops = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
 * await WSAInstallServiceClass(shops);
 * const providers: WSANAMESPACE_INFO[] = [];
 * await WSAEnumNameSpaceProviders({ value: 65_536 }, providers);
 * const known: string[] = [];
 * for (const { NSProviderId } of providers) {
 *   const info = { lpServiceClassId: id, lpszServiceClassName: '', lpClassInfos: [] };
 *   await WSAGetServiceClassInfoA(NSProviderId, id, { value: 4096 }, info).catch(() => 0);
 *   known.push(info.lpszServiceClassName);
 * }
 * known.includes('Shops'); // → true
 * ```
 */
export const WSAGetServiceClassInfoA = promised('WSAGetServiceClassInfoA');

/**
 * The name of a class of services.
 *
 * Errors: WSATYPE_NOT_FOUND (no such class), WSAEFAULT (too little room: the length says how much it takes), WSAEINVAL (no GUID)
 *
 * Source: API-WSAGetServiceClassNameByClassId
 * @param lpszServiceClassName gets it
 * @param lpdwBufferLength its room in characters with the closing zero, then its length
 * @returns 0
 * @example
 * ```ts
 * const id = '5F7E1A11-0000-4000-8000-000000000001';
 * const shops = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
 * await WSAInstallServiceClass(shops);
 * const name = { value: '' };
 * await WSAGetServiceClassNameByClassId(id, name, { value: 100 }); // → 0
 * name.value; // → 'Shops'
 * ```
 */
export const WSAGetServiceClassNameByClassId = promised('WSAGetServiceClassNameByClassId');

/**
 * Lists the protocols as Winsock 1.1 did.
 *
 * Errors: ERROR_INSUFFICIENT_BUFFER (122, too little room: the length says how much it takes), WSAEFAULT (no length)
 *
 * Source: API-RnR1
 * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
 * @param lpProtocolBuffer is emptied, and gets the entries
 * @param lpdwBufferLength the room that it stands for in bytes, then what is needed
 * @returns how many
 * @example
 * ```ts
 * const [protocols, room] = [[] as PROTOCOL_INFO[], { value: 4096 }];
 * await EnumProtocols([IPPROTO_UDP], protocols, room); // → 2
 * ```
 */
export const EnumProtocols = promised('EnumProtocols');

/**
 * Registration and resolution of Winsock 1.1: superseded by `WSALookupServiceBegin`.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-RnR1
 * @returns never
 * @example
 * ```ts
 * await GetAddressByName().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const GetAddressByName = promised('GetAddressByName');

/**
 * Registration and resolution of Winsock 1.1: superseded by `WSAGetServiceClassInfo`.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-RnR1
 * @returns never
 * @example
 * ```ts
 * await GetTypeByName().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const GetTypeByName = promised('GetTypeByName');

/**
 * Registration and resolution of Winsock 1.1: superseded by `WSAGetServiceClassNameByClassId`.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-RnR1
 * @returns never
 * @example
 * ```ts
 * await GetNameByType().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const GetNameByType = promised('GetNameByType');

/**
 * Registration and resolution of Winsock 1.1: superseded by `WSASetService`.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-RnR1
 * @returns never
 * @example
 * ```ts
 * await SetService().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const SetService = promised('SetService');

/**
 * Registration and resolution of Winsock 1.1: superseded by `WSALookupServiceBegin`.
 *
 * Errors: WSAEOPNOTSUPP, always
 *
 * Source: API-RnR1
 * @returns never
 * @example
 * ```ts
 * await GetService().catch((e) => e.code); // → WSAEOPNOTSUPP
 * ```
 */
export const GetService = promised('GetService');

/** The narrow and wide names of what is the same here: text is text. */
export {
  WSAGetServiceClassInfo as WSAGetServiceClassInfoW,
  WSAGetServiceClassNameByClassId as WSAGetServiceClassNameByClassIdA,
  WSAGetServiceClassNameByClassId as WSAGetServiceClassNameByClassIdW,
  WSAInstallServiceClass as WSAInstallServiceClassA,
  WSAInstallServiceClass as WSAInstallServiceClassW,
  WSASetService as WSASetServiceA,
  WSASetService as WSASetServiceW,
};
