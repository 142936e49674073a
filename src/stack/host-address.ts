/**
 * Which addresses a caller may give an interface, and which a gateway can have. What the network names is judged where it is read.
 */

import { IpAddress, parsePrefix, prefixMask } from '../base/index.ts';

/** The longest prefix with a broadcast address: RFC 3021. */
const LONGEST_WITH_BROADCAST = 30;

/** Whether an interface can have the address: no loopback one, and neither its subnet's broadcast address nor that of the subnet itself. */
export function isInterfaceAddress(address: IpAddress, prefixLength: number): boolean {
  if (!isOthersToo(address)) return false;
  if (address.family === 6 || prefixLength > LONGEST_WITH_BROADCAST) return true;
  const hostBits = ~prefixMask(prefixLength);
  const host = address.w3 & hostBits;
  return host !== 0 && host !== hostBits;
}

/** @throws {RangeError} when no interface can have the address; text that can't be read is left to who reads it */
export function requireInterfaceAddress(text: string): void {
  const prefix = parsePrefix(text);
  if (prefix !== null && !isInterfaceAddress(prefix.address, prefix.length))
    throw new RangeError(`no host can have the address ${text}`);
}

/** @throws {RangeError} when no router can have the address; text that can't be read is left to who reads it */
export function requireGateway(text: string): void {
  const address = IpAddress.parse(text);
  if (address !== null && !isOthersToo(address))
    throw new RangeError(`no gateway can have the address ${text}`);
}

/** Whether a host can have it, and others can reach it there. */
function isOthersToo(address: IpAddress): boolean {
  return address.isHost && !address.isLoopback;
}
