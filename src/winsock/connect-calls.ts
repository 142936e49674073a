/**
 * Connecting to whoever of several answers: WSAConnectByList.
 */

import { type TIMEVAL, WSAEFAULT, WSAEINVAL } from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import { checkPlace, connectToAny, milliseconds } from './connect-any.ts';
import type { WinsockProcess } from './process.ts';

export function connectCalls(process: WinsockProcess) {
  return {
    /**
     * Connects a stream to the first address that takes it, in their order; waits, whatever the socket's mode.
     * @param SocketAddress sockaddrs; those of IPv4 are v4-mapped for a socket of AF_INET6
     * @param LocalAddress gets the socket's own address, RemoteAddress the one that answered
     * @param timeout for all attempts together; `null`: none
     * @returns 1 (TRUE)
     */
    WSAConnectByList(
      s: number,
      SocketAddress: readonly Uint8Array[] | null,
      LocalAddressLength: Ref | null = null,
      LocalAddress: Uint8Array | null = null,
      RemoteAddressLength: Ref | null = null,
      RemoteAddress: Uint8Array | null = null,
      timeout: TIMEVAL | null = null,
      Reserved: null = null,
    ): Answer {
      if (process.socket(s) === null) return process.whyNoSocket();
      if (Reserved !== null || SocketAddress === null || SocketAddress.length === 0) return -WSAEINVAL;
      const local = { bytes: LocalAddress, length: LocalAddressLength };
      const remote = { bytes: RemoteAddress, length: RemoteAddressLength };
      if (checkPlace(local) !== 0 || checkPlace(remote) !== 0) return -WSAEFAULT;
      const ms = milliseconds(timeout);
      if (ms < -1) return -WSAEINVAL;
      return connectToAny(process, s, SocketAddress, ms, local, remote);
    },
  };
}
