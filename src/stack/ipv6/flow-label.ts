/**
 * Flow labels (RFC 6437 §3): a keyed hash of what makes a flow, so that routers spread flows evenly and nobody who lacks the key
 * can tell the next label. A flow is known by its addresses, protocol and ports; what has no ports has zeros for them.
 */

import { type IpAddress, i32le } from '../../base/index.ts';
import { IPV6_FLOW_LABEL_MASK } from '../../wire/index.ts';
import { sipBlock, sipFinish, sipResult, sipStart } from '../tcp/siphash.ts';

/** Sets these hashes apart from the others under the same secret. */
const PURPOSE = 0x666c6f77;
const MESSAGE_BYTES = 48;

/**
 * The label of a flow, 1 … 0xfffff: 0 would say that there is none (RFC 6437 §2).
 * @param secret at least 16 bytes
 */
export function flowLabel(
  secret: Uint8Array,
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): number {
  sipStart(i32le(secret, 0), i32le(secret, 4), i32le(secret, 8), i32le(secret, 12));
  sipBlock(source.w0, source.w1);
  sipBlock(source.w2, source.w3);
  sipBlock(destination.w0, destination.w1);
  sipBlock(destination.w2, destination.w3);
  sipBlock(protocol, (sourcePort << 16) | destinationPort);
  sipBlock(MESSAGE_BYTES << 24, PURPOSE);
  sipFinish();
  const label = (sipResult.low ^ sipResult.high) & IPV6_FLOW_LABEL_MASK;
  return label === 0 ? 1 : label;
}
