/**
 * What a step of SEGMENT ARRIVES answers.
 */

import type { DropReason } from '../../../wire/index.ts';

/** The segment goes on to the next step. */
export const GO_ON = -1;

/** `GO_ON`; or that the segment ends here, used (`DropReason.none`) or not. */
export type Verdict = DropReason | typeof GO_ON;
