/**
 * A claim on one link: probing (RFC 6762 §8.1), announcing (§8.3), defending or giving in (§8.2, §9), saying goodbye (§10.1).
 */

import { type Cancel, randomBelow } from '../../base/index.ts';
import { encodeRecordData } from '../codec.ts';
import { type DnsRecord, type MessageParts, RecordType } from '../message.ts';
import { sameName } from '../name.ts';
import type { NameLink, NameNetwork } from '../network.ts';
import { type Claim, keyOf, type OwnRecord } from './own-record.ts';

/** The link as a claim needs it. */
export interface ClaimedLink {
  readonly network: NameNetwork;
  readonly link: NameLink;
  /** Sends to the group at once. */
  ask(parts: MessageParts): void;
  /** Tells records to the group at once. */
  tell(records: readonly OwnRecord[]): void;
  /** What is said here has changed. */
  changed(): void;
}

/** What happens to a claim. */
export interface ClaimObserver {
  /** Nobody else has the name on this link. */
  established(): void;
  /** Somebody has. `wasEstablished`: it was ours already. */
  conflicted(wasEstablished: boolean): void;
}

const PROBES = 3;
const PROBE_INTERVAL_MS = 250;
const FIRST_DELAY_MS = 250;
/** §8.2: who loses a tie looks again after a second. */
const DEFER_MS = 1000;
/** §8.3. */
const ANNOUNCEMENTS = 2;
const ANNOUNCE_INTERVAL_MS = 1000;
const NSEC = 47;

export class LinkClaim {
  readonly claim: Claim;
  readonly #on: ClaimedLink;
  readonly #observer: ClaimObserver;
  #timer: Cancel | null = null;
  #probes = 0;
  /** What was told last, for what of it is not so any more. */
  #told: readonly OwnRecord[] = [];
  /** Probing is done: the records are ours. */
  isEstablished = false;

  constructor(claim: Claim, on: ClaimedLink, observer: ClaimObserver) {
    this.claim = claim;
    this.#on = on;
    this.#observer = observer;
  }

  get records(): readonly OwnRecord[] {
    return this.claim.records(this.#on.link);
  }

  /** Probes for the name. @param delayMs before the first probe; a random time when it is left out (§8.1) */
  begin(delayMs = randomBelow(this.#on.network.random, FIRST_DELAY_MS + 1)): void {
    this.isEstablished = false;
    this.#probes = 0;
    this.#on.changed();
    this.#after(delayMs, () => this.#probe());
  }

  /** Records have changed, but not the name (§8.4). */
  update(): void {
    if (!this.isEstablished) return;
    const keys = new Set(this.records.map(({ key }) => key));
    const gone = this.#told.filter(({ key }) => !keys.has(key));
    const isSame = gone.length === 0 && this.#told.length === keys.size;
    if (isSame) return;
    this.#sayGoodbye(gone);
    this.#announce(ANNOUNCEMENTS);
  }

  /** Somebody probes for names, with these records in mind (§8.2). */
  contest(theirs: readonly DnsRecord[]): void {
    const probed = this.#probed;
    if (this.isEstablished || this.#probes === 0 || probed.length === 0) return;
    const rivals = theirs.filter(({ name }) => sameName(name, this.claim.name));
    if (rivals.length > 0 && compareSets(probed, rivals) < 0) this.begin(DEFER_MS);
  }

  /** Looks whether a record of somebody else contradicts ours (§8.1, §9). @returns whether it does */
  meets(record: DnsRecord): boolean {
    if (record.ttl === 0 || record.type === NSEC || !sameName(record.name, this.claim.name)) return false;
    const ours = this.records.filter(({ ownership }) => ownership === 'probed');
    const key = keyOf(record);
    if (ours.some((own) => own.key === key)) return false;
    const isContradiction = !this.isEstablished || ours.some((own) => own.record.type === record.type);
    if (!isContradiction || (!this.isEstablished && this.#probes === 0)) return false;
    this.#observer.conflicted(this.isEstablished);
    return true;
  }

  /** Gives the name up. @param stays what others of our claims say as well */
  withdraw(stays: (own: OwnRecord) => boolean): void {
    this.stop();
    this.isEstablished = false;
    this.#on.changed();
    this.#sayGoodbye(this.#told.filter((own) => !stays(own)));
    this.#told = [];
  }

  /** Ends without a word: the link is gone. */
  stop(): void {
    this.#timer?.();
    this.#timer = null;
  }

  get #probed(): DnsRecord[] {
    return this.records.flatMap(({ ownership, record }) =>
      ownership === 'probed' ? { ...record, flush: false } : [],
    );
  }

  #probe(): void {
    const probed = this.#probed;
    if (this.#probes === PROBES || probed.length === 0) {
      this.isEstablished = true;
      this.#on.changed();
      this.#announce(ANNOUNCEMENTS);
      this.#observer.established();
      return;
    }
    this.#probes++;
    const questions = [{ name: this.claim.name, type: RecordType.ANY, wantsUnicast: true }];
    this.#on.ask({ questions, authorities: probed });
    this.#after(PROBE_INTERVAL_MS, () => this.#probe());
  }

  #announce(times: number): void {
    this.#told = this.records;
    this.#on.changed();
    this.#on.tell(this.#told);
    if (times > 1) this.#after(ANNOUNCE_INTERVAL_MS, () => this.#announce(times - 1));
  }

  #sayGoodbye(records: readonly OwnRecord[]): void {
    if (records.length === 0) return;
    this.#on.tell(records.map((own) => ({ ...own, record: { ...own.record, ttl: 0 } })));
  }

  #after(delay: number, task: () => void): void {
    this.#timer?.();
    this.#timer = this.#on.network.scheduler.after(delay, task);
  }
}

/**
 * Which of two sets of records comes first: by type, then by the bytes of the data; a set that is the beginning of the other comes
 * before it (§8.2.1). All are of class IN.
 */
export function compareSets(a: readonly DnsRecord[], b: readonly DnsRecord[]): number {
  const [left, right] = [sorted(a), sorted(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareRecords(left[i] as Comparable, right[i] as Comparable);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

interface Comparable {
  readonly type: number;
  readonly data: Uint8Array;
}

function sorted(records: readonly DnsRecord[]): Comparable[] {
  return records
    .map((record) => ({ type: record.type, data: encodeRecordData(record) }))
    .sort(compareRecords);
}

function compareRecords(a: Comparable, b: Comparable): number {
  return a.type !== b.type ? a.type - b.type : Buffer.compare(a.data, b.data);
}
