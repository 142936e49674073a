/**
 * A connection to the first of several addresses that takes it, for WSAConnectByList and WSAConnectByName.
 *
 * One attempt is an ordinary connect. On a non-blocking socket it is waited for with select, for these calls always wait. What is
 * still under way when the time runs out goes on behind the answer WSAETIMEDOUT, as the socket's own connect would.
 */

import {
  type fd_set,
  SO_ERROR,
  SO_TYPE,
  SOCK_STREAM,
  SOL_SOCKET,
  type TIMEVAL,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEHOSTUNREACH,
  WSAEINVAL,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { i32le } from '../base/index.ts';
import type { Answer, Ref, WSPPROC_TABLE } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

/** Where an address goes; both may be missing. */
export interface NamePlace {
  readonly bytes: Uint8Array | null;
  readonly length: Ref | null;
}

const INT_LEN = 4;
/** How often a socket is looked at that select cannot tell of. */
const LOOK_MS = 20;
/** Answered by an attempt whose time has run out. */
const LATE = -WSAETIMEDOUT;

/** What is wrong with a place for a sockaddr; 0: nothing. */
export function checkPlace({ bytes, length }: NamePlace): number {
  if (bytes === null) return 0;
  return length === null || !(length.value >= 0 && length.value <= bytes.length) ? WSAEFAULT : 0;
}

/** Milliseconds of a timeout; -1 without one, -2 when it is not one. */
export function milliseconds(timeout: TIMEVAL | null): number {
  if (timeout === null) return -1;
  const { tv_sec, tv_usec } = timeout;
  return tv_sec >= 0 && tv_usec >= 0 ? tv_sec * 1000 + tv_usec / 1000 : -2;
}

/**
 * Tries addresses in their order.
 * @param timeoutMs for all of them together; negative: none
 * @returns 1 (TRUE), with the names of both ends where they are wanted; else minus the code of the last attempt
 */
export async function connectToAny(
  process: WinsockProcess,
  s: number,
  addresses: readonly Uint8Array[],
  timeoutMs: number,
  local: NamePlace,
  remote: NamePlace,
): Promise<number> {
  const socket = process.socket(s);
  if (socket === null) return process.whyNoSocket();
  const { table } = socket.provider;
  const type = await intOption(table, s, SOL_SOCKET, SO_TYPE);
  if (type !== SOCK_STREAM) return type < 0 ? type : -WSAEINVAL;
  const deadline = new Deadline(process, timeoutMs);
  let error = -WSAEHOSTUNREACH;
  for (const address of addresses) {
    const answer = await attempt(table, s, address, deadline);
    if (answer === 0) {
      deadline.stop();
      return (await names(table, s, local, remote)) || 1;
    }
    // An address of another family says nothing about the peer.
    if (answer !== -WSAEAFNOSUPPORT || error === -WSAEHOSTUNREACH) error = answer;
    // It was closed meanwhile, or cannot connect at all: no address helps.
    if (answer === LATE || process.socket(s) !== socket) break;
  }
  deadline.stop();
  return error;
}

/** The end of the time for all attempts. */
class Deadline {
  readonly isReached: Promise<number>;
  readonly #process: WinsockProcess;
  readonly #end: number;
  readonly #cancel: () => void;

  constructor(process: WinsockProcess, timeoutMs: number) {
    this.#process = process;
    this.#end = timeoutMs < 0 ? Number.POSITIVE_INFINITY : process.scheduler.now() + timeoutMs;
    let cancel = (): void => {};
    this.isReached = new Promise((resolve) => {
      if (timeoutMs >= 0) cancel = process.scheduler.after(timeoutMs, () => resolve(LATE));
    });
    this.#cancel = cancel;
  }

  /** What is left of it, for select. */
  get left(): TIMEVAL | null {
    if (this.#end === Number.POSITIVE_INFINITY) return null;
    const ms = Math.max(0, this.#end - this.#process.scheduler.now());
    return { tv_sec: Math.floor(ms / 1000), tv_usec: Math.ceil((ms % 1000) * 1000) };
  }

  get isOver(): boolean {
    return this.#process.scheduler.now() >= this.#end;
  }

  stop(): void {
    this.#cancel();
  }
}

async function attempt(
  table: WSPPROC_TABLE,
  s: number,
  address: Uint8Array,
  deadline: Deadline,
): Promise<number> {
  await table.WSPSetSockOpt(s, SOL_SOCKET, SO_ERROR, new Uint8Array(INT_LEN), INT_LEN);
  const answer = table.WSPConnect(s, address, address.length, null, null, null, null);
  const first = typeof answer === 'number' ? answer : await Promise.race([answer, deadline.isReached]);
  if (first !== -WSAEWOULDBLOCK) return Math.min(first, 0);
  return outcome(table, s, deadline);
}

/**
 * Waits for a connect on a non-blocking socket. An attempt that failed before keeps the socket exceptional until one succeeds
 * (SEM-SEL-11), so that select cannot tell a second failure: SO_ERROR does, which was cleared before the attempt.
 */
async function outcome(table: WSPPROC_TABLE, s: number, deadline: Deadline): Promise<number> {
  for (let isStale = false; ; ) {
    const connected: fd_set = { fd_array: [s] };
    const failed: fd_set | null = isStale ? null : { fd_array: [s] };
    const { left } = deadline;
    const ready = await table.WSPSelect(0, null, connected, failed, isStale ? atMost(left, LOOK_MS) : left);
    if (ready < 0) return ready;
    if (connected.fd_array.length > 0) return 0;
    const error = await intOption(table, s, SOL_SOCKET, SO_ERROR);
    if (error !== 0) return error < 0 ? error : -error;
    if (deadline.isOver) return LATE;
    isStale = true;
  }
}

function atMost(time: TIMEVAL | null, ms: number): TIMEVAL {
  const isLonger = time === null || time.tv_sec > 0 || time.tv_usec > ms * 1000;
  return isLonger ? { tv_sec: 0, tv_usec: ms * 1000 } : time;
}

async function names(table: WSPPROC_TABLE, s: number, local: NamePlace, remote: NamePlace): Promise<number> {
  const own = await nameInto(local, (bytes, length) => table.WSPGetSockName(s, bytes, length));
  return own < 0 ? own : nameInto(remote, (bytes, length) => table.WSPGetPeerName(s, bytes, length));
}

function nameInto({ bytes, length }: NamePlace, get: (bytes: Uint8Array, length: Ref) => Answer): Answer {
  return bytes === null || length === null ? 0 : get(bytes, length);
}

/** Reads an option of four bytes; minus a WSA code when that fails. */
export async function intOption(
  table: WSPPROC_TABLE,
  s: number,
  level: number,
  option: number,
): Promise<number> {
  const value = new Uint8Array(INT_LEN);
  const answer = await table.WSPGetSockOpt(s, level, option, value, { value: INT_LEN });
  return answer < 0 ? answer : i32le(value, 0);
}
