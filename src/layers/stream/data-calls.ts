/**
 * Sending and receiving on sockets whose bytes the layer keeps; the others go to the provider below.
 */

import {
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOL_SOCKET,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAETIMEDOUT,
} from '../../abi/index.ts';
import { i32le } from '../../base/index.ts';
import type {
  Answer,
  Ref,
  WSABUF,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSATHREADID,
  WSPPROC_TABLE,
} from '../../spi/index.ts';
import type { Connection } from './connection.ts';
import { beginOverlapped, type Complete } from './operations.ts';
import type { Stream, Streams } from './streams.ts';

type DataCalls = Pick<WSPPROC_TABLE, 'WSPSend' | 'WSPSendTo' | 'WSPRecv' | 'WSPRecvFrom'>;

/** How closing ends what waits. */
const ENDED_BY_CLOSING: readonly number[] = [WSAECONNABORTED, WSA_OPERATION_ABORTED];
/** Flags that an application may pass. */
const APPLICATION_FLAGS = 0xffff;

export function dataCalls(streams: Streams): DataCalls {
  const { next } = streams;
  const send = (
    stream: Stream,
    connection: Connection,
    buffers: readonly WSABUF[] | null,
    count: number,
    flags: number,
    lpOverlapped: WSAOVERLAPPED | null,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    thread: WSATHREADID | null,
  ): Answer => {
    const list = listOf(buffers, count);
    if (list === null) return -WSAEFAULT;
    if ((flags & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
    return perform(streams, stream, SO_SNDTIMEO, lpOverlapped, routine, thread, (complete) =>
      connection.send(list, flags, complete),
    );
  };
  const receive = (
    stream: Stream,
    connection: Connection,
    buffers: readonly WSABUF[] | null,
    count: number,
    lpFlags: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
    routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    thread: WSATHREADID | null,
  ): Answer => {
    const list = listOf(buffers, count);
    if (list === null || lpFlags === null) return -WSAEFAULT;
    const flags = lpFlags.value;
    if (count <= 0 || (flags & ~APPLICATION_FLAGS) !== 0) return -WSAEINVAL;
    const answer = perform(streams, stream, SO_RCVTIMEO, lpOverlapped, routine, thread, (complete) =>
      connection.receive(list, flags, lpOverlapped !== null, complete),
    );
    const finish = (late: number): number => {
      if (late >= 0 && lpOverlapped === null) lpFlags.value = 0;
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };

  return {
    WSPSend(s, buffers, count, flags, lpOverlapped, routine, thread): Answer {
      const stream = streams.get(s);
      const connection = stream?.connection ?? null;
      if (stream === undefined || connection === null)
        return next.WSPSend(s, buffers, count, flags, lpOverlapped, routine, thread);
      return send(stream, connection, buffers, count, flags, lpOverlapped, routine, thread);
    },

    WSPSendTo(s, buffers, count, flags, to, tolen, lpOverlapped, routine, thread): Answer {
      const stream = streams.get(s);
      const connection = stream?.connection ?? null;
      if (stream === undefined || connection === null)
        return next.WSPSendTo(s, buffers, count, flags, to, tolen, lpOverlapped, routine, thread);
      return send(stream, connection, buffers, count, flags, lpOverlapped, routine, thread);
    },

    WSPRecv(s, buffers, count, lpFlags, lpOverlapped, routine, thread): Answer {
      const stream = streams.get(s);
      const connection = stream?.connection ?? null;
      if (stream === undefined || connection === null)
        return next.WSPRecv(s, buffers, count, lpFlags, lpOverlapped, routine, thread);
      return receive(stream, connection, buffers, count, lpFlags, lpOverlapped, routine, thread);
    },

    WSPRecvFrom(s, buffers, count, lpFlags, from, fromlen, lpOverlapped, routine, thread): Answer {
      const stream = streams.get(s);
      const connection = stream?.connection ?? null;
      if (stream === undefined || connection === null)
        return next.WSPRecvFrom(s, buffers, count, lpFlags, from, fromlen, lpOverlapped, routine, thread);
      return receive(stream, connection, buffers, count, lpFlags, lpOverlapped, routine, thread);
    },
  };
}

/** Runs a transfer in one of the three ways: overlapped, at once or not at all, waiting. */
function perform(
  streams: Streams,
  stream: Stream,
  limit: number,
  lpOverlapped: WSAOVERLAPPED | null,
  routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  thread: WSATHREADID | null,
  transfer: (complete: Complete | null) => number | (() => void),
): Answer {
  const { layer } = streams;
  if (lpOverlapped !== null) {
    return beginOverlapped(streams, stream, { lpOverlapped, routine, thread }, transfer);
  }
  if (stream.isNonBlocking) return transfer(null) as number;
  // A call that waits is interrupted by closing (SEM-BLK-08).
  const told = (answer: number): number =>
    stream.connection?.isClosing === true && ENDED_BY_CLOSING.includes(-answer) ? -WSAEINTR : answer;
  let finish: (answer: number) => void = () => {};
  let isDone = false;
  const waiting = transfer((answer) => {
    isDone = true;
    finish(answer);
  });
  if (typeof waiting === 'number') return waiting;
  return new Promise((resolve) => {
    let cancel = (): void => {};
    finish = (answer) => {
      cancel();
      resolve(told(answer));
    };
    void timeLimit(streams, stream.handle, limit).then((ms) => {
      if (ms <= 0 || isDone) return;
      cancel = layer.ws2.scheduler.after(ms, () => {
        waiting();
        resolve(-WSAETIMEDOUT);
      });
    });
  });
}

/** SO_RCVTIMEO or SO_SNDTIMEO, ms; 0: none. */
async function timeLimit({ next }: Streams, s: number, optname: number): Promise<number> {
  const value = new Uint8Array(4);
  const answer = await next.WSPGetSockOpt(s, SOL_SOCKET, optname, value, { value: value.length });
  return answer < 0 ? 0 : i32le(value, 0) >>> 0;
}

/** The buffers of a call; `null` when one is not there. */
function listOf(buffers: readonly WSABUF[] | null, count: number): readonly WSABUF[] | null {
  if (buffers === null || count < 0 || count > buffers.length) return null;
  const list = buffers.slice(0, count);
  return list.some((buffer) => buffer === null || buffer === undefined) ? null : list;
}
