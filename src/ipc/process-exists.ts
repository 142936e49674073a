/**
 * Whether a process exists, as WSADuplicateSocket asks of the one that is to open the socket.
 */

import { kill } from 'node:process';

/** Whether there is a process of that id in this process's namespace, whoever's it is. */
export function processExists(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch (error) {
    // It may belong to another user; what cannot be asked about at all does not exist.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
