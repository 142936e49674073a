/**
 * Echo requests of one asker and what came back: what `ping` uses.
 */

import { EMPTY, IpAddress, type IpFamily } from '../../base/index.ts';
import {
  ICMPV4_HEADER_LEN,
  ICMPV6_HEADER_LEN,
  IcmpV4Type,
  IcmpV6Type,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  icmpEchoWord,
  sumBytes,
  writeIcmpV4,
  writeIcmpV6,
} from '../../wire/index.ts';
import { type EchoReply, EndpointEvent, type IcmpEndpoint, type MtuDiscovery, StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { EventSource, Host, Path } from '../host.ts';
import { optionsToSend } from '../ip/ipv4-options.ts';
import { Outbox } from '../ip/outbox.ts';
import { carriesDontFragment, largestPacket, NO_USER_MTU } from '../ip/packet-size.ts';

/** Replies that wait, by number and bytes; a newer one past either is dropped. */
const MAX_REPLIES = 256;
const MAX_REPLY_BYTES = 1 << 18;
const SEND_BYTES = 1 << 17;
/** What fits a packet; IPv6 does not count its own header (RFC 8200 §3). */
const MAX_PAYLOAD_V4 = 65535 - 20 - ICMPV4_HEADER_LEN;
const MAX_PAYLOAD_V6 = 65535 - ICMPV6_HEADER_LEN;

export class EchoEndpoint implements IcmpEndpoint, EventSource {
  readonly kind = 'icmp';
  readonly id: number;
  context: unknown = null;
  readonly localAddress: IpAddress;
  /** The identifier. */
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort = 0;
  ttl = 0;
  trafficClass = 0;
  dontFragment = false;
  mtuDiscovery: MtuDiscovery = 'system';
  userMtu = NO_USER_MTU;
  /** It has no peer. */
  readonly pathMtu = 0;
  pendingEvents = 0;
  ipOptions: Uint8Array = EMPTY;
  source: IpAddress | null = null;
  readonly #host: Host;
  readonly #onClose: () => void;
  readonly #outbox: Outbox;
  readonly #header = new Uint8Array(ICMPV4_HEADER_LEN);
  #replies: EchoReply[] = [];
  #replyBytes = 0;
  #isClosed = false;

  constructor(host: Host, family: IpFamily, identifier: number, onClose: () => void) {
    this.#host = host;
    this.localAddress = family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    this.remoteAddress = this.localAddress;
    this.id = host.nextId();
    this.localPort = identifier;
    this.#onClose = onClose;
    this.#outbox = new Outbox(host, SEND_BYTES, () => {
      if (!this.#isClosed) host.notify(this, EndpointEvent.writable);
    });
  }

  sendEcho(address: IpAddress, sequence: number, payload: Uint8Array): number {
    if (this.#isClosed) return StackError.invalid;
    const isV4 = this.localAddress.family === 4;
    const most = isV4 ? MAX_PAYLOAD_V4 - this.ipOptions.length : MAX_PAYLOAD_V6;
    if (payload.length > most) return StackError.messageTooLong;
    const { source } = this;
    if (source !== null && !this.#host.isLocal(source)) return StackError.addressNotAvailable;
    const path = this.#host.pathTo(source ?? this.localAddress, address);
    if (path === null) return StackError.networkUnreachable;
    const length = ICMPV4_HEADER_LEN + payload.length;
    const dontFragment = carriesDontFragment(this);
    if (dontFragment && path.ipHeaderLength + this.ipOptions.length + length > largestPacket(this, path)) {
      return StackError.messageTooLong;
    }
    if (!this.#outbox.hasRoom(length)) return StackError.wouldBlock;
    const packet = this.#outbox.begin(path, isV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    packet.ttl = this.ttl;
    packet.options = this.ipOptions;
    packet.trafficClass = this.trafficClass;
    packet.dontFragment = dontFragment;
    packet.isProbe = this.mtuDiscovery === 'probe';
    packet.userMtu = this.userMtu;
    packet.cause = Cause.echoRequest;
    packet.owner = this;
    packet.inlineLength = ICMPV4_HEADER_LEN;
    this.#writeHeader(path, sequence, payload);
    if (
      !this.#outbox.append(packet, this.#header, 0, ICMPV4_HEADER_LEN) ||
      !this.#outbox.append(packet, payload, 0, payload.length)
    ) {
      return StackError.noBuffers;
    }
    this.#outbox.send(packet);
    this.#host.counters.icmpOutMsgs++;
    this.#host.counters.icmpOutEchos++;
    return 0;
  }

  setIpOptions(options: Uint8Array): number {
    const checked = this.localAddress.family === 4 ? optionsToSend(options) : null;
    if (checked === null) return StackError.invalid;
    this.ipOptions = checked;
    return 0;
  }

  #writeHeader(path: Path, sequence: number, payload: Uint8Array): void {
    const word = icmpEchoWord(this.localPort, sequence);
    const sum = sumBytes(payload, 0, payload.length);
    if (this.localAddress.family === 4) {
      writeIcmpV4(this.#header, 0, IcmpV4Type.echoRequest, 0, word, sum);
      return;
    }
    const pseudo = path.pseudoHeaderSum(IPPROTO_ICMPV6) + ICMPV6_HEADER_LEN + payload.length;
    writeIcmpV6(this.#header, 0, IcmpV6Type.echoRequest, 0, word, sum + pseudo);
  }

  takeReply(): EchoReply | null {
    const reply = this.#replies.shift() ?? null;
    if (reply !== null) this.#replyBytes -= reply.payload.length;
    return reply;
  }

  /** Queues what came back. @returns false when the bound is reached and it was dropped */
  take(reply: EchoReply): boolean {
    if (
      this.#replies.length >= MAX_REPLIES ||
      (this.#replies.length > 0 && this.#replyBytes + reply.payload.length > MAX_REPLY_BYTES)
    ) {
      return false;
    }
    this.#replies.push(reply);
    this.#replyBytes += reply.payload.length;
    this.#host.notify(this, EndpointEvent.readable);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pendingEvents = 0;
    this.#replies = [];
    this.#onClose();
  }
}
