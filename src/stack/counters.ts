/**
 * What a stack counts, under the names of the MIBs: RFC 4293 (IP, ICMP), RFC 4022 (TCP), RFC 4113 (UDP). Plain numbers in
 * one object of a stable shape: counting costs an addition.
 */

import { DROP_REASON_COUNT, type DropReason } from '../wire/index.ts';

export class StackCounters {
  /** Packets by `DropReason`. */
  readonly drops = new Uint32Array(DROP_REASON_COUNT);

  ipInReceives = 0;
  ipInDelivers = 0;
  ipOutRequests = 0;
  /** Packets of others that were to be sent on, and those that were. */
  ipInForwDatagrams = 0;
  ipOutForwDatagrams = 0;
  ipReasmReqds = 0;
  ipReasmOKs = 0;
  ipReasmFails = 0;
  ipFragOKs = 0;
  ipFragFails = 0;
  ipFragCreates = 0;

  icmpInMsgs = 0;
  icmpInErrors = 0;
  icmpInEchos = 0;
  icmpInEchoReps = 0;
  icmpOutMsgs = 0;
  icmpOutErrors = 0;
  icmpOutEchos = 0;
  icmpOutEchoReps = 0;
  icmpInRedirects = 0;
  icmpOutRedirects = 0;

  udpInDatagrams = 0;
  udpNoPorts = 0;
  udpInErrors = 0;
  udpOutDatagrams = 0;

  tcpActiveOpens = 0;
  tcpPassiveOpens = 0;
  tcpAttemptFails = 0;
  tcpEstabResets = 0;
  tcpCurrEstab = 0;
  tcpInSegs = 0;
  tcpOutSegs = 0;
  tcpRetransSegs = 0;
  tcpInErrs = 0;
  tcpOutRsts = 0;

  /** Times at which the buffers of all connections together came under pressure. */
  tcpMemoryPressures = 0;
  /** Times at which a buffer got no memory for that reason. */
  tcpMemoryRefused = 0;
  /** Early bytes that were dropped after they had perhaps been SACKed (RFC 2018 §8). */
  tcpRenegedBytes = 0;
  /** Connections without a user that were reset to free their buffers. */
  tcpOrphansReset = 0;
  /** SYNs, and handshakes that were complete, that found the accept queue full. */
  tcpListenOverflows = 0;
  /** Handshakes that listeners gave up or never began for want of room. */
  tcpListenDrops = 0;
  /** SYN cookies sent, brought back, and ACKs that looked like one and were none (RFC 4987 §3.6). */
  tcpSynCookiesSent = 0;
  tcpSynCookiesRecv = 0;
  tcpSynCookiesFailed = 0;
  /** Fast Open (RFC 7413) as client: SYNs whose text was taken, was not; as server: connections by it, and those that failed. */
  tcpFastOpenActive = 0;
  tcpFastOpenActiveFail = 0;
  tcpFastOpenPassive = 0;
  tcpFastOpenPassiveFail = 0;
  /** SYNs that asked for a cookie, and good ones that there were too many of. */
  tcpFastOpenCookieReqd = 0;
  tcpFastOpenListenOverflows = 0;
  /** Times at which a client found that SYNs with text get nowhere. */
  tcpFastOpenBlackholes = 0;

  /** Counts a packet that was not used. */
  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] as number) + 1;
  }
}
