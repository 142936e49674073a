/**
 * A connection with a round trip of its own, whose peer is the test: what loss recovery is shown with.
 */

import type { TcpEndpoint, TcpOptions } from '../../../../src/stack/index.ts';
import type { EitherPacket } from '../../../support/packets.ts';
import { tcpOptions } from '../../../support/segment.ts';
import { listenOn, makeTcpHost, PEER_ISN, pattern, type TcpHost } from '../support.ts';

/** Text of a full segment without, and with timestamps. */
export const MSS = 1460;

export interface Sender {
  readonly host: TcpHost;
  readonly socket: TcpEndpoint;
  /** Writes `length` bytes. @returns what is sent at once, as {@link ranges} */
  write(length: number): number[][];
  /** An ACK of `acked` bytes, with SACK blocks, all counted from the start of the stream. @returns what is sent upon it */
  ack(acked: number, ...blocks: [number, number][]): number[][];
  /** As `ack`, with a timestamp that echoes `tsEcr`. */
  echo(tsEcr: number, acked: number, ...blocks: [number, number][]): number[][];
  /** Lets time pass. @returns what timers have sent, until then or at the first output */
  pass(ms: number): number[][];
  /** The TSval of the last segment that was sent. */
  lastTsVal: number;
}

/** A connection whose handshake took `rtt` ms; the window is ten segments to begin with. */
export function makeSender(
  rtt: number,
  peer: { sack?: boolean; timestamps?: boolean } = {},
  options: TcpOptions = {},
): Sender {
  const { sack = true, timestamps = false } = peer;
  const host = makeTcpHost(options);
  const listener = listenOn(host);
  const syn = tcpOptions({
    mss: MSS,
    windowShift: 7,
    ...(sack ? { sackPermitted: true } : {}),
    ...(timestamps ? { timestamps: [900, 0] as [number, number] } : {}),
  });
  host.in({ flags: 'S', seq: PEER_ISN, options: syn, window: 65_535 });
  const iss = host.out()[0]?.seq ?? 0;
  const optionsOf = (tsEcr: number, blocks: [number, number][]) =>
    tcpOptions({
      ...(timestamps ? { timestamps: [1000, tsEcr] as [number, number] } : {}),
      ...(blocks.length > 0
        ? { sack: blocks.map(([l, r]): [number, number] => [(iss + 1 + l) | 0, (iss + 1 + r) | 0]) }
        : {}),
    });
  host.now += rtt;
  host.in({ flags: '.', seq: PEER_ISN + 1, ack: (iss + 1) | 0, window: 8192, options: optionsOf(0, []) });
  const socket = listener.accept();
  if (socket === null) throw new Error('nothing to accept');
  host.out();
  const sender: Sender = {
    host,
    socket,
    lastTsVal: 0,
    write: (length) => {
      socket.write(pattern(length), 0, length);
      return ranges(host.out());
    },
    ack: (acked, ...blocks) => sender.echo(0, acked, ...blocks),
    echo: (tsEcr, acked, ...blocks) => {
      const ack = (iss + 1 + acked) | 0;
      host.in({ flags: '.', seq: PEER_ISN + 1, ack, window: 8192, options: optionsOf(tsEcr, blocks) });
      return ranges(host.out());
    },
    pass: (ms) => ranges(host.pass(ms)),
  };
  /** Start in the stream and length of each segment with text. */
  function ranges(packets: readonly EitherPacket[]): number[][] {
    for (const packet of packets) {
      sender.lastTsVal = Number(/TS val (\d+)/.exec(packet.options ?? '')?.[1] ?? sender.lastTsVal);
    }
    return packets
      .filter((packet) => packet.payload.length > 0)
      .map((packet) => [((packet.seq ?? 0) - iss - 1) | 0, packet.payload.length]);
  }
  return sender;
}
