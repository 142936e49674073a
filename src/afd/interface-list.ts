/**
 * The host's interfaces as Winsock lists them.
 */

import {
  IFF_BROADCAST,
  IFF_LOOPBACK,
  IFF_MULTICAST,
  IFF_POINTTOPOINT,
  IFF_UP,
  INTERFACE_INFO_LEN,
  socketAddressListLength,
  WSAEFAULT,
  WSAEINVAL,
  writeINTERFACE_INFO,
  writeSocketAddressList,
} from '../abi/index.ts';
import { IpAddress, type IpFamily, prefixMask } from '../base/index.ts';
import type { AfdCompletion } from '../port/index.ts';
import type { InterfaceView, Stack } from '../stack/index.ts';

interface Listed {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly flags: number;
}

/** Writes an INTERFACE_INFO for each IPv4 address, loopback included. Short: WSAEFAULT, nothing written. */
export function listInterfaces(stack: Stack, into: Uint8Array | null, reply: AfdCompletion): number {
  const entries = list(stack, 4);
  if (into === null || into.length < entries.length * INTERFACE_INFO_LEN) return WSAEFAULT;
  let end = 0;
  for (const { address, prefixLength, flags } of entries) {
    const mask = prefixMask(prefixLength);
    end = writeINTERFACE_INFO(into, end, {
      iiFlags: flags,
      iiAddress: address,
      iiBroadcastAddress: (flags & IFF_BROADCAST) !== 0 ? IpAddress.v4(address.w3 | ~mask) : IpAddress.anyV4,
      iiNetmask: IpAddress.v4(mask),
    });
  }
  reply.value = end;
  return 0;
}

/**
 * Writes a SOCKET_ADDRESS_LIST of the addresses that can be bound; loopback is not listed. Short: WSAEFAULT with the length
 * that is needed, or WSAEINVAL when there is not even room for the count.
 */
export function listAddresses(
  stack: Stack,
  family: IpFamily,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  const addresses = list(stack, family)
    .filter(({ flags }) => (flags & IFF_LOOPBACK) === 0)
    .map(({ address }) => address);
  const length = socketAddressListLength(addresses);
  if (into !== null && into.length > 0 && into.length < 4) return WSAEINVAL;
  reply.value = length;
  if (into === null || into.length < length) return WSAEFAULT;
  writeSocketAddressList(into, addresses);
  return 0;
}

/** The addresses of a family that may be used; those of IPv6 that are still asked about are not listed. */
function list(stack: Stack, family: IpFamily): Listed[] {
  const entries: Listed[] = [];
  for (const view of stack.interfaces) {
    for (const { address, prefixLength, state } of view.addresses) {
      if (address.family !== family) continue;
      if (family === 6 && (state === 'tentative' || state === 'duplicate')) continue;
      entries.push({ address, prefixLength, flags: flagsOf(view, address) });
    }
  }
  return entries;
}

function flagsOf(view: InterfaceView, address: IpAddress): number {
  const up = view.isUp ? IFF_UP : 0;
  if (address.isLoopback) return up | IFF_LOOPBACK;
  return up | IFF_MULTICAST | (view.medium === 'ethernet' ? IFF_BROADCAST : IFF_POINTTOPOINT);
}
