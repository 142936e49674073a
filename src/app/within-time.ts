/**
 * An answer that is waited for so long and no longer.
 */

import { WSAETIMEDOUT } from '../abi/index.ts';
import type { Answer } from '../spi/index.ts';

/** The answer, or minus WSAETIMEDOUT after `limit` ms; 0: however long it takes. What comes later is dropped. */
export function withinTime(answer: Answer, limit: number): Answer {
  if (typeof answer === 'number' || limit <= 0) return answer;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(-WSAETIMEDOUT), limit);
    void answer.then((late) => {
      clearTimeout(timer);
      resolve(late);
    });
  });
}
