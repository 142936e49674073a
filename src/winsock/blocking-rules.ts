/**
 * What holds for all calls that may wait (SEM-BLK-02): completion routines of the thread run meanwhile (SEM-BLK-03), and in a
 * process of 1.1 the thread makes no other call (SEM-W11-01).
 *
 * Laid around the finished calls, so that each of them is written as if it were alone.
 */

import {
  FIONBIO,
  type fd_set,
  SO_DONTLINGER,
  SO_LINGER,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  type TIMEVAL,
  WSAEINPROGRESS,
  WSAEINTR,
  type WSAPROTOCOL_INFO,
} from '../abi/index.ts';
import { u16le } from '../base/index.ts';
import type { Answer, Ref } from '../spi/index.ts';

import type { WinsockProcess } from './process.ts';
import type { BlockingCall, WinsockThread } from './threads.ts';

type Call = (...args: never[]) => Answer;
type AnyCall = (...args: unknown[]) => Answer;

/** Calls about one socket, the first argument, that wait when it is a blocking one. */
const WAIT_FOR_SOCKET: readonly string[] = [
  'accept',
  'WSAAccept',
  'connect',
  'WSAConnect',
  'WSAJoinLeaf',
  'recv',
  'recvfrom',
  'WSARecv',
  'WSARecvFrom',
  'WSARecvEx',
  'send',
  'sendto',
  'WSASend',
  'WSASendTo',
  'closesocket',
];
/** Where the overlapped record stands in those that take one; a call with a record does not wait. */
const RECORD_AT: Readonly<Record<string, number>> = { WSARecv: 5, WSARecvFrom: 7, WSASend: 5, WSASendTo: 7 };
/** Calls that wait for other things. */
const WAIT_FOR_OTHERS: readonly string[] = [
  'WSAPoll',
  'WSAConnectByName',
  'WSAConnectByList',
  'gethostbyname',
  'gethostbyaddr',
  'getaddrinfo',
  'GetAddrInfoW',
  'getnameinfo',
  'GetNameInfoW',
  'getservbyname',
  'getservbyport',
  'GetAddrInfoExA',
  'WSALookupServiceBegin',
  'WSALookupServiceNext',
  'WSALookupServiceNextA',
];
/** Those that take an overlapped record or a completion, and where it stands. */
const TOLD_LATER_AT: Readonly<Record<string, number>> = {
  GetAddrInfoEx: 7,
  WSANSPIoctl: 7,
  WSAProviderConfigChange: 1,
};
/** What a thread of 1.1 may call while another of its calls waits. */
const ALWAYS_ALLOWED: readonly string[] = ['WSAIsBlocking', 'WSACancelBlockingCall'];

/** The same calls under the rules. */
export function withBlockingRules<T extends { readonly [name: string]: Call }>(
  process: WinsockProcess,
  calls: T,
): T {
  const ruled: Record<string, Call> = {};
  for (const [name, call] of Object.entries(calls)) ruled[name] = ruledCall(process, name, call as AnyCall);
  return ruled as T;
}

function ruledCall(process: WinsockProcess, name: string, call: AnyCall): Call {
  if (ALWAYS_ALLOWED.includes(name)) return call;
  if (name === 'select')
    return waiting(process, call, ([, , , , timeout]) => !isZero(timeout as TIMEVAL | null));
  if (WAIT_FOR_OTHERS.includes(name)) return waiting(process, call, () => true);
  const toldLaterAt = TOLD_LATER_AT[name];
  if (toldLaterAt !== undefined)
    return waiting(process, call, (args) => (args[toldLaterAt] ?? null) === null);
  if (WAIT_FOR_SOCKET.includes(name)) {
    const ruled = waiting(
      process,
      call,
      (args) =>
        process.handles.socket(args[0] as number)?.isNonBlocking !== true &&
        (args[RECORD_AT[name] ?? -1] ?? null) === null,
    );
    return name === 'accept' || name === 'WSAAccept' ? inheriting(process, ruled) : ruled;
  }
  if (name === 'socket') return making(process, alone(process, call), () => false);
  if (name === 'WSASocket') return making(process, alone(process, call), ([, , , info]) => lingerOf(info));
  if (name === 'setsockopt') return lingering(process, alone(process, call));
  if (name === 'ioctlsocket') return modeSetting(process, call, ioctlMode);
  if (name === 'WSAEventSelect' || name === 'WSAAsyncSelect') return modeSetting(process, call, () => true);
  return alone(process, call);
}

/** A call that never waits. */
function alone(process: WinsockProcess, call: AnyCall): AnyCall {
  return (...args) => {
    if (process.isVersion1 && process.thread.blocking !== null) return -WSAEINPROGRESS;
    return call(...args);
  };
}

/** A call that may wait, when `mayWait` says so of its arguments. */
function waiting(
  process: WinsockProcess,
  call: AnyCall,
  mayWait: (args: readonly unknown[]) => boolean,
): AnyCall {
  return (...args) => {
    if (process.isVersion1) return waitAlone(process, call, args, mayWait);
    const { thread } = process;
    const answer = call(...args);
    return typeof answer === 'number' || !mayWait(args) ? answer : waitAlertably(thread, answer);
  };
}

function waitAlertably(thread: WinsockThread, answer: Promise<number>): Promise<number> {
  thread.apcs.beginWait();
  return answer.finally(() => thread.apcs.endWait());
}

/** A call of a 1.1 process: the only one of its thread while it waits. */
function waitAlone(
  process: WinsockProcess,
  call: AnyCall,
  args: readonly unknown[],
  mayWait: (args: readonly unknown[]) => boolean,
): Answer {
  const { thread } = process;
  if (thread.blocking !== null) return -WSAEINPROGRESS;
  if (!mayWait(args)) return call(...args);
  let interrupt: (answer: number) => void = () => {};
  const blocking: BlockingCall = {
    isCancelled: false,
    cancel: () => cancel(process, args, interrupt),
  };
  thread.blocking = blocking;
  const answer = call(...args);
  if (typeof answer === 'number') {
    thread.blocking = null;
    return answer;
  }
  const ended = new Promise<number>((resolve, reject) => {
    interrupt = resolve;
    answer.then(resolve, reject);
  });
  return waitAlertably(thread, ended).finally(() => {
    thread.blocking = null;
  });
}

/** A socket's provider ends the call; one that has no socket is just given up. */
function cancel(
  process: WinsockProcess,
  args: readonly unknown[],
  interrupt: (answer: number) => void,
): boolean {
  const socket = process.handles.socket(firstSocket(args));
  if (socket === null) {
    interrupt(-WSAEINTR);
    return true;
  }
  return socket.provider.table.WSPCancelBlockingCall() === 0;
}

/** The first argument of most calls; of select the first socket of its sets. */
function firstSocket(args: readonly unknown[]): number {
  const [s, ...sets] = args;
  for (const set of sets.slice(0, 3) as (fd_set | null | undefined)[]) {
    const [member] = set?.fd_array ?? [];
    if (member !== undefined) return member;
  }
  return typeof s === 'number' ? s : 0;
}

/** A call that changes whether its socket is a blocking one. */
function modeSetting(
  process: WinsockProcess,
  call: AnyCall,
  modeOf: (args: readonly unknown[]) => boolean | null,
): AnyCall {
  const ruled = alone(process, call);
  return (...args) => {
    const mode = modeOf(args);
    const socket = mode === null ? null : process.handles.socket(args[0] as number);
    const answer = ruled(...args);
    if (mode === null || socket === null) return answer;
    const note = (late: number): number => {
      if (late >= 0) socket.isNonBlocking = mode;
      return late;
    };
    return typeof answer === 'number' ? note(answer) : answer.then(note);
  };
}

/** An accepted socket is what its listener is (SEM-ACC-03). */
function inheriting(process: WinsockProcess, call: AnyCall): AnyCall {
  return (...args) => {
    const listener = process.handles.socket(args[0] as number);
    const answer = call(...args);
    if (listener === null) return answer;
    const note = (late: number): number => {
      const accepted = process.handles.socket(late);
      if (accepted === null) return late;
      accepted.isNonBlocking = listener.isNonBlocking;
      accepted.mayLinger = listener.mayLinger;
      return late;
    };
    return typeof answer === 'number' ? note(answer) : answer.then(note);
  };
}

/** A call that makes a socket. @param lingerOf what is known of its close */
function making(
  process: WinsockProcess,
  call: AnyCall,
  lingerOf: (args: readonly unknown[]) => boolean | null,
): AnyCall {
  return (...args) => {
    const mayLinger = lingerOf(args);
    const note = (late: number): number => {
      const made = process.handles.socket(late);
      if (made !== null) made.mayLinger = mayLinger;
      return late;
    };
    const answer = call(...args);
    return typeof answer === 'number' ? note(answer) : answer.then(note);
  };
}

/** Of a duplicate the other processes know more. */
function lingerOf(info: unknown): boolean | null {
  return ((info as WSAPROTOCOL_INFO | null | undefined)?.dwProviderReserved ?? 0) === 0 ? false : null;
}

/** A call that may say how a socket is closed. */
function lingering(process: WinsockProcess, call: AnyCall): AnyCall {
  return (...args) => {
    const [s, level, optname, optval] = args;
    const answer = call(...args);
    const isLinger =
      optname === SO_LINGER || optname === SO_DONTLINGER || optname === SO_UPDATE_ACCEPT_CONTEXT;
    const socket = level === SOL_SOCKET && isLinger ? process.handles.socket(s as number) : null;
    if (socket === null) return answer;
    const value = optval instanceof Uint8Array && optval.length >= 2 ? u16le(optval, 0) : 0;
    const note = (late: number): number => {
      if (late < 0) return late;
      // An accepted socket is what its listener is; what that is, the provider knows.
      if (optname === SO_UPDATE_ACCEPT_CONTEXT) socket.mayLinger = null;
      else socket.mayLinger = (optname === SO_LINGER) === (value !== 0);
      return late;
    };
    return typeof answer === 'number' ? note(answer) : answer.then(note);
  };
}

function ioctlMode([, cmd, argp]: readonly unknown[]): boolean | null {
  if ((cmd as number) >>> 0 !== FIONBIO || argp === null) return null;
  return (argp as Ref).value !== 0;
}

function isZero(timeout: TIMEVAL | null | undefined): boolean {
  return timeout !== null && timeout !== undefined && timeout.tv_sec === 0 && timeout.tv_usec === 0;
}
