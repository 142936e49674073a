/**
 * The base provider's accepting: at once, or once a condition function agrees (SEM-COND-*).
 */

import {
  CF_ACCEPT,
  CF_DEFER,
  CF_REJECT,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSATRY_AGAIN,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AfdOp } from '../port/index.ts';
import { admitAccepted, putName } from './base-admit.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, ConditionFunction, Ref } from './types.ts';

/** Somebody who waits for a decision. */
interface Caller {
  /** How the other side of the port names it. */
  readonly number: number;
  /** Both addresses, as sockaddrs. */
  readonly peer: Uint8Array;
  readonly local: Uint8Array;
}

export function baseAcceptCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPAccept'> {
  return {
    WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData): Answer {
      const socket = base.sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (addr !== null) {
        if (addrlen === null || addrlen.value < socket.info.iMinSockAddr) return -WSAEFAULT;
        if (!(addrlen.value <= addr.length)) return -WSAEFAULT;
      }
      if (lpfnCondition === null) return take(base, socket, 0, addr, addrlen);
      return acceptOn(base, socket, addr, addrlen, lpfnCondition, dwCallbackData);
    },
  };
}

/** @param number 0: whoever is the first */
function take(
  base: BaseState,
  listener: BaseSocket,
  number: number,
  addr: Uint8Array | null,
  addrlen: Ref | null,
): Answer {
  const call = base.calls.prepare(AfdOp.accept, listener, (accepting, completion) => {
    if (completion.error !== 0) return -completion.error;
    putName(completion.address ?? EMPTY, accepting.name, accepting.nameLength);
    return admitAccepted(base, listener, completion.value);
  });
  call.request.a = number;
  call.name = addr;
  call.nameLength = addrlen;
  return base.calls.submit(call);
}

async function acceptOn(
  base: BaseState,
  listener: BaseSocket,
  addr: Uint8Array | null,
  addrlen: Ref | null,
  condition: ConditionFunction,
  callbackData: number,
): Promise<number> {
  const caller = await nextCaller(base, listener);
  if (typeof caller === 'number') return caller;
  const verdict = await decide(condition, caller, callbackData);
  // With the listener, everybody who waited at it is gone.
  if (base.sockets.get(listener.handle) !== listener) return -WSAENOTSOCK;
  if (verdict === CF_ACCEPT) return take(base, listener, caller.number, addr, addrlen);
  const refused = await refuse(base, listener, caller.number, verdict !== CF_REJECT);
  if (refused < 0) return refused;
  if (verdict === CF_REJECT) return -WSAECONNREFUSED;
  return verdict === CF_DEFER ? -WSATRY_AGAIN : -WSAEINVAL;
}

/** Runs a condition function; one that throws has not decided. TCP carries no connect data, and no groups of sockets. */
async function decide(condition: ConditionFunction, caller: Caller, callbackData: number): Promise<number> {
  try {
    return await condition(caller.peer, null, null, null, caller.local, EMPTY, { value: 0 }, callbackData);
  } catch {
    return -1;
  }
}

async function nextCaller(base: BaseState, listener: BaseSocket): Promise<Caller | number> {
  let peer: Uint8Array = EMPTY;
  let local: Uint8Array = EMPTY;
  const call = base.calls.prepare(AfdOp.acceptRequest, listener, (_call, completion) => {
    if (completion.error !== 0) return -completion.error;
    peer = completion.address?.slice() ?? EMPTY;
    local = completion.data?.slice() ?? EMPTY;
    return completion.value;
  });
  const number = await base.calls.submit(call);
  return number < 0 ? number : { number, peer, local };
}

function refuse(base: BaseState, listener: BaseSocket, number: number, isDeferred: boolean): Answer {
  const call = base.calls.prepare(AfdOp.refuse, listener);
  call.request.a = number;
  call.request.b = isDeferred ? 1 : 0;
  return base.calls.submit(call);
}
