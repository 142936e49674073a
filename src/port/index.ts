/**
 * port: the seams between an application and the sockets, as types. `AfdPort` carries socket operations.
 */

export * from './afd-port.ts';
