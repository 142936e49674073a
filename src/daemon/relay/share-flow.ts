/**
 * The datagrams of one UDP port inside: one socket of the host for all that it sends, and for each peer outside an endpoint of the
 * gateway that answers in that peer's name.
 */

import type { IpAddress } from '../../base/index.ts';
import type { Endpoint, Stack, UdpEndpoint } from '../../stack/index.ts';
import { drainDatagrams } from './datagrams.ts';
import { EndpointOwner } from './endpoint-owner.ts';
import { countFailure, type ForwardFigures } from './figures.ts';
import type { Flow } from './flow-table.ts';
import type { Place } from './forward.ts';
import { stackErrorText } from './from-host.ts';
import { StackFlow } from './from-stack.ts';

/** Most peers of one port inside; past it the one that was first goes. */
const MAX_PEERS = 64;

interface Peer {
  readonly endpoint: UdpEndpoint;
  /** Where the host sends what is for it. */
  readonly place: Place;
  readonly key: string;
}

export class ShareFlow extends EndpointOwner implements Flow {
  usedAt = 0;
  readonly #stack: Stack;
  readonly #source: IpAddress;
  readonly #sourcePort: number;
  readonly #figures: ForwardFigures;
  readonly #onUse: () => void;
  /** The host's sockets, one a family. */
  readonly #sockets = new Map<4 | 6, StackFlow>();
  /** By the place outside. */
  readonly #peers = new Map<string, Peer>();
  readonly #byEndpoint = new Map<Endpoint, Peer>();

  constructor(
    stack: Stack,
    source: IpAddress,
    sourcePort: number,
    figures: ForwardFigures,
    onUse: () => void,
  ) {
    super();
    this.#stack = stack;
    this.#source = source;
    this.#sourcePort = sourcePort;
    this.#figures = figures;
    this.#onUse = onUse;
  }

  /** The first datagram to a peer: later ones come to its own endpoint. */
  first(bytes: Uint8Array, to: Place, place: Place): void {
    const key = keyOf(String(place.address), place.port);
    const peer = this.#peers.get(key) ?? this.#addPeer(key, to, place);
    if (peer !== null) this.#send(bytes, peer);
  }

  override happened(endpoint: Endpoint): void {
    const peer = this.#byEndpoint.get(endpoint);
    if (peer === undefined) return;
    this.#onUse();
    drainDatagrams(peer.endpoint, (bytes) => this.#send(bytes, peer));
  }

  close(): void {
    for (const peer of [...this.#peers.values()]) this.#removePeer(peer);
    for (const socket of this.#sockets.values()) socket.close();
  }

  #send(bytes: Uint8Array, { place }: Peer): void {
    this.#figures.bytesToHost += bytes.length;
    this.#socket(place.address.family).send(bytes, place);
  }

  #answer(bytes: Uint8Array, from: string, port: number): void {
    // Only whom it has sent to is heard.
    const peer = this.#peers.get(keyOf(from, port));
    if (peer === undefined) return;
    this.#onUse();
    if (peer.endpoint.send(bytes, 0, bytes.length, null, 0) >= 0) this.#figures.bytesToStack += bytes.length;
  }

  #socket(family: 4 | 6): StackFlow {
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const socket = new StackFlow(family, (bytes, from, port) => this.#answer(bytes, from, port));
    this.#sockets.set(family, socket);
    return socket;
  }

  #addPeer(key: string, to: Place, place: Place): Peer | null {
    const [first] = this.#peers.values();
    if (first !== undefined && this.#peers.size >= MAX_PEERS) this.#removePeer(first);
    const endpoint = this.#stack.openUdp(to.address.family);
    const error =
      endpoint.bind(to.address, to.port, { isForeign: true, sharing: 'reuse' }) ||
      endpoint.connect(this.#source, this.#sourcePort);
    if (error < 0) {
      endpoint.close();
      countFailure(this.#figures, stackErrorText(error));
      return null;
    }
    endpoint.context = this;
    const peer = { endpoint, place, key };
    this.#peers.set(key, peer);
    this.#byEndpoint.set(endpoint, peer);
    return peer;
  }

  #removePeer(peer: Peer): void {
    this.#peers.delete(peer.key);
    this.#byEndpoint.delete(peer.endpoint);
    peer.endpoint.context = null;
    peer.endpoint.close();
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
