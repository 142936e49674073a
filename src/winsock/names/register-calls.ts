/**
 * Registration of services and of classes of services in the name spaces (NSP-REG-*).
 */

import {
  type CSADDR_INFO,
  IPPROTO_TCP,
  NS_ALL,
  packWSASERVICECLASSINFO,
  parseGuid,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_DEREGISTER,
  RNRSERVICE_REGISTER,
  SERVICE_MULTIPLE,
  SOCK_STREAM,
  SVCID_TCP,
  type TextForm,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSANO_DATA,
  WSANOTINITIALISED,
  type WSAQUERYSET,
  WSAQUERYSET_LEN,
  type WSASERVICECLASSINFO,
  WSATYPE_NOT_FOUND,
} from '../../abi/index.ts';
import {
  type Answer,
  firstError,
  type Ref,
  type StartedNameSpace,
  type WSAOVERLAPPED,
} from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import type { LPLOOKUPSERVICE_COMPLETION_ROUTINE } from './addrinfo-ex-calls.ts';

export function registerCalls(process: WinsockProcess) {
  const { spaces } = process.naming;

  /** Tells every provider of a choice; one that takes it is enough. @returns else the first one's error */
  const tellAll = async (
    dwNameSpace: number,
    providerId: string | null,
    tell: (provider: StartedNameSpace) => Promise<number>,
  ): Promise<number> => {
    let error = 0;
    let isTaken = false;
    for (const entry of await spaces.matching(dwNameSpace, providerId)) {
      const provider = await spaces.start(entry);
      const answer = typeof provider === 'number' ? provider : await tell(provider);
      if (answer >= 0) isTaken = true;
      // That a static name space keeps nothing is the least of all news.
      else error = error === -WSAEOPNOTSUPP ? answer : firstError(error, answer);
    }
    if (isTaken) return 0;
    return error === 0 ? -WSANO_DATA : error;
  };

  const setService = (info: WSAQUERYSET, essOperation: number, dwControlFlags: number): Promise<number> =>
    tellAll(info.dwNameSpace, info.lpNSProviderId, (provider) =>
      provider.setService(info, essOperation, dwControlFlags),
    );

  /** What the first provider that knows a class says of it. */
  const findClass = async (
    providerId: string | null,
    classId: string,
  ): Promise<WSASERVICECLASSINFO | number> => {
    let error = -WSATYPE_NOT_FOUND;
    for (const entry of await spaces.matching(NS_ALL, providerId)) {
      const provider = await spaces.start(entry);
      const info = typeof provider === 'number' ? provider : await provider.classInfo(classId);
      if (typeof info !== 'number') return info;
      if (error === -WSATYPE_NOT_FOUND) error = firstError(error, info);
    }
    return error;
  };

  const getClassInfo = (
    lpProviderId: string | null,
    lpServiceClassId: string | null,
    lpdwBufSize: Ref | null,
    into: WSASERVICECLASSINFO | null,
    form: TextForm,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (lpdwBufSize === null || into === null) return -WSAEFAULT;
    if (!isGuid(lpProviderId) || !isGuid(lpServiceClassId)) return -WSAEINVAL;
    return findClass(lpProviderId, lpServiceClassId).then((found) => {
      if (typeof found === 'number') return found;
      const length = packWSASERVICECLASSINFO(found, form).length;
      if (lpdwBufSize.value < length) {
        lpdwBufSize.value = length;
        return -WSAEFAULT;
      }
      Object.assign(into, found);
      return 0;
    });
  };

  return {
    /** Registers a service, takes its addresses back, or deletes it: see RNRSERVICE_* and SERVICE_MULTIPLE. */
    WSASetService(lpqsRegInfo: WSAQUERYSET | null, essOperation: number, dwControlFlags: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpqsRegInfo === null) return -WSAEFAULT;
      const { dwSize, lpServiceClassId, lpszServiceInstanceName, lpNSProviderId } = lpqsRegInfo;
      const isOperation = [RNRSERVICE_REGISTER, RNRSERVICE_DEREGISTER, RNRSERVICE_DELETE].includes(
        essOperation,
      );
      if (dwSize !== WSAQUERYSET_LEN || !isOperation || (dwControlFlags & ~SERVICE_MULTIPLE) !== 0)
        return -WSAEINVAL;
      if (!isGuid(lpServiceClassId) || !lpszServiceInstanceName) return -WSAEINVAL;
      if (lpNSProviderId !== null && !isGuid(lpNSProviderId)) return -WSAEINVAL;
      return setService({ ...lpqsRegInfo }, essOperation, dwControlFlags);
    },

    /**
     * Registers a name with addresses in one name space, or takes it back when there are none.
     * @param dwNameSpace one; NS_ALL with a provider's id only
     */
    SetAddrInfoEx(
      pName: string | null,
      pServiceName: string | null,
      pAddresses: readonly Uint8Array[] | null,
      dwAddressCount: number,
      lpBlob: Uint8Array | null,
      dwFlags: number,
      dwNameSpace: number,
      lpNspId: string | null,
      timeout: unknown = null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE | null = null,
      lpNameHandle: Ref | null = null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const isReserved =
        timeout !== null || lpOverlapped !== null || lpCompletionRoutine !== null || lpNameHandle !== null;
      if (isReserved || !pName) return -WSAEINVAL;
      if (dwNameSpace === NS_ALL && lpNspId === null) return -WSAEINVAL;
      if (lpNspId !== null && !isGuid(lpNspId)) return -WSAEINVAL;
      const addresses = pAddresses ?? [];
      if (dwAddressCount < 0 || dwAddressCount > addresses.length) return -WSAEFAULT;
      const port = pServiceName === null ? 0 : portOf(process, pServiceName);
      if (port < 0) return port;
      const lpcsaBuffer = addresses.slice(0, dwAddressCount).map(
        (LocalAddr): CSADDR_INFO => ({
          LocalAddr,
          RemoteAddr: null,
          iSocketType: SOCK_STREAM,
          iProtocol: IPPROTO_TCP,
        }),
      );
      const info = querySet({
        lpszServiceInstanceName: pName,
        lpServiceClassId: SVCID_TCP(port),
        dwNameSpace,
        lpNSProviderId: lpNspId,
        dwNumberOfCsAddrs: lpcsaBuffer.length,
        lpcsaBuffer,
        lpBlob,
      });
      const operation = dwAddressCount > 0 ? RNRSERVICE_REGISTER : RNRSERVICE_DELETE;
      return setService(info, operation, dwFlags & SERVICE_MULTIPLE);
    },

    /** Makes a class of services known to every name space that keeps classes. */
    WSAInstallServiceClass(lpServiceClassInfo: WSASERVICECLASSINFO | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpServiceClassInfo === null) return -WSAEFAULT;
      const { lpServiceClassId, lpszServiceClassName } = lpServiceClassInfo;
      if (!isGuid(lpServiceClassId) || !lpszServiceClassName) return -WSAEINVAL;
      return tellAll(NS_ALL, null, (provider) => provider.installClass(lpServiceClassInfo));
    },

    /** Takes a class back. */
    WSARemoveServiceClass(lpServiceClassId: string | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpServiceClassId === null) return -WSAEFAULT;
      if (!isGuid(lpServiceClassId)) return -WSAEINVAL;
      return tellAll(NS_ALL, null, (provider) => provider.removeClass(lpServiceClassId));
    },

    /** What a provider knows of a class. @param lpdwBufSize bytes of room; of need with WSAEFAULT */
    WSAGetServiceClassInfo: (
      lpProviderId: string | null,
      lpServiceClassId: string | null,
      lpdwBufSize: Ref | null,
      lpServiceClassInfo: WSASERVICECLASSINFO | null,
    ): Answer => getClassInfo(lpProviderId, lpServiceClassId, lpdwBufSize, lpServiceClassInfo, 'W'),
    /** The same, counted in the A form. */
    WSAGetServiceClassInfoA: (
      lpProviderId: string | null,
      lpServiceClassId: string | null,
      lpdwBufSize: Ref | null,
      lpServiceClassInfo: WSASERVICECLASSINFO | null,
    ): Answer => getClassInfo(lpProviderId, lpServiceClassId, lpdwBufSize, lpServiceClassInfo, 'A'),

    /** The name of a class. @param lpdwBufferLength characters of room, with the closing zero; of need with WSAEFAULT */
    WSAGetServiceClassNameByClassId(
      lpServiceClassId: string | null,
      lpszServiceClassName: Ref<string> | null,
      lpdwBufferLength: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpdwBufferLength === null) return -WSAEFAULT;
      if (!isGuid(lpServiceClassId)) return -WSAEINVAL;
      return findClass(null, lpServiceClassId).then((found) => {
        if (typeof found === 'number') return found;
        const name = found.lpszServiceClassName ?? '';
        const room = lpdwBufferLength.value;
        lpdwBufferLength.value = name.length + 1;
        if (lpszServiceClassName === null || room < name.length + 1) return -WSAEFAULT;
        lpszServiceClassName.value = name;
        return 0;
      });
    },
  };
}

function isGuid(text: string | null): text is string {
  return text !== null && parseGuid(text) !== null;
}

function portOf(process: WinsockProcess, service: string): number {
  if (/^\d{1,5}$/.test(service)) return Number(service) <= 65535 ? Number(service) : -WSAEINVAL;
  return process.naming.services.byName(service, null)?.port ?? -WSATYPE_NOT_FOUND;
}
