/**
 * The groups of the host: which interface listens to which, for whom, and by which protocol routers are told.
 */

import { IpAddress, type IpFamily } from '../../base/index.ts';
import { type GroupView, type SourceFilter, StackError } from '../api.ts';
import type { GroupMember, GroupTable, Host, Path } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import { type GroupLink, type GroupQuery, LinkGroups } from './link-groups.ts';
import type { GroupRecord } from './records.ts';

/** How a family's routers are told: IGMP or MLD. */
export interface GroupReporter {
  sendRecords(iface: NetworkInterface, records: readonly GroupRecord[]): void;
  sendReport(iface: NetworkInterface, group: IpAddress, version: number): void;
  sendLeave(iface: NetworkInterface, group: IpAddress): void;
}

/** Most groups that an interface listens to in one family. */
const MAX_GROUPS = 4096;
const ALL_HOSTS = 0xe0000001 | 0;

/** A protocol of this host that listens to a group, as often as it has said so. */
class LinkMember implements GroupMember {
  readonly group: IpAddress;
  readonly interfaceIndex: number;
  readonly mode = 'exclude';
  readonly sources: SourceFilter['sources'] = [];
  count = 1;

  constructor(interfaceIndex: number, group: IpAddress) {
    this.interfaceIndex = interfaceIndex;
    this.group = group;
  }
}

export class Groups implements GroupTable {
  readonly #host: Host;
  readonly #topology: Topology;
  readonly #reporters: { 4: GroupReporter | null; 6: GroupReporter | null } = { 4: null, 6: null };
  /** By family, then by interface. */
  readonly #links: Readonly<Record<IpFamily, (LinkGroups | undefined)[]>> = { 4: [], 6: [] };
  readonly #linkMembers: LinkMember[] = [];

  constructor(host: Host, topology: Topology) {
    this.#host = host;
    this.#topology = topology;
  }

  /** Who tells routers from now on; nobody at first. */
  setReporter(family: IpFamily, reporter: GroupReporter): void {
    this.#reporters[family] = reporter;
  }

  join(member: GroupMember): number {
    const link = this.#linkOf(member.interfaceIndex, member.group.family);
    if (link === null) return StackError.addressNotAvailable;
    if (link.size >= MAX_GROUPS && link.find(member.group) === null) return StackError.noBuffers;
    link.join(member, this.#isReported(member));
    return 0;
  }

  leave(member: GroupMember): void {
    this.#links[member.group.family][member.interfaceIndex]?.leave(member);
  }

  changed(member: GroupMember): void {
    this.#links[member.group.family][member.interfaceIndex]?.changed(member);
  }

  isJoined(interfaceIndex: number, group: IpAddress): boolean {
    return this.#links[group.family][interfaceIndex]?.find(group)?.isJoined === true;
  }

  interfaceFor(group: IpAddress): number {
    const any = group.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    if (group.zone !== 0) return group.zone;
    const path = this.#host.pathTo(any, group);
    if (path !== null) return path.interfaceIndex;
    const { interfaces } = this.#topology;
    return (interfaces.find(({ isLoopback, isUp }) => isUp && !isLoopback) ?? interfaces[0])?.index ?? 0;
  }

  hasInterface(index: number): boolean {
    return this.#topology.find(index) !== null;
  }

  pathTo(interfaceIndex: number, source: IpAddress, group: IpAddress): Path | null {
    const from = source.isAny ? (this.#topology.find(interfaceIndex)?.sourceFor(group) ?? null) : source;
    return from === null ? null : this.#host.linkPath(interfaceIndex, from, group);
  }

  joinLinkGroup(interfaceIndex: number, group: IpAddress): void {
    const held = this.#linkMember(interfaceIndex, group);
    if (held !== undefined) {
      held.count++;
      return;
    }
    const member = new LinkMember(interfaceIndex, group);
    if (this.join(member) === 0) this.#linkMembers.push(member);
  }

  leaveLinkGroup(interfaceIndex: number, group: IpAddress): void {
    const held = this.#linkMember(interfaceIndex, group);
    if (held === undefined || --held.count > 0) return;
    this.#linkMembers.splice(this.#linkMembers.indexOf(held), 1);
    this.leave(held);
  }

  reportAll(interfaceIndex: number, family: IpFamily): void {
    this.#links[family][interfaceIndex]?.reportAll();
  }

  /** A router asks on an interface. */
  query(interfaceIndex: number, family: IpFamily, query: GroupQuery): void {
    this.#linkOf(interfaceIndex, family)?.query(query);
  }

  /** Another host has reported a group by an older version. */
  heard(interfaceIndex: number, group: IpAddress): void {
    this.#links[group.family][interfaceIndex]?.heard(group);
  }

  /** The interface is gone, and its memberships with it. */
  forget(interfaceIndex: number): void {
    for (const family of [4, 6] as const) {
      this.#links[family][interfaceIndex]?.close();
      this.#links[family][interfaceIndex] = undefined;
    }
    for (let i = this.#linkMembers.length - 1; i >= 0; i--) {
      if (this.#linkMembers[i]?.interfaceIndex === interfaceIndex) this.#linkMembers.splice(i, 1);
    }
  }

  views(): GroupView[] {
    const views: GroupView[] = [];
    for (const family of [4, 6] as const) {
      for (const [interfaceIndex, link] of this.#links[family].entries()) {
        if (link === undefined) continue;
        const { version } = link;
        for (const { address, reception, members, isLastReporter } of link.joined()) {
          const sources = [...reception.sources.values()];
          const { mode } = reception;
          // Reports of the newest version are never left to others (RFC 3376 §5).
          const isReporter = version === 3 || isLastReporter;
          const count = members.length;
          views.push({ interfaceIndex, group: address, mode, sources, members: count, isReporter, version });
        }
      }
    }
    return views;
  }

  #linkMember(interfaceIndex: number, group: IpAddress): LinkMember | undefined {
    return this.#linkMembers.find(
      (held) => held.interfaceIndex === interfaceIndex && isSameGroup(held.group, group),
    );
  }

  #linkOf(interfaceIndex: number, family: IpFamily): LinkGroups | null {
    const links = this.#links[family];
    const known = links[interfaceIndex];
    if (known !== undefined) return known;
    const iface = this.#topology.find(interfaceIndex);
    if (iface === null) return null;
    const made = new LinkGroups(this.#linkFor(iface, family));
    links[interfaceIndex] = made;
    return made;
  }

  /** Nobody is told about the groups of the loopback interface. */
  #linkFor(iface: NetworkInterface, family: IpFamily): GroupLink {
    const host = this.#host;
    const reporters = this.#reporters;
    return {
      get now() {
        return host.now;
      },
      random: host.random,
      timers: host.timers,
      accepted: iface.groups,
      sendRecords: (records) => reporters[family]?.sendRecords(iface, records),
      sendReport: (group, version) => reporters[family]?.sendReport(iface, group, version),
      sendLeave: (group) => reporters[family]?.sendLeave(iface, group),
    };
  }

  #isReported({ group, interfaceIndex }: GroupMember): boolean {
    if (this.#topology.find(interfaceIndex)?.isLoopback === true) return false;
    if (group.family === 4) return group.w3 !== ALL_HOSTS;
    // RFC 3810 §6: not all-nodes, nor the reserved and interface-local scopes.
    const scope = (group.w0 >>> 16) & 0xf;
    const isAllNodes = group.w1 === 0 && group.w2 === 0 && group.w3 === 1 && scope === 2;
    return scope > 1 && !isAllNodes;
  }
}

function isSameGroup(a: IpAddress, b: IpAddress): boolean {
  return a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0 && a.family === b.family;
}
