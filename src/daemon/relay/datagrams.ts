/** Datagrams out of an endpoint of the stack, one after the other, through one buffer. */

import { createDatagramInfo, type DatagramInfo, type UdpEndpoint } from '../../stack/index.ts';

/** The largest datagram there is. */
const buffer = new Uint8Array(65_536);
const info: DatagramInfo = createDatagramInfo();

/**
 * Takes all that waits. Errors that ICMP reported are passed over: a lost datagram is no news to who sends datagrams.
 * @param take is given bytes of its own, and what came with them, borrowed until it returns
 */
export function drainDatagrams(
  endpoint: UdpEndpoint,
  take: (bytes: Uint8Array, info: Readonly<DatagramInfo>) => void,
): void {
  while (endpoint.nextLength >= 0 || endpoint.pendingError !== 0) {
    const length = endpoint.receive(buffer, 0, buffer.length, info);
    if (length >= 0) take(buffer.slice(0, length), info);
  }
}
