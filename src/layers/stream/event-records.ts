/**
 * The network events of a connection whose bytes the layer keeps (SEM-EV-*): recorded for an event object, or posted to a window.
 *
 * An event that was told is not told again before the call that enables it anew: a receive for FD_READ, a send that would block for
 * FD_WRITE.
 */

import {
  FD_CLOSE,
  FD_CLOSE_BIT,
  FD_CONNECT,
  FD_CONNECT_BIT,
  FD_MAX_EVENTS,
  FD_READ,
  FD_READ_BIT,
  FD_WRITE,
  FD_WRITE_BIT,
  WSAMAKESELECTREPLY,
  type WSANETWORKEVENTS,
} from '../../abi/index.ts';
import type { WSPUPCALLTABLE } from '../../spi/index.ts';

/** Where events are announced; both handles 0: nowhere. */
export interface Registration {
  /** FD_*. */
  readonly mask: number;
  readonly hEvent: number;
  readonly hWnd: number;
  readonly wMsg: number;
}

export const NO_REGISTRATION: Registration = { mask: 0, hEvent: 0, hWnd: 0, wMsg: 0 };

/** What holds of a connection. */
export interface Situation {
  readonly isReadable: boolean;
  readonly isWritable: boolean;
  /** Why the peer's bytes have ended, 0 in good order; −1: they have not, or some wait to be read. */
  readonly closed: number;
  /** How a connect ended, 0 well; −1: none has. */
  readonly connected: number;
}

export class EventRecords {
  readonly #upcalls: WSPUPCALLTABLE;
  readonly #s: number;
  #registration = NO_REGISTRATION;
  #recorded = 0;
  #enabled = 0;
  readonly #errors: number[] = new Array<number>(FD_MAX_EVENTS).fill(0);
  /** FD_CONNECT and FD_CLOSE are told once, and again to another window (SEM-EV-14). */
  #toldOnce = 0;

  constructor(upcalls: WSPUPCALLTABLE, s: number) {
    this.#upcalls = upcalls;
    this.#s = s;
  }

  /**
   * Replaces the registration; what was recorded and not asked for yet is forgotten (SEM-EV-12). That a socket has been connected is
   * told to an event object, and not to a window (SEM-EV-17).
   */
  register(registration: Registration, isConnected: boolean): void {
    this.#registration = registration;
    this.#recorded = 0;
    if (registration.hEvent === 0) this.#toldOnce = 0;
    const isLate = isConnected && registration.hEvent === 0;
    this.#enabled = FD_READ | FD_WRITE | FD_CLOSE | (isLate ? 0 : FD_CONNECT);
  }

  /** New bytes are told to an event object though the ones before were not received (SEM-EV-15). */
  arrived(): void {
    if (this.#registration.hEvent !== 0) this.#enabled |= FD_READ;
  }

  /** A call was made that enables an event anew. */
  enable(event: number): void {
    this.#enabled |= event;
  }

  /** Tells what holds and was not told. */
  update({ isReadable, isWritable, closed, connected }: Situation): void {
    if (this.#registration.mask === 0) return;
    if (connected >= 0) this.#tell(FD_CONNECT, FD_CONNECT_BIT, connected);
    if (isWritable) this.#tell(FD_WRITE, FD_WRITE_BIT, 0);
    if (isReadable) this.#tell(FD_READ, FD_READ_BIT, 0);
    if (closed >= 0) this.#tell(FD_CLOSE, FD_CLOSE_BIT, closed);
  }

  /** WSPEnumNetworkEvents: what was recorded, which is forgotten. */
  take(hEventObject: number, into: WSANETWORKEVENTS): void {
    into.lNetworkEvents = this.#recorded;
    for (let bit = 0; bit < FD_MAX_EVENTS; bit++) {
      into.iErrorCode[bit] = (this.#recorded & (1 << bit)) === 0 ? 0 : (this.#errors[bit] as number);
    }
    this.#recorded = 0;
    if (hEventObject !== 0) this.#upcalls.WPUResetEvent(hEventObject);
  }

  #tell(event: number, bit: number, error: number): void {
    const { mask, hEvent, hWnd, wMsg } = this.#registration;
    if ((mask & event) === 0 || (this.#enabled & event) === 0 || (this.#toldOnce & event) !== 0) return;
    this.#enabled &= ~event;
    if (event === FD_CONNECT || event === FD_CLOSE) this.#toldOnce |= event;
    if (hEvent === 0) {
      this.#upcalls.WPUPostMessage(hWnd, wMsg, this.#s, WSAMAKESELECTREPLY(event, error));
      return;
    }
    this.#recorded |= event;
    this.#errors[bit] = error;
    this.#upcalls.WPUSetEvent(hEvent);
  }
}
