/**
 * WSAProviderConfigChange: waiting for the catalog to change.
 */

import {
  STATUS_PENDING,
  STATUS_SUCCESS,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEFAULT,
  WSAEINTR,
  WSAEOPNOTSUPP,
  WSANOTINITIALISED,
} from '../../abi/index.ts';
import { NO_CATALOG } from '../../port/index.ts';
import {
  type Answer,
  eventOf,
  type Ref,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
} from '../../spi/index.ts';
import type { EventObject } from '../handles.ts';
import type { WinsockProcess } from '../process.ts';

export function changeCalls(process: WinsockProcess) {
  const { handles, configChanges, catalogPort } = process;
  return {
    /**
     * With a handle of 0, makes one and returns at once. With a handle, waits for the next change of the catalog: an install, a removal, another
     * order, or anything else that is kept there.
     * @param lpNotificationHandle the handle, or 0, in whose place it comes
     * @param lpOverlapped `null`: the call waits. Else WSA_IO_PENDING; the event is set or the routine runs when there was a change
     */
    WSAProviderConfigChange(
      lpNotificationHandle: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (lpNotificationHandle === null) return -WSAEFAULT;
      if (catalogPort === NO_CATALOG) return -WSAEOPNOTSUPP;
      if (lpNotificationHandle.value === 0) {
        const handle = configChanges.register(handles, (tell) => catalogPort.watch(tell));
        if (handle === 0) return -WSA_NOT_ENOUGH_MEMORY;
        lpNotificationHandle.value = handle;
        return 0;
      }
      const event = configChanges.event(handles, lpNotificationHandle.value);
      if (event === null) return -WSA_INVALID_HANDLE;
      if (lpOverlapped === null) {
        if (event.isSignaled) {
          event.reset();
          return 0;
        }
        return new Promise((resolve) =>
          configChanges.wait(event, (isChanged) => resolve(isChanged ? 0 : -WSAEINTR)),
        );
      }
      return overlapped(event, lpOverlapped, lpCompletionRoutine);
    },
  };

  function overlapped(
    event: EventObject,
    record: WSAOVERLAPPED,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  ): Answer {
    const done = handles.event(eventOf(record));
    if (routine === null && eventOf(record) !== 0 && done === null) return -WSA_INVALID_HANDLE;
    const { apcs } = process.thread;
    record.Internal = STATUS_PENDING;
    record.InternalHigh = 0;
    done?.reset();
    const announce = (): void => {
      record.Internal = STATUS_SUCCESS;
      if (routine === null) done?.set();
      else apcs.add(() => routine(0, 0, record, 0));
    };
    if (event.isSignaled) {
      event.reset();
      announce();
      return 0;
    }
    // After the last WSACleanup nobody is told (SEM-VER-15).
    configChanges.wait(event, (isChanged) => {
      if (isChanged) announce();
    });
    return -WSA_IO_PENDING;
  }
}
