/**
 * Extension functions through a firewall: what they send and connect is decided as by the calls of the table, and whom AcceptEx has
 * accepted before its application hears of it.
 */

import {
  type ExtensionFunctions,
  getAcceptExSockaddrs,
  type Ref,
  type WSAOVERLAPPED,
} from '../../spi/index.ts';
import type { Completions } from '../completions.ts';
import type { WrapExtension } from '../extension-pointers.ts';
import { placeIn } from '../places.ts';
import type { Gates } from './gate.ts';

type Wrappers = {
  readonly [K in keyof ExtensionFunctions]?: (below: ExtensionFunctions[K]) => ExtensionFunctions[K];
};

/** @param gates of all chains: a function is called with sockets of any of them, whichever it was asked for with */
export function firewallExtensions(gates: Gates, completions: Completions): WrapExtension {
  const wrappers: Wrappers = {
    ConnectEx:
      (below) =>
      (s, name, namelen, ...rest) =>
        gates.of(s).connecting(s, name, namelen, (to, length) => below(s, to, length, ...rest)),

    WSASendMsg:
      (below) =>
      (s, lpMsg, ...rest) => {
        if (lpMsg === null) return below(s, lpMsg, ...rest);
        const { name, namelen } = lpMsg;
        return gates
          .of(s)
          .sending(s, name, namelen, (to, length) =>
            below(s, to === name ? lpMsg : { ...lpMsg, name: to, namelen: length }, ...rest),
          );
      },

    WSARecvMsg:
      (below) =>
      (s, ...rest) =>
        gates.of(s).moving(s, () => below(s, ...rest)),

    TransmitFile:
      (below) =>
      (s, ...rest) =>
        gates.of(s).moving(s, () => below(s, ...rest)),

    TransmitPackets:
      (below) =>
      (s, ...rest) =>
        gates.of(s).moving(s, () => below(s, ...rest)),

    AcceptEx:
      (below) => (sListen, sAccept, buffer, dataRoom, localRoom, remoteRoom, received, lpOverlapped) => {
        const call = (record: WSAOVERLAPPED | null) =>
          below(sListen, sAccept, buffer, dataRoom, localRoom, remoteRoom, received, record);
        if (lpOverlapped === null) return call(null);
        // The same socket may have had a peer before (TF_REUSE_SOCKET).
        gates.of(sAccept).forget(sAccept);
        const judge = (): void => {
          const remote: Ref<Uint8Array | null> = { value: null };
          const local: Ref<Uint8Array | null> = { value: null };
          getAcceptExSockaddrs(buffer, dataRoom, localRoom, remoteRoom, local, { value: 0 }, remote, {
            value: 0,
          });
          const [from, to] = [remote.value, local.value];
          if (gates.of(sListen).isWelcome(placeIn(from, from?.length ?? 0), placeIn(to, to?.length ?? 0)))
            return;
          buffer?.fill(0, 0, dataRoom);
          gates.of(sAccept).refuse(sListen, sAccept);
        };
        return completions.watch(
          lpOverlapped,
          null,
          () => call(lpOverlapped),
          (answer) => {
            if (answer >= 0) judge();
          },
        );
      },
  };

  return <K extends keyof ExtensionFunctions>(name: K, below: ExtensionFunctions[K]) =>
    (wrappers[name] as ((code: ExtensionFunctions[K]) => ExtensionFunctions[K]) | undefined)?.(below) ?? null;
}
