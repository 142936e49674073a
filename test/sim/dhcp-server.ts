/** A small DHCPv4 server of the simulator: one address a client, on a UDP endpoint of a simulated host. */

import { formatV4, IpAddress, i32, toHex } from '../../src/base/index.ts';
import type { MemorySegment } from '../../src/link/index.ts';
import { type Network, parseAddress, type SimHost } from '../../src/sim/index.ts';
import { createDatagramInfo, type DatagramInfo, type UdpEndpoint } from '../../src/stack/index.ts';
import {
  DHCPV4_SERVER_PORT,
  DhcpV4Message,
  DhcpV4Option,
  DhcpV4Type,
  DropReason,
  parseDhcpV4,
} from '../../src/wire/index.ts';
import { encodeAnswer, type SeenRequest } from '../support/dhcp-server.ts';

export interface ServerOptions {
  /** Its own address; it hands out those of the same /24 from `first` on. */
  readonly address: string;
  readonly first: number;
  readonly leaseSec?: number;
  readonly impair?: Parameters<Network['host']>[0]['impair'];
}

export class SimDhcpServer {
  readonly host: SimHost;
  /** Address by client identifier, as hex: what was acknowledged. */
  readonly leases = new Map<string, string>();
  /** Types of messages that came, in order. */
  readonly seen: string[] = [];
  /** Answers nothing while it is set. */
  isSilent = false;
  /** Refuses every request while it is set. */
  isRefusing = false;
  readonly #options: ServerOptions;
  readonly #offers = new Map<string, string>();
  readonly #endpoint: UdpEndpoint;
  readonly #buffer = new Uint8Array(1500);
  #next: number;

  constructor(network: Network, segment: MemorySegment, options: ServerOptions) {
    this.#options = options;
    this.#next = options.first;
    this.host = network.host({
      name: `server-${options.address}`,
      segment,
      addresses: [`${options.address}/24`],
      // It serves from the first moment.
      detectDuplicates: false,
      ...(options.impair === undefined ? {} : { impair: options.impair }),
      observer: () => this.#receive(),
    });
    this.#endpoint = this.host.stack.openUdp();
    this.#endpoint.broadcast = true;
    this.#endpoint.bind(IpAddress.anyV4, DHCPV4_SERVER_PORT);
  }

  #receive(): void {
    const info: DatagramInfo = createDatagramInfo();
    for (;;) {
      const length = this.#endpoint.receive(this.#buffer, 0, this.#buffer.length, info);
      if (length < 0) return;
      const message = new DhcpV4Message();
      if (parseDhcpV4(this.#buffer, 0, length, message) === DropReason.none) this.#serve(message);
    }
  }

  #serve(message: DhcpV4Message): void {
    const { options, type, ciaddr } = message;
    const client = toHex(options.get(DhcpV4Option.clientIdentifier) ?? message.chaddr);
    this.seen.push(Object.entries(DhcpV4Type).find(([, number]) => number === type)?.[0] ?? '');
    if (this.isSilent) return;
    const server = options.get(DhcpV4Option.serverIdentifier);
    if (type === DhcpV4Type.discover) this.#answer(message, 'offer', this.#offer(client));
    else if (type === DhcpV4Type.release) this.leases.delete(client);
    else if (type === DhcpV4Type.decline) this.#offers.delete(client);
    else if (type === DhcpV4Type.request) {
      // Another server was chosen (RFC 2131 §4.3.2).
      if (server !== undefined && formatV4(i32(server, 0)) !== this.#options.address) return;
      const requested = options.get(DhcpV4Option.requestedAddress);
      const address = requested === undefined ? formatV4(ciaddr) : formatV4(i32(requested, 0));
      const isKnown = this.leases.get(client) === address || this.#offers.get(client) === address;
      if (this.isRefusing || (!isKnown && server !== undefined)) this.#answer(message, 'nak', '0.0.0.0');
      // Of what it knows nothing it says nothing.
      else if (isKnown) {
        this.leases.set(client, address);
        this.#answer(message, 'ack', address);
      }
    }
  }

  #offer(client: string): string {
    const address = this.leases.get(client) ?? this.#offers.get(client) ?? this.#unused();
    this.#offers.set(client, address);
    return address;
  }

  #unused(): string {
    return `${this.#options.address.split('.').slice(0, 3).join('.')}.${this.#next++}`;
  }

  #answer(message: DhcpV4Message, type: 'offer' | 'ack' | 'nak', yiaddr: string): void {
    const request = {
      type: 'request',
      xid: message.xid,
      chaddr: toHex(message.chaddr),
      isBroadcast: true,
    } as const satisfies Partial<SeenRequest>;
    const { address: server, leaseSec = 3600 } = this.#options;
    const nothing = type === 'nak' ? { leaseSec: null, mask: null } : { leaseSec, routers: [server] };
    const payload = encodeAnswer(request, { type, yiaddr, server, ...nothing });
    const to = message.ciaddr === 0 ? '255.255.255.255' : formatV4(message.ciaddr);
    this.#endpoint.send(payload, 0, payload.length, parseAddress(to), 68);
  }
}
