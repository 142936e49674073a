/**
 * One echo request from the stack's own ICMP endpoint (RFC 792, RFC 1122 §3.2.2.6, RFC 4443 §4.1), and what comes of it.
 */

import { type Cancel, formatV4, type IpAddress, i32, type Scheduler } from '../base/index.ts';
import type { PingAnswer, PingStamp } from '../port/index.ts';
import { type EchoReply, type Endpoint, type IcmpEndpoint, type Stack, StackError } from '../stack/index.ts';

export interface EchoRequest {
  readonly address: IpAddress;
  /** Payload bytes. */
  readonly size: number;
  readonly timeoutMs: number;
  /** 0: the stack's default. */
  readonly ttl: number;
  readonly sequence: number;
  readonly dontFragment: boolean;
  /** How many hops the request has room to note, and to stamp; 0: none. IPv4's. */
  readonly recordRoute: number;
  readonly timestamps: number;
}

/** RFC 792's and RFC 4443's message types by what they mean here. The API gives a reply of either family the type 0. */
const ECHO_REPLY = 0;
const MEANINGS = {
  4: { unreachable: 3, timeExceeded: 11 },
  6: { unreachable: 1, timeExceeded: 3 },
} as const;

/** Option types of RFC 791 §3.1. */
const RECORD_ROUTE = 7;
const TIMESTAMP = 68;
const STAMPS_WITH_ADDRESSES = 1;

/** Names of `StackError` by number. */
const ERROR_NAMES = new Map<number, string>(
  Object.entries(StackError).map(([name, number]) => [number, name]),
);

/** Somebody who waits for what the stack has to say about one request. */
export abstract class Asker {
  /** Takes what there is. */
  abstract collect(): void;
}

/** Sends one echo request. The promise never rejects. */
export function sendEcho(stack: Stack, scheduler: Scheduler, request: EchoRequest): Promise<PingAnswer> {
  return new Promise((resolve) => {
    new PendingEcho(stack, scheduler, request, resolve);
  });
}

/** Takes an endpoint's event when it belongs to a request of this folder's. @returns whether it did */
export function takeEchoEvent(endpoint: Endpoint): boolean {
  if (!(endpoint.context instanceof Asker)) return false;
  endpoint.context.collect();
  return true;
}

/** What an ICMP error says about a request. */
export function meaningOf(
  family: 4 | 6,
  type: number,
  code: number,
): { readonly result: PingAnswer['result']; readonly message: string } {
  const { unreachable, timeExceeded } = MEANINGS[family];
  if (type === unreachable) {
    const text = (family === 4 ? UNREACHABLE_V4 : UNREACHABLE_V6)[code];
    return { result: 'unreachable', message: text ?? `destination unreachable, code ${code}` };
  }
  if (type === timeExceeded) return { result: 'ttl-expired', message: 'TTL expired in transit' };
  return { result: 'error', message: `ICMP type ${type}, code ${code}` };
}

/** An answer for what the stack would not send. */
export function notSent(error: number): PingAnswer {
  const isUnreachable = error === StackError.networkUnreachable || error === StackError.hostUnreachable;
  const message =
    error === StackError.messageTooLong
      ? 'packet needs to be fragmented but DF set'
      : `not sent: ${ERROR_NAMES.get(error) ?? error}`;
  return { result: isUnreachable ? 'unreachable' : 'error', from: null, bytes: 0, ttl: 0, rttMs: 0, message };
}

class PendingEcho extends Asker {
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
    super();
    this.#request = request;
    this.#resolve = resolve;
    // The alphabet that ping of Windows sends.
    this.#payload = Uint8Array.from({ length: request.size }, (_, i) => 0x61 + (i % 23));
    this.#endpoint = stack.openIcmp(request.address.family);
    this.#endpoint.context = this;
    if (request.ttl > 0) this.#endpoint.ttl = request.ttl;
    this.#endpoint.dontFragment = request.dontFragment;
    const options = optionsFor(request);
    if (options.length > 0) this.#endpoint.setIpOptions(options);
    this.#sentAt = scheduler.now();
    this.#timer = scheduler.after(request.timeoutMs, () =>
      this.#end({ ...NOTHING, message: 'no answer in time' }),
    );
    const error = this.#endpoint.sendEcho(request.address, request.sequence, this.#payload);
    if (error < 0) this.#end(notSent(error));
  }

  override collect(): void {
    for (;;) {
      const reply = this.#isOver ? null : this.#endpoint.takeReply();
      if (reply === null) return;
      if (reply.sequence === this.#request.sequence) this.#answered(reply);
    }
  }

  #answered(reply: EchoReply): void {
    const { source, type, code, payload, options } = reply;
    let meaning = meaningOf(source.family, type, code);
    if (type === ECHO_REPLY) {
      const isSame =
        payload.length === this.#payload.length && payload.every((byte, i) => byte === this.#payload[i]);
      meaning = { result: 'reply', message: isSame ? '' : 'the data came back changed' };
    }
    const { recordRoute, timestamps } = this.#request;
    this.#end({
      ...meaning,
      from: source.toString(),
      bytes: payload.length,
      ttl: reply.ttl,
      rttMs: Math.max(0, reply.at - this.#sentAt),
      ...(recordRoute > 0 ? { route: routeIn(options) } : {}),
      ...(timestamps > 0 ? { stamps: stampsIn(options) } : {}),
    });
  }

  #end(answer: PingAnswer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer();
    this.#endpoint.close();
    this.#resolve(answer);
  }
}

/** What a request that nobody answers comes to. */
export const NOTHING: PingAnswer = { result: 'timeout', from: null, bytes: 0, ttl: 0, rttMs: 0, message: '' };

/** The IPv4 options of a request. */
function optionsFor({ recordRoute, timestamps }: EchoRequest): Uint8Array {
  const options: number[] = [];
  if (recordRoute > 0) {
    options.push(RECORD_ROUTE, 3 + 4 * recordRoute, 4, ...new Array<number>(4 * recordRoute).fill(0), 0);
  }
  if (timestamps > 0) {
    const room = new Array<number>(8 * timestamps).fill(0);
    options.push(TIMESTAMP, 4 + 8 * timestamps, 5, STAMPS_WITH_ADDRESSES, ...room);
  }
  return Uint8Array.from(options);
}

/** The part of an option of `type` that has been filled in, from where its first entry is. */
function filledIn(options: Uint8Array, type: number, first: number): Uint8Array {
  let at = 0;
  while (at + 2 < options.length && options[at] !== 0) {
    const length = options[at] === 1 ? 1 : (options[at + 1] as number);
    if (length < 1) break;
    if (options[at] === type) {
      const end = Math.min(length, (options[at + 2] as number) - 1);
      return options.subarray(at + first, at + Math.max(first, end));
    }
    at += length;
  }
  return new Uint8Array(0);
}

function routeIn(options: Uint8Array): string[] {
  const filled = filledIn(options, RECORD_ROUTE, 3);
  const route: string[] = [];
  for (let at = 0; at + 4 <= filled.length; at += 4) route.push(formatV4(i32(filled, at)));
  return route;
}

function stampsIn(options: Uint8Array): PingStamp[] {
  const filled = filledIn(options, TIMESTAMP, 4);
  const stamps: PingStamp[] = [];
  for (let at = 0; at + 8 <= filled.length; at += 8) {
    const time = i32(filled, at + 4);
    stamps.push({ address: formatV4(i32(filled, at)), time: time & 0x7fff_ffff, isOfDay: time >= 0 });
  }
  return stamps;
}

/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1: codes of Destination Unreachable. */
const UNREACHABLE_V4: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed, and forbidden',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'communication administratively prohibited',
};

/** RFC 4443 §3.1. */
const UNREACHABLE_V6: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'communication administratively prohibited',
  2: 'beyond the scope of the source address',
  3: 'host unreachable',
  4: 'port unreachable',
  5: 'source address failed ingress policy',
  6: 'route rejected',
};
