/**
 * The configuration functions of `winsockd/winsock`. They need no WSAStartup. Those of the 32-bit catalog of Windows are the same as the
 * others: there is one catalog.
 */

import { blocking, bounded, reporting } from './blocking-call.ts';
import { PACKED_ROOM } from './marshal-names.ts';

/** Installs a transport provider: its entries at the end of the catalog. */
export const WSCInstallProvider = blocking('WSCInstallProvider');
/** The same: there is one catalog. */
export const WSCInstallProvider64_32 = blocking('WSCInstallProvider64_32');
/** Installs a layered provider, and its chains in front of the catalog. */
export const WSCInstallProviderAndChains = blocking('WSCInstallProviderAndChains');
/** The same: there is one catalog. */
export const WSCInstallProviderAndChains64_32 = blocking('WSCInstallProviderAndChains64_32');
/** Removes every entry of a provider. */
export const WSCDeinstallProvider = blocking('WSCDeinstallProvider');
/** The same: there is one catalog. */
export const WSCDeinstallProvider32 = blocking('WSCDeinstallProvider32');
/** Gives a provider another path and other entries. */
export const WSCUpdateProvider = blocking('WSCUpdateProvider');
/** The same: there is one catalog. */
export const WSCUpdateProvider32 = blocking('WSCUpdateProvider32');
/** Orders the catalog. @returns the error itself, 0 none */
export const WSCWriteProviderOrder = reporting('WSCWriteProviderOrder');
/** The same: there is one catalog. */
export const WSCWriteProviderOrder32 = reporting('WSCWriteProviderOrder32');
/** Lists the catalog as it is kept now, layers and hidden entries too. */
export const WSCEnumProtocols = blocking('WSCEnumProtocols');
/** The same: there is one catalog. */
export const WSCEnumProtocols32 = blocking('WSCEnumProtocols32');
/** Where a provider was installed from. */
export const WSCGetProviderPath = blocking('WSCGetProviderPath');
/** The same: there is one catalog. */
export const WSCGetProviderPath32 = blocking('WSCGetProviderPath32');
/** What is known of a layered provider. */
export const WSCGetProviderInfo = blocking('WSCGetProviderInfo');
/** The same: there is one catalog. */
export const WSCGetProviderInfo32 = blocking('WSCGetProviderInfo32');
/** Says which categories a layered provider has. */
export const WSCSetProviderInfo = blocking('WSCSetProviderInfo');
/** The same: there is one catalog. */
export const WSCSetProviderInfo32 = blocking('WSCSetProviderInfo32');
/** Says which categories of layers an application permits. */
export const WSCSetApplicationCategory = blocking('WSCSetApplicationCategory');
/** Which categories of layers an application permits. */
export const WSCGetApplicationCategory = blocking('WSCGetApplicationCategory');
/** Keeps a template of quality of service. @returns 1, or 0 when it failed */
export const WSCInstallQOSTemplate = blocking('WSCInstallQOSTemplate');
/** Takes one away. @returns 1, or 0 when it failed */
export const WSCRemoveQOSTemplate = blocking('WSCRemoveQOSTemplate');
/** Installs a name-space provider. */
export const WSCInstallNameSpace = blocking('WSCInstallNameSpace');
/** The same: there is one catalog. */
export const WSCInstallNameSpace32 = blocking('WSCInstallNameSpace32');
/** Likewise, with data of its own. */
export const WSCInstallNameSpaceEx = blocking('WSCInstallNameSpaceEx');
/** The same: there is one catalog. */
export const WSCInstallNameSpaceEx32 = blocking('WSCInstallNameSpaceEx32');
/** Removes a name-space provider. */
export const WSCUnInstallNameSpace = blocking('WSCUnInstallNameSpace');
/** The same: there is one catalog. */
export const WSCUnInstallNameSpace32 = blocking('WSCUnInstallNameSpace32');
/** Switches a name-space provider on or off. */
export const WSCEnableNSProvider = blocking('WSCEnableNSProvider');
/** The same: there is one catalog. */
export const WSCEnableNSProvider32 = blocking('WSCEnableNSProvider32');
/** Orders the name-space providers. @returns the error itself, 0 none */
export const WSCWriteNameSpaceOrder = reporting('WSCWriteNameSpaceOrder');
/** The same: there is one catalog. */
export const WSCWriteNameSpaceOrder32 = reporting('WSCWriteNameSpaceOrder32');
/** Lists the name-space providers. */
export const WSCEnumNameSpaceProviders = bounded('WSCEnumNameSpaceProviders', 0, PACKED_ROOM);
/** The same: there is one catalog. */
export const WSCEnumNameSpaceProviders32 = bounded('WSCEnumNameSpaceProviders32', 0, PACKED_ROOM);
/** Likewise, with data of their own. */
export const WSCEnumNameSpaceProvidersEx = bounded('WSCEnumNameSpaceProvidersEx', 0, PACKED_ROOM);
/** The same: there is one catalog. */
export const WSCEnumNameSpaceProvidersEx32 = bounded('WSCEnumNameSpaceProvidersEx32', 0, PACKED_ROOM);
/** Makes a notification handle; with one, waits for the next change of the catalog. */
export const WSAProviderConfigChange = blocking('WSAProviderConfigChange');
