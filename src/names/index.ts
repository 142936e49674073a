/**
 * names: from names to addresses and back. A stub resolver with one cache for the whole daemon, the hosts file, names on the link
 * by multicast, and a DNS proxy for a shared connection.
 *
 * - {@link Resolver}: `lookup` a name as it was typed, `query` a full one, `reverse` an address; {@link resolveAddresses} as
 *   `getaddrinfo` and {@link resolveName} as `getnameinfo` want it;
 * - {@link NameCache}, {@link HostsFile}, {@link mergeSettings}: what is known, and what the interfaces say of name servers;
 * - {@link MdnsResolver} and {@link LlmnrResolver}: names of the link, as options of the resolver; {@link MdnsBrowser} watches
 *   what is there for as long as it is wanted; {@link MdnsResponder} answers for this host and its services; {@link DnsProxy} behind a {@link ProxyServer} an address answers the hosts of a
 *   shared connection;
 * - {@link NameNetwork}: what has to be handed in. The daemon makes it of its stack's own endpoints, below the provider catalog:
 *   no layered provider sees or changes what happens here.
 *
 * Nothing rejects or throws because of what comes from the network; answers have a `status`, malformed ones are counted.
 *
 *     const resolver = new Resolver({ network, hosts: () => file.table });
 *     resolver.configure({ servers: [server], searchList: ['example.com'] });
 *     const { status, addresses } = await resolveAddresses(resolver, 'www');
 */

export {
  distinctRecords,
  type ResolvedAddresses,
  type ResolveOptions,
  resolveAddresses,
  resolveName,
  sortAddressRecords,
} from './addresses.ts';
export {
  type AnswerSource,
  type LookupAnswer,
  type LookupOptions,
  type LookupStatus,
  winsockErrorOf,
} from './answer.ts';
export {
  type CacheCounters,
  type CacheEntry,
  type CacheOptions,
  NameCache,
  type NameScope,
} from './cache.ts';
export { Gate } from './gate.ts';
export { HostsFile, HostTable } from './hosts.ts';
export type { LinkCounters } from './link-query.ts';
export { LlmnrResolver } from './llmnr.ts';
export { MdnsResolver } from './mdns.ts';
export { type BrowseObserver, MdnsBrowser } from './mdns-browser.ts';
export {
  type DnsMessage,
  type DnsRecord,
  parseRecordType,
  Rcode,
  RecordType,
  recordText,
  recordTypeName,
} from './message.ts';
export {
  addressOfReverse,
  displayName,
  isHostName,
  readTypedName,
  reverseName,
  type TypedName,
} from './name.ts';
export type {
  Closable,
  DatagramListener,
  DatagramOrigin,
  DatagramSocket,
  GroupSocket,
  NameLink,
  NameNetwork,
  StreamListener,
  StreamSocket,
} from './network.ts';
export { DnsProxy, type ProxyCounters, type ProxyOptions, type StaticName } from './proxy.ts';
export { ProxyServer } from './proxy-server.ts';
export { type LinkResolver, Resolver, type ResolverOptions } from './resolver.ts';
export { LlmnrResponder, type LlmnrState } from './responder/llmnr-responder.ts';
export { MdnsResponder, type RegisteredService, type ResponderOptions } from './responder/responder.ts';
export type { ResponderCounters } from './responder/responder-link.ts';
export { isServiceOffer } from './responder/service-text.ts';
export type { QueryCounters, QueryTuning } from './server-query.ts';
export {
  DNS_PORT,
  mergeSettings,
  type NameInterface,
  type NameSettings,
  type NameSource,
  type ServerState,
} from './servers.ts';
