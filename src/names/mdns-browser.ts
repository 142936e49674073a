/**
 * Multicast DNS, watching (RFC 6762 §5.2): who has records of a name and type, from now until nobody wants to know any more. What a
 * list of printers, or of services of a kind, is made of.
 *
 * Asked rarely and less and less: after a second, two, four, up to an hour; what is known already is sent along so that nobody
 * repeats it (§7.1); what others ask counts as asked (§7.3); what is about to run out is asked for in time.
 */

import { type Cancel, type IpAddress, randomBelow, randomFraction } from '../base/index.ts';
import { isSameRecord, type NameCache } from './cache.ts';
import { decodeMessage, EDNS_UDP_SIZE, encodeMessage } from './codec.ts';
import { withZone } from './link-query.ts';
import { MDNS_GROUPS, MDNS_PORT, recordsAbout } from './mdns.ts';
import type { DnsMessage, DnsRecord } from './message.ts';
import { sameName } from './name.ts';
import type { DatagramOrigin, DatagramSocket, NameNetwork } from './network.ts';

/** Told of what comes and goes. A record that changes goes and comes. */
export interface BrowseObserver {
  added(record: DnsRecord): void;
  removed(record: DnsRecord): void;
}

export interface BrowseOptions {
  readonly network: NameNetwork;
  readonly cache: NameCache;
  readonly name: string;
  readonly type: number;
  readonly observer: BrowseObserver;
}

interface Known {
  record: DnsRecord;
  receivedAt: number;
  /** ms from `receivedAt`. */
  lifetime: number;
  /** When it runs out, unless it is heard of again. */
  endsAt: number;
  /** Which of {@link REFRESH_AT} is next. */
  refreshes: number;
}

/** §5.2: parts of the lifetime at which a record is asked for again, each with up to 2 % more by chance. */
const REFRESH_AT = [0.8, 0.85, 0.9, 0.95];
const REFRESH_SPREAD = 0.02;
const FIRST_DELAY_MS = 20;
const FIRST_SPREAD_MS = 100;
const FIRST_INTERVAL_MS = 1000;
const LAST_INTERVAL_MS = 60 * 60_000;
/** §10.1, §10.2: what is said goodbye to, and what was flushed, is kept for a second more. */
const GRACE_MS = 1000;
const MAX_KNOWN = 256;

export class MdnsBrowser {
  readonly #options: BrowseOptions;
  readonly #sockets: { readonly socket: DatagramSocket; readonly group: IpAddress }[] = [];
  readonly #known: Known[] = [];
  #interval = FIRST_INTERVAL_MS;
  #asked = 0;
  #askTimer: Cancel | null = null;
  #recordTimer: Cancel | null = null;
  #isClosed = false;

  private constructor(options: BrowseOptions) {
    this.#options = options;
    for (const group of MDNS_GROUPS) {
      const socket = options.network.joinGroup(group, MDNS_PORT, {
        received: (bytes, origin) => this.#received(bytes, origin),
      });
      if (socket !== null) this.#sockets.push({ socket, group });
    }
  }

  /** Watches from now on. @returns `null` where no group can be joined */
  static start(options: BrowseOptions): MdnsBrowser | null {
    const browser = new MdnsBrowser(options);
    if (browser.#sockets.length === 0) return null;
    const { network } = options;
    // §5.2: hosts that were switched on at once don't ask at once.
    browser.#askAfter(FIRST_DELAY_MS + randomBelow(network.random, FIRST_SPREAD_MS));
    return browser;
  }

  /** What is there now, with what is left of its TTL. */
  get records(): DnsRecord[] {
    const now = this.#options.network.scheduler.now();
    return this.#known.map(({ record, endsAt }) => ({ ...record, ttl: Math.ceil((endsAt - now) / 1000) }));
  }

  close(): void {
    this.#isClosed = true;
    this.#askTimer?.();
    this.#recordTimer?.();
    for (const { socket } of this.#sockets) socket.close();
  }

  #askAfter(delay: number): void {
    this.#askTimer?.();
    this.#askTimer = this.#options.network.scheduler.after(delay, () => {
      this.#ask();
      this.#askNext();
    });
  }

  #askNext(): void {
    this.#askAfter(this.#interval);
    this.#interval = Math.min(this.#interval * 2, LAST_INTERVAL_MS);
  }

  /** Sends the question with what is known, in as many messages as that takes (§7.2). */
  #ask(): void {
    const { name, type } = this.#options;
    const wantsUnicast = this.#asked++ === 0;
    let left = this.#knownAnswers();
    let questions = [{ name, type, wantsUnicast }];
    do {
      let count = left.length;
      let bytes = encodeMessage({ questions, answers: left, isTruncated: false });
      while (bytes.length > EDNS_UDP_SIZE && count > 1) {
        count = Math.ceil(count / 2);
        bytes = encodeMessage({ questions, answers: left.slice(0, count), isTruncated: true });
      }
      for (const { socket, group } of this.#sockets) socket.send(bytes, group, MDNS_PORT);
      left = left.slice(count);
      questions = [];
    } while (left.length > 0);
  }

  /** §7.1: what is known for more than half of its lifetime still. */
  #knownAnswers(): DnsRecord[] {
    const now = this.#options.network.scheduler.now();
    return this.#known
      .filter(({ endsAt, lifetime }) => endsAt - now > lifetime / 2)
      .map(({ record, endsAt }) => ({ ...record, flush: false, ttl: Math.floor((endsAt - now) / 1000) }));
  }

  #received(bytes: Uint8Array, origin: DatagramOrigin): void {
    if (this.#isClosed || !this.#options.network.isOnLink(origin.address)) return;
    const message = decodeMessage(bytes);
    if (message === null || message.opcode !== 0 || message.rcode !== 0) return;
    if (!message.isResponse) this.#overheard(message);
    else if (origin.port === MDNS_PORT) this.#answered(message, origin.interfaceIndex);
  }

  /** §7.3: somebody else asks the same, and would be told all that we want to be told. */
  #overheard(message: DnsMessage): void {
    const { name, type } = this.#options;
    const isSame = message.questions.some(
      (question) => question.type === type && sameName(question.name, name) && question.wantsUnicast !== true,
    );
    if (!isSame || message.isTruncated) return;
    const ours = this.#knownAnswers();
    const isNewToUs = message.answers.some((record) => !ours.some((known) => isSameRecord(known, record)));
    if (!isNewToUs && this.#asked > 0) this.#askNext();
  }

  #answered(message: DnsMessage, interfaceIndex: number): void {
    const { name, type, cache } = this.#options;
    const records = recordsAbout(message, name, type).map((record) => withZone(record, interfaceIndex));
    if (records.length === 0) return;
    const now = this.#options.network.scheduler.now();
    for (const record of records) this.#take(record, now);
    if (records.some(({ flush }) => flush === true)) {
      for (const known of this.#known) {
        const isOutdated = now - known.receivedAt > GRACE_MS;
        if (isOutdated) known.endsAt = Math.min(known.endsAt, now + GRACE_MS);
      }
    }
    cache.merge('mdns', name, type, records);
    this.#armRecords();
  }

  #take(record: DnsRecord, now: number): void {
    const known = this.#known.find((each) => isSameRecord(each.record, record));
    if (record.ttl === 0) {
      if (known !== undefined) known.endsAt = Math.min(known.endsAt, now + GRACE_MS);
      return;
    }
    const lifetime = record.ttl * 1000;
    const fresh = { record, receivedAt: now, lifetime, endsAt: now + lifetime, refreshes: 0 };
    if (known !== undefined) {
      Object.assign(known, fresh);
    } else if (this.#known.length < MAX_KNOWN) {
      this.#known.push(fresh);
      this.#options.observer.added(record);
    }
  }

  /** Wakes when the next record is to be asked for again, or runs out. */
  #armRecords(): void {
    this.#recordTimer?.();
    const { scheduler } = this.#options.network;
    const next = Math.min(...this.#known.map((known) => this.#nextOf(known)));
    if (next === Number.POSITIVE_INFINITY) return;
    this.#recordTimer = scheduler.after(Math.max(0, next - scheduler.now()), () => this.#tend());
  }

  #nextOf(known: Known): number {
    const part = REFRESH_AT[known.refreshes];
    if (part === undefined) return known.endsAt;
    return Math.min(known.endsAt, known.receivedAt + known.lifetime * part);
  }

  #tend(): void {
    const { network, observer } = this.#options;
    const now = network.scheduler.now();
    let isRefreshDue = false;
    for (const known of [...this.#known]) {
      if (known.endsAt <= now) {
        this.#known.splice(this.#known.indexOf(known), 1);
        observer.removed(known.record);
        if (this.#isClosed) return;
        continue;
      }
      const isDue = this.#nextOf(known) <= now;
      if (isDue) known.refreshes++;
      // Of what was said goodbye to, nobody asks again.
      isRefreshDue ||= isDue && known.endsAt === known.receivedAt + known.lifetime;
      if (isDue && isRefreshDue) this.#askSoon(known);
    }
    this.#armRecords();
  }

  /** Records of one responder run out together: they are asked for once, at a time of chance. */
  #askSoon({ lifetime }: Known): void {
    this.#askTimer?.();
    const { scheduler, random } = this.#options.network;
    this.#askTimer = scheduler.after(lifetime * REFRESH_SPREAD * randomFraction(random), () => {
      this.#ask();
      this.#askAfter(this.#interval);
    });
  }
}
