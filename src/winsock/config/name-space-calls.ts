/**
 * Installing, removing, switching and ordering name-space providers (9.3). As everywhere in the configuration, there is one catalog: the
 * functions of the 32-bit one are the same. Processes that have asked for a name keep what they have (NSP-RULE-08).
 */

import {
  WSAEACCES,
  WSAEFAULT,
  WSAEINVAL,
  type WSANAMESPACE_INFO,
  type WSANAMESPACE_INFOEX,
  WSANO_RECOVERY,
} from '../../abi/index.ts';
import { copyOrNull } from '../../base/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { applied, counted } from './arguments.ts';
import { errorValue } from './provider-calls.ts';

/** `dwVersion` of a provider with the functions of NSPv2. */
const VERSION_2 = 2;

/** @param lists lists name spaces, as the WSAEnum functions do */
export function nameSpaceConfigCalls(
  process: WinsockProcess,
  lists: {
    WSAEnumNameSpaceProviders(lpdwBufferLength: Ref | null, lpnspBuffer: WSANAMESPACE_INFO[] | null): Answer;
    WSAEnumNameSpaceProvidersEx(
      lpdwBufferLength: Ref | null,
      lpnspBuffer: WSANAMESPACE_INFOEX[] | null,
    ): Answer;
  },
) {
  const { catalogPort: port, profile } = process;
  // A caller without the right: Windows Mobile has one code for all that it refuses.
  const refused = (error: number): number =>
    error === -WSAEACCES && profile === 'windows-mobile' ? -WSANO_RECOVERY : error;

  const installEx = (
    lpszIdentifier: string | null,
    lpszPathName: string | null,
    dwNameSpace: number,
    dwVersion: number,
    lpProviderId: string | null,
    lpProviderInfo: Uint8Array | null,
    isV2: boolean,
  ): Answer => {
    if (lpszIdentifier === null || lpszPathName === null || lpProviderId === null) return -WSAEFAULT;
    const answer = applied(port, {
      kind: 'install-name-space',
      providerId: lpProviderId,
      identifier: lpszIdentifier,
      path: lpszPathName,
      dwNameSpace: dwNameSpace >>> 0,
      version: dwVersion >>> 0,
      isV2,
      blob: copyOrNull(lpProviderInfo),
    });
    return typeof answer === 'number' ? refused(answer) : answer.then(refused);
  };

  const install = (
    lpszIdentifier: string | null,
    lpszPathName: string | null,
    dwNameSpace: number,
    dwVersion: number,
    lpProviderId: string | null,
  ): Answer => installEx(lpszIdentifier, lpszPathName, dwNameSpace, dwVersion, lpProviderId, null, false);

  const installWithInfo = (
    lpszIdentifier: string | null,
    lpszPathName: string | null,
    dwNameSpace: number,
    dwVersion: number,
    lpProviderId: string | null,
    lpProviderInfo: Uint8Array | null = null,
  ): Answer =>
    installEx(
      lpszIdentifier,
      lpszPathName,
      dwNameSpace,
      dwVersion,
      lpProviderId,
      lpProviderInfo,
      dwVersion === VERSION_2,
    );

  const uninstall = (lpProviderId: string | null): Answer =>
    lpProviderId === null
      ? -WSAEFAULT
      : applied(port, { kind: 'uninstall-name-space', providerId: lpProviderId });

  const enable = (lpProviderId: string | null, fEnable: boolean): Answer =>
    lpProviderId === null
      ? -WSAEFAULT
      : applied(port, { kind: 'enable-name-space', providerId: lpProviderId, isActive: fEnable });

  /** The error is the result itself. */
  const order = (
    lpProviderId: readonly string[] | null,
    dwNumberOfEntries: number = lpProviderId?.length ?? 0,
  ): Answer => {
    const providerIds = counted(lpProviderId, dwNumberOfEntries);
    if (typeof providerIds === 'number') return WSAEINVAL;
    return errorValue(applied(port, { kind: 'write-name-space-order', providerIds }));
  };

  return {
    /** Adds a name-space provider at the end of the list, active. */
    WSCInstallNameSpace: install,
    /** The same: there is one catalog. */
    WSCInstallNameSpace32: install,
    /**
     * Likewise, with data of the provider's own. `dwVersion` 2 says that it has the functions of NSPv2.
     * @param lpProviderInfo what WSAEnumNameSpaceProvidersEx tells as `ProviderSpecific`
     */
    WSCInstallNameSpaceEx: installWithInfo,
    /** The same: there is one catalog. */
    WSCInstallNameSpaceEx32: installWithInfo,
    /** Removes a name-space provider. */
    WSCUnInstallNameSpace: uninstall,
    /** The same: there is one catalog. */
    WSCUnInstallNameSpace32: uninstall,
    /** Switches a name-space provider on or off: one that is off is listed and not asked. */
    WSCEnableNSProvider: enable,
    /** The same: there is one catalog. */
    WSCEnableNSProvider32: enable,
    /** Orders the name-space providers. @returns 0, or a WSA code above 0; WSAEINVAL unless the ids are all there are, each once */
    WSCWriteNameSpaceOrder: order,
    /** The same: there is one catalog. */
    WSCWriteNameSpaceOrder32: order,
    /** WSAEnumNameSpaceProviders. */
    WSCEnumNameSpaceProviders: lists.WSAEnumNameSpaceProviders,
    /** The same: there is one catalog. */
    WSCEnumNameSpaceProviders32: lists.WSAEnumNameSpaceProviders,
    /** WSAEnumNameSpaceProvidersEx. */
    WSCEnumNameSpaceProvidersEx: lists.WSAEnumNameSpaceProvidersEx,
    /** The same: there is one catalog. */
    WSCEnumNameSpaceProvidersEx32: lists.WSAEnumNameSpaceProvidersEx,
  };
}
