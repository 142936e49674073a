/**
 * Change notices of a name-space provider (SIO_NSP_NOTIFY_CHANGE): each lookup is told once of what has changed since it was told
 * last.
 */

import {
  SIO_NSP_NOTIFY_CHANGE,
  WSA_E_CANCELLED,
  WSA_INVALID_HANDLE,
  WSAENOBUFS,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import type { WSACOMPLETION } from './name-space.ts';
import type { Answer, Ref } from './types.ts';

/** One lookup's. */
interface Notice {
  hasChanged: boolean;
  readonly waiting: Set<(answer: number) => void>;
}

/** Most calls that wait for a change of one lookup. */
const WAITING_MAX = 64;

export class ChangeNotices {
  readonly #notices = new Map<number, Notice>();

  /** A lookup was begun: what changes from now on is news to it. */
  begin(hLookup: number): void {
    this.#notices.set(hLookup, { hasChanged: false, waiting: new Set() });
  }

  /** Something has changed for a lookup; without one, for all. */
  changed(hLookup?: number): void {
    const notices = hLookup === undefined ? [...this.#notices.values()] : [this.#notices.get(hLookup)];
    for (const notice of notices) {
      if (notice === undefined) continue;
      notice.hasChanged = notice.waiting.size === 0;
      wake(notice, 0);
    }
  }

  /** A lookup has ended: who waits is told so. */
  end(hLookup: number): void {
    const notice = this.#notices.get(hLookup);
    this.#notices.delete(hLookup);
    if (notice !== undefined) wake(notice, -WSA_E_CANCELLED);
  }

  endAll(): void {
    for (const hLookup of [...this.#notices.keys()]) this.end(hLookup);
  }

  /** NSPIoctl. With a completion (NSP_NOTIFY_IMMEDIATELY: ws2_32 sees to the others) it is only asked, and does not wait. */
  ioctl(
    hLookup: number,
    dwControlCode: number,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
  ): Answer {
    const notice = this.#notices.get(hLookup);
    if (notice === undefined) return -WSA_INVALID_HANDLE;
    if (dwControlCode >>> 0 !== SIO_NSP_NOTIFY_CHANGE) return -WSAEOPNOTSUPP;
    lpcbBytesReturned.value = 0;
    if (notice.hasChanged) {
      notice.hasChanged = false;
      return 0;
    }
    if (lpCompletion !== null) return -WSAEWOULDBLOCK;
    if (notice.waiting.size >= WAITING_MAX) return -WSAENOBUFS;
    return new Promise((resolve) => notice.waiting.add(resolve));
  }
}

function wake({ waiting }: Notice, answer: number): void {
  const resolves = [...waiting];
  waiting.clear();
  for (const resolve of resolves) resolve(answer);
}
