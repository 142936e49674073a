/**
 * The layer's calls: where connects go, and who comes to those that listen.
 */

import {
  AF_INET6,
  formatSockaddr,
  readSockaddr,
  SOCK_STREAM,
  sockaddrFamily,
  sockaddrOf,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEWOULDBLOCK,
} from '../../abi/index.ts';
import { copyOf, IpAddress } from '../../base/index.ts';
import type { Answer, ExtensionFunctions, Layer, WSPPROC_TABLE } from '../../spi/index.ts';
import { whenAnswered } from '../answers.ts';
import { wrapExtensions } from '../extension-pointers.ts';
import type { Recording } from '../record/index.ts';
import type { RecordingLibrary } from './library.ts';
import { Player, type PlayerOptions } from './player.ts';

export interface ReplaySettings extends Pick<PlayerOptions, 'speed' | 'departed'> {
  readonly others: 'refuse' | 'pass';
}

const SOCKADDR_ROOM = 128;
/** WSA_FLAG_OVERLAPPED. */
const MADE_WITH = 1;

export function replayCalls(
  next: WSPPROC_TABLE,
  layer: Layer,
  library: RecordingLibrary,
  { speed, departed, others }: ReplaySettings,
): Partial<WSPPROC_TABLE> {
  if (layer.chain.iSocketType !== SOCK_STREAM) return {};
  const { scheduler } = layer.ws2;
  /** What getpeername tells. */
  const asked = new Map<number, Uint8Array>();
  const perform = (s: number, recording: Recording): Promise<void> =>
    new Player(next, s, recording, { speed, departed, scheduler }).play();

  /** A socket of the layer's own, in the chain's family. @returns minus a WSA code when there can be none */
  const make = async (): Promise<number> => next.WSPSocket(0, 0, 0, layer.chain, 0, MADE_WITH);

  /** Makes a listener that serves one connection with a recording. @returns where it is, or minus a WSA code */
  const stage = async (recording: Recording): Promise<Uint8Array | number> => {
    const listener = await make();
    if (listener < 0) return listener;
    const name = new Uint8Array(SOCKADDR_ROOM);
    const own = loopback(layer.chain.iAddressFamily, 0);
    const length = { value: name.length };
    const isReady =
      (await next.WSPBind(listener, own, own.length)) >= 0 &&
      (await next.WSPListen(listener, 1)) >= 0 &&
      (await next.WSPGetSockName(listener, name, length)) >= 0;
    if (!isReady) {
      await next.WSPCloseSocket(listener);
      return -WSAECONNREFUSED;
    }
    void serve(listener, recording);
    return name.slice(0, length.value);
  };

  const serve = async (listener: number, recording: Recording): Promise<void> => {
    const s = await next.WSPAccept(listener, null, null, null, 0);
    await next.WSPCloseSocket(listener);
    if (s >= 0) await perform(s, recording);
  };

  /** A call that connects, to whoever plays the recorded peer. */
  const connecting = (
    s: number,
    name: Uint8Array | null,
    namelen: number,
    call: (name: Uint8Array | null, namelen: number) => Answer,
  ): Answer => {
    const to = name === null ? null : readSockaddr(name.subarray(0, Math.max(0, namelen)));
    if (name === null || to === null) return call(name, namelen);
    const place = formatSockaddr(sockaddrOf(to.address.unmapped(), to.port));
    const recording = library.take('client', place);
    if (recording === null) return others === 'pass' ? call(name, namelen) : -WSAECONNREFUSED;
    const peer = copyOf(name, 0, namelen);
    return stage(recording).then((way) => {
      if (typeof way === 'number') return way;
      asked.set(s, peer);
      return call(way, way.length);
    });
  };

  /** The recorded clients of a port come, one after the other. */
  const visit = async (address: Uint8Array): Promise<void> => {
    const port = readSockaddr(address)?.port ?? 0;
    for (const recording of library.all('server', String(port))) {
      const s = await make();
      if (s < 0) return;
      const to = loopback(sockaddrFamily(address), port);
      if ((await next.WSPConnect(s, to, to.length, null, null, null, null)) < 0) {
        await next.WSPCloseSocket(s);
        return;
      }
      await perform(s, recording);
    }
  };

  return {
    WSPConnect: (s, name, namelen, ...rest) =>
      connecting(s, name, namelen, (to, length) => next.WSPConnect(s, to, length, ...rest)),

    WSPListen: (s, backlog) =>
      whenAnswered(next.WSPListen(s, backlog), (answer) => {
        const name = new Uint8Array(SOCKADDR_ROOM);
        const length = { value: name.length };
        if (answer < 0) return answer;
        return whenAnswered(next.WSPGetSockName(s, name, length), (found) => {
          if (found >= 0) void visit(name.slice(0, length.value));
          return answer;
        });
      }),

    WSPGetPeerName(s, name, namelen): Answer {
      const peer = asked.get(s);
      if (peer === undefined) return next.WSPGetPeerName(s, name, namelen);
      return whenAnswered(
        next.WSPGetPeerName(s, new Uint8Array(SOCKADDR_ROOM), { value: SOCKADDR_ROOM }),
        (answer) => {
          if (answer < 0) return answer;
          if (name === null || namelen === null) return -WSAEFAULT;
          if (namelen.value < peer.length || name.length < peer.length) return -WSAEFAULT;
          name.set(peer);
          namelen.value = peer.length;
          return 0;
        },
      );
    },

    WSPCloseSocket: (s) =>
      whenAnswered(next.WSPCloseSocket(s), (answer) => {
        if (answer !== -WSAEWOULDBLOCK) asked.delete(s);
        return answer;
      }),

    WSPIoctl: wrapExtensions(
      next,
      layer,
      new WeakMap(),
      <K extends keyof ExtensionFunctions>(name: K, below: ExtensionFunctions[K]) => {
        if (name !== 'ConnectEx') return null;
        const connectEx = below as ExtensionFunctions['ConnectEx'];
        const wrapper: ExtensionFunctions['ConnectEx'] = (s, to, tolen, ...rest) =>
          connecting(s, to, tolen, (way, length) => connectEx(s, way, length, ...rest));
        return wrapper as ExtensionFunctions[K];
      },
    ),
  };
}

function loopback(family: number, port: number): Uint8Array {
  return sockaddrOf(family === AF_INET6 ? IpAddress.loopbackV6 : IpAddress.loopbackV4, port);
}
