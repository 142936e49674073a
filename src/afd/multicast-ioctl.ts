/**
 * The multicast control codes of message sockets: IOC-SIO_MULTICAST_FILTER in both forms, IOC-SIO_MULTIPOINT_LOOPBACK,
 * IOC-SIO_MULTICAST_SCOPE.
 */

import {
  GROUP_FILTER_LEN,
  IP_MSFILTER_LEN,
  MCAST_EXCLUDE,
  MCAST_INCLUDE,
  readGROUP_FILTER,
  readIP_MSFILTER,
  SIO_GET_MULTICAST_FILTER,
  SIO_MULTICAST_SCOPE,
  SIO_MULTIPOINT_LOOPBACK,
  SIO_SET_MULTICAST_FILTER,
  SIOCGMSFILTER,
  SIOCSMSFILTER,
  SOCKADDR_STORAGE_LEN,
  type SOURCE_FILTER,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  writeGROUP_FILTER,
  writeIP_MSFILTER,
} from '../abi/index.ts';
import { EMPTY, i32le } from '../base/index.ts';
import type { GroupInterface } from '../stack/index.ts';
import { DatagramEndpoint } from './datagram.ts';
import { wsaOf } from './error-map.ts';
import type { IoctlEntry, IoctlHandler } from './ioctl-handler.ts';
import { interfaceIn } from './multicast-options.ts';

/** A structure with a filter, in one of its two forms. */
interface Form {
  readonly headLength: number;
  readonly sourceLength: number;
  read(bytes: Uint8Array): SOURCE_FILTER | null;
  write(into: Uint8Array, filter: SOURCE_FILTER): number;
}

const IP_FORM: Form = {
  headLength: IP_MSFILTER_LEN,
  sourceLength: 4,
  read: readIP_MSFILTER,
  write: writeIP_MSFILTER,
};
const ANY_FORM: Form = {
  headLength: GROUP_FILTER_LEN,
  sourceLength: SOCKADDR_STORAGE_LEN,
  read: readGROUP_FILTER,
  write: writeGROUP_FILTER,
};

function setFilter({ read }: Form): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof DatagramEndpoint)) return WSAEOPNOTSUPP;
    const filter = read(data ?? EMPTY);
    if (filter === null) return WSAEFAULT;
    const { group, mode, sources } = filter;
    if (mode !== MCAST_INCLUDE && mode !== MCAST_EXCLUDE) return WSAEINVAL;
    const wanted = { mode: mode === MCAST_INCLUDE ? 'include' : 'exclude', sources } as const;
    return wsaOf(socket.endpoint.setSourceFilter(group, wanted, interfaceOf(filter)));
  };
}

/** Group and interface come in, mode, count and sources go out: of a list that does not fit the count, and WSAENOBUFS. */
function getFilter({ headLength, sourceLength, read, write }: Form): IoctlHandler {
  return (socket, data, into, reply) => {
    if (!(socket instanceof DatagramEndpoint)) return WSAEOPNOTSUPP;
    if (data === null || data.length < headLength || into === null || into.length < headLength) {
      return WSAEFAULT;
    }
    // How many sources the caller has room for is the output's business.
    const asked = data.slice(0, headLength);
    asked.fill(0, headLength - 4);
    const question = read(asked);
    if (question === null) return WSAEFAULT;
    const { mode, sources } = socket.endpoint.getSourceFilter(question.group, interfaceOf(question));
    const answer = { ...question, mode: mode === 'include' ? MCAST_INCLUDE : MCAST_EXCLUDE, sources };
    reply.value = write(into, answer);
    return reply.value < headLength + sources.length * sourceLength ? WSAENOBUFS : 0;
  };
}

function interfaceOf(filter: SOURCE_FILTER): GroupInterface {
  return typeof filter.interface === 'number'
    ? { interfaceIndex: filter.interface }
    : interfaceIn(filter.interface);
}

/** A number that a message socket is given. */
function number(set: (socket: DatagramEndpoint, value: number) => number): IoctlHandler {
  return (socket, data) => {
    if (!(socket instanceof DatagramEndpoint)) return WSAEOPNOTSUPP;
    return data === null || data.length < 4 ? WSAEFAULT : set(socket, i32le(data, 0));
  };
}

export const MULTICAST_IOCTLS: readonly IoctlEntry[] = [
  [SIO_SET_MULTICAST_FILTER, setFilter(IP_FORM)],
  [SIO_GET_MULTICAST_FILTER, getFilter(IP_FORM)],
  [SIOCSMSFILTER, setFilter(ANY_FORM)],
  [SIOCGMSFILTER, getFilter(ANY_FORM)],
  [
    SIO_MULTIPOINT_LOOPBACK,
    number(({ endpoint }, value) => {
      endpoint.multicastLoop = value !== 0;
      return 0;
    }),
  ],
  [
    SIO_MULTICAST_SCOPE,
    number(({ endpoint }, value) => {
      if (value < 0 || value > 255) return WSAEINVAL;
      endpoint.multicastTtl = value;
      return 0;
    }),
  ],
];
