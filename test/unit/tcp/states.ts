/** A scripted connection in any state of RFC 9293 §3.3.2 that has sequence numbers, with a window whose edges are exact. */

import { IpAddress } from '../../../src/base/index.ts';
import { PEER } from '../../support/segment.ts';
import {
  acceptOne,
  address,
  makeTcpHost,
  must,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  type Scripted,
  scripted,
} from './support.ts';

/** RCV.WND, unscaled; a FIN of the peer has taken one byte of it. */
export const WINDOW = 1000;

/** Ways from ESTABLISHED into each later state. Afterwards `ack` is SND.UNA and `seq` RCV.NXT. */
const WAYS = {
  ESTABLISHED: () => undefined,
  'FIN-WAIT-1': (c: Scripted) => {
    c.socket.shutdownWrite();
    c.host.out();
  },
  'FIN-WAIT-2': (c: Scripted) => {
    c.socket.shutdownWrite();
    c.host.out();
    c.ack++;
    c.in();
  },
  'CLOSE-WAIT': (c: Scripted) => {
    c.exchange({ flags: 'F.' });
    c.seq++;
  },
  CLOSING: (c: Scripted) => {
    c.socket.shutdownWrite();
    c.host.out();
    c.exchange({ flags: 'F.' });
    c.seq++;
  },
  'LAST-ACK': (c: Scripted) => {
    c.exchange({ flags: 'F.' });
    c.seq++;
    c.socket.shutdownWrite();
    c.host.out();
  },
  'TIME-WAIT': (c: Scripted) => {
    c.socket.shutdownWrite();
    c.host.out();
    c.ack++;
    c.exchange({ flags: 'F.' });
    c.seq++;
  },
} as const;
export type LaterState = keyof typeof WAYS;

/** The states with both sides' numbers and a control block. */
export const LATER_STATES = Object.keys(WAYS).filter((name) => name !== 'TIME-WAIT') as LaterState[];

/** A connection that the peer opened, in `state`. */
export function inState(state: LaterState): Scripted {
  const c = acceptOne(makeTcpHost({ receiveBufferSize: WINDOW }));
  WAYS[state](c);
  if (c.socket.state !== state) throw new Error(`${c.socket.state} is not ${state}`);
  return c;
}

/** A connection that we opened, before the peer's SYN or, `isCrossed`, after one that crossed ours. */
export function opening(isCrossed: boolean): Scripted {
  const host = makeTcpHost({ receiveBufferSize: WINDOW });
  const socket = host.stack.openTcp();
  must(socket.bind(IpAddress.anyV4, PORT));
  must(socket.connect(address(PEER), PEER_PORT));
  const iss = host.out()[0]?.seq ?? 0;
  if (isCrossed) {
    host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN });
    host.out();
  }
  return scripted(host, socket, PEER_ISN + 1, iss, PLAIN_SYN, 65_535);
}
