/**
 * `ping` from the stack: echo requests through its own ICMP endpoint (RFC 792, RFC 1122 §3.2.2.6).
 */

import type { Cancel, IpAddress, Scheduler } from '../base/index.ts';
import { type EchoReply, type Endpoint, type IcmpEndpoint, type Stack, StackError } from '../stack/index.ts';

export interface PingRequest {
  readonly address: IpAddress;
  /** Requests to send; 0: until it is ended. */
  readonly count: number;
  /** Between requests, and for an answer to the last, ms. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Bytes of data in each. */
  readonly size: number;
}

/** What happens while it runs, in order; `statistics` is the last. */
export type PingEvent =
  | {
      readonly kind: 'reply';
      readonly source: string;
      readonly sequence: number;
      readonly bytes: number;
      readonly ttl: number;
      readonly timeMs: number;
      /** The data came back other than it was sent. */
      readonly isDamaged: boolean;
    }
  | {
      readonly kind: 'error';
      readonly source: string;
      readonly sequence: number;
      readonly type: number;
      readonly code: number;
    }
  | { readonly kind: 'timeout'; readonly sequence: number }
  | { readonly kind: 'unsent'; readonly sequence: number; readonly error: string }
  | {
      readonly kind: 'statistics';
      readonly sent: number;
      readonly received: number;
      readonly minMs: number;
      readonly avgMs: number;
      readonly maxMs: number;
    };

const ECHO_REPLY = 0;
/** Names of `StackError` by number. */
const ERROR_NAMES = new Map<number, string>(
  Object.entries(StackError).map(([name, number]) => [number, name]),
);

/** One ping. `onEvent` is called from the event loop; `end` stops it early, with statistics. */
export class PingRun {
  readonly #request: PingRequest;
  readonly #scheduler: Scheduler;
  readonly #endpoint: IcmpEndpoint;
  readonly #onEvent: (event: PingEvent) => void;
  readonly #payload: Uint8Array;
  /** Send time by sequence number, of those without an answer. */
  readonly #waiting = new Map<number, { readonly at: number; readonly timer: Cancel }>();
  #next: Cancel | null = null;
  #sent = 0;
  #received = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;
  #sumMs = 0;
  #isOver = false;

  constructor(stack: Stack, scheduler: Scheduler, request: PingRequest, onEvent: (event: PingEvent) => void) {
    this.#request = request;
    this.#scheduler = scheduler;
    this.#onEvent = onEvent;
    this.#payload = Uint8Array.from({ length: request.size }, (_, i) => 0x61 + (i % 23));
    this.#endpoint = stack.openIcmp();
    this.#endpoint.context = this;
    this.#next = scheduler.after(0, () => this.#send());
  }

  /** Whether an endpoint's event belongs to a ping; then it has been taken. */
  static takes(endpoint: Endpoint): boolean {
    if (!(endpoint.context instanceof PingRun)) return false;
    endpoint.context.#collect();
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#next?.();
    for (const { timer } of this.#waiting.values()) timer();
    this.#waiting.clear();
    this.#endpoint.close();
    const received = this.#received;
    this.#onEvent({
      kind: 'statistics',
      sent: this.#sent,
      received,
      minMs: received === 0 ? 0 : this.#minMs,
      avgMs: received === 0 ? 0 : this.#sumMs / received,
      maxMs: this.#maxMs,
    });
  }

  #send(): void {
    this.#next = null;
    const sequence = ++this.#sent & 0xffff;
    const at = this.#scheduler.now();
    const error = this.#endpoint.sendEcho(this.#request.address, sequence, this.#payload);
    if (error < 0) {
      this.#onEvent({ kind: 'unsent', sequence, error: ERROR_NAMES.get(error) ?? String(error) });
    } else {
      const timer = this.#scheduler.after(this.#request.timeoutMs, () => this.#timedOut(sequence));
      this.#waiting.set(sequence, { at, timer });
    }
    if (this.#isLast) this.#endWhenDone();
    else this.#next = this.#scheduler.after(this.#request.intervalMs, () => this.#send());
  }

  get #isLast(): boolean {
    return this.#request.count > 0 && this.#sent >= this.#request.count;
  }

  #timedOut(sequence: number): void {
    this.#waiting.delete(sequence);
    this.#onEvent({ kind: 'timeout', sequence });
    this.#endWhenDone();
  }

  #collect(): void {
    for (;;) {
      const reply = this.#isOver ? null : this.#endpoint.takeReply();
      if (reply === null) return;
      this.#take(reply);
    }
  }

  #take(reply: EchoReply): void {
    const { sequence, type, code, ttl, payload } = reply;
    const waiting = this.#waiting.get(sequence);
    // A duplicate, or an answer that came too late: its request is accounted for.
    if (waiting === undefined) return;
    waiting.timer();
    this.#waiting.delete(sequence);
    const source = reply.source.toString();
    if (type === ECHO_REPLY) {
      const timeMs = Math.max(0, reply.at - waiting.at);
      this.#received++;
      this.#sumMs += timeMs;
      this.#minMs = Math.min(this.#minMs, timeMs);
      this.#maxMs = Math.max(this.#maxMs, timeMs);
      const isDamaged =
        payload.length !== this.#payload.length || payload.some((byte, i) => byte !== this.#payload[i]);
      this.#onEvent({ kind: 'reply', source, sequence, bytes: payload.length, ttl, timeMs, isDamaged });
    } else {
      this.#onEvent({ kind: 'error', source, sequence, type, code });
    }
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#isLast && this.#waiting.size === 0) this.end();
  }
}
