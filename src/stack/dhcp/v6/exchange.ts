/**
 * An exchange of a DHCPv6 client with its servers: one message, sent until it is answered or given up (RFC 8415 §15, §18.2).
 */

import { IpAddress, putU16, type TimerOwner } from '../../../base/index.ts';
import {
  DHCPV6_CLIENT_PORT,
  DHCPV6_SERVER_PORT,
  DhcpV6Option,
  type DhcpV6OptionValue,
  encodeAssociation,
  encodeDhcpV6,
  encodeIaAddress,
} from '../../../wire/index.ts';
import { sendDhcp } from '../send.ts';
import type { DhcpSurroundings } from '../surroundings.ts';
import { Retransmission, type RetransmissionParameters } from './retransmission.ts';

/** ff02::1:2, All_DHCP_Relay_Agents_and_Servers (RFC 8415 §7.1). */
const ALL_SERVERS = new IpAddress(6, 0xff020000 | 0, 0, 0, 0x00010002);
/** How soon it is looked again whether the interface has a link-local address to send from. */
const NO_SOURCE_WAIT_MS = 1000;

export interface V6ExchangeOptions {
  readonly interfaceIndex: number;
  readonly duid: Uint8Array;
  readonly iaid: number;
}

/** What a message has besides the client's identifier and the time. */
export interface V6Message {
  readonly type: number;
  readonly parameters: RetransmissionParameters;
  /** The server that is meant; `null`: all. */
  readonly serverDuid: Uint8Array | null;
  /** The addresses of the association; `null`: it has none. */
  readonly addresses: readonly IpAddress[] | null;
  /** Codes of option 6; none: it has no such option. */
  readonly requested: readonly number[];
  readonly isRapidCommit: boolean;
}

export class V6Exchange {
  transactionId = 0;
  readonly retransmission: Retransmission;
  readonly #around: DhcpSurroundings;
  readonly #options: V6ExchangeOptions;
  readonly #timer: number;
  #message: V6Message | null = null;

  /** @param kind of the timer, which is told to `owner` */
  constructor(around: DhcpSurroundings, options: V6ExchangeOptions, owner: TimerOwner, kind: number) {
    this.#around = around;
    this.#options = options;
    this.retransmission = new Retransmission(around.host.random);
    this.#timer = around.host.timers.create(owner, kind);
  }

  get attempts(): number {
    return this.retransmission.count;
  }

  /** Whether the message that was begun has been sent as often and for as long as it may. */
  get isOver(): boolean {
    return this.retransmission.isOver(this.#around.host.now);
  }

  /** Begins with a message: sends it, and arms. */
  begin(message: V6Message): void {
    this.#message = message;
    this.transactionId = this.#around.host.random.next() & 0xffffff;
    this.retransmission.begin(message.parameters, this.#around.host.now);
    this.again();
  }

  /** Sends the message once more, and arms. */
  again(): void {
    const message = this.#message;
    if (message === null) return;
    const { host } = this.#around;
    const source = this.#linkLocalSource();
    const path = source === null ? null : host.linkPath(this.#options.interfaceIndex, source, ALL_SERVERS);
    if (path === null) {
      // Nothing was sent, so nothing is counted.
      this.arm(NO_SOURCE_WAIT_MS);
      return;
    }
    // The time since the first message counts, not since one that could not be sent.
    if (this.attempts === 0) this.retransmission.begin(message.parameters, host.now);
    const bytes = encodeDhcpV6(message.type, this.transactionId, this.#optionsOf(message));
    sendDhcp(host, path, DHCPV6_CLIENT_PORT, DHCPV6_SERVER_PORT, bytes);
    this.arm(this.retransmission.sent(host.now));
  }

  arm(waitMs: number): void {
    this.#around.host.timers.arm(this.#timer, this.#around.host.now + waitMs);
  }

  /** Nothing is sent any more, and nothing is an answer. */
  end(): void {
    this.#around.host.timers.disarm(this.#timer);
    this.#message = null;
    this.transactionId = -1;
    this.retransmission.count = 0;
  }

  close(): void {
    this.#around.host.timers.destroy(this.#timer);
  }

  #optionsOf(message: V6Message): DhcpV6OptionValue[] {
    const { duid, iaid } = this.#options;
    const options: DhcpV6OptionValue[] = [{ code: DhcpV6Option.clientId, value: duid }];
    if (message.serverDuid !== null) options.push({ code: DhcpV6Option.serverId, value: message.serverDuid });
    const elapsed = this.retransmission.elapsed(this.#around.host.now);
    options.push({ code: DhcpV6Option.elapsedTime, value: shorts([elapsed]) });
    if (message.requested.length > 0)
      options.push({ code: DhcpV6Option.optionRequest, value: shorts(message.requested) });
    if (message.isRapidCommit) options.push({ code: DhcpV6Option.rapidCommit, value: new Uint8Array(0) });
    if (message.addresses !== null) {
      const held = message.addresses.map((address) => ({
        code: DhcpV6Option.iaAddress,
        // §18.2.10: lifetimes are the server's to say.
        value: encodeIaAddress(address, 0, 0),
      }));
      options.push({ code: DhcpV6Option.iaNa, value: encodeAssociation(iaid, 0, 0, held) });
    }
    return options;
  }

  /** A link-local address of the interface that may be used (§13). */
  #linkLocalSource(): IpAddress | null {
    const iface = this.#around.topology.find(this.#options.interfaceIndex);
    for (const { address, state } of iface?.addresses ?? []) {
      const isSource = address.family === 6 && address.isLinkLocal;
      if (isSource && (state === 'preferred' || state === 'deprecated')) return address;
    }
    return null;
  }
}

function shorts(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  for (const [i, value] of values.entries()) putU16(bytes, 2 * i, value);
  return bytes;
}
