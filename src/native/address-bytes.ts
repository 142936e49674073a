/**
 * Addresses as the addon takes and gives them: 4 or 16 bytes in network order.
 */

import { IpAddress, i32, putI32 } from '../base/index.ts';

/** The address in `bytes`, which has 4 or 16 of them. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return IpAddress.v4(i32(bytes, 0));
  return new IpAddress(6, i32(bytes, 0), i32(bytes, 4), i32(bytes, 8), i32(bytes, 12));
}

/** 4 or 16 bytes, fresh; a zone is left out. */
export function bytesFromAddress(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(address.family === 4 ? 4 : 16);
  if (address.family === 4) {
    putI32(bytes, 0, address.w3);
    return bytes;
  }
  putI32(bytes, 0, address.w0);
  putI32(bytes, 4, address.w1);
  putI32(bytes, 8, address.w2);
  putI32(bytes, 12, address.w3);
  return bytes;
}
