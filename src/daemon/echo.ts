/**
 * One echo request from the stack's own ICMP endpoint (RFC 792, RFC 1122 §3.2.2.6), and what comes of it.
 */

import type { Cancel, IpAddress, Scheduler } from '../base/index.ts';
import type { PingAnswer } from '../port/index.ts';
import { type EchoReply, type Endpoint, type IcmpEndpoint, type Stack, StackError } from '../stack/index.ts';

export interface EchoRequest {
  readonly address: IpAddress;
  /** Payload bytes. */
  readonly size: number;
  readonly timeoutMs: number;
  /** 0: the stack's default. */
  readonly ttl: number;
  readonly sequence: number;
}

/** RFC 792: message types that answer an echo request. */
const ECHO_REPLY = 0;
const DESTINATION_UNREACHABLE = 3;
const TIME_EXCEEDED = 11;

/** Names of `StackError` by number. */
const ERROR_NAMES = new Map<number, string>(
  Object.entries(StackError).map(([name, number]) => [number, name]),
);

/** Sends one echo request. The promise never rejects. */
export function sendEcho(stack: Stack, scheduler: Scheduler, request: EchoRequest): Promise<PingAnswer> {
  return new Promise((resolve) => {
    new PendingEcho(stack, scheduler, request, resolve);
  });
}

/** Takes an endpoint's event when it belongs to an echo request. @returns whether it did */
export function takeEchoEvent(endpoint: Endpoint): boolean {
  if (!(endpoint.context instanceof PendingEcho)) return false;
  endpoint.context.collect();
  return true;
}

class PendingEcho {
  readonly #endpoint: IcmpEndpoint;
  readonly #request: EchoRequest;
  readonly #payload: Uint8Array;
  readonly #sentAt: number;
  readonly #timer: Cancel;
  readonly #resolve: (answer: PingAnswer) => void;
  #isOver = false;

  constructor(
    stack: Stack,
    scheduler: Scheduler,
    request: EchoRequest,
    resolve: (answer: PingAnswer) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    // The alphabet that ping of Windows sends.
    this.#payload = Uint8Array.from({ length: request.size }, (_, i) => 0x61 + (i % 23));
    this.#endpoint = stack.openIcmp();
    this.#endpoint.context = this;
    if (request.ttl > 0) this.#endpoint.ttl = request.ttl;
    this.#sentAt = scheduler.now();
    this.#timer = scheduler.after(request.timeoutMs, () => this.#end('timeout', 'no answer in time'));
    const error = this.#endpoint.sendEcho(request.address, request.sequence, this.#payload);
    if (error >= 0) return;
    const isUnreachable = error === StackError.networkUnreachable || error === StackError.hostUnreachable;
    this.#end(isUnreachable ? 'unreachable' : 'error', `not sent: ${ERROR_NAMES.get(error) ?? error}`);
  }

  collect(): void {
    for (;;) {
      const reply = this.#isOver ? null : this.#endpoint.takeReply();
      if (reply === null) return;
      if (reply.sequence === this.#request.sequence) this.#answered(reply);
    }
  }

  #answered(reply: EchoReply): void {
    if (reply.type === ECHO_REPLY) {
      const isSame =
        reply.payload.length === this.#payload.length &&
        reply.payload.every((byte, i) => byte === this.#payload[i]);
      this.#end('reply', isSame ? '' : 'the data came back changed', reply);
    } else if (reply.type === DESTINATION_UNREACHABLE) {
      this.#end(
        'unreachable',
        UNREACHABLE[reply.code] ?? `destination unreachable, code ${reply.code}`,
        reply,
      );
    } else if (reply.type === TIME_EXCEEDED) {
      this.#end('ttl-expired', 'TTL expired in transit', reply);
    } else {
      this.#end('error', `ICMP type ${reply.type}, code ${reply.code}`, reply);
    }
  }

  #end(result: PingAnswer['result'], message: string, reply: EchoReply | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer();
    this.#endpoint.close();
    this.#resolve({
      result,
      from: reply?.source.toString() ?? null,
      bytes: reply?.payload.length ?? 0,
      ttl: reply?.ttl ?? 0,
      rttMs: reply === null ? 0 : Math.max(0, reply.at - this.#sentAt),
      message,
    });
  }
}

/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1: codes of Destination Unreachable. */
const UNREACHABLE: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed, and forbidden',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'communication administratively prohibited',
};
