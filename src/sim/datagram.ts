/**
 * UDP and echo requests on a simulated host, in promises that are kept as virtual time goes on.
 */

import { IpAddress } from '../base/index.ts';
import {
  createDatagramInfo,
  type DatagramInfo,
  type EchoReply,
  type IcmpEndpoint,
  StackError,
  type UdpEndpoint,
} from '../stack/index.ts';
import { checked, EndpointError } from './endpoint-error.ts';
import { PendingCalls, type SettleListener } from './pending.ts';

/** A datagram that arrived. */
export interface SimDatagram {
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly sourcePort: number;
  readonly ttl: number;
}

/** A UDP port. Its `endpoint` is the stack's own, for everything that is not here. */
export class SimDatagramSocket {
  readonly endpoint: UdpEndpoint;
  readonly #receives: PendingCalls;
  readonly #info: DatagramInfo = createDatagramInfo();
  #isClosed = false;

  constructor(endpoint: UdpEndpoint, listener: SettleListener) {
    this.endpoint = endpoint;
    this.#receives = new PendingCalls(listener);
    endpoint.context = this;
  }

  /** Sends one datagram. @throws {EndpointError} when it could not even be queued. */
  send(bytes: Uint8Array, address: IpAddress | string, port: number): void {
    const to = typeof address === 'string' ? parseAddress(address) : address;
    checked('send', this.endpoint.send(bytes, 0, bytes.length, to, port));
  }

  /** The next datagram. Rejects with what ICMP reported about an earlier one. */
  receive(): Promise<SimDatagram> {
    return this.#receives.run(() => {
      const length = Math.max(0, this.endpoint.nextLength);
      const bytes = new Uint8Array(length);
      const got = this.endpoint.receive(bytes, 0, length, this.#info);
      if (got === StackError.wouldBlock) return undefined;
      const { source, sourcePort, ttl } = this.#info;
      return { bytes: bytes.subarray(0, checked('receive', got)), source, sourcePort, ttl };
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.endpoint.close();
    this.#receives.failAll(new EndpointError('receive', StackError.connectionAborted));
  }

  happened(): void {
    if (!this.#isClosed) this.#receives.retry();
  }
}

/** One `ping` after another. */
export class SimEcho {
  readonly endpoint: IcmpEndpoint;
  readonly #replies: PendingCalls;

  constructor(endpoint: IcmpEndpoint, listener: SettleListener) {
    this.endpoint = endpoint;
    this.#replies = new PendingCalls(listener);
    endpoint.context = this;
  }

  /** Sends an echo request and waits for the reply or the ICMP error about it. */
  request(address: IpAddress, sequence: number, payload: Uint8Array): Promise<EchoReply> {
    checked('echo request', this.endpoint.sendEcho(address, sequence, payload));
    return this.#replies.run(() => this.endpoint.takeReply() ?? undefined);
  }

  /** Gives up waiting. */
  close(): void {
    this.endpoint.close();
    this.#replies.failAll(new EndpointError('echo request', StackError.timedOut));
  }

  happened(): void {
    this.#replies.retry();
  }
}

/** @throws {RangeError} when `text` is no address. */
export function parseAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw new RangeError(`'${text}' is no internet address`);
  return address;
}
