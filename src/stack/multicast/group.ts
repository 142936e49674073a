/**
 * One group on one interface: what is received of it, and which reports about it are still due (RFC 3376 §5, RFC 3810 §6).
 */

import type { IpAddress, TimerOwner } from '../../base/index.ts';
import type { GroupMember } from '../host.ts';
import { isForwarded, isNothing, mergeFilters, NOTHING, type Reception } from './reception.ts';
import { type GroupRecord, makeRecord, RecordType } from './records.ts';
import {
  difference,
  intersection,
  isSameSet,
  keyOf,
  NO_SOURCES,
  type SourceSet,
  sourceSet,
  union,
} from './source-set.ts';

/** Most sources of queries that are remembered until the answer: past it the answer is about the whole group (RFC 3376 §5.2). */
const MAX_QUERIED = 256;

export class Group implements TimerOwner {
  readonly address: IpAddress;
  /** Whether routers are told: not of all-nodes, nor of groups that end at this host. */
  readonly isReported: boolean;
  members: readonly GroupMember[] = [];
  reception: Reception = NOTHING;
  /** The change has not been reported once yet. */
  isFresh = false;
  /** Handle of the timer of its own (§5.2's group timer, RFC 2236 §6's delay timer), -1 without one. */
  timer = -1;
  /** By the older protocols: this host reported last (RFC 2236 §3), and unsolicited reports that are still to be sent. */
  isLastReporter = false;
  repeatsLeft = 0;
  readonly #onTimeout: (group: Group, now: number) => void;
  #modeChangesLeft = 0;
  #sourceChanges = new Map<string, { readonly address: IpAddress; left: number }>();
  /** Sources that a query asked about; empty when it asked about the group. */
  #queried: SourceSet = NO_SOURCES;

  constructor(address: IpAddress, isReported: boolean, onTimeout: (group: Group, now: number) => void) {
    this.address = address;
    this.isReported = isReported;
    this.#onTimeout = onTimeout;
  }

  timeout(_kind: number, now: number): void {
    this.#onTimeout(this, now);
  }

  /** Whether anything is received. */
  get isJoined(): boolean {
    return !isNothing(this.reception);
  }

  /** Whether state-change reports are still due. */
  get hasChanges(): boolean {
    return this.#modeChangesLeft > 0 || this.#sourceChanges.size > 0;
  }

  /** Takes over what the members want now. @returns what was received before */
  merge(): Reception {
    const before = this.reception;
    this.reception = mergeFilters(this.members);
    return before;
  }

  /** Notes that `robustness` reports are due of the change since `before` (RFC 3376 §5.1). */
  noteChange(before: Reception, robustness: number): void {
    const { mode, sources } = this.reception;
    this.isFresh = true;
    if (mode !== before.mode) {
      this.#modeChangesLeft = robustness;
      // Each of these reports has the whole list.
      this.#sourceChanges.clear();
      return;
    }
    const changed = union(difference(sources, before.sources), difference(before.sources, sources));
    for (const [key, address] of changed) this.#sourceChanges.set(key, { address, left: robustness });
  }

  /** What the next state-change report says of it; counts that report. */
  takeChanges(): GroupRecord[] {
    const { address: group, reception } = this;
    this.isFresh = false;
    const changes = sourceSet([...this.#sourceChanges.values()].map(({ address }) => address));
    for (const [key, change] of this.#sourceChanges) {
      if (--change.left === 0) this.#sourceChanges.delete(key);
    }
    if (this.#modeChangesLeft > 0) {
      this.#modeChangesLeft--;
      const isInclude = reception.mode === 'include';
      const type = isInclude ? RecordType.changeToInclude : RecordType.changeToExclude;
      return [makeRecord(type, group, reception.sources)];
    }
    const allowed = sourceSet([...changes.values()].filter((each) => isForwarded(reception, keyOf(each))));
    const blocked = difference(changes, allowed);
    const records: GroupRecord[] = [];
    if (allowed.size > 0) records.push(makeRecord(RecordType.allowNewSources, group, allowed));
    if (blocked.size > 0) records.push(makeRecord(RecordType.blockOldSources, group, blocked));
    return records;
  }

  /** Forgets which reports and answers are due (§7.2.1: the protocol's version has changed). */
  forgetDue(): void {
    this.isFresh = false;
    this.#modeChangesLeft = 0;
    this.#sourceChanges.clear();
    this.#queried = NO_SOURCES;
    this.repeatsLeft = 0;
  }

  /**
   * Notes a query about the group or, when `sources` has any, about these of it (§5.2, rules 3 to 5).
   * @param isPending whether an answer is due already
   */
  noteQuery(sources: readonly IpAddress[], isPending: boolean): void {
    if (sources.length === 0 || (isPending && this.#queried.size === 0)) {
      this.#queried = NO_SOURCES;
      return;
    }
    const all = union(this.#queried, sourceSet(sources));
    this.#queried = all.size > MAX_QUERIED ? NO_SOURCES : all;
  }

  /** The answer to what was asked since the last, `null` when there is nothing to say (§5.2). */
  takeAnswer(): GroupRecord | null {
    const queried = this.#queried;
    this.#queried = NO_SOURCES;
    if (queried.size === 0) return this.currentState();
    const { mode, sources } = this.reception;
    const wanted = mode === 'include' ? intersection(sources, queried) : difference(queried, sources);
    return wanted.size === 0 ? null : makeRecord(RecordType.modeIsInclude, this.address, wanted);
  }

  /** Its current-state record; `null` when nothing is received. */
  currentState(): GroupRecord | null {
    if (!this.isJoined) return null;
    const { mode, sources } = this.reception;
    const type = mode === 'include' ? RecordType.modeIsInclude : RecordType.modeIsExclude;
    return makeRecord(type, this.address, sources);
  }

  /** Whether the state is the same as `before`. */
  isUnchangedSince(before: Reception): boolean {
    return before.mode === this.reception.mode && isSameSet(before.sources, this.reception.sources);
  }
}
