/**
 * port: the seams between an application and what it uses, as types. `AfdPort` carries socket operations, `NamePort` questions about
 * names, `CatalogPort` the service-provider catalog, `WatchPort` what a process tells of its calls. `control-api` and its siblings are
 * what the daemon tells tools about itself, `name-status` what it tells them about names.
 */

export * from './afd-port.ts';
export * from './catalog-port.ts';
export * from './control-api.ts';
export * from './control-forwarding.ts';
export * from './control-interfaces.ts';
export * from './control-sockets.ts';
export * from './name-port.ts';
export * from './name-status.ts';
export * from './space-port.ts';
export * from './watch-port.ts';
