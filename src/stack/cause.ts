/**
 * Why a packet was sent: the number in a transmit batch's `TX_CAUSE` column, and its words for a capture's comment.
 */

/** Numbers are not stable between versions; names are. */
export const Cause = {
  none: 0,
  // TCP
  syn: 1,
  synAck: 2,
  synRetransmission: 3,
  data: 4,
  /** The retransmission timer ran out (RFC 6298). */
  retransmission: 5,
  /** Loss was inferred from duplicate ACKs or SACK (RFC 5681, 6675). */
  fastRetransmit: 6,
  ack: 7,
  delayedAck: 8,
  duplicateAck: 9,
  windowUpdate: 10,
  fin: 11,
  reset: 12,
  keepAlive: 13,
  windowProbe: 14,
  /** RFC 5961. */
  challengeAck: 15,
  urgent: 16,
  /** An ACK that answers a segment for a connection in TIME-WAIT. */
  timeWaitAck: 17,
  /** RFC 8985 §7. */
  tailLossProbe: 18,
  /** A SYN-ACK that nothing is remembered of (RFC 4987 §3.6). */
  synCookie: 19,
  // The host's own services
  dhcp: 80,
  // Datagrams
  datagram: 32,
  rawPacket: 33,
  // ICMP
  echoRequest: 40,
  echoReply: 41,
  icmpError: 42,
  /** IGMP, MLD. */
  groupReport: 43,
  // Neighbours
  arpRequest: 50,
  arpReply: 51,
  arpAnnouncement: 52,
  arpProbe: 53,
  neighborSolicitation: 54,
  neighborAdvertisement: 55,
  routerSolicitation: 56,
  duplicateCheck: 57,
  redirect: 58,
  // Routers
  forwarded: 60,
} as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

/** Added to a cause: the packet is one fragment of what the cause names. */
export const CAUSE_FRAGMENT = 0x100;

const TEXT: Readonly<Record<number, string>> = {
  [Cause.none]: '',
  [Cause.syn]: 'SYN of connect',
  [Cause.synAck]: 'SYN-ACK of a listener',
  [Cause.synRetransmission]: 'SYN again: no answer in time',
  [Cause.data]: 'data',
  [Cause.retransmission]: 'retransmission: timeout',
  [Cause.fastRetransmit]: 'retransmission: loss inferred from ACKs',
  [Cause.ack]: 'ACK',
  [Cause.delayedAck]: 'delayed ACK',
  [Cause.duplicateAck]: 'duplicate ACK: data out of order',
  [Cause.windowUpdate]: 'window update',
  [Cause.fin]: 'FIN',
  [Cause.reset]: 'RST',
  [Cause.keepAlive]: 'keep-alive probe',
  [Cause.windowProbe]: 'zero-window probe',
  [Cause.challengeAck]: 'challenge ACK (RFC 5961)',
  [Cause.urgent]: 'urgent data',
  [Cause.timeWaitAck]: 'ACK from TIME-WAIT',
  [Cause.tailLossProbe]: 'tail-loss probe (RFC 8985)',
  [Cause.synCookie]: 'SYN-ACK with a SYN cookie',
  [Cause.dhcp]: 'DHCP',
  [Cause.datagram]: 'datagram',
  [Cause.rawPacket]: 'raw packet',
  [Cause.echoRequest]: 'echo request',
  [Cause.echoReply]: 'echo reply',
  [Cause.icmpError]: 'ICMP error',
  [Cause.arpRequest]: 'ARP request: is the next hop there?',
  [Cause.arpReply]: 'ARP reply',
  [Cause.arpAnnouncement]: 'ARP announcement of an address (RFC 5227)',
  [Cause.arpProbe]: 'ARP probe: does somebody have the address? (RFC 5227)',
  [Cause.neighborSolicitation]: 'neighbor solicitation',
  [Cause.neighborAdvertisement]: 'neighbor advertisement',
  [Cause.routerSolicitation]: 'router solicitation',
  [Cause.duplicateCheck]: 'neighbor solicitation: does somebody have the address? (RFC 4862)',
  [Cause.forwarded]: 'passed on for another host',
  [Cause.groupReport]: 'report of group membership',
};

/** A cause in words; the empty string when it is not known. */
export function causeText(cause: number): string {
  const text = TEXT[cause & ~CAUSE_FRAGMENT] ?? '';
  return (cause & CAUSE_FRAGMENT) === 0 ? text : `fragment of ${text}`;
}
