/**
 * app: what an application links. The faces are modules of their own, because each is a subpath of the package:
 *
 * | module | subpath | |
 * |---|---|---|
 * | `blocking` | `winsockd/winsock` | the API with calls that block |
 * | `async` | `winsockd/winsock/async` | the API in promises |
 * | `net`, `dgram` | `winsockd/net`, `winsockd/dgram` | Node's own shapes, HTTP included |
 *
 * Here is what they stand on: {@link attach} opens the way to the sockets (the daemon, or a host in this process), and
 * {@link createLocalHost} makes such a host. A process has one Winsock for all faces but the blocking one, whose calls are made by a
 * thread of its own; {@link attachTo} says, before its first use, where its sockets live.
 */

export * from './attach.ts';
export * from './local.ts';
export { attachedTo, attachedWinsock, attachTo, processWinsock } from './process-winsock.ts';
