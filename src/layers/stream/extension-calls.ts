/**
 * The extension functions of a stream layer: its own ConnectEx, DisconnectEx and AcceptEx, and none that would send bytes past it.
 */

import {
  ERROR_INVALID_PARAMETER,
  FUNCTION_POINTER_LEN,
  guidAt,
  SD_SEND,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAEOPNOTSUPP,
} from '../../abi/index.ts';
import {
  type Answer,
  EXTENSION_IDS,
  type ExtensionFunctions,
  functionAt,
  readPointer,
  writePointer,
} from '../../spi/index.ts';
import { begin } from './connect-calls.ts';
import type { StreamRules } from './contract.ts';
import { beginOverlapped } from './operations.ts';
import type { Streams } from './streams.ts';

/** Answers a control code that asks for functions. */
type Extension = (
  code: number,
  input: Uint8Array | null,
  output: Uint8Array | null,
  below: () => Answer,
) => Answer;

export function streamExtension(streams: Streams, rules: StreamRules): Extension {
  return (code, input, output, below) => {
    if (code >>> 0 === SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER) return -WSAEOPNOTSUPP;
    const answer = below();
    if (code >>> 0 !== SIO_GET_EXTENSION_FUNCTION_POINTER || input === null || output === null) return answer;
    const name = EXTENSION_IDS.get(guidAt(input) ?? '');
    const finish = (late: number): number => {
      if (late < FUNCTION_POINTER_LEN || name === undefined) return late;
      const lower = functionAt(readPointer(output));
      if (lower !== null) replace(streams, rules, name, lower as never, output);
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };
}

/** The layer's functions by those below, so that each has one pointer only. */
const wrapped = new WeakMap<Streams, Map<unknown, unknown>>();

function replace(
  streams: Streams,
  rules: StreamRules,
  name: keyof ExtensionFunctions,
  lower: never,
  output: Uint8Array,
): void {
  const known = wrapped.get(streams) ?? new Map<unknown, unknown>();
  wrapped.set(streams, known);
  const wrapper = known.get(lower) ?? wrap(streams, rules, name, lower);
  known.set(lower, wrapper);
  writePointer(output, 0, wrapper as () => void);
}

function wrap(streams: Streams, rules: StreamRules, name: keyof ExtensionFunctions, lower: never): unknown {
  switch (name) {
    case 'ConnectEx':
      return connectEx(streams, rules, lower);
    case 'DisconnectEx':
      return disconnectEx(streams, lower);
    case 'AcceptEx':
      return acceptEx(streams, rules, lower);
    case 'TransmitFile':
    case 'TransmitPackets':
    case 'WSASendMsg':
    case 'WSARecvMsg':
      return refusing(streams, lower);
    default:
      return lower;
  }
}

function connectEx(
  streams: Streams,
  rules: StreamRules,
  lower: ExtensionFunctions['ConnectEx'],
): ExtensionFunctions['ConnectEx'] {
  return (s, name, namelen, data, dataLength, sent, lpOverlapped) => {
    const below = (): Answer => lower(s, name, namelen, data, dataLength, sent, lpOverlapped);
    const stream = streams.get(s);
    if (stream === undefined) return below();
    if (stream.connection !== null && stream.connection.phase !== 'failed') return -WSAEISCONN;
    if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
    if (name === null || namelen < 0 || namelen > name.length) return -WSAEFAULT;
    if (dataLength < 0 || dataLength > (data?.length ?? 0)) return -WSAEFAULT;
    const to = name.slice(0, namelen);
    const plan = rules.connect(s, to);
    if (plan === null) return below();
    if (typeof plan === 'number') return plan;
    const isBound = streams.next.WSPGetSockName(s, new Uint8Array(128), { value: 128 });
    const start = (bound: number): Answer => {
      if (bound < 0) return -WSAEINVAL;
      const asked = { lpOverlapped, routine: null, thread: null };
      return beginOverlapped(streams.layer, s, stream.pending, stream.flags, asked, (complete) => {
        void begin(streams, stream, plan, plan.address ?? to, true).then((answer) => {
          const { connection } = stream;
          if (answer < 0 || data === null || dataLength === 0 || connection === null) complete(answer);
          else connection.send([data.slice(0, dataLength)], 0, complete);
        });
      });
    };
    return typeof isBound === 'number' ? start(isBound) : isBound.then(start);
  };
}

/** Ends sending. A socket whose bytes the layer keeps cannot be used again. */
function disconnectEx(
  streams: Streams,
  lower: ExtensionFunctions['DisconnectEx'],
): ExtensionFunctions['DisconnectEx'] {
  return (s, lpOverlapped, dwFlags, dwReserved) => {
    const stream = streams.get(s);
    const connection = stream?.connection ?? null;
    if (stream === undefined || connection === null) return lower(s, lpOverlapped, dwFlags, dwReserved);
    if (dwReserved !== 0) return -WSAEINVAL;
    if (dwFlags !== 0) return -WSAEOPNOTSUPP;
    if (lpOverlapped === null) {
      const answer = connection.shutdown(SD_SEND);
      return answer < 0 ? answer : 1;
    }
    const asked = { lpOverlapped, routine: null, thread: null };
    return beginOverlapped(streams.layer, s, stream.pending, stream.flags, asked, (complete) =>
      complete(connection.shutdown(SD_SEND)),
    );
  };
}

/** AcceptEx for listeners that the rules leave alone; the others accept by `accept`. */
function acceptEx(
  streams: Streams,
  rules: StreamRules,
  lower: ExtensionFunctions['AcceptEx'],
): ExtensionFunctions['AcceptEx'] {
  return (listener, s, ...rest) => {
    const isKept = streams.get(listener) !== undefined && rules.keepsAccepted?.(listener) === true;
    return isKept ? -WSAEOPNOTSUPP : lower(listener, s, ...rest);
  };
}

/** A function whose bytes would go past the codec: for sockets that have none. */
function refusing(streams: Streams, lower: (s: number, ...rest: unknown[]) => Answer): unknown {
  return (s: number, ...rest: unknown[]): Answer =>
    streams.connection(s) === null ? lower(s, ...rest) : -WSAEOPNOTSUPP;
}
