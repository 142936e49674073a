/**
 * getaddrinfo's work after its checks: this host, a numeric address, or a lookup in the name spaces (SEM-GAI-04 … 08).
 */

import {
  AF_INET,
  AF_INET6,
  AI_ADDRCONFIG,
  AI_ALL,
  AI_CANONNAME,
  AI_DISABLE_IDN_ENCODING,
  AI_DNS_ONLY,
  AI_FILESERVER,
  AI_FQDN,
  AI_NON_AUTHORITATIVE,
  AI_NUMERICHOST,
  AI_PASSIVE,
  AI_RETURN_PREFERRED_NAMES,
  AI_SECURE,
  AI_V4MAPPED,
  EAI_NONAME,
  LUP_ADDRCONFIG,
  LUP_DISABLE_IDN_ENCODING,
  LUP_DNS_ONLY,
  LUP_FILESERVER,
  LUP_NON_AUTHORITATIVE,
  LUP_RETURN_ADDR,
  LUP_RETURN_NAME,
  LUP_RETURN_PREFERRED_NAMES,
  LUP_RETURN_QUERY_STRING,
  LUP_SECURE,
  readSockaddr,
  SVCID_INET_HOSTADDRBYNAME,
  WSANO_DATA,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../../abi/index.ts';
import { IpAddress } from '../../base/index.ts';
import { type NameSpaces, numericAddress } from '../../spi/index.ts';
import type { AddressQuestion } from './addrinfo-hints.ts';
import { lookUp } from './lookup.ts';

/** What a question came to. */
export interface Resolved {
  readonly addresses: readonly IpAddress[];
  /** What goes into the first result's `ai_canonname`, when it was asked for. */
  readonly canonicalName: string | null;
  /** The name space that it is from; `null`: nobody was asked. */
  readonly providerId: string | null;
}

/** Which name spaces to ask. */
export interface Scope {
  readonly dwNameSpace: number;
  readonly lpNspId: string | null;
}

/** Most addresses of an answer. */
const ADDRESSES_MAX = 256;

/** How flags of getaddrinfo are told to name spaces. */
const LOOKUP_FLAGS: readonly (readonly [flag: number, lookup: number])[] = [
  [AI_ADDRCONFIG, LUP_ADDRCONFIG],
  [AI_DNS_ONLY, LUP_DNS_ONLY],
  [AI_NON_AUTHORITATIVE, LUP_NON_AUTHORITATIVE],
  [AI_SECURE, LUP_SECURE],
  [AI_RETURN_PREFERRED_NAMES, LUP_RETURN_PREFERRED_NAMES],
  [AI_FILESERVER, LUP_FILESERVER],
  [AI_DISABLE_IDN_ENCODING, LUP_DISABLE_IDN_ENCODING],
];

/** Addresses of a question; minus a WSA code. At once unless a name has to be asked for. */
export function resolve(
  spaces: NameSpaces,
  question: AddressQuestion,
  scope: Scope,
  signal?: AbortSignal,
): Resolved | number | Promise<Resolved | number> {
  const { node, flags } = question;
  if (node === null) {
    const isPassive = (flags & AI_PASSIVE) !== 0;
    const addresses = isPassive
      ? [IpAddress.anyV6, IpAddress.anyV4]
      : [IpAddress.loopbackV6, IpAddress.loopbackV4];
    return here(addresses.filter((address) => hasFamily(question, address)));
  }
  const numeric = numericAddress(node);
  if (numeric !== null) {
    const isMapped = numeric.family === 4 && question.family === AF_INET6 && (flags & AI_V4MAPPED) !== 0;
    if (!isMapped && !hasFamily(question, numeric)) return -EAI_NONAME;
    return here([isMapped ? numeric.mapped() : numeric], isNamed(flags) ? node : null);
  }
  if ((flags & AI_NUMERICHOST) !== 0) return -EAI_NONAME;
  return ask(spaces, node, question, scope, signal);
}

function here(addresses: readonly IpAddress[], canonicalName: string | null = null): Resolved {
  return { addresses, canonicalName, providerId: null };
}

function hasFamily({ family }: AddressQuestion, address: IpAddress): boolean {
  return family === 0 || family === (address.family === 4 ? AF_INET : AF_INET6);
}

function isNamed(flags: number): boolean {
  return (flags & (AI_CANONNAME | AI_FQDN)) !== 0;
}

async function ask(
  spaces: NameSpaces,
  node: string,
  question: AddressQuestion,
  { dwNameSpace, lpNspId }: Scope,
  signal: AbortSignal | undefined,
): Promise<Resolved | number> {
  const { family, flags } = question;
  const lookupFlags = LOOKUP_FLAGS.reduce(
    (all, [flag, lookup]) => ((flags & flag) === 0 ? all : all | lookup),
    LUP_RETURN_ADDR | LUP_RETURN_NAME | LUP_RETURN_QUERY_STRING,
  );
  const lookFor = async (...families: number[]): Promise<Resolved | number> => {
    const found = await lookUp(
      spaces,
      {
        lpszServiceInstanceName: node,
        lpServiceClassId: SVCID_INET_HOSTADDRBYNAME,
        dwNameSpace,
        lpNSProviderId: lpNspId,
        dwNumberOfProtocols: families.length,
        lpafpProtocols: families.map((iAddressFamily) => ({ iAddressFamily, iProtocol: 0 })),
      },
      lookupFlags,
      signal,
    );
    if (typeof found === 'number') return found === -WSASERVICE_NOT_FOUND ? -EAI_NONAME : found;
    return readResults(found, families, flags);
  };
  if (family !== AF_INET6 || (flags & AI_V4MAPPED) === 0) {
    return family === 0 ? lookFor(AF_INET6, AF_INET) : lookFor(family);
  }
  // Both at once keeps their order (RFC 6724); IPv4 alone is asked for only where there is no IPv6.
  if ((flags & AI_ALL) !== 0) return mapped(await lookFor(AF_INET6, AF_INET));
  const native = await lookFor(AF_INET6);
  return native === -WSANO_DATA || native === -EAI_NONAME ? mapped(await lookFor(AF_INET)) : native;
}

function mapped(found: Resolved | number): Resolved | number {
  if (typeof found === 'number') return found;
  return { ...found, addresses: found.addresses.map((address) => address.mapped()) };
}

function readResults(
  results: readonly WSAQUERYSET[],
  families: readonly number[],
  flags: number,
): Resolved | number {
  const addresses: IpAddress[] = [];
  for (const { lpcsaBuffer } of results) {
    for (const { RemoteAddr } of lpcsaBuffer ?? []) {
      const address = RemoteAddr === null ? undefined : readSockaddr(RemoteAddr)?.address;
      if (address === undefined || !families.includes(address.family === 4 ? AF_INET : AF_INET6)) continue;
      if (addresses.length >= ADDRESSES_MAX) break;
      if (!addresses.some((each) => each.equals(address))) addresses.push(address);
    }
  }
  const [first] = results;
  if (addresses.length === 0 || first === undefined) return -WSANO_DATA;
  const { lpszServiceInstanceName, lpszQueryString, lpNSProviderId } = first;
  // A short name of the hosts file is in full what stands first there.
  const fullName = lpszQueryString?.includes('.') === true ? lpszQueryString : lpszServiceInstanceName;
  return {
    addresses,
    canonicalName: isNamed(flags) ? ((flags & AI_FQDN) !== 0 ? fullName : lpszServiceInstanceName) : null,
    providerId: lpNSProviderId,
  };
}
