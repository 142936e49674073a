/**
 * The notification handles of a process (CFG-FAIL-11).
 *
 * Each is an event object that a change of the catalog sets: what happens between two calls is not lost, and the handle is closed as
 * events are. The first handle begins the watch over the catalog, the last WSACleanup ends it.
 */

import { EventObject, type HandleTable } from '../handles.ts';

export class ConfigChanges {
  readonly #events = new Map<number, EventObject>();
  /** Calls that wait: each is told whether there was a change, or it has to give up. */
  readonly #waiting = new Set<(isChanged: boolean) => void>();
  #stop: (() => void) | null = null;

  /** @returns the handle, or 0 when there is no room for one more */
  register(handles: HandleTable, watch: (tell: () => void) => () => void): number {
    this.#forgetClosed(handles);
    if (this.#events.size >= MAX_REGISTERED) return 0;
    const event = new EventObject();
    const handle = handles.add(event);
    if (handle === 0) return 0;
    this.#events.set(handle, event);
    this.#stop ??= watch(() => {
      this.#forgetClosed(handles);
      for (const each of this.#events.values()) each.set();
    });
    return handle;
  }

  /** The event of a handle that is one of these, and open. */
  event(handles: HandleTable, handle: number): EventObject | null {
    const event = this.#events.get(handle);
    return event !== undefined && handles.event(handle) === event ? event : null;
  }

  /** Calls `tell` once: when the event is set, or with `false` at the last WSACleanup. */
  wait(event: EventObject, tell: (isChanged: boolean) => void): void {
    const end = (isChanged: boolean): void => {
      event.waiters.delete(onSet);
      this.#waiting.delete(end);
      if (isChanged) event.reset();
      tell(isChanged);
    };
    const onSet = (): void => end(true);
    event.waiters.add(onSet);
    this.#waiting.add(end);
  }

  /** The last WSACleanup. */
  end(handles: HandleTable): void {
    this.#stop?.();
    this.#stop = null;
    for (const [handle, event] of this.#events) handles.release(handle, event);
    this.#events.clear();
    for (const end of [...this.#waiting]) end(false);
  }

  #forgetClosed(handles: HandleTable): void {
    for (const [handle, event] of this.#events) {
      if (handles.event(handle) !== event) this.#events.delete(handle);
    }
  }
}

const MAX_REGISTERED = 256;
