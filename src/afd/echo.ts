/**
 * Echo requests that belong to no socket: what the ICMP helper API asks for (`AfdOp.echo`). They go from the stack's own ICMP,
 * beneath the provider catalog: no layered provider sees or alters them.
 */

import {
  IP_BAD_HEADER,
  IP_BAD_OPTION,
  IP_BAD_ROUTE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_PORT_UNREACHABLE,
  IP_DEST_PROT_UNREACHABLE,
  IP_DEST_SCOPE_MISMATCH,
  IP_FLAG_DF,
  IP_GENERAL_FAILURE,
  IP_ICMP_ERROR,
  IP_PACKET_TOO_BIG,
  IP_PARAM_PROBLEM,
  IP_SOURCE_QUENCH,
  IP_SUCCESS,
  IP_TTL_EXPIRED_REASSEM,
  IP_TTL_EXPIRED_TRANSIT,
  IP_UNRECOGNIZED_NEXT_HEADER,
  readSockaddr,
  sockaddrFamily,
  sockaddrLength,
  sockaddrOf,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOBUFS,
  WSAETIMEDOUT,
} from '../abi/index.ts';
import { EMPTY, putI32le } from '../base/index.ts';
import { type AfdRequest, ECHO_HEAD_LEN } from '../port/index.ts';
import type { EchoReply, IcmpEndpoint } from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import { wsaOf } from './error-map.ts';
import type { PendingRequest } from './request.ts';

/** Longest time that an answer is waited for, ms: what an int of the API holds. */
const MAX_TIMEOUT = 0x7fff_ffff;

/** One request on its way. */
export class EchoCall {
  readonly #context: AfdContext;
  readonly #endpoint: IcmpEndpoint;
  readonly #sentAt: number;
  readonly #timeout: number;
  #pending: PendingRequest | null = null;

  private constructor(context: AfdContext, endpoint: IcmpEndpoint, timeout: number) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#timeout = timeout;
    this.#sentAt = context.scheduler.now();
    endpoint.context = this;
  }

  /** Sends the request. @returns the call, to be attached to what pends for it; a WSA code when it can't be sent */
  static begin(context: AfdContext, request: AfdRequest): EchoCall | number {
    const { address, data, into, a: timeout, b, flags: optionsLength } = request;
    if (address === null || into === null || into.length < ECHO_HEAD_LEN) return WSAEFAULT;
    const bytes = data ?? EMPTY;
    if (timeout < 0 || timeout > MAX_TIMEOUT || optionsLength < 0 || optionsLength > bytes.length)
      return WSAEINVAL;
    const destination = readSockaddr(address);
    if (destination === null)
      return sockaddrLength(sockaddrFamily(address)) === 0 ? WSAEAFNOSUPPORT : WSAEFAULT;
    const { family } = destination.address;
    const behind = address.subarray(sockaddrLength(sockaddrFamily(address)));
    const source = behind.length === 0 ? null : readSockaddr(behind);
    if (behind.length > 0 && source?.address.family !== family) return WSAEINVAL;
    let endpoint: IcmpEndpoint;
    try {
      endpoint = context.stack.openIcmp(family);
    } catch {
      return WSAENOBUFS; // every identifier is taken
    }
    endpoint.ttl = b & 0xff;
    endpoint.trafficClass = (b >> 8) & 0xff;
    endpoint.dontFragment = ((b >> 16) & IP_FLAG_DF) !== 0;
    endpoint.source = source === null || source.address.isAny ? null : source.address;
    const isSet = optionsLength === 0 || endpoint.setIpOptions(bytes.subarray(0, optionsLength)) === 0;
    const call = new EchoCall(context, endpoint, timeout);
    const sent = isSet ? endpoint.sendEcho(destination.address, 1, bytes.subarray(optionsLength)) : 0;
    if (isSet && sent >= 0) return call;
    call.cancel();
    return isSet ? wsaOf(sent) : WSAEINVAL;
  }

  /** Completes `pending` with what comes back, or when nothing does. */
  attach(pending: PendingRequest): void {
    this.#pending = pending;
    pending.detach = () => this.cancel();
    pending.timer = this.#context.scheduler.after(this.#timeout, () => {
      pending.complete(WSAETIMEDOUT);
      this.#context.completions.deliver();
    });
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#endpoint.context = null;
    this.#endpoint.close();
  }

  /** The stack has something for it. */
  happened(): void {
    const reply = this.#endpoint.takeReply();
    const pending = this.#pending;
    if (reply === null || pending === null) return;
    this.#answer(pending, reply);
    this.#context.completions.deliver();
  }

  #answer(pending: PendingRequest, reply: EchoReply): void {
    const into = pending.into ?? EMPTY;
    const { options, payload, source } = reply;
    const room = into.length - ECHO_HEAD_LEN;
    const isCut = options.length + payload.length > room;
    const optionsLength = Math.min(options.length, room);
    const dataLength = Math.min(payload.length, room - optionsLength);
    const elapsed = Math.max(0, Math.round(reply.at - this.#sentAt));
    putI32le(into, 0, statusOf(reply));
    putI32le(into, 4, elapsed);
    into[8] = reply.ttl;
    into[9] = 0;
    into[10] = 0;
    into[11] = optionsLength;
    putI32le(into, 12, dataLength);
    into.set(options.subarray(0, optionsLength), ECHO_HEAD_LEN);
    into.set(payload.subarray(0, dataLength), ECHO_HEAD_LEN + optionsLength);
    const written = ECHO_HEAD_LEN + optionsLength + dataLength;
    pending.complete(isCut ? WSAEMSGSIZE : 0, written, 0, sockaddrOf(source, 0));
  }
}

/** What a reply, or an ICMP error about the request, means to the API. */
function statusOf({ type, code, source }: EchoReply): number {
  if (type === 0) return IP_SUCCESS;
  return source.family === 4 ? statusOfV4(type, code) : statusOfV6(type, code);
}

function statusOfV4(type: number, code: number): number {
  switch (type) {
    case 3:
      return V4_UNREACHABLE[code] ?? IP_DEST_HOST_UNREACHABLE;
    case 4:
      return IP_SOURCE_QUENCH;
    case 11:
      return code === 0 ? IP_TTL_EXPIRED_TRANSIT : IP_TTL_EXPIRED_REASSEM;
    case 12:
      return IP_PARAM_PROBLEM;
    default:
      return IP_GENERAL_FAILURE;
  }
}

/** By the codes of RFC 792, RFC 1122 §3.2.2.1 and RFC 1812 §5.2.7.1. */
const V4_UNREACHABLE: readonly number[] = [
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_PROT_UNREACHABLE,
  IP_DEST_PORT_UNREACHABLE,
  IP_PACKET_TOO_BIG,
  IP_BAD_ROUTE,
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_PROT_UNREACHABLE,
];

/** By RFC 4443 §3; prohibited shares its number with IPv4's protocol unreachable. */
function statusOfV6(type: number, code: number): number {
  switch (type) {
    case 1:
      return V6_UNREACHABLE[code] ?? IP_DEST_HOST_UNREACHABLE;
    case 2:
      return IP_PACKET_TOO_BIG;
    case 3:
      return code === 0 ? IP_TTL_EXPIRED_TRANSIT : IP_TTL_EXPIRED_REASSEM;
    case 4:
      return [IP_BAD_HEADER, IP_UNRECOGNIZED_NEXT_HEADER, IP_BAD_OPTION][code] ?? IP_PARAM_PROBLEM;
    default:
      return IP_ICMP_ERROR;
  }
}

const V6_UNREACHABLE: readonly number[] = [
  IP_DEST_NET_UNREACHABLE,
  IP_DEST_PROT_UNREACHABLE,
  IP_DEST_SCOPE_MISMATCH,
  IP_DEST_HOST_UNREACHABLE,
  IP_DEST_PORT_UNREACHABLE,
];
