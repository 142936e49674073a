/**
 * inet_pton and inet_ntop as the promising face has them: at once, and with an exception where C reports an error.
 */

import type { Ref } from '../spi/index.ts';
import { inet_ntop as ntop, inet_pton as pton, WinsockError } from '../winsock/index.ts';

/** Room for the longest address text that Windows names, in characters. */
const INET6_ADDRSTRLEN = 65;

/**
 * Reads a strict numeric address: four decimal numbers, or IPv6 without a zone.
 *
 * Errors: WSAEAFNOSUPPORT (another family), WSAEFAULT (a short buffer)
 *
 * Source: API-inet_pton
 * @param Family AF_INET or AF_INET6
 * @param pAddrBuf gets 4 or 16 bytes in network order
 * @returns 1, or 0 when the text is no address
 * @throws {WinsockError}
 * @example
 * ```ts
 * const bytes = new Uint8Array(4);
 * inet_pton(AF_INET, '10.0.0.1', bytes); // → 1
 * bytes.join(' '); // → '10 0 0 1'
 * inet_pton(AF_INET, '10.1', bytes); // → 0
 * ```
 */
export function inet_pton(Family: number, pszAddrString: string, pAddrBuf: Uint8Array): number {
  const answer = pton(Family, pszAddrString, pAddrBuf);
  if (answer < 0) throw new WinsockError('inet_pton', answer);
  return answer;
}

/**
 * The text of an address.
 *
 * Errors: WSAEAFNOSUPPORT (another family), WSAEFAULT (a short address)
 *
 * Source: API-inet_ntop
 * @param Family AF_INET or AF_INET6
 * @param pAddr 4 or 16 bytes in network order
 * @throws {WinsockError}
 * @example
 * ```ts
 * inet_ntop(AF_INET, Buffer.from([10, 0, 0, 1])); // → '10.0.0.1'
 * ```
 */
export function inet_ntop(Family: number, pAddr: Uint8Array): string {
  const text: Ref<string> = { value: '' };
  const answer = ntop(Family, pAddr, text, INET6_ADDRSTRLEN);
  if (answer < 0) throw new WinsockError('inet_ntop', answer);
  return text.value;
}
