/**
 * A lookup of several types of one name.
 */

import type { LookupAnswer, TypedName } from '../names/index.ts';
import type { ResourceRecord } from '../port/index.ts';

/** What is to be found, and how a full name is asked for. */
export interface NameLookupRequest {
  readonly typed: TypedName;
  readonly types: readonly number[];
  readonly origins?: number;
  ask(name: string, type: number): Promise<LookupAnswer>;
}

/** What the questions for several types of one name came to. */
export interface NameLookup {
  /** The answer that speaks for all. */
  readonly best: LookupAnswer;
  readonly answers: readonly LookupAnswer[];
  /** Of all answers, each once; addresses last, in the order in which to try them. */
  readonly records: readonly ResourceRecord[];
}

/** The first of these that occurs speaks for all. */
export function best(answers: readonly LookupAnswer[]): LookupAnswer {
  for (const status of ['cancelled', 'found', 'temporary', 'failed', 'noData'] as const) {
    const found = answers.find((answer) => answer.status === status);
    if (found !== undefined) return found;
  }
  return answers[0] as LookupAnswer;
}
