/**
 * Extension functions by their names. Each goes to the function that the socket's provider gives for its GUID, so that a layer which
 * hands out one of its own is not passed by. mswsock.dll exports some of them under these names; the others are here for the
 * same convenience.
 */

import {
  FUNCTION_POINTER_LEN,
  parseGuid,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSANOTINITIALISED,
} from '../abi/index.ts';
import {
  type Answer,
  EXTENSION_IDS,
  type ExtensionFunctions,
  functionAt,
  getAcceptExSockaddrs,
  type Ref,
  type RioFunctions,
  readPointer,
  type StartedProvider,
  type TRANSMIT_FILE_BUFFERS,
  type TRANSMIT_PACKETS_ELEMENT,
  type TransmitSource,
  type WSAMSG,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
} from '../spi/index.ts';
import { lengthOf } from './memory.ts';
import type { WinsockProcess } from './process.ts';

/** Functions that are asked for with a socket. */
type SocketFunction = Exclude<keyof ExtensionFunctions, 'GetAcceptExSockaddrs' | 'WSAPoll'>;

const GUIDS = new Map([...EXTENSION_IDS].map(([guid, name]) => [name, guid]));

export function extensionCalls(process: WinsockProcess) {
  const known = new WeakMap<StartedProvider, Map<string, unknown>>();

  /** The provider's function of that name; minus a WSA code when it has none. */
  const find = <K extends SocketFunction>(s: number, name: K): ExtensionFunctions[K] | Answer => {
    const socket = process.socket(s);
    if (socket === null) return process.whyNoSocket();
    const { provider } = socket;
    const functions = known.get(provider) ?? new Map<string, unknown>();
    known.set(provider, functions);
    const found = functions.get(name);
    if (found !== undefined) return found as ExtensionFunctions[K];
    const id = parseGuid(GUIDS.get(name) ?? '') ?? new Uint8Array(0);
    const pointer = new Uint8Array(FUNCTION_POINTER_LEN);
    const code = SIO_GET_EXTENSION_FUNCTION_POINTER;
    const answer = provider.table.WSPIoctl(
      s,
      code,
      id,
      id.length,
      pointer,
      pointer.length,
      null,
      null,
      process.thread,
    );
    if (typeof answer !== 'number') {
      return answer.then((late) => (late < 0 ? late : -WSAEINVAL));
    }
    if (answer < 0) return answer;
    const fetched = functionAt(readPointer(pointer));
    if (fetched === null) return -WSAEINVAL;
    functions.set(name, fetched);
    return fetched as ExtensionFunctions[K];
  };

  return {
    /**
     * Gives the next connection of a listener to an unused socket, with its first data and both names (SEM-OV-16 … SEM-OV-18).
     * @returns 1 (TRUE), or ERROR_IO_PENDING as failure
     */
    AcceptEx(
      sListen: number,
      sAccept: number,
      lpOutputBuffer: Uint8Array | null,
      dwReceiveDataLength: number,
      dwLocalAddressLength: number,
      dwRemoteAddressLength: number,
      lpdwBytesReceived: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null,
    ): Answer {
      const call = find(sListen, 'AcceptEx');
      if (typeof call !== 'function') return call;
      return call(
        sListen,
        sAccept,
        lpOutputBuffer,
        dwReceiveDataLength,
        dwLocalAddressLength,
        dwRemoteAddressLength,
        lpdwBytesReceived,
        lpOverlapped,
      );
    },

    /** Finds the names in AcceptEx's buffer, with the lengths that AcceptEx was given; they are views of it. */
    GetAcceptExSockaddrs(
      lpOutputBuffer: Uint8Array | null,
      dwReceiveDataLength: number,
      dwLocalAddressLength: number,
      dwRemoteAddressLength: number,
      LocalSockaddr: Ref<Uint8Array | null> | null,
      LocalSockaddrLength: Ref | null,
      RemoteSockaddr: Ref<Uint8Array | null> | null,
      RemoteSockaddrLength: Ref | null,
    ): Answer {
      return getAcceptExSockaddrs(
        lpOutputBuffer,
        dwReceiveDataLength,
        dwLocalAddressLength,
        dwRemoteAddressLength,
        LocalSockaddr,
        LocalSockaddrLength,
        RemoteSockaddr,
        RemoteSockaddrLength,
      );
    },

    /** Connects a bound socket, and sends the first data (SEM-OV-19, SEM-OV-20). @returns 1 (TRUE) */
    ConnectEx(
      s: number,
      name: Uint8Array | null,
      namelen = lengthOf(name),
      lpSendBuffer: Uint8Array | null = null,
      dwSendDataLength = lengthOf(lpSendBuffer),
      lpdwBytesSent: Ref | null = null,
      lpOverlapped: WSAOVERLAPPED | null = null,
    ): Answer {
      const call = find(s, 'ConnectEx');
      if (typeof call !== 'function') return call;
      return call(s, name, namelen, lpSendBuffer, dwSendDataLength, lpdwBytesSent, lpOverlapped);
    },

    /** Ends the sending direction; with TF_REUSE_SOCKET the socket can be used again when it is done. @returns 1 (TRUE) */
    DisconnectEx(s: number, lpOverlapped: WSAOVERLAPPED | null = null, dwFlags = 0, dwReserved = 0): Answer {
      const call = find(s, 'DisconnectEx');
      return typeof call === 'function' ? call(s, lpOverlapped, dwFlags, dwReserved) : call;
    },

    /**
     * Sends a file, with data before and behind it.
     * @param hFile a descriptor of this process, Node's FileHandle, or a path; null: only the data around it
     * @param nNumberOfBytesToWrite 0: all of it, from the record's Offset on, or from where the descriptor stands
     * @returns 1 (TRUE)
     */
    TransmitFile(
      hSocket: number,
      hFile: TransmitSource | null,
      nNumberOfBytesToWrite = 0,
      nNumberOfBytesPerSend = 0,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpTransmitBuffers: TRANSMIT_FILE_BUFFERS | null = null,
      dwFlags = 0,
    ): Answer {
      const call = find(hSocket, 'TransmitFile');
      if (typeof call !== 'function') return call;
      return call(
        hSocket,
        hFile,
        nNumberOfBytesToWrite,
        nNumberOfBytesPerSend,
        lpOverlapped,
        lpTransmitBuffers,
        dwFlags,
      );
    },

    /** Sends pieces of memory and of files; on a datagram socket up to each TP_ELEMENT_EOP as one message. @returns 1 (TRUE) */
    TransmitPackets(
      hSocket: number,
      lpPacketArray: readonly TRANSMIT_PACKETS_ELEMENT[] | null,
      nElementCount: number,
      nSendSize = 0,
      lpOverlapped: WSAOVERLAPPED | null = null,
      dwFlags = 0,
    ): Answer {
      const call = find(hSocket, 'TransmitPackets');
      if (typeof call !== 'function') return call;
      return call(hSocket, lpPacketArray, nElementCount, nSendSize, lpOverlapped, dwFlags);
    },

    /** Receives a message with its control data. @returns 0 */
    WSARecvMsg(
      s: number,
      lpMsg: WSAMSG | null,
      lpdwNumberOfBytesRecvd: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const call = find(s, 'WSARecvMsg');
      if (typeof call !== 'function') return call;
      return call(s, lpMsg, lpdwNumberOfBytesRecvd, lpOverlapped, lpCompletionRoutine);
    },

    /** Sends a message with control data. @returns 0 */
    WSASendMsg(
      s: number,
      lpMsg: WSAMSG | null,
      dwFlags: number,
      lpNumberOfBytesSent: Ref | null,
      lpOverlapped: WSAOVERLAPPED | null = null,
      lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null = null,
    ): Answer {
      const call = find(s, 'WSASendMsg');
      if (typeof call !== 'function') return call;
      return call(s, lpMsg, dwFlags, lpNumberOfBytesSent, lpOverlapped, lpCompletionRoutine);
    },
  };
}

/** Registered I/O under its names: the base provider's, which the table of pointers names too. */
export function rioCalls(process: WinsockProcess): RioFunctions {
  const { rio } = process.base.extensions;
  const calls: Partial<Record<keyof RioFunctions, (...args: never[]) => Answer>> = {};
  for (const name of Object.keys(rio) as (keyof RioFunctions)[]) {
    const call = rio[name] as (...args: unknown[]) => Answer;
    calls[name] = (...args: unknown[]) => (process.startups === 0 ? -WSANOTINITIALISED : call(...args));
  }
  const create = calls.RIOCreateRequestQueue as (...args: unknown[]) => Answer;
  calls.RIOCreateRequestQueue = (...args: unknown[]) => {
    // Its requests would pass by the layer that has made the handle.
    const isOwn = process.socket(args[0] as number)?.isOwn === true;
    return isOwn ? -WSAEOPNOTSUPP : create(...args);
  };
  return calls as RioFunctions;
}
