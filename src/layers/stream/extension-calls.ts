/**
 * The extension functions of a stream layer: its own ConnectEx, AcceptEx, DisconnectEx, TransmitFile and TransmitPackets, and none that
 * would send bytes past it.
 */

import {
  ERROR_INVALID_PARAMETER,
  FUNCTION_POINTER_LEN,
  guidAt,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAEOPNOTSUPP,
} from '../../abi/index.ts';
import { copyOf } from '../../base/index.ts';
import {
  type Answer,
  EXTENSION_IDS,
  type ExtensionFunctions,
  functionAt,
  readPointer,
  writePointer,
} from '../../spi/index.ts';
import { acceptEx } from './accept-ex.ts';
import { begin } from './connect-calls.ts';
import { disconnectEx } from './disconnect.ts';
import { beginOverlapped } from './operations.ts';
import type { Streams } from './streams.ts';
import { transmitFile, transmitPackets } from './transmit-calls.ts';

/** Answers a control code that asks for functions. */
type Extension = (
  code: number,
  input: Uint8Array | null,
  output: Uint8Array | null,
  below: () => Answer,
) => Answer;

export function streamExtension(streams: Streams): Extension {
  return (code, input, output, below) => {
    if (code >>> 0 === SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER) return -WSAEOPNOTSUPP;
    const answer = below();
    if (code >>> 0 !== SIO_GET_EXTENSION_FUNCTION_POINTER || input === null || output === null) return answer;
    const name = EXTENSION_IDS.get(guidAt(input) ?? '');
    const finish = (late: number): number => {
      if (late < FUNCTION_POINTER_LEN || name === undefined) return late;
      const lower = functionAt(readPointer(output));
      if (lower !== null) replace(streams, name, lower as never, output);
      return late;
    };
    return typeof answer === 'number' ? finish(answer) : answer.then(finish);
  };
}

/**
 * The layer's functions by those below, so that each has one pointer only. An application asks for a function with one socket and calls it
 * with others: a function looks up the chain that its socket was made in.
 */
const wrapped = new WeakMap<Streams['all'], Map<unknown, unknown>>();

function replace(streams: Streams, name: keyof ExtensionFunctions, lower: never, output: Uint8Array): void {
  const known = wrapped.get(streams.all) ?? new Map<unknown, unknown>();
  wrapped.set(streams.all, known);
  const wrapper = known.get(lower) ?? wrap(streams, name, lower);
  known.set(lower, wrapper);
  writePointer(output, 0, wrapper as () => void);
}

function wrap(streams: Streams, name: keyof ExtensionFunctions, lower: never): unknown {
  switch (name) {
    case 'ConnectEx':
      return connectEx(streams, lower);
    case 'DisconnectEx':
      return disconnectEx(streams, lower);
    case 'AcceptEx':
      return acceptEx(streams, lower);
    case 'TransmitFile':
      return transmitFile(streams, lower);
    case 'TransmitPackets':
      return transmitPackets(streams, lower);
    case 'WSAPoll':
      return streams.layer.ws2.WSAPoll;
    default:
      // Messages are no streams: the provider below refuses them on one.
      return lower;
  }
}

function connectEx(
  streams: Streams,
  lower: ExtensionFunctions['ConnectEx'],
): ExtensionFunctions['ConnectEx'] {
  return (s, name, namelen, data, dataLength, sent, lpOverlapped) => {
    const below = (): Answer => lower(s, name, namelen, data, dataLength, sent, lpOverlapped);
    const stream = streams.get(s);
    if (stream === undefined) return below();
    const { chain } = stream;
    if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
    if (name === null || !(namelen >= 0 && namelen <= name.length)) return -WSAEFAULT;
    if (!(dataLength >= 0 && dataLength <= (data?.length ?? 0))) return -WSAEFAULT;
    if (stream.connection !== null && stream.connection.phase !== 'failed') return -WSAEISCONN;
    const to = copyOf(name, 0, namelen);
    const plan = chain.rules.connect(s, to);
    if (plan === null) return below();
    if (typeof plan === 'number') return plan;
    const isBound = chain.next.WSPGetSockName(s, new Uint8Array(128), { value: 128 });
    const start = (bound: number): Answer => {
      if (bound < 0) return -WSAEINVAL;
      const asked = { lpOverlapped, routine: null, thread: null };
      return beginOverlapped(chain, stream, asked, (complete) => {
        void begin(chain, stream, plan, plan.address ?? to, true).then((answer) => {
          const { connection } = stream;
          if (answer < 0 || data === null || dataLength === 0 || connection === null) complete(answer);
          else connection.send([copyOf(data, 0, dataLength)], 0, complete);
        });
      });
    };
    return typeof isBound === 'number' ? start(isBound) : isBound.then(start);
  };
}
