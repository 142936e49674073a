/**
 * Registered services and their addresses: what WSASetService writes (NSP-REG-01 … 04) and lookups find.
 */

import {
  COMP_NOTLESS,
  type CSADDR_INFO,
  NS_TCPIP_LOCAL,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_DEREGISTER,
  RNRSERVICE_REGISTER,
  SERVICE_MULTIPLE,
  sockaddrFamily,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEINVAL,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../abi/index.ts';
import { copyOrNull } from '../base/index.ts';
import type { Found } from './name-lookup.ts';
import { LOCAL_NAME_SPACE_ID } from './name-space-ids.ts';

/** Most services, and addresses and bytes of a blob of one. */
const SERVICES_MAX = 4096;
const BLOB_MAX = 32_768;
const ADDRESSES_MAX = 256;

export class ServiceRegistry {
  readonly #services = new Map<string, WSAQUERYSET>();

  /** Registers, deregisters or deletes. @returns 0 or minus a WSA code */
  set(info: WSAQUERYSET, essOperation: number, dwControlFlags: number): number {
    const { lpServiceClassId, lpszServiceInstanceName } = info;
    if (lpServiceClassId === null || !lpszServiceInstanceName) return -WSAEINVAL;
    const key = `${lpServiceClassId.toUpperCase()} ${lpszServiceInstanceName.toLowerCase()}`;
    const isMultiple = (dwControlFlags & SERVICE_MULTIPLE) !== 0;
    const known = this.#services.get(key);
    const given = (info.lpcsaBuffer ?? []).slice(0, info.dwNumberOfCsAddrs).map(copyOfEnd);
    switch (essOperation) {
      case RNRSERVICE_REGISTER: {
        if (known === undefined && this.#services.size >= SERVICES_MAX) return -WSA_NOT_ENOUGH_MEMORY;
        if ((info.lpBlob?.length ?? 0) > BLOB_MAX) return -WSA_NOT_ENOUGH_MEMORY;
        const before = isMultiple ? (known?.lpcsaBuffer ?? []) : [];
        const all = [...before, ...given.filter((end) => !before.some((each) => isSameEnd(each, end)))];
        if (all.length > ADDRESSES_MAX) return -WSA_NOT_ENOUGH_MEMORY;
        this.#services.set(key, this.#entry(isMultiple && known !== undefined ? known : info, all));
        break;
      }
      case RNRSERVICE_DEREGISTER: {
        if (known === undefined) return -WSASERVICE_NOT_FOUND;
        const left = isMultiple
          ? (known.lpcsaBuffer ?? []).filter((end) => !given.some((each) => isSameEnd(each, end)))
          : [];
        this.#services.set(key, this.#entry(known, left));
        break;
      }
      case RNRSERVICE_DELETE:
        if (!this.#services.delete(key)) return -WSASERVICE_NOT_FOUND;
        break;
      default:
        return -WSAEINVAL;
    }
    return 0;
  }

  /** The services that fit a question. */
  find(wanted: WSAQUERYSET): Found {
    const name = wanted.lpszServiceInstanceName?.toLowerCase() ?? '';
    const results: WSAQUERYSET[] = [];
    for (const service of this.#services.values()) {
      if (service.lpServiceClassId !== wanted.lpServiceClassId?.toUpperCase()) continue;
      if (name !== '' && service.lpszServiceInstanceName?.toLowerCase() !== name) continue;
      if (!hasVersion(service, wanted)) continue;
      const ends = (service.lpcsaBuffer ?? []).filter((end) => isOfProtocols(end, wanted));
      if (ends.length === 0 && (service.lpcsaBuffer ?? []).length > 0) continue;
      results.push({ ...service, dwNumberOfCsAddrs: ends.length, lpcsaBuffer: ends.map(asRemote) });
    }
    return results.length === 0 ? -WSASERVICE_NOT_FOUND : results;
  }

  #entry(info: WSAQUERYSET, ends: CSADDR_INFO[]): WSAQUERYSET {
    return querySet({
      lpszServiceInstanceName: info.lpszServiceInstanceName,
      lpServiceClassId: info.lpServiceClassId?.toUpperCase() ?? null,
      lpVersion: info.lpVersion === null ? null : { ...info.lpVersion },
      lpszComment: info.lpszComment,
      dwNameSpace: NS_TCPIP_LOCAL,
      lpNSProviderId: LOCAL_NAME_SPACE_ID,
      dwNumberOfCsAddrs: ends.length,
      lpcsaBuffer: ends,
      lpBlob: copyOrNull(info.lpBlob),
    });
  }
}

function copyOfEnd(end: CSADDR_INFO): CSADDR_INFO {
  return { ...end, LocalAddr: copyOrNull(end.LocalAddr), RemoteAddr: copyOrNull(end.RemoteAddr) };
}

/** What a service binds is what its clients connect to. */
function asRemote(end: CSADDR_INFO): CSADDR_INFO {
  return { ...end, LocalAddr: null, RemoteAddr: copyOrNull(end.RemoteAddr ?? end.LocalAddr) };
}

function isSameEnd(a: CSADDR_INFO, b: CSADDR_INFO): boolean {
  return (
    a.iSocketType === b.iSocketType &&
    a.iProtocol === b.iProtocol &&
    isSame(a.LocalAddr, b.LocalAddr) &&
    isSame(a.RemoteAddr, b.RemoteAddr)
  );
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function hasVersion({ lpVersion }: WSAQUERYSET, wanted: WSAQUERYSET): boolean {
  if (wanted.lpVersion === null) return true;
  const { dwVersion, ecHow } = wanted.lpVersion;
  if (lpVersion === null) return false;
  return ecHow === COMP_NOTLESS ? lpVersion.dwVersion >= dwVersion : lpVersion.dwVersion === dwVersion;
}

/** Without protocols in the question any will do. */
function isOfProtocols(end: CSADDR_INFO, wanted: WSAQUERYSET): boolean {
  const protocols = (wanted.lpafpProtocols ?? []).slice(0, wanted.dwNumberOfProtocols);
  const address = end.RemoteAddr ?? end.LocalAddr;
  const family = address === null ? -1 : sockaddrFamily(address);
  return (
    protocols.length === 0 ||
    protocols.some((each) => each.iAddressFamily === family && each.iProtocol === end.iProtocol)
  );
}
