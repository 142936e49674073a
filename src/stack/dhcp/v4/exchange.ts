/**
 * An exchange of a DHCPv4 client with its servers: the messages of one transaction, when they were sent, and when the next one
 * is due (RFC 2131 §4.1).
 */

import { IpAddress, randomFraction, type TimerOwner } from '../../../base/index.ts';
import { DHCPV4_CLIENT_PORT, DHCPV4_SERVER_PORT } from '../../../wire/index.ts';
import { sendDhcp } from '../send.ts';
import type { DhcpV4Lease } from '../status.ts';
import type { DhcpSurroundings } from '../surroundings.ts';
import { type ClientIdentity, encodeRequest, type RequestFields } from './request.ts';

/** Retransmission (RFC 2131 §4.1): 4 s, doubled up to 64 s, each a second more or less. */
const FIRST_RETRY_MS = 4000;
export const LAST_RETRY_MS = 64_000;
const RETRY_FUZZ_MS = 1000;
/** RENEWING and REBINDING: half of what is left, but no less (RFC 2131 §4.4.5). */
export const LEAST_RENEW_RETRY_MS = 60_000;

/** What a message has of its own; the rest is the exchange's. */
export type MessageFields = Pick<RequestFields, 'type' | 'ciaddr' | 'requestedAddress' | 'server'>;

export interface ExchangeOptions {
  readonly interfaceIndex: number;
  readonly identity: ClientIdentity;
  /** Servers are asked to broadcast. */
  readonly isBroadcast: boolean;
}

export class V4Exchange {
  xid = 0;
  /** Messages sent in the state that the client is in. */
  attempts = 0;
  /** When it was asked for what an answer grants: lifetimes count from there. */
  requestedAt = 0;
  readonly #around: DhcpSurroundings;
  readonly #options: ExchangeOptions;
  readonly #timer: number;
  #beganAt = 0;
  #secs = 0;

  /** @param kind of the timer, which is told to `owner` */
  constructor(around: DhcpSurroundings, options: ExchangeOptions, owner: TimerOwner, kind: number) {
    this.#around = around;
    this.#options = options;
    this.#timer = around.host.timers.create(owner, kind);
  }

  get #now(): number {
    return this.#around.host.now;
  }

  /** A new transaction. */
  begin(): void {
    this.#beganAt = this.#now;
    this.#secs = 0;
    this.again();
  }

  /** A number and a time of its own for what is asked next. */
  again(): void {
    this.xid = this.#around.host.random.next();
    this.requestedAt = this.#now;
  }

  /** RFC 2131 §4.4.1: a DHCPREQUEST has the seconds of the DHCPDISCOVER before it, so this is for all others. */
  countSeconds(): void {
    this.#secs = Math.min(0xffff, Math.floor((this.#now - this.#beganAt) / 1000));
  }

  /** @param to the lease whose server the message goes to alone; `null`: to all */
  send(fields: MessageFields, to: DhcpV4Lease | null): void {
    const { host } = this.#around;
    const { interfaceIndex, identity, isBroadcast } = this.#options;
    const path =
      to === null
        ? host.linkPath(interfaceIndex, broadcastSource(fields.ciaddr), IpAddress.broadcastV4)
        : host.pathTo(to.address, to.server);
    // No way to the server now: the next attempt, or all servers, may do.
    if (path === null) return;
    // Who has an address can be answered there (RFC 2131 §4.1).
    const own = { xid: this.xid, secs: this.#secs, isBroadcast: isBroadcast && fields.ciaddr === 0 };
    const message = encodeRequest(identity, { ...fields, ...own });
    sendDhcp(host, path, DHCPV4_CLIENT_PORT, DHCPV4_SERVER_PORT, message);
  }

  /** Arms for the next message of a client without an address. */
  armRetry(): void {
    const base = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.attempts - 1));
    this.arm(base + RETRY_FUZZ_MS * (2 * randomFraction(this.#around.host.random) - 1));
  }

  /** Arms for the next message of a client that has an address, and asks like this until `until`. */
  armRenewal(until: number): void {
    const left = until === Number.POSITIVE_INFINITY ? 0 : (until - this.#now) / 2;
    this.arm(Math.max(LEAST_RENEW_RETRY_MS, left));
  }

  arm(waitMs: number): void {
    this.#around.host.timers.arm(this.#timer, this.#now + waitMs);
  }

  disarm(): void {
    this.#around.host.timers.disarm(this.#timer);
  }

  close(): void {
    this.#around.host.timers.destroy(this.#timer);
  }
}

/** RFC 2131 §4.1: 0.0.0.0 until there is an address. */
function broadcastSource(ciaddr: number): IpAddress {
  return ciaddr === 0 ? IpAddress.anyV4 : IpAddress.v4(ciaddr);
}
