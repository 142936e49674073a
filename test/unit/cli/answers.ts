/** What a daemon with a web server, a resolver and a client connection answers. */

import type {
  CatalogEntryStatus,
  DaemonStatus,
  DropStatus,
  ImpairmentStatus,
  InterfaceStatus,
  LinkStatus,
  PingAnswer,
  RouteStatus,
  SocketStatus,
} from '../../../src/port/index.ts';

export const LINK: LinkStatus = {
  name: 'tun0',
  kind: 'tun',
  mtu: 1500,
  offload: ['csum', 'tso4'],
  hostAddresses: ['10.77.0.1/24'],
  namespace: null,
};

export const STATUS: DaemonStatus = {
  version: '0.1.0',
  pid: 4711,
  uptimeSeconds: 93_784,
  socketPath: '/run/winsockd/winsockd.sock',
  controlPath: '/run/winsockd/control.sock',
  uid: 990,
  hasPrivileges: false,
  sessions: 2,
  sockets: 4,
  links: [LINK],
  memoryBytes: 50 * 1024 * 1024,
};

const SETTINGS = {
  metric: 25,
  isForwarding: false,
  weakHostSend: false,
  weakHostReceive: false,
  sendsRedirects: true,
  acceptsRedirects: true,
  isLoopback: false,
};

export const INTERFACES: InterfaceStatus[] = [
  {
    index: 1,
    name: 'lo',
    medium: 'ip',
    mtu: 65_535,
    mac: null,
    isUp: true,
    addresses: ['127.0.0.1/8'],
    gateway: null,
    ...SETTINGS,
    metric: 75,
    isLoopback: true,
    inPackets: 0,
    inBytes: 0,
    outPackets: 0,
    outBytes: 0,
  },
  {
    index: 2,
    name: 'tap0',
    medium: 'ethernet',
    mtu: 1500,
    mac: '02:00:0a:4d:00:02',
    isUp: true,
    addresses: ['10.77.0.2/24', 'fd00::2/64'],
    gateway: '10.77.0.1',
    ...SETTINGS,
    inPackets: 12,
    inBytes: 3400,
    outPackets: 11,
    outBytes: 2900,
  },
];

export const ROUTES: RouteStatus[] = [
  {
    destination: '10.77.0.0/24',
    gateway: null,
    interface: 'tap0',
    interfaceIndex: 2,
    metric: 281,
    origin: 'connected',
    lifetimeSec: null,
    isSilent: false,
  },
  {
    destination: '0.0.0.0/0',
    gateway: '10.77.0.1',
    interface: 'tap0',
    interfaceIndex: 2,
    metric: 35,
    origin: 'manual',
    lifetimeSec: 600,
    isSilent: false,
  },
];

export const SOCKETS: SocketStatus[] = [
  {
    protocol: 'tcp',
    localAddress: '0.0.0.0',
    localPort: 80,
    remoteAddress: '0.0.0.0',
    remotePort: 0,
    state: 'LISTEN',
    pids: [501],
    receiveQueue: 0,
    sendQueue: 0,
    tcp: null,
  },
  {
    protocol: 'tcp',
    localAddress: '10.77.0.2',
    localPort: 80,
    remoteAddress: '10.77.0.1',
    remotePort: 40_000,
    state: 'ESTABLISHED',
    pids: [501, 502],
    receiveQueue: 17,
    sendQueue: 2920,
    tcp: { cwnd: 14_600, srttMs: 1.25, rtoMs: 200, retransmits: 3 },
  },
  {
    protocol: 'udp',
    localAddress: '0.0.0.0',
    localPort: 7,
    remoteAddress: '0.0.0.0',
    remotePort: 0,
    state: null,
    pids: [],
    receiveQueue: 0,
    sendQueue: 0,
    tcp: null,
  },
  {
    protocol: 'udp',
    localAddress: 'fd00::2',
    localPort: 5000,
    remoteAddress: 'fd00::1',
    remotePort: 53,
    state: null,
    pids: [503],
    receiveQueue: 0,
    sendQueue: 0,
    tcp: null,
  },
];

export const DROPS: DropStatus[] = [
  { reason: 'tcpChecksum', count: 12, source: 'RFC 9293 §3.1', text: 'The TCP checksum is wrong.' },
  {
    reason: 'ipNotForUs',
    count: 3,
    source: 'RFC 1122 §3.3.1',
    text: 'The destination is no address of this host.',
  },
];

export const IMPAIRMENT: ImpairmentStatus = {
  link: 'tun0',
  settings: { delay: 50, loss: 0.01, rateBytesPerSec: 125_000, seed: 7 },
  fates: { passed: 90, lost: 1, delayed: 90, duplicated: 0 },
};

export function reply(rttMs: number): PingAnswer {
  return { result: 'reply', from: '10.77.0.1', bytes: 56, ttl: 64, rttMs, message: '' };
}

export const TCP_ENTRY: CatalogEntryStatus = {
  entryType: 'Base Service Provider',
  description: 'MSAFD Tcpip [TCP/IP]',
  providerId: 'E70F1AA0-AB8B-11CF-8CA3-00805F48A192',
  providerPath: '%SystemRoot%\\system32\\mswsock.dll',
  catalogEntryId: 1001,
  version: 2,
  addressFamily: 2,
  maxAddressLength: 16,
  minAddressLength: 16,
  socketType: 1,
  protocol: 6,
  serviceFlags: 0x20066,
  protocolChainLength: 1,
  protocolChain: [],
};

export const CHAIN_ENTRY: CatalogEntryStatus = {
  ...TCP_ENTRY,
  entryType: 'Layered Chain Entry',
  description: 'trace over [MSAFD Tcpip [TCP/IP]]',
  catalogEntryId: 1010,
  serviceFlags: 0x80020066 | 0,
  protocolChainLength: 2,
  protocolChain: [1009, 1001],
};
