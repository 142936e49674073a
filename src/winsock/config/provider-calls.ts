/**
 * Installing, changing, removing, ordering and listing transport providers (9.3). There is one catalog here: the functions of the 32-bit
 * catalog of Windows are the same as the others, and those that write both write it once (CFG-FAIL-08).
 *
 * None of them needs WSAStartup, and a running process keeps the catalog that it has (CFG-FAIL-05).
 */

import {
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
} from '../../abi/index.ts';
import type { CatalogSnapshot } from '../../port/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { applied, counted, looked, plainGuid } from './arguments.ts';

export function providerCalls(process: WinsockProcess) {
  const { catalogPort: port, profile } = process;
  const isMobile = profile === 'windows-mobile';

  const install = (
    lpProviderId: string | null,
    lpszProviderDllPath: string | null,
    lpProtocolInfoList: readonly WSAPROTOCOL_INFO[] | null,
    dwNumberOfEntries: number = lpProtocolInfoList?.length ?? 0,
  ): Answer => {
    const entries = counted(lpProtocolInfoList, dwNumberOfEntries);
    if (typeof entries === 'number') return entries;
    if (lpProviderId === null || lpszProviderDllPath === null) return -WSAEFAULT;
    // On Windows Mobile nothing can be ordered: the newest chain has to win by itself.
    const position = isMobile ? ({ position: 'front' } as const) : {};
    return applied(port, {
      kind: 'install-provider',
      providerId: lpProviderId,
      path: lpszProviderDllPath,
      entries,
      ...position,
    });
  };

  const installChains = (
    lpProviderId: string | null,
    lpszProviderDllPath: string | null,
    lpszLspName: string | null,
    dwServiceFlags: number,
    lpProtocolInfoList: readonly WSAPROTOCOL_INFO[] | null = null,
    dwNumberOfEntries: number = lpProtocolInfoList?.length ?? 0,
    lpdwCatalogEntryId: Ref | null = null,
  ): Answer => {
    if (lpProviderId === null) return -WSAEINVAL;
    if (lpszProviderDllPath === null || lpszLspName === null) return -WSAEFAULT;
    const over = lpProtocolInfoList === null ? null : counted(lpProtocolInfoList, dwNumberOfEntries);
    if (typeof over === 'number') return over;
    return applied(
      port,
      {
        kind: 'install-chains',
        providerId: lpProviderId,
        path: lpszProviderDllPath,
        name: lpszLspName,
        serviceFlags: dwServiceFlags >>> 0,
        over:
          over?.map(({ iAddressFamily, iSocketType, iProtocol }) => ({
            iAddressFamily,
            iSocketType,
            iProtocol,
          })) ?? null,
      },
      ({ ids }) => {
        if (lpdwCatalogEntryId !== null) lpdwCatalogEntryId.value = ids[0] ?? 0;
        return 0;
      },
    );
  };

  const update = (
    lpProviderId: string | null,
    lpszProviderDllPath: string | null,
    lpProtocolInfoList: readonly WSAPROTOCOL_INFO[] | null,
    dwNumberOfEntries: number = lpProtocolInfoList?.length ?? 0,
  ): Answer => {
    const entries = counted(lpProtocolInfoList, dwNumberOfEntries);
    if (typeof entries === 'number') return entries;
    if (lpProviderId === null || lpszProviderDllPath === null) return -WSAEFAULT;
    const path = lpszProviderDllPath;
    return applied(port, { kind: 'update-provider', providerId: lpProviderId, path, entries });
  };

  const deinstall = (lpProviderId: string | null): Answer =>
    lpProviderId === null
      ? -WSAEFAULT
      : applied(port, { kind: 'deinstall-provider', providerId: lpProviderId });

  /** The error is the result itself: 0, or a WSA code above 0. */
  const writeOrder = (
    lpwdCatalogEntryId: readonly number[] | null,
    dwNumberOfEntries: number = lpwdCatalogEntryId?.length ?? 0,
  ): Answer => {
    if (isMobile) return WSAEOPNOTSUPP;
    const ids = counted(lpwdCatalogEntryId, dwNumberOfEntries);
    if (typeof ids === 'number') return WSAEINVAL;
    return errorValue(applied(port, { kind: 'write-order', ids }));
  };

  const enumerate = (
    lpiProtocols: readonly number[] | null,
    lpProtocolBuffer: WSAPROTOCOL_INFO[] | null,
    lpdwBufferLength: Ref | null,
  ): Answer => {
    if (lpdwBufferLength === null) return -WSAEFAULT;
    const length = lpdwBufferLength;
    const zero = lpiProtocols?.indexOf(0) ?? -1;
    const wanted = zero < 0 ? lpiProtocols : (lpiProtocols?.slice(0, zero) ?? null);
    return looked(port, ({ entries }) => {
      const found = entries.filter(({ info }) => wanted === null || wanted.includes(info.iProtocol));
      const needed = found.length * WSAPROTOCOL_INFOW_LEN;
      const room = length.value;
      if (lpProtocolBuffer === null || room < needed) {
        length.value = needed;
        return -WSAENOBUFS;
      }
      lpProtocolBuffer.length = 0;
      lpProtocolBuffer.push(...found.map(({ info }) => info));
      return found.length;
    });
  };

  const providerPath = (
    lpProviderId: string | null,
    lpszProviderDllPath: Ref<string> | null,
    lpProviderDllPathLength: Ref | null,
  ): Answer => {
    if (lpProviderId === null || lpszProviderDllPath === null || lpProviderDllPathLength === null) {
      return -WSAEFAULT;
    }
    return looked(port, (snapshot) => {
      const path = pathOf(snapshot, lpProviderId);
      if (path === null) return -WSAEINVAL;
      const room = lpProviderDllPathLength.value;
      lpProviderDllPathLength.value = path.length + 1;
      if (room < path.length + 1) return -WSAEFAULT;
      lpszProviderDllPath.value = path;
      return 0;
    });
  };

  return {
    /**
     * Adds a provider's entries at the end of the catalog and gives them ids. Its module is not loaded, and its path is kept as it is.
     * Of the entries, `ProviderId` and `dwCatalogEntryId` are not read.
     */
    WSCInstallProvider: install,
    /** The same: there is one catalog. */
    WSCInstallProvider64_32: install,
    /**
     * Adds a layered provider: its hidden entry, and in front of all others a chain over the topmost entry of each triple of family, type and
     * protocol in the list; of all that base entries have without one.
     * @param lpdwCatalogEntryId gets the id of the hidden entry
     */
    WSCInstallProviderAndChains: installChains,
    /** The same: there is one catalog, and the path for 32-bit programs is not used. */
    WSCInstallProviderAndChains64_32: (
      lpProviderId: string | null,
      lpszProviderDllPath: string | null,
      _lpszProviderDllPath32: string | null,
      lpszLspName: string | null,
      dwServiceFlags: number,
      lpProtocolInfoList: readonly WSAPROTOCOL_INFO[] | null = null,
      dwNumberOfEntries: number = lpProtocolInfoList?.length ?? 0,
      lpdwCatalogEntryId: Ref | null = null,
    ): Answer =>
      installChains(
        lpProviderId,
        lpszProviderDllPath,
        lpszLspName,
        dwServiceFlags,
        lpProtocolInfoList,
        dwNumberOfEntries,
        lpdwCatalogEntryId,
      ),
    /** Removes every entry of a provider. Chains that name one of them stay, and are broken (CFG-FAIL-01). */
    WSCDeinstallProvider: deinstall,
    /** The same: there is one catalog. */
    WSCDeinstallProvider32: deinstall,
    /** Gives an installed provider another path and other entries; those that were there keep their ids and places. */
    WSCUpdateProvider: update,
    /** The same: there is one catalog. */
    WSCUpdateProvider32: update,
    /** Orders the catalog. @returns 0, or a WSA code above 0; WSAEINVAL unless the ids are all there are, each once */
    WSCWriteProviderOrder: writeOrder,
    /** The same: there is one catalog. */
    WSCWriteProviderOrder32: writeOrder,
    /**
     * Lists the catalog as it is kept now: layers and hidden entries too.
     * @param lpiProtocols protocol numbers, perhaps ended by a 0; `null`: all
     * @param lpProtocolBuffer gets the entries
     * @param lpdwBufferLength bytes that the buffer stands for, 628 an entry; then the bytes that are needed
     * @returns how many entries; WSAENOBUFS when they don't fit
     */
    WSCEnumProtocols: enumerate,
    /** The same: there is one catalog. */
    WSCEnumProtocols32: enumerate,
    /**
     * Where a provider was installed from, with the environment's strings as they were written; empty: it is built in.
     * @param lpProviderDllPathLength characters that there is room for, the ending zero among them; then those that are needed
     */
    WSCGetProviderPath: providerPath,
    /** The same: there is one catalog. */
    WSCGetProviderPath32: providerPath,
  };
}

/** An answer as the functions give it whose result is the error. */
export function errorValue(answer: Answer): Answer {
  return typeof answer === 'number' ? Math.abs(answer) : answer.then(Math.abs);
}

function pathOf({ entries }: CatalogSnapshot, providerId: string): string | null {
  const wanted = plainGuid(providerId);
  return entries.find(({ info }) => info.ProviderId === wanted)?.path ?? null;
}
