/**
 * Going on with an answer, whether it is there or promised.
 */

import type { Answer } from '../spi/index.ts';

/** Calls `go` with the value: at once when it is there, so that a call that did not wait goes on not waiting. */
export function whenAnswered(answer: Answer, go: (value: number) => Answer): Answer {
  return typeof answer === 'number' ? go(answer) : answer.then(go);
}
