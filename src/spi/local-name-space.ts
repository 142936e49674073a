/**
 * The name-space provider of services that this process has registered itself (NS_TCPIP_LOCAL): nobody else sees them, and they go
 * with the process. It keeps service classes, and tells of changes (SIO_NSP_NOTIFY_CHANGE).
 */

import {
  LUP_CONTAINERS,
  packWSASERVICECLASSINFO,
  SIO_NSP_NOTIFY_CHANGE,
  WSA_E_CANCELLED,
  WSA_INVALID_HANDLE,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  WSASERVICE_NOT_FOUND,
  type WSASERVICECLASSINFO,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import { Lookups } from './name-lookup.ts';
import { type NSP_ROUTINE, NSP_ROUTINE_LEN, type NSPStartup } from './name-space.ts';
import { ServiceRegistry } from './service-registry.ts';
import type { Answer } from './types.ts';

/** Most classes that are kept. */
const CLASSES_MAX = 1024;
/** Classes of ws2_32's own questions: nothing of theirs is registered here. */
const NAME_QUERY = /^0002A80[0-3]-0000-0000-C000-000000000046$/i;

/** Makes the provider. */
export function createLocalNameSpace(): NSPStartup {
  return (_lpProviderId, lpnspRoutines) => {
    if ((lpnspRoutines.cbSize ?? NSP_ROUTINE_LEN) < NSP_ROUTINE_LEN) return -WSAEINVAL;
    const space = new LocalNameSpace();
    Object.assign(lpnspRoutines, space.routines);
    return 0;
  };
}

class LocalNameSpace {
  readonly #lookups = new Lookups();
  readonly #registry = new ServiceRegistry();
  readonly #classes = new Map<string, WSASERVICECLASSINFO>();
  /** Who waits for a change, by lookup; and the state of the registry that each lookup was told of last. */
  readonly #waiting = new Map<number, Set<(answer: number) => void>>();
  readonly #seen = new Map<number, number>();

  readonly routines: NSP_ROUTINE = {
    cbSize: NSP_ROUTINE_LEN,
    dwMajorVersion: 1,
    dwMinorVersion: 0,
    NSPCleanup: () => {
      this.#lookups.endAll();
      for (const handle of [...this.#waiting.keys()]) this.#wake(handle, -WSA_E_CANCELLED);
      return 0;
    },

    NSPLookupServiceBegin: (_id, restrictions, _classInfo, dwControlFlags, lphLookup) => {
      const { lpServiceClassId, lpszContext } = restrictions;
      if (lpServiceClassId === null) return -WSAEINVAL;
      if (NAME_QUERY.test(lpServiceClassId)) return -WSASERVICE_NOT_FOUND;
      // There are no containers: only the default context and the top exist (NSP-RULE-03).
      if (lpszContext !== null && lpszContext !== '' && lpszContext !== '\\') return -WSAEINVAL;
      const wanted = { ...restrictions };
      const handle = this.#lookups.begin(dwControlFlags, () =>
        (dwControlFlags & LUP_CONTAINERS) !== 0 ? [] : this.#registry.find(wanted),
      );
      if (handle === 0) return -WSA_NOT_ENOUGH_MEMORY;
      this.#seen.set(handle, this.#registry.version);
      lphLookup.value = handle;
      return 0;
    },
    NSPLookupServiceNext: (hLookup, flags, length, results) =>
      this.#lookups.next(hLookup, flags, length, results),
    NSPLookupServiceEnd: (hLookup) => {
      this.#seen.delete(hLookup);
      this.#wake(hLookup, -WSA_E_CANCELLED);
      return this.#lookups.end(hLookup);
    },

    NSPSetService: (_id, _classInfo, lpqsRegInfo, essOperation, dwControlFlags) => {
      const answer = this.#registry.set(lpqsRegInfo, essOperation, dwControlFlags);
      if (answer === 0) for (const handle of [...this.#waiting.keys()]) this.#wake(handle, 0);
      return answer;
    },

    NSPInstallServiceClass: (_id, info) => {
      const id = info.lpServiceClassId.toUpperCase();
      if (this.#classes.has(id)) return -WSAEALREADY;
      if (this.#classes.size >= CLASSES_MAX) return -WSA_NOT_ENOUGH_MEMORY;
      this.#classes.set(id, copyOf(info));
      return 0;
    },
    NSPRemoveServiceClass: (_id, lpServiceClassId) =>
      this.#classes.delete(lpServiceClassId.toUpperCase()) ? 0 : -WSATYPE_NOT_FOUND,
    NSPGetServiceClassInfo: (_id, lpdwBufSize, into) => {
      const found = this.#classes.get(into.lpServiceClassId.toUpperCase());
      if (found === undefined) return -WSATYPE_NOT_FOUND;
      const length = packWSASERVICECLASSINFO(found, 'W').length;
      if (lpdwBufSize.value < length) {
        lpdwBufSize.value = length;
        return -WSAEFAULT;
      }
      Object.assign(into, copyOf(found));
      return 0;
    },

    NSPIoctl: (hLookup, code, _in, _cbIn, _out, _cbOut, lpcbBytesReturned, lpCompletion) => {
      if (!this.#lookups.has(hLookup)) return -WSA_INVALID_HANDLE;
      if (code >>> 0 !== SIO_NSP_NOTIFY_CHANGE) return -WSAEOPNOTSUPP;
      lpcbBytesReturned.value = 0;
      return this.#changed(hLookup, lpCompletion !== null);
    },
  };

  /** Answers when something has changed since this lookup was told last; at once with WSAEWOULDBLOCK when only asking. */
  #changed(hLookup: number, isOnlyAsking: boolean): Answer {
    const { version } = this.#registry;
    if (this.#seen.get(hLookup) !== version) {
      this.#seen.set(hLookup, version);
      return 0;
    }
    if (isOnlyAsking) return -WSAEWOULDBLOCK;
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(hLookup) ?? new Set();
      waiting.add(resolve);
      this.#waiting.set(hLookup, waiting);
    });
  }

  #wake(hLookup: number, answer: number): void {
    const waiting = this.#waiting.get(hLookup);
    if (waiting === undefined) return;
    this.#waiting.delete(hLookup);
    if (answer === 0) this.#seen.set(hLookup, this.#registry.version);
    for (const resolve of waiting) resolve(answer);
  }
}

function copyOf(info: WSASERVICECLASSINFO): WSASERVICECLASSINFO {
  return {
    ...info,
    lpClassInfos: info.lpClassInfos.map((each) => ({ ...each, lpValue: each.lpValue.slice() })),
  };
}
