/**
 * The groups of one interface in one family, and the host's part of IGMP and MLD for them: reports of changes, answers to
 * queries, and the older versions while a router speaks them (RFC 3376 §5 and §7.2, RFC 3810 §6 and §8.2).
 *
 * Versions are counted as IGMP's, of which MLD is the translation: MLDv2 is 3, and MLDv1 is 2.
 */

import type { IpAddress, Random, TimerOwner, TimerQueue } from '../../base/index.ts';
import { randomFraction } from '../../base/index.ts';
import type { GroupMember } from '../host.ts';
import { Group } from './group.ts';
import { GroupMap } from './group-map.ts';
import type { GroupRecord } from './records.ts';

export type GroupVersion = 1 | 2 | 3;

/** What a link's groups need of the host and of their protocol. */
export interface GroupLink {
  readonly now: number;
  readonly random: Random;
  readonly timers: TimerQueue;
  /** Groups that the interface accepts packets to. */
  readonly accepted: GroupMap<{ readonly address: IpAddress }>;
  /** Sends reports of the newest version. */
  sendRecords(records: readonly GroupRecord[]): void;
  /** Sends a report of an older version about `group`; or, with a version that has it, that the host has left. */
  sendReport(group: IpAddress, version: GroupVersion): void;
  sendLeave(group: IpAddress): void;
}

/** A query, whatever its format. */
export interface GroupQuery {
  readonly version: GroupVersion;
  /** `null`: a general query. */
  readonly group: IpAddress | null;
  readonly sources: readonly IpAddress[];
  /** Answers are spread over this time. */
  readonly maxResponseMs: number;
  /** Of the querier; 0: it does not say. */
  readonly robustness: number;
  readonly intervalMs: number;
}

/** RFC 3376 §8, RFC 3810 §9. Times in ms. */
const ROBUSTNESS = 2;
const QUERY_INTERVAL = 125_000;
const UNSOLICITED_INTERVAL = 1000;
/** RFC 2236 §8.10, RFC 2710 §7.10: the older versions'. */
const OLD_UNSOLICITED_INTERVAL = 10_000;

/** Kinds of the timers: changes that are due at once, those that are repeated, the answer to a general query. */
const CHANGE = 0;
const REPEAT = 1;
const GENERAL = 2;

export class LinkGroups implements TimerOwner {
  readonly #link: GroupLink;
  readonly #groups = new GroupMap<Group>();
  readonly #changeTimer: number;
  readonly #repeatTimer: number;
  readonly #generalTimer: number;
  readonly #onGroupTimeout = (group: Group, now: number): void => this.#groupTimeout(group, now);
  /** Until when routers of version 1 and 2 count as present (§7.2.1). */
  #oldestUntil = Number.NEGATIVE_INFINITY;
  #olderUntil = Number.NEGATIVE_INFINITY;
  #version: GroupVersion = 3;
  #robustness = ROBUSTNESS;
  #queryInterval = QUERY_INTERVAL;

  constructor(link: GroupLink) {
    this.#link = link;
    const { timers } = link;
    this.#changeTimer = timers.create(this, CHANGE);
    this.#repeatTimer = timers.create(this, REPEAT);
    this.#generalTimer = timers.create(this, GENERAL);
  }

  /** Ends its timers: the interface is gone. */
  close(): void {
    const { timers, accepted } = this.#link;
    for (const handle of [this.#changeTimer, this.#repeatTimer, this.#generalTimer]) timers.destroy(handle);
    for (const group of this.#groups.values()) {
      if (group.timer >= 0) timers.destroy(group.timer);
      accepted.delete(group);
    }
    this.#groups.clear();
  }

  get size(): number {
    return this.#groups.size;
  }

  /** The version that is spoken now (§7.2.1). */
  get version(): GroupVersion {
    const { now } = this.#link;
    if (now < this.#oldestUntil) return 1;
    return now < this.#olderUntil ? 2 : 3;
  }

  /** Those that are joined. */
  *joined(): IterableIterator<Group> {
    for (const group of this.#groups.values()) if (group.isJoined) yield group;
  }

  find({ w0, w1, w2, w3 }: IpAddress): Group | null {
    return this.#groups.find(w0, w1, w2, w3);
  }

  /** @param isReported see {@link Group.isReported} */
  join(member: GroupMember, isReported: boolean): void {
    let group = this.find(member.group);
    if (group === null) {
      group = new Group(member.group, isReported, this.#onGroupTimeout);
      this.#groups.set(group);
    }
    group.members = [...group.members, member];
    this.#update(group);
  }

  leave(member: GroupMember): void {
    const group = this.find(member.group);
    if (group === null) return;
    group.members = group.members.filter((held) => held !== member);
    this.#update(group);
  }

  /** A member's filter is another now. */
  changed(member: GroupMember): void {
    const group = this.find(member.group);
    if (group !== null) this.#update(group);
  }

  /** Reports all groups anew: the interface has got the address from which routers take reports (RFC 3590 §4). */
  reportAll(): void {
    for (const group of this.#groups.values()) {
      if (!group.isReported || !group.isJoined) continue;
      if (this.#currentVersion() === 3) group.noteChange(oppositeOf(group), this.#robustness);
      else this.#joinOld(group);
    }
    this.#scheduleChanges();
  }

  /** A router asks (§5.2). */
  query(query: GroupQuery): void {
    const { now, random } = this.#link;
    this.#noteQuerier(query, now);
    const version = this.#currentVersion();
    const deadline = now + randomFraction(random) * query.maxResponseMs;
    if (query.group === null) {
      if (version === 3) this.#armEarlier(this.#generalTimer, deadline);
      else this.#queryAllOld(query.maxResponseMs);
      return;
    }
    const group = this.find(query.group);
    if (group === null || !group.isReported || !group.isJoined) return;
    if (version === 3) this.#queryGroup(group, query.sources, deadline);
    else this.#delayOld(group, deadline, now + query.maxResponseMs);
  }

  /** Another host has reported the group by an older version: one report is enough (RFC 2236 §3, RFC 2710 §4). */
  heard(address: IpAddress): void {
    if (this.#currentVersion() === 3) return;
    const group = this.find(address);
    if (group === null) return;
    group.isLastReporter = false;
    group.repeatsLeft = 0;
    this.#disarm(group);
  }

  timeout(kind: number): void {
    if (this.#currentVersion() !== 3) return;
    if (kind === GENERAL) this.#answerGeneral();
    else this.#reportChanges(kind === REPEAT);
  }

  #update(group: Group): void {
    const before = group.merge();
    const { accepted } = this.#link;
    if (group.isJoined) accepted.set(group);
    else accepted.delete(group);
    if (!group.isReported || group.isUnchangedSince(before)) {
      this.#dropUnused(group);
      return;
    }
    if (this.#currentVersion() === 3) {
      group.noteChange(before, this.#robustness);
      this.#scheduleChanges();
      return;
    }
    const wasJoined = before.mode === 'exclude' || before.sources.size > 0;
    if (group.isJoined && !wasJoined) this.#joinOld(group);
    else if (wasJoined && !group.isJoined) this.#leaveOld(group);
    this.#dropUnused(group);
  }

  /** Reports at once what has changed: with the next timers, so that changes of one moment share a report. */
  #scheduleChanges(): void {
    this.#armEarlier(this.#changeTimer, this.#link.now);
  }

  /** @param isRepeat whether all that is due goes out again, or only what is new */
  #reportChanges(isRepeat: boolean): void {
    const records: GroupRecord[] = [];
    let isMoreDue = false;
    for (const group of this.#groups.values()) {
      if (group.hasChanges && (isRepeat || group.isFresh)) records.push(...group.takeChanges());
      isMoreDue ||= group.hasChanges;
      this.#dropUnused(group);
    }
    if (records.length > 0) this.#link.sendRecords(records);
    const { now, random, timers } = this.#link;
    if (isMoreDue && !timers.isArmed(this.#repeatTimer)) {
      timers.arm(this.#repeatTimer, now + randomFraction(random) * UNSOLICITED_INTERVAL);
    }
  }

  #answerGeneral(): void {
    const records: GroupRecord[] = [];
    for (const group of this.#groups.values()) {
      const record = group.isReported ? group.currentState() : null;
      if (record !== null) records.push(record);
    }
    if (records.length > 0) this.#link.sendRecords(records);
  }

  /** §5.2, rules 1 and 3 to 5. */
  #queryGroup(group: Group, sources: readonly IpAddress[], deadline: number): void {
    const { timers } = this.#link;
    if (timers.isArmed(this.#generalTimer) && timers.deadlineOf(this.#generalTimer) <= deadline) return;
    const timer = this.#timerOf(group);
    group.noteQuery(sources, timers.isArmed(timer));
    this.#armEarlier(timer, deadline);
  }

  #groupTimeout(group: Group, now: number): void {
    const version = this.#currentVersion();
    if (version === 3) {
      const record = group.takeAnswer();
      if (record !== null) this.#link.sendRecords([record]);
      return;
    }
    if (!group.isJoined) return;
    this.#link.sendReport(group.address, version);
    group.isLastReporter = true;
    if (group.repeatsLeft > 0) {
      group.repeatsLeft--;
      this.#link.timers.arm(group.timer, now + randomFraction(this.#link.random) * OLD_UNSOLICITED_INTERVAL);
    }
  }

  /** RFC 2236 §3: an unsolicited report at once, and again after a short delay. */
  #joinOld(group: Group): void {
    const { now, random, timers } = this.#link;
    this.#link.sendReport(group.address, this.#version);
    group.isLastReporter = true;
    group.repeatsLeft = Math.max(0, this.#robustness - 2);
    if (this.#robustness > 1) {
      timers.arm(this.#timerOf(group), now + randomFraction(random) * OLD_UNSOLICITED_INTERVAL);
    }
  }

  #leaveOld(group: Group): void {
    this.#disarm(group);
    if (this.#version === 2 && group.isLastReporter) this.#link.sendLeave(group.address);
    group.isLastReporter = false;
  }

  #queryAllOld(maxResponseMs: number): void {
    const { now, random } = this.#link;
    for (const group of this.#groups.values()) {
      if (!group.isReported || !group.isJoined) continue;
      this.#delayOld(group, now + randomFraction(random) * maxResponseMs, now + maxResponseMs);
    }
  }

  /** RFC 2236 §3: a delay that runs is kept unless it ends after the time that the query allows. */
  #delayOld(group: Group, deadline: number, latest: number): void {
    const { timers } = this.#link;
    const timer = this.#timerOf(group);
    if (!timers.isArmed(timer) || timers.deadlineOf(timer) > latest) timers.arm(timer, deadline);
  }

  /** §7.2.1, §8.12 and RFC 3810 §8.2.1, §9.12: who speaks an older version is answered in it until it is not heard any more. */
  #noteQuerier(query: GroupQuery, now: number): void {
    const until = now + this.#robustness * this.#queryInterval + query.maxResponseMs;
    if (query.version === 1) this.#oldestUntil = until;
    else if (query.version === 2) this.#olderUntil = until;
    else {
      this.#robustness = query.robustness === 0 ? ROBUSTNESS : query.robustness;
      this.#queryInterval = query.intervalMs === 0 ? QUERY_INTERVAL : query.intervalMs;
    }
  }

  /** The version now; when it has changed, everything that was due by the other is forgotten (§7.2.1). */
  #currentVersion(): GroupVersion {
    const { version } = this;
    if (version === this.#version) return version;
    this.#version = version;
    const { timers } = this.#link;
    for (const handle of [this.#changeTimer, this.#repeatTimer, this.#generalTimer]) timers.disarm(handle);
    for (const group of this.#groups.values()) {
      group.forgetDue();
      this.#disarm(group);
      this.#dropUnused(group);
    }
    return version;
  }

  #armEarlier(timer: number, deadline: number): void {
    const { timers } = this.#link;
    if (timers.deadlineOf(timer) > deadline) timers.arm(timer, deadline);
  }

  #timerOf(group: Group): number {
    if (group.timer < 0) group.timer = this.#link.timers.create(group, 0);
    return group.timer;
  }

  #disarm(group: Group): void {
    if (group.timer >= 0) this.#link.timers.disarm(group.timer);
  }

  /** A group that was left lives until routers have been told. */
  #dropUnused(group: Group): void {
    if (group.members.length > 0 || group.isJoined || group.hasChanges) return;
    if (group.timer >= 0) this.#link.timers.destroy(group.timer);
    group.timer = -1;
    this.#groups.delete(group);
  }
}

/** A state from which the group's own differs in its mode, so that it is reported whole. */
function oppositeOf(group: Group): Group['reception'] {
  const mode = group.reception.mode === 'include' ? 'exclude' : 'include';
  return { mode, sources: new Map() };
}
