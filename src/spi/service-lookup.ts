/**
 * Services by name or port, for the provider `Tcpip` (SVCID_INET_SERVICEBYNAME): `http/tcp`, `80/tcp`, or without a protocol.
 */

import { NS_DNS, packServent, querySet, SVCID_INET_SERVICEBYNAME, WSANO_DATA } from '../abi/index.ts';
import type { Question } from './host-lookup.ts';
import type { Found } from './name-lookup.ts';
import { TCPIP_NAME_SPACE_ID } from './name-space-ids.ts';
import { type ServiceTable, serventOf } from './services.ts';

export function findService(_question: Question, services: ServiceTable, text: string): Found {
  const slash = text.lastIndexOf('/');
  const name = slash < 0 ? text : text.slice(0, slash);
  const protocol = slash < 0 ? null : text.slice(slash + 1);
  const isPort = /^\d{1,5}$/.test(name);
  const entry = isPort ? services.byPort(Number(name), protocol) : services.byName(name, protocol);
  if (entry === null) return -WSANO_DATA;
  return [
    querySet({
      lpszServiceInstanceName: entry.name,
      lpServiceClassId: SVCID_INET_SERVICEBYNAME,
      dwNameSpace: NS_DNS,
      lpNSProviderId: TCPIP_NAME_SPACE_ID,
      lpBlob: packServent(serventOf(entry)),
    }),
  ];
}
