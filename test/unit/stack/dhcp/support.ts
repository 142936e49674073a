/** A host with a DHCPv4 client, on a link without hardware addresses unless said otherwise, and a scripted server. */

import { expect } from '@jest/globals';
import { IpAddress } from '../../../../src/base/index.ts';
import type { DhcpOptions, DhcpV4Status, InterfaceOptions } from '../../../../src/stack/index.ts';
import { type Answer, answerTo, readRequest, type SeenRequest } from '../../../support/dhcp-server.ts';
import { readPacket } from '../../../support/segment.ts';
import { type HostUnderTest, makeHost } from '../support.ts';

export const MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);

export interface ClientUnderTest extends HostUnderTest {
  /** The client's messages that wait to be sent. */
  sent(): SeenRequest[];
  /** The one message that waits. */
  request(): SeenRequest;
  /** Hands in an answer. @returns its drop reason */
  answer(to: SeenRequest, answer?: Answer): number;
  readonly v4: DhcpV4Status;
  /** The interface's IPv4 addresses with prefix lengths. */
  readonly addresses: string[];
  /** `destination/length via gateway`, without the connected ones. */
  readonly routes: string[];
}

/** A host without an address. */
export function makeClient(
  options: DhcpOptions | null = {},
  iface: Partial<InterfaceOptions> = {},
  configObserver?: (changes: number) => void,
): ClientUnderTest {
  const host = makeHost({ addresses: [], ...iface }, undefined, undefined, configObserver);
  const { stack, index } = host;
  const isEthernet = iface.medium === 'ethernet';
  const out = (): Uint8Array[] => host.outBytes().map((frame) => (isEthernet ? frame.subarray(14) : frame));
  const isIpv4 = (packet: Uint8Array): boolean => (packet[0] as number) >> 4 === 4 && packet[9] === 17;
  const view = () => stack.interfaces.find((held) => held.index === index);
  const sent = (): SeenRequest[] =>
    out()
      .filter(isIpv4)
      .map((packet) => readRequest(readPacket(packet)));
  const client = Object.assign(host, {
    sent,
    request: () => {
      const all = sent();
      expect(all).toHaveLength(1);
      return all[0] as SeenRequest;
    },
    answer: (to: SeenRequest, answer: Answer = {}) => {
      const packet = answerTo(to, answer);
      return host.in(isEthernet ? framed(packet) : packet);
    },
  });
  Object.defineProperties(client, {
    v4: { get: () => stack.dhcpStatus(index).v4 },
    addresses: {
      get: () => view()?.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    },
    routes: {
      get: () =>
        stack.routes
          .filter(({ origin }) => origin === 'dhcp')
          .map(({ destination, prefixLength, gateway }) => `${destination}/${prefixLength} via ${gateway}`),
    },
  });
  if (options !== null) stack.startDhcp(index, options);
  return client as unknown as ClientUnderTest;
}

/** Runs a client through an exchange to BOUND. @returns the request that was acknowledged */
export function bind(client: ClientUnderTest, answer: Answer = {}): SeenRequest {
  expect(client.answer(client.request(), answer)).toBe(0);
  const request = client.request();
  expect(request.type).toBe('request');
  expect(client.answer(request, answer)).toBe(0);
  expect(client.v4.state).toBe('BOUND');
  return request;
}

export function ip(text: string): IpAddress {
  return IpAddress.parse(text) as IpAddress;
}

/** From the server's hardware address to the client's. */
function framed(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(14 + packet.length);
  frame.set(MAC, 0);
  frame.set([2, 0, 0, 0, 0, 1, 8, 0], 6);
  frame.set(packet, 14);
  return frame;
}
