/**
 * A Winsock that is ready for sockets: Node-shaped modules start it for themselves, once.
 */

import type { WSADATA } from '../abi/index.ts';
import { MAKEWORD, type Winsock, WinsockError } from '../winsock/index.ts';
import { processWinsock } from './process-winsock.ts';

const started = new WeakSet<Winsock>();

/**
 * The process's Winsock, or the one given, after WSAStartup.
 * @throws {WinsockError} when it does not start, {IpError} when the daemon is not there
 */
export async function startedWinsock(winsock?: Winsock): Promise<Winsock> {
  const ws = winsock ?? (await processWinsock());
  if (started.has(ws)) return ws;
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
  started.add(ws);
  return ws;
}
