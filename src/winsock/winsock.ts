/**
 * Winsock in one process: every call under Microsoft's name, with one way of answering. The faces are made of this.
 */

import { addressCalls } from './address.ts';
import { withBlockingRules } from './blocking-rules.ts';
import { configCalls } from './config/config-calls.ts';
import { connectCalls } from './connect-calls.ts';
import { connectionCalls } from './connection.ts';
import { dataCalls } from './data.ts';
import { eventCalls } from './events.ts';
import { extensionCalls, rioCalls } from './extensions.ts';
import { hookCalls } from './hooks.ts';
import { interfaceCalls } from './interfaces.ts';
import { nameCalls } from './names/name-calls.ts';
import { notificationCalls } from './notifications.ts';
import { optionWrapperCalls } from './option-wrappers.ts';
import { optionCalls } from './options.ts';
import { overlappedCalls } from './overlapped.ts';
import { portCalls } from './port-calls.ts';
import { type WinsockOptions, WinsockProcess } from './process.ts';
import { protocolCalls } from './protocols.ts';
import { securityCalls } from './security.ts';
import { selectCalls } from './select.ts';
import { socketCalls } from './socket.ts';
import { sourceFilterCalls } from './source-filters.ts';
import { startupCalls } from './startup.ts';
import { windowCalls } from './window-calls.ts';

/** Winsock for a process whose sockets are behind `options.port`. */
export function createWinsock(options: WinsockOptions): Winsock {
  return winsockOf(new WinsockProcess(options));
}

/**
 * The calls of one process. Each answers a number, 0 or more when it succeeded and minus the WSA code when it failed, or a
 * promise of that where Windows would block the thread.
 */
export type Winsock = ReturnType<typeof winsockOf>;

/** The name of a call. */
export type WinsockCall = keyof Winsock;

/** The calls over a process's state, for those who need both. */
export function winsockOf(process: WinsockProcess) {
  const options = optionCalls(process);
  const names = nameCalls(process);
  const calls = withBlockingRules(process, {
    ...startupCalls(process),
    ...socketCalls(process),
    ...connectionCalls(process),
    ...connectCalls(process),
    ...securityCalls(process),
    ...dataCalls(process),
    ...options,
    ...optionWrapperCalls(options),
    ...sourceFilterCalls(options),
    ...selectCalls(process),
    ...eventCalls(process),
    ...addressCalls(process),
    ...protocolCalls(process),
    ...interfaceCalls(process),
    ...hookCalls(process),
    ...overlappedCalls(process),
    ...portCalls(process),
    ...names,
    ...configCalls(process, names),
    ...extensionCalls(process),
    ...rioCalls(process),
    ...notificationCalls(process),
  });
  return { ...calls, ...windowCalls(process.windows, () => process.thread.messages) };
}
