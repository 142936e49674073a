/**
 * A Winsock that is ready for sockets: Node-shaped modules start it for themselves, once. When the daemon has gone, the next socket
 * finds the one that came after it; those that there are fail with ENETDOWN.
 */

import type { WSADATA } from '../abi/index.ts';
import { MAKEWORD, type Winsock, WinsockError } from '../winsock/index.ts';
import { noteOwnStart, processWinsock } from './process-winsock.ts';

/** The start of each: who comes while it is under way waits for the same one. */
const starts = new WeakMap<Winsock, Promise<Winsock>>();

/**
 * The process's Winsock, or the one given, after WSAStartup.
 * @throws {WinsockError} when it does not start, {IpcError} when the daemon is not there
 */
export async function startedWinsock(winsock?: Winsock): Promise<Winsock> {
  const ws = winsock ?? (await processWinsock());
  const known = starts.get(ws);
  if (known !== undefined) return known;
  const starting = start(ws);
  starts.set(ws, starting);
  starting.catch(() => starts.delete(ws));
  return starting;
}

async function start(ws: Winsock): Promise<Winsock> {
  const data: WSADATA = {
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  };
  const answer = await ws.WSAStartup(MAKEWORD(2, 2), data);
  if (answer < 0) throw new WinsockError('WSAStartup', answer);
  noteOwnStart(ws);
  return ws;
}
