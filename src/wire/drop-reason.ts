/**
 * Why a packet was not used. Malformed or unwanted traffic is data, not an exception: parsers and the stack answer one of
 * these numbers, which is counted, traced, written into captures, and listed by `winsockd drops` with its source.
 */

/** 0 means that the packet was used. Numbers are not stable between versions; names are. */
export const DropReason = {
  none: 0,
  // Ethernet
  frameTruncated: 1,
  frameNotForUs: 2,
  etherTypeUnknown: 3,
  // ARP
  arpTruncated: 4,
  arpUnsupported: 5,
  arpSender: 6,
  arpNotForUs: 7,
  arpConflict: 8,
  // IPv4
  ipTruncated: 10,
  ipVersion: 11,
  ipHeaderLength: 12,
  ipTotalLength: 13,
  ipChecksum: 14,
  ipOptions: 15,
  ipSourceRoute: 16,
  ipSourceAddress: 17,
  ipNotForUs: 18,
  ipProtocolUnknown: 19,
  ipFamilyUnsupported: 20,
  // Fragments
  fragmentTooBig: 30,
  fragmentMisaligned: 31,
  fragmentOverlap: 32,
  fragmentTooMany: 33,
  fragmentTimeout: 34,
  // ICMP
  icmpTruncated: 40,
  icmpChecksum: 41,
  icmpTypeUnknown: 42,
  icmpQuoteUnknown: 43,
  icmpNoRequester: 44,
  icmpQueueFull: 45,
  icmpEchoToGroup: 46,
  icmpNotInFlight: 47,
  icmpMtuImplausible: 48,
  icmpErrorQueueFull: 49,
  // UDP
  udpTruncated: 50,
  udpLength: 51,
  udpChecksum: 52,
  udpNoListener: 53,
  udpQueueFull: 54,
  udpWrongPeer: 55,
  udpNoChecksum: 56,
  // DHCP
  dhcpMalformed: 57,
  dhcpUnexpected: 58,
  dhcpRefused: 59,
  // TCP
  tcpTruncated: 60,
  tcpDataOffset: 61,
  tcpChecksum: 62,
  tcpOptions: 63,
  tcpGroupAddress: 64,
  tcpNoListener: 65,
  tcpOutOfWindow: 66,
  tcpPaws: 67,
  tcpAckUnacceptable: 68,
  tcpResetUnacceptable: 69,
  tcpSynInWindow: 70,
  tcpNoAck: 71,
  tcpBacklogFull: 72,
  tcpDuplicate: 73,
  tcpReceiverClosed: 74,
  tcpNoMemory: 75,
  // Forwarding
  forwardProhibited: 80,
  forwardBroadcast: 81,
  forwardTtlExceeded: 82,
  forwardTooBig: 83,
  redirectRefused: 84,
  natNoMapping: 85,
  natFiltered: 86,
  natTableFull: 87,
  natMalformed: 88,
  natUnsolicited: 89,
  // Sending side
  noRoute: 90,
  noNeighbor: 91,
  outputQueueFull: 92,
  interfaceDown: 93,
  neighborQueueFull: 94,
  // Raw sockets
  rawQueueFull: 100,
  rawForeignSource: 101,
  rawChecksum: 102,
  // What sockets were told to leave out
  interfaceNotListed: 103,
  // Group membership
  igmpTruncated: 110,
  igmpChecksum: 111,
  igmpTypeUnknown: 112,
  igmpGroup: 113,
  igmpNotFromLink: 114,
  mldTruncated: 115,
  mldGroup: 116,
  mldNotFromLink: 117,
  // IPv6
  ipv6Truncated: 130,
  ipv6PayloadLength: 131,
  ipv6Extension: 132,
  ipv6ExtensionOrder: 133,
  ipv6ExtensionLimit: 134,
  ipv6OptionUnknown: 135,
  ipv6Routing: 136,
  ipv6HeaderChain: 137,
  ipv6NoNextHeader: 138,
  // Neighbor Discovery
  ndpHopLimit: 140,
  ndpMalformed: 141,
  ndpOption: 142,
  ndpAddress: 143,
  ndpTooMany: 144,
  ndpNotForUs: 145,
  ndpConflict: 146,
  ndpFragment: 147,
  ndpLooped: 148,
} as const;
export type DropReason = (typeof DropReason)[keyof typeof DropReason];

/** One more than the highest number. */
export const DROP_REASON_COUNT = 256;

/** The name of a reason. */
export type DropReasonName = keyof typeof DropReason;

/** A reason for people. */
export interface DropReasonInfo {
  readonly name: DropReasonName;
  /** The rule that says so. */
  readonly source: string;
  /** One sentence: what was wrong, or why the packet had no use. */
  readonly text: string;
}
