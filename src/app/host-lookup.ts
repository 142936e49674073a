/**
 * The addresses of a host for the modules in Node's shape: a `lookup` of the caller's, else the stack's own getaddrinfo.
 */

import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  AI_ADDRCONFIG,
  type addrinfo,
  addrinfos,
  noHints,
  readSockaddr,
  SOCK_STREAM,
  WSAHOST_NOT_FOUND,
  WSANO_DATA,
  WSATRY_AGAIN,
} from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import type { Ref } from '../spi/index.ts';
import type { Winsock } from '../winsock/index.ts';
import { NodeStyleError } from './node-error.ts';

/** An address as `dns.lookup` tells it. */
export interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a host name, with `dns.lookup`'s parameters; one address will do for `all`. */
export type Lookup = (
  hostname: string,
  options: { family: number; all?: boolean; hints?: number },
  callback: (error: Error | null, address: string | readonly LookupAddress[], family?: number) => void,
) => void;

/** How a host is looked for. */
export interface HostLookupOptions {
  readonly lookup?: Lookup | undefined;
  /** 4, 6, or 0: both. */
  readonly family?: number | undefined;
}

/**
 * The addresses of a host in the order in which to try them: numeric text and `localhost` by itself, names with `lookup`, else in
 * the stack. At least one.
 * @throws {NodeStyleError} ENOTFOUND, EAI_AGAIN, EAI_FAIL
 */
export async function lookupHost(
  ws: Winsock,
  host: string,
  { lookup, family = 0 }: HostLookupOptions,
): Promise<[IpAddress, ...IpAddress[]]> {
  const numeric = IpAddress.parse(host);
  if (numeric !== null) return [numeric];
  const zoned = await zonedAddress(ws, host);
  if (zoned !== null) return [zoned];
  if (host.toLowerCase() === 'localhost') return [family === 6 ? IpAddress.loopbackV6 : IpAddress.loopbackV4];
  const found =
    lookup === undefined ? await inStack(ws, host, family) : await withLookup(lookup, host, family);
  const [first, ...others] = found;
  if (first === undefined) throw notFound(host, WSAHOST_NOT_FOUND);
  return [first, ...others];
}

/**
 * An address whose zone is the name of an interface, such as `fe80::1%eth0` (RFC 4007 §11.2); `null` for any other text.
 * @throws {NodeStyleError} ENOTFOUND without such an interface
 */
async function zonedAddress(ws: Winsock, host: string): Promise<IpAddress | null> {
  const at = host.indexOf('%');
  const address = at < 0 ? null : IpAddress.parse(host.slice(0, at));
  if (address?.family !== 6) return null;
  const index = await ws.if_nametoindex(host.slice(at + 1));
  if (index <= 0) throw notFound(host, WSAHOST_NOT_FOUND);
  return address.inZone(index);
}

/** `::%eth0` as `::%2`; other texts as they are. @throws {NodeStyleError} as {@link lookupHost} */
export async function numberedZone(ws: Winsock, scope: string): Promise<string> {
  const zone = scope.slice(scope.indexOf('%') + 1);
  if (!hasNamedZone(scope)) return scope;
  const index = await ws.if_nametoindex(zone);
  if (index <= 0) throw notFound(scope, WSAHOST_NOT_FOUND);
  return `${scope.slice(0, scope.indexOf('%'))}%${index}`;
}

/** Whether the zone of a text is the name of an interface rather than its index. */
export function hasNamedZone(text: string): boolean {
  return /%.*\D/.test(text);
}

async function withLookup(lookup: Lookup, host: string, family: number): Promise<IpAddress[]> {
  const texts = await new Promise<string[]>((resolve, reject) => {
    lookup(host, { family, all: true }, (error, address) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(typeof address === 'string' ? [address] : address.map((each) => each.address));
    });
  });
  return texts.flatMap((text) => IpAddress.parse(text) ?? []);
}

async function inStack(ws: Winsock, host: string, family: number): Promise<IpAddress[]> {
  const ai_family = family === 4 ? AF_INET : family === 6 ? AF_INET6 : AF_UNSPEC;
  const hints = { ...noHints(), ai_family, ai_socktype: SOCK_STREAM, ai_flags: AI_ADDRCONFIG };
  const res: Ref<addrinfo | null> = { value: null };
  let answer = await ws.getaddrinfo(host, null, hints, res);
  // A host without a network finds its own names all the same.
  if (answer === -WSANO_DATA) answer = await ws.getaddrinfo(host, null, { ...hints, ai_flags: 0 }, res);
  if (answer < 0) throw notFound(host, -answer);
  return addrinfos(res.value).flatMap(({ ai_addr }) =>
    ai_addr === null ? [] : (readSockaddr(ai_addr)?.address ?? []),
  );
}

/** The error as Node's own lookup has it. */
function notFound(host: string, wsaCode: number): NodeStyleError {
  const isTemporary = wsaCode === WSATRY_AGAIN;
  const isMissing = wsaCode === WSAHOST_NOT_FOUND || wsaCode === WSANO_DATA;
  const code = isMissing ? 'ENOTFOUND' : isTemporary ? 'EAI_AGAIN' : 'EAI_FAIL';
  return Object.assign(new NodeStyleError('getaddrinfo', code, wsaCode, host), { hostname: host });
}
