/**
 * The services and protocols databases. Services are asked for as lookups, so that other name spaces may know some; protocols are
 * read from the local list alone (NSP-RULE-10).
 */

import {
  LUP_RETURN_BLOB,
  type protoent,
  readServent,
  SVCID_INET_SERVICEBYNAME,
  type servent,
  WSAEFAULT,
  WSANO_DATA,
  WSANOTINITIALISED,
} from '../../abi/index.ts';
import { type Answer, type NameSpaces, protocolByName, protocolByNumber, type Ref } from '../../spi/index.ts';
import { ntohs } from '../byte-order.ts';
import type { WinsockProcess } from '../process.ts';
import { lookUp } from './lookup.ts';

export function serviceCalls(process: WinsockProcess) {
  const { spaces } = process.naming;

  const service = (question: string, result: Ref<servent | null> | null): Answer => {
    if (!result) return -WSAEFAULT;
    return serviceOf(spaces, question).then((found) => {
      result.value = typeof found === 'number' ? null : found;
      return typeof found === 'number' ? found : 0;
    });
  };

  const protocol = (found: protoent | null, result: Ref<protoent | null> | null): Answer => {
    if (!result) return -WSAEFAULT;
    result.value = found;
    return found === null ? -WSANO_DATA : 0;
  };

  return {
    /** The service of a name. @param proto `tcp`, `udp`; `null`: the first one there is */
    getservbyname(name: string | null, proto: string | null, result: Ref<servent | null> | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return name === null ? -WSAEFAULT : service(serviceQuestion(name, proto), result);
    },

    /** The service at a port. @param port in network order */
    getservbyport(port: number, proto: string | null, result: Ref<servent | null> | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return service(serviceQuestion(`${ntohs(port)}`, proto), result);
    },

    /** The protocol of a name. */
    getprotobyname(name: string | null, result: Ref<protoent | null> | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return name === null ? -WSAEFAULT : protocol(protocolByName(name), result);
    },

    /** The protocol of a number. */
    getprotobynumber(number: number, result: Ref<protoent | null> | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return protocol(protocolByNumber(number), result);
    },
  };
}

/** How a lookup names a service. */
export function serviceQuestion(name: string, proto: string | null): string {
  return proto === null || proto === undefined ? name : `${name}/${proto}`;
}

/** What getservbyname and getservbyport find; minus a WSA code. */
export async function serviceOf(
  spaces: NameSpaces,
  question: string,
  signal?: AbortSignal,
): Promise<servent | number> {
  const found = await lookUp(
    spaces,
    { lpszServiceInstanceName: question, lpServiceClassId: SVCID_INET_SERVICEBYNAME },
    LUP_RETURN_BLOB,
    signal,
  );
  if (typeof found === 'number') return found;
  const blob = found[0]?.lpBlob ?? null;
  return (blob === null ? null : readServent(blob)) ?? -WSANO_DATA;
}
