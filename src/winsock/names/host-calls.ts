/**
 * The BSD calls about hosts. They run as lookups with LUP_RETURN_BLOB, whose blob is a packed hostent (NSP-RULE-10).
 *
 * What C returns as a pointer to a structure of the thread's own is written into a reference here; the faces make of it what their
 * users expect.
 */

import {
  AF_INET,
  AF_INET6,
  type hostent,
  LUP_RETURN_BLOB,
  LUP_RETURN_NAME,
  readHostent,
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_HOSTADDRBYNAME,
  WSA_E_CANCELLED,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINTR,
  WSAEOPNOTSUPP,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSANOTINITIALISED,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../../abi/index.ts';
import { IpAddress, i32 } from '../../base/index.ts';
import { type Answer, NAMELESS_HOST, type NameSpaces, type Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { lookUp } from './lookup.ts';

export function hostCalls(process: WinsockProcess) {
  const { spaces } = process.naming;

  const hostName = async (name: Ref<string>, namelen: number): Promise<number> => {
    const own = await ownHostName(spaces);
    if (own.length + 1 > namelen) return -WSAEFAULT;
    name.value = own;
    return 0;
  };

  const getHostName = (name: Ref<string> | null, namelen: number): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    return name === null || namelen <= 0 ? -WSAEFAULT : hostName(name, namelen);
  };

  return {
    /** This host's name; one that gethostbyname can resolve. @param namelen room in characters, with the closing zero */
    gethostname: getHostName,
    /** The same in wide characters. */
    GetHostNameW: getHostName,

    /**
     * Calls this host something else, of Windows Mobile alone.
     * @param name letters, digits and hyphens @param namelen characters of it; a closing zero may be counted
     */
    sethostname(name: string | null, namelen: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (process.profile !== 'windows-mobile') return -WSAEOPNOTSUPP;
      if (name === null || namelen < 0 || namelen > name.length + 1) return -WSAEFAULT;
      return process.naming.names.rename(name.slice(0, namelen)).then((error) => (error === 0 ? 0 : -error));
    },

    /** The IPv4 addresses of a name; of this host for `null` and ''. */
    gethostbyname(name: string | null, result: Ref<hostent | null> | null): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (!result) return -WSAEFAULT;
      return hostByName(spaces, name).then((found) => told(found, result));
    },

    /** The names of an address. @param addr its bytes in network order */
    gethostbyaddr(
      addr: Uint8Array | null,
      len: number,
      type: number,
      result: Ref<hostent | null> | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (!result) return -WSAEFAULT;
      const address = addressOf(addr, len, type);
      if (typeof address === 'number') return address;
      return hostByAddress(spaces, address).then((found) => told(found, result));
    },
  };
}

/** A hostent or an error as a call tells it. */
function told(found: hostent | number, result: Ref<hostent | null>): number {
  result.value = typeof found === 'number' ? null : found;
  return typeof found === 'number' ? found : 0;
}

/** What gethostname says. */
export async function ownHostName(spaces: NameSpaces): Promise<string> {
  const found = await lookUp(spaces, { lpServiceClassId: SVCID_HOSTNAME }, LUP_RETURN_NAME);
  const name = typeof found === 'number' ? null : found[0]?.lpszServiceInstanceName;
  return name ?? NAMELESS_HOST;
}

/** What gethostbyname finds; minus a WSA code. */
export async function hostByName(
  spaces: NameSpaces,
  name: string | null,
  signal?: AbortSignal,
): Promise<hostent | number> {
  const question = {
    lpszServiceInstanceName: name ?? '',
    lpServiceClassId: SVCID_INET_HOSTADDRBYNAME,
    dwNumberOfProtocols: 1,
    lpafpProtocols: [{ iAddressFamily: AF_INET, iProtocol: 0 }],
  };
  return blobIn(await lookUp(spaces, question, LUP_RETURN_BLOB, signal));
}

/** What gethostbyaddr finds; minus a WSA code. */
export async function hostByAddress(
  spaces: NameSpaces,
  address: IpAddress,
  signal?: AbortSignal,
): Promise<hostent | number> {
  const question = {
    lpszServiceInstanceName: address.toString(),
    lpServiceClassId: SVCID_INET_HOSTADDRBYINETSTRING,
  };
  return blobIn(await lookUp(spaces, question, LUP_RETURN_BLOB, signal));
}

function blobIn(found: WSAQUERYSET[] | number): hostent | number {
  if (typeof found === 'number') return hostError(found);
  for (const { lpBlob } of found) {
    const host = lpBlob === null ? null : readHostent(lpBlob);
    if (host !== null) return host;
  }
  return -WSANO_RECOVERY;
}

/** What a lookup's failure is to the BSD calls, which know nothing of lookups. */
function hostError(answer: number): number {
  if (answer === -WSA_E_CANCELLED) return -WSAEINTR;
  return answer === -WSASERVICE_NOT_FOUND ? -WSANO_DATA : answer;
}

/** The address that a call is given; minus a WSA code for none. */
export function addressOf(addr: Uint8Array | null, len: number, type: number): IpAddress | number {
  if (type !== AF_INET && type !== AF_INET6) return -WSAEAFNOSUPPORT;
  const length = type === AF_INET ? 4 : 16;
  if (addr === null || len !== length || addr.length < length) return -WSAEFAULT;
  if (type === AF_INET) return IpAddress.v4(i32(addr, 0));
  return new IpAddress(6, i32(addr, 0), i32(addr, 4), i32(addr, 8), i32(addr, 12));
}
