/**
 * The options that name interfaces (sections 4.3 and 4.4 of the surface reference): by which packets leave, and by which they are
 * taken. IPv4's are given in network order, IPv6's in host order; both answer in host order.
 */

import {
  IP_ADD_IFLIST,
  IP_DEL_IFLIST,
  IP_GET_IFLIST,
  IP_IFLIST,
  IP_NRT_INTERFACE,
  IP_UNICAST_IF,
  WSAEADDRNOTAVAIL,
  WSAEINVAL,
} from '../abi/index.ts';
import { putI32le, swap32 } from '../base/index.ts';
import type { InterfaceChoice } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { bool, type Entry, type OptionHandler } from './option-handler.ts';

/** The stack's endpoint as one that speaks by interfaces: all kinds of sockets are. */
export function choiceOf({ endpoint }: AfdEndpoint): InterfaceChoice {
  return endpoint as unknown as InterfaceChoice;
}

/** Whether there is an interface of that index. */
export function hasInterface({ context }: AfdEndpoint, index: number): boolean {
  return context.stack.interfaces.some((each) => each.index === index);
}

/** Sets the interface by which packets to single hosts leave; 0: whichever the route says. @returns a WSA code */
export function setUnicastInterface(socket: AfdEndpoint, index: number): number {
  if (index !== 0 && !hasInterface(socket, index)) return WSAEADDRNOTAVAIL;
  choiceOf(socket).unicastInterface = index;
  return 0;
}

function unicastInterface(orderOf: (value: number) => number): OptionHandler<AfdEndpoint> {
  return {
    get: (socket) => choiceOf(socket).unicastInterface,
    set: (socket, value) => setUnicastInterface(socket, orderOf(value)),
  };
}

/** The list is there once it is switched on, empty at first. */
const LIST_SWITCH: OptionHandler<AfdEndpoint> = {
  get: (socket) => bool(choiceOf(socket).interfaces !== null),
  set: (socket, value) => {
    const choice = choiceOf(socket);
    if (value === 0) choice.interfaces = null;
    else choice.interfaces ??= new Set();
    return 0;
  },
};

const LIST_ADD: OptionHandler<AfdEndpoint> = {
  set: (socket, index) => {
    const choice = choiceOf(socket);
    if (choice.interfaces === null) return WSAEINVAL;
    if (!hasInterface(socket, index)) return WSAEADDRNOTAVAIL;
    choice.interfaces = new Set([...choice.interfaces, index]);
    return 0;
  },
};

const LIST_DELETE: OptionHandler<AfdEndpoint> = {
  set: (socket, index) => {
    const choice = choiceOf(socket);
    if (choice.interfaces === null) return WSAEINVAL;
    if (!choice.interfaces.has(index)) return WSAEADDRNOTAVAIL;
    choice.interfaces = new Set([...choice.interfaces].filter((each) => each !== index));
    return 0;
  },
};

const LIST_GET: OptionHandler<AfdEndpoint> = {
  getBytes: (socket) => {
    const { interfaces } = choiceOf(socket);
    if (interfaces === null) return WSAEINVAL;
    const bytes = new Uint8Array(4 * interfaces.size);
    let at = 0;
    for (const index of interfaces) {
      putI32le(bytes, at, index);
      at += 4;
    }
    return bytes;
  },
};

/** Kept, and without a use: no packet of a socket leaves without a route. */
const NON_ROUTED: OptionHandler<AfdEndpoint> = {
  get: ({ options }) => options.nonRoutedInterface,
  set: (socket, index) => {
    if (index !== 0 && !hasInterface(socket, index)) return WSAEADDRNOTAVAIL;
    socket.options.nonRoutedInterface = index;
    return 0;
  },
};

/** The numbers are the same at both levels. */
function interfaceOptions(orderOf: (value: number) => number): readonly Entry[] {
  return [
    [IP_IFLIST, LIST_SWITCH],
    [IP_ADD_IFLIST, LIST_ADD],
    [IP_DEL_IFLIST, LIST_DELETE],
    [IP_GET_IFLIST, LIST_GET],
    [IP_UNICAST_IF, unicastInterface(orderOf)],
    [IP_NRT_INTERFACE, NON_ROUTED],
  ];
}

export const IP_INTERFACE_OPTIONS = interfaceOptions(swap32);
export const IPV6_INTERFACE_OPTIONS = interfaceOptions((value) => value);
