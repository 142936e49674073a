/**
 * port: the seams between an application and the sockets, as types. `AfdPort` carries socket operations,
 * `name-port` questions about
 * names, `control-api` is what the daemon tells tools about itself.
 */

export * from './afd-port.ts';
export * from './control-api.ts';
export * from './name-port.ts';
