/**
 * One question to the name servers: over UDP with an identifier and a port that can't be guessed (RFC 5452 §9), to one server
 * after the other, over TCP where the answer was cut off (RFC 7766 §5), without EDNS where a server does not know it.
 *
 * An attempt stays open while the next is under way, so that a slow server's answer counts whenever it comes. What isn't from
 * the server that was asked, or isn't about the question, is counted and ignored.
 */

import { type Cancel, type Random, randomBelow } from '../base/index.ts';
import {
  decodeMessage,
  EDNS_UDP_SIZE,
  encodeMessage,
  frameForStream,
  messageId,
  StreamReader,
} from './codec.ts';
import { cookieFor, judgeCookie } from './cookies.ts';
import { type DnsMessage, Rcode } from './message.ts';
import { sameName } from './name.ts';
import type { DatagramSocket, NameNetwork, StreamSocket } from './network.ts';
import { type AnswerReading, readAnswer } from './read-answer.ts';
import { type ServerState, serverAnswered, serverFailed } from './servers.ts';

/** How a question to servers ended. `failure`: all of them said that they can't; `timeout`: nobody said anything of use. */
export type QueryOutcome =
  | {
      readonly kind: 'answer';
      readonly reading: AnswerReading;
      readonly server: ServerState;
      readonly message: DnsMessage;
    }
  | { readonly kind: 'failure'; readonly rcode: number; readonly server: ServerState }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancelled' };

/** What happened to questions, all servers together. */
export interface QueryCounters {
  queries: number;
  retries: number;
  timeouts: number;
  /** Answers that could not be read. */
  malformed: number;
  /** Datagrams that answered something else: by accident late, or forged. */
  mismatched: number;
  truncated: number;
  streams: number;
  /** Servers that were asked again without EDNS. */
  plainFallbacks: number;
}

export interface QueryTuning {
  /** How often each server is asked. */
  readonly rounds: number;
  /** How long an answer is waited for before the next server is asked, ms; doubled each round. */
  readonly attemptMs: number;
  /** How long over TCP, ms. */
  readonly streamMs: number;
  /** When the question has failed, ms. */
  readonly limitMs: number;
  /** Letters in upper and lower case by chance, which the answer must repeat. */
  readonly mixesCase: boolean;
  /** Cookies, which servers that know them must repeat (RFC 7873). */
  readonly usesCookies: boolean;
  /** Asks over TCP at once. */
  readonly usesStreams: boolean;
}

export const DEFAULT_TUNING: QueryTuning = {
  rounds: 3,
  attemptMs: 1000,
  streamMs: 5000,
  limitMs: 10_000,
  mixesCase: false,
  usesCookies: true,
  usesStreams: false,
};

export function newQueryCounters(): QueryCounters {
  return {
    queries: 0,
    retries: 0,
    timeouts: 0,
    malformed: 0,
    mismatched: 0,
    truncated: 0,
    streams: 0,
    plainFallbacks: 0,
  };
}

export interface QueryOptions {
  readonly network: NameNetwork;
  /** In the order in which to ask. */
  readonly servers: readonly ServerState[];
  readonly name: string;
  readonly type: number;
  readonly counters: QueryCounters;
  readonly tuning: QueryTuning;
}

/** So many answers to something else, and somebody is guessing: the rest is asked over TCP. */
const MAX_MISMATCHES = 8;
/** RFC 6891 §6.2.2: how long a server is taken for one that doesn't know EDNS. */
const PLAIN_MS = 15 * 60_000;

export class ServerQuery {
  readonly options: QueryOptions;
  readonly #done: (outcome: QueryOutcome) => void;
  readonly #open = new Set<Attempt>();
  readonly #limit: Cancel;
  #nextTimer: Cancel | null = null;
  #asked = 0;
  #mismatches = 0;
  #isOver = false;
  #hadBadCookie = false;
  #failure: QueryOutcome | null = null;
  /** They have said that they can't, and are not asked again (RFC 9520 §3). */
  readonly #refused = new Set<ServerState>();

  /** Asks; `done` is called once, later. */
  constructor(options: QueryOptions, done: (outcome: QueryOutcome) => void) {
    this.options = options;
    this.#done = done;
    this.#limit = options.network.scheduler.after(options.tuning.limitMs, () => this.#fail());
    this.#nextTimer = options.network.scheduler.after(0, () => this.#next());
  }

  cancel(): void {
    this.#end({ kind: 'cancelled' });
  }

  /** An answer that can be read, about the question. */
  answered(attempt: Attempt, message: DnsMessage): void {
    if (this.#isOver) return;
    const { name, type, network, counters } = this.options;
    const { server } = attempt;
    const { rcode } = message;
    if (rcode === Rcode.badCookie && attempt.cookie !== null) {
      // §5.3: it has told its part now. Once more, and then over TCP, where cookies don't matter.
      this.#askAgain(attempt, this.#hadBadCookie || attempt.isStream);
      this.#hadBadCookie = true;
      return;
    }
    if (attempt.usesEdns && PLAIN_RCODES.has(rcode) && (rcode !== Rcode.formErr || message.edns === null)) {
      counters.plainFallbacks++;
      server.plainUntil = network.scheduler.now() + PLAIN_MS;
      this.#askAgain(attempt, attempt.isStream);
      return;
    }
    if (message.isTruncated && !attempt.isStream) {
      counters.truncated++;
      this.#askAgain(attempt, true);
      return;
    }
    const isAnswer = rcode === Rcode.noError || rcode === Rcode.nxDomain;
    const reading = isAnswer ? readAnswer(message, name, type) : null;
    if (reading === null || reading.status === 'lame') {
      server.refusals++;
      this.#refused.add(server);
      this.#failure = { kind: 'failure', rcode: isAnswer ? Rcode.servFail : rcode, server };
      this.attemptFailed(attempt);
      return;
    }
    serverAnswered(server, network.scheduler.now() - attempt.sentAt);
    this.#end({ kind: 'answer', reading, server, message });
  }

  /** Nothing will come of it. The next server is asked at once unless another is being waited for. */
  attemptFailed(attempt: Attempt): void {
    if (this.#isOver || !this.#open.has(attempt)) return;
    serverFailed(attempt.server, this.options.network.scheduler.now());
    this.#close(attempt);
    if (attempt.isLatest) this.#next();
  }

  /** Something arrived that answers another question. */
  mismatched(attempt: Attempt): void {
    this.options.counters.mismatched++;
    if (this.#isOver || attempt.isStream || ++this.#mismatches !== MAX_MISMATCHES) return;
    this.#askAgain(attempt, true);
  }

  /** An answer without the cookie that this server has always had: forged, or it is another server now. */
  cookieMissing(attempt: Attempt): void {
    if (this.#isOver) return;
    this.options.counters.mismatched++;
    this.#askAgain(attempt, true);
  }

  /** The next server, or the end when all were asked often enough and nothing more can come. */
  #next(): void {
    this.#nextTimer?.();
    this.#nextTimer = null;
    const { servers, tuning, counters } = this.options;
    for (;;) {
      if (this.#isOver) return;
      if (this.#asked >= servers.length * tuning.rounds) {
        if (this.#open.size === 0) this.#fail();
        return;
      }
      const server = servers[this.#asked % servers.length] as ServerState;
      if (this.#asked++ > 0) counters.retries++;
      if (this.#refused.has(server)) continue;
      if (this.#ask(server, tuning.usesStreams || this.#mismatches >= MAX_MISMATCHES)) return;
      serverFailed(server, this.options.network.scheduler.now());
    }
  }

  /** Asks the same server in another way. */
  #askAgain(attempt: Attempt, isStream: boolean): void {
    this.#close(attempt);
    if (!this.#ask(attempt.server, isStream)) this.#next();
  }

  /** Asks one server. @returns whether the question left */
  #ask(server: ServerState, isStream: boolean): boolean {
    const { network, tuning, counters } = this.options;
    const round = Math.floor((this.#asked - 1) / Math.max(1, this.options.servers.length));
    for (const other of this.#open) other.isLatest = false;
    const attempt = new Attempt(this, server, isStream, round);
    if (!attempt.start()) {
      attempt.close();
      return false;
    }
    counters.queries++;
    if (isStream) counters.streams++;
    server.queries++;
    this.#open.add(attempt);
    this.#nextTimer?.();
    const patience = isStream ? tuning.streamMs : tuning.attemptMs * 2 ** Math.max(0, round);
    this.#nextTimer = network.scheduler.after(patience, () => this.#gaveUp(attempt));
    return true;
  }

  /** An answer is overdue: it is still taken when it comes, but the next server is asked. */
  #gaveUp(attempt: Attempt): void {
    const { network, counters, servers, tuning } = this.options;
    counters.timeouts++;
    attempt.server.timeouts++;
    serverFailed(attempt.server, network.scheduler.now());
    if (this.#asked >= servers.length * tuning.rounds) this.#fail();
    else this.#next();
  }

  #fail(): void {
    this.#end(this.#failure ?? { kind: 'timeout' });
  }

  #close(attempt: Attempt): void {
    this.#open.delete(attempt);
    attempt.close();
  }

  #end(outcome: QueryOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#limit();
    this.#nextTimer?.();
    for (const attempt of this.#open) attempt.close();
    this.#open.clear();
    this.#done(outcome);
  }
}

/** What a server that doesn't know EDNS may answer to it (RFC 6891 §7). */
const PLAIN_RCODES: ReadonlySet<number> = new Set([Rcode.formErr, Rcode.notImp, Rcode.badVers]);

/** One question sent to one server, over one socket. */
class Attempt {
  readonly server: ServerState;
  readonly isStream: boolean;
  readonly usesEdns: boolean;
  readonly sentAt: number;
  /** What was sent along; `null` none. */
  readonly cookie: Uint8Array | null;
  /** No other was sent since. */
  isLatest = true;
  readonly #query: ServerQuery;
  readonly #id: number;
  readonly #sentName: string;
  #socket: DatagramSocket | StreamSocket | null = null;
  #isClosed = false;

  constructor(query: ServerQuery, server: ServerState, isStream: boolean, round: number) {
    const { network, tuning, name } = query.options;
    this.#query = query;
    this.server = server;
    this.isStream = isStream;
    this.sentAt = network.scheduler.now();
    this.usesEdns = server.plainUntil <= this.sentAt;
    this.#id = randomBelow(network.random, 0x1_0000);
    // Who drops what it does not know is asked without in the end.
    const hasCookie = this.usesEdns && tuning.usesCookies && (round < 1 || server.serverCookie !== null);
    this.cookie = hasCookie ? cookieFor(server, network.random) : null;
    // Servers that don't repeat the letters as they were are asked plainly in the end.
    this.#sentName = tuning.mixesCase && round < 1 ? mixCase(name, network.random) : name;
  }

  /** @returns whether the question left, or will as soon as the connection is open */
  start(): boolean {
    const { network, type } = this.#query.options;
    const { address, port } = this.server;
    const bytes = encodeMessage({
      id: this.#id,
      recursionDesired: true,
      questions: [{ name: this.#sentName, type }],
      edns: this.usesEdns
        ? {
            udpPayloadSize: EDNS_UDP_SIZE,
            version: 0,
            ...(this.cookie === null ? {} : { cookie: this.cookie }),
          }
        : null,
    });
    if (this.isStream) {
      const reader = new StreamReader();
      const stream = network.openStream(address, port, {
        connected: () => void stream?.send(frameForStream(bytes)),
        received: (part) => {
          for (const message of reader.take(part)) this.#received(message);
        },
        ended: () => this.#query.attemptFailed(this),
      });
      this.#socket = stream;
      return stream !== null;
    }
    const socket = network.openDatagram(
      address.family,
      {
        received: (message, origin) => {
          if (origin.port === port && origin.address.equals(address)) this.#received(message);
          else this.#query.mismatched(this);
        },
        failed: () => this.#query.attemptFailed(this),
      },
      { peer: { address, port } },
    );
    this.#socket = socket;
    return socket?.send(bytes, address, port) ?? false;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
    this.#socket = null;
  }

  #received(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const { counters } = this.#query.options;
    if (messageId(bytes) !== this.#id) {
      this.#query.mismatched(this);
      return;
    }
    const message = decodeMessage(bytes);
    if (message === null) {
      counters.malformed++;
      this.server.malformed++;
      this.#query.attemptFailed(this);
    } else if (message.isResponse && message.opcode === 0 && this.#isAbout(message)) {
      if (this.cookie === null) this.#query.answered(this, message);
      else this.#withCookie(message, this.cookie);
    } else {
      this.#query.mismatched(this);
    }
  }

  #withCookie(message: DnsMessage, sent: Uint8Array): void {
    const verdict = judgeCookie(this.server, sent, message.edns?.cookie);
    if (verdict === 'forged') {
      this.#query.mismatched(this);
    } else if (verdict !== 'missing') {
      this.#query.answered(this, message);
    } else if (this.isStream) {
      // Nobody forges a connection by chance: the server has forgotten how.
      this.server.serverCookie = null;
      this.#query.answered(this, message);
    } else {
      this.#query.cookieMissing(this);
    }
  }

  /** Whether a message repeats the question. */
  #isAbout({ questions, rcode }: DnsMessage): boolean {
    const { type, name } = this.#query.options;
    const [question] = questions;
    // Some servers answer what they can't read without repeating it.
    if (question === undefined) return PLAIN_RCODES.has(rcode);
    if (questions.length > 1 || question.type !== type) return false;
    return this.#sentName === name
      ? sameName(question.name, this.#sentName)
      : question.name === this.#sentName;
  }
}

/** Letters in either case by chance: more that a forger has to guess (draft-vixie-dnsext-dns0x20). */
function mixCase(name: string, random: Random): string {
  let bits = 0;
  let left = 0;
  return name.replace(/[a-z]/gi, (letter) => {
    if (left === 0) {
      bits = random.next();
      left = 32;
    }
    const isUpper = (bits & 1) !== 0;
    bits >>>= 1;
    left--;
    return isUpper ? letter.toUpperCase() : letter.toLowerCase();
  });
}
