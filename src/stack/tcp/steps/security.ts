/**
 * Third, check security (RFC 9293 §3.10.7.4): there are no security compartments here, so every segment passes
 * (RFC 9293 appendix A.1).
 */

import { GO_ON, type Verdict } from './verdict.ts';

export function checkSecurity(): Verdict {
  return GO_ON;
}
