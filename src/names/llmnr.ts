/**
 * Link-local multicast name resolution, asking (RFC 4795): names of one label, of hosts on the link that know nothing of DNS.
 *
 * Its messages are DNS messages with two bits of other meaning: where DNS has AA stands C, "others answered me that they have this
 * name too", and where it has RD stands T, "not sure yet that it is mine".
 */

import { randomBelow } from '../base/index.ts';
import { answerOf, type LookupAnswer } from './answer.ts';
import type { NameCache } from './cache.ts';
import { decodeMessage, encodeMessage, frameForStream, messageId, StreamReader } from './codec.ts';
import {
  groupAddress,
  type LinkCounters,
  type LinkProtocol,
  LinkQuery,
  newLinkCounters,
  withZone,
} from './link-query.ts';
import { type DnsMessage, type DnsRecord, Rcode } from './message.ts';
import { sameName } from './name.ts';
import type { DatagramOrigin, NameNetwork } from './network.ts';
import type { LinkResolver } from './resolver.ts';

export const LLMNR_PORT = 5355;
export const LLMNR_GROUPS = [groupAddress('224.0.0.252'), groupAddress('ff02::1:3')];
/** §7: LLMNR_TIMEOUT and JITTER_INTERVAL, ms; §2.7: three questions at most. */
export const LLMNR_TIMEOUT_MS = 1000;
export const LLMNR_JITTER_MS = 100;
export const LLMNR_TRANSMISSIONS = 3;

export interface LlmnrOptions {
  readonly network: NameNetwork;
  readonly cache: NameCache;
}

export class LlmnrResolver implements LinkResolver {
  readonly counters: LinkCounters = newLinkCounters();
  readonly #options: LlmnrOptions;

  constructor(options: LlmnrOptions) {
    this.#options = options;
  }

  async query(name: string, type: number, signal: AbortSignal): Promise<LookupAnswer> {
    const { cache } = this.#options;
    const { answers, truncated } = await this.#ask(name, type, signal);
    // §2.4: an answer that was cut off is asked for over TCP.
    const rest =
      truncated === null || signal.aborted ? null : await this.#askByStream(name, type, truncated, signal);
    if (signal.aborted) return answerOf(name, 'cancelled', 'llmnr');
    const all = [...answers, ...(rest ?? [])];
    const isThere = answers.length > 0 || rest !== null;
    const records = all.flat().filter((record) => sameName(record.name, name));
    const status = records.length > 0 ? 'found' : isThere ? 'noData' : 'noName';
    if (status === 'found') cache.put({ scope: 'llmnr', name, type, status, canonicalName: name, records });
    return answerOf(name, status, 'llmnr', { records });
  }

  #ask(
    name: string,
    type: number,
    signal: AbortSignal,
  ): Promise<{ readonly answers: readonly DnsRecord[][]; readonly truncated: DatagramOrigin | null }> {
    const { network } = this.#options;
    const answers: DnsRecord[][] = [];
    let truncated: DatagramOrigin | null = null;
    let hasConflict = false;
    const first = randomBelow(network.random, LLMNR_JITTER_MS);
    const protocol: LinkProtocol = {
      groups: LLMNR_GROUPS,
      port: LLMNR_PORT,
      sendAt: Array.from({ length: LLMNR_TRANSMISSIONS }, (_, i) => first + i * LLMNR_TIMEOUT_MS),
      limitMs: first + LLMNR_TRANSMISSIONS * LLMNR_TIMEOUT_MS,
    };
    return new Promise((resolve) => {
      new LinkQuery({
        network,
        protocol,
        name,
        type,
        counters: this.counters,
        signal,
        take: (message, origin) => {
          // §2.1.1: errors, and who is not sure yet, count as no answer.
          if (message.rcode !== Rcode.noError || message.recursionDesired) return false;
          if (message.isTruncated) truncated ??= { ...origin };
          else answers.push(recordsOf(message, type, origin.interfaceIndex));
          if (message.isAuthoritative && !hasConflict) {
            hasConflict = true;
            this.counters.conflicts++;
          }
          // §4.2: with the C bit others will answer too, and all of them count.
          return hasConflict ? LLMNR_TIMEOUT_MS : 0;
        },
        done: () => resolve({ answers, truncated }),
      });
    });
  }

  /** Asks who has answered too much. @returns its records; `null` when nothing came */
  #askByStream(
    name: string,
    type: number,
    responder: DatagramOrigin,
    signal: AbortSignal,
  ): Promise<DnsRecord[][] | null> {
    const { network } = this.#options;
    const id = randomBelow(network.random, 0x1_0000);
    const reader = new StreamReader();
    return new Promise((resolve) => {
      const end = (answer: DnsRecord[][] | null): void => {
        limit();
        signal.removeEventListener('abort', onAbort);
        stream?.close();
        resolve(answer);
      };
      const onAbort = (): void => end(null);
      const limit = network.scheduler.after(LLMNR_TRANSMISSIONS * LLMNR_TIMEOUT_MS, () => end(null));
      const stream = network.openStream(responder.address, LLMNR_PORT, {
        connected: () =>
          void stream?.send(frameForStream(encodeMessage({ id, questions: [{ name, type }] }))),
        received: (part) => {
          for (const bytes of reader.take(part)) {
            const message = messageId(bytes) === id ? decodeMessage(bytes) : null;
            if (message?.isResponse !== true || message.rcode !== Rcode.noError) end(null);
            else end([recordsOf(message, type, responder.interfaceIndex)]);
            return;
          }
        },
        ended: () => end(null),
      });
      signal.addEventListener('abort', onAbort);
      if (stream === null) end(null);
    });
  }
}

function recordsOf({ answers }: DnsMessage, type: number, interfaceIndex: number): DnsRecord[] {
  return answers.filter((record) => record.type === type).map((record) => withZone(record, interfaceIndex));
}
