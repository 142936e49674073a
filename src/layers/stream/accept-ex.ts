/**
 * AcceptEx of a stream layer: the connection is taken from the provider below, opened as a plan says, and its first bytes are read through
 * the codec. The operation is done when `accept` would have returned, and the first bytes are there when room for them was given.
 */

import {
  ERROR_INVALID_PARAMETER,
  SD_BOTH,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOL_SOCKET,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETDOWN,
} from '../../abi/index.ts';
import { putI32le } from '../../base/index.ts';
import { type Answer, type ExtensionFunctions, Operation, PrivateRecord } from '../../spi/index.ts';
import { begin } from './connect-calls.ts';
import type { StreamPlan } from './contract.ts';
import { pends, settled } from './operations.ts';
import type { Stream, Streams } from './streams.ts';

type AcceptEx = ExtensionFunctions['AcceptEx'];

/** A refusal is known at once, ms. */
const REFUSAL_LIMIT = 1000;

/** For listeners whose connections may be the layer's business; the others are the provider's below. */
export function acceptEx(streams: Streams, lower: AcceptEx): AcceptEx {
  return (sListen, sAccept, buffer, receiveLength, localLength, remoteLength, received, lpOverlapped) => {
    const listener = streams.get(sListen);
    const target = streams.get(sAccept);
    if (
      listener === undefined ||
      target === undefined ||
      listener.chain.rules.keepsAccepted?.(sListen) !== true
    ) {
      return lower(
        sListen,
        sAccept,
        buffer,
        receiveLength,
        localLength,
        remoteLength,
        received,
        lpOverlapped,
      );
    }
    if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
    if (target.connection !== null) return -WSAEINVAL;
    const namesLength = localLength + remoteLength;
    const isWithin = Math.min(receiveLength, localLength, remoteLength) >= 0;
    if (buffer === null || !isWithin || !(receiveLength + namesLength <= buffer.length)) return -WSAEFAULT;

    const operation = Operation.begin(listener.chain, listener, lpOverlapped, null, null);
    if (typeof operation === 'number') return operation;
    const names = new Uint8Array(namesLength);
    const record = new PrivateRecord();
    operation.cancel = () => void streams.layer.ws2.cancelOperations(sListen, record);
    const finish = async (answer: number): Promise<void> => {
      const below = await settled(record, answer);
      if (below >= 0) buffer.set(names, receiveLength);
      const room = buffer.subarray(0, receiveLength);
      // A rule that throws is a fault of the layer, and nobody is in a call that could tell.
      const taken = (): Promise<number> =>
        opened(listener, target, room, operation).catch(() => -WSAENETDOWN);
      operation.finish(below < 0 ? below : await taken());
    };
    const go = (answer: number): Answer => {
      if (answer < 0 && answer !== -WSA_IO_PENDING) return operation.failExtension(answer);
      operation.hasPended = true;
      void finish(answer);
      return pends(listener, lpOverlapped);
    };
    const answer = lower(sListen, sAccept, names, 0, localLength, remoteLength, null, record);
    return typeof answer === 'number' ? go(answer) : answer.then(go);
  };
}

/** Opens a connection that is there, and reads its first bytes. @returns how many, or minus a WSA code */
async function opened(
  listener: Stream,
  target: Stream,
  room: Uint8Array,
  operation: Operation,
): Promise<number> {
  const { chain } = target;
  const { next, layer } = chain;
  const s = target.handle;
  // The end of the connection is the layer's to tell the peer, before the application has set this itself (SEM-OV-18).
  const context = new Uint8Array(4);
  putI32le(context, 0, listener.handle);
  await next.WSPSetSockOpt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, context, context.length);
  if (chain.get(s) !== target) return -WSA_OPERATION_ABORTED;

  const plan = listener.chain.rules.accept?.(listener.handle, s) ?? null;
  if (plan === null) {
    if (room.length === 0) return 0;
    const record = new PrivateRecord();
    operation.cancel = () => void layer.ws2.cancelOperations(s, record);
    return settled(record, next.WSPRecv(s, [room], 1, { value: 0 }, record, null, null));
  }
  operation.cancel = () => {
    void target.connection?.close(0);
    void next.WSPShutdown(s, SD_BOTH);
  };
  const error = await begin(chain, target, typeof plan === 'number' ? refusal(plan) : plan, null, false);
  const { connection } = target;
  if (error < 0 || connection === null || room.length === 0) return error;
  return new Promise((resolve) => {
    const waiting = connection.receive([room], 0, true, resolve);
    operation.cancel = () => {
      if (typeof waiting === 'function') waiting();
      resolve(-WSA_OPERATION_ABORTED);
    };
  });
}

/** The plan of a connection that is turned away. */
function refusal(answer: number): StreamPlan {
  return { limit: REFUSAL_LIMIT, open: () => Promise.resolve(answer) };
}
