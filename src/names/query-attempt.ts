/**
 * One question sent to one server, over one socket: what is sent, and whether what comes back is an answer to it.
 */

import { type Random, randomBelow } from '../base/index.ts';
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
import type { ServerState } from './servers.ts';

/** What an attempt is made of. */
export interface AttemptOptions {
  readonly network: NameNetwork;
  readonly name: string;
  readonly type: number;
  readonly tuning: { readonly mixesCase: boolean; readonly usesCookies: boolean };
  readonly counters: { malformed: number };
}

/** Whose attempt it is, and what it is told. */
export interface AttemptOwner {
  readonly options: AttemptOptions;
  /** An answer that can be read, about the question. */
  answered(attempt: Attempt, message: DnsMessage): void;
  /** Nothing will come of it. */
  attemptFailed(attempt: Attempt): void;
  /** Something arrived that answers another question. */
  mismatched(attempt: Attempt): void;
  /** An answer without the cookie that this server has always had: forged, or it is another server now. */
  cookieMissing(attempt: Attempt): void;
}

/** What a server that doesn't know EDNS may answer to it (RFC 6891 §7). */
export const PLAIN_RCODES: ReadonlySet<number> = new Set([Rcode.formErr, Rcode.notImp, Rcode.badVers]);

export class Attempt {
  readonly server: ServerState;
  readonly isStream: boolean;
  readonly usesEdns: boolean;
  readonly sentAt: number;
  /** What was sent along; `null` none. */
  readonly cookie: Uint8Array | null;
  /** No other was sent since. */
  isLatest = true;
  readonly #query: AttemptOwner;
  readonly #id: number;
  readonly #sentName: string;
  #socket: DatagramSocket | StreamSocket | null = null;
  #isClosed = false;

  constructor(query: AttemptOwner, server: ServerState, isStream: boolean, round: number) {
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
