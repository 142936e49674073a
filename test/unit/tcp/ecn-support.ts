/**
 * Connections with ECN against a peer that the test writes: opened by either side, with any flags.
 */

import type { InterfaceOptions, TcpEndpoint, TcpOptions } from '../../../src/stack/index.ts';
import type { EitherPacket } from '../../support/packets.ts';
import { tcpOptions } from '../../support/segment.ts';
import {
  anyAddress,
  listenOn,
  makeTcpHost,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  peer as peerAddress,
  type TcpFields,
  type TcpHost,
} from './support.ts';

/** IP-ECN codepoints. */
export const NOT_ECT = 0;
export const ECT1 = 1;
export const ECT0 = 2;
export const CE = 3;

/** A connection of the test. `seq`: the peer's next number, `ack`: the host's. */
export interface EcnPeer {
  readonly host: TcpHost;
  readonly socket: TcpEndpoint;
  seq: number;
  ack: number;
  /** The host's SYN or SYN-ACK. */
  readonly opening: EitherPacket;
  /** What the host sent when the handshake was over. */
  readonly first: readonly EitherPacket[];
  /** Hands in a segment, by default an ACK; text moves `seq` on. @returns what the host sends upon it */
  send(fields?: TcpFields): EitherPacket[];
  /** Writes `bytes` bytes of the host's. @returns what leaves */
  write(bytes: number): EitherPacket[];
}

/** The peer asks with `synFlags` and completes the handshake with `ackFlags`. */
export function acceptEcn(
  tcp: TcpOptions,
  synFlags: string,
  ackFlags = '.',
  syn: TcpFields = {},
  ack: TcpFields = {},
  iface: Partial<InterfaceOptions> = {},
): EcnPeer {
  const host = makeTcpHost(tcp, iface);
  const listener = listenOn(host);
  host.in({ flags: synFlags, seq: PEER_ISN, options: PLAIN_SYN, ...syn });
  const [opening] = host.out();
  if (opening === undefined) throw new Error('no SYN-ACK');
  const next = ((opening.seq ?? 0) + 1) | 0;
  host.in({ flags: ackFlags, seq: PEER_ISN + 1, ack: next, ...ack });
  const first = host.out();
  const socket = listener.accept();
  if (socket === null) throw new Error('nothing to accept');
  return peer(host, socket, next, opening, first);
}

/** The host asks, and the peer answers with `synAckFlags`. */
export function connectEcn(
  tcp: TcpOptions,
  synAckFlags: string,
  synAck: TcpFields = {},
  iface: Partial<InterfaceOptions> = {},
): EcnPeer {
  const host = makeTcpHost(tcp, iface);
  const socket = host.stack.openTcp(host.family.family);
  socket.bind(anyAddress(), PORT);
  socket.connect(peerAddress(), PEER_PORT);
  const [opening] = host.out();
  if (opening === undefined) throw new Error('no SYN');
  const next = ((opening.seq ?? 0) + 1) | 0;
  host.in({ flags: synAckFlags, seq: PEER_ISN, ack: next, options: PLAIN_SYN, ...synAck });
  return peer(host, socket, next, opening, host.out());
}

function peer(
  host: TcpHost,
  socket: TcpEndpoint,
  ack: number,
  opening: EitherPacket,
  first: readonly EitherPacket[],
): EcnPeer {
  const self: EcnPeer = {
    host,
    socket,
    seq: PEER_ISN + 1,
    ack,
    opening,
    first,
    send: (fields = {}) => {
      host.in({ flags: '.', seq: self.seq, ack: self.ack, ...fields });
      if (typeof fields.payload === 'number') self.seq += fields.payload;
      return host.out();
    },
    write: (bytes) => {
      socket.write(new Uint8Array(bytes), 0, bytes);
      return host.out();
    },
  };
  return self;
}

/** Flags of a segment with ACE `ace`, in tcpdump's letters. */
export function ace(value: number): string {
  return `.${(value & 1) === 0 ? '' : 'E'}${(value & 2) === 0 ? '' : 'W'}${(value & 4) === 0 ? '' : 'e'}`;
}

/** The ACE field of a segment. */
export function aceOf(packet: EitherPacket | undefined): number {
  const flags = packet?.flags ?? '';
  return (flags.includes('E') ? 1 : 0) | (flags.includes('W') ? 2 : 0) | (flags.includes('e') ? 4 : 0);
}

/** The AccECN option of `bytes` with each codepoint, as the peer would count them from 1, 0 and 1 on. */
export function accEcn(e0b: number, ceb = 0, e1b = 1): Uint8Array {
  return tcpOptions({ accEcn: [e0b, ceb, e1b] });
}
