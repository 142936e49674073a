/**
 * How a layer that passes the base provider's handles on hears of an overlapped operation's end before its application does.
 *
 * The operation stays the application's: its record goes down, so that cancelling and asking for the result work as ever. What tells
 * of the end is tapped:
 *
 * | the application asked for | the layer |
 * |---|---|
 * | a completion routine | passes one of its own, which calls the application's |
 * | an event | has itself called back when that is set; the record is written by then |
 * | neither, or a packet at a port | lends the record an event of its own until the end: while an operation is under way its record is the system's |
 */

import { STATUS_PENDING, WSA_IO_PENDING, wsaOfNtStatus } from '../abi/index.ts';
import type { Answer, Layer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';

/** The bit of a record's event that speaks of packets at ports (SEM-OV-03). */
const NO_PACKET = 1;

/**
 * Is told how an operation ended, before the application is; it may not throw.
 * @param answer its bytes, or minus a WSA code
 * @param flags MSG_* of a receive
 */
export type Ended = (answer: number, flags: number) => void;

/** An event of the layer's that is lent to records. */
interface Alarm {
  readonly hEvent: number;
  onSet: () => void;
  readonly stop: () => void;
}

/** The operations of one chain of a layer. */
export class Completions {
  readonly #layer: Layer;
  readonly #free: Alarm[] = [];
  /** Records that hold an event of the layer's, with what they had. */
  readonly #lent = new Map<WSAOVERLAPPED, { readonly alarm: Alarm; readonly own: number }>();

  constructor(layer: Layer) {
    this.#layer = layer;
  }

  /**
   * Makes a call whose end is told, unless it does not start.
   * @param call is handed the routine to pass on
   * @param ended also for a call that is done when it answers
   */
  watch(
    lpOverlapped: WSAOVERLAPPED,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    call: (routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null) => Answer,
    ended: Ended,
  ): Answer {
    if (routine !== null) {
      return call((dwError, cbTransferred, record, dwFlags) => {
        ended(dwError === 0 ? cbTransferred : -dwError, dwFlags);
        routine(dwError, cbTransferred, record, dwFlags);
      });
    }
    let isOver = false;
    let untap = (): void => {};
    const check = (): void => {
      if (isOver || lpOverlapped.Internal === STATUS_PENDING) return;
      isOver = true;
      untap();
      const code = wsaOfNtStatus(lpOverlapped.Internal);
      ended(code === 0 ? lpOverlapped.InternalHigh : -code, lpOverlapped.Offset);
    };
    untap = this.#tap(lpOverlapped, check);
    const began = (answer: number): number => {
      if (answer < 0 && answer !== -WSA_IO_PENDING && !isOver) {
        isOver = true;
        untap();
      }
      return answer;
    };
    const answer = call(null);
    return typeof answer === 'number' ? began(answer) : answer.then(began);
  }

  /** Makes a call about a record as its application knows it: WSPGetOverlappedResult. */
  asApplication(lpOverlapped: WSAOVERLAPPED | null, call: () => Answer): Answer {
    const lent = lpOverlapped === null ? undefined : this.#lent.get(lpOverlapped);
    if (lpOverlapped === null || lent === undefined) return call();
    const { hEvent } = lpOverlapped;
    lpOverlapped.hEvent = lent.own;
    const answer = call();
    if (this.#lent.get(lpOverlapped) === lent) lpOverlapped.hEvent = hEvent;
    return answer;
  }

  /** The chain is cleaned up: records get their own events back. */
  end(): void {
    for (const [record, { alarm, own }] of this.#lent) {
      record.hEvent = own;
      this.#free.push(alarm);
    }
    this.#lent.clear();
    for (const { stop, hEvent } of this.#free.splice(0)) {
      stop();
      this.#layer.upcalls.WPUCloseEvent(hEvent);
    }
  }

  #tap(record: WSAOVERLAPPED, check: () => void): () => void {
    const own = record.hEvent;
    if ((own & ~NO_PACKET) !== 0) {
      return this.#layer.ws2.onEvent(own & ~NO_PACKET, check) ?? ((): void => {});
    }
    const alarm = this.#takeAlarm();
    if (alarm === null || this.#lent.has(record)) return () => {};
    alarm.onSet = check;
    this.#lent.set(record, { alarm, own });
    record.hEvent = alarm.hEvent | (own & NO_PACKET);
    return () => {
      if (this.#lent.get(record)?.alarm !== alarm) return;
      this.#lent.delete(record);
      record.hEvent = own;
      alarm.onSet = (): void => {};
      this.#free.push(alarm);
    };
  }

  /** An event of the layer's; `null` when there are too many handles. */
  #takeAlarm(): Alarm | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const { upcalls, ws2 } = this.#layer;
    const hEvent = upcalls.WPUCreateEvent();
    if (hEvent < 0) return null;
    const alarm: Alarm = {
      hEvent,
      onSet: () => {},
      stop: ws2.onEvent(hEvent, () => alarm.onSet()) ?? (() => {}),
    };
    return alarm;
  }
}
