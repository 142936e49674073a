/** Datagrams out of an endpoint of the stack, one after the other, through one buffer. */

import { IpAddress } from '../../base/index.ts';
import type { DatagramInfo, UdpEndpoint } from '../../stack/index.ts';

/** The largest datagram there is. */
const buffer = new Uint8Array(65_536);
const info: DatagramInfo = {
  source: IpAddress.anyV4,
  sourcePort: 0,
  destination: IpAddress.anyV4,
  destinationPort: 0,
  interfaceIndex: 0,
  ttl: 0,
  trafficClass: 0,
  segmentSize: 0,
  isGroup: false,
  length: 0,
};

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
