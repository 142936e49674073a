/**
 * All configuration functions (9.3), and WSAProviderConfigChange.
 */

import type { WinsockProcess } from '../process.ts';
import { changeCalls } from './change-calls.ts';
import { infoCalls } from './info-calls.ts';
import { nameSpaceConfigCalls } from './name-space-calls.ts';
import { providerCalls } from './provider-calls.ts';

/** @param lists lists name spaces */
export function configCalls(process: WinsockProcess, lists: Parameters<typeof nameSpaceConfigCalls>[1]) {
  return {
    ...providerCalls(process),
    ...infoCalls(process),
    ...nameSpaceConfigCalls(process, lists),
    ...changeCalls(process),
  };
}
