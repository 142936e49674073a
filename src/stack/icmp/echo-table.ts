/**
 * Who asked for an echo: endpoints by the identifier of their requests (RFC 1122 §3.2.2.6).
 */

import { copy, EMPTY, type IpFamily, randomBelow, u8, u16 } from '../../base/index.ts';
import { DropReason, IcmpV4Type, IcmpV6Type, IPV4_HEADER_LEN, quotedEchoId } from '../../wire/index.ts';
import type { Host, InboundPacket } from '../host.ts';
import { sourceOf } from '../ip/packet.ts';
import { EchoEndpoint } from './endpoint.ts';

const IDENTIFIERS = 65536;

/** The type that the API gives a reply of either family, as `EchoReply` has it. */
const REPLY = 0;

/** An echo reply as both families' headers have it. */
export interface EchoMessage {
  readonly id: number;
  readonly sequence: number;
  readonly payloadAt: number;
  readonly end: number;
}

export class EchoTable {
  readonly family: IpFamily;
  readonly #host: Host;
  readonly #byIdentifier = new Map<number, EchoEndpoint>();

  constructor(host: Host, family: IpFamily) {
    this.#host = host;
    this.family = family;
  }

  get size(): number {
    return this.#byIdentifier.size;
  }

  /** A new endpoint with an identifier that no other has. @throws {RangeError} when 65,536 are open */
  open(): EchoEndpoint {
    if (this.#byIdentifier.size >= IDENTIFIERS) throw new RangeError('every echo identifier is taken');
    let identifier = randomBelow(this.#host.random, IDENTIFIERS);
    while (this.#byIdentifier.has(identifier)) identifier = (identifier + 1) % IDENTIFIERS;
    const endpoint = new EchoEndpoint(this.#host, this.family, identifier, () =>
      this.#byIdentifier.delete(identifier),
    );
    this.#byIdentifier.set(identifier, endpoint);
    return endpoint;
  }

  endpoints(): Iterable<EchoEndpoint> {
    return this.#byIdentifier.values();
  }

  /** Gives a reply to the one who asked. */
  reply(packet: InboundPacket, header: EchoMessage, at: number): DropReason {
    const endpoint = this.#byIdentifier.get(header.id);
    if (endpoint === undefined) return DropReason.icmpNoRequester;
    packet.owner = endpoint;
    const payload = new Uint8Array(header.end - header.payloadAt);
    copy(packet.bytes, header.payloadAt, payload, 0, payload.length);
    const { sequence } = header;
    const source = sourceOf(packet);
    const options = optionsOf(packet);
    const reply = { source, sequence, ttl: packet.ttl, type: REPLY, code: 0, payload, options, at };
    return endpoint.take(reply) ? DropReason.none : DropReason.icmpQueueFull;
  }

  /** Gives an error about a request to the one who sent it. */
  fail(packet: InboundPacket, quoted: InboundPacket, type: number, code: number, at: number): DropReason {
    const request = this.family === 4 ? IcmpV4Type.echoRequest : IcmpV6Type.echoRequest;
    if (u8(quoted.bytes, quoted.payloadAt) !== request) return DropReason.icmpQuoteUnknown;
    const endpoint = this.#byIdentifier.get(quotedEchoId(quoted.bytes, quoted.payloadAt));
    if (endpoint === undefined) return DropReason.icmpNoRequester;
    packet.owner = endpoint;
    const sequence = u16(quoted.bytes, quoted.payloadAt + 6);
    const source = sourceOf(packet);
    const reply = { source, sequence, ttl: packet.ttl, type, code, payload: EMPTY, options: EMPTY, at };
    return endpoint.take(reply) ? DropReason.none : DropReason.icmpQueueFull;
  }
}

/** A copy of a reply's IPv4 options. */
function optionsOf({ bytes, headerAt, payloadAt, family }: InboundPacket): Uint8Array {
  const at = headerAt + IPV4_HEADER_LEN;
  return family === 4 && payloadAt > at ? bytes.slice(at, payloadAt) : EMPTY;
}
