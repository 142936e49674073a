/**
 * Link-local multicast name resolution, answering (RFC 4795): this host's short name and its addresses, for neighbours that know
 * nothing of multicast DNS. A name that somebody else on the link has is not answered for there.
 */

import { type Cancel, IpAddress, type IpFamily, randomBelow } from '../../base/index.ts';
import { decodeMessage, EDNS_UDP_SIZE, encodeMessage, frameForStream, StreamReader } from '../codec.ts';
import {
  LLMNR_GROUPS,
  LLMNR_JITTER_MS,
  LLMNR_PORT,
  LLMNR_TIMEOUT_MS,
  LLMNR_TRANSMISSIONS,
} from '../llmnr.ts';
import { type DnsMessage, type DnsRecord, type MessageParts, Rcode, RecordType } from '../message.ts';
import { addressOfReverse, sameName } from '../name.ts';
import type {
  Closable,
  DatagramOrigin,
  GroupSocket,
  NameLink,
  NameNetwork,
  StreamListener,
  StreamSocket,
} from '../network.ts';
import { RateLimit } from '../rate-limit.ts';

/** `verifying`: not known yet whether somebody else has the name; `lost`: somebody has. */
export type LlmnrState = 'verifying' | 'unique' | 'lost';

interface Link {
  readonly family: IpFamily;
  link: NameLink;
  state: LlmnrState;
  id: number;
  asked: number;
  timer: Cancel | null;
}

export interface LlmnrResponderOptions {
  readonly network: NameNetwork;
  /** The host's name, without domains. */
  readonly label: string;
}

/** §2.8. */
const TTL_SEC = 30;
const RATE = { perSecond: 50, burst: 200, maxClients: 256 };
const MAX_STREAMS = 32;
const STREAM_MS = 5000;

export class LlmnrResponder {
  readonly counters = { queries: 0, answers: 0, malformed: 0, strangers: 0, conflicts: 0 };
  readonly #options: LlmnrResponderOptions;
  readonly #limit: RateLimit;
  readonly #sockets = new Map<IpFamily, GroupSocket>();
  readonly #listeners: Closable[] = [];
  readonly #streams = new Set<StreamSocket>();
  readonly #links: Link[] = [];
  #isClosed = false;

  private constructor(options: LlmnrResponderOptions) {
    this.#options = options;
    const { network } = options;
    this.#limit = new RateLimit(network.scheduler, RATE);
    for (const group of LLMNR_GROUPS) {
      const { family } = group;
      const socket = network.joinGroup(group, LLMNR_PORT, {
        received: (bytes, origin) => this.#received(bytes, origin, family),
      });
      if (socket === null) continue;
      this.#sockets.set(family, socket);
      // §2.4: over TCP one host is asked alone.
      const any = family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
      const listener = network.listenStream(any, LLMNR_PORT, (stream) => this.#accept(stream));
      if (listener !== null) this.#listeners.push(listener);
    }
    this.refresh();
  }

  /** Verifies that the name is nobody else's, and answers from now on. @returns `null` where no group can be joined */
  static start(options: LlmnrResponderOptions): LlmnrResponder | null {
    const responder = new LlmnrResponder(options);
    return responder.#sockets.size === 0 ? null : responder;
  }

  get links(): readonly {
    readonly interfaceIndex: number;
    readonly family: IpFamily;
    readonly state: LlmnrState;
  }[] {
    return this.#links.map(({ link, family, state }) => ({ interfaceIndex: link.index, family, state }));
  }

  /** Looks which interfaces and addresses there are: called when that has changed. */
  refresh(): void {
    if (this.#isClosed) return;
    const now = this.#options.network.links();
    const has = (link: NameLink, family: IpFamily): boolean =>
      link.addresses.some((each) => each.family === family);
    for (const known of [...this.#links]) {
      const link = now.find(({ index }) => index === known.link.index);
      if (link !== undefined && has(link, known.family)) {
        known.link = link;
        continue;
      }
      known.timer?.();
      this.#links.splice(this.#links.indexOf(known), 1);
    }
    for (const [family, socket] of this.#sockets) {
      socket.refresh();
      for (const link of now) {
        const isKnown = this.#links.some((each) => each.family === family && each.link.index === link.index);
        if (isKnown || !has(link, family)) continue;
        const made: Link = { family, link, state: 'verifying', id: 0, asked: 0, timer: null };
        this.#links.push(made);
        this.#verify(made);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#links.splice(0)) timer?.();
    for (const socket of this.#sockets.values()) socket.close();
    for (const listener of this.#listeners) listener.close();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  /** §4.1: asks the link for our own name; who answers has it. */
  #verify(link: Link): void {
    const { network } = this.#options;
    link.state = 'verifying';
    link.asked = 0;
    link.id = randomBelow(network.random, 0x1_0000);
    link.timer?.();
    link.timer = network.scheduler.after(randomBelow(network.random, LLMNR_JITTER_MS), () =>
      this.#probe(link),
    );
  }

  #probe(link: Link): void {
    const { network, label } = this.#options;
    if (link.asked === LLMNR_TRANSMISSIONS) {
      link.state = 'unique';
      link.timer = null;
      return;
    }
    link.asked++;
    const questions = [{ name: label, type: RecordType.ANY }];
    this.#sockets.get(link.family)?.sendOn(link.link.index, encodeMessage({ id: link.id, questions }));
    link.timer = network.scheduler.after(LLMNR_TIMEOUT_MS, () => this.#probe(link));
  }

  #received(bytes: Uint8Array, origin: DatagramOrigin, family: IpFamily): void {
    const { network } = this.#options;
    const link = this.#links.find(
      (each) => each.family === family && each.link.index === origin.interfaceIndex,
    );
    if (this.#isClosed || link === undefined || this.#isOwn(origin.address)) return;
    if (!network.isOnLink(origin.address)) {
      this.counters.strangers++;
      return;
    }
    const message = decodeMessage(bytes);
    if (message === null) {
      this.counters.malformed++;
      return;
    }
    if (message.isResponse) {
      this.#answered(link, message, origin);
      return;
    }
    // §2.4: one host alone is asked over TCP, or not at all.
    if (!origin.destination.isMulticast) return;
    const answer = this.#answerTo(message, link);
    if (answer === null || !this.#limit.take(origin.address)) return;
    this.counters.answers++;
    let reply = encodeMessage(answer);
    if (reply.length > EDNS_UDP_SIZE) reply = encodeMessage({ ...answer, answers: [], isTruncated: true });
    this.#sockets.get(family)?.send(reply, origin.address, origin.port);
  }

  /** §4.1: somebody else answers for our name. */
  #answered(link: Link, message: DnsMessage, { address }: DatagramOrigin): void {
    const [question] = message.questions;
    const isAbout = question !== undefined && sameName(question.name, this.#options.label);
    if (link.state !== 'verifying' || message.id !== link.id || message.rcode !== Rcode.noError || !isAbout)
      return;
    const ours = link.link.addresses.find(({ family }) => family === link.family);
    // T: he is not sure either, and the smaller address has it.
    if (message.recursionDesired && ours !== undefined && isSmaller(ours, address)) return;
    this.counters.conflicts++;
    link.state = 'lost';
    link.timer?.();
    link.timer = null;
  }

  /** What is answered to a question; `null` nothing. */
  #answerTo(message: DnsMessage, link: Link): MessageParts | null {
    const { questions, answers, authorities, opcode, rcode, id } = message;
    const [question] = questions;
    // §2.1.1: what has another form is none.
    const isQuestion =
      !message.isResponse &&
      opcode === 0 &&
      rcode === 0 &&
      questions.length === 1 &&
      answers.length + authorities.length === 0;
    if (!isQuestion || question === undefined) return null;
    this.counters.queries++;
    const records = this.#recordsOf(question.name, question.type, link);
    if (records === null) return null;
    if (message.isAuthoritative) {
      // §4.2: C says that several have answered. Nobody answers to that; we look again whether it is ours.
      if (link.state === 'unique') this.#verify(link);
      return null;
    }
    if (link.state === 'lost') return null;
    // T, where DNS has RD: we are not sure yet.
    return {
      id,
      isResponse: true,
      questions,
      answers: records,
      recursionDesired: link.state === 'verifying',
    };
  }

  /** Our records of a name and type; `null` when the name is not ours. */
  #recordsOf(name: string, type: number, { link }: Link): DnsRecord[] | null {
    const { label } = this.#options;
    const isWanted = (record: DnsRecord): boolean => type === RecordType.ANY || record.type === type;
    if (sameName(name, label)) {
      return link.addresses
        .map((address): DnsRecord => {
          const recordType = address.family === 4 ? RecordType.A : RecordType.AAAA;
          return { kind: 'address', name: label, type: recordType, ttl: TTL_SEC, address: address.inZone(0) };
        })
        .filter(isWanted);
    }
    const reversed = addressOfReverse(name);
    if (reversed === null || !link.addresses.some((each) => each.inZone(0).equals(reversed))) return null;
    const pointer: DnsRecord = { kind: 'name', name, type: RecordType.PTR, ttl: TTL_SEC, target: label };
    return [pointer].filter(isWanted);
  }

  #accept(stream: StreamSocket): StreamListener | null {
    const { network } = this.#options;
    if (!network.isOnLink(stream.remoteAddress) || this.#streams.size >= MAX_STREAMS) return null;
    const { family } = stream.remoteAddress;
    const reader = new StreamReader();
    this.#streams.add(stream);
    const end = (): void => {
      cancel();
      stream.close();
      this.#streams.delete(stream);
    };
    const cancel = network.scheduler.after(STREAM_MS, end);
    return {
      received: (part) => {
        for (const bytes of reader.take(part)) {
          const message = decodeMessage(bytes);
          // Which interface it came by is not known: the one that the asker's network is on answers.
          const link = this.#links.find((each) => each.family === family && each.state !== 'lost');
          const answer = message === null || link === undefined ? null : this.#answerTo(message, link);
          if (answer === null || !this.#limit.take(stream.remoteAddress)) return end();
          this.counters.answers++;
          stream.send(frameForStream(encodeMessage(answer)));
        }
      },
      ended: end,
    };
  }

  #isOwn(address: IpAddress): boolean {
    const bare = address.inZone(0);
    return this.#links.some(({ link }) => link.addresses.some((own) => own.inZone(0).equals(bare)));
  }
}

/** Whether the bytes of `a` come before those of `b`. */
function isSmaller(a: IpAddress, b: IpAddress): boolean {
  for (const [x, y] of [
    [a.w0, b.w0],
    [a.w1, b.w1],
    [a.w2, b.w2],
    [a.w3, b.w3],
  ] as const)
    if (x !== y) return x >>> 0 < y >>> 0;
  return false;
}
