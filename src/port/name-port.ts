/**
 * NamePort: how the code in an application asks for names, wherever the resolver lives (same process, the daemon). Types and numbers
 * only, but for {@link NO_NAMES}.
 *
 * A *session* belongs to one application, as one of `AfdPort` does. Nothing here rejects because of what the network or the other side
 * says: every answer has a status and the Winsock code of it. A signal that aborts ends a question with `cancelled`.
 */

import { WSANO_RECOVERY } from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import type { SpacePort } from './space-port.ts';

/** Who may know a name; bits of {@link NameQuery.origins}. */
export const NameOrigin = {
  /** What every host knows by itself: `localhost`, its own name and addresses. */
  local: 0x1,
  hosts: 0x2,
  cache: 0x4,
  dns: 0x8,
  mdns: 0x10,
  llmnr: 0x20,
  all: 0x3f,
} as const;

/** How a question is asked; bits of {@link NameQuery.flags}. */
export const NameFlag = {
  /** The name is a full one: no suffix is tried. */
  full: 0x1,
  /** Asks for addresses only of the families that an interface has an address of, loopback aside (AI_ADDRCONFIG). */
  addressConfig: 0x2,
} as const;

/** Most types of one question. */
export const NAME_TYPES_MAX = 8;
/** Longest name that is taken, in bytes of UTF-8: longer than any that is valid, with its trailing dot and IDNA. */
export const NAME_BYTES_MAX = 1024;

/** How a question is asked. */
export interface NameQueryOptions {
  /** {@link NameOrigin} bits; default all. */
  readonly origins?: number;
  /** {@link NameFlag} bits; default none. */
  readonly flags?: number;
  /** After so many ms the answer is `temporary` with WSAETIMEDOUT; 0, the default: when the resolver gives up. */
  readonly timeoutMs?: number;
}

/** A question about a name. */
export interface NameQuery extends NameQueryOptions {
  /** A name as it was typed: IDNA, search list. An address in text form is not read: see `reverse`. */
  readonly name: string;
  /** Numbers of types of records (A 1, PTR 12, TXT 16, AAAA 28, SRV 33, ANY 255, …); at least one, {@link NAME_TYPES_MAX} at most. */
  readonly types: readonly number[];
}

/**
 * `noName`: there is no such name; `noData`: it has nothing of these types; `temporary`: nobody could say now; `failed`: it can't be
 * asked for.
 */
export type ResolveStatus = 'found' | 'noData' | 'noName' | 'temporary' | 'failed' | 'cancelled';

/** The SOA record's data (RFC 1035 §3.3.13). */
export interface SoaData {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** A record of class IN. `kind` says which fields it has. Names are text without the trailing dot, the root is `''`. */
export type ResourceRecord = {
  readonly name: string;
  readonly type: number;
  /** Seconds, 0 … 2³¹-1; a larger number on the wire is 0 here (RFC 2181 §8). */
  readonly ttl: number;
} & (
  | { readonly kind: 'address'; readonly address: IpAddress }
  /** CNAME, PTR, NS, DNAME. */
  | { readonly kind: 'name'; readonly target: string }
  | {
      readonly kind: 'service';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly kind: 'mail'; readonly preference: number; readonly exchange: string }
  | { readonly kind: 'text'; readonly texts: readonly Uint8Array[] }
  | { readonly kind: 'authority'; readonly soa: SoaData }
  /** Carried as it is on the wire (RFC 3597). */
  | { readonly kind: 'other'; readonly data: Uint8Array }
);

export interface NameAnswer {
  readonly status: ResolveStatus;
  /** 0, WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY, WSA_E_CANCELLED, WSAETIMEDOUT, or why nobody was asked. */
  readonly error: number;
  /** The full name that was asked for, and its form for people. */
  readonly name: string;
  readonly displayName: string;
  /** Where its aliases end. */
  readonly canonicalName: string;
  /** Whose answer it is: one of {@link NameOrigin}; 0: nobody's. */
  readonly origin: number;
  readonly isAuthoritative: boolean;
  /** Aliases in order, what was asked for, addresses last, in the order in which to try them (RFC 6724 §6). */
  readonly records: readonly ResourceRecord[];
}

/** An address of the host itself. */
export interface OwnAddress {
  readonly address: IpAddress;
  readonly interfaceIndex: number;
}

/** What the host knows of itself. */
export interface OwnHost {
  /** What `gethostname` answers; one label or a full name, as it was configured. */
  readonly name: string;
  /** The domain that it is in, `''` when nobody has said one. */
  readonly domain: string;
  /** Addresses that may be used, of interfaces that are up, in their order; no loopback. */
  readonly addresses: readonly OwnAddress[];
}

/** Bounds of what is registered: see {@link OfferedService}. */
export const SERVICE_SUBTYPES_MAX = 16;
export const SERVICE_TEXTS_MAX = 64;

/** A service that an application offers, to be found by DNS-SD (RFC 6763) on the links of the host. */
export interface OfferedService {
  /** What people see: one label of 63 bytes of UTF-8 at most, without backslashes. `Print Room`, `Dr. Smith`. In names its dots are `\.`. */
  readonly instance: string;
  /** `_ipp._tcp`: a service name of RFC 6335 §5.1 and a protocol. */
  readonly type: string;
  /** RFC 6763 §7.1: `_color` and the like; {@link SERVICE_SUBTYPES_MAX} labels at most. */
  readonly subtypes: readonly string[];
  readonly port: number;
  /** Of the TXT record: {@link SERVICE_TEXTS_MAX} at most, of 255 bytes each, 1300 together. */
  readonly texts: readonly Uint8Array[];
}

export interface RegisterAnswer {
  /**
   * 0; WSAEINVAL what was said contradicts {@link OfferedService}, WSAEOPNOTSUPP the host answers nobody on its links, WSAENOBUFS too
   * many are registered, WSA_E_CANCELLED, or why nobody could be asked.
   */
  readonly error: number;
  /** What `deregister` takes; 0 when it failed. */
  readonly id: number;
  /** What the instance is called: another host may have had the name, then it has a number behind it. */
  readonly instance: string;
}

/** A session with a resolver. */
export interface NamePort {
  /** Asks for records of a name. */
  resolve(query: NameQuery, signal?: AbortSignal): Promise<NameAnswer>;
  /** Asks for the names of an address (PTR records). */
  reverse(address: IpAddress, options?: NameQueryOptions, signal?: AbortSignal): Promise<NameAnswer>;
  /** The host that applications believe to run on; `null` when it can't be asked. */
  host(): Promise<OwnHost | null>;
  /** Offers a service for as long as the session lasts. Answers when its name is known to be the only one. */
  register(service: OfferedService, signal?: AbortSignal): Promise<RegisterAnswer>;
  /** Takes a service back. @returns 0, or WSASERVICE_NOT_FOUND when this session has none of this id */
  deregister(id: number): Promise<number>;
  /**
   * Calls the host something else from now on, to its applications and on its links, until it ends or is renamed.
   * @returns 0; WSAEINVAL for what is no name of a host, WSAEACCES to who may not, or why nobody could be asked
   */
  rename(name: string): Promise<number>;
  /** The way to name-space providers in other processes; absent where there is none. */
  readonly spaces?: SpacePort;
  /** Ends the session: what is under way is cancelled, what was registered is taken back. */
  close(): void;
}

/** What an application gets from a resolver that is not there. */
export function noAnswer(
  name: string,
  error: number = WSANO_RECOVERY,
  status: ResolveStatus = 'failed',
): NameAnswer {
  return {
    status,
    error,
    name,
    displayName: name,
    canonicalName: name,
    origin: 0,
    isAuthoritative: false,
    records: [],
  };
}

/** Where there is no resolver: WSANO_RECOVERY to everything. */
export const NO_NAMES: NamePort = {
  resolve: ({ name }) => Promise.resolve(noAnswer(name)),
  reverse: (address) => Promise.resolve(noAnswer(address.toString())),
  host: () => Promise.resolve(null),
  register: ({ instance }) => Promise.resolve({ error: WSANO_RECOVERY, id: 0, instance }),
  deregister: () => Promise.resolve(WSANO_RECOVERY),
  rename: () => Promise.resolve(WSANO_RECOVERY),
  close() {},
};
