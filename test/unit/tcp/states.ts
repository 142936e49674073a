/** A scripted connection in any state of RFC 9293 §3.3.2 that has sequence numbers, with a window whose edges are exact. */

import type { TcpEndpoint } from '../../../src/stack/index.ts';
import {
  acceptNext,
  anyAddress,
  listenOn,
  makeTcpHost,
  must,
  PEER_ISN,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  peer,
  type Scripted,
  scripted,
  type TcpHost,
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

/** One host on which a scripted connection after another is brought into a state; each is with another port of the peer. */
export class StateLab {
  readonly host: TcpHost = makeTcpHost({ receiveBufferSize: WINDOW });
  #listener: TcpEndpoint | null = null;
  #current: TcpEndpoint | null = null;
  #peerPort = PEER_PORT - 1;

  /** A connection that the peer opened, in `state`. */
  inState(state: LaterState): Scripted {
    this.#listener ??= listenOn(this.host);
    const c = this.#made(acceptNext(this.host, this.#listener, this.#nextPort(), PLAIN_SYN));
    WAYS[state](c);
    if (c.socket.state !== state) throw new Error(`${c.socket.state} is not ${state}`);
    return c;
  }

  /** A connection that we opened, before the peer's SYN or, `isCrossed`, after one that crossed ours. */
  opening(isCrossed: boolean): Scripted {
    const { host } = this;
    const sourcePort = this.#nextPort();
    // Of ours, too, the one before may wait in TIME-WAIT.
    const destinationPort = PORT + sourcePort - PEER_PORT;
    const ports = { sourcePort, destinationPort };
    const socket = host.stack.openTcp(host.family.family);
    must(socket.bind(anyAddress(), destinationPort));
    must(socket.connect(peer(), sourcePort));
    const iss = host.out()[0]?.seq ?? 0;
    if (isCrossed) {
      host.in({ flags: 'S', seq: PEER_ISN, options: PLAIN_SYN, ...ports });
      host.out();
    }
    return this.#made(scripted(host, socket, PEER_ISN + 1, iss, PLAIN_SYN, 65_535, ports));
  }

  /** A connection that we opened and closed first: nobody listens on its port. */
  timeWait(): Scripted {
    const c = this.opening(false);
    c.in({ flags: 'S.', seq: c.seq - 1, ack: c.ack + 1 });
    c.host.out();
    c.ack += 2;
    c.socket.shutdownWrite();
    c.host.out();
    c.exchange({ flags: 'F.' });
    c.seq++;
    return c;
  }

  /** A segment of nobody that we know to our port, on which somebody listens or not. */
  stranger(isListening: boolean): Scripted {
    if (isListening) this.#listener ??= listenOn(this.host);
    const socket = this.#listener ?? this.host.stack.openTcp(this.host.family.family);
    const ports = { sourcePort: this.#nextPort(), destinationPort: PORT };
    return scripted(this.host, socket, 1000, 2000, new Uint8Array(0), 65_535, ports);
  }

  /** The one before ends. */
  #nextPort(): number {
    this.#current?.abort();
    this.#current = null;
    this.host.out();
    return ++this.#peerPort;
  }

  #made(c: Scripted): Scripted {
    this.#current = c.socket;
    return c;
  }
}

/** As {@link StateLab.inState}, on a host of its own. */
export const inState = (state: LaterState): Scripted => new StateLab().inState(state);
/** As {@link StateLab.opening}, on a host of its own. */
export const opening = (isCrossed: boolean): Scripted => new StateLab().opening(isCrossed);
