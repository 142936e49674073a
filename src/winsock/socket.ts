/**
 * Sockets come and go: socket, WSASocket, closesocket, WSADuplicateSocket.
 */

import {
  WSA_FLAG_OVERLAPPED,
  WSAEFAULT,
  WSAEWOULDBLOCK,
  WSANOTINITIALISED,
  type WSAPROTOCOL_INFO,
} from '../abi/index.ts';
import type { Answer, Ref, StartedProvider } from '../spi/index.ts';
import type { SocketHandle } from './handles.ts';
import type { WinsockProcess } from './process.ts';

export function socketCalls(process: WinsockProcess) {
  const open = (
    af: number,
    type: number,
    protocol: number,
    info: WSAPROTOCOL_INFO | null,
    g: number,
    dwFlags: number,
  ): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    const selection = process.catalog.select({ af, type, protocol }, info);
    if (typeof selection === 'number') return selection;
    // A duplicate is opened by what its own info carries (SEM-SOCK-08), not by the entry alone.
    const handed = info !== null && info.dwProviderReserved !== 0 ? info : selection.entry;
    const { af: family, type: kind, protocol: number } = selection;
    const make = (provider: StartedProvider | number): Answer =>
      typeof provider === 'number'
        ? provider
        : provider.table.WSPSocket(family, kind, number, handed, g, dwFlags);
    const started = process.providers.start(selection.entry);
    return started instanceof Promise ? started.then(make) : make(started);
  };

  return {
    /** Creates a socket with the overlapped attribute, unless SO_OPENTYPE says otherwise. @returns the SOCKET */
    socket(af: number, type: number, protocol: number): Answer {
      return open(af, type, protocol, null, 0, process.thread.openType === 0 ? WSA_FLAG_OVERLAPPED : 0);
    },

    /** Creates a socket from a catalog entry, or opens a duplicated one (SEM-SOCK-05 … 08). @returns the SOCKET */
    WSASocket(
      af: number,
      type: number,
      protocol: number,
      lpProtocolInfo: WSAPROTOCOL_INFO | null = null,
      g = 0,
      dwFlags = 0,
    ): Answer {
      return open(af, type, protocol, lpProtocolInfo, g, dwFlags);
    },

    /** Closes a socket, in good order or as SO_LINGER says (SEM-LING-*). */
    closesocket(s: number): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      const answer = socket.provider.table.WSPCloseSocket(s);
      if (typeof answer === 'number') return closed(process, s, socket, answer);
      socket.isClosing = true;
      return answer.then((late) => closed(process, s, socket, late));
    },

    /** Fills an entry with which the process `dwProcessId` can open the same socket once (SEM-DUP-*). */
    WSADuplicateSocket(
      s: number,
      dwProcessId: number,
      lpProtocolInfo: Ref<WSAPROTOCOL_INFO | null> | null,
    ): Answer {
      const socket = process.socket(s);
      if (socket === null) return process.whyNoSocket();
      const answer = socket.provider.table.WSPDuplicateSocket(s, dwProcessId, lpProtocolInfo);
      return answer === 0 && lpProtocolInfo === null ? -WSAEFAULT : answer;
    },
  };
}

/** The handle goes with the socket; a close that could not linger leaves both (SEM-LING-04). */
function closed(process: WinsockProcess, s: number, socket: SocketHandle, answer: number): number {
  socket.isClosing = false;
  if (answer !== -WSAEWOULDBLOCK) process.handles.release(s, socket);
  return answer;
}
