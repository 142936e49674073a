/**
 * How a DHCP client is known: its DUID (RFC 8415 §11), the IAID of an interface (§12), and the client identifier that IPv4
 * makes of both (RFC 4361 §6.1).
 */

import { fromHex, i32, putI32, putU16 } from '../../base/index.ts';
import { deriveKey } from '../tcp/siphash.ts';

/** DUID types (RFC 8415 §11, RFC 6355). */
const DUID_EN = 2;
const DUID_LL = 3;
const DUID_UUID = 4;
const HARDWARE_ETHERNET = 1;
/** A DUID's least and most bytes, its type included (RFC 8415 §11.1). */
const SHORTEST_DUID = 3;
const LONGEST_DUID = 130;
/** Says that the rest of a client identifier is an IAID and a DUID (RFC 4361 §6.1). */
const CLIENT_ID_OF_DUID = 255;

/** DUID-LL: a hardware address that stays with the host (RFC 8415 §11.4). */
export function duidOfLinkLayer(mac: Uint8Array): Uint8Array {
  const duid = new Uint8Array(4 + mac.length);
  putU16(duid, 0, DUID_LL);
  putU16(duid, 2, HARDWARE_ETHERNET);
  duid.set(mac, 4);
  return duid;
}

/** DUID-EN: an identifier that a vendor with this enterprise number gave (RFC 8415 §11.3). */
export function duidOfEnterprise(enterprise: number, identifier: Uint8Array): Uint8Array {
  const duid = new Uint8Array(6 + identifier.length);
  putU16(duid, 0, DUID_EN);
  putI32(duid, 2, enterprise);
  duid.set(identifier, 6);
  return duid;
}

/** DUID-UUID (RFC 6355 §4). @param uuid as 16 bytes */
export function duidOfUuid(uuid: Uint8Array): Uint8Array {
  const duid = new Uint8Array(2 + 16);
  putU16(duid, 0, DUID_UUID);
  duid.set(uuid.subarray(0, 16), 2);
  return duid;
}

/**
 * Reads a DUID as it is written in a configuration: hex digits, in pairs, perhaps with colons or hyphens between.
 * @returns `null` when it is none
 */
export function parseDuid(text: string): Uint8Array | null {
  const digits = text.replace(/[:-]/g, '');
  if (!/^([0-9a-f]{2})+$/i.test(digits)) return null;
  const duid = fromHex(digits);
  return isDuid(duid) ? duid : null;
}

/** Whether bytes may be a DUID: nobody but who made it looks inside (RFC 8415 §11). */
export function isDuid(bytes: Uint8Array): boolean {
  return bytes.length >= SHORTEST_DUID && bytes.length <= LONGEST_DUID;
}

/** The IAID of an interface: of its hardware address, so that it outlives a restart; else its index. */
export function iaidOf(mac: Uint8Array | null, interfaceIndex: number): number {
  return mac === null ? interfaceIndex : i32(mac, 2);
}

/** Option 61 of a client with a DUID. */
export function clientIdOfDuid(iaid: number, duid: Uint8Array): Uint8Array {
  const id = new Uint8Array(5 + duid.length);
  id[0] = CLIENT_ID_OF_DUID;
  putI32(id, 1, iaid);
  id.set(duid, 5);
  return id;
}

/** A UUID that is as stable as the secret, and gives nothing of it away (RFC 9562 §5.8, version 8). */
export function uuidOfSecret(secret: Uint8Array): Uint8Array {
  const uuid = deriveKey(secret, 'DUID');
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x80;
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80;
  return uuid;
}
