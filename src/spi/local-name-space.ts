/**
 * The name-space provider of services that this process has registered itself (NS_TCPIP_LOCAL): nobody else sees them, and they go
 * with the process. It keeps service classes, and tells of changes (SIO_NSP_NOTIFY_CHANGE).
 */

import { LUP_CONTAINERS, WSA_NOT_ENOUGH_MEMORY, WSAEINVAL, WSASERVICE_NOT_FOUND } from '../abi/index.ts';
import { ClassStore } from './class-store.ts';
import { ChangeNotices } from './name-changes.ts';
import { Lookups } from './name-lookup.ts';
import type { NSPStartup } from './name-space.ts';
import { type NameSpaceCode, startupOf } from './name-space-startup.ts';
import { ServiceRegistry } from './service-registry.ts';

/** Classes of ws2_32's own questions: nothing of theirs is registered here. */
const NAME_QUERY = /^0002A80[0-3]-0000-0000-C000-000000000046$/i;

/** Makes the provider. */
export function createLocalNameSpace(): NSPStartup {
  return startupOf(localNameSpace);
}

function localNameSpace(): NameSpaceCode {
  const lookups = new Lookups();
  const notices = new ChangeNotices();
  const registry = new ServiceRegistry();
  const classes = new ClassStore();
  return {
    end() {
      lookups.endAll();
      notices.endAll();
    },

    NSPLookupServiceBegin(_id, restrictions, _classInfo, dwControlFlags, lphLookup) {
      const { lpServiceClassId, lpszContext } = restrictions;
      if (lpServiceClassId === null) return -WSAEINVAL;
      if (NAME_QUERY.test(lpServiceClassId)) return -WSASERVICE_NOT_FOUND;
      // There are no containers: only the default context and the top exist (NSP-RULE-03).
      if (lpszContext !== null && lpszContext !== '' && lpszContext !== '\\') return -WSAEINVAL;
      const wanted = { ...restrictions };
      const handle = lookups.begin(dwControlFlags, () =>
        (dwControlFlags & LUP_CONTAINERS) !== 0 ? [] : registry.find(wanted),
      );
      if (handle === 0) return -WSA_NOT_ENOUGH_MEMORY;
      notices.begin(handle);
      lphLookup.value = handle;
      return 0;
    },
    NSPLookupServiceNext: (hLookup, flags, length, results) => lookups.next(hLookup, flags, length, results),
    NSPLookupServiceEnd(hLookup) {
      notices.end(hLookup);
      return lookups.end(hLookup);
    },

    NSPSetService(_id, _classInfo, lpqsRegInfo, essOperation, dwControlFlags) {
      const answer = registry.set(lpqsRegInfo, essOperation, dwControlFlags);
      if (answer === 0) notices.changed();
      return answer;
    },

    NSPInstallServiceClass: (_id, info) => classes.install(info),
    NSPRemoveServiceClass: (_id, lpServiceClassId) => classes.remove(lpServiceClassId),
    NSPGetServiceClassInfo: (_id, lpdwBufSize, into) => classes.get(lpdwBufSize, into),
    NSPIoctl: (hLookup, code, _in, _cbIn, _out, _cbOut, lpcbBytesReturned, lpCompletion) =>
      notices.ioctl(hLookup, code, lpcbBytesReturned, lpCompletion),
  };
}
