/**
 * What a path puts before its IP header: nothing, or an Ethernet header to a neighbour or a group of stations. Shared by the
 * paths of both families.
 *
 * The neighbour is looked at for every packet, because its hardware address may change. One whose address is not known yet is
 * written as a mark that the stack's `output` finds, which takes the frame out until the neighbour has answered.
 */

import { type IpAddress, i32, u16 } from '../base/index.ts';
import { ETHERNET_HEADER_LEN, writeEthernet } from '../wire/index.ts';
import type { NetworkInterface } from './interface.ts';
import { Neighbor, NeighborState } from './neighbor/neighbor.ts';
import type { NeighborTable } from './neighbor/table.ts';

export class LinkHeader {
  /** Bytes of it. */
  readonly length: number;
  readonly #table: NeighborTable | null;
  readonly #etherType: number;
  readonly #ownHigh: number;
  readonly #ownLow: number;
  #to: Neighbor | null;

  /** @param to `null` on a link without headers */
  private constructor(link: NetworkInterface, to: Neighbor | null, etherType: number) {
    const { mac } = link;
    this.#to = to;
    this.#table = link.neighbors;
    this.#etherType = etherType;
    this.length = to === null ? 0 : ETHERNET_HEADER_LEN;
    this.#ownHigh = mac === null ? 0 : u16(mac, 0);
    this.#ownLow = mac === null ? 0 : i32(mac, 2);
  }

  /** Headers to the neighbour at `nextHop`, which is asked for with the first packet. */
  static toNeighbor(link: NetworkInterface, nextHop: IpAddress, etherType: number): LinkHeader {
    const { neighbors } = link;
    const to = neighbors === null ? null : (neighbors.find(nextHop) ?? new Neighbor(nextHop));
    return new LinkHeader(link, to, etherType);
  }

  /** Headers to the stations that listen to the hardware address `mac`, for packets to `group`. */
  static toGroup(link: NetworkInterface, group: IpAddress, mac: Uint8Array, etherType: number): LinkHeader {
    const to = link.neighbors === null ? null : Neighbor.group(group, u16(mac, 0), i32(mac, 2));
    return new LinkHeader(link, to, etherType);
  }

  /** Writes the header. @returns where the IP header goes */
  write(into: Uint8Array, at: number): number {
    let to = this.#to;
    if (to === null) return at;
    if (to.state >= NeighborState.stale) {
      to = (this.#table as NeighborTable).use(to);
      this.#to = to;
    }
    return writeEthernet(into, at, to.macHigh, to.macLow, this.#ownHigh, this.#ownLow, this.#etherType);
  }

  /** The peer has answered at `now`: so the next hop is reachable (RFC 4861 §7.3.1). */
  confirm(now: number): void {
    const to = this.#to;
    if (to !== null) (this.#table as NeighborTable).confirm(to, now);
  }

  /** What is sent to the next hop is not answered. */
  doubt(now: number): void {
    const to = this.#to;
    if (to !== null) (this.#table as NeighborTable).doubt(to, now);
  }

  /** See `Path.nextHop`. */
  get nextHop(): IpAddress | null {
    return this.#to?.address ?? null;
  }

  /** See `Path.nextHopSince`. */
  get nextHopSince(): number {
    return this.#to?.learnedAt ?? Number.NEGATIVE_INFINITY;
  }
}
