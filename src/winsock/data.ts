/**
 * Sending and receiving: the plain calls with one buffer, and the WSA forms with lists and overlapped records.
 *
 * The plain calls are the WSA ones with one buffer (SPI-GEN-03). Their list of one and their flags are kept and filled anew
 * for each call: a provider reads both before it returns.
 */

import { MSG_PARTIAL, WSAEFAULT, WSAEMSGSIZE, WSANOTINITIALISED } from '../abi/index.ts';
import type { Answer, Ref, WSABUF, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';
import { lengthOf, roomIn } from './memory.ts';
import type { WinsockProcess } from './process.ts';

export function dataCalls(process: WinsockProcess) {
  const one: WSABUF[] = [];
  const flagsOfOne: Ref = { value: 0 };

  /** Puts the buffer of a plain call into the list of one. @returns 0 or an error */
  const setBuffer = (buf: Uint8Array | null, len: number): number => {
    // A negative length is unreadable memory, too (SEM-IO-10).
    if (buf === null || !(len >= 0 && len <= buf.length)) return -WSAEFAULT;
    one[0] = len === buf.length ? buf : buf.subarray(0, len);
    return 0;
  };

  return {
    /** Sends on a connected socket. @returns the bytes taken */
    send(s: number, buf: Uint8Array | null, len = lengthOf(buf), flags = 0): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (setBuffer(buf, len) < 0) return -WSAEFAULT;
      return socket.provider.table.WSPSend(s, one, 1, flags, null, null, null);
    },

    /** Sends to an address; a stream ignores it. @returns the bytes taken */
    sendto(
      s: number,
      buf: Uint8Array | null,
      len: number,
      flags: number,
      to: Uint8Array | null,
      tolen = lengthOf(to),
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (setBuffer(buf, len) < 0) return -WSAEFAULT;
      return socket.provider.table.WSPSendTo(s, one, 1, flags, to, tolen, null, null, null);
    },

    /** Receives what there is, waiting for the first byte. @returns bytes; 0 when the peer has closed in good order */
    recv(s: number, buf: Uint8Array | null, len = lengthOf(buf), flags = 0): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (setBuffer(buf, len) < 0) return -WSAEFAULT;
      flagsOfOne.value = flags;
      return socket.provider.table.WSPRecv(s, one, 1, flagsOfOne, null, null, null);
    },

    /** Receives, and says from whom; a stream does not. @returns bytes */
    recvfrom(
      s: number,
      buf: Uint8Array | null,
      len = lengthOf(buf),
      flags = 0,
      from: Uint8Array | null = null,
      fromlen: Ref | null = roomIn(from),
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (setBuffer(buf, len) < 0) return -WSAEFAULT;
      flagsOfOne.value = flags;
      return socket.provider.table.WSPRecvFrom(s, one, 1, flagsOfOne, from, fromlen, null, null, null);
    },

    /**
     * As `recv`, and says in `flags` whether a message was cut (MSG_PARTIAL), which is no failure here. @returns bytes
     */
    WSARecvEx(s: number, buf: Uint8Array | null, len: number, flags: Ref | null): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (flags === null || setBuffer(buf, len) < 0) return -WSAEFAULT;
      const finish = (answer: number, out: number): number => {
        const isCut = answer === -WSAEMSGSIZE;
        if (isCut || answer >= 0) flags.value = isCut ? out | MSG_PARTIAL : out;
        return isCut ? len : answer;
      };
      const own: Ref = { value: flags.value };
      const answer = socket.provider.table.WSPRecv(s, one, 1, own, null, null, null);
      if (typeof answer === 'number') return finish(answer, own.value);
      return answer.then((late) => finish(late, own.value));
    },

    /** Sends the bytes of several buffers as one message; overlapped when a record is given. @returns 0 */
    WSASend(
      s: number,
      lpBuffers: readonly WSABUF[] | null,
      dwBufferCount: number,
      lpNumberOfBytesSent: Ref | null,
      dwFlags = 0,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpNumberOfBytesSent === null && lpOverlapped === null) return -WSAEFAULT;
      const { table } = socket.provider;
      return counted(
        table.WSPSend(
          s,
          lpBuffers,
          dwBufferCount,
          dwFlags,
          lpOverlapped,
          lpCompletionRoutine,
          process.thread,
        ),
        lpNumberOfBytesSent,
      );
    },

    /** As `WSASend`, to an address. */
    WSASendTo(
      s: number,
      lpBuffers: readonly WSABUF[] | null,
      dwBufferCount: number,
      lpNumberOfBytesSent: Ref | null,
      dwFlags: number,
      lpTo: Uint8Array | null,
      iTolen = lengthOf(lpTo),
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpNumberOfBytesSent === null && lpOverlapped === null) return -WSAEFAULT;
      const { table } = socket.provider;
      const answer = table.WSPSendTo(
        s,
        lpBuffers,
        dwBufferCount,
        dwFlags,
        lpTo,
        iTolen,
        lpOverlapped,
        lpCompletionRoutine,
        process.thread,
      );
      return counted(answer, lpNumberOfBytesSent);
    },

    /** Receives into several buffers; overlapped when a record is given. `lpFlags` goes in and comes out. @returns 0 */
    WSARecv(
      s: number,
      lpBuffers: readonly WSABUF[] | null,
      dwBufferCount: number,
      lpNumberOfBytesRecvd: Ref | null,
      lpFlags: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpNumberOfBytesRecvd === null && lpOverlapped === null) return -WSAEFAULT;
      const { table } = socket.provider;
      return counted(
        table.WSPRecv(
          s,
          lpBuffers,
          dwBufferCount,
          lpFlags,
          lpOverlapped,
          lpCompletionRoutine,
          process.thread,
        ),
        lpNumberOfBytesRecvd,
      );
    },

    /** As `WSARecv`, and says from whom. */
    WSARecvFrom(
      s: number,
      lpBuffers: readonly WSABUF[] | null,
      dwBufferCount: number,
      lpNumberOfBytesRecvd: Ref | null,
      lpFlags: Ref | null,
      lpFrom: Uint8Array | null = null,
      lpFromlen: Ref | null = roomIn(lpFrom),
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpNumberOfBytesRecvd === null && lpOverlapped === null) return -WSAEFAULT;
      const { table } = socket.provider;
      const answer = table.WSPRecvFrom(
        s,
        lpBuffers,
        dwBufferCount,
        lpFlags,
        lpFrom,
        lpFromlen,
        lpOverlapped,
        lpCompletionRoutine,
        process.thread,
      );
      return counted(answer, lpNumberOfBytesRecvd);
    },

    /** How an overlapped operation ended. @returns 1 (TRUE) */
    WSAGetOverlappedResult(
      s: number,
      lpOverlapped: WSAOVERLAPPED | null,
      lpcbTransfer: Ref | null,
      fWait: boolean,
      lpdwFlags: Ref | null,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      if (lpcbTransfer === null) return -WSAEFAULT;
      const answer = counted(
        socket.provider.table.WSPGetOverlappedResult(s, lpOverlapped, fWait, lpdwFlags),
        lpcbTransfer,
      );
      return typeof answer === 'number' ? asBool(answer) : answer.then(asBool);
    },
  };
}

/** Writes a byte count where C wants it; the call itself answers 0 then. */
function counted(answer: Answer, count: Ref | null): Answer {
  if (typeof answer !== 'number') return answer.then((late) => putCount(late, count));
  return putCount(answer, count);
}

function putCount(answer: number, count: Ref | null): number {
  if (answer < 0) return answer;
  if (count !== null) count.value = answer;
  return 0;
}

function asBool(answer: number): number {
  return answer < 0 ? answer : 1;
}
