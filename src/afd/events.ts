/**
 * Network event records: what WSAEventSelect and WSAAsyncSelect report, and when again (SEM-EV-01 … SEM-EV-26).
 *
 * A record is kept from the socket's birth, whether or not anybody asked (SEM-EV-17, SEM-EV-23). An event is
 * - *recorded* when it happens, until it is fetched;
 * - *reported* once a waiting request of WSAEventSelect was told of it; something new reports it again (SEM-EV-15);
 * - *spent* once it was fetched: a new registration does not find it again (SEM-EV-14);
 * - *posted* once it was told as a message of WSAAsyncSelect: then only its re-enabling call has it posted again. Messages leave the
 *   record as it is, so that a change to WSAEventSelect finds what it would have found at first.
 */

import {
  FD_ACCEPT,
  FD_ADDRESS_LIST_CHANGE,
  FD_CLOSE,
  FD_CLOSE_BIT,
  FD_CONNECT,
  FD_CONNECT_BIT,
  FD_MAX_EVENTS,
  FD_OOB,
  FD_QOS,
  FD_READ,
  FD_ROUTING_INTERFACE_CHANGE,
  FD_WRITE,
} from '../abi/index.ts';
import { putI32le } from '../base/index.ts';

/** How an event repeats. */
export interface EventRule {
  readonly event: number;
  /** `level` holds as long as its condition, `edge` marks a change, `once` happens once. */
  readonly trigger: 'level' | 'edge' | 'once';
  /** The calls after which it is recorded anew. */
  readonly reenabledBy: 'recv' | 'blocked send' | 'accept' | 'ioctl' | 'nothing';
}

/** The table of SEM-EV-01 … SEM-EV-10, without the reserved FD_GROUP_QOS. */
export const EVENT_RULES: readonly EventRule[] = [
  { event: FD_READ, trigger: 'level', reenabledBy: 'recv' },
  { event: FD_WRITE, trigger: 'edge', reenabledBy: 'blocked send' },
  { event: FD_OOB, trigger: 'level', reenabledBy: 'recv' },
  { event: FD_ACCEPT, trigger: 'level', reenabledBy: 'accept' },
  { event: FD_CONNECT, trigger: 'once', reenabledBy: 'nothing' },
  { event: FD_CLOSE, trigger: 'once', reenabledBy: 'nothing' },
  { event: FD_QOS, trigger: 'edge', reenabledBy: 'ioctl' },
  { event: FD_ROUTING_INTERFACE_CHANGE, trigger: 'edge', reenabledBy: 'ioctl' },
  { event: FD_ADDRESS_LIST_CHANGE, trigger: 'edge', reenabledBy: 'ioctl' },
];

/** Bytes of the ten error codes. */
export const EVENT_ERRORS_LEN = 4 * FD_MAX_EVENTS;
/** Events that a registration finds by looking at the socket; FD_CONNECT is known from the record only. */
const FOUND_AT_REGISTRATION = FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CLOSE;

export class NetworkEvents {
  /** What the registration asks for; 0 when there is none. */
  mask = 0;
  /** The registration posts messages (WSAAsyncSelect). */
  isByMessage = false;
  #recorded = 0;
  #reported = 0;
  #spent = 0;
  #posted = 0;
  #connectError = 0;
  #closeError = 0;
  #isCloseRaised = false;
  /** A send found no room: FD_WRITE follows when there is some. */
  #isWriteWanted = false;

  /** Recorded events of the mask that no waiting request was told of. */
  get unreported(): number {
    return this.#recorded & this.mask & ~(this.isByMessage ? this.#posted : this.#reported);
  }

  get isWriteWanted(): boolean {
    return this.#isWriteWanted;
  }

  /** Something happened: data or a connection arrived, a connect finished. */
  raise(event: number, error = 0): void {
    if (event === FD_CONNECT) {
      this.#connectError = error;
      this.#posted &= ~FD_CONNECT;
    } else if (event === FD_CLOSE) {
      if (this.#isCloseRaised) return;
      this.#isCloseRaised = true;
      this.#closeError = error;
    } else if (event === FD_WRITE) this.#isWriteWanted = false;
    this.#recorded |= event;
    this.#reported &= ~event;
    this.#spent &= ~event;
  }

  /** A re-enabling call was made, well or not (SEM-EV-11). `holds`: its condition is still true. */
  reenable(event: number, holds: boolean): void {
    this.#spent &= ~event;
    this.#posted &= ~event;
    if (holds) this.raise(event);
    else {
      this.#recorded &= ~event;
      this.#reported &= ~event;
    }
  }

  /** A send failed with WSAEWOULDBLOCK: the re-enabling call of FD_WRITE. */
  sendBlocked(): void {
    this.#recorded &= ~FD_WRITE;
    this.#spent &= ~FD_WRITE;
    this.#posted &= ~FD_WRITE;
    this.#isWriteWanted = true;
  }

  /**
   * Puts a registration in the place of the one before.
   * @param current events whose conditions are true now
   */
  register(mask: number, isByMessage: boolean, current: number): void {
    this.mask = mask;
    this.isByMessage = isByMessage;
    this.#reported = 0;
    const found = current & FOUND_AT_REGISTRATION;
    if (isByMessage) {
      // All that is true is posted again, whatever was posted or fetched before, and nothing else (SEM-EV-14, SEM-EV-17).
      this.#recorded |= found;
      this.#posted = this.#recorded & ~found;
    } else {
      this.#recorded |= found & ~this.#spent;
    }
  }

  /** Takes over a listener's registration (SEM-ACC-02); the record starts afresh. */
  inherit(listener: NetworkEvents): void {
    this.mask = listener.mask;
    this.isByMessage = listener.isByMessage;
  }

  /** What a waiting request is told: the events, their codes into `errors`. */
  report(errors: Uint8Array | null): number {
    const events = this.unreported;
    this.#writeErrors(events, errors);
    if (this.isByMessage) this.#posted |= events;
    else this.#reported |= events;
    return events;
  }

  /** WSAEnumNetworkEvents: the recorded events of the mask, which are spent. */
  fetch(errors: Uint8Array | null): number {
    const events = this.#recorded & this.mask;
    this.#writeErrors(events, errors);
    this.#recorded &= ~events;
    this.#reported &= ~events;
    this.#spent |= events;
    return events;
  }

  #writeErrors(events: number, errors: Uint8Array | null): void {
    if (errors === null) return;
    errors.fill(0, 0, EVENT_ERRORS_LEN);
    if ((events & FD_CONNECT) !== 0) putI32le(errors, 4 * FD_CONNECT_BIT, this.#connectError);
    if ((events & FD_CLOSE) !== 0) putI32le(errors, 4 * FD_CLOSE_BIT, this.#closeError);
  }
}
