/**
 * Socket state notifications: readiness told at a completion port (ProcessSocketNotifications).
 *
 * A socket is registered with one port. One that is told once (ONESHOT) waits to be enabled again; a persistent one is told again
 * as long as the state holds, once the notification before was taken (LEVEL). Persistent notifications of changes alone (EDGE) are
 * not offered: what a socket does not announce cannot be told from what it still has.
 */

import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_FOUND,
  ERROR_NOT_SUPPORTED,
  SOCK_NOTIFY_EVENT_REMOVE,
  SOCK_NOTIFY_OP_DISABLE,
  SOCK_NOTIFY_OP_ENABLE,
  SOCK_NOTIFY_OP_REMOVE,
  SOCK_NOTIFY_REGISTER_EVENTS_ALL,
  SOCK_NOTIFY_TRIGGER_ALL,
  SOCK_NOTIFY_TRIGGER_EDGE,
  SOCK_NOTIFY_TRIGGER_LEVEL,
  SOCK_NOTIFY_TRIGGER_ONESHOT,
  SOCK_NOTIFY_TRIGGER_PERSISTENT,
  STATUS_SUCCESS,
  WSAENOTSOCK,
} from '../abi/index.ts';
import { asNumber } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import type { CompletionPort } from './completion-port.ts';
import type { SocketHandle } from './handles.ts';
import { watchHandle } from './past-the-table.ts';
import { dequeueEntries, type OVERLAPPED_ENTRY } from './port-calls.ts';
import type { WinsockProcess } from './process.ts';

/** What is asked of one socket. */
export interface SOCK_NOTIFY_REGISTRATION {
  socket: number;
  /** What the notifications carry. */
  completionKey: number;
  /** SOCK_NOTIFY_REGISTER_EVENT_* */
  eventFilter: number;
  /** SOCK_NOTIFY_OP_* */
  operation: number;
  /** SOCK_NOTIFY_TRIGGER_*: one of each pair */
  triggerFlags: number;
  /** 0, or why this one failed. */
  registrationResult: number;
}

/** The SOCK_NOTIFY_EVENT_* bits of a completion that is a notification. */
export function SocketNotificationRetrieveEvents(notification: OVERLAPPED_ENTRY): number {
  return asNumber(notification?.dwNumberOfBytesTransferred) | 0;
}

/** A socket that is registered. */
interface Registration {
  readonly port: CompletionPort;
  readonly key: number;
  filter: number;
  isOneShot: boolean;
  /** Ends the watch that is under way. */
  stop: (() => void) | null;
}

export function notificationCalls(process: WinsockProcess) {
  const registrations = new WeakMap<SocketHandle, Registration>();

  const watch = (handle: number, registration: Registration): void => {
    registration.stop?.();
    registration.stop = watchHandle(process, handle, registration.filter, (events) => {
      registration.stop = null;
      const { port, key, isOneShot } = registration;
      if (events === 0 || port.isClosed) return;
      const onTaken = (): void => {
        // Somebody may have changed it meanwhile, and watches already.
        const socket = process.handles.socket(handle);
        const isCurrent = socket !== null && registrations.get(socket) === registration;
        if (!isOneShot && isCurrent && registration.filter !== 0 && registration.stop === null) {
          watch(handle, registration);
        }
      };
      port.post({ key, lpOverlapped: null, bytes: events, status: STATUS_SUCCESS, onTaken });
    });
  };

  /** @returns 0 or the code of why nothing was done */
  const apply = (port: CompletionPort, asked: SOCK_NOTIFY_REGISTRATION): number => {
    const socket = process.handles.socket(asked.socket);
    if (socket === null) return WSAENOTSOCK;
    const { operation, completionKey: key } = asked;
    const known = registrations.get(socket);
    if (known !== undefined && known.port !== port) return ERROR_INVALID_PARAMETER;
    switch (operation) {
      case SOCK_NOTIFY_OP_ENABLE: {
        const error = checkTriggers(asked);
        if (error !== 0) return error;
        const registration: Registration = known ?? { port, key, filter: 0, isOneShot: true, stop: null };
        if (registration.key !== key) return ERROR_INVALID_PARAMETER;
        registration.filter = asked.eventFilter;
        registration.isOneShot = (asked.triggerFlags & SOCK_NOTIFY_TRIGGER_ONESHOT) !== 0;
        registrations.set(socket, registration);
        watch(asked.socket, registration);
        return 0;
      }
      case SOCK_NOTIFY_OP_DISABLE:
      case SOCK_NOTIFY_OP_REMOVE:
        if (known === undefined) return ERROR_NOT_FOUND;
        known.stop?.();
        known.stop = null;
        known.filter = 0;
        if (operation === SOCK_NOTIFY_OP_DISABLE) return 0;
        registrations.delete(socket);
        port.post({
          key: known.key,
          lpOverlapped: null,
          bytes: SOCK_NOTIFY_EVENT_REMOVE,
          status: STATUS_SUCCESS,
        });
        return 0;
      default:
        return ERROR_INVALID_PARAMETER;
    }
  };

  return {
    /**
     * Registers sockets with a port for notifications of their state, and takes notifications.
     * @param timeoutMs how long to wait for one when `completionCount` is not 0
     * @returns 0; what became of each registration is in its `registrationResult`
     */
    ProcessSocketNotifications(
      completionPort: number,
      registrationCount: number,
      registrationInfos: SOCK_NOTIFY_REGISTRATION[] | null,
      timeoutMs = 0,
      completionCount = 0,
      completionPortEntries: OVERLAPPED_ENTRY[] | null = null,
      receivedEntryCount: Ref | null = null,
    ): Answer {
      const port = process.handles.port(completionPort);
      if (port === null) return -ERROR_INVALID_HANDLE;
      const hasPlace = completionPortEntries !== null && receivedEntryCount !== null;
      if (!(completionCount >= 0) || (completionCount > 0 && !hasPlace)) return -ERROR_INVALID_PARAMETER;
      if (!(registrationCount >= 0) || registrationCount + completionCount === 0)
        return -ERROR_INVALID_PARAMETER;
      const asked = registrationInfos ?? [];
      if (registrationCount > asked.length) return -ERROR_INVALID_PARAMETER;
      for (const each of asked.slice(0, registrationCount)) each.registrationResult = apply(port, each);
      if (completionCount === 0 || completionPortEntries === null || receivedEntryCount === null) return 0;
      const answer = dequeueEntries(
        process,
        completionPort,
        completionPortEntries,
        completionCount,
        receivedEntryCount,
        timeoutMs,
        false,
      );
      const finish = (known: number): number => Math.min(known, 0);
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },
  };
}

function checkTriggers({ eventFilter, triggerFlags }: SOCK_NOTIFY_REGISTRATION): number {
  const isOnce = (triggerFlags & SOCK_NOTIFY_TRIGGER_ONESHOT) !== 0;
  const isPersistent = (triggerFlags & SOCK_NOTIFY_TRIGGER_PERSISTENT) !== 0;
  const isLevel = (triggerFlags & SOCK_NOTIFY_TRIGGER_LEVEL) !== 0;
  const isEdge = (triggerFlags & SOCK_NOTIFY_TRIGGER_EDGE) !== 0;
  const isKnown = (triggerFlags & ~SOCK_NOTIFY_TRIGGER_ALL) === 0;
  if (!isKnown || isOnce === isPersistent || isLevel === isEdge) return ERROR_INVALID_PARAMETER;
  if (eventFilter === 0 || (eventFilter & ~SOCK_NOTIFY_REGISTER_EVENTS_ALL) !== 0)
    return ERROR_INVALID_PARAMETER;
  return isPersistent && isEdge ? ERROR_NOT_SUPPORTED : 0;
}
