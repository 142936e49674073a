/**
 * All calls about names, services and name spaces.
 */

import type { WinsockProcess } from '../process.ts';
import { addrinfoCalls } from './addrinfo-calls.ts';
import { addrinfoExCalls } from './addrinfo-ex-calls.ts';
import { advertiseCalls } from './advertise-calls.ts';
import { asyncCalls } from './async-calls.ts';
import { hostCalls } from './host-calls.ts';
import { lookupCalls } from './lookup-calls.ts';
import { withMobileRules } from './mobile-rules.ts';
import { nameinfoCalls } from './nameinfo-calls.ts';
import { registerCalls } from './register-calls.ts';
import { rnr1Calls } from './rnr1-calls.ts';
import { serviceCalls } from './service-calls.ts';
import { withReadableArguments } from './unreadable.ts';

export function nameCalls(process: WinsockProcess) {
  const calls = {
    ...hostCalls(process),
    ...serviceCalls(process),
    ...addrinfoCalls(process),
    ...addrinfoExCalls(process),
    ...nameinfoCalls(process),
    ...lookupCalls(process),
    ...registerCalls(process),
    ...asyncCalls(process),
    ...rnr1Calls(process),
    ...advertiseCalls(process),
  };
  return withMobileRules(process, withReadableArguments(calls));
}
