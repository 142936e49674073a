/**
 * ipc: `AfdPort`, `NamePort`, `CatalogPort` and `WatchPort` across processes, over a Unix stream socket. The wire format is `docs/ipc.md`.
 *
 * - `createIpcServer` listens and gives each client an `AfdPort` session of its own, which ends with the connection;
 * - `serveConnection` does so for one client that is connected already;
 * - `connectRemote` is the other end: an `AfdPort` whose operations run in the daemon;
 * - `FrameDecoder`, the readers and writers of `messages` and the numbers of `protocol` are the codec, for tools.
 *
 * What a client sends is checked before it is used. A client that breaks the protocol gets GOODBYE with the reason and is
 * cut off; one that asks for more than its quota gets a WSA error code. Neither is noticed by others. Memory held for a
 * client is bounded by its limits, whether it reads or not.
 *
 * Ownership: on the client, a request's `address`, `data` and `into` are used in place until it completes. On the server
 * they belong to the session, which hands them to the `AfdPort` for the same time. Bytes of a completion are copied
 * before `onComplete` returns, but for `into`.
 */

export { type ConnectOptions, connectRemote, probeServer, type RemotePort } from './client.ts';
export { type ConnectionOptions, type ServedConnection, serveConnection } from './connection.ts';
export * from './errors.ts';
export * from './frame.ts';
export type { IpcLog } from './log.ts';
export * from './messages.ts';
export * from './name-messages.ts';
export { processExists } from './process-exists.ts';
export { type ReadStatus, refuseRepresentation } from './process-tree.ts';
export * from './protocol.ts';
export { createIpcServer, type IpcServer, type IpcServerOptions } from './server.ts';
export type { SessionView } from './session.ts';
export * from './value-codec.ts';
export * from './watch-reports.ts';
