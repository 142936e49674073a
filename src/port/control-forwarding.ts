/**
 * The control API's shapes of ports that lead elsewhere: forwards, and the translator of addresses. Described in `control-api`.
 */

/** One end of a forward: a port of the host that the daemon runs on, or of the stack. */
export interface ForwardPlace {
  readonly side: 'host' | 'stack';
  /**
   * To listen, default the host's loopback address and all of the stack's; as target, the host's loopback address and the stack's
   * first.
   */
  readonly address?: string;
  /** To listen, 0 asks for any that is unused. */
  readonly port: number;
}

export interface ForwardRequest {
  readonly protocol: 'tcp' | 'udp';
  readonly listen: ForwardPlace;
  /** Of the other side. */
  readonly target: ForwardPlace;
}

export interface ForwardStatus {
  readonly id: number;
  readonly protocol: 'tcp' | 'udp';
  readonly listen: Required<ForwardPlace>;
  readonly target: Required<ForwardPlace>;
  /** Connections, or flows of datagrams: now, all in all, and those that could not be made. */
  readonly active: number;
  readonly total: number;
  readonly failed: number;
  /** Why the last one failed; empty when none has. */
  readonly lastError: string;
  readonly bytesToHost: number;
  readonly bytesToStack: number;
}

/** The translator of addresses; what is `null` is so while nothing is translated. */
export interface NatStatus {
  /** The interface to the outside, and the address that the others are translated to. */
  readonly interface: string | null;
  readonly interfaceIndex: number | null;
  readonly outsideAddress: string | null;
  /** Names of the other interfaces that pass packets on: from there they are translated. */
  readonly inside: readonly string[];
  readonly filtering: NatRequest['filtering'] | null;
  readonly mappings: readonly NatMappingStatus[];
}

export interface NatRequest {
  /** Index or name. */
  readonly interface: number | string;
  /** Whose packets come in (RFC 4787 §5). Default `addressDependent`. */
  readonly filtering?: 'endpointIndependent' | 'addressDependent' | 'addressAndPortDependent';
  readonly maxMappings?: number;
  readonly maxMappingsPerHost?: number;
}

export interface NatMappingStatus {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly insideAddress: string;
  /** Or an echo message's identifier. */
  readonly insidePort: number;
  readonly outsidePort: number;
  /** A port map: made by hand, and there until it is removed. */
  readonly isStatic: boolean;
  /** Peers outside. */
  readonly sessions: number;
}

/** A port outside that is to lead to a host inside. */
export interface NatPortMapRequest {
  readonly protocol: 'tcp' | 'udp';
  readonly outsidePort: number;
  readonly insideAddress: string;
  readonly insidePort: number;
}
