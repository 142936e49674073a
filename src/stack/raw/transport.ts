/**
 * Raw endpoints: copies of what arrives, besides its normal processing (RAW-07).
 */

import { DropReason } from '../../wire/index.ts';
import type { Host, InboundPacket } from '../host.ts';
import { RawSocket } from './endpoint.ts';

export class RawTransport {
  readonly #host: Host;
  readonly #byProtocol = new Map<number, RawSocket[]>();
  #size = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** How many endpoints there are: with none, no packet need be looked at. */
  get size(): number {
    return this.#size;
  }

  open(protocol: number): RawSocket {
    const endpoint = new RawSocket(this.#host, protocol, (closed) => this.#forget(closed));
    const list = this.#byProtocol.get(protocol);
    if (list === undefined) this.#byProtocol.set(protocol, [endpoint]);
    else list.push(endpoint);
    this.#size++;
    return endpoint;
  }

  *endpoints(): IterableIterator<RawSocket> {
    for (const list of this.#byProtocol.values()) yield* list;
  }

  /**
   * Gives every endpoint that wants the packet a copy; one whose queue is full misses it, counted.
   * @returns how many wanted it
   */
  deliver(packet: InboundPacket): number {
    const list = this.#byProtocol.get(packet.protocol);
    if (list === undefined) return 0;
    let wanted = 0;
    for (let i = 0; i < list.length; i++) {
      const endpoint = list[i] as RawSocket;
      if (!endpoint.wants(packet)) continue;
      wanted++;
      const reason = endpoint.receivePacket(packet);
      if (reason !== DropReason.none) this.#host.counters.drop(reason);
    }
    return wanted;
  }

  /** Whether an endpoint may have sent a packet that an ICMP error quotes. */
  isSender(quoted: InboundPacket): boolean {
    const list = this.#byProtocol.get(quoted.protocol) ?? [];
    return list.some((endpoint) => endpoint.mayHaveSent(quoted));
  }

  #forget(endpoint: RawSocket): void {
    const list = this.#byProtocol.get(endpoint.protocol);
    const at = list?.indexOf(endpoint) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#byProtocol.delete(endpoint.protocol);
    this.#size--;
  }
}
