/**
 * Options and control codes: getsockopt, setsockopt, ioctlsocket, WSAIoctl.
 */

import {
  FIONBIO,
  FIONREAD,
  IOC_IN,
  IOC_OUT,
  readWSAPROTOCOL_INFOW,
  SIOCATMARK,
  SO_OPENTYPE,
  SO_PROTOCOL_INFOA,
  SO_PROTOCOL_INFOW,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEOPNOTSUPP,
  WSANOTINITIALISED,
  WSAPROTOCOL_INFOA_LEN,
  WSAPROTOCOL_INFOW_LEN,
  writeWSAPROTOCOL_INFOA,
} from '../abi/index.ts';
import { i32le, putI32le } from '../base/index.ts';
import type {
  Answer,
  Ref,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSPPROC_TABLE,
} from '../spi/index.ts';
import { roomIn } from './memory.ts';
import type { WinsockProcess } from './process.ts';

/** Bytes of a u_long. */
const ULONG_LEN = 4;

export function optionCalls(process: WinsockProcess) {
  return {
    /** Reads an option into `optval`; `optlen` is its room, then its length. */
    getsockopt(
      s: number,
      level: number,
      optname: number,
      optval: Uint8Array | null,
      optlen: Ref | null = roomIn(optval),
    ): Answer {
      if (level === SOL_SOCKET && optname === SO_OPENTYPE) return getOpenType(process, optval, optlen);
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      const { table } = socket.provider;
      if (level === SOL_SOCKET && optname === SO_PROTOCOL_INFOA)
        return protocolInfoA(table, s, optval, optlen);
      return table.WSPGetSockOpt(s, level, optname, optval, optlen);
    },

    /** Sets an option. */
    setsockopt(
      s: number,
      level: number,
      optname: number,
      optval: Uint8Array | null,
      optlen = optval === null ? 0 : optval.length,
    ): Answer {
      if (level === SOL_SOCKET && optname === SO_OPENTYPE) return setOpenType(process, optval, optlen);
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      return socket.provider.table.WSPSetSockOpt(s, level, optname, optval, optlen);
    },

    /** FIONBIO, FIONREAD and SIOCATMARK with a u_long. */
    ioctlsocket(s: number, cmd: number, argp: Ref | null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      const code = cmd >>> 0;
      if (code !== FIONBIO && code !== FIONREAD && code !== SIOCATMARK) return -WSAEOPNOTSUPP;
      if (argp === null) return -WSAEFAULT;
      const bytes = new Uint8Array(ULONG_LEN);
      const isInput = (code & IOC_IN) !== 0;
      if (isInput) putI32le(bytes, 0, argp.value);
      const { table } = socket.provider;
      const into = (code & IOC_OUT) !== 0 ? bytes : null;
      const answer = table.WSPIoctl(
        s,
        code,
        isInput ? bytes : null,
        isInput ? ULONG_LEN : 0,
        into,
        into === null ? 0 : ULONG_LEN,
        null,
        null,
        process.thread,
      );
      const finish = (late: number): number => {
        if (late >= 0 && into !== null) argp.value = i32le(into, 0) >>> 0;
        return Math.min(late, 0);
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },

    /** Any control code; `lpcbBytesReturned` is needed even with an overlapped record (SEM-IOC-01). */
    WSAIoctl(
      s: number,
      dwIoControlCode: number,
      lpvInBuffer: Uint8Array | null,
      cbInBuffer: number,
      lpvOutBuffer: Uint8Array | null,
      cbOutBuffer: number,
      lpcbBytesReturned: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpcbBytesReturned === null) return -WSAEFAULT;
      const needed: Ref = { value: 0 };
      const answer = socket.provider.table.WSPIoctl(
        s,
        dwIoControlCode >>> 0,
        lpvInBuffer,
        cbInBuffer,
        lpvOutBuffer,
        cbOutBuffer,
        lpOverlapped,
        lpCompletionRoutine,
        process.thread,
        needed,
      );
      const finish = (late: number): number => {
        lpcbBytesReturned.value = late < 0 ? needed.value : late;
        return Math.min(late, 0);
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },
  };
}

/** SO_OPENTYPE belongs to the caller, not to a socket: any handle will do (SEM-OPT-11). */
function getOpenType(process: WinsockProcess, optval: Uint8Array | null, optlen: Ref | null): number {
  if (process.startups === 0) return -WSANOTINITIALISED;
  if (optval === null || optlen === null || optlen.value < ULONG_LEN || optval.length < ULONG_LEN) {
    return -WSAEFAULT;
  }
  putI32le(optval, 0, process.thread.openType);
  optlen.value = ULONG_LEN;
  return 0;
}

function setOpenType(process: WinsockProcess, optval: Uint8Array | null, optlen: number): number {
  if (process.startups === 0) return -WSANOTINITIALISED;
  if (optval === null || optlen < ULONG_LEN || optval.length < ULONG_LEN) return -WSAEFAULT;
  process.thread.openType = i32le(optval, 0);
  return 0;
}

/** Providers know the wide form only; ws2_32 makes the other of it. */
function protocolInfoA(
  table: WSPPROC_TABLE,
  s: number,
  optval: Uint8Array | null,
  optlen: Ref | null,
): Answer {
  const wide = new Uint8Array(WSAPROTOCOL_INFOW_LEN);
  const answer = table.WSPGetSockOpt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, wide, { value: wide.length });
  const finish = (late: number): number => {
    if (late < 0) return late;
    const info = readWSAPROTOCOL_INFOW(wide);
    if (info === null || optval === null || optlen === null) return -WSAEFAULT;
    if (Math.min(optlen.value, optval.length) < WSAPROTOCOL_INFOA_LEN) {
      optlen.value = WSAPROTOCOL_INFOA_LEN;
      return -WSAEFAULT;
    }
    writeWSAPROTOCOL_INFOA(optval, 0, info);
    return 0;
  };
  return typeof answer === 'number' ? finish(answer) : answer.then(finish);
}
