/**
 * How a call of Winsock becomes a function that promises: failures reject with a {@link WinsockError}.
 */

import type { hostent, protoent, servent } from '../abi/index.ts';
import { WSAENOTSOCK, WSANOTINITIALISED } from '../abi/index.ts';
import type { Answer, Ref } from '../spi/index.ts';
import { type Winsock, type WinsockCall, WinsockError } from '../winsock/index.ts';
import { argumentKinds, isSocketFirst, needsStartup, unreadableError } from './argument-kinds.ts';
import { admitted, numberKind } from './kinds.ts';
import { attachedWinsock, processWinsock } from './process-winsock.ts';

/** Calls whose result is a structure: C returns a pointer to it. */
export interface StructureCalls {
  /** The IPv4 addresses of a name; of this host for `null` and ''. */
  gethostbyname(name: string | null): Promise<hostent>;
  /** The names of an address. @param addr its bytes in network order */
  gethostbyaddr(addr: Uint8Array | null, len: number, type: number): Promise<hostent>;
  /** The service of a name. @param proto `tcp`, `udp`; `null`: the first one there is */
  getservbyname(name: string | null, proto: string | null): Promise<servent>;
  /** The service at a port. @param port in network order */
  getservbyport(port: number, proto: string | null): Promise<servent>;
  /** The protocol of a name. */
  getprotobyname(name: string | null): Promise<protoent>;
  /** The protocol of a number. */
  getprotobynumber(number: number): Promise<protoent>;
}

/** How many parameters they have besides their result. */
export const STRUCTURE_CALLS: Readonly<Record<keyof StructureCalls, number>> = {
  gethostbyname: 1,
  gethostbyaddr: 3,
  getservbyname: 2,
  getservbyport: 2,
  getprotobyname: 1,
  getprotobynumber: 1,
};

/** The calls of a Winsock as functions that promise. */
export type AsyncWinsock = {
  readonly [K in Exclude<WinsockCall, keyof StructureCalls>]: (
    ...args: Parameters<Winsock[K]>
  ) => Promise<number>;
} & StructureCalls;

/** A call by its name on whatever Winsock there is when it is made. */
export function promised<K extends WinsockCall>(
  name: K,
  winsock: () => Winsock | null = attachedWinsock,
): AsyncWinsock[K] {
  const kinds = argumentKinds(name);
  const invoke = async (given: readonly unknown[]): Promise<number> => {
    const target = winsock() ?? (needsStartup(name) ? null : await processWinsock());
    const args = admitted(kinds, given);
    let answer = -WSANOTINITIALISED;
    if (args === null) answer = await unreadable(name, target, given[0]);
    else if (target !== null)
      answer = await (target[name] as (...args: readonly unknown[]) => Answer)(...args);
    if (answer < 0) throw new WinsockError(name, answer);
    return answer;
  };
  if (!isStructureCall(name)) return ((...args: readonly unknown[]) => invoke(args)) as AsyncWinsock[K];
  const count = STRUCTURE_CALLS[name];
  const structured = async (...args: readonly unknown[]): Promise<unknown> => {
    const result: Ref<unknown> = { value: null };
    await invoke([...Array.from({ length: count }, (_, i) => args[i] ?? null), result]);
    return result.value;
  };
  return structured as AsyncWinsock[K];
}

/** The error of a call with an argument that can't be read: WSAEFAULT, after what is looked at before (SEM-C-*). */
async function unreadable(name: WinsockCall, winsock: Winsock | null, first: unknown): Promise<number> {
  const error = -unreadableError(name);
  if (!needsStartup(name)) return error;
  if (winsock === null) return -WSANOTINITIALISED;
  const hasSocket = isSocketFirst(name);
  const socket = hasSocket ? Number(numberKind(first)) : Number.NaN;
  const answer = await winsock.WSAHtons(socket, 0, { value: 0 });
  return answer === 0 || (answer === -WSAENOTSOCK && !hasSocket) ? error : answer;
}

function isStructureCall(name: string): name is keyof StructureCalls {
  return Object.hasOwn(STRUCTURE_CALLS, name);
}

/** The promising calls of a Winsock of its own: several hosts in one process, each with theirs. */
export function asyncWinsock(winsock: Winsock): AsyncWinsock {
  const calls: Record<string, unknown> = {};
  for (const name of Object.keys(winsock) as WinsockCall[]) calls[name] = promised(name, () => winsock);
  return calls as unknown as AsyncWinsock;
}
