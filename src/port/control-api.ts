/**
 * The control API: what the daemon answers on its control socket, and what the command line and other tools ask. HTTP with JSON, on a
 * Unix socket. Types only.
 *
 * Errors are `{ error: { code, message } }` with a matching status: 400 usage, 403 not permitted, 404 not there, 409 not now.
 * `code` is stable, `message` says cause and remedy.
 *
 * | route | body or query | answer |
 * |---|---|---|
 * | GET /v1/status | | {@link DaemonStatus} |
 * | POST /v1/shutdown | | `{}`, then the daemon ends in good order |
 * | GET /v1/interfaces | | {@link InterfaceStatus}`[]` |
 * | GET /v1/dhcp | | {@link DhcpInterfaceStatus}`[]`, of the interfaces that have a client |
 * | POST /v1/dhcp/renew, /v1/dhcp/release | {@link DhcpRequest} | the same, of those that were asked, when they have an answer; 409 when none comes |
 * | GET /v1/routes | | {@link RouteStatus}`[]` |
 * | POST, DELETE /v1/routes | {@link RouteRequest} | {@link RouteStatus}`[]`: all there are now |
 * | PATCH /v1/interfaces/:index | {@link InterfaceRequest} | {@link InterfaceStatus} |
 * | GET /v1/prefix-policies | | {@link PrefixPolicy}`[]`: the policy table of address selection (RFC 6724 §2.1) |
 * | POST, PATCH, DELETE /v1/prefix-policies | {@link PrefixPolicy}; to change what it names, to delete the prefix | all there are now |
 * | GET /v1/forwards | | {@link ForwardStatus}`[]` |
 * | POST /v1/forwards | {@link ForwardRequest} | {@link ForwardStatus}; it listens |
 * | DELETE /v1/forwards/:id | | {@link ForwardStatus} of what was removed |
 * | GET /v1/neighbors | | {@link NeighborStatus}`[]` |
 * | PUT /v1/neighbors/:address | {@link NeighborRequest} | `{}`; sets one by hand |
 * | DELETE /v1/neighbors/:address | `?interface=N` | `{ removed }`; `*`: all of them |
 * | GET /v1/sockets | | {@link SocketStatus}`[]` |
 * | GET /v1/tcp | `?port=N` | {@link TcpConnectionStatus}`[]`, of those with that port on one of the sides when it is given |
 * | GET /v1/trace | `?port=N&events=a,b&seconds=N` | a {@link TcpTraceLine} of JSON an event until the client hangs up or the time is over |
 * | GET, PATCH /v1/tcp-settings | {@link TcpSettingsStatus}, what is to change | {@link TcpSettingsStatus} now; it lasts until the daemon ends |
 * | GET /v1/processes | | {@link ProcessStatus}`[]`: those whose calls can be watched |
 * | GET /v1/processes/:pid/calls | `?seconds=N` | a {@link CallLine} of JSON a call until the client hangs up, the time is over or the process is gone; 403 to all but root and its user |
 * | GET /v1/processes/:pid/chain | `?seconds=N` | {@link ChainStatus}, counted for so long; 403 likewise |
 * | GET /v1/counters | | {@link CounterStatus} |
 * | GET /v1/drops | | {@link DropStatus}`[]`, the most frequent first |
 * | POST /v1/ping | {@link PingRequest} | {@link PingAnswer}; one echo request |
 * | POST /v1/resolve | {@link ResolveRequest} | {@link ResolveAnswer}; see `name-port.ts` |
 * | GET /v1/names | | {@link NamesStatus} |
 * | GET /v1/dns-cache | | {@link ResolveAnswer}`[]`, the most recently used last |
 * | DELETE /v1/dns-cache | | `{ "entries": N }`, how many were forgotten |
 * | GET /v1/capture | `?seconds=N` | a pcapng stream until the client hangs up or the time is over |
 * | POST /v1/capture | {@link CaptureRequest} | {@link CaptureStatus}; begins to write a file of the daemon's side |
 * | DELETE /v1/capture | | {@link CaptureStatus} of what was written |
 * | GET, PUT, DELETE /v1/impairments/:link | {@link ImpairmentStatus} `settings` | {@link ImpairmentStatus} |
 * | GET /v1/impairments | | {@link ImpairmentStatus}`[]` |
 * | GET /v1/catalog | | {@link CatalogEntryStatus}`[]` in catalog order |
 * | GET /v1/catalog/snapshot | | the whole catalog, as `docs/ipc.md` has it |
 * | GET /v1/catalog/history | | `CatalogRecord[]`, newest first |
 * | POST /v1/catalog/changes | a `CatalogChange` | `CatalogAnswer`; 409 with the name of a WSA code when nothing was changed |
 * | GET /metrics | | Prometheus text |
 *
 * Starting: `node dist/daemon/main.js [--config FILE]` with the configuration that `daemon/config.ts` checks. `winsockd up` writes
 * the flags that were typed into the variable WINSOCKD_CONFIG_JSON, as one object with the configuration file's keys
 * (`{ "tun": "tun0", "netns": "lab", "address": ["10.77.0.2/24"], "readyFd": 3 }`); it wins over file and environment. On the
 * descriptor `readyFd` the daemon writes lines: {@link WaitingMessage}s while its addresses can't be used yet, at last a
 * {@link ReadyMessage}, and closes it.
 */

/** Where the daemon listens for control unless told otherwise, and the variable that tells. */
export const DEFAULT_CONTROL_PATH = '/run/winsockd/control.sock';
export const CONTROL_PATH_VARIABLE = 'WINSOCKD_CONTROL';
/** Carries the flags of `winsockd up` to the daemon. */
export const CONFIG_JSON_VARIABLE = 'WINSOCKD_CONFIG_JSON';

/** It serves, but its addresses can't be used yet: why, in words. */
export interface WaitingMessage {
  readonly waiting: readonly string[];
}

/** What the daemon says once: it serves and its addresses can be used, or it is known that it never will. */
export type ReadyMessage =
  | {
      readonly ready: true;
      readonly pid: number;
      readonly socket: string;
      readonly control: string;
      /** What can't be used all the same, after a wait; absent: nothing. */
      readonly missing?: readonly string[];
    }
  | { readonly ready: false; readonly error: string; readonly exitCode: number };

export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** The IPC socket that applications use. */
  readonly socketPath: string;
  readonly controlPath: string;
  /** The user that the daemon runs as now. */
  readonly uid: number;
  readonly hasPrivileges: boolean;
  readonly sessions: number;
  readonly sockets: number;
  readonly links: readonly LinkStatus[];
  readonly memoryBytes: number;
}

export interface LinkStatus {
  readonly name: string;
  readonly kind: 'tun' | 'tap' | 'memory' | 'loopback';
  readonly mtu: number;
  /** Names of the offloads in use: `csum`, `tso4`, `tso6`, `uso`. */
  readonly offload: readonly string[];
  /** The kernel's own addresses on the device, where it can be asked. */
  readonly hostAddresses: readonly string[];
  readonly namespace: string | null;
}

/** A multicast group that an interface listens to. */
export interface GroupStatus {
  readonly interfaceIndex: number;
  readonly interface: string;
  readonly group: string;
  /** Of IPv6 the scope in the address (RFC 4291 §2.7), of IPv4 0, as netsh prints it. */
  readonly scope: number;
  /** Only from these sources, or from all but these. */
  readonly mode: 'include' | 'exclude';
  readonly sources: readonly string[];
  /** How many sockets and protocols of the host listen. */
  readonly members: number;
  /** Whether routers have heard of the group from this host last. */
  readonly isReporter: boolean;
  /** `IGMPv3` and the like: the protocol that routers are told by. */
  readonly protocol: string;
}

/** A neighbour: a host or router on the same link. */
export interface NeighborStatus {
  readonly interface: string;
  readonly interfaceIndex: number;
  readonly address: string;
  /** `02:00:00:00:00:01`; `null` while it is being asked for. */
  readonly mac: string | null;
  /** RFC 4861 §7.3.2. */
  readonly state: 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe';
  /** Since it was last known to be there; `null` when that never was. */
  readonly ageSeconds: number | null;
  /** Set by hand. */
  readonly isStatic: boolean;
  readonly isRouter: boolean;
}

export interface NeighborRequest {
  /** With colons or hyphens. */
  readonly mac: string;
  /** Its index; when absent the one on whose link the address is. */
  readonly interface?: number;
}

/** MIB names of RFC 4293, 4022 and 4113, as in `StackCounters`. */
export type CounterStatus = Readonly<Record<string, number>>;

export interface DropStatus {
  readonly reason: string;
  readonly count: number;
  /** The rule that says so, such as `RFC 9293 §3.10.7`. */
  readonly source: string;
  readonly text: string;
}

export interface PingRequest {
  readonly address: string;
  /** Payload bytes, 0 … 65,507. Default 56. */
  readonly size?: number;
  readonly timeoutMs?: number;
  readonly ttl?: number;
  readonly sequence?: number;
  readonly dontFragment?: boolean;
  /** IPv4: room for so many hops to note themselves (1 … 9), or to note themselves with the time (1 … 4). */
  readonly recordRoute?: number;
  readonly timestamps?: number;
  /** `udp`: a datagram to `port`, as traceroute sends them. Default `icmp`. */
  readonly method?: 'icmp' | 'udp';
  readonly port?: number;
}

/** A hop's entry in a timestamp option. */
export interface PingStamp {
  readonly address: string;
  /** ms: since midnight UT when `isOfDay`, else from any start (RFC 791). */
  readonly time: number;
  readonly isOfDay: boolean;
}

export interface PingAnswer {
  /** `reply` (of a datagram: that the port is closed), `timeout`, or the error that came back or kept it from being sent. */
  readonly result: 'reply' | 'timeout' | 'unreachable' | 'ttl-expired' | 'error';
  /** Who answered. */
  readonly from: string | null;
  /** Payload bytes of what came back. */
  readonly bytes: number;
  readonly ttl: number;
  readonly rttMs: number;
  readonly message: string;
  /** What came back in the options, when they were asked for. */
  readonly route?: readonly string[];
  readonly stamps?: readonly PingStamp[];
}

export interface CaptureRequest {
  /** Absolute path; written with the rights that the daemon has now. */
  readonly path: string;
  /** End the file at this size, bytes. */
  readonly maxBytes?: number;
}

export interface CaptureStatus {
  readonly path: string | null;
  readonly isRunning: boolean;
  readonly packets: number;
  readonly bytes: number;
}

/** What happens to packets of a link, both ways. All optional; `{}` is nothing. */
export interface ImpairmentSettings {
  /** Probabilities, 0 … 1. */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly corrupt?: number;
  /** Of packets that allow it: congestion experienced. */
  readonly mark?: number;
  /** ms */
  readonly delay?: number;
  readonly jitter?: number;
  readonly rateBytesPerSec?: number;
  /** Packets that find so much waiting for the rate are marked. */
  readonly markAboveBytes?: number;
  readonly seed?: number;
}

export interface ImpairmentStatus {
  readonly link: string;
  readonly settings: ImpairmentSettings;
  /** How many packets had each fate: `passed`, `lost`, `delayed`, `duplicated`, `reordered`, `corrupted`, `marked`, `overflowed`. */
  readonly fates: Readonly<Record<string, number>>;
}

/** An entry as `netsh winsock show catalog` lists it. */
export interface CatalogEntryStatus {
  readonly entryType: 'Base Service Provider' | 'Layered Chain Entry' | 'Layered Service Provider';
  readonly description: string;
  /** A GUID, `E70F1AA0-AB8B-11CF-8CA3-00805F48A192`. */
  readonly providerId: string;
  readonly providerPath: string;
  readonly catalogEntryId: number;
  readonly version: number;
  readonly addressFamily: number;
  readonly maxAddressLength: number;
  readonly minAddressLength: number;
  readonly socketType: number;
  readonly protocol: number;
  readonly serviceFlags: number;
  readonly protocolChainLength: number;
  readonly protocolChain: readonly number[];
}
