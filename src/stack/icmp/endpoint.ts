/**
 * Echo requests of one asker and what came back: what `ping` uses.
 */

import { EMPTY, IpAddress } from '../../base/index.ts';
import {
  ICMPV4_HEADER_LEN,
  IcmpV4Type,
  IPPROTO_ICMP,
  icmpEchoWord,
  sumBytes,
  writeIcmpV4,
} from '../../wire/index.ts';
import { type EchoReply, EndpointEvent, type IcmpEndpoint, type MtuDiscovery, StackError } from '../api.ts';
import { Cause } from '../cause.ts';
import type { EventSource, Host } from '../host.ts';
import { optionsToSend } from '../ip/ipv4-options.ts';
import { Outbox } from '../ip/outbox.ts';
import { carriesDontFragment, largestPacket, NO_USER_MTU } from '../ip/packet-size.ts';

/** Replies that wait, by number and bytes; a newer one past either is dropped. */
const MAX_REPLIES = 256;
const MAX_REPLY_BYTES = 1 << 18;
const SEND_BYTES = 1 << 17;
const MAX_PAYLOAD = 65535 - 20 - ICMPV4_HEADER_LEN;

export class EchoEndpoint implements IcmpEndpoint, EventSource {
  readonly kind = 'icmp';
  readonly id: number;
  context: unknown = null;
  readonly localAddress = IpAddress.anyV4;
  /** The identifier. */
  readonly localPort: number;
  readonly remoteAddress = IpAddress.anyV4;
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
  readonly #host: Host;
  readonly #onClose: () => void;
  readonly #outbox: Outbox;
  readonly #header = new Uint8Array(ICMPV4_HEADER_LEN);
  #replies: EchoReply[] = [];
  #replyBytes = 0;
  #isClosed = false;

  constructor(host: Host, identifier: number, onClose: () => void) {
    this.#host = host;
    this.id = host.nextId();
    this.localPort = identifier;
    this.#onClose = onClose;
    this.#outbox = new Outbox(host, SEND_BYTES, () => {
      if (!this.#isClosed) host.notify(this, EndpointEvent.writable);
    });
  }

  sendEcho(address: IpAddress, sequence: number, payload: Uint8Array): number {
    if (this.#isClosed) return StackError.invalid;
    if (payload.length > MAX_PAYLOAD - this.ipOptions.length) return StackError.messageTooLong;
    const path = this.#host.pathTo(IpAddress.anyV4, address);
    if (path === null) return StackError.networkUnreachable;
    const length = ICMPV4_HEADER_LEN + payload.length;
    const dontFragment = carriesDontFragment(this);
    if (dontFragment && path.ipHeaderLength + this.ipOptions.length + length > largestPacket(this, path)) {
      return StackError.messageTooLong;
    }
    if (!this.#outbox.hasRoom(length)) return StackError.wouldBlock;
    const packet = this.#outbox.begin(path, IPPROTO_ICMP);
    packet.ttl = this.ttl;
    packet.options = this.ipOptions;
    packet.trafficClass = this.trafficClass;
    packet.dontFragment = dontFragment;
    packet.isProbe = this.mtuDiscovery === 'probe';
    packet.userMtu = this.userMtu;
    packet.cause = Cause.echoRequest;
    packet.owner = this;
    packet.inlineLength = ICMPV4_HEADER_LEN;
    const word = icmpEchoWord(this.localPort, sequence);
    const sum = sumBytes(payload, 0, payload.length);
    writeIcmpV4(this.#header, 0, IcmpV4Type.echoRequest, 0, word, sum);
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
    const checked = optionsToSend(options);
    if (checked === null) return StackError.invalid;
    this.ipOptions = checked;
    return 0;
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
