/**
 * getnameinfo: from a sockaddr to the names of its host and its service (SEM-GAI-09).
 */

import {
  AF_INET,
  AF_INET6,
  EAI_BADFLAGS,
  EAI_FAMILY,
  EAI_NONAME,
  NI_DGRAM,
  NI_NAMEREQD,
  NI_NOFQDN,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  readSockaddr,
  sockaddrFamily,
  WSAEFAULT,
  WSAEINTR,
  WSANOTINITIALISED,
} from '../../abi/index.ts';
import type { IpAddress } from '../../base/index.ts';
import type { Answer, Ref } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { hostByAddress } from './host-calls.ts';

/** winerror.h's code for a buffer that the name does not fit into. */
const ERROR_INSUFFICIENT_BUFFER = 122;
const FLAGS = NI_NOFQDN | NI_NUMERICHOST | NI_NAMEREQD | NI_NUMERICSERV | NI_DGRAM;

export function nameinfoCalls(process: WinsockProcess) {
  const { naming } = process;

  const hostOf = async (address: IpAddress, flags: number): Promise<string | number> => {
    const found = await hostByAddress(naming.spaces, address);
    if (typeof found !== 'number') {
      return (flags & NI_NOFQDN) === 0 ? found.h_name : (found.h_name.split('.')[0] ?? '');
    }
    if (found === -WSAEINTR) return found;
    return (flags & NI_NAMEREQD) !== 0 ? -EAI_NONAME : address.toString();
  };

  const serviceOf = (port: number, flags: number): string => {
    const protocol = (flags & NI_DGRAM) === 0 ? 'tcp' : 'udp';
    const entry = (flags & NI_NUMERICSERV) === 0 ? naming.services.byPort(port, protocol) : null;
    return entry?.name ?? `${port}`;
  };

  const getnameinfo = (
    sa: Uint8Array | null,
    salen: number,
    host: Ref<string> | null,
    hostlen: number,
    serv: Ref<string> | null,
    servlen: number,
    flags: number,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (sa === null || salen < 2 || salen > sa.length) return -WSAEFAULT;
    const family = sockaddrFamily(sa);
    if (family !== AF_INET && family !== AF_INET6) return -EAI_FAMILY;
    const name = readSockaddr(sa.subarray(0, salen));
    if (name === null) return -WSAEFAULT;
    const hostRoom = hostlen > 0 ? (host ?? null) : null;
    const servRoom = servlen > 0 ? (serv ?? null) : null;
    if (hostRoom === null && servRoom === null) return -EAI_NONAME;
    const numericButNamed = NI_NUMERICHOST | NI_NAMEREQD;
    if ((flags & ~FLAGS) !== 0 || (flags & numericButNamed) === numericButNamed) return -EAI_BADFLAGS;
    const finish = (found: string | number): number => {
      if (typeof found === 'number') return found;
      const service = serviceOf(name.port, flags);
      if (servRoom !== null && service.length + 1 > servlen) return -ERROR_INSUFFICIENT_BUFFER;
      if (hostRoom !== null && found.length + 1 > hostlen) return -ERROR_INSUFFICIENT_BUFFER;
      if (servRoom !== null) servRoom.value = service;
      if (hostRoom !== null) hostRoom.value = found;
      return 0;
    };
    if (hostRoom === null || (flags & NI_NUMERICHOST) !== 0) return finish(name.address.toString());
    return hostOf(name.address, flags).then(finish);
  };

  return {
    /**
     * The names of a sockaddr's host and service; numbers where there are none, unless NI_NAMEREQD.
     * @param hostlen room in characters, with the closing zero; likewise `servlen`
     */
    getnameinfo,
    /** The same in wide characters. */
    GetNameInfoW: getnameinfo,
  };
}
