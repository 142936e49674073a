/**
 * What mDNS and LLMNR share: a question to a group on every interface, from a port of its own, whose answers come by unicast.
 */

import { type Cancel, IpAddress, randomBelow } from '../base/index.ts';
import { decodeMessage, encodeMessage, messageId } from './codec.ts';
import type { DnsMessage, DnsRecord } from './message.ts';
import { sameName } from './name.ts';
import type { DatagramOrigin, DatagramSocket, NameNetwork } from './network.ts';

/** A protocol of the link. */
export interface LinkProtocol {
  readonly groups: readonly IpAddress[];
  readonly port: number;
  /** When the question is sent, ms after it was asked; each more than the one before. */
  readonly sendAt: readonly number[];
  /** When nobody more will answer, ms. */
  readonly limitMs: number;
}

/** What happened to answers from the link. */
export interface LinkCounters {
  queries: number;
  answers: number;
  malformed: number;
  /** From another network, another port, or about another question. */
  mismatched: number;
  /** LLMNR: names that several hosts have. */
  conflicts: number;
}

export function newLinkCounters(): LinkCounters {
  return { queries: 0, answers: 0, malformed: 0, mismatched: 0, conflicts: 0 };
}

export interface LinkQueryOptions {
  readonly network: NameNetwork;
  readonly protocol: LinkProtocol;
  readonly name: string;
  readonly type: number;
  readonly counters: LinkCounters;
  readonly signal: AbortSignal;
  /**
   * Looks at an answer. @returns `false` when it says nothing; else how many ms to wait for others before it ends
   */
  readonly take: (message: DnsMessage, origin: DatagramOrigin) => number | false;
  /** Called once at the end, whatever it was. */
  readonly done: () => void;
}

/** One question to the link. */
export class LinkQuery {
  readonly #options: LinkQueryOptions;
  readonly #id: number;
  readonly #sockets: { readonly socket: DatagramSocket; readonly group: IpAddress }[] = [];
  readonly #timers: Cancel[] = [];
  #ending: Cancel | null = null;
  #isOver = false;

  constructor(options: LinkQueryOptions) {
    const { network, protocol, signal } = options;
    this.#options = options;
    this.#id = randomBelow(network.random, 0x1_0000);
    for (const group of protocol.groups) {
      const listener = {
        received: (bytes: Uint8Array, origin: DatagramOrigin) => this.#received(bytes, origin),
      };
      // RFC 6762 §11, RFC 4795 §2.4: 255 shows that no router was in between.
      const socket = network.openDatagram(group.family, listener, { hopLimit: 255 });
      if (socket !== null) this.#sockets.push({ socket, group });
    }
    for (const at of protocol.sendAt) this.#timers.push(network.scheduler.after(at, () => this.#send()));
    this.#ending = network.scheduler.after(protocol.limitMs, () => this.#end());
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#end();
  }

  readonly #onAbort = (): void => this.#end();

  #send(): void {
    const { protocol, name, type, counters } = this.#options;
    const bytes = encodeMessage({ id: this.#id, questions: [{ name, type }] });
    counters.queries++;
    for (const { socket, group } of this.#sockets) socket.send(bytes, group, protocol.port);
  }

  #received(bytes: Uint8Array, origin: DatagramOrigin): void {
    if (this.#isOver) return;
    const { network, protocol, name, type, counters, take } = this.#options;
    if (messageId(bytes) !== this.#id || origin.port !== protocol.port || !network.isOnLink(origin.address)) {
      counters.mismatched++;
      return;
    }
    const message = decodeMessage(bytes);
    if (message === null) {
      counters.malformed++;
      return;
    }
    const [question] = message.questions;
    const isAbout =
      message.questions.length === 1 && question?.type === type && sameName(question.name, name);
    if (!message.isResponse || message.opcode !== 0 || !isAbout) {
      counters.mismatched++;
      return;
    }
    const wait = take(message, origin);
    if (wait === false) return;
    counters.answers++;
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#ending?.();
    if (wait <= 0) this.#end();
    else this.#ending = network.scheduler.after(wait, () => this.#end());
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#ending?.();
    for (const cancel of this.#timers) cancel();
    for (const { socket } of this.#sockets) socket.close();
    this.#options.done();
  }
}

/** A link-local address means something only with the interface that it was heard on (RFC 4007 §6). */
export function withZone(record: DnsRecord, interfaceIndex: number): DnsRecord {
  if (record.kind !== 'address' || record.address.family !== 6) return record;
  const { address } = record;
  return address.isLinkLocal && address.zone === 0
    ? { ...record, address: address.inZone(interfaceIndex) }
    : record;
}

/** The address of a group; of ours, so it can be read. */
export function groupAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw new RangeError(`no address: ${text}`);
  return address;
}
