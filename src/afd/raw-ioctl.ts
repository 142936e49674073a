/**
 * Control codes of raw sockets: SIO_RCVALL and its kin (section 12 of the surface reference).
 */

import {
  IPPROTO_IGMP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  RCVALL_IPLEVEL,
  RCVALL_OFF,
  RCVALL_ON,
  RCVALL_SOCKETLEVELONLY,
  SIO_ABSORB_RTRALERT,
  SIO_RCVALL,
  SIO_RCVALL_IF,
  SIO_RCVALL_IGMPMCAST,
  SIO_RCVALL_MCAST,
  SIO_RCVALL_MCAST_IF,
  WSAEFAULT,
  WSAEINVAL,
} from '../abi/index.ts';
import { i32le } from '../base/index.ts';
import type { RawTap } from '../stack/index.ts';
import { wsaOf } from './error-map.ts';
import { type IoctlEntry, type IoctlHandler, isYes } from './ioctl-handler.ts';
import { rawOf } from './raw.ts';

/** What a code sees, on sockets of which protocols. */
interface Reception {
  readonly protocols: readonly number[];
  readonly on: RawTap;
  readonly ipLevel: RawTap;
}

const ALL: Reception = { protocols: [IPPROTO_IP, IPPROTO_IPV6], on: 'promiscuous', ipLevel: 'received' };
const GROUPS: Reception = { protocols: [IPPROTO_UDP], on: 'multicast', ipLevel: 'multicast' };
const REPORTS: Reception = { protocols: [IPPROTO_IGMP], on: 'groupReports', ipLevel: 'groupReports' };

/**
 * On a raw socket of the protocol that the code asks for, bound to an address (RAW-RCVALL-01, RAW-RCVALL-04).
 * @param names whether the parameter is an RCVALL_IF, which names the interface too
 */
function receiveAll({ protocols, on, ipLevel }: Reception, names: boolean): IoctlHandler {
  return (socket, data) => {
    const raw = rawOf(socket);
    if (raw === null || !protocols.includes(socket.protocol)) return WSAEINVAL;
    if (data === null || data.length < (names ? 8 : 1)) return WSAEFAULT;
    const mode = data.length >= 4 ? i32le(data, 0) : (data[0] as number);
    const index = names ? i32le(data, 4) : 0;
    if (names && mode !== RCVALL_OFF && index === 0) return WSAEINVAL;
    switch (mode) {
      case RCVALL_OFF:
        return wsaOf(raw.setTap('off'));
      case RCVALL_ON:
        return wsaOf(raw.setTap(on, index));
      case RCVALL_SOCKETLEVELONLY:
        return socket.endpoint.localAddress.isAny ? WSAEINVAL : 0; // documented as without effect
      case RCVALL_IPLEVEL:
        return wsaOf(raw.setTap(ipLevel, index));
      default:
        return WSAEINVAL;
    }
  };
}

const absorbRouterAlert: IoctlHandler = (socket, data) => {
  const raw = rawOf(socket);
  if (raw === null) return WSAEINVAL;
  if (data === null || data.length < 1) return WSAEFAULT;
  raw.absorbsRouterAlert = isYes(data);
  return 0;
};

export const RAW_IOCTLS: readonly IoctlEntry[] = [
  [SIO_RCVALL, receiveAll(ALL, false)],
  [SIO_RCVALL_IF, receiveAll(ALL, true)],
  [SIO_RCVALL_MCAST, receiveAll(GROUPS, false)],
  [SIO_RCVALL_MCAST_IF, receiveAll(GROUPS, true)],
  [SIO_RCVALL_IGMPMCAST, receiveAll(REPORTS, false)],
  [SIO_ABSORB_RTRALERT, absorbRouterAlert],
];
