/**
 * The multicast options of message sockets: OPT-IP_MULTICAST_*, OPT-IP_ADD_MEMBERSHIP and its kin, OPT-MCAST_*, and IPv6's.
 *
 * The interface of an IPv4 option is one of its addresses, or `0.x.x.x`: its index in network order (SEM-MP-07).
 */

import {
  IP_ADD_MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_BLOCK_SOURCE,
  IP_DROP_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_UNBLOCK_SOURCE,
  IPV6_ADD_MEMBERSHIP,
  IPV6_DROP_MEMBERSHIP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  MCAST_BLOCK_SOURCE,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_UNBLOCK_SOURCE,
  readGROUP_REQ,
  readGROUP_SOURCE_REQ,
  readIP_MREQ,
  readIP_MREQ_SOURCE,
  readIPV6_MREQ,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
} from '../abi/index.ts';
import { IpAddress, swap32 } from '../base/index.ts';
import type { GroupInterface, MessageEndpoint } from '../stack/index.ts';
import { DatagramEndpoint } from './datagram.ts';
import { wsaOf } from './error-map.ts';
import { ofMessages } from './message-options.ts';
import { bool, type Entry } from './option-handler.ts';

/** What a structure asks for. `null` interface: one of IPv4 that can be none. */
interface Request {
  readonly group: IpAddress;
  readonly on: GroupInterface;
  readonly source: IpAddress | null;
}

type Work = (endpoint: MessageEndpoint, request: Request) => number;
type Reader = (bytes: Uint8Array) => Request | null;

/** What an IPv4 interface field names (SEM-MP-07). */
export function interfaceIn(address: IpAddress): GroupInterface {
  if (address.isAny) return {};
  return address.w3 >>> 24 === 0 ? { interfaceIndex: address.w3 } : { interfaceAddress: address };
}

const readMreq: Reader = (bytes) => {
  const mreq = readIP_MREQ(bytes);
  if (mreq === null) return null;
  return { group: mreq.imr_multiaddr, on: interfaceIn(mreq.imr_interface), source: null };
};

const readMreqSource: Reader = (bytes) => {
  const mreq = readIP_MREQ_SOURCE(bytes);
  if (mreq === null) return null;
  return { group: mreq.imr_multiaddr, on: interfaceIn(mreq.imr_interface), source: mreq.imr_sourceaddr };
};

const readMreqV6: Reader = (bytes) => {
  const mreq = readIPV6_MREQ(bytes);
  return (
    mreq && { group: mreq.ipv6mr_multiaddr, on: { interfaceIndex: mreq.ipv6mr_interface }, source: null }
  );
};

const readGroup: Reader = (bytes) => {
  const request = readGROUP_REQ(bytes);
  return request && { group: request.gr_group, on: { interfaceIndex: request.gr_interface }, source: null };
};

const readGroupSource: Reader = (bytes) => {
  const request = readGROUP_SOURCE_REQ(bytes);
  if (request === null) return null;
  const { gr_group: group, gr_interface: interfaceIndex, gsr_source: source } = request;
  return { group, on: { interfaceIndex }, source };
};

const join: Work = (endpoint, { group, on, source }) => endpoint.joinGroup(group, on, source ?? undefined);
const leave: Work = (endpoint, { group, on, source }) => endpoint.leaveGroup(group, on, source ?? undefined);
const block: Work = (endpoint, { group, on, source }) => endpoint.blockSource(group, source ?? group, on);
const unblock: Work = (endpoint, { group, on, source }) => endpoint.unblockSource(group, source ?? group, on);

/** An option that is set with a structure, of message sockets only. */
function membership(option: number, read: Reader, work: Work): Entry {
  return [
    option,
    {
      setBytes(socket, bytes) {
        if (!(socket instanceof DatagramEndpoint)) return WSAEINVAL;
        const request = read(bytes);
        return request === null ? WSAEFAULT : wsaOf(work(socket.endpoint, request));
      },
    },
  ];
}

/** An option of 32 bits, which sockets of streams do not have. */
function value(
  option: number,
  get: (socket: DatagramEndpoint) => number,
  set: (socket: DatagramEndpoint, value: number) => number,
): Entry {
  return [option, ofMessages({ get, set })];
}

function setInterfaceV4(socket: DatagramEndpoint, value: number): number {
  const { options, endpoint } = socket;
  const { stack } = socket.context;
  const address = IpAddress.v4(swap32(value));
  const { interfaceIndex, interfaceAddress } = interfaceIn(address);
  const index = interfaceAddress === undefined ? (interfaceIndex ?? 0) : stack.interfaceOf(interfaceAddress);
  if (!address.isAny && !stack.interfaces.some((each) => each.index === index)) return WSAEADDRNOTAVAIL;
  endpoint.multicastInterface = index;
  options.multicastInterface = value;
  return 0;
}

function setInterfaceV6(socket: DatagramEndpoint, index: number): number {
  if (index !== 0 && !socket.context.stack.interfaces.some((each) => each.index === index)) {
    return WSAEADDRNOTAVAIL;
  }
  socket.endpoint.multicastInterface = index;
  socket.options.multicastInterface = swap32(index);
  return 0;
}

function setTtl({ endpoint }: DatagramEndpoint, value: number): number {
  if (value < 0 || value > 255) return WSAEINVAL; // SEM-OPT-09
  endpoint.multicastTtl = value;
  return 0;
}

function setLoop({ endpoint }: DatagramEndpoint, value: number): number {
  endpoint.multicastLoop = value !== 0;
  return 0;
}

const getTtl = ({ endpoint }: DatagramEndpoint): number => endpoint.multicastTtl;
const getLoop = ({ endpoint }: DatagramEndpoint): number => bool(endpoint.multicastLoop);

/** RFC 3678 §5: the same at both levels. */
const ANY_FAMILY: readonly Entry[] = [
  membership(MCAST_JOIN_GROUP, readGroup, join),
  membership(MCAST_LEAVE_GROUP, readGroup, leave),
  membership(MCAST_BLOCK_SOURCE, readGroupSource, block),
  membership(MCAST_UNBLOCK_SOURCE, readGroupSource, unblock),
  membership(MCAST_JOIN_SOURCE_GROUP, readGroupSource, join),
  membership(MCAST_LEAVE_SOURCE_GROUP, readGroupSource, leave),
];

/** Those of level IPPROTO_IP. */
export const IP_MULTICAST_OPTIONS: readonly Entry[] = [
  value(IP_MULTICAST_IF, ({ options }) => options.multicastInterface, setInterfaceV4),
  value(IP_MULTICAST_TTL, getTtl, setTtl),
  value(IP_MULTICAST_LOOP, getLoop, setLoop),
  membership(IP_ADD_MEMBERSHIP, readMreq, join),
  membership(IP_DROP_MEMBERSHIP, readMreq, leave),
  membership(IP_ADD_SOURCE_MEMBERSHIP, readMreqSource, join),
  membership(IP_DROP_SOURCE_MEMBERSHIP, readMreqSource, leave),
  membership(IP_BLOCK_SOURCE, readMreqSource, block),
  membership(IP_UNBLOCK_SOURCE, readMreqSource, unblock),
  ...ANY_FAMILY,
];

/** Those of level IPPROTO_IPV6. */
export const IPV6_MULTICAST_OPTIONS: readonly Entry[] = [
  value(IPV6_MULTICAST_IF, ({ endpoint }) => endpoint.multicastInterface, setInterfaceV6),
  value(IPV6_MULTICAST_HOPS, getTtl, setTtl),
  value(IPV6_MULTICAST_LOOP, getLoop, setLoop),
  membership(IPV6_ADD_MEMBERSHIP, readMreqV6, join),
  membership(IPV6_DROP_MEMBERSHIP, readMreqV6, leave),
  ...ANY_FAMILY,
];
