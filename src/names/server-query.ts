/**
 * One question to the name servers: over UDP with an identifier and a port that can't be guessed (RFC 5452 §9), to one server
 * after the other, over TCP where the answer was cut off (RFC 7766 §5), without EDNS where a server does not know it.
 *
 * An attempt stays open while the next is under way, so that a slow server's answer counts whenever it comes. What isn't from
 * the server that was asked, or isn't about the question, is counted and ignored.
 */

import type { Cancel } from '../base/index.ts';
import { type DnsMessage, Rcode } from './message.ts';
import type { NameNetwork } from './network.ts';
import { Attempt, type AttemptOwner, PLAIN_RCODES } from './query-attempt.ts';
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

export class ServerQuery implements AttemptOwner {
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
