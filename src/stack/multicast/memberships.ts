/**
 * The memberships of one endpoint: a filter for each group and interface, changed as RFC 3678 §4.1 has it, which is what the
 * options of sockets do.
 */

import type { IpAddress } from '../../base/index.ts';
import { type Endpoint, type GroupInterface, type SourceFilter, StackError } from '../api.ts';
import type { PacketAddresses } from '../demux.ts';
import type { GroupMember, Host, InboundPacket } from '../host.ts';

/** Most groups of an endpoint, and most sources of one filter. */
const MAX_MEMBERSHIPS = 1024;
const MAX_SOURCES = 128;

const NOT_JOINED: SourceFilter = { mode: 'include', sources: [] };

class Membership implements GroupMember {
  readonly group: IpAddress;
  readonly interfaceIndex: number;
  mode: SourceFilter['mode'] = 'exclude';
  sources: readonly IpAddress[] = [];

  constructor(group: IpAddress, interfaceIndex: number, filter: SourceFilter) {
    this.group = group;
    this.interfaceIndex = interfaceIndex;
    this.set(filter);
  }

  set({ mode, sources }: SourceFilter): void {
    this.mode = mode;
    this.sources = sources;
  }

  /** Whether it wants what comes from the packet's source. */
  admits(packet: PacketAddresses): boolean {
    const { sources } = this;
    const { src0, src1, src2, src3 } = packet;
    let isListed = false;
    for (let i = 0; i < sources.length && !isListed; i++) {
      const { w0, w1, w2, w3 } = sources[i] as IpAddress;
      isListed = w3 === src3 && w2 === src2 && w1 === src1 && w0 === src0;
    }
    return isListed === (this.mode === 'include');
  }

  has(source: IpAddress): boolean {
    return this.sources.some((held) => isSame(held, source));
  }
}

export class Memberships {
  readonly #host: Host;
  readonly #owner: Endpoint;
  #list: readonly Membership[] = [];

  constructor(host: Host, owner: Endpoint) {
    this.#host = host;
    this.#owner = owner;
  }

  get size(): number {
    return this.#list.length;
  }

  /** Whether the datagram to a group is one that was joined on its interface, from a source that is wanted. */
  admits(packet: InboundPacket): boolean {
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      const member = list[i] as Membership;
      const { w0, w1, w2, w3 } = member.group;
      if (
        member.interfaceIndex === packet.interfaceIndex &&
        w3 === packet.dst3 &&
        w2 === packet.dst2 &&
        w1 === packet.dst1 &&
        w0 === packet.dst0
      ) {
        return member.admits(packet);
      }
    }
    return false;
  }

  join(group: IpAddress, on: GroupInterface, source: IpAddress | null): number {
    const index = this.#interfaceFor(group, on);
    if (index < 0) return index;
    const held = this.#find(group, index);
    if (source === null) {
      if (held !== null || isSourceSpecific(group)) return StackError.invalid;
      return this.#add(group, index, { mode: 'exclude', sources: [] });
    }
    const error = sourceError(group, source);
    if (error !== 0) return error;
    if (held === null) return this.#add(group, index, { mode: 'include', sources: [source] });
    return held.mode === 'include' ? this.#addSource(held, source) : StackError.invalid;
  }

  leave(group: IpAddress, on: GroupInterface, source: IpAddress | null): number {
    const held = this.#joined(group, on);
    if (typeof held === 'number') return held;
    if (source === null) {
      this.#drop(held);
      return 0;
    }
    if (held.mode !== 'include') return StackError.invalid;
    if (!held.has(source)) return StackError.addressNotAvailable;
    if (held.sources.length === 1) this.#drop(held);
    else this.#removeSource(held, source);
    return 0;
  }

  block(group: IpAddress, source: IpAddress, on: GroupInterface): number {
    const held = this.#joined(group, on);
    if (typeof held === 'number') return held;
    const error = sourceError(group, source);
    if (error !== 0) return error;
    return held.mode === 'exclude' ? this.#addSource(held, source) : StackError.invalid;
  }

  unblock(group: IpAddress, source: IpAddress, on: GroupInterface): number {
    const held = this.#joined(group, on);
    if (typeof held === 'number') return held;
    if (held.mode !== 'exclude') return StackError.invalid;
    if (!held.has(source)) return StackError.addressNotAvailable;
    this.#removeSource(held, source);
    return 0;
  }

  setFilter(group: IpAddress, filter: SourceFilter, on: GroupInterface): number {
    const index = this.#interfaceFor(group, on);
    if (index < 0) return index;
    const held = this.#find(group, index);
    const sources = filter.sources.filter(
      (each, i, all) => all.findIndex((other) => isSame(other, each)) === i,
    );
    if (sources.length > MAX_SOURCES) return StackError.noBuffers;
    if (filter.mode === 'exclude' && isSourceSpecific(group)) return StackError.invalid;
    for (const source of sources) {
      const error = sourceError(group, source);
      if (error !== 0) return error;
    }
    if (filter.mode === 'include' && sources.length === 0) {
      if (held !== null) this.#drop(held);
      return 0;
    }
    if (held === null) return this.#add(group, index, { mode: filter.mode, sources });
    held.set({ mode: filter.mode, sources });
    this.#host.groups.changed(held);
    return 0;
  }

  filterOf(group: IpAddress, on: GroupInterface): SourceFilter {
    const held = this.#joined(group, on);
    return typeof held === 'number' ? NOT_JOINED : { mode: held.mode, sources: held.sources };
  }

  /** Leaves everything: the endpoint was closed. */
  leaveAll(): void {
    const list = this.#list;
    this.#list = [];
    for (const member of list) this.#host.groups.leave(member);
  }

  #add(group: IpAddress, index: number, filter: SourceFilter): number {
    if (this.#list.length >= MAX_MEMBERSHIPS) return StackError.noBuffers;
    const member = new Membership(group, index, filter);
    const error = this.#host.groups.join(member);
    if (error === 0) this.#list = [...this.#list, member];
    return error;
  }

  #drop(member: Membership): void {
    this.#list = this.#list.filter((held) => held !== member);
    this.#host.groups.leave(member);
  }

  #addSource(member: Membership, source: IpAddress): number {
    if (member.has(source)) return StackError.addressNotAvailable;
    if (member.sources.length >= MAX_SOURCES) return StackError.noBuffers;
    member.sources = [...member.sources, source];
    this.#host.groups.changed(member);
    return 0;
  }

  #removeSource(member: Membership, source: IpAddress): void {
    member.sources = member.sources.filter((held) => !isSame(held, source));
    this.#host.groups.changed(member);
  }

  #find(group: IpAddress, interfaceIndex: number): Membership | null {
    return (
      this.#list.find((held) => held.interfaceIndex === interfaceIndex && isSame(held.group, group)) ?? null
    );
  }

  /**
   * The membership that is meant. Without an interface: that of the interface by which a join would go, else the oldest of the
   * group, since routes may have changed.
   */
  #joined(group: IpAddress, on: GroupInterface): Membership | number {
    const index = this.#interfaceFor(group, on);
    const held = index > 0 ? this.#find(group, index) : null;
    if (held !== null) return held;
    if (index === StackError.invalid) return index;
    const isNamed =
      (on.interfaceIndex ?? 0) !== 0 || on.interfaceAddress?.isAny === false || group.zone !== 0;
    const any = isNamed ? undefined : this.#list.find((each) => isSame(each.group, group));
    return any ?? StackError.addressNotAvailable;
  }

  /** The index of the interface, or why there is none. */
  #interfaceFor(group: IpAddress, on: GroupInterface): number {
    const isOfFamily = group.family === 4 || this.#owner.localAddress.family === 6;
    if (!group.isMulticast || !isOfFamily) return StackError.invalid;
    const { groups } = this.#host;
    let index = on.interfaceIndex ?? 0;
    if (index === 0 && on.interfaceAddress?.isAny === false) {
      index = this.#host.interfaceOf(on.interfaceAddress);
    } else if (index === 0) {
      index = groups.interfaceFor(group);
    }
    return index > 0 && groups.hasInterface(index) ? index : StackError.addressNotAvailable;
  }
}

/** RFC 4607 §1: 232/8 and ff3x::/32 are for single sources. */
function isSourceSpecific(group: IpAddress): boolean {
  if (group.family === 4) return group.w3 >>> 24 === 232;
  return (group.w0 & (0xfff0ffff | 0)) === (0xff300000 | 0);
}

/** A source is one host's address, of the group's family. */
function sourceError(group: IpAddress, source: IpAddress): number {
  const isHost = !source.isMulticast && !source.isAny && !source.isLimitedBroadcast;
  return isHost && source.family === group.family ? 0 : StackError.invalid;
}

function isSame(a: IpAddress, b: IpAddress): boolean {
  return a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0 && a.family === b.family;
}
