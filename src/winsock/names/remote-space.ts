/**
 * A name-space provider of version 2 that runs in another process, as a table that can be called here.
 */

import {
  WSAEFAULT,
  WSAEPROVIDERFAILEDINIT,
  WSASERVICE_NOT_FOUND,
  WSASYSCALLFAILURE,
} from '../../abi/index.ts';
import type { SpacePort } from '../../port/index.ts';
import { type NSPV2_ROUTINE, NSPV2_ROUTINE_LEN } from '../../spi/index.ts';
import { decodeReply, encodeRequest, SpaceOp, type SpaceReply, type SpaceRequest } from './space-messages.ts';

/** What it is to a lookup that a provider can't be called. */
function whyNot(error: number): number {
  if (error === 0) return WSASYSCALLFAILURE;
  return error === WSASERVICE_NOT_FOUND ? WSAEPROVIDERFAILEDINIT : error;
}

/** The table of a provider that somebody announces, or will. */
export function remoteSpace(port: SpacePort, providerId: string): NSPV2_ROUTINE {
  const ask = async (op: number, members: Partial<SpaceRequest> = {}): Promise<SpaceReply> => {
    const { error, data } = await port.callProvider(providerId, encodeRequest(op, members));
    const reply = error === 0 ? decodeReply(data) : null;
    return reply ?? { code: -whyNot(error), value: 0, set: null };
  };
  const code = async (op: number, members?: Partial<SpaceRequest>): Promise<number> =>
    (await ask(op, members)).code;
  return {
    cbSize: NSPV2_ROUTINE_LEN,
    dwMajorVersion: 2,
    dwMinorVersion: 0,
    NSPv2Startup: () => code(SpaceOp.startup),
    NSPv2Cleanup: () => code(SpaceOp.cleanup),
    async NSPv2LookupServiceBegin(_id, set, flags, _session, lphLookup) {
      const reply = await ask(SpaceOp.begin, { flags, set });
      lphLookup.value = reply.value;
      return reply.code;
    },
    async NSPv2LookupServiceNextEx(_hAsyncCall, handle, flags, length, results) {
      const reply = await ask(SpaceOp.next, { handle, flags, room: Math.min(length.value, 0x7fff_ffff) });
      if (reply.code === -WSAEFAULT) length.value = reply.value;
      if (reply.code === 0) Object.assign(results, reply.set);
      return reply.code;
    },
    NSPv2LookupServiceEnd: (handle) => code(SpaceOp.end, { handle }),
    NSPv2SetServiceEx: (_hAsyncCall, _id, set, operation, flags) =>
      code(SpaceOp.set, { flags, operation, set }),
    NSPv2ClientSessionRundown: () => code(SpaceOp.rundown),
  };
}
