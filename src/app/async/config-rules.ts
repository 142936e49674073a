/**
 * What the catalog says of layered providers and applications: a part of `winsockd/winsock/async`. None of these functions needs WSAStartup.
 */

import { promised } from '../promised.ts';

/**
 * Says which categories (LSP_*) a layered provider has.
 *
 * Errors: WSAEFAULT (a `null`, or too few bytes), WSAEINVAL (it is not installed, another kind of information, or flags), ERROR_CALL_NOT_IMPLEMENTED (the audit record), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCSetProviderInfo, CAT-LSPCAT-01
 * @param lpProviderId the GUID of its layered entry
 * @param InfoType ProviderInfoLspCategories
 * @param Info a DWORD of LSP_* bits
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCSetProviderInfo(id, ProviderInfoLspCategories, Uint8Array.of(LSP_FIREWALL, 0, 0, 0)); // → 0
 * ```
 */
export const WSCSetProviderInfo = promised('WSCSetProviderInfo');

/**
 * Says which categories (LSP_*) a layered provider has.
 *
 * Errors: WSAEFAULT (a `null`, or too few bytes), WSAEINVAL (it is not installed, another kind of information, or flags), ERROR_CALL_NOT_IMPLEMENTED (the audit record), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCSetProviderInfo32, CAT-LSPCAT-01
 * @param lpProviderId the GUID of its layered entry
 * @param InfoType ProviderInfoLspCategories
 * @param Info a DWORD of LSP_* bits
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCSetProviderInfo32(id, ProviderInfoLspCategories, Uint8Array.of(LSP_FIREWALL, 0, 0, 0)); // → 0
 * ```
 */
export const WSCSetProviderInfo32 = promised('WSCSetProviderInfo32');

/**
 * What is known of a layered provider: its categories as a DWORD, or the head of its audit record.
 *
 * Errors: WSAEFAULT (a `null`, or too little room: the size says how much it takes), WSAEINVAL (another kind of information, or flags), WSAEINVALIDPROVIDER (there is no such layered entry), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCGetProviderInfo
 * @param lpProviderId the GUID of its layered entry
 * @param InfoType ProviderInfoLspCategories or ProviderInfoAudit
 * @param Info gets it
 * @param InfoSize bytes that there is room for, then those that are needed
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCSetProviderInfo(id, ProviderInfoLspCategories, Uint8Array.of(LSP_FIREWALL, 0, 0, 0));
 * const categories = new Uint8Array(4);
 * await WSCGetProviderInfo(id, ProviderInfoLspCategories, categories, { value: 4 }); // → 0
 * categories[0]; // → LSP_FIREWALL
 * ```
 */
export const WSCGetProviderInfo = promised('WSCGetProviderInfo');

/**
 * What is known of a layered provider: its categories as a DWORD, or the head of its audit record.
 *
 * Errors: WSAEFAULT (a `null`, or too little room: the size says how much it takes), WSAEINVAL (another kind of information, or flags), WSAEINVALIDPROVIDER (there is no such layered entry), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCGetProviderInfo32
 * @param lpProviderId the GUID of its layered entry
 * @param InfoType ProviderInfoLspCategories or ProviderInfoAudit
 * @param Info gets it
 * @param InfoSize bytes that there is room for, then those that are needed
 * @returns 0
 * @example
 * ```ts
 * const id = '0C7B4E5D-5D53-4C5C-9E0B-000000000001';
 * await WSCInstallProviderAndChains(id, '/opt/layer.mjs', 'My layer', 0);
 * await WSCSetProviderInfo(id, ProviderInfoLspCategories, Uint8Array.of(LSP_FIREWALL, 0, 0, 0));
 * const categories = new Uint8Array(4);
 * await WSCGetProviderInfo32(id, ProviderInfoLspCategories, categories, { value: 4 }); // → 0
 * categories[0]; // → LSP_FIREWALL
 * ```
 */
export const WSCGetProviderInfo32 = promised('WSCGetProviderInfo32');

/**
 * Says which categories of layers an application permits: of those it loads only layers all of whose categories are among them.
 *
 * Errors: WSAEINVAL (no path, or a length that is longer than its text), WSA_NOT_ENOUGH_MEMORY (the catalog is full), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCSetApplicationCategory, CAT-LSPCAT-01
 * @param Path the program's path
 * @param PathLength its characters
 * @param Extra its command line behind the program; `null`: any
 * @param ExtraLength its characters
 * @param PermittedLspCategories LSP_* bits
 * @param pPrevPermLspCat gets those that were permitted before; 0 when nothing was said
 * @returns 0
 * @example
 * ```ts
 * const before = { value: -1 };
 * await WSCSetApplicationCategory('/bin/app', 8, null, 0, LSP_FIREWALL, before); // → 0
 * before.value; // → 0
 * await WSCSetApplicationCategory('/bin/app', 8, null, 0, LSP_PROXY, before);
 * before.value; // → LSP_FIREWALL
 * ```
 */
export const WSCSetApplicationCategory = promised('WSCSetApplicationCategory');

/**
 * Which categories of layers an application permits.
 *
 * Errors: WSASERVICE_NOT_FOUND (it was not categorized), WSAEINVAL (no path or no place, or a length that is longer than its text), WSANO_RECOVERY (there is no catalog, or it can't be reached)
 *
 * Source: CFG-WSCGetApplicationCategory
 * @param Path the program's path
 * @param PathLength its characters
 * @param Extra its command line behind the program; `null`: any
 * @param ExtraLength its characters
 * @param pPermittedLspCategories gets LSP_* bits
 * @returns 0
 * @example
 * ```ts
 * const permitted = { value: 0 };
 * await WSCGetApplicationCategory('/bin/app', 8, null, 0, permitted).catch((e) => e.code); // → WSASERVICE_NOT_FOUND
 * await WSCSetApplicationCategory('/bin/app', 8, null, 0, LSP_PROXY);
 * await WSCGetApplicationCategory('/bin/app', 8, null, 0, permitted); // → 0
 * permitted.value; // → LSP_PROXY
 * ```
 */
export const WSCGetApplicationCategory = promised('WSCGetApplicationCategory');

/**
 * Keeps a template of quality of service for a provider under a name; one of that name is replaced.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (no GUID, no name), WSA_NOT_ENOUGH_MEMORY (there are too many), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCInstallQOSTemplate
 * @param Guid the provider's
 * @param QosName its name
 * @param Qos the template
 * @returns 1
 * @example
 * ```ts
 * const flow = { TokenRate: 8000, TokenBucketSize: 1500, PeakBandwidth: 8000, Latency: 1, DelayVariation: 1, ServiceType: SERVICETYPE_BESTEFFORT, MaxSduSize: 1500, MinimumPolicedSize: 64 };
 * const qos = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
 * await WSCInstallQOSTemplate('0C7B4E5D-5D53-4C5C-9E0B-000000000001', Buffer.from('G711'), qos); // → 1
 * ```
 */
export const WSCInstallQOSTemplate = promised('WSCInstallQOSTemplate');

/**
 * Takes such a template away.
 *
 * Errors: WSAEFAULT (a `null`), WSAEINVAL (there is none of that name), WSANO_RECOVERY (no right to change the catalog)
 *
 * Source: CFG-WSCInstallQOSTemplate
 * @param Guid the provider's
 * @param QosName its name
 * @returns 1
 * @example
 * ```ts
 * await WSCRemoveQOSTemplate('0C7B4E5D-5D53-4C5C-9E0B-000000000001', Buffer.from('G711')).catch((e) => e.code); // → WSAEINVAL
 * const flow = { TokenRate: 8000, TokenBucketSize: 1500, PeakBandwidth: 8000, Latency: 1, DelayVariation: 1, ServiceType: SERVICETYPE_BESTEFFORT, MaxSduSize: 1500, MinimumPolicedSize: 64 };
 * const qos = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
 * await WSCInstallQOSTemplate('0C7B4E5D-5D53-4C5C-9E0B-000000000001', Buffer.from('G711'), qos);
 * await WSCRemoveQOSTemplate('0C7B4E5D-5D53-4C5C-9E0B-000000000001', Buffer.from('G711')); // → 1
 * ```
 */
export const WSCRemoveQOSTemplate = promised('WSCRemoveQOSTemplate');
