/**
 * Datagrams over a shaped path. Those that are sent are late or lost; of those that are received some are lost.
 *
 * Overlapped calls are left as they are.
 */

import { WSAEWOULDBLOCK } from '../../abi/index.ts';
import { copyOf, type Random, randomFraction, type Scheduler } from '../../base/index.ts';
import type { Answer, WSABUF, WSPPROC_TABLE } from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { type Place, placeIn } from '../places.ts';
import { Lane } from './lane.ts';
import type { Shape } from './shapes.ts';

/** Datagrams of one socket that may be under way; more are lost, as in a queue that is full. */
const UNDER_WAY = 1000;

/** What is kept of a socket. */
interface Sender {
  /** Where it is connected to. */
  peer: Place | null;
  readonly lanes: Map<Shape, Lane>;
  underWay: number;
  isClosed: boolean;
}

export function datagramCalls(
  next: WSPPROC_TABLE,
  shapeOf: (place: Place) => Shape | null,
  random: Random,
  scheduler: Scheduler,
): Partial<WSPPROC_TABLE> {
  const senders = new Map<number, Sender>();
  const senderOf = (s: number): Sender => {
    const known = senders.get(s) ?? { peer: null, lanes: new Map(), underWay: 0, isClosed: false };
    senders.set(s, known);
    return known;
  };

  /** @param send makes the call with those buffers */
  const shaped = (
    s: number,
    place: Place | null,
    buffers: readonly WSABUF[] | null,
    count: number,
    send: (buffers: readonly WSABUF[] | null, count: number) => Answer,
  ): Answer => {
    const shape = place === null ? null : shapeOf(place);
    if (shape === null || buffers === null || count > buffers.length) return send(buffers, count);
    const message = joined(buffers.slice(0, count));
    if (shape.drop > 0 && randomFraction(random) < shape.drop) return message.length;
    if (shape.latencyMs === 0 && shape.jitterMs === 0 && shape.bytesPerSecond === 0)
      return send(buffers, count);
    const sender = senderOf(s);
    if (sender.underWay >= UNDER_WAY) return message.length;
    const lane = sender.lanes.get(shape) ?? new Lane(shape, random, scheduler);
    sender.lanes.set(shape, lane);
    sender.underWay++;
    const { due } = lane.enter(message.length, false);
    scheduler.after(due - scheduler.now(), () => {
      sender.underWay--;
      // The handle may be another socket's by now.
      if (!sender.isClosed) void send([message], 1);
    });
    return message.length;
  };

  /** Receives again when what came is lost. */
  const receiving = (from: () => Place | null, receive: () => Answer): Answer =>
    whenAnswered(receive(), (answer) => {
      const place = answer < 0 ? null : from();
      const drop = place === null ? 0 : (shapeOf(place)?.drop ?? 0);
      return drop > 0 && randomFraction(random) < drop ? receiving(from, receive) : answer;
    });

  return {
    WSPConnect: (s, name, namelen, ...rest) =>
      whenAnswered(next.WSPConnect(s, name, namelen, ...rest), (answer) => {
        if (answer >= 0) senderOf(s).peer = placeIn(name, namelen);
        return answer;
      }),

    WSPSend: (s, buffers, count, flags, lpOverlapped, ...rest) =>
      lpOverlapped !== null
        ? next.WSPSend(s, buffers, count, flags, lpOverlapped, ...rest)
        : shaped(s, senders.get(s)?.peer ?? null, buffers, count, (what, many) =>
            next.WSPSend(s, what, many, flags, lpOverlapped, ...rest),
          ),

    WSPSendTo(s, buffers, count, flags, to, tolen, lpOverlapped, ...rest) {
      const name = to === null ? null : copyOf(to, 0, Math.max(0, tolen));
      const send = (what: readonly WSABUF[] | null, many: number): Answer =>
        next.WSPSendTo(s, what, many, flags, name, tolen, lpOverlapped, ...rest);
      if (lpOverlapped !== null || (to !== null && tolen > to.length)) {
        return next.WSPSendTo(s, buffers, count, flags, to, tolen, lpOverlapped, ...rest);
      }
      const place = name === null ? (senders.get(s)?.peer ?? null) : placeIn(name, name.length);
      return shaped(s, place, buffers, count, send);
    },

    WSPRecv: (s, buffers, count, flags, lpOverlapped, ...rest) => {
      const receive = (): Answer => next.WSPRecv(s, buffers, count, flags, lpOverlapped, ...rest);
      return lpOverlapped === null ? receiving(() => senders.get(s)?.peer ?? null, receive) : receive();
    },

    WSPRecvFrom: (s, buffers, count, flags, from, fromlen, lpOverlapped, ...rest) => {
      const room = fromlen?.value ?? 0;
      const receive = (): Answer => {
        if (fromlen !== null) fromlen.value = room;
        return next.WSPRecvFrom(s, buffers, count, flags, from, fromlen, lpOverlapped, ...rest);
      };
      return lpOverlapped === null ? receiving(() => placeIn(from, fromlen?.value ?? 0), receive) : receive();
    },

    WSPCloseSocket: (s) =>
      whenAnswered(next.WSPCloseSocket(s), (answer) => {
        const sender = senders.get(s);
        if (sender !== undefined && answer !== -WSAEWOULDBLOCK) {
          sender.isClosed = true;
          senders.delete(s);
        }
        return answer;
      }),

    WSPCleanup(): Answer {
      for (const sender of senders.values()) sender.isClosed = true;
      senders.clear();
      return next.WSPCleanup();
    },
  };
}

function joined(buffers: readonly WSABUF[]): Uint8Array {
  const message = new Uint8Array(buffers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const buffer of buffers) {
    message.set(buffer, at);
    at += buffer.length;
  }
  return message;
}
