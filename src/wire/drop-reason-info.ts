/**
 * What each {@link DropReason} means, for people: shown by `winsockd drops`, in traces and in packet comments.
 */

import { DropReason, type DropReasonInfo, type DropReasonName } from './drop-reason.ts';

/** Source and sentence of each reason; exhaustive by its type. */
export const DROP_REASON_INFO: Readonly<Record<DropReasonName, Omit<DropReasonInfo, 'name'>>> = {
  none: { source: '', text: 'The packet was used.' },

  frameTruncated: { source: 'IEEE 802.3 §3.2', text: 'The frame is shorter than an Ethernet header.' },
  frameNotForUs: { source: 'IEEE 802.3 §4.1.2.1.2', text: 'The frame is addressed to another station.' },
  etherTypeUnknown: { source: 'RFC 1122 §2.3.1', text: 'No protocol of this host has that EtherType.' },

  arpTruncated: { source: 'RFC 826', text: 'The ARP message is shorter than 28 bytes.' },
  arpUnsupported: {
    source: 'RFC 826',
    text: 'The ARP message is not about IPv4 over Ethernet, or neither a request nor a reply.',
  },
  arpSender: {
    source: 'RFC 826, RFC 1122 §3.2.1.3',
    text: 'The sender of the ARP message has an address that no station or host has.',
  },
  arpNotForUs: {
    source: 'RFC 826',
    text: 'The ARP message is about addresses of others, none of which is in use here.',
  },
  arpConflict: {
    source: 'RFC 5227 §2.4',
    text: 'Another station uses, or asks for, an address of this host.',
  },

  ipTruncated: { source: 'RFC 791 §3.1', text: 'The packet is shorter than an IPv4 header.' },
  ipVersion: {
    source: 'RFC 1122 §3.2.1.1',
    text: 'The version in the IP header is neither 4 nor 6, or not that of the EtherType.',
  },
  ipHeaderLength: {
    source: 'RFC 791 §3.1',
    text: 'The header length is below 20 bytes or more than the packet has.',
  },
  ipTotalLength: {
    source: 'RFC 791 §3.1',
    text: 'The total length is below the header length or more than arrived.',
  },
  ipChecksum: { source: 'RFC 1122 §3.2.1.2', text: 'The header checksum is wrong.' },
  ipOptions: {
    source: 'RFC 1122 §3.2.1.8',
    text: 'An IP option has a length or pointer that cannot be.',
  },
  ipSourceRoute: { source: 'RFC 7126 §4.3', text: 'The packet carries a source route, which is refused.' },
  ipSourceAddress: {
    source: 'RFC 1122 §3.2.1.3',
    text: 'The source is an address that no host may send from.',
  },
  ipNotForUs: { source: 'RFC 1122 §3.3.1', text: 'The destination is no address of this host.' },
  ipProtocolUnknown: {
    source: 'RFC 1122 §3.2.2.1',
    text: 'No transport or raw socket takes that IP protocol.',
  },
  ipFamilyUnsupported: {
    source: 'RFC 4213 §2',
    text: 'The interface does not run that version of the internet protocol.',
  },

  fragmentTooBig: { source: 'RFC 791 §3.2', text: 'The fragment ends past 65,535 bytes.' },
  fragmentMisaligned: {
    source: 'RFC 791 §3.2',
    text: 'A fragment that is not the last has a length that is no multiple of 8, or none at all.',
  },
  fragmentOverlap: {
    source: 'RFC 1858, RFC 5722 §4',
    text: 'The fragment overlaps another with different bounds.',
  },
  fragmentTooMany: {
    source: 'RFC 1122 §3.3.2',
    text: 'The memory or count bound of unfinished datagrams was reached.',
  },
  fragmentTimeout: {
    source: 'RFC 1122 §3.3.2',
    text: 'The rest of the datagram did not come in time.',
  },

  icmpTruncated: {
    source: 'RFC 792',
    text: 'The ICMP message, or the packet that it quotes, is too short.',
  },
  icmpChecksum: { source: 'RFC 792', text: 'The ICMP checksum is wrong.' },
  icmpTypeUnknown: {
    source: 'RFC 1122 §3.2.2',
    text: 'The ICMP type is not known, or not for hosts; it is discarded silently.',
  },
  icmpQuoteUnknown: {
    source: 'RFC 5927 §4.1',
    text: 'The ICMP error quotes a packet that this host did not send.',
  },
  icmpNoRequester: { source: 'RFC 1122 §3.2.2.6', text: 'Nobody here waits for that echo reply.' },
  icmpQueueFull: { source: 'RFC 1122 §3.2.2.6', text: 'Too many echo replies wait for the one who asked.' },
  icmpEchoToGroup: {
    source: 'RFC 1122 §3.2.2.6',
    text: 'Echo requests to broadcast and multicast addresses are not answered.',
  },
  icmpNotInFlight: {
    source: 'RFC 5927 §4.1',
    text: 'The ICMP error quotes a sequence number that is not in flight: whoever sent it has not seen the connection.',
  },
  icmpMtuImplausible: {
    source: 'RFC 1191 §5',
    text: 'The ICMP error says that a packet was too big for a link which it fits, or which no network has.',
  },
  icmpErrorQueueFull: {
    source: 'RFC 1122 §4.1.3.3',
    text: 'A socket that queues ICMP errors about what it sent has no room for one more.',
  },

  udpTruncated: { source: 'RFC 768', text: 'The packet is shorter than a UDP header.' },
  udpLength: { source: 'RFC 768', text: 'The UDP length is below 8 or more than the packet has.' },
  udpChecksum: { source: 'RFC 1122 §4.1.3.4', text: 'The UDP checksum is wrong.' },
  udpNoListener: {
    source: 'RFC 1122 §4.1.3.1',
    text: 'No socket is bound to that UDP port (answered with port unreachable).',
  },
  udpQueueFull: { source: 'RFC 768', text: "The socket's receive buffer is full." },
  udpWrongPeer: {
    source: 'RFC 768',
    text: 'The socket is connected to another peer than the sender.',
  },
  udpNoChecksum: {
    source: 'RFC 6935 §5',
    text: 'An IPv6 datagram has no checksum, and the socket has not said that it takes such ones.',
  },

  dhcpMalformed: {
    source: 'RFC 2131 §2, RFC 8415 §8',
    text: 'The DHCP message is too short, or an option in it ends past its end.',
  },
  dhcpUnexpected: {
    source: 'RFC 2131 §4.4.1, RFC 8415 §16',
    text: 'The DHCP message answers nothing that this host has asked, or is for another client.',
  },
  dhcpRefused: {
    source: 'RFC 2131 §4.3.1, RFC 8415 §18.2.10',
    text: 'The DHCP server offers what no host can use: an address, a mask or a lease time.',
  },

  tcpTruncated: { source: 'RFC 9293 §3.1', text: 'The packet is shorter than a TCP header.' },
  tcpDataOffset: {
    source: 'RFC 9293 §3.1',
    text: 'The data offset is below 5 words or more than the segment has.',
  },
  tcpChecksum: { source: 'RFC 9293 §3.1, MUST-3', text: 'The TCP checksum is wrong.' },
  tcpOptions: {
    source: 'RFC 9293 §3.1, MUST-7',
    text: 'A TCP option has a length that cannot be.',
  },
  tcpGroupAddress: {
    source: 'RFC 9293 §3.9.2.3, MUST-57',
    text: 'A segment to a broadcast or multicast address.',
  },
  tcpNoListener: {
    source: 'RFC 9293 §3.10.7.1',
    text: 'No connection or listener is at that port (answered with RST).',
  },
  tcpOutOfWindow: {
    source: 'RFC 9293 §3.10.7.4, first',
    text: 'The segment lies outside the receive window (answered with ACK).',
  },
  tcpPaws: {
    source: 'RFC 7323 §5.3',
    text: 'The timestamp is older than the last one: an old duplicate (PAWS).',
  },
  tcpAckUnacceptable: {
    source: 'RFC 9293 §3.10.7.4, fifth; RFC 5961 §5',
    text: 'The segment acknowledges what was never sent, or too long ago.',
  },
  tcpResetUnacceptable: {
    source: 'RFC 9293 §3.10.7.4, second; RFC 5961 §3',
    text: 'RST in the window but not at its left edge (answered with a challenge ACK).',
  },
  tcpSynInWindow: {
    source: 'RFC 9293 §3.10.7.4, fourth; RFC 5961 §4',
    text: 'SYN on a synchronized connection (answered with a challenge ACK).',
  },
  tcpNoAck: { source: 'RFC 9293 §3.10.7.4, fifth', text: 'A segment without the ACK bit.' },
  tcpBacklogFull: {
    source: 'RFC 9293 §3.10.7.2',
    text: "The listener's queue of connections is full.",
  },
  tcpDuplicate: {
    source: 'RFC 9293 §3.10.7.4, seventh',
    text: 'All of its bytes had already been received.',
  },
  tcpReceiverClosed: {
    source: 'RFC 9293 §3.6.1, RFC 2525 §2.17',
    text: 'Data for a socket that reads no more (answered with RST).',
  },
  tcpNoMemory: {
    source: 'RFC 9293 §3.8.6.2.1',
    text: 'No buffer memory could be had within the bound.',
  },

  forwardProhibited: {
    source: 'RFC 1812 §5.3.7, RFC 3927 §7, RFC 4291 §2.5.6',
    text: 'A router passes on nothing from or to such an address: loopback, link-local, multicast, or none.',
  },
  forwardBroadcast: {
    source: 'RFC 2644 §2',
    text: 'A router does not pass on what is for all hosts of a network (directed broadcast).',
  },
  forwardTtlExceeded: {
    source: 'RFC 1812 §5.3.1',
    text: 'The time to live of a packet that was to be passed on ran out.',
  },
  forwardTooBig: {
    source: 'RFC 1812 §5.2.7.1, RFC 8200 §5',
    text: "Larger than the next link's MTU, and not to be fragmented by a router.",
  },
  redirectRefused: {
    source: 'RFC 1122 §3.2.2.2',
    text: 'A redirect that is not from the first hop in use, or to a router that is not on its link.',
  },
  natNoMapping: {
    source: 'RFC 4787 §5, RFC 5382 §4',
    text: 'Came from outside for a port of the translator that nobody inside has.',
  },
  natFiltered: {
    source: 'RFC 4787 §5',
    text: 'Came from outside, from a peer that the host inside has sent nothing to.',
  },
  natTableFull: {
    source: 'RFC 6888 §3, REQ-4',
    text: 'The translator has no port, or no room for this host inside.',
  },
  natMalformed: {
    source: 'RFC 5508 §4',
    text: 'The translator could not read the packet as the protocol that it says it is.',
  },
  natUnsolicited: {
    source: 'RFC 5382 §4.3, REQ-4',
    text: 'A SYN from outside that nobody inside has asked for; it is answered after six seconds, if at all.',
  },

  noRoute: { source: 'RFC 1122 §3.3.1', text: 'No route leads to the destination.' },
  noNeighbor: {
    source: 'RFC 4861 §7.2.2',
    text: 'The next hop did not tell its hardware address (answered with host unreachable).',
  },
  outputQueueFull: { source: 'RFC 1122 §2.4', text: "The interface's queue of packets to send is full." },
  interfaceDown: { source: 'RFC 1122 §2.4', text: 'The interface is down.' },
  neighborQueueFull: {
    source: 'RFC 4861 §7.2.2',
    text: 'Too many packets wait for the hardware address of their next hop: the oldest has gone.',
  },

  rawQueueFull: { source: 'RFC 791 §3.3', text: "The raw socket's receive buffer is full." },
  rawForeignSource: {
    source: 'RAW-09',
    text: 'A raw socket sent UDP from an address that is not ours; clients of Windows do not let such packets out.',
  },
  rawChecksum: {
    source: 'RFC 3542 §3.1',
    text: 'The checksum is wrong that the raw IPv6 socket has asked to be verified.',
  },
  interfaceNotListed: {
    source: 'RFC 768',
    text: 'The socket takes packets by listed interfaces only (OPT-IP_IFLIST), and this one is none of them.',
  },

  igmpTruncated: {
    source: 'RFC 3376 §7.1',
    text: 'The IGMP message has a length that no version has, or a list that is longer than it.',
  },
  igmpChecksum: { source: 'RFC 3376 §4.1.2', text: 'The IGMP checksum is wrong.' },
  igmpTypeUnknown: { source: 'RFC 3376 §4', text: 'An IGMP message of a type that hosts have no use for.' },
  igmpGroup: { source: 'RFC 3376 §4.1.3', text: 'The IGMP message is about an address that is no group.' },
  igmpNotFromLink: {
    source: 'RFC 3376 §9.1',
    text: 'An IGMP query that no router of this link has sent as it should: its TTL, router alert or destination.',
  },
  mldTruncated: {
    source: 'RFC 3810 §8.1',
    text: 'The MLD message has a length that no version has, or a list that is longer than it.',
  },
  mldGroup: { source: 'RFC 3810 §5.1.5', text: 'The MLD message is about an address that is no group.' },
  mldNotFromLink: {
    source: 'RFC 3810 §5.1.14, §6.2',
    text: 'An MLD message whose source is not link-local, whose hop limit is not 1, or without a router alert.',
  },
  ipv6Truncated: { source: 'RFC 8200 §3', text: 'The packet is shorter than an IPv6 header.' },
  ipv6PayloadLength: { source: 'RFC 8200 §3', text: 'The payload length is more than arrived.' },
  ipv6Extension: {
    source: 'RFC 8200 §4',
    text: 'An extension header or an option in one has a length that cannot be.',
  },
  ipv6ExtensionOrder: {
    source: 'RFC 8200 §4.1',
    text: 'Hop-by-hop options that do not come first, or a second fragment header.',
  },
  ipv6ExtensionLimit: {
    source: 'RFC 8504 §5.3',
    text: 'More extension headers, options or padding than this host looks at.',
  },
  ipv6OptionUnknown: {
    source: 'RFC 8200 §4.2',
    text: 'An unknown option that has who does not know it discard the packet.',
  },
  ipv6Routing: {
    source: 'RFC 8200 §4.4, RFC 5095',
    text: 'A routing header with segments left: none is followed.',
  },
  ipv6HeaderChain: {
    source: 'RFC 7112 §5',
    text: 'The first fragment, or the quoted packet, does not have all headers.',
  },
  ipv6NoNextHeader: { source: 'RFC 8200 §4.7', text: 'Nothing follows the headers: there is no payload.' },

  ndpHopLimit: {
    source: 'RFC 4861 §7.1',
    text: 'A Neighbor Discovery message has a hop limit below 255: it may come from beyond the link.',
  },
  ndpMalformed: {
    source: 'RFC 4861 §6.1',
    text: 'A Neighbor Discovery message is too short, or its code is not 0.',
  },
  ndpOption: {
    source: 'RFC 4861 §4.6',
    text: 'An option of a Neighbor Discovery message has no length, or does not fit into it.',
  },
  ndpAddress: {
    source: 'RFC 4861 §7.1',
    text: 'A Neighbor Discovery message comes from, goes to or is about an address that it must not.',
  },
  ndpNotForUs: {
    source: 'RFC 4861 §7.2.3, §7.2.5',
    text: 'The neighbor discovery message is about addresses that are neither ours nor in use here.',
  },
  ndpConflict: {
    source: 'RFC 4862 §5.4',
    text: 'Another station uses, or asks for, an IPv6 address of this host.',
  },
  ndpLooped: {
    source: 'RFC 7527 §4.2',
    text: 'The link has sent back our own question whether somebody has an address.',
  },
  ndpFragment: {
    source: 'RFC 6980 §5',
    text: 'A Neighbor Discovery message came with a fragment header, which hides it from who guards the link.',
  },
  ndpTooMany: {
    source: 'RFC 4861 §6.2.6',
    text: 'More router advertisements came in a second than any network needs.',
  },
};

/** By number; numbers without a reason are left out. */
const BY_NUMBER = new Map<number, DropReasonInfo>(
  (Object.keys(DropReason) as DropReasonName[]).map((name) => [
    DropReason[name],
    { name, ...DROP_REASON_INFO[name] },
  ]),
);

/** What is known about reason `number`; `null` for a number that no reason has. */
export function dropReasonInfo(number: number): DropReasonInfo | null {
  return BY_NUMBER.get(number) ?? null;
}

/** All reasons but `none`, in the order of their numbers. */
export function dropReasons(): readonly (DropReasonInfo & { readonly number: number })[] {
  return [...BY_NUMBER]
    .filter(([number]) => number !== DropReason.none)
    .sort(([a], [b]) => a - b)
    .map(([number, info]) => ({ number, ...info }));
}
