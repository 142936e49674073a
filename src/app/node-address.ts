/**
 * Hosts and ports as Node's modules name them, and as Winsock wants them.
 */

import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_STORAGE_LEN, sockaddrOf } from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';

/** What `address()` answers. */
export interface AddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

/** A port number as Node takes it. @throws {RangeError} past 65535, with Node's code */
export function checkPort(port: number | string): number {
  const value = typeof port === 'string' && port.trim() !== '' ? Number(port) : port;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65535) return value;
  const error = new RangeError(`Port should be >= 0 and < 65536. Received ${JSON.stringify(port)}.`);
  throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' });
}

/** The Winsock family of an address. */
export function familyOf(address: IpAddress): number {
  return address.family === 4 ? AF_INET : AF_INET6;
}

/** The sockaddr of a host and port. */
export function addressBytes(address: IpAddress, port: number): Uint8Array {
  return sockaddrOf(address, port);
}

/** What a sockaddr says; `null` for one that says nothing. */
export function addressInfo(bytes: Uint8Array): AddressInfo | null {
  const read = readSockaddr(bytes);
  if (read === null) return null;
  const { address, port } = read;
  return { address: address.toString(), family: address.family === 4 ? 'IPv4' : 'IPv6', port };
}

/** Asks for a socket's name (`getsockname`, `getpeername`). @returns `null` when it has none */
export async function nameOf(ask: (name: Uint8Array, length: Ref) => Answer): Promise<AddressInfo | null> {
  const bytes = new Uint8Array(SOCKADDR_STORAGE_LEN);
  const length: Ref = { value: bytes.length };
  return (await ask(bytes, length)) < 0 ? null : addressInfo(bytes.subarray(0, length.value));
}
