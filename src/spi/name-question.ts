/**
 * Questions and results of a name space that `defineNameSpace` makes: what is in query sets, without their layout.
 */

import {
  AF_INET,
  AF_INET6,
  type CSADDR_INFO,
  LUP_RETURN_ALIASES,
  packHostent,
  querySet,
  RESULT_IS_ALIAS,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_HOSTADDRBYNAME,
  type WSAQUERYSET,
  type WSAQUERYSET2,
} from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { endOf, hostentOf } from './host-lookup.ts';

/** What is asked for. */
export interface NameQuestion<Session = undefined> {
  /** `lpszServiceInstanceName`; `''`: none, which asks for everything of a class, or for this host. */
  readonly name: string;
  /** `lpServiceClassId` in upper case: SVCID_INET_HOSTADDRBYNAME, SVCID_TCP(port), a class of yours. `null` in version 2, which has none. */
  readonly classId: string | null;
  /** `lpszContext`: where to start; `''`: the default, `'\\'`: the top (NSP-RULE-03). */
  readonly context: string;
  /** LUP_*. */
  readonly flags: number;
  /** Families that are asked for; none named: any. Addresses of others are left out by themselves. */
  readonly families: readonly (4 | 6)[];
  /** The whole question. */
  readonly restrictions: WSAQUERYSET2;
  /** Aborts when the lookup is ended. */
  readonly signal: AbortSignal;
  /** What `open` made for this client, in version 2. */
  readonly session: Session | undefined;
}

/** Where something is. */
export interface NameAddress {
  /** An IPv4 or IPv6 address; what is none is an error of the provider. */
  readonly address: string | IpAddress;
  readonly port?: number;
  readonly protocol?: 'tcp' | 'udp';
}

/** One result. */
export interface NameResult {
  /** Absent: the name that was asked for. */
  readonly name?: string;
  readonly addresses?: readonly NameAddress[];
  readonly comment?: string;
  /** `lpszQueryString`. */
  readonly queryString?: string;
  /** `lpBlob`; absent: of a host, the hostent that gethostbyname wants. */
  readonly blob?: Uint8Array;
  /** Another name of what came before: handed out where LUP_RETURN_ALIASES asks for it. */
  readonly isAlias?: boolean;
  /** Anything else that the query set is to have. */
  readonly members?: Partial<WSAQUERYSET>;
}

/** The question in a query set. */
export function questionOf<Session>(
  restrictions: WSAQUERYSET2,
  classId: string | null,
  flags: number,
  signal: AbortSignal,
  session: Session | undefined,
): NameQuestion<Session> {
  const protocols = (restrictions.lpafpProtocols ?? []).slice(0, restrictions.dwNumberOfProtocols);
  const families = protocols.map(({ iAddressFamily }) => iAddressFamily);
  return {
    name: restrictions.lpszServiceInstanceName ?? '',
    classId: classId?.toUpperCase() ?? null,
    context: restrictions.lpszContext ?? '',
    flags,
    families: [
      ...(families.includes(AF_INET6) ? ([6] as const) : []),
      ...(families.includes(AF_INET) ? ([4] as const) : []),
    ],
    restrictions,
    signal,
    session,
  };
}

/** A result as a query set; `null` for one that was not asked for: an alias, or addresses of other families alone. */
export function resultSet<Session>(
  { name, classId, flags, families }: NameQuestion<Session>,
  result: NameResult,
  dwNameSpace: number,
  lpNSProviderId: string,
): WSAQUERYSET | null {
  const isAlias = result.isAlias === true;
  if (isAlias && (flags & LUP_RETURN_ALIASES) === 0) return null;
  const all = (result.addresses ?? []).map((each) => ({ ...each, address: addressOf(each.address) }));
  const wanted = all.filter(({ address }) => families.length === 0 || families.includes(address.family));
  if (all.length > 0 && wanted.length === 0) return null;
  const host = result.name ?? name;
  const lpcsaBuffer = wanted.map(
    ({ address, port = 0, protocol = 'tcp' }): CSADDR_INFO => endOf(address, port, protocol),
  );
  const isHost = wanted.length > 0 && (classId === null || HOSTS.includes(classId));
  const addresses = wanted.map(({ address }) => address);
  return querySet({
    lpszServiceInstanceName: host,
    lpServiceClassId: classId,
    lpszComment: result.comment ?? null,
    lpszQueryString: result.queryString ?? null,
    dwNameSpace,
    lpNSProviderId,
    dwNumberOfCsAddrs: lpcsaBuffer.length,
    lpcsaBuffer: lpcsaBuffer.length === 0 ? null : lpcsaBuffer,
    dwOutputFlags: isAlias ? RESULT_IS_ALIAS : 0,
    lpBlob: result.blob ?? (isHost ? packHostent(hostentOf(host, [], addresses)) : null),
    ...result.members,
  });
}

/** Questions whose blob is a hostent (NSP-RULE-10). */
const HOSTS: readonly string[] = [SVCID_INET_HOSTADDRBYNAME, SVCID_INET_HOSTADDRBYINETSTRING];

function addressOf(address: string | IpAddress): IpAddress {
  const parsed = typeof address === 'string' ? IpAddress.parse(address) : address;
  if (parsed === null) throw new RangeError(`not an address: ${String(address)}`);
  return parsed;
}
