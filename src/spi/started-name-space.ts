/**
 * A name-space provider that was started, of either version, as ws2_32 calls it: what goes in is a copy, what comes out is checked,
 * and no call rejects. Answers are 0 or minus a WSA code.
 */

import type { WSAQUERYSET, WSASERVICECLASSINFO } from '../abi/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import type { WSACOMPLETION } from './name-space.ts';
import type { Answer, Ref } from './types.ts';

/** One. */
export interface StartedNameSpace {
  readonly entry: NameSpaceEntry;
  /** Takes a question. @returns minus a WSA code when the provider does not take it */
  begin(restrictions: WSAQUERYSET, dwControlFlags: number): Promise<NameSpaceLookup | number>;
  setService(info: WSAQUERYSET, essOperation: number, dwControlFlags: number): Promise<number>;
  installClass(info: WSASERVICECLASSINFO): Promise<number>;
  removeClass(lpServiceClassId: string): Promise<number>;
  /** What it knows of a class. */
  classInfo(lpServiceClassId: string): Promise<WSASERVICECLASSINFO | number>;
  /** Undoes its start. @param isGone it has taken itself back, and is not to be asked any more than it must */
  cleanup(isGone: boolean): Promise<void>;
}

/** A question that it took. */
export interface NameSpaceLookup {
  /**
   * The next result.
   * @param length the room for its packed W form; with WSAEFAULT what the provider needs
   */
  next(dwControlFlags: number, length: Ref): Promise<WSAQUERYSET | number>;
  /** Ends it, even while a `next` waits. */
  end(): Promise<number>;
  /** NSPIoctl; `null` when the provider has none. */
  ioctl(
    dwControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    lpcbBytesReturned: Ref,
    lpCompletion: WSACOMPLETION | null,
  ): Answer | null;
}
