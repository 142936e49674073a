/**
 * nameservice: the names room at work over a stack. One {@link HostNames} a host: resolver, cache, hosts file and what belongs to
 * the link, over the stack's own endpoints, below the provider catalog; each application gets a `NamePort` session of it.
 *
 *     const host = createHost({ observer: (endpoint, events) => takeNameEvent(endpoint, events) || … });
 *     const names = new HostNames({ stack: host.stack, scheduler, random, hostName: 'lab' });
 *     const port = names.openSession();
 */

export { HostNames, type HostNamesOptions } from './host-names.ts';
export { StackNetwork, takeNameEvent } from './stack-network.ts';
