/**
 * How the extras of a connect lie in a mailbox: data that the other side sent along, and flow specifications, also of a template.
 */

import { EMPTY } from '../base/index.ts';
import {
  type FLOWSPEC,
  FLOWSPEC_MEMBERS,
  flowspecOf,
  flowspecWords,
  type QOS,
  type Ref,
  type WSABUF,
} from '../spi/index.ts';
import { bufferReferenceKind, qosKind, qosResultKind } from './kinds.ts';
import type { Mailbox } from './mailbox.ts';
import { input } from './marshal.ts';
import { aligned, nullable, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

/** A buffer behind a pointer: its room goes in, what a call has left in it comes out. */
export const bufferReference: Slot<Ref<WSABUF> | null> = nullable<Ref<WSABUF>>({
  kind: bufferReferenceKind,
  size: ({ value }) => WORD + aligned(value.length),
  put: (box, at, { value }) => putNumber(box, at, value.length),
  take: (box, at) => ({ value: roomAt(box, at) }),
  give(box, at, { value }) {
    const room = roomAt(box, at);
    const length = Math.min(value.length, room.length);
    if (value !== room) room.set(value.subarray(0, length));
    putNumber(box, at, length);
  },
  collect(box, at, reference) {
    const bytes = roomAt(box, at);
    const { value } = reference;
    value.set(bytes);
    reference.value = bytes.length === 0 ? EMPTY : value.subarray(0, bytes.length);
  },
});

function roomAt(box: Mailbox, at: number): Uint8Array {
  const start = at + WORD;
  return box.body.subarray(start, start + takeNumber(box, at));
}

const FLOWSPEC_SIZE = FLOWSPEC_MEMBERS.length * WORD;

function putFlow(box: Mailbox, at: number, flow: FLOWSPEC): void {
  for (const [i, word] of flowspecWords(flow).entries()) putNumber(box, at + WORD * i, word);
}

function takeFlow(box: Mailbox, at: number): FLOWSPEC {
  return flowspecOf(FLOWSPEC_MEMBERS.map((_, i) => takeNumber(box, at + WORD * i)));
}

/** What is wished for a connection; it only goes in. */
export const qos: Slot<QOS | null> = nullable<QOS>({
  kind: qosKind,
  size: ({ ProviderSpecific }) => 2 * FLOWSPEC_SIZE + input.size(ProviderSpecific),
  put(box, at, value) {
    putFlow(box, at, value.SendingFlowspec);
    putFlow(box, at + FLOWSPEC_SIZE, value.ReceivingFlowspec);
    input.put(box, at + 2 * FLOWSPEC_SIZE, value.ProviderSpecific);
  },
  take: (box, at) => ({
    SendingFlowspec: takeFlow(box, at),
    ReceivingFlowspec: takeFlow(box, at + FLOWSPEC_SIZE),
    ProviderSpecific: input.take(box, at + 2 * FLOWSPEC_SIZE),
  }),
});

/** Most bytes of a template's own data that come back: as many as a catalog keeps. */
const TEMPLATE_DATA_MAX = 4096;

/** A template that is read; it only comes out. */
export const qosResult: Slot<QOS | null> = nullable<QOS>({
  kind: qosResultKind,
  size: () => 2 * FLOWSPEC_SIZE + 2 * WORD + TEMPLATE_DATA_MAX,
  put: (box, at, value) => putTemplate(box, at, { ...value, ProviderSpecific: null }),
  take: takeTemplate,
  give: putTemplate,
  collect(box, at, value) {
    const { SendingFlowspec, ReceivingFlowspec, ProviderSpecific } = takeTemplate(box, at);
    value.SendingFlowspec = SendingFlowspec;
    value.ReceivingFlowspec = ReceivingFlowspec;
    value.ProviderSpecific = ProviderSpecific?.slice() ?? null;
  },
});

function putTemplate(box: Mailbox, at: number, value: QOS): void {
  putFlow(box, at, value.SendingFlowspec);
  putFlow(box, at + FLOWSPEC_SIZE, value.ReceivingFlowspec);
  const data = value.ProviderSpecific?.subarray(0, TEMPLATE_DATA_MAX) ?? null;
  input.put(box, at + 2 * FLOWSPEC_SIZE, data);
}

function takeTemplate(box: Mailbox, at: number): QOS {
  return {
    SendingFlowspec: takeFlow(box, at),
    ReceivingFlowspec: takeFlow(box, at + FLOWSPEC_SIZE),
    ProviderSpecific: input.take(box, at + 2 * FLOWSPEC_SIZE),
  };
}
