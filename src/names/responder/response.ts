/**
 * Responses as they are told: to the group, to one asker, to one who knows nothing of multicast DNS.
 */

import { encodeMessage } from '../codec.ts';
import type { DnsMessage, DnsRecord } from '../message.ts';
import { keyOf, type OwnRecord } from './own-record.ts';

/** RFC 6762 §17: a message fits into a frame. */
export const MESSAGE_BYTES = 1400;
/** Records that are tried in one message, and as many besides: whatever they are, it can be written. */
export const MESSAGE_RECORDS = 16;
/** §6.7: who is no multicast DNS querier keeps an answer for ten seconds at most. */
const LEGACY_TTL_SEC = 10;

/** What is told to the group. */
export function encodeResponse(answers: readonly OwnRecord[], additionals: readonly OwnRecord[]): Uint8Array {
  return encodeMessage({
    isResponse: true,
    isAuthoritative: true,
    questions: [],
    answers: answers.map(({ record }) => record),
    additionals: additionals.map(({ record }) => record),
  });
}

/**
 * What is told to one asker, as much as there is room for.
 * @param asked what a plain resolver has asked, and wants to see again (§6.7); `null`: the asker speaks multicast DNS
 */
export function unicastResponse(
  answers: readonly OwnRecord[],
  additionals: readonly OwnRecord[],
  asked: Pick<DnsMessage, 'id' | 'questions'> | null,
): Uint8Array {
  const shown = ({ record }: OwnRecord): DnsRecord =>
    asked === null ? record : { ...record, flush: false, ttl: Math.min(record.ttl, LEGACY_TTL_SEC) };
  const cut = answers.slice(0, MESSAGE_RECORDS);
  const parts = {
    id: asked?.id ?? 0,
    isResponse: true,
    isAuthoritative: true,
    isTruncated: cut.length < answers.length,
    questions: (asked?.questions ?? []).map(({ name, type }) => ({ name, type })),
    answers: cut.map(shown),
    additionals: additionals.slice(0, MESSAGE_RECORDS).map(shown),
  };
  const bytes = encodeMessage(parts);
  return bytes.length > MESSAGE_BYTES ? encodeMessage({ ...parts, additionals: [] }) : bytes;
}

/** §7.1: the asker has it, for half of its time at least. */
export function isKnown(own: OwnRecord, known: readonly DnsRecord[]): boolean {
  return known.some((record) => record.ttl >= own.record.ttl / 2 && keyOf(record) === own.key);
}
