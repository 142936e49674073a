/**
 * What getaddrinfo checks before it asks anybody, in the order in which Windows does (SEM-GAI-01 … 04), and the services that it is
 * asked for.
 */

import {
  type ADDRINFOEX,
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  AI_ADDRCONFIG,
  AI_ALL,
  AI_CANONNAME,
  AI_DISABLE_IDN_ENCODING,
  AI_DNS_ONLY,
  AI_FILESERVER,
  AI_FQDN,
  AI_NON_AUTHORITATIVE,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_RETURN_PREFERRED_NAMES,
  AI_SECURE,
  AI_V4MAPPED,
  type addrinfo,
  EAI_BADFLAGS,
  EAI_FAIL,
  EAI_FAMILY,
  EAI_NONAME,
  EAI_SERVICE,
  EAI_SOCKTYPE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from '../../abi/index.ts';
import type { BehaviorProfile } from '../../port/index.ts';
import type { ServiceTable } from '../../spi/index.ts';

/** What is asked for, once it was found to make sense. */
export interface AddressQuestion {
  /** `null`: this host, as `isPassive` says. */
  readonly node: string | null;
  /** Host order. */
  readonly port: number;
  readonly flags: number;
  readonly family: number;
  readonly socktype: number;
  readonly protocol: number;
}

const FLAGS =
  AI_PASSIVE |
  AI_CANONNAME |
  AI_NUMERICHOST |
  AI_NUMERICSERV |
  AI_DNS_ONLY |
  AI_ALL |
  AI_ADDRCONFIG |
  AI_V4MAPPED |
  AI_NON_AUTHORITATIVE |
  AI_SECURE |
  AI_RETURN_PREFERRED_NAMES |
  AI_FQDN |
  AI_FILESERVER |
  AI_DISABLE_IDN_ENCODING;

/** Those of RFC 2553, which is what Windows Mobile has. */
const MOBILE_FLAGS = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST;

/** Checks the arguments. @returns minus a WSA code when they make no sense */
export function readHints(
  node: string | null,
  service: string | null,
  hints: addrinfo | ADDRINFOEX | null,
  services: ServiceTable,
  profile: BehaviorProfile,
): AddressQuestion | number {
  if (node === null && service === null) return -EAI_NONAME;
  const error =
    hints === null
      ? 0
      : checkHints(hints, node !== null, profile === 'windows-mobile' ? MOBILE_FLAGS : FLAGS);
  if (error !== 0) return -error;
  const {
    ai_flags: flags = 0,
    ai_family: family = 0,
    ai_socktype: socktype = 0,
    ai_protocol: protocol = 0,
  } = hints ?? {};
  const port = service === null ? 0 : portOf(service, socktype, flags, services);
  return port < 0 ? port : { node, port, flags, family, socktype, protocol };
}

function checkHints(hints: addrinfo | ADDRINFOEX, hasNode: boolean, known: number): number {
  const { ai_flags, ai_family, ai_socktype } = hints;
  // Only flags, family, socket type and protocol say something.
  if (
    hints.ai_addrlen !== 0 ||
    hints.ai_canonname !== null ||
    hints.ai_addr !== null ||
    hints.ai_next !== null
  )
    return EAI_FAIL;
  if ('ai_blob' in hints && (hints.ai_blob !== null || hints.ai_bloblen !== 0 || hints.ai_provider !== null))
    return EAI_FAIL;
  if ((ai_flags & ~known) !== 0) return EAI_BADFLAGS;
  const naming = ai_flags & (AI_CANONNAME | AI_FQDN);
  if (naming === (AI_CANONNAME | AI_FQDN) || (naming !== 0 && !hasNode)) return EAI_BADFLAGS;
  if (ai_family !== AF_UNSPEC && ai_family !== AF_INET && ai_family !== AF_INET6) return EAI_FAMILY;
  const isKnown = [0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW].includes(ai_socktype);
  return isKnown ? 0 : EAI_SOCKTYPE;
}

/** The port of a service, a name or a number, in host order; minus a WSA code. */
function portOf(service: string, socktype: number, flags: number, services: ServiceTable): number {
  if (service === '') return 0;
  if (/^\d{1,10}$/.test(service)) {
    const port = Number(service);
    return port > 65535 ? -EAI_SERVICE : port;
  }
  if ((flags & AI_NUMERICSERV) !== 0) return -EAI_NONAME;
  const entry =
    (socktype === 0 || socktype === SOCK_STREAM ? services.byName(service, 'tcp') : null) ??
    (socktype === 0 || socktype === SOCK_DGRAM ? services.byName(service, 'udp') : null);
  return entry === null ? -EAI_SERVICE : entry.port;
}
