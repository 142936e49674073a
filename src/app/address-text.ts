/**
 * inet_pton and inet_ntop as the promising face has them: at once, and with an exception where C reports an error.
 */

import type { Ref } from '../spi/index.ts';
import { inet_ntop as ntop, inet_pton as pton, WinsockError } from '../winsock/index.ts';

/** Room for the longest address text that Windows names, in characters. */
const INET6_ADDRSTRLEN = 65;

/**
 * Reads a strict numeric address into `pAddrBuf`.
 * @returns 1, or 0 when the text is no address
 * @throws {WinsockError} for another family or a short buffer
 */
export function inet_pton(Family: number, pszAddrString: string, pAddrBuf: Uint8Array): number {
  const answer = pton(Family, pszAddrString, pAddrBuf);
  if (answer < 0) throw new WinsockError('inet_pton', answer);
  return answer;
}

/**
 * The text of a 4- or 16-byte address.
 * @throws {WinsockError} for another family or a short address
 */
export function inet_ntop(Family: number, pAddr: Uint8Array): string {
  const text: Ref<string> = { value: '' };
  const answer = ntop(Family, pAddr, text, INET6_ADDRSTRLEN);
  if (answer < 0) throw new WinsockError('inet_ntop', answer);
  return text.value;
}
