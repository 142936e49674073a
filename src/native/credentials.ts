/**
 * Who is at the other end of a Unix socket.
 */

import type { PeerCredentials } from './addon.ts';
import { explain } from './errors.ts';
import { loadNative } from './load.ts';

/**
 * The process that connected (or, seen from a client, listened), as the kernel saw it at that moment: unix(7),
 * SO_PEERCRED. The pid may since belong to somebody else; uid and gid are what to decide by.
 * @param fd a connected Unix socket; stays the caller's
 * @throws {DeviceError} `EBADF`, `ENOTSOCK`, `EINVAL` not a Unix socket, `ENOTCONN` nobody is connected.
 */
export function peerCredentials(fd: number): PeerCredentials {
  const addon = loadNative();
  return explain({ action: `ask who is connected to descriptor ${fd}` }, () => addon.peerCredentials(fd));
}
