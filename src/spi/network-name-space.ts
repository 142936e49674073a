/**
 * The name-space provider of networks (NS_NLA): one result for each interface that has addresses. Its name is the host's domain, or
 * the interface's number where there is none; its addresses are the host's own there.
 */

import {
  IPPROTO_TCP,
  NLA_SERVICE_CLASS_GUID,
  NS_NLA,
  querySet,
  SOCK_STREAM,
  sockaddrOf,
  WSA_NOT_ENOUGH_MEMORY,
  WSAENETDOWN,
  WSAEOPNOTSUPP,
  WSASERVICE_NOT_FOUND,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import type { NamePort, OwnAddress } from '../port/index.ts';
import { type Found, Lookups } from './name-lookup.ts';
import type { NSPStartup } from './name-space.ts';
import { NLA_NAME_SPACE_ID } from './name-space-ids.ts';
import { type NameSpaceCode, startupOf } from './name-space-startup.ts';

/** Makes the provider. */
export function createNetworkNameSpace(names: NamePort): NSPStartup {
  return startupOf((): NameSpaceCode => {
    const lookups = new Lookups();
    return {
      end: () => lookups.endAll(),
      NSPLookupServiceBegin(_id, { lpServiceClassId }, _classInfo, dwControlFlags, lphLookup) {
        if (lpServiceClassId?.toUpperCase() !== NLA_SERVICE_CLASS_GUID) return -WSASERVICE_NOT_FOUND;
        const handle = lookups.begin(dwControlFlags, () => networksOf(names));
        if (handle === 0) return -WSA_NOT_ENOUGH_MEMORY;
        lphLookup.value = handle;
        return 0;
      },
      NSPLookupServiceNext: (hLookup, flags, length, results) =>
        lookups.next(hLookup, flags, length, results),
      NSPLookupServiceEnd: (hLookup) => lookups.end(hLookup),
      NSPSetService: () => -WSAEOPNOTSUPP,
      NSPInstallServiceClass: () => -WSAEOPNOTSUPP,
      NSPRemoveServiceClass: () => -WSATYPE_NOT_FOUND,
      NSPGetServiceClassInfo: () => -WSATYPE_NOT_FOUND,
    };
  });
}

async function networksOf(names: NamePort): Promise<Found> {
  const host = await names.host();
  if (host === null) return -WSAENETDOWN;
  const interfaces = new Map<number, OwnAddress[]>();
  for (const own of host.addresses) {
    interfaces.set(own.interfaceIndex, [...(interfaces.get(own.interfaceIndex) ?? []), own]);
  }
  return [...interfaces].map(([index, addresses]) =>
    querySet({
      lpszServiceInstanceName: host.domain === '' ? `interface ${index}` : host.domain,
      lpServiceClassId: NLA_SERVICE_CLASS_GUID,
      lpszComment: `interface ${index}`,
      dwNameSpace: NS_NLA,
      lpNSProviderId: NLA_NAME_SPACE_ID,
      dwNumberOfCsAddrs: addresses.length,
      lpcsaBuffer: addresses.map(({ address }) => ({
        LocalAddr: sockaddrOf(address, 0),
        RemoteAddr: null,
        iSocketType: SOCK_STREAM,
        iProtocol: IPPROTO_TCP,
      })),
    }),
  );
}
