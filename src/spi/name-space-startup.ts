/**
 * NSPStartup and NSPCleanup of a provider that is written here: the size of the table, and the count of those who have started it
 * (NSP-Startup, NSP-Cleanup).
 */

import { WSAEINVAL } from '../abi/index.ts';
import {
  type NSP_ROUTINE,
  NSP_ROUTINE_LEN,
  NSP_ROUTINE_LEN_WITHOUT_IOCTL,
  type NSPStartup,
} from './name-space.ts';

/** A provider at work: its calls, and how it ends. */
export interface NameSpaceCode
  extends Omit<NSP_ROUTINE, 'cbSize' | 'dwMajorVersion' | 'dwMinorVersion' | 'NSPCleanup'> {
  /** The last NSPCleanup. */
  end(): void;
}

/** One that has been started. */
interface Running {
  users: number;
  readonly code: NameSpaceCode;
}

/**
 * The export of a provider. Whoever starts it a second time under the same id shares what the first start made.
 * @param create is called at the first start, and again after the last cleanup
 */
export function startupOf(create: (providerId: string) => NameSpaceCode): NSPStartup {
  const running = new Map<string, Running>();
  return (lpProviderId, lpnspRoutines) => {
    const room = lpnspRoutines.cbSize ?? NSP_ROUTINE_LEN;
    if (!(room >= NSP_ROUTINE_LEN_WITHOUT_IOCTL)) return -WSAEINVAL;
    const key = lpProviderId.toUpperCase();
    const started = running.get(key) ?? { users: 0, code: create(lpProviderId) };
    started.users++;
    running.set(key, started);
    const { end, NSPIoctl, ...calls } = started.code;
    const hasIoctl = NSPIoctl !== undefined && room >= NSP_ROUTINE_LEN;
    Object.assign(lpnspRoutines, {
      ...calls,
      ...(hasIoctl ? { NSPIoctl } : {}),
      cbSize: hasIoctl ? NSP_ROUTINE_LEN : NSP_ROUTINE_LEN_WITHOUT_IOCTL,
      dwMajorVersion: 1,
      dwMinorVersion: 0,
      NSPCleanup(providerId) {
        const cleaned = running.get(providerId.toUpperCase());
        if (cleaned === undefined) return -WSAEINVAL;
        if (--cleaned.users > 0) return 0;
        running.delete(providerId.toUpperCase());
        cleaned.code.end();
        return 0;
      },
    } satisfies Partial<NSP_ROUTINE>);
    return 0;
  };
}
