/**
 * Connecting to whoever of several answers: WSAConnectByList, and WSAConnectByName for all addresses of a name.
 */

import {
  AF_INET6,
  AI_ALL,
  AI_V4MAPPED,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  NS_ALL,
  SOCK_STREAM,
  sockaddrOf,
  type TIMEVAL,
  WSAEFAULT,
  WSAEINVAL,
  WSAETIMEDOUT,
} from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import { checkPlace, connectToAny, intOption, milliseconds, type NamePlace } from './connect-any.ts';
import { readHints } from './names/addrinfo-hints.ts';
import { resolve } from './names/resolve.ts';
import type { WinsockProcess } from './process.ts';

export function connectCalls(process: WinsockProcess) {
  const byName = async (
    s: number,
    node: string,
    service: string,
    local: NamePlace,
    remote: NamePlace,
    timeoutMs: number,
  ): Promise<number> => {
    const socket = process.socket(s);
    if (socket === null) return process.whyNoSocket();
    const { table, entry } = socket.provider;
    const isIpv6 = entry.iAddressFamily === AF_INET6;
    const v6Only = isIpv6 ? await intOption(table, s, IPPROTO_IPV6, IPV6_V6ONLY) : 0;
    const question = readHints(
      node,
      service,
      {
        // IPv4's addresses as v4-mapped ones, for a socket that can reach them.
        ai_flags: isIpv6 && v6Only === 0 ? AI_V4MAPPED | AI_ALL : 0,
        ai_family: entry.iAddressFamily,
        ai_socktype: SOCK_STREAM,
        ai_protocol: IPPROTO_TCP,
        ai_addrlen: 0,
        ai_canonname: null,
        ai_addr: null,
        ai_next: null,
      },
      process.naming.services,
      process.profile,
    );
    if (typeof question === 'number') return question;
    const begun = process.scheduler.now();
    const aborter = new AbortController();
    const cancel = timeoutMs < 0 ? (): void => {} : process.scheduler.after(timeoutMs, () => aborter.abort());
    const scope = { dwNameSpace: NS_ALL, lpNspId: null };
    const found = await resolve(process.naming.spaces, question, scope, aborter.signal);
    cancel();
    if (aborter.signal.aborted) return -WSAETIMEDOUT;
    if (typeof found === 'number') return found;
    const addresses = found.addresses.map((address) => sockaddrOf(address, question.port));
    const left = timeoutMs < 0 ? -1 : Math.max(0, timeoutMs - (process.scheduler.now() - begun));
    return connectToAny(process, s, addresses, left, local, remote);
  };

  return {
    /**
     * As `WSAConnectByList`, with all addresses of a name; a socket of AF_INET6 without V6ONLY takes those of IPv4 too.
     * @param nodename a name or a numeric address
     * @param servicename a service or a port
     * @param timeout for the lookup and all attempts together; `null`: none
     * @returns 1 (TRUE)
     */
    WSAConnectByName(
      s: number,
      nodename: string | null,
      servicename: string | null,
      LocalAddressLength: Ref | null = null,
      LocalAddress: Uint8Array | null = null,
      RemoteAddressLength: Ref | null = null,
      RemoteAddress: Uint8Array | null = null,
      timeout: TIMEVAL | null = null,
      Reserved: null = null,
    ): Answer {
      if (process.socket(s) === null) return process.whyNoSocket();
      if (Reserved !== null || nodename === null || servicename === null) return -WSAEINVAL;
      const local = { bytes: LocalAddress, length: LocalAddressLength };
      const remote = { bytes: RemoteAddress, length: RemoteAddressLength };
      if (checkPlace(local) !== 0 || checkPlace(remote) !== 0) return -WSAEFAULT;
      const ms = milliseconds(timeout);
      if (ms < -1) return -WSAEINVAL;
      return byName(s, nodename, servicename, local, remote, ms);
    },

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
