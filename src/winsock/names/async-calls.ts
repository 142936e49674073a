/**
 * WSAAsyncGetXByY: the BSD name calls that tell of their result by a message (SEM-ASYNC-*).
 *
 * The result is packed into the caller's buffer, with offsets for pointers: see `abi/host-structures`. The buffer is the request's
 * until the message comes.
 */

import {
  packHostent,
  packProtoent,
  packServent,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAEWOULDBLOCK,
  WSAMAKEASYNCREPLY,
  WSANO_DATA,
  WSANOTINITIALISED,
} from '../../abi/index.ts';
import { type Answer, protocolByName, protocolByNumber } from '../../spi/index.ts';
import { ntohs } from '../byte-order.ts';
import type { WinsockProcess } from '../process.ts';
import { addressOf, hostByAddress, hostByName } from './host-calls.ts';
import { serviceOf, serviceQuestion } from './service-calls.ts';

/** Most requests of a process at once. */
const REQUESTS_MAX = 1024;
/** Requests that are over and whose handles are still known as such. */
const FINISHED_MAX = 4096;

/** After which time a message is posted again to a window whose queue is full. */
const POST_AGAIN_MS = 10;

/** Finds the packed result; minus a WSA code. */
type Find = (signal: AbortSignal) => Promise<Uint8Array | number>;

export function asyncCalls(process: WinsockProcess) {
  const { naming } = process;
  const { spaces } = naming;
  const finished = new Set<number>();

  const isOver = (handle: number): void => {
    naming.pending.delete(handle);
    finished.add(handle);
    const [oldest] = finished;
    if (finished.size > FINISHED_MAX && oldest !== undefined) finished.delete(oldest);
  };

  const begin = (hWnd: number, wMsg: number, buf: Uint8Array | null, buflen: number, find: Find): Answer => {
    if (process.startups === 0) return -WSANOTINITIALISED;
    if (!ArrayBuffer.isView(buf) || !(buflen >= 0 && buflen <= buf.length)) return -WSAEFAULT;
    if (naming.pending.size >= REQUESTS_MAX) return -WSAEWOULDBLOCK;
    const handle = naming.newHandle();
    finished.delete(handle);
    const abort = new AbortController();
    const onOver = naming.watchers.get(buf);
    let isAbandoned = false;
    naming.pending.set(handle, {
      abandon() {
        isAbandoned = true;
        abort.abort();
        onOver?.();
      },
    });
    // The caller knows its handle before the message can come.
    void Promise.resolve()
      .then(() => (isAbandoned ? -WSANO_DATA : find(abort.signal)))
      .then((found) => {
        if (isAbandoned) return;
        const lParam = deliver(found, buf, buflen);
        onOver?.();
        const post = (): void => {
          if (isAbandoned) return;
          const isPosted = process.postMessage(hWnd, wMsg, handle, lParam);
          // A queue that is full has room again some time (SEM-ASYNC-04).
          if (!isPosted && process.windows.has(hWnd)) process.scheduler.after(POST_AGAIN_MS, post);
          else isOver(handle);
        };
        post();
      });
    return handle;
  };

  return {
    /** gethostbyname with a message. @returns the request's handle */
    WSAAsyncGetHostByName(
      hWnd: number,
      wMsg: number,
      name: string | null,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (name === null) return -WSAEFAULT;
      return begin(hWnd, wMsg, buf, buflen, (signal) =>
        packed(hostByName(spaces, name, signal), packHostent),
      );
    },

    /** gethostbyaddr with a message. */
    WSAAsyncGetHostByAddr(
      hWnd: number,
      wMsg: number,
      addr: Uint8Array | null,
      len: number,
      type: number,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const address = addressOf(addr, len, type);
      if (typeof address === 'number') return address;
      return begin(hWnd, wMsg, buf, buflen, (signal) =>
        packed(hostByAddress(spaces, address, signal), packHostent),
      );
    },

    /** getservbyname with a message. */
    WSAAsyncGetServByName(
      hWnd: number,
      wMsg: number,
      name: string | null,
      proto: string | null,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (name === null) return -WSAEFAULT;
      const question = serviceQuestion(name, proto);
      return begin(hWnd, wMsg, buf, buflen, (signal) =>
        packed(serviceOf(spaces, question, signal), packServent),
      );
    },

    /** getservbyport with a message. @param port in network order */
    WSAAsyncGetServByPort(
      hWnd: number,
      wMsg: number,
      port: number,
      proto: string | null,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      const question = serviceQuestion(`${ntohs(port)}`, proto);
      return begin(hWnd, wMsg, buf, buflen, (signal) =>
        packed(serviceOf(spaces, question, signal), packServent),
      );
    },

    /** getprotobyname with a message. */
    WSAAsyncGetProtoByName(
      hWnd: number,
      wMsg: number,
      name: string | null,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      if (name === null) return -WSAEFAULT;
      const found = Promise.resolve(protocolByName(name) ?? -WSANO_DATA);
      return begin(hWnd, wMsg, buf, buflen, () => packed(found, packProtoent));
    },

    /** getprotobynumber with a message. */
    WSAAsyncGetProtoByNumber(
      hWnd: number,
      wMsg: number,
      number: number,
      buf: Uint8Array | null,
      buflen: number,
    ): Answer {
      const found = Promise.resolve(protocolByNumber(number) ?? -WSANO_DATA);
      return begin(hWnd, wMsg, buf, buflen, () => packed(found, packProtoent));
    },

    /** Cancels such a request: no message comes. */
    WSACancelAsyncRequest(hAsyncTaskHandle: number): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      const request = naming.pending.get(hAsyncTaskHandle);
      if (request === undefined || request.cancel !== undefined) {
        return finished.has(hAsyncTaskHandle) ? -WSAEALREADY : -WSAEINVAL;
      }
      request.abandon();
      isOver(hAsyncTaskHandle);
      return 0;
    },
  };
}

async function packed<T>(
  found: Promise<T | number>,
  pack: (found: T) => Uint8Array,
): Promise<Uint8Array | number> {
  const result = await found;
  return typeof result === 'number' ? result : pack(result);
}

/** Puts a result into the caller's buffer. @returns the message's lParam */
function deliver(found: Uint8Array | number, buf: Uint8Array, buflen: number): number {
  if (typeof found === 'number') return WSAMAKEASYNCREPLY(0, -found);
  if (found.length > buflen) return WSAMAKEASYNCREPLY(found.length, WSAENOBUFS);
  buf.set(found);
  return WSAMAKEASYNCREPLY(found.length, 0);
}
