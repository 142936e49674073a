/**
 * `streamLayer`: the calls of a layer that puts something between a connection and its application.
 *
 * Sockets that the rules leave alone go to the provider below with every call. Of the others the layer keeps the bytes: it answers
 * for readiness, events, overlapped operations and shutting down from its own queues.
 */

import {
  FD_MAX_EVENTS,
  FIONBIO,
  FIONREAD,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  SIO_ADDRESS_LIST_CHANGE,
  SIO_IDEAL_SEND_BACKLOG_CHANGE,
  SIO_ROUTING_INTERFACE_CHANGE,
  SIOCATMARK,
  SO_ERROR,
  SO_LINGER,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import { i32le, putI32le, u16le } from '../../base/index.ts';
import { type Answer, type Layer, Operation, type WSABUF, type WSPPROC_TABLE } from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { connectCalls, laterCalls } from './connect-calls.ts';
import type { Connection } from './connection.ts';
import type { StreamLayer, StreamRules } from './contract.ts';
import { dataCalls } from './data-calls.ts';
import type { Registration } from './event-records.ts';
import { streamExtension } from './extension-calls.ts';
import { cancelOperations } from './operations.ts';
import { selectStreams } from './select.ts';
import { type Stream, Streams, type StreamTables } from './streams.ts';

/** How long closesocket lets what was sent go out where SO_LINGER does not say, ms. */
const CLOSE_LIMIT = 2000;
const DWORD_LEN = 4;
/** Control codes that wait for a change of the host's. */
const CHANGES: readonly number[] = [
  SIO_ADDRESS_LIST_CHANGE,
  SIO_IDEAL_SEND_BACKLOG_CHANGE,
  SIO_ROUTING_INTERFACE_CHANGE,
];

/** @param tables one for all chains of the layer, made once: `new WeakMap()` */
export function streamLayer(
  next: WSPPROC_TABLE,
  layer: Layer,
  tables: StreamTables,
  rules: StreamRules,
): StreamLayer {
  const streams = new Streams(next, layer, tables, rules);
  const extension = streamExtension(streams);

  const register = (s: number, registration: Registration, below: () => Answer): Answer => {
    const stream = streams.get(s);
    if (stream === undefined) return below();
    const take = (): number => {
      const { connection } = stream;
      stream.registration = registration;
      if (registration.mask !== 0) stream.isNonBlocking = true;
      connection?.events.register(registration, connection.phase !== 'opening');
      connection?.changed();
      return 0;
    };
    if (stream.connection !== null) return take();
    const answer = below();
    const finish = (late: number): number => (late < 0 ? late : take());
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };

  const table: Partial<WSPPROC_TABLE> = {
    ...connectCalls(streams, rules),
    ...dataCalls(streams),

    WSPSocket(af, type, protocol, info, g, flags): Answer {
      const answer = next.WSPSocket(af, type, protocol, info, g, flags);
      const isStream = (type > 0 ? type : info.iSocketType) === SOCK_STREAM;
      const finish = (s: number): number => {
        if (s >= 0 && isStream) streams.add(s, flags);
        return s;
      };
      return typeof answer === 'number' ? finish(answer) : answer.then(finish);
    },

    WSPCloseSocket(s): Answer {
      const connection = streams.connection(s);
      const close = (): Answer => {
        const stream = streams.get(s);
        if (stream !== undefined) cancelOperations(stream, null, null);
        streams.remove(s);
        rules.closed?.(s);
        return next.WSPCloseSocket(s);
      };
      return connection === null ? close() : ended(next, connection).then(close);
    },

    WSPCleanup(): Answer {
      streams.end();
      return next.WSPCleanup();
    },

    WSPShutdown(s, how): Answer {
      return streams.connection(s)?.shutdown(how) ?? next.WSPShutdown(s, how);
    },

    WSPSendDisconnect(s, data): Answer {
      return disconnected(streams.connection(s), SD_SEND, data) ?? next.WSPSendDisconnect(s, data);
    },

    WSPRecvDisconnect(s, data): Answer {
      return (
        disconnected(streams.connection(s), SD_RECEIVE, data?.value ?? null) ??
        next.WSPRecvDisconnect(s, data)
      );
    },

    WSPSelect(nfds, readfds, writefds, exceptfds, timeout): Answer {
      return selectStreams(streams, nfds, [readfds, writefds, exceptfds], timeout);
    },

    WSPEventSelect(s, hEvent, mask): Answer {
      if (mask !== 0 && hEvent === 0 && streams.connection(s) !== null) return -WSAEINVAL;
      return register(s, { mask, hEvent, hWnd: 0, wMsg: 0 }, () => next.WSPEventSelect(s, hEvent, mask));
    },

    WSPAsyncSelect(s, hWnd, wMsg, mask): Answer {
      return register(s, { mask, hEvent: 0, hWnd, wMsg }, () => next.WSPAsyncSelect(s, hWnd, wMsg, mask));
    },

    WSPEnumNetworkEvents(s, hEventObject, into): Answer {
      const connection = streams.connection(s);
      if (connection === null) return next.WSPEnumNetworkEvents(s, hEventObject, into);
      if (into === null) return -WSAEFAULT;
      if (into.iErrorCode.length < FD_MAX_EVENTS) into.iErrorCode = new Array<number>(FD_MAX_EVENTS).fill(0);
      connection.events.take(hEventObject, into);
      return 0;
    },

    WSPGetSockOpt(s, level, optname, optval, optlen): Answer {
      const connection = streams.connection(s);
      if (connection === null || level !== SOL_SOCKET || optname !== SO_ERROR)
        return next.WSPGetSockOpt(s, level, optname, optval, optlen);
      if (optval === null || optlen === null || optlen.value < DWORD_LEN || optval.length < DWORD_LEN)
        return -WSAEFAULT;
      putI32le(optval, 0, connection.socketError);
      optlen.value = DWORD_LEN;
      return 0;
    },

    /** The state of a codec cannot be handed to another process. */
    WSPDuplicateSocket(s, pid, info): Answer {
      return streams.connection(s) === null ? next.WSPDuplicateSocket(s, pid, info) : -WSAEOPNOTSUPP;
    },

    WSPIoctl(s, code, input, inLength, output, outLength, lpOverlapped, routine, thread, needed): Answer {
      const below = (): Answer =>
        next.WSPIoctl(s, code, input, inLength, output, outLength, lpOverlapped, routine, thread, needed);
      const stream = streams.get(s);
      // A function that was asked for with another kind of socket may be called with one of these.
      if (stream === undefined) return extension(code, input, output, below);
      const { connection } = stream;
      if (connection === null && code >>> 0 === FIONBIO) {
        const isOn = input !== null && input.length >= DWORD_LEN && i32le(input, 0) !== 0;
        return whenAnswered(below(), (answer) => {
          if (answer >= 0) stream.isNonBlocking = isOn;
          return answer;
        });
      }
      // The socket below may wait, and this one may not.
      const isImpatient = connection !== null && stream.isNonBlocking && lpOverlapped === null;
      if (isImpatient && CHANGES.includes(code >>> 0)) return -WSAEWOULDBLOCK;
      const own =
        connection === null ? null : keptIoctl(stream, connection, code, input, inLength, output, outLength);
      if (own === null) return extension(code, input, output, below);
      if (lpOverlapped === null || own < 0) return own;
      // It is done, and its end is told all the same (SEM-IOC-01).
      const operation = Operation.begin(streams, stream, lpOverlapped, routine, thread);
      if (typeof operation === 'number') return operation;
      operation.finish(own);
      return own;
    },
  };
  return { table, ...laterCalls(streams) };
}

/** The control codes that a kept connection answers itself; `null`: another. */
function keptIoctl(
  stream: Stream,
  connection: Connection,
  code: number,
  input: Uint8Array | null,
  inLength: number,
  output: Uint8Array | null,
  outLength: number,
): number | null {
  switch (code >>> 0) {
    case FIONBIO: {
      if (input === null || inLength < DWORD_LEN || input.length < DWORD_LEN) return -WSAEFAULT;
      const isOn = i32le(input, 0) !== 0;
      if (!isOn && stream.registration.mask !== 0) return -WSAEINVAL;
      stream.isNonBlocking = isOn;
      return 0;
    }
    case FIONREAD:
      return putDword(output, outLength, connection.available);
    case SIOCATMARK:
      return putDword(output, outLength, 1);
    default:
      return null;
  }
}

/** WSPSendDisconnect and WSPRecvDisconnect; a stream carries no data of a disconnect. @returns `null` for a socket that is not kept */
function disconnected(connection: Connection | null, how: number, data: WSABUF | null): number | null {
  if (connection === null) return null;
  return data !== null && data.length > 0 ? -WSAENOPROTOOPT : connection.shutdown(how);
}

function putDword(output: Uint8Array | null, length: number, value: number): number {
  if (output === null || length < DWORD_LEN || output.length < DWORD_LEN) return -WSAEFAULT;
  putI32le(output, 0, value);
  return DWORD_LEN;
}

/** Ends a connection whose socket is closed, as SO_LINGER says. */
async function ended(next: WSPPROC_TABLE, connection: Connection): Promise<void> {
  const { s } = connection;
  const linger = new Uint8Array(DWORD_LEN);
  const answer = await next.WSPGetSockOpt(s, SOL_SOCKET, SO_LINGER, linger, { value: linger.length });
  const isOn = answer >= 0 && u16le(linger, 0) !== 0;
  await connection.close(isOn ? u16le(linger, 2) * 1000 : CLOSE_LIMIT);
  if (!isOn) await next.WSPShutdown(s, SD_BOTH);
}
