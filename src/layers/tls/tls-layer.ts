/**
 * The TLS provider: the SSL layer of Windows Mobile on top of `streamLayer`.
 *
 * A socket on which SO_SECURE is SO_SEC_SSL makes its handshake within connect or accept, or, with SSL_FLAG_DEFER_HANDSHAKE, when
 * SO_SSL_PERFORM_HANDSHAKE asks for it. All other sockets go by untouched.
 */

import {
  isSslIoctl,
  SO_SEC_NONE,
  SO_SEC_SSL,
  SO_SECURE,
  SO_SSL_GET_CONNECTION_INFO,
  SO_SSL_PERFORM_HANDSHAKE,
  SOCK_STREAM,
  SOL_SOCKET,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_FLAG_SERVER,
  SSLCONNECTIONINFO_LEN,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  writeSslConnectionInfo,
} from '../../abi/index.ts';
import { i32le, putI32le } from '../../base/index.ts';
import {
  type Answer,
  defineLayer,
  type LayerCalls,
  type WSPStartup,
  type WSPUPCALLTABLE,
} from '../../spi/index.ts';
import { type StreamRules, type StreamTables, streamLayer } from '../stream/index.ts';
import { DEFAULT_TLS_CONFIG, type TlsConfig } from './config.ts';
import type { TlsCodec } from './engine.ts';
import { handshakePlan, tlsProvider } from './handshake.ts';
import { put, readHostName, sslIoctl } from './ioctls.ts';
import { newSettings, type SslSettings } from './settings.ts';
import { connectionInfo } from './versions.ts';

/** What the provider knows of a stream socket. */
interface Secured {
  settings: SslSettings;
  /** Whose contexts serve it: its own settings, or its listener's. */
  owner: SslSettings;
  /** Who a client has connected to. */
  peer: string;
  /** There is a connection below, so that a handshake can be begun. */
  codec: TlsCodec | null;
}

const EMPTY = new Uint8Array(0);
const DWORD_LEN = 4;

/** Makes the one export of the provider. */
export function createTlsLayer(config: TlsConfig = DEFAULT_TLS_CONFIG): WSPStartup {
  return defineLayer(tlsCalls(config), { name: 'TLS', handles: 'own' });
}

function tlsCalls(config: TlsConfig): LayerCalls {
  const tables: StreamTables = new WeakMap();
  // Of all chains in a process: AcceptEx may fill a socket that another chain has made.
  const known = new WeakMap<WSPUPCALLTABLE, Map<number, Secured>>();
  return (next, layer) => {
    const provider = tlsProvider(layer, config);
    const sockets = known.get(layer.upcalls) ?? new Map<number, Secured>();
    known.set(layer.upcalls, sockets);
    const planOf = (secured: Secured): ReturnType<typeof handshakePlan> =>
      handshakePlan(provider, secured.settings, secured.owner, secured.peer, (codec) => {
        secured.codec = codec;
      });
    const isImmediate = ({ isSecure, flags }: SslSettings): boolean =>
      isSecure && (flags & SSL_FLAG_DEFER_HANDSHAKE) === 0;

    const rules: StreamRules = {
      connect(s, name) {
        const secured = sockets.get(s);
        if (secured === undefined) return null;
        secured.peer = Buffer.from(name).toString('hex');
        return isImmediate(secured.settings) ? planOf(secured) : null;
      },
      accept(listener, s) {
        const parent = sockets.get(listener);
        if (parent === undefined) return null;
        const settings = { ...parent.settings };
        const secured: Secured = { settings, owner: parent.settings, peer: '', codec: null };
        sockets.set(s, secured);
        return isImmediate(settings) && (settings.flags & SSL_FLAG_SERVER) !== 0 ? planOf(secured) : null;
      },
      keepsAccepted: (listener) => sockets.get(listener)?.settings.isSecure === true,
      renewed(s) {
        const secured = sockets.get(s);
        if (secured === undefined) return;
        secured.codec = null;
        secured.peer = '';
      },
      closed: (s) => void sockets.delete(s),
    };
    const stream = streamLayer(next, layer, tables, rules);
    const { table } = stream;
    const calls = { ...next, ...table };

    /** A setting can be changed as long as no handshake was begun. */
    const isBegun = (s: number): boolean => stream.outcome(s) !== null;

    const perform = (s: number, secured: Secured, input: Uint8Array): Answer => {
      const name = readHostName(input);
      if (name === null) return -WSAEINVAL;
      if (!secured.settings.isSecure) return -WSAEINVAL;
      const outcome = stream.outcome(s);
      if (outcome !== null) return stream.takeOver(s, planOf(secured));
      const start = (connected: number): Answer => {
        if (connected < 0) return -WSAENOTCONN;
        if (name !== '') secured.settings = { ...secured.settings, peerName: name };
        return stream.takeOver(s, planOf(secured));
      };
      const connected = next.WSPGetPeerName(s, new Uint8Array(128), { value: 128 });
      return typeof connected === 'number' ? start(connected) : connected.then(start);
    };

    const tellConnection = (
      s: number,
      secured: Secured,
      output: Uint8Array,
      needed: { value: number } | null,
    ): number => {
      const { codec } = secured;
      if (codec === null || stream.outcome(s) !== 0) return -WSAENOTCONN;
      const { socket } = codec;
      const isServer = (secured.settings.flags & SSL_FLAG_SERVER) !== 0;
      const { bits = 0 } = isServer ? {} : (socket.getPeerCertificate() as { bits?: number });
      const exchange = isServer ? null : socket.getEphemeralKeyInfo();
      const info = connectionInfo(socket.getProtocol(), socket.getCipher(), exchange, isServer, bits);
      return put({ output, needed }, SSLCONNECTIONINFO_LEN, (into) => writeSslConnectionInfo(into, info));
    };

    return {
      ...table,

      WSPSocket(af, type, protocol, info, g, flags): Answer {
        const answer = calls.WSPSocket(af, type, protocol, info, g, flags);
        const isStream = (type > 0 ? type : info.iSocketType) === SOCK_STREAM;
        const finish = (s: number): number => {
          if (s < 0 || !isStream) return s;
          const settings = newSettings();
          sockets.set(s, { settings, owner: settings, peer: '', codec: null });
          return s;
        };
        return typeof answer === 'number' ? finish(answer) : answer.then(finish);
      },

      WSPSetSockOpt(s, level, optname, optval, optlen): Answer {
        const secured = sockets.get(s);
        if (secured === undefined || level !== SOL_SOCKET || optname !== SO_SECURE)
          return calls.WSPSetSockOpt(s, level, optname, optval, optlen);
        if (optval === null || optlen < DWORD_LEN || optval.length < DWORD_LEN) return -WSAEFAULT;
        const value = i32le(optval, 0);
        if (value !== SO_SEC_NONE && value !== SO_SEC_SSL) return -WSAEINVAL;
        const isSecure = value === SO_SEC_SSL;
        if (isBegun(s)) return secured.settings.isSecure === isSecure ? 0 : -WSAEISCONN;
        const set = (connected: number): number => {
          // Before connect, as the first byte decides what the connection is.
          if (connected >= 0 && secured.settings.isSecure !== isSecure) return -WSAEISCONN;
          secured.settings.isSecure = isSecure;
          return 0;
        };
        const connected = next.WSPGetPeerName(s, new Uint8Array(128), { value: 128 });
        return typeof connected === 'number' ? set(connected) : connected.then(set);
      },

      WSPGetSockOpt(s, level, optname, optval, optlen): Answer {
        const secured = sockets.get(s);
        if (secured === undefined || level !== SOL_SOCKET || optname !== SO_SECURE)
          return calls.WSPGetSockOpt(s, level, optname, optval, optlen);
        if (optval === null || optlen === null || optlen.value < DWORD_LEN || optval.length < DWORD_LEN)
          return -WSAEFAULT;
        putI32le(optval, 0, secured.settings.isSecure ? SO_SEC_SSL : SO_SEC_NONE);
        optlen.value = DWORD_LEN;
        return 0;
      },

      WSPIoctl(
        s,
        code,
        input,
        inLength,
        output,
        outLength,
        lpOverlapped,
        routine,
        thread,
        needed = null,
      ): Answer {
        const secured = sockets.get(s);
        if (secured === undefined || !isSslIoctl(code))
          return calls.WSPIoctl(
            s,
            code,
            input,
            inLength,
            output,
            outLength,
            lpOverlapped,
            routine,
            thread,
            needed,
          );
        // They are answered at once, and have no completion.
        if (lpOverlapped !== null) return -WSAEOPNOTSUPP;
        const given = input?.subarray(0, Math.max(inLength, 0)) ?? EMPTY;
        const room = output?.subarray(0, Math.max(outLength, 0)) ?? EMPTY;
        if (given.length < inLength || room.length < outLength) return -WSAEFAULT;
        switch (code >>> 0) {
          case SO_SSL_PERFORM_HANDSHAKE:
            return perform(s, secured, given);
          case SO_SSL_GET_CONNECTION_INFO:
            return tellConnection(s, secured, room, needed);
          default:
            // What a server's context was made of may change.
            provider.contexts.delete(secured.settings);
            return sslIoctl(code >>> 0, secured.settings, {
              input: given,
              output: room,
              needed,
              isBegun: isBegun(s),
            });
        }
      },
    };
  };
}
