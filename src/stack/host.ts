/**
 * What a transport sees of the stack that it lives in, and what the stack sees of a transport. Internal to `stack/`.
 *
 * A transport never touches the network layer's header: it asks for a `Path` to the peer once, and has every packet's
 * IP (and link) header written by it. So nothing in `tcp/` or `udp/` knows an address family.
 *
 * Each transport makes its own `PortTable`, `ConnectionTable` and `ListenerTable` (exported again from here), keyed with
 * `Host.secret`.
 */

import type {
  BufferAllocator,
  IpAddress,
  IpFamily,
  Random,
  TimerQueue,
  TransmitBatch,
} from '../base/index.ts';
import type { Endpoint, SourceFilter } from './api.ts';
import type { StackCounters } from './counters.ts';
import type { PacketAddresses } from './demux.ts';

export { CAUSE_FRAGMENT, Cause } from './cause.ts';
export type { ConnectionEntry, ListenerEntry, PacketAddresses } from './demux.ts';
export { ConnectionTable, ListenerTable } from './demux.ts';
/** The built-in interface: always there, always the first. */
export const LOOPBACK_INDEX = 1;

export type { PortBinding } from './ports.ts';
export { PortTable } from './ports.ts';

/**
 * An inbound IP packet whose header is parsed and right: one object, filled anew for each packet and borrowed for the
 * length of the call.
 */
export interface InboundPacket extends PacketAddresses {
  readonly interfaceIndex: number;
  readonly protocol: number;
  readonly ttl: number;
  readonly trafficClass: number;
  readonly bytes: Uint8Array;
  /** Where the IP header starts, the transport header starts, and the packet ends, in `bytes`. */
  readonly headerAt: number;
  readonly payloadAt: number;
  readonly end: number;
  /** The transport checksum need not be verified: the device did, or it is partial and never left this machine. */
  readonly checksumTrusted: boolean;
  /** It is partial: the field holds the sum of the pseudo-header (virtio 1.2 §5.1.6). */
  readonly checksumPartial: boolean;
  /** Payload bytes of each segment that was merged into this one; 0 when it is a single packet. */
  readonly gsoSize: number;
  /** It came with an IPv6 fragment header, alone or in pieces. */
  readonly isFragmented: boolean;
  /** To a broadcast or multicast address: no TCP, and no ICMP error about it (RFC 1122 §3.2.2). */
  readonly isGroup: boolean;
  /** Set by the transport to the endpoint that took the packet, for the capture; `null` before. */
  owner: object | null;
}

/** The way to a peer: interface, next hop, source, MTU, and the writer of the headers before the transport's. */
export interface Path {
  readonly interfaceIndex: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Largest IP packet that the link takes, bytes. */
  readonly linkMtu: number;
  /**
   * Largest IP packet to send in one piece: the link's MTU, or what path MTU discovery found, but no less than
   * `LEAST_PATH_MTU`. May change from packet to packet.
   */
  readonly mtu: number;
  /**
   * The same without that floor: what reaches the peer uncut as far as is known. While it is below `mtu`, packets are left to
   * routers to fragment: DF is for those who ask for it.
   */
  readonly discoveredMtu: number;
  /** Bytes of link and IP header that `writeHeader` puts first. */
  readonly headerLength: number;
  /** Of them, the IP header (what counts towards `mtu`). */
  readonly ipHeaderLength: number;
  /** `OFFLOAD_*` bits of the link, narrowed to those usable on this path. */
  readonly offload: number;
  /** Sum of both addresses and `protocol`, for the pseudo-header; the length is still to be added. Not folded. */
  pseudoHeaderSum(protocol: number): number;
  /** False once routing or addresses changed: ask the host for a new one. */
  readonly isValid: boolean;
  /** The peer has answered what was sent by this path: its next hop is there (RFC 4861 §7.3.1). Cheap: for every new ACK. */
  confirm(now: number): void;
  /** The peer does not answer what is sent by this path: its next hop is asked whether it is there (RFC 1122 §3.3.1.4). */
  doubt(now: number): void;
  /** The neighbour that packets go to first; `null` on a link without neighbours. */
  readonly nextHop: IpAddress | null;
  /** When the next hop's hardware address was learned, ms; -∞ before, and on a link without neighbours. */
  readonly nextHopSince: number;
  /** To a broadcast or multicast address; to a broadcast address. */
  readonly isGroup: boolean;
  readonly isBroadcast: boolean;
  /**
   * The label of a flow by this path (RFC 6437 §3), for {@link writeHeader}; of IPv4 always 0. The last answer is kept, so that
   * asking for each datagram costs little; a connection keeps its own. Ports are 0 where there are none.
   */
  flowLabel(protocol: number, sourcePort: number, destinationPort: number): number;
  /**
   * Writes link and IP header for a packet with `transportLength` bytes behind the IP header.
   * @param flowLabel 0: that of what goes between both addresses without ports
   * @returns where the transport header goes.
   */
  writeHeader(
    into: Uint8Array,
    at: number,
    protocol: number,
    transportLength: number,
    ttl: number,
    trafficClass: number,
    dontFragment: boolean,
    flowLabel: number,
  ): number;
  /** Bytes that {@link writeFragment} puts first: `headerLength`, and an IPv6 fragment header. */
  readonly fragmentHeaderLength: number;
  /** An identification for the fragments of one packet. */
  nextIdentification(): number;
  /**
   * Writes link and IP header of a fragment: `length` bytes from `offset` (a multiple of 8) of what followed the IP header.
   * @returns where these bytes go.
   */
  writeFragment(
    into: Uint8Array,
    at: number,
    protocol: number,
    identification: number,
    offset: number,
    length: number,
    isLast: boolean,
    ttl: number,
    trafficClass: number,
    flowLabel: number,
  ): number;
}

/** Something with packets to send. The stack serves all that wait on an interface in turn. */
export interface EgressSource {
  /**
   * In the queue of an interface now. Owned by the host, which clears it before it calls `emit`; so a source may ask for
   * output again, on another interface too, from inside `emit`.
   */
  isQueued: boolean;
  /**
   * Adds frames to `batch`, for the interface that `requestOutput` named: a connection at most one super-segment's worth
   * a turn, so that others get theirs. Never called with a full batch; may be called when there is nothing to send.
   * Sets `TX_CAUSE` and `owners` of each frame.
   * @returns whether it has more to send and wants another turn.
   */
  emit(batch: TransmitBatch): boolean;
}

/** An endpoint as the host tells events of it. */
export interface EventSource extends Endpoint {
  /** Events not told yet. Owned by the host; 0 at first. An endpoint that is closed sets it to 0: nobody is told then. */
  pendingEvents: number;
}

/** Who wants to know when frames whose payload lies in its memory have left. */
export interface TransmitListener {
  /** The batch that was being filled when it asked has been transmitted: its payload ranges may be reused. */
  transmitted(): void;
}

/** Who listens to a group on an interface, and from which sources. */
export interface GroupMember extends SourceFilter {
  readonly group: IpAddress;
  readonly interfaceIndex: number;
}

/** The groups that the host listens to, by interface: see `stack/multicast/`. */
export interface GroupTable {
  /** Adds a member. @returns 0 or an error: no such interface, too many groups */
  join(member: GroupMember): number;
  /** Takes it out; and: its filter has changed. */
  leave(member: GroupMember): void;
  changed(member: GroupMember): void;
  /** Whether anybody listens to `group` there. */
  isJoined(interfaceIndex: number, group: IpAddress): boolean;
  /** The interface for a group when none is named; 0 when there is none. */
  interfaceFor(group: IpAddress): number;
  hasInterface(index: number): boolean;
  /** The way to `group` over one interface, from an address of it when `source` is the any-address; `null`: there is none. */
  pathTo(interfaceIndex: number, source: IpAddress, group: IpAddress): Path | null;
  /**
   * For protocols of the link, such as solicited-node groups (RFC 4291 §2.7.1): listens to `group`, and tells routers unless it is
   * one of which they are never told. Counted: left with as many calls.
   */
  joinLinkGroup(interfaceIndex: number, group: IpAddress): void;
  leaveLinkGroup(interfaceIndex: number, group: IpAddress): void;
  /** Reports all groups of a family anew: the link is up again, or has now the address from which routers take reports (RFC 3590 §4). */
  reportAll(interfaceIndex: number, family: IpFamily): void;
}

/** Room for one packet that belongs to no endpoint's queue: a RST, an ICMP message. */
export interface ControlPacket {
  /** Zeroed from `at` to `at + length`: the transport's header and payload, with a full checksum, go there. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
  /** Set when what lies there begins with an IP header of its own, which `length` counts. False at first. */
  hasOwnHeader: boolean;
  /** IPv4 options that go with it, padded; `EMPTY` at first. */
  options: Uint8Array;
  /** See `Path.writeHeader`; 0 at first. */
  flowLabel: number;
}

/** The ICMP error that transports are being told about: one object, filled anew for each. */
export interface IcmpErrorHead {
  source: IpAddress;
  type: number;
  code: number;
}

/** The host, as transports see it. */
export interface Host {
  /** The time of this turn, ms. Read once a batch from the clock. */
  readonly now: number;
  readonly timers: TimerQueue;
  readonly random: Random;
  readonly allocator: BufferAllocator;
  readonly counters: StackCounters;
  /** Key for ISNs, ports and timestamp offsets. */
  readonly secret: Uint8Array;
  /** Key for identifiers that stay the same: see `StackOptions`. */
  readonly identity: Uint8Array;
  readonly groups: GroupTable;
  /** Borrowed for the length of `Transport.icmpError`. */
  readonly icmpErrorHead: IcmpErrorHead;
  /**
   * As `pathTo`, but by one interface, from an address of it when `source` is the any-address. With an index of 0 it is `pathTo`;
   * `null` also when the way from `source` is another.
   */
  pathOver(interfaceIndex: number, source: IpAddress, destination: IpAddress): Path | null;
  /** The way to `destination`, from `source` when it is not the any-address. `null`: no route. */
  pathTo(source: IpAddress, destination: IpAddress): Path | null;
  /** Whether packets to `address` are for this host. */
  isLocal(address: IpAddress): boolean;
  /** Index of the interface that has `address`, 0 when none has. */
  interfaceOf(address: IpAddress): number;
  /** Puts a source at the end of its interface's queue (once), and wakes the driver when called from above. */
  requestOutput(interfaceIndex: number, source: EgressSource): void;
  /**
   * The way to a neighbour or a group over one interface, whatever the routes say: for the protocols of the link itself.
   * @param source the any-address where the interface has none yet
   */
  linkPath(interfaceIndex: number, source: IpAddress, destination: IpAddress): Path | null;
  /**
   * The way back to the sender of `packet`, from the address that it was sent to. Cached: cheap for every packet.
   * `null`: no route, or the packet came from or to an address that can't be answered.
   */
  pathBack(packet: InboundPacket): Path | null;
  /**
   * Room for a packet of `length` bytes behind the IP header; fill it and hand it to `sendControl` before returning.
   * `null` when the bounded pool is used up (counted as `outputQueueFull`): the packet is lost, as on a busy wire.
   * @param ttl 0: the default
   */
  reserveControl(
    path: Path,
    protocol: number,
    length: number,
    ttl: number,
    trafficClass: number,
  ): ControlPacket | null;
  /** Queues a reserved packet behind what waits on its interface. `owner`: the endpoint it is about, for the capture. */
  sendControl(packet: ControlPacket, cause: number, owner: object | null): void;
  /** Asks to be called once what is in the batch now being filled for the interface has been transmitted. */
  afterTransmit(interfaceIndex: number, listener: TransmitListener): void;
  /** Answers a packet that has no taker with ICMP port unreachable, when RFC 1122 §3.2.2 and the rate limit allow it. */
  refusePort(packet: InboundPacket): void;
  /** Remembers events for the next `flushEvents`. */
  notify(endpoint: EventSource, events: number): void;
  /** The path by which a packet that an ICMP error quotes was sent, when anything was sent by it lately; else `null`. */
  recentPath(quoted: InboundPacket): Path | null;
  /** Packets larger than `mtu` do not reach the destination of `path`: all that are sent there become smaller. */
  lowerPathMtu(path: Path, mtu: number): void;
  /** See `InterfaceOptions.windowBudget`; 0: no bound. */
  windowBudget(interfaceIndex: number): number;
  /** Remembers `ConfigChange` bits for the next `flushEvents`. */
  noteChange(changes: number): void;
  /** Unique endpoint id. */
  nextId(): number;
}

/** A transport protocol, as the network layer sees it. */
export interface Transport {
  /** Takes a packet of its protocol. @returns 0 or the `DropReason`. */
  receive(packet: InboundPacket): number;
  /**
   * An ICMP error came back about a packet that this transport sent: `packet` is the quoted one (its header trusted, its
   * payload perhaps cut to 8 bytes), `error` a `StackError`, `messageTooLong` when it was too big for a link on the way.
   * @param isHard whether it says that the destination will never answer (RFC 1122 §4.2.3.9)
   * @param mtu next-hop MTU when it was too big, 0 when the router does not say
   * @returns 0, or the `DropReason` for which the message was not believed
   */
  icmpError(quoted: InboundPacket, error: number, isHard: boolean, mtu: number): number;
}
