/**
 * How much a sender should have in its buffer: the ideal send backlog, which is also how large the send buffer is unless the
 * user has set its size.
 *
 * What is in flight stays in the buffer until it is acknowledged, and while an acknowledgement is on its way to the user and
 * its next write back, something has to be there to be sent: so twice the congestion window. More only waits, and makes old
 * what the user has yet to say. The figure moves in powers of two, and falls only when it is four times too large, so that
 * whoever follows it (Winsock's SIO_IDEAL_SEND_BACKLOG_CHANGE) hears of it seldom.
 */

import { EndpointEvent } from '../../api.ts';
import { mostUsefulBuffer } from '../config.ts';
import { tell } from '../lifecycle.ts';
import { noteBuffers } from '../observe/counting.ts';
import type { Tcb } from '../tcb.ts';

/** The least, and what a connection starts with: as Windows does (IOC-SIO_IDEAL_SEND_BACKLOG_QUERY). */
export const LEAST_BACKLOG = 0x10000;

/** Follows the congestion window. Called for every acknowledgement of something new. */
export function tuneSendBuffer(tcb: Tcb): void {
  const wanted = 2 * tcb.congestion.cwnd;
  const backlog = tcb.idealSendBacklog;
  if (wanted <= backlog && 4 * wanted > backlog) return;
  const ideal = idealFor(tcb, wanted);
  if (ideal === backlog) return;
  tcb.idealSendBacklog = ideal;
  if (!tcb.settings.isSendBufferFixed) {
    // What is held already is never dropped, whatever the limit.
    tcb.tx.limit = Math.max(tcb.settings.sendBufferSize, ideal);
    noteBuffers(tcb);
  }
  tell(tcb, EndpointEvent.backlogChanged);
}

/** `wanted` as a power of two within what the stack allows and the path can use. */
function idealFor(tcb: Tcb, wanted: number): number {
  const { config, rtt } = tcb;
  const most = Math.min(config.sendBufferMax, mostUsefulBuffer(rtt.hasSample ? rtt.minRtt : 0));
  if (wanted >= most) return Math.max(LEAST_BACKLOG, most);
  return Math.min(most, Math.max(LEAST_BACKLOG, 2 ** (32 - Math.clz32(wanted - 1))));
}
