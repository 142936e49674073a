/**
 * The responder on one link: what it is asked there, and what it hears others say. IPv4 and IPv6 on one interface are two links
 * (RFC 6762 §20): what is asked over one is answered over it.
 */

import { type Cancel, type IpFamily, randomBelow } from '../../base/index.ts';
import { encodeMessage } from '../codec.ts';
import { MDNS_PORT } from '../mdns.ts';
import type { DnsMessage, DnsRecord, MessageParts } from '../message.ts';
import { foldName } from '../name.ts';
import type { DatagramOrigin, GroupSocket, NameLink, NameNetwork } from '../network.ts';
import { RateLimit } from '../rate-limit.ts';
import type { ClaimedLink, LinkClaim } from './link-claim.ts';
import { type Claim, keyOf, type OwnRecord, OwnRecords } from './own-record.ts';
import { encodeResponse, isKnown, MESSAGE_BYTES, MESSAGE_RECORDS, unicastResponse } from './response.ts';
import { DEFENCE_GAP_MS, TELL_GAP_MS, TellQueue } from './tell-queue.ts';

/** What happened to what was heard. */
export interface ResponderCounters {
  queries: number;
  answers: number;
  malformed: number;
  /** From somewhere else than the link (§11). */
  strangers: number;
  /** Answers kept back because who asked knew them (§7.1), or because others gave them (§7.4). */
  suppressed: number;
  /** Names given up or defended (§9). */
  conflicts: number;
}

interface LinkOptions {
  readonly network: NameNetwork;
  readonly socket: GroupSocket;
  readonly family: IpFamily;
  readonly link: NameLink;
  readonly counters: ResponderCounters;
}

/** An answer to one question whose asker has more to say (§7.2). */
interface Held {
  readonly answers: Answers;
  readonly origin: DatagramOrigin;
  readonly message: DnsMessage;
  cancel: Cancel;
}

interface Answers {
  toGroup: OwnRecord[];
  toAsker: OwnRecord[];
  readonly gap: number;
}

/** §6: what others may answer too comes after 20 to 120 ms; §7.2: after 400 to 500 when the asker has more to say. */
const SHARED_DELAY_MS = 20;
const SHARED_SPREAD_MS = 101;
const HELD_DELAY_MS = 400;
const HELD_SPREAD_MS = 101;
const MAX_HELD = 32;
const MAX_DELAYED = 64;
/** Answers to one asker alone. */
const UNICAST_RATE = { perSecond: 50, burst: 200, maxClients: 256 };

export class ResponderLink implements ClaimedLink {
  readonly network: NameNetwork;
  readonly family: IpFamily;
  readonly claims = new Map<Claim, LinkClaim>();
  link: NameLink;
  readonly #socket: GroupSocket;
  readonly #counters: ResponderCounters;
  readonly #queue: TellQueue;
  readonly #limit: RateLimit;
  readonly #held = new Map<string, Held>();
  /** What is ours here now; `null`: to be gathered anew. */
  #own: OwnRecords | null = null;
  /** Claims by their names, likewise: what is heard is held against few of them. */
  #byName: Map<string, LinkClaim[]> | null = null;
  /** Answers to one asker that are delayed. */
  #delayed = 0;
  #isClosed = false;

  constructor({ network, socket, family, link, counters }: LinkOptions) {
    this.network = network;
    this.#socket = socket;
    this.family = family;
    this.link = link;
    this.#counters = counters;
    this.#limit = new RateLimit(network.scheduler, UNICAST_RATE);
    this.#queue = new TellQueue(network.scheduler, (answers) => {
      // What was asked for a while ago may be ours no more.
      const still = answers.filter((own) => this.#isStillOurs(own));
      this.#multicast(still, this.#records.additionals(still));
    });
  }

  ask(parts: MessageParts): void {
    this.#socket.sendOn(this.link.index, encodeMessage(parts));
  }

  tell(records: readonly OwnRecord[]): void {
    // A goodbye, or what was told anew, makes what waits outdated or superfluous.
    for (const { key } of records) this.#queue.drop(key);
    this.#multicast(records, []);
  }

  /** Whether a record is said here by a claim that is established. */
  says(key: string): boolean {
    return this.#records.get(key) !== undefined;
  }

  changed(): void {
    this.#own = null;
    this.#byName = null;
  }

  /** Says what may be said again: an address came or went. */
  addressesChanged(link: NameLink): void {
    this.link = link;
    this.changed();
    for (const each of this.claims.values()) each.update();
  }

  query(message: DnsMessage, origin: DatagramOrigin): void {
    const source = `${origin.address} ${origin.port}`;
    const earlier = this.#held.get(source);
    if (message.questions.length === 0) {
      if (earlier !== undefined) this.#heardMore(earlier, message);
      return;
    }
    this.#counters.queries++;
    if (message.authorities.length > 0)
      for (const { name } of message.questions)
        for (const each of this.#claimsOf(name)) each.contest(message.authorities);
    const answers = this.#answersTo(message, origin);
    if (answers.toAsker.length + answers.toGroup.length === 0) return;
    if (message.isTruncated && this.#held.size < MAX_HELD && earlier === undefined) {
      const delay = HELD_DELAY_MS + randomBelow(this.network.random, HELD_SPREAD_MS);
      const cancel = this.network.scheduler.after(delay, () => {
        this.#held.delete(source);
        this.#answer(held, 0);
      });
      const held: Held = { answers, origin, message, cancel };
      this.#held.set(source, held);
      return;
    }
    // What defends a name is said at once too.
    const isProbe = message.authorities.length > 0;
    const delay = isProbe ? 0 : this.#delayOf([...answers.toAsker, ...answers.toGroup]);
    this.#answer({ answers, origin, message }, delay);
  }

  /** What somebody else on the link says. */
  heard(records: readonly DnsRecord[]): void {
    for (const record of records) {
      const key = keyOf(record);
      const own = this.#records.get(key);
      if (own === undefined) {
        for (const each of this.#claimsOf(record.name)) each.meets(record);
        continue;
      }
      // §6.6: who says that it is gone, or nearly, is told otherwise; §7.4: who says the same spares us doing so.
      if (record.ttl < own.record.ttl / 2) this.#queue.add([own], this.#delayOf([own]), TELL_GAP_MS);
      else if (this.#queue.drop(key)) this.#counters.suppressed++;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    for (const { cancel } of this.#held.values()) cancel();
    this.#held.clear();
    for (const each of this.claims.values()) each.stop();
  }

  get #records(): OwnRecords {
    this.#own ??= new OwnRecords(
      [...this.claims.values()].flatMap((each) => (each.isEstablished ? each.records : [])),
    );
    return this.#own;
  }

  #claimsOf(name: string): readonly LinkClaim[] {
    if (this.#byName === null) {
      this.#byName = new Map();
      for (const each of this.claims.values()) {
        const key = foldName(each.claim.name);
        const same = this.#byName.get(key);
        if (same === undefined) this.#byName.set(key, [each]);
        else same.push(each);
      }
    }
    return this.#byName.get(foldName(name)) ?? [];
  }

  /** §6: who is the only one to answer does so at once. */
  #delayOf(answers: readonly OwnRecord[]): number {
    if (answers.every(({ ownership }) => ownership !== 'shared')) return 0;
    return SHARED_DELAY_MS + randomBelow(this.network.random, SHARED_SPREAD_MS);
  }

  #answersTo(message: DnsMessage, origin: DatagramOrigin): Answers {
    const { answers: known, questions, authorities } = message;
    const isProbe = authorities.length > 0;
    const answers: Answers = { toGroup: [], toAsker: [], gap: isProbe ? DEFENCE_GAP_MS : TELL_GAP_MS };
    // §5.5, §6.7: who asks us alone, or from another port, is answered alone.
    const isAlone = origin.port !== MDNS_PORT || !origin.destination.isMulticast;
    for (const { name, type, wantsUnicast = false } of questions) {
      for (const own of this.#records.answers(name, type)) {
        if (isKnown(own, known)) {
          this.#counters.suppressed++;
          continue;
        }
        // §5.4: now and then everybody is told, so that caches stay fresh.
        const isFresh = (): boolean => this.#queue.wasToldWithin(own, (own.record.ttl * 1000) / 4);
        const list = isAlone || (wantsUnicast && isFresh()) ? answers.toAsker : answers.toGroup;
        if (!list.some(({ key }) => key === own.key)) list.push(own);
      }
    }
    return answers;
  }

  /** The asker knows some of it: that need not be said. */
  #heardMore(held: Held, message: DnsMessage): void {
    const isNews = (own: OwnRecord): boolean => !isKnown(own, message.answers);
    const { answers } = held;
    const before = answers.toGroup.length + answers.toAsker.length;
    answers.toGroup = answers.toGroup.filter(isNews);
    answers.toAsker = answers.toAsker.filter(isNews);
    this.#counters.suppressed += before - answers.toGroup.length - answers.toAsker.length;
  }

  #answer({ answers, origin, message }: Omit<Held, 'cancel'>, delay: number): void {
    const { toGroup, toAsker, gap } = answers;
    if (toGroup.length > 0) this.#queue.add(toGroup, delay, gap);
    if (toAsker.length === 0) return;
    if (delay === 0) {
      this.#unicast(toAsker, origin, message);
    } else if (this.#delayed < MAX_DELAYED) {
      this.#delayed++;
      this.network.scheduler.after(delay, () => {
        this.#delayed--;
        this.#unicast(toAsker, origin, message);
      });
    }
  }

  #unicast(answers: readonly OwnRecord[], origin: DatagramOrigin, { id, questions }: DnsMessage): void {
    // What was asked long ago may be ours no more.
    const still = answers.filter((own) => this.#isStillOurs(own));
    if (this.#isClosed || still.length === 0) return;
    // An address is easily forged: nobody is to be flooded by way of us.
    if (!this.#limit.take(origin.address)) return;
    this.#counters.answers++;
    const asked = origin.port === MDNS_PORT ? null : { id, questions };
    const bytes = unicastResponse(still, this.#records.additionals(still), asked);
    this.#socket.send(bytes, origin.address, origin.port);
  }

  #isStillOurs(own: OwnRecord): boolean {
    const { name, type } = own.record;
    return this.#records.answers(name, type).some(({ key }) => key === own.key);
  }

  /** Tells records to the group, in as many messages as that takes; additional ones where there is room. */
  #multicast(answers: readonly OwnRecord[], additionals: readonly OwnRecord[]): void {
    const fresh = additionals.filter((own) => !this.#queue.wasToldWithin(own, TELL_GAP_MS));
    for (let left = answers; left.length > 0; ) {
      let count = Math.min(left.length, MESSAGE_RECORDS);
      let more = fresh.slice(0, MESSAGE_RECORDS);
      let bytes = encodeResponse(left.slice(0, count), more);
      while (bytes.length > MESSAGE_BYTES && (more.length > 0 || count > 1)) {
        if (more.length > 0) more = [];
        else count = Math.ceil(count / 2);
        bytes = encodeResponse(left.slice(0, count), more);
      }
      this.#counters.answers++;
      this.#socket.sendOn(this.link.index, bytes);
      this.#queue.told(left.slice(0, count).filter(({ record }) => record.ttl > 0));
      this.#queue.told(more);
      left = left.slice(count);
    }
  }
}
