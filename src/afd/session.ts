/**
 * A session: one process's way to its sockets, as an `AfdPort`. It finds the endpoint of each request, has it carried out, and
 * keeps what pends.
 */

import {
  AF_INET6,
  NO_ERROR,
  SOCK_RAW,
  SOCK_STREAM,
  WSA_OPERATION_ABORTED,
  WSAEACCES,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMFILE,
  WSAENETDOWN,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { assert } from '../base/index.ts';
import {
  type AfdCompletion,
  AfdOp,
  type AfdPort,
  type AfdRequest,
  type BehaviorProfile,
  type PeerIdentity,
} from '../port/index.ts';
import type { CompletionSink } from './completions.ts';
import type { AfdContext } from './context.ts';
import { DatagramEndpoint } from './datagram.ts';
import { Descriptors } from './descriptors.ts';
import { EchoCall } from './echo.ts';
import { AfdEndpoint, CLOSE_ABORTIVE } from './endpoint.ts';
import { answerInterfaces } from './interface-names.ts';
import { ioctl } from './ioctl.ts';
import { getOption, setOption } from './option-values.ts';
import type { AfdLimits } from './policy.ts';
import { checkPoll, type PollLookup, PollWatch, pollNow } from './poll.ts';
import { openRaw } from './raw.ts';
import { PEND, PendingRequest, type RequestOwner } from './request.ts';
import { selectSocket } from './socket-state.ts';
import { StreamEndpoint } from './stream.ts';
import { type DuplicateTokens, TOKEN_LEN } from './tokens.ts';

export class Session implements AfdPort, RequestOwner, CompletionSink {
  readonly identity: PeerIdentity;
  readonly outbox: PendingRequest[] = [];
  onComplete: (completion: AfdCompletion) => void = () => {};
  readonly #context: AfdContext;
  readonly #tokens: DuplicateTokens<AfdEndpoint>;
  readonly #limits: AfdLimits;
  readonly #ended: (session: Session) => void;
  readonly #descriptors = new Descriptors();
  readonly #pending = new Map<number, PendingRequest>();
  readonly #lookup: PollLookup = (descriptor) => this.#descriptors.get(descriptor);
  #bytes = 0;
  #isClosed = false;
  /** Those of {@link #pending} that wait for the events of a socket. */
  #waits = 0;
  /** Filled anew for each request that ends at once. */
  readonly #reply: AfdCompletion = { id: 0, error: 0, value: 0, flags: 0, address: null, data: null };

  constructor(
    context: AfdContext,
    tokens: DuplicateTokens<AfdEndpoint>,
    identity: PeerIdentity,
    limits: AfdLimits,
    ended: (session: Session) => void,
  ) {
    this.#context = context;
    this.#tokens = tokens;
    this.identity = identity;
    this.#limits = limits;
    this.#ended = ended;
  }

  get profile(): BehaviorProfile {
    return this.#context.policy.profile ?? 'windows';
  }

  get hasRoom(): boolean {
    return !this.#isClosed && this.#descriptors.size < this.#limits.sockets;
  }

  /** Requests that pend. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Bytes charged to it. */
  get bytesHeld(): number {
    return this.#bytes;
  }

  /** Open descriptors with their endpoints. */
  get descriptors(): Iterable<readonly [number, AfdEndpoint]> {
    return this.#descriptors.entries();
  }

  get descriptorCount(): number {
    return this.#descriptors.size;
  }

  submit(request: AfdRequest): AfdCompletion | null {
    const reply = this.#reply;
    reply.id = request.id;
    reply.value = 0;
    reply.flags = 0;
    reply.address = null;
    reply.data = null;
    let code = this.#execute(request);
    if (code === PEND) code = this.#pend(request);
    const { completions } = this.#context;
    if (code === PEND) {
      if (completions.isDue) completions.deliver();
      return null;
    }
    reply.error = code;
    if (!completions.isDue) return reply;
    // Those who are told now may call again, and would overwrite the answer.
    const kept = keep(reply);
    completions.deliver();
    return kept;
  }

  cancel(id: number): void {
    this.#pending.get(id)?.giveUp(WSA_OPERATION_ABORTED);
    if (this.#context.completions.isDue) this.#context.completions.deliver();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const request of [...this.#pending.values()]) request.giveUp(WSA_OPERATION_ABORTED);
    for (const [descriptor] of [...this.#descriptors.entries()]) this.#drop(descriptor, CLOSE_ABORTIVE);
    this.#ended(this);
    if (this.#context.completions.isDue) this.#context.completions.deliver();
  }

  adopt(endpoint: object): number {
    assert(endpoint instanceof AfdEndpoint, 'a descriptor refers to an endpoint');
    endpoint.references++;
    return this.#descriptors.add(endpoint);
  }

  charge(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.bytes) return false;
    this.#bytes += bytes;
    return true;
  }

  discharge(bytes: number): void {
    this.#bytes -= bytes;
  }

  requestDone(request: PendingRequest): void {
    if (this.#pending.delete(request.id) && request.op === AfdOp.waitEvents) this.#waits--;
    this.discharge(request.charge);
    this.#context.completions.add(this, request);
  }

  deliver(request: PendingRequest): void {
    this.onComplete(request);
  }

  /** Carries a request out. @returns a WSA code, or {@link PEND}. */
  #execute(request: AfdRequest): number {
    if (this.#isClosed) return WSAENETDOWN;
    switch (request.op) {
      case AfdOp.socket:
        return this.#socket(request);
      case AfdOp.open:
        return this.#open(request.data);
      case AfdOp.interfaces:
        return answerInterfaces(this.#context.stack, request, this.#reply);
      case AfdOp.poll:
        return this.#poll(request);
      case AfdOp.echo:
        return this.#startEcho(request);
      default:
        break;
    }
    const endpoint = this.#descriptors.get(request.descriptor);
    if (endpoint === null) return WSAENOTSOCK;
    const code = this.#operate(endpoint, request);
    // A receive or an accept may have taken what a poll waits for, or made room for more.
    if (endpoint.watches !== null || endpoint.events.mask !== 0) endpoint.changed();
    return code;
  }

  #operate(endpoint: AfdEndpoint, request: AfdRequest): number {
    const reply = this.#reply;
    switch (request.op) {
      case AfdOp.send:
        if (request.a !== 0 && endpoint.type === SOCK_STREAM) return WSAEINVAL;
        return endpoint.send(request, reply, this);
      case AfdOp.recv:
        if (request.a !== 0 && endpoint.type === SOCK_STREAM) return WSAEOPNOTSUPP;
        return endpoint.recv(request, reply);
      case AfdOp.close:
        return this.#close(endpoint, request);
      case AfdOp.bind:
        return endpoint.bind(request.address);
      case AfdOp.listen:
        return endpoint.listen(request.a);
      case AfdOp.acceptRequest:
        return endpoint.acceptRequest(request, reply, this);
      case AfdOp.refuse:
        return endpoint.refuse(request.a, request.b !== 0, this);
      case AfdOp.joinLeaf:
        return endpoint.joinLeaf(request.address, request.a);
      case AfdOp.superAccept:
        return this.#superAccept(endpoint, request);
      case AfdOp.disconnect:
        return this.#isRefused(endpoint, request) ? WSAENOBUFS : endpoint.disconnect(request.a);
      case AfdOp.accept:
        return endpoint.accept(request, reply, this);
      case AfdOp.connect:
        return this.#isRefused(endpoint, request) ? WSAENOBUFS : endpoint.connect(request);
      case AfdOp.shutdown:
        return endpoint.shutdown(request.a);
      case AfdOp.getSockName:
        return endpoint.getSockName(reply);
      case AfdOp.getPeerName:
        return endpoint.getPeerName(reply);
      case AfdOp.getOption:
        return getOption(endpoint, request.a, request.b, request.into, reply);
      case AfdOp.setOption:
        return setOption(endpoint, request.a, request.b, request.data);
      case AfdOp.ioctl:
        return ioctl(endpoint, request, reply);
      case AfdOp.eventSelect:
        return endpoint.eventSelect(request.a, request.b !== 0);
      case AfdOp.waitEvents:
        return endpoint.waitEvents(request.into, reply);
      case AfdOp.enumEvents:
        return endpoint.enumEvents(request.into, reply);
      case AfdOp.duplicate:
        return this.#duplicate(endpoint, request.a);
      default:
        return WSAEOPNOTSUPP;
    }
  }

  /** Files a request that can't complete yet. @returns {@link PEND}, or the code of why it may not wait */
  #pend(request: AfdRequest): number {
    const moved = this.#reply.value;
    const pending = new PendingRequest(this, request, moved);
    if (this.#isFullFor(request) || !this.charge(pending.charge)) {
      if (request.op === AfdOp.echo) this.#echo?.cancel();
      // What was moved counts, and a close goes on in the background; nothing else has begun.
      return moved > 0 || request.op === AfdOp.close ? NO_ERROR : WSAENOBUFS;
    }
    this.#pending.set(request.id, pending);
    if (request.op === AfdOp.waitEvents) this.#waits++;
    if (request.op === AfdOp.superAccept) pending.target = this.#descriptors.get(request.a);
    if (request.op === AfdOp.poll) this.#watch(pending);
    else if (request.op === AfdOp.close) this.#linger(pending);
    else if (request.op === AfdOp.echo) this.#echo?.attach(pending);
    else this.#descriptors.get(request.descriptor)?.pend(pending);
    return PEND;
  }

  /** Whether there is no room for a request to pend. */
  #isFullFor({ op, id }: AfdRequest): boolean {
    const { pendingRequests, sockets } = this.#limits;
    if (this.#pending.has(id)) return true;
    return op === AfdOp.waitEvents
      ? this.#waits >= sockets
      : this.#pending.size - this.#waits >= pendingRequests;
  }

  /** Whether a request may not pend that begins what can't be taken back: it is refused before. */
  #isRefused(endpoint: AfdEndpoint, request: AfdRequest): boolean {
    if (endpoint.type !== SOCK_STREAM || !endpoint.mayWait(request.flags)) return false;
    return this.#isFullFor(request) || this.#bytes + (request.data?.length ?? 0) > this.#limits.bytes;
  }

  #superAccept(listener: AfdEndpoint, request: AfdRequest): number {
    const target = this.#descriptors.get(request.a);
    return target === null ? WSAENOTSOCK : listener.superAccept(target, request, this.#reply);
  }

  #socket(request: AfdRequest): number {
    const { error, type, protocol } = selectSocket(request.a, request.b, request.flags);
    if (error !== 0) return error;
    const context = this.#context;
    if (type === SOCK_RAW && !context.policy.mayOpenRaw(this.identity)) return WSAEACCES;
    if (!this.hasRoom) return WSAEMFILE;
    const { stack } = context;
    const family = request.a === AF_INET6 ? 6 : 4;
    if (type === SOCK_RAW)
      this.#reply.value = this.adopt(openRaw(context, protocol, this.identity.uid, family));
    else if (type === SOCK_STREAM)
      this.#reply.value = this.adopt(
        new StreamEndpoint(context, type, protocol, this.identity.uid, stack.openTcp(family)),
      );
    else
      this.#reply.value = this.adopt(
        new DatagramEndpoint(context, type, protocol, this.identity.uid, stack.openUdp(family)),
      );
    return 0;
  }

  #open(token: Uint8Array | null): number {
    if (token === null) return WSAEFAULT;
    if (token.length !== TOKEN_LEN) return WSAEINVAL;
    if (!this.hasRoom) return WSAEMFILE;
    const endpoint = this.#tokens.redeem(token, this.identity);
    if (endpoint === null) return WSAEINVAL;
    // The token's reference is the descriptor's now.
    this.#reply.value = this.#descriptors.add(endpoint);
    this.#reply.flags = endpoint.isBound ? 1 : 0;
    return 0;
  }

  #duplicate(endpoint: AfdEndpoint, pid: number): number {
    const { policy } = this.#context;
    if (pid <= 0 || policy.processExists?.(pid) === false) return WSAEINVAL;
    const token = this.#tokens.issue(endpoint, pid, this.identity.uid);
    if (token === null) return WSAENOBUFS;
    this.#reply.data = token;
    return 0;
  }

  #poll(request: AfdRequest): number {
    const { data, into } = request;
    const error = checkPoll(data, into);
    if (error !== 0 || data === null || into === null) return error;
    const count = pollNow(this.#lookup, data, into, 0);
    this.#reply.value = count;
    if (count > 0 || request.a === 0) return 0;
    return PEND;
  }

  #watch(pending: PendingRequest): void {
    new PollWatch(pending, this.#lookup);
    pending.done = 0;
    if (pending.a < 0) return;
    pending.timer = this.#context.scheduler.after(pending.a, () => {
      pending.complete(0, 0);
      this.#context.completions.deliver();
    });
  }

  /** The echo request that has just been sent: it pends. */
  #echo: EchoCall | null = null;

  #startEcho(request: AfdRequest): number {
    const call = EchoCall.begin(this.#context, request);
    if (typeof call === 'number') return call;
    this.#echo = call;
    return PEND;
  }

  #close(endpoint: AfdEndpoint, request: AfdRequest): number {
    if (endpoint.references === 1 && endpoint.closeWouldBlock(request.flags)) return WSAEWOULDBLOCK;
    return this.#drop(request.descriptor, request.flags);
  }

  /** Files a close that lingers: the endpoint has no descriptor any more. */
  #linger(pending: PendingRequest): void {
    const endpoint = this.#lingering;
    this.#lingering = null;
    endpoint?.pend(pending);
  }

  /** The endpoint whose close has just answered {@link PEND}. */
  #lingering: AfdEndpoint | null = null;

  /** Drops a descriptor and with it its requests; the last one closes the endpoint. */
  #drop(descriptor: number, flags: number): number {
    const endpoint = this.#descriptors.get(descriptor);
    if (endpoint === null) return WSAENOTSOCK;
    this.#descriptors.remove(descriptor);
    endpoint.references--;
    if (endpoint.watches !== null) {
      for (const watch of [...endpoint.watches]) if (watch.isOf(this)) watch.descriptorClosed(descriptor);
    }
    if (endpoint.references > 0) {
      this.#endRequestsOf(descriptor);
      endpoint.released(this);
      return 0;
    }
    const code = endpoint.close(flags);
    if (code === PEND) this.#lingering = endpoint;
    return code;
  }

  /** Others hold the endpoint: only what this descriptor waits for ends. */
  #endRequestsOf(descriptor: number): void {
    for (const request of [...this.#pending.values()]) {
      if (request.descriptor === descriptor && request.op !== AfdOp.poll) {
        request.giveUp(WSA_OPERATION_ABORTED);
      }
    }
  }
}

/** A completion of its own, for one that is about to be overwritten. */
function keep(reply: AfdCompletion): AfdCompletion {
  const { id, error, value, flags, address, data } = reply;
  return { id, error, value, flags, address: address === null ? null : address.slice(), data };
}
