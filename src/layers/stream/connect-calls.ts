/**
 * Connecting and accepting of a stream layer.
 */

import {
  WSA_OPERATION_ABORTED,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINPROGRESS,
  WSAEISCONN,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import { copyOf } from '../../base/index.ts';
import type { Answer, WSPPROC_TABLE } from '../../spi/index.ts';
import type { ConnectExtras, Connection } from './connection.ts';
import type { StreamLayer, StreamPlan, StreamRules } from './contract.ts';
import type { Stream, Streams } from './streams.ts';

type ConnectCalls = Pick<WSPPROC_TABLE, 'WSPConnect' | 'WSPAccept' | 'WSPGetPeerName'>;

export function connectCalls(streams: Streams, rules: StreamRules): ConnectCalls {
  const { next } = streams;

  /** Takes an accepted connection in hand. @returns its socket, or minus a WSA code */
  const accepted = (listener: Stream, s: number): Answer => {
    if (s < 0) return s;
    streams.add(s, listener.flags, listener);
    const stream = streams.get(s) as Stream;
    const plan = rules.accept?.(listener.handle, s) ?? null;
    if (plan === null) return s;
    const refuse = (code: number): Answer => {
      streams.remove(s);
      rules.closed?.(s);
      const closing = next.WSPCloseSocket(s);
      return typeof closing === 'number' ? code : closing.then(() => code);
    };
    if (typeof plan === 'number') return refuse(plan);
    const opened = begin(streams, stream, plan, null, false);
    if (listener.isNonBlocking) return s;
    return opened.then((answer) => (answer < 0 ? refuse(answer) : s));
  };

  return {
    WSPConnect(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, lpGQOS): Answer {
      const below = (): Answer =>
        next.WSPConnect(s, name, namelen, lpCallerData, lpCalleeData, lpSQOS, lpGQOS);
      const stream = streams.get(s);
      if (stream === undefined) return below();
      const { connection } = stream;
      if (connection !== null) {
        if (connection.phase === 'opening') return -WSAEALREADY;
        if (connection.phase === 'open') return -WSAEISCONN;
      }
      if (name === null || namelen < 0 || namelen > name.length) return -WSAEFAULT;
      const to = copyOf(name, 0, namelen);
      const plan = rules.connect(s, to);
      if (plan === null) return below();
      if (typeof plan === 'number') return plan;
      const extras: ConnectExtras = [lpCallerData, lpCalleeData, lpSQOS, lpGQOS];
      const opened = begin(streams, stream, plan, plan.address ?? to, true, extras);
      return stream.isNonBlocking ? -WSAEWOULDBLOCK : opened;
    },

    WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData): Answer {
      const answer = next.WSPAccept(s, addr, addrlen, lpfnCondition, dwCallbackData);
      const listener = streams.get(s);
      if (listener === undefined) return answer;
      return typeof answer === 'number'
        ? accepted(listener, answer)
        : answer.then((late) => accepted(listener, late));
    },

    WSPGetPeerName(s, name, namelen): Answer {
      const connection = streams.connection(s);
      const peer = connection?.plan.peer;
      if (connection?.phase !== 'open' || peer === undefined) return next.WSPGetPeerName(s, name, namelen);
      if (name === null || namelen === null) return -WSAEFAULT;
      if (namelen.value < peer.length || peer.length > name.length) return -WSAEFAULT;
      name.set(peer);
      namelen.value = peer.length;
      return 0;
    },
  };
}

/** Begins a connection. A blocking one that failed leaves the socket as the one below is. */
export function begin(
  streams: Streams,
  stream: Stream,
  plan: StreamPlan,
  address: Uint8Array | null,
  isConnect: boolean,
  extras?: ConnectExtras,
): Promise<number> {
  const connection = streams.keep(stream, plan, isConnect);
  connection.isToldLater = stream.isNonBlocking;
  return connection.open(address, () => streams.quiet(stream), extras);
}

/** `takeOver` and `outcome` of a {@link StreamLayer}. */
export function laterCalls(streams: Streams): Pick<StreamLayer, 'takeOver' | 'outcome'> {
  return {
    takeOver(s, plan): number | Promise<number> {
      const stream = streams.get(s);
      if (stream === undefined) return -WSAENOTSOCK;
      if (stream.connection !== null) return stateOf(stream.connection);
      const opened = begin(streams, stream, plan, null, false);
      return stream.isNonBlocking ? -WSAEWOULDBLOCK : opened;
    },

    outcome(s): number | null {
      const connection = streams.connection(s);
      return connection === null ? null : outcomeOf(connection);
    },
  };
}

function stateOf(connection: Connection): number {
  if (connection.phase === 'opening') return -WSAEALREADY;
  return connection.phase === 'open' ? -WSAEISCONN : -(connection.failure || WSA_OPERATION_ABORTED);
}

function outcomeOf({ phase, failure }: Connection): number {
  if (phase === 'opening') return -WSAEINPROGRESS;
  return phase === 'open' ? 0 : -failure;
}
