/**
 * Host names to addresses and back, for the provider `Tcpip`: what the resolver says, as results of a lookup.
 */

import {
  AF_INET,
  AF_INET6,
  type CSADDR_INFO,
  type hostent,
  IPPROTO_TCP,
  IPPROTO_UDP,
  LUP_ADDRCONFIG,
  LUP_DNS_ONLY,
  LUP_DUAL_ADDR,
  LUP_FLUSHCACHE,
  LUP_RETURN_ALIASES,
  NS_DNS,
  packHostent,
  querySet,
  RESULT_IS_ALIAS,
  SOCK_DGRAM,
  SOCK_STREAM,
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_HOSTADDRBYNAME,
  sockaddrOf,
  WSAHOST_NOT_FOUND,
  WSANO_DATA,
  WSANO_RECOVERY,
  type WSAQUERYSET,
} from '../abi/index.ts';
import { IpAddress, putI32 } from '../base/index.ts';
import {
  type NameAnswer,
  NameFlag,
  NameOrigin,
  type NamePort,
  type NameQueryOptions,
} from '../port/index.ts';
import { RecordType } from './dns-names.ts';
import { parseHistoricalIpv4 } from './inet-text.ts';
import type { Found } from './name-lookup.ts';
import { TCPIP_NAME_SPACE_ID } from './name-space-ids.ts';

/** A lookup's question, and who is asked. */
export interface Question {
  readonly names: NamePort;
  readonly restrictions: WSAQUERYSET;
  readonly flags: number;
}

/** What gethostname gives where no name was configured: one that can always be resolved. */
export const NAMELESS_HOST = 'localhost';
/** All addresses of this host, as getaddrinfo and WSALookupServiceBegin name it. */
export const LOCAL_MACHINE = '..localmachine';
/** Most addresses of one result: a packed result stays below 64 KB. */
const ADDRESSES_MAX = 256;

/** SVCID_HOSTNAME. */
export async function findHostName({ names }: Question): Promise<Found> {
  const host = await names.host();
  const name = host === null || host.name === '' ? NAMELESS_HOST : host.name;
  const addresses = (host?.addresses ?? []).map(({ address }) => address);
  return [hostResult(SVCID_HOSTNAME, name, addresses, 0, 'tcp')];
}

/**
 * Addresses of a host.
 * @param types DNS types; `null`: as the question's families say
 * @param port of the sockaddrs
 */
export async function findAddresses(
  question: Question,
  types: readonly number[] | null,
  port: number,
  signal: AbortSignal,
  protocol: 'tcp' | 'udp' = 'tcp',
): Promise<Found> {
  const { names, restrictions, flags } = question;
  const wanted = types ?? typesOf(restrictions, flags);
  const name = restrictions.lpszServiceInstanceName ?? '';
  const classId = restrictions.lpServiceClassId ?? SVCID_INET_HOSTADDRBYNAME;
  const result = (host: string, addresses: readonly IpAddress[]): WSAQUERYSET =>
    hostResult(classId, host, shaped(addresses, flags), port, protocol);
  const numeric = numericAddress(name);
  if (numeric !== null) {
    const isWanted = wanted.includes(numeric.family === 4 ? RecordType.A : RecordType.AAAA);
    return isWanted ? [result(name, [numeric])] : -WSAHOST_NOT_FOUND;
  }
  if (name === '' || name.toLowerCase() === LOCAL_MACHINE) {
    const host = await names.host();
    if (host === null) return -WSANO_RECOVERY;
    const own = ofTypes(
      host.addresses.map(({ address }) => address),
      wanted,
    );
    const hostName = host.name === '' ? NAMELESS_HOST : host.name;
    // A host without a network still has itself.
    return [result(hostName, own.length > 0 ? own : loopbackOf(wanted))];
  }
  const answer = await names.resolve({ name, types: wanted, ...optionsOf(flags) }, signal);
  if (answer.status !== 'found') return -(answer.error === 0 ? WSANO_DATA : answer.error);
  const addresses = answer.records.flatMap((record) => (record.kind === 'address' ? record.address : []));
  if (addresses.length === 0) return -WSANO_DATA;
  const host = answer.canonicalName === '' ? name : answer.canonicalName;
  const aliases = aliasesOf(answer, host);
  const found = result(host, addresses);
  found.lpszQueryString = answer.name;
  found.lpBlob = packHostent(hostentOf(host, aliases, shaped(addresses, flags)));
  return (flags & LUP_RETURN_ALIASES) === 0
    ? [found]
    : [found, ...aliases.map((alias) => aliasResult(classId, alias))];
}

/** SVCID_INET_HOSTADDRBYINETSTRING. */
export async function findNames(
  { names, flags }: Question,
  text: string,
  signal: AbortSignal,
): Promise<Found> {
  const address = numericAddress(text);
  if (address === null) return -WSAHOST_NOT_FOUND;
  const answer = await names.reverse(address.unmapped(), optionsOf(flags), signal);
  if (answer.status !== 'found') return -(answer.error === 0 ? WSANO_DATA : answer.error);
  const found = answer.records.flatMap((record) =>
    record.kind === 'name' && record.type === RecordType.PTR ? record.target : [],
  );
  const [name, ...others] = found;
  if (name === undefined) return -WSANO_DATA;
  const result = hostResult(SVCID_INET_HOSTADDRBYINETSTRING, name, [address], 0, 'tcp');
  result.lpBlob = packHostent(hostentOf(name, others, [address]));
  return [result];
}

/** Which records a question's families stand for. */
function typesOf({ lpafpProtocols, dwNumberOfProtocols }: WSAQUERYSET, flags: number): number[] {
  const families = (lpafpProtocols ?? []).slice(0, dwNumberOfProtocols).map((each) => each.iAddressFamily);
  const isDual = (flags & LUP_DUAL_ADDR) !== 0;
  const hasV6 = isDual || families.includes(AF_INET6);
  const hasV4 = isDual || families.includes(AF_INET) || !hasV6;
  return [...(hasV6 ? [RecordType.AAAA] : []), ...(hasV4 ? [RecordType.A] : [])];
}

/** How the resolver is to be asked. */
export function optionsOf(flags: number): NameQueryOptions {
  let origins: number = NameOrigin.all;
  if ((flags & LUP_DNS_ONLY) !== 0) origins &= ~(NameOrigin.mdns | NameOrigin.llmnr | NameOrigin.hosts);
  if ((flags & LUP_FLUSHCACHE) !== 0) origins &= ~NameOrigin.cache;
  return { origins, flags: (flags & LUP_ADDRCONFIG) !== 0 ? NameFlag.addressConfig : 0 };
}

/** LUP_DUAL_ADDR gives IPv4 addresses as v4-mapped ones. */
function shaped(addresses: readonly IpAddress[], flags: number): readonly IpAddress[] {
  return (flags & LUP_DUAL_ADDR) === 0 ? addresses : addresses.map((address) => address.mapped());
}

function ofTypes(addresses: readonly IpAddress[], types: readonly number[]): IpAddress[] {
  return addresses.filter(({ family }) => types.includes(family === 4 ? RecordType.A : RecordType.AAAA));
}

function loopbackOf(types: readonly number[]): IpAddress[] {
  return ofTypes([IpAddress.loopbackV6, IpAddress.loopbackV4], types);
}

/** An address in any form that Winsock reads. */
export function numericAddress(text: string): IpAddress | null {
  if (text.includes(':')) return IpAddress.parse(text);
  const word = text === '' ? -1 : parseHistoricalIpv4(text);
  return word < 0 ? null : IpAddress.v4(word);
}

/** The other names that led to the one that has the addresses. */
function aliasesOf({ records, name }: NameAnswer, canonicalName: string): string[] {
  const fold = (text: string): string => text.toLowerCase();
  const chain = [name, ...records.flatMap((record) => (record.type === RecordType.CNAME ? record.name : []))];
  return chain.filter(
    (alias, i) =>
      fold(alias) !== fold(canonicalName) && chain.findIndex((each) => fold(each) === fold(alias)) === i,
  );
}

/** A hostent has addresses of one family: that of the first one. */
export function hostentOf(h_name: string, h_aliases: string[], addresses: readonly IpAddress[]): hostent {
  const family = addresses[0]?.family ?? 4;
  return {
    h_name,
    h_aliases,
    h_addrtype: family === 4 ? AF_INET : AF_INET6,
    h_length: family === 4 ? 4 : 16,
    h_addr_list: addresses
      .filter((address) => address.family === family)
      .slice(0, ADDRESSES_MAX)
      .map(bytesOf),
  };
}

/** The 4 or 16 bytes of an address. */
export function bytesOf(address: IpAddress): Uint8Array {
  const words = address.family === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3];
  const bytes = new Uint8Array(4 * words.length);
  for (const [i, word] of words.entries()) putI32(bytes, 4 * i, word);
  return bytes;
}

function hostResult(
  lpServiceClassId: string,
  name: string,
  addresses: readonly IpAddress[],
  port: number,
  protocol: 'tcp' | 'udp',
): WSAQUERYSET {
  const lpcsaBuffer = addresses.slice(0, ADDRESSES_MAX).map((address) => endOf(address, port, protocol));
  return querySet({
    lpszServiceInstanceName: name,
    lpServiceClassId,
    dwNameSpace: NS_DNS,
    lpNSProviderId: TCPIP_NAME_SPACE_ID,
    dwNumberOfCsAddrs: lpcsaBuffer.length,
    lpcsaBuffer,
    lpBlob: packHostent(hostentOf(name, [], addresses)),
  });
}

function aliasResult(lpServiceClassId: string, name: string): WSAQUERYSET {
  return querySet({
    lpszServiceInstanceName: name,
    lpServiceClassId,
    dwNameSpace: NS_DNS,
    lpNSProviderId: TCPIP_NAME_SPACE_ID,
    dwOutputFlags: RESULT_IS_ALIAS,
  });
}

/** Where to connect to; any local address of the same family will do. */
export function endOf(address: IpAddress, port: number, protocol: 'tcp' | 'udp'): CSADDR_INFO {
  const isTcp = protocol === 'tcp';
  return {
    LocalAddr: sockaddrOf(address.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6, 0),
    RemoteAddr: sockaddrOf(address, port),
    iSocketType: isTcp ? SOCK_STREAM : SOCK_DGRAM,
    iProtocol: isTcp ? IPPROTO_TCP : IPPROTO_UDP,
  };
}
