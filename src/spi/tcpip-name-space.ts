/**
 * The name-space provider `Tcpip`: host names, addresses and DNS records by the resolver (`NamePort`), services by the services
 * database. What ws2_32's own name functions ask for (NSP-RULE-09, NSP-RULE-10).
 *
 * | class | `lpszServiceInstanceName` | result |
 * |---|---|---|
 * | SVCID_HOSTNAME | – | this host's name, its addresses |
 * | SVCID_INET_HOSTADDRBYNAME | a host; `null` or empty: this one | name, addresses, a packed hostent; aliases as results of their own |
 * | SVCID_INET_HOSTADDRBYINETSTRING | an address as text | the same of the host that has it |
 * | SVCID_INET_SERVICEBYNAME | `http/tcp`, `80/tcp`, `http` | a packed servent |
 * | SVCID_TCP(port, type), SVCID_UDP(…) | a name | type 0, A, AAAA: addresses at that port; SRV: where the service is; any other: one result a record |
 *
 * `lpafpProtocols` says which families: IPv4 alone unless it names AF_INET6, or LUP_DUAL_ADDR asks for both. DNS is a static name
 * space: but for services of the link (see `service-offers`) nothing can be registered in it (NSP-REG-05).
 */

import {
  portOfServiceClass,
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_HOSTADDRBYNAME,
  SVCID_INET_SERVICEBYNAME,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import type { NamePort } from '../port/index.ts';
import { RecordType } from './dns-names.ts';
import { findAddresses, findHostName, findNames } from './host-lookup.ts';
import { type FindResults, Lookups } from './name-lookup.ts';
import type { NSPStartup } from './name-space.ts';
import { type NameSpaceCode, startupOf } from './name-space-startup.ts';
import { findRecords } from './record-lookup.ts';
import { findService } from './service-lookup.ts';
import { ServiceOffers } from './service-offers.ts';
import type { ServiceTable } from './services.ts';

/** Makes the provider. */
export function createTcpipNameSpace(names: NamePort, services: ServiceTable): NSPStartup {
  return startupOf(() => codeOf(names, services));
}

function codeOf(names: NamePort, services: ServiceTable): NameSpaceCode {
  const lookups = new Lookups();
  const offers = new ServiceOffers(names);
  return {
    end() {
      lookups.endAll();
      offers.clear();
    },
    NSPLookupServiceBegin(_lpProviderId, restrictions, _classInfo, dwControlFlags, lphLookup) {
      const find = finderOf(names, services, restrictions, dwControlFlags);
      if (typeof find === 'number') return find;
      const handle = lookups.begin(dwControlFlags, find);
      if (handle === 0) return -WSA_NOT_ENOUGH_MEMORY;
      lphLookup.value = handle;
      return 0;
    },
    NSPLookupServiceNext: (hLookup, flags, length, results) => lookups.next(hLookup, flags, length, results),
    NSPLookupServiceEnd: (hLookup) => lookups.end(hLookup),
    NSPSetService: (_lpProviderId, _classInfo, info, essOperation) => offers.set(info, essOperation),
    NSPInstallServiceClass: () => -WSAEOPNOTSUPP,
    NSPRemoveServiceClass: () => -WSATYPE_NOT_FOUND,
    NSPGetServiceClassInfo: () => -WSATYPE_NOT_FOUND,
  };
}

/** What a question leads to; minus a WSA code for one that is not for this provider. */
function finderOf(
  names: NamePort,
  services: ServiceTable,
  restrictions: WSAQUERYSET,
  flags: number,
): FindResults | number {
  const { lpServiceClassId, lpszServiceInstanceName: name } = restrictions;
  if (lpServiceClassId === null) return -WSAEINVAL;
  const question = { names, restrictions: { ...restrictions }, flags };
  switch (lpServiceClassId.toUpperCase()) {
    case SVCID_HOSTNAME:
      return () => findHostName(question);
    case SVCID_INET_HOSTADDRBYNAME:
      return (signal) => findAddresses(question, null, 0, signal);
    case SVCID_INET_HOSTADDRBYINETSTRING:
      return name === null ? -WSAEINVAL : (signal) => findNames(question, name, signal);
    case SVCID_INET_SERVICEBYNAME:
      return name === null ? -WSAEINVAL : () => findService(question, services, name);
  }
  const place = portOfServiceClass(lpServiceClassId);
  if (place === null) return -WSASERVICE_NOT_FOUND;
  const { port, protocol, rrType } = place;
  if (rrType === 0) return (signal) => findAddresses(question, null, port, signal, protocol);
  if (name === null) return -WSAEINVAL;
  if (rrType === RecordType.A || rrType === RecordType.AAAA)
    return (signal) => findAddresses(question, [rrType], 0, signal, protocol);
  return (signal) => findRecords(question, name, rrType, signal);
}
