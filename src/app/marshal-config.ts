/**
 * How lists of catalog entries and of GUIDs, which a call only reads, lie in a mailbox.
 */

import {
  parseGuid,
  readWSAPROTOCOL_INFOW,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
  writeWSAPROTOCOL_INFOW,
} from '../abi/index.ts';
import { infosKind, textsKind } from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { text } from './marshal.ts';
import { aligned, nullable, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

const INFO_LEN = aligned(WSAPROTOCOL_INFOW_LEN);
const NO_GUID = '00000000-0000-0000-0000-000000000000';

/** Entries to be installed. What no GUID is written in place of is not read at the other side. */
export const infoList: Slot<readonly WSAPROTOCOL_INFO[] | null> = nullable<readonly WSAPROTOCOL_INFO[]>({
  kind: infosKind,
  size: (value) => WORD + value.length * INFO_LEN,
  put(box, at, value) {
    putNumber(box, at, value.length);
    for (const [i, info] of value.entries()) {
      const ProviderId = parseGuid(info.ProviderId) === null ? NO_GUID : info.ProviderId;
      writeWSAPROTOCOL_INFOW(box.body, at + WORD + i * INFO_LEN, { ...info, ProviderId });
    }
  },
  take: (box, at) =>
    Array.from({ length: takeNumber(box, at) }, (_, i) => {
      // 628 bytes are always there, so that reading cannot fail.
      return readWSAPROTOCOL_INFOW(box.body, at + WORD + i * INFO_LEN) as WSAPROTOCOL_INFO;
    }),
});

/** Texts one behind the other. */
export const texts: Slot<readonly string[] | null> = nullable<readonly string[]>({
  kind: textsKind,
  size: (value) => value.reduce((sum, each) => sum + text.size(each), WORD),
  put(box, at, value) {
    putNumber(box, at, value.length);
    let place = at + WORD;
    for (const each of value) {
      text.put(box, place, each);
      place += text.size(each);
    }
  },
  take: (box, at) => takeTexts(box, at),
});

function takeTexts(box: Mailbox, at: number): string[] {
  let place = at + WORD;
  return Array.from({ length: takeNumber(box, at) }, () => {
    const each = text.take(box, place) ?? '';
    place += text.size(each);
    return each;
  });
}
